"""Judges the ordinary exchanges of a window where they stand, and puts aside what they leave.

Which those are is found in ``ordinary``; they are all proven.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.audit.arrivals import Handed, Receipted
from protocol.audit.evidence import ExchangeKey
from protocol.audit.exchanges import SweptNames, TotalsKey
from protocol.audit.findings import Outcome, Place, Verdict
from protocol.audit.gathering import HeldEntry, HeldLine, Party, WindowContent
from protocol.audit.heads import ClaimSet
from protocol.audit.namings import SUMMARY_CODES
from protocol.audit.ordinary import Found, OrdinaryFinder, Pairing
from protocol.audit.ports import Batch, Spool
from protocol.audit.proofs import HeadProofs
from protocol.audit.routing import LineRun, RoutedEntry, RoutedLine, Swept
from protocol.audit.rows import choose_partition
from protocol.audit.texts import find_octets
from protocol.audit.uses import UsedRun, UsedTerms
from protocol.audit.windows import Window
from protocol.audit.world import World
from protocol.bundle import MESSAGES_FILE
from protocol.entry import read_head_text
from protocol.errors import ProtocolError
from protocol.message import LogHead
from protocol.receipt import parse_receipt

_SUMMARY_TEXTS = frozenset(code.encode("ascii") for code in SUMMARY_CODES)
# Verifying drives everything else out of the processor's caches, so it is done in long rows.
SIGNED_AT_ONCE = 512


class SweepTask(NamedTuple):
    """A window, the round, message ids to leave alone, and those among them to let go now."""

    window: Window
    round: int
    left: frozenset[bytes]
    released: frozenset[bytes]


@dataclass(slots=True)
class SweptWindow:
    """What the ordinary exchanges of a window came to: they are all proven."""

    swept: Swept = field(default_factory=Swept)
    totals: Counter[TotalsKey] = field(default_factory=Counter)
    uses: int = 0
    signatures: int = 0

    @property
    def exchanges(self) -> int:
        """Return how many there are."""
        return self.totals.total()

    @property
    def outcomes(self) -> set[Outcome]:
        """Return the outcomes of all lines."""
        return {Outcome.HOLDS} if self.totals else set()


@dataclass(slots=True)
class _Sort:
    """Exchanges of one sort between two members: what they leave, in lists of one kind each.

    ``asked`` and ``decided`` are indices of entries, of the consumer's log and the provider's;
    ``out`` and ``other`` first byte, length and number of lines, in their files; ``answers`` by
    partition, as ``Handed`` has them.
    """

    consumer: Party
    provider: Party
    kind: str
    asked: list[int] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)
    out: list[tuple[int, int, int]] = field(default_factory=list)
    other: list[tuple[int, int, int]] = field(default_factory=list)
    answers: defaultdict[int, list[tuple[bytes, int, bytes]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def sweep_window(world: World, task: SweepTask) -> SweptWindow:
    """Judge the ordinary exchanges of one window."""
    return _Sweep(world, task).run()


class _Sweep:
    """Judges one window."""

    def __init__(self, world: World, task: SweepTask) -> None:
        self._world = world
        self._task = task
        self._result = SweptWindow()
        self._content = WindowContent(world, task.window)
        self._finder = OrdinaryFinder(world, self._content)
        self._claims = ClaimSet(world)
        self._stated: set[tuple[bytes, bytes]] = set()
        self._sorts: dict[tuple[int, int, bytes, bytes], _Sort] = {}
        self._names = defaultdict[int, list[bytes]](list)
        self._uses = defaultdict[tuple[UsedTerms, int], list[tuple[int, int, bytes]]](list)
        self._arrivals = defaultdict[int, list[Handed | Receipted]](list)

    def run(self) -> SweptWindow:
        """Judge exchange by exchange, and put aside what they leave."""
        examiner = self._world.examiner
        signatures = examiner.signatures
        find, likely = self._finder.find, list[Found]()
        for pairs in self._content.list_pairs():
            likely += [found for pair in pairs if (found := find(*pair)) is not None]
            if len(likely) >= SIGNED_AT_ONCE:
                self._judge(likely)
                likely = []
        self._judge(likely)
        self._result.signatures = examiner.signatures - signatures
        self._put_aside()
        return self._result

    def _judge(self, likely: Sequence[Found]) -> None:
        """Take the exchanges whose signatures hold."""
        signed = list(map(self._finder.is_signed, likely))
        for found, holds in zip(likely, signed, strict=True):
            name = found.logged.decided.xid
            if holds and name in self._task.left:
                self._release(found, name)
            elif holds:
                self._world.examiner.signatures += 2
                self._take(found, name)
                self._claim_heads(found)

    # --- what it leaves

    def _take(self, found: Found, name: bytes) -> None:
        logged, pairing, count = found.logged, found.pairing, self._world.partitions
        decided, index = logged.decided, logged.held[1]
        sort = self._find_sort(pairing, decided.code)
        sort.asked.append(logged.asked[1])
        sort.asked.append(logged.received[1])
        sort.decided.append(index)
        content, _, offset, number = found.out
        sort.out.append((offset, len(content), number))
        content, _, offset, number = found.other
        sort.other.append((offset, len(content), number))
        self._names[choose_partition(name, count=count)].append(name)
        answer = found.answer, index, decided.consents
        sort.answers[choose_partition(found.answer, count=count)].append(answer)
        if found.terms is not None:
            self._uses[found.terms, pairing.provider.position].append((index, found.at_s, name))
        elif pairing.op == b"receipt":
            self._take_receipt(found, name)

    def _find_sort(self, pairing: Pairing, code: bytes) -> _Sort:
        consumer, provider = pairing.consumer, pairing.provider
        name = consumer.bundle, provider.bundle, pairing.op, code
        sort = self._sorts.get(name)
        if sort is None:
            kind = "summary" if code in _SUMMARY_TEXTS else "other"
            sort = self._sorts[name] = _Sort(consumer, provider, kind)
        return sort

    def _take_receipt(self, found: Found, name: bytes) -> None:
        pairing = found.pairing
        consumer, provider = pairing.consumer.log.member, pairing.provider.log.member
        places = tuple(map(self._place, found.lines))
        parts: dict[int, list[bytes]] = {}
        try:
            answers = parse_receipt(find_octets(found.record.request_body) or b"")
        except ProtocolError:
            return  # A body that is no receipt acknowledges nothing.
        for answer in answers:
            partition = choose_partition(answer, count=self._world.partitions)
            parts.setdefault(partition, []).append(answer)
        key = ExchangeKey(consumer, provider, find_octets(name) or b"")
        position = pairing.provider.position, found.logged.held[1]
        for partition, part in parts.items():
            receipt = Receipted(consumer, provider, part, key, places, position)
            self._arrivals[partition].append(receipt)

    def _claim_heads(self, found: Found) -> None:
        """State the heads of both logs as proofs, messages and entries do, once each."""
        logged, record, stated = found.logged, found.record, self._stated
        for env, text, head, by in (
            (record.request, logged.decided.head, found.heads[0], logged.held),
            (record.answer, logged.received_head, found.heads[1], logged.received),
        ):
            name = text, head.note
            if name not in stated:
                stated.add(name)
                self._claim_head(found, env, text, head, by)

    def _claim_head(
        self, found: Found, env: bytes, head_text: bytes, head: HeadProofs, by: HeldEntry
    ) -> None:
        place = self._place(found.lines[0])
        log, stated = head.log, read_head_text(head_text)
        _, index, party = by
        self._claims.add(
            LogHead(size=head.head.size, root=head.head.root),
            member=log.member,
            origin=log.origin,
            by_log=True,
            place=place,
            exhibit=head.text,
        )
        self._claims.add(
            stated,
            member=log.member,
            origin=log.origin,
            by_log=False,
            place=place,
            exhibit=env.decode("ascii"),
        )
        self._claims.add(
            stated,
            member=log.member,
            origin="",
            by_log=False,
            by_member=False,
            place=party.log.place_entry(index),
            exhibit=f"entry {index} of {party.log.member}",
        )

    def _release(self, found: Found, name: bytes) -> None:
        """Give what belongs to an exchange to the judge of its partition."""
        if name not in self._task.released:
            return
        world, logged = self._world, found.logged
        partition = choose_partition(name, count=world.partitions)
        entries = [
            RoutedEntry(name, party.bundle, index, raw)
            for raw, index, party in (logged.asked, logged.held, logged.received)
        ]
        lines = [
            RoutedLine(name, bundle, number, offset, len(content))
            for content, bundle, offset, number in found.lines
        ]
        world.spools.routed.append(partition, [*entries, *lines])

    def _place(self, line: HeldLine) -> Place:
        _, bundle, _, number = line
        name = self._content.parties[bundle].bundle_name
        return Place(bundle=name, file=MESSAGES_FILE, line=number)

    def _put_aside(self) -> None:
        world, window = self._world, self._task.window.number
        spools = world.spools
        runs: dict[int, list[UsedRun]] = {}
        for (terms, log), uses in self._uses.items():
            self._result.uses += len(uses)
            partition = choose_partition(terms.consent, count=world.partitions)
            runs.setdefault(partition, []).append(UsedRun(terms, log, uses))
        self._sum_up()
        swept = {
            partition: [SweptNames(window, b"".join(names))]
            for partition, names in self._names.items()
        }
        self._append(spools.claims, self._claims.split())
        self._append(spools.swept, swept)
        self._append(spools.uses, runs)
        self._append(spools.arrivals, self._arrivals)

    def _sum_up(self) -> None:
        """Join what the sorts have: where entries and lines stand, answers, how many there are."""
        entries = defaultdict[int, list[int]](list)
        lines = defaultdict[int, list[tuple[int, int, int]]](list)
        for (asker, answerer, op, code), sort in self._sorts.items():
            entries[asker] += sort.asked
            entries[answerer] += sort.decided
            lines[asker] += sort.out
            lines[answerer] += sort.other
            consumer, provider = sort.consumer.log.member, sort.provider.log.member
            name = consumer, provider, op.decode("ascii"), code.decode("ascii")
            self._result.totals[Verdict.PROVEN.value, *name] = len(sort.decided)
            for partition, answers in sort.answers.items():
                handed = Handed(consumer, provider, sort.kind, sort.provider.position, answers)
                self._arrivals[partition].append(handed)
        swept = self._result.swept
        for bundle, indices in entries.items():
            swept.entries[bundle] = list(_join_indices(sorted(indices)))
        for bundle, ours in lines.items():
            swept.lines[bundle] = list(_join_lines(sorted(ours)))

    def _append(self, spool: Spool, parts: Mapping[int, Sequence[object]]) -> None:
        source = self._world.partitions + self._task.window.number
        for partition, records in parts.items():
            spool.append(partition, [Batch(source, self._task.round, records)])


def _join_indices(indices: list[int]) -> Iterator[tuple[int, int]]:
    """Yield ranges of indices, given in order."""
    first = end = indices[0]
    for index in indices:
        if index != end:
            yield first, end
            first = index
        end = index + 1
    yield first, end


def _join_lines(lines: list[tuple[int, int, int]]) -> Iterator[LineRun]:
    """Yield runs of lines, given in order as first byte, length and number."""
    start, _, number = lines[0]
    end, length = start, 0
    for offset, size, following in lines:
        if offset != end:
            yield LineRun(start, end, number - 1, length)
            start, number, length = offset, following, 0
        end = offset + size + 1
        length += 1
    yield LineRun(start, end, number - 1, length)
