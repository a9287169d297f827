"""Judges the ordinary exchanges of a window where they stand: all that holds, and nothing else.

Two members of whom each has one bundle here; both bundles with the same record; the three entries
below signed heads; a request answered with 200 under keys that counted. For such an exchange every
line that ``judging`` would write says that something holds. Whatever is otherwise in any way is
left to it: nothing here finds a fault, and nothing is believed that it would not prove.

Values are compared as they are written: in the spelling that the patterns admit, equal texts are
equal values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.audit.arrivals import Handed, Receipted
from protocol.audit.exchanges import SweptNames, TotalsKey
from protocol.audit.findings import Outcome, Place, Verdict
from protocol.audit.gathering import HeldEntry, HeldLine, WindowContent
from protocol.audit.heads import ClaimSet
from protocol.audit.messages import MessageReader, ReadMessage
from protocol.audit.ports import Batch
from protocol.audit.routing import LineRun, RoutedEntry, RoutedLine, Swept
from protocol.audit.rows import choose_partition
from protocol.audit.texts import (
    RecordTexts,
    find_octets,
    split_record,
)
from protocol.audit.uses import UsedRun, UsedTerms
from protocol.audit.windows import Window
from protocol.audit.world import World
from protocol.bundle import MESSAGES_FILE
from protocol.entry import (
    ExchangeTexts,
    RequestTexts,
    ResponseTexts,
    read_head_text,
)
from protocol.errors import ProtocolError
from protocol.limits import CLOCK_AHEAD_S_CEILING, MESSAGE_LIFE_S_MAX
from protocol.problems import PROBLEMS
from protocol.receipt import parse_receipt

_PROBLEM_TEXTS = frozenset(code.encode("ascii") for code in PROBLEMS)
_EXTRAORDINARY_CODES = _PROBLEM_TEXTS | {b"accepted", b"batch"}


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
    exchanges: int = 0
    uses: int = 0
    signatures: int = 0

    @property
    def outcomes(self) -> set[Outcome]:
        """Return the outcomes of all lines."""
        return {Outcome.HOLDS} if self.exchanges else set()


class _Found(NamedTuple):
    """Everything of one ordinary exchange."""

    out: HeldLine
    other: HeldLine
    record: RecordTexts
    request: ReadMessage
    answer: ReadMessage
    asked: tuple[RequestTexts, HeldEntry]
    decided: tuple[ExchangeTexts, HeldEntry]
    received: tuple[ResponseTexts, HeldEntry]


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
        self._claims = ClaimSet(world)
        self._reader = MessageReader(world)
        self._stated: set[tuple[bytes, bytes, str]] = set()
        self._entries: dict[int, list[int]] = {}
        self._lines: dict[int, list[HeldLine]] = {}
        self._names: dict[int, list[bytes]] = {}
        self._uses: dict[tuple[UsedTerms, int], list[tuple[int, int, bytes]]] = {}
        self._handed: dict[tuple[int, str, str], list[bytes]] = {}
        self._receipts: list[tuple[int, Receipted]] = []

    def run(self) -> SweptWindow:
        """Judge exchange by exchange, and put aside what they leave."""
        examiner = self._world.examiner
        signatures = examiner.signatures
        for out in self._content.out:
            found = self._find(out)
            if found is None:
                continue
            name = found.request.claims.jti
            if name in self._task.left:
                self._release(found, name)
            else:
                examiner.signatures += 2
                self._take(found, name)
        self._result.signatures = examiner.signatures - signatures
        self._put_aside()
        return self._result

    # --- whether an exchange is ordinary

    def _find(self, out: HeldLine) -> _Found | None:
        """Return the exchange of a record if all of it holds."""
        content = self._content
        other = content.find_other(out)
        record = None if other is None else split_record(out.content)
        request = None if record is None else self._reader.read(record.request)
        if other is None or record is None or request is None:
            return None
        name = request.claims.jti
        asked, decided = content.asked.get(name), content.decided.get(name)
        received = content.received.get(name)
        answer = self._reader.read(record.answer)
        if asked is None or decided is None or received is None or answer is None:
            return None
        found = _Found(out, other, record, request, answer, asked, decided, received)
        if (
            _is_of_two(found)
            and _agrees(found)
            and self._is_in_time(found)
            and self._is_open_to_nothing_else(found, name)
            and self._shows_what_was_signed(found)
            and self._has_its_use(found)
            and self._reader.verify(request)
            and self._reader.verify(answer)
        ):
            return found
        return None

    def _is_in_time(self, found: _Found) -> bool:
        """Tell whether keys, snapshots and the request counted when each was used."""
        request, answer = found.request.claims, found.answer.claims
        asked_s, answered_s = int(request.iat), int(answer.iat)
        end_s, at_s = int(request.exp), int(found.decided[0].at) // 1000
        return (
            0 < end_s - asked_s <= MESSAGE_LIFE_S_MAX
            and asked_s - CLOCK_AHEAD_S_CEILING <= at_s < end_s
            and found.request.signer.counts_at(asked_s)
            and found.answer.signer.counts_at(answered_s)
            and self._reader.is_reference_valid(request.reg, at_s=asked_s)
            and self._reader.is_reference_valid(answer.reg, at_s=answered_s)
        )

    def _is_open_to_nothing_else(self, found: _Found, name: bytes) -> bool:
        """Tell whether nothing known beside the exchange touches it."""
        world = self._world
        if name in world.altered:
            return False
        return not world.not_sent or not any(
            (one.signer.member, peer.signer.member, int(one.claims.n)) in world.not_sent
            for one, peer in ((found.request, found.answer), (found.answer, found.request))
        )

    def _shows_what_was_signed(self, found: _Found) -> bool:
        """Tell whether both bodies are the signed ones, and both proofs those of the logs."""
        reader, record = self._reader, found.record
        asked, decided = found.asked[1], found.decided[1]
        return (
            reader.has_body(found.request, record.request_body, salt=record.request_salt)
            and reader.has_body(found.answer, record.answer_body, salt=record.answer_salt)
            and reader.is_proven(record.request_inclusion, asked.party.log, asked.entry, asked.raw)
            and reader.is_proven(
                record.answer_inclusion, decided.party.log, decided.entry, decided.raw
            )
        )

    def _has_its_use(self, found: _Found) -> bool:
        """Tell whether as many uses are counted as are due, and of what the body asks for."""
        entry = found.decided[0]
        if entry.op != b"query":
            return entry.use == b"0"
        return entry.use == b"1" and self._find_terms(found) is not None

    def _find_terms(self, found: _Found) -> UsedTerms | None:
        return self._reader.find_terms(found.record.request_body, found.asked[0], found.decided[0])

    # --- what it leaves

    def _take(self, found: _Found, name: bytes) -> None:
        result, world = self._result, self._world
        consumer, provider = found.request.signer.member, found.answer.signer.member
        entry, held = found.decided
        op, code = entry.op.decode("ascii"), entry.code.decode("ascii")
        result.exchanges += 1
        result.totals[Verdict.PROVEN.value, consumer, provider, op, code] += 1
        for _, one in (found.asked, found.decided, found.received):
            self._entries.setdefault(one.party.bundle, []).append(one.entry)
        for line in (found.out, found.other):
            self._lines.setdefault(line.bundle, []).append(line)
        partition = choose_partition(name, count=world.partitions)
        self._names.setdefault(partition, []).append(name)
        answer = found.answer.msg
        partition = choose_partition(answer, count=world.partitions)
        self._handed.setdefault((partition, consumer, provider), []).append(answer)
        terms = self._find_terms(found) if op == "query" else None
        if terms is not None:
            result.uses += 1
            use = held.entry, int(entry.at) // 1000, name
            self._uses.setdefault((terms, held.party.position), []).append(use)
        elif op == "receipt":
            self._take_receipt(found)
        self._claim_heads(found)

    def _take_receipt(self, found: _Found) -> None:
        held = found.decided[1]
        consumer, provider = found.request.signer.member, found.answer.signer.member
        places = self._place(found.out), self._place(found.other)
        parts: dict[int, list[bytes]] = {}
        try:
            answers = parse_receipt(find_octets(found.record.request_body) or b"")
        except ProtocolError:
            return  # A body that is no receipt acknowledges nothing.
        for answer in answers:
            partition = choose_partition(answer, count=self._world.partitions)
            parts.setdefault(partition, []).append(answer)
        key = found.request.get_key(consumer, provider)
        position = held.party.position, held.entry
        for partition, part in parts.items():
            receipt = Receipted(consumer, provider, part, key, places, position)
            self._receipts.append((partition, receipt))

    def _claim_heads(self, found: _Found) -> None:
        """State the heads of both logs as messages, proofs and entries do, once each."""
        place = self._place(found.out)
        for message, held, (_, by) in (
            (found.request, found.asked[1], found.decided),
            (found.answer, found.decided[1], found.received),
        ):
            log = held.party.log
            name = message.claims.iss, message.claims.head, log.origin
            if name in self._stated:
                continue
            self._stated.add(name)
            head, member = read_head_text(message.claims.head), message.signer.member
            self._claims.add(
                head,
                member=member,
                origin=log.origin,
                by_log=False,
                place=place,
                exhibit=message.env.decode("ascii"),
            )
            self._claims.add(
                head,
                member=member,
                origin="",
                by_log=False,
                by_member=False,
                place=by.party.log.place_entry(by.entry),
                exhibit=f"entry {by.entry} of {by.party.log.member}",
            )
        for head, log, note in self._reader.take_heads():
            self._claims.add(
                head,
                member=log.member,
                origin=log.origin,
                by_log=True,
                place=place,
                exhibit=note,
            )

    def _release(self, found: _Found, name: bytes) -> None:
        """Give what belongs to an exchange to the judge of its partition."""
        if name not in self._task.released:
            return
        world = self._world
        partition = choose_partition(name, count=world.partitions)
        entries = [
            RoutedEntry(name, one.party.bundle, one.entry, one.raw)
            for _, one in (found.asked, found.decided, found.received)
        ]
        lines = [
            RoutedLine(name, line.bundle, line.number, line.offset, len(line.content))
            for line in (found.out, found.other)
        ]
        world.spools.routed.append(partition, [*entries, *lines])

    def _place(self, line: HeldLine) -> Place:
        name = self._content.parties[line.bundle].bundle_name
        return Place(bundle=name, file=MESSAGES_FILE, line=line.number)

    def _put_aside(self) -> None:
        world, task = self._world, self._task
        spools = world.spools
        source = world.partitions + task.window.number
        for partition, claims in self._claims.split().items():
            spools.claims.append(partition, [Batch(source, task.round, claims)])
        for partition, names in self._names.items():
            swept = [SweptNames(task.window.number, b"".join(names))]
            spools.swept.append(partition, [Batch(source, task.round, swept)])
        for (terms, log), uses in self._uses.items():
            partition = choose_partition(terms.consent, count=world.partitions)
            run = [UsedRun(terms, log, uses)]
            spools.uses.append(partition, [Batch(source, task.round, run)])
        for (partition, receiver, sender), answers in self._handed.items():
            handed = [Handed(receiver, sender, answers)]
            spools.arrivals.append(partition, [Batch(source, task.round, handed)])
        for partition, receipt in self._receipts:
            spools.arrivals.append(partition, [Batch(source, task.round, [receipt])])
        for bundle, indices in self._entries.items():
            self._result.swept.entries[bundle] = list(_join_indices(sorted(indices)))
        for bundle, lines in self._lines.items():
            self._result.swept.lines[bundle] = list(_join_lines(sorted(lines)))


def _is_of_two(found: _Found) -> bool:
    """Tell whether lines and entries are in the bundles of the two that wrote the messages."""
    consumer, provider = found.asked[1].party, found.decided[1].party
    return (
        consumer.name == found.request.claims.iss
        and provider.name == found.answer.claims.iss
        and found.received[1].party is consumer
        and found.out.bundle == consumer.bundle
        and found.other.bundle == provider.bundle
    )


def _agrees(found: _Found) -> bool:
    """Tell whether messages and entries say the same of the exchange."""
    request, answer = found.request.claims, found.answer.claims
    msg, ans = found.request.msg_text, found.answer.msg_text
    asked, decided, received = found.asked[0], found.decided[0], found.received[0]
    return (
        (answer.iss, answer.aud, answer.jti) == (request.aud, request.iss, request.jti)
        and (answer.req, answer.op) == (msg, b"answer")
        and request.req is None
        and request.op != b"push"
        and (asked.peer, asked.msg, asked.n, asked.op, asked.consents)
        == (request.aud, msg, request.n, request.op, request.consents)
        and (decided.peer, decided.msg, decided.peer_n, decided.op, decided.head)
        == (request.iss, msg, request.n, request.op, request.head)
        and (decided.ans, decided.n, decided.consents) == (ans, answer.n, answer.consents)
        and decided.code not in _EXTRAORDINARY_CODES
        and (received.peer, received.msg, received.ans) == (answer.iss, msg, ans)
        and (received.peer_n, received.code, received.head) == (answer.n, b"200", answer.head)
    )


def _join_indices(indices: list[int]) -> Iterator[tuple[int, int]]:
    """Yield ranges of indices, given in order."""
    first = end = indices[0]
    for index in indices:
        if index != end:
            yield first, end
            first = index
        end = index + 1
    yield first, end


def _join_lines(lines: list[HeldLine]) -> Iterator[LineRun]:
    """Yield runs of lines, given in order."""
    start, count = lines[0], 0
    end = start.offset
    for line in lines:
        if line.offset != end:
            yield LineRun(start.offset, end, start.number - 1, count)
            start, count = line, 0
        end = line.offset + len(line.content) + 1
        count += 1
    yield LineRun(start.offset, end, start.number - 1, count)
