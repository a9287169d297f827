"""Judges the ordinary exchanges of a window where they stand: all that holds, and nothing else.

Two members of whom each has one bundle here; both bundles with the same record; the three entries
below signed heads; a request answered with 200 under keys that counted. For such an exchange every
line that ``judging`` would write says that something holds. Whatever is otherwise in any way is
left to it: nothing here finds a fault, and nothing is believed that it would not prove.

Values are compared as they are written: in the spelling that the patterns admit, equal texts are
equal values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.audit.arrivals import Handed, Receipted
from protocol.audit.exchanges import SweptNames, TotalsKey
from protocol.audit.findings import Outcome, Place, Verdict
from protocol.audit.gathering import HeldEntry, HeldLine, WindowContent
from protocol.audit.heads import ClaimSet
from protocol.audit.messages import MessageReader, ReadMessage
from protocol.audit.namings import SUMMARY_CODES
from protocol.audit.ports import Batch, Spool
from protocol.audit.proofs import HeadProofs
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
from protocol.message import LogHead
from protocol.problems import PROBLEMS
from protocol.receipt import parse_receipt

_PROBLEM_TEXTS = frozenset(code.encode("ascii") for code in PROBLEMS)
_SUMMARY_TEXTS = frozenset(code.encode("ascii") for code in SUMMARY_CODES)
# Those whose bodies name no other message, but for receipts: those are joined with answers.
_ORDINARY_OPERATIONS = frozenset({b"query", b"receipt", b"consent.put"})
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

    @property
    def lines(self) -> tuple[HeldLine, ...]:
        """Return both lines in the order of the bundles."""
        is_first = self.out.bundle < self.other.bundle
        return (self.out, self.other) if is_first else (self.other, self.out)


_Heads = tuple[HeadProofs, HeadProofs]  # of the asker's log and of the answerer's


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
        self._stated: set[tuple[HeadProofs, bytes]] = set()
        self._sorts: dict[tuple[str, str, bytes, bytes], int] = {}
        self._entries = defaultdict[int, list[int]](list)
        self._lines = defaultdict[int, list[tuple[int, int, int]]](list)
        self._names = defaultdict[int, list[bytes]](list)
        self._uses = defaultdict[tuple[UsedTerms, int], list[tuple[int, int, bytes]]](list)
        self._handed = defaultdict[tuple[int, str, str, str, int], list[tuple[bytes, int, bytes]]](
            list
        )
        self._arrivals = defaultdict[int, list[Handed | Receipted]](list)

    def run(self) -> SweptWindow:
        """Judge exchange by exchange, and put aside what they leave."""
        examiner = self._world.examiner
        signatures = examiner.signatures
        for pairs in self._content.list_pairs():
            self._judge(pairs)
        self._result.signatures = examiner.signatures - signatures
        self._put_aside()
        return self._result

    def _judge(self, pairs: Sequence[tuple[HeldLine, HeldLine]]) -> None:
        # Signatures in a row: each of them drives everything else out of the cache.
        likely = [one for pair in pairs if (one := self._find(*pair)) is not None]
        signed = [self._is_signed(*one) for one in likely]
        for (found, heads), holds in zip(likely, signed, strict=True):
            name = found.request.claims.jti
            if holds and name in self._task.left:
                self._release(found, name)
            elif holds:
                self._world.examiner.signatures += 2
                self._take(found, name)
                self._claim_heads(found, heads)

    def _is_signed(self, found: _Found, heads: _Heads) -> bool:
        reader = self._reader
        return (
            all(reader.is_signed(head) for head in heads)
            and reader.verify(found.request)
            and reader.verify(found.answer)
        )

    # --- whether an exchange is ordinary

    def _find(self, out: HeldLine, other: HeldLine) -> tuple[_Found, _Heads] | None:
        """Return the exchange of a record if all of it holds but perhaps the signatures."""
        content = self._content
        record = split_record(out.content)
        request = None if record is None else self._reader.read(record.request)
        if record is None or request is None:
            return None
        name = request.claims.jti
        asked, decided = content.asked.get(name), content.decided.get(name)
        received = content.received.get(name)
        if asked is None or decided is None or received is None:
            return None
        answer = self._reader.read(record.answer)
        if answer is None:
            return None
        found = _Found(out, other, record, request, answer, asked, decided, received)
        if (
            _is_of_two(found)
            and _agrees(found)
            and self._is_in_time(found)
            and self._is_open_to_nothing_else(found, name)
            and self._shows_what_was_signed(found)
            and self._has_its_use(found)
            and (heads := self._find_heads(found)) is not None
        ):
            return found, heads
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
        """Tell whether both bodies are the signed ones."""
        record, has_body = found.record, self._reader.has_body
        return has_body(found.request, record.request_body, salt=record.request_salt) and has_body(
            found.answer, record.answer_body, salt=record.answer_salt
        )

    def _find_heads(self, found: _Found) -> _Heads | None:
        """Return the heads of both proofs if these are the ones that the logs should have given."""
        record, asked, decided = found.record, found.asked[1], found.decided[1]
        first = self._reader.find_head(
            record.request_inclusion, asked.party.log, asked.entry, asked.raw
        )
        second = self._reader.find_head(
            record.answer_inclusion, decided.party.log, decided.entry, decided.raw
        )
        return None if first is None or second is None else (first, second)

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
        entry, held = found.decided
        sort = found.request.signer.member, found.answer.signer.member, entry.op, entry.code
        self._sorts[sort] = self._sorts.get(sort, 0) + 1
        for _, one in (found.asked, found.decided, found.received):
            self._entries[one.party.bundle].append(one.entry)
        for line in (found.out, found.other):
            self._lines[line.bundle].append((line.offset, len(line.content), line.number))
        self._names[choose_partition(name, count=world.partitions)].append(name)
        answer = found.answer.msg
        kind = "summary" if entry.code in _SUMMARY_TEXTS else "other"
        partition = choose_partition(answer, count=world.partitions)
        handed = self._handed[partition, sort[0], sort[1], kind, held.party.position]
        handed.append((answer, held.entry, entry.consents))
        terms = self._find_terms(found) if entry.op == b"query" else None
        if terms is not None:
            result.uses += 1
            use = held.entry, int(entry.at) // 1000, name
            self._uses[terms, held.party.position].append(use)
        elif entry.op == b"receipt":
            self._take_receipt(found)

    def _take_receipt(self, found: _Found) -> None:
        held = found.decided[1]
        consumer, provider = found.request.signer.member, found.answer.signer.member
        places = tuple(self._place(line) for line in found.lines)
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
            self._arrivals[partition].append(receipt)

    def _claim_heads(self, found: _Found, heads: _Heads) -> None:
        """State the heads of both logs as proofs, messages and entries do, once each."""
        for message, head, (_, by) in (
            (found.request, heads[0], found.decided),
            (found.answer, heads[1], found.received),
        ):
            name = head, message.claims.head
            if name in self._stated:
                continue
            self._stated.add(name)
            place = self._place(found.lines[0])
            log, stated = head.log, read_head_text(message.claims.head)
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
                exhibit=message.env.decode("ascii"),
            )
            self._claims.add(
                stated,
                member=log.member,
                origin="",
                by_log=False,
                by_member=False,
                place=by.party.log.place_entry(by.entry),
                exhibit=f"entry {by.entry} of {by.party.log.member}",
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
            for line in found.lines
        ]
        world.spools.routed.append(partition, [*entries, *lines])

    def _place(self, line: HeldLine) -> Place:
        name = self._content.parties[line.bundle].bundle_name
        return Place(bundle=name, file=MESSAGES_FILE, line=line.number)

    def _put_aside(self) -> None:
        world, window = self._world, self._task.window.number
        spools = world.spools
        runs: dict[int, list[UsedRun]] = {}
        for (terms, log), uses in self._uses.items():
            partition = choose_partition(terms.consent, count=world.partitions)
            runs.setdefault(partition, []).append(UsedRun(terms, log, uses))
        for (partition, receiver, sender, kind, log), answers in self._handed.items():
            self._arrivals[partition].append(Handed(receiver, sender, kind, log, answers))
        swept = {
            partition: [SweptNames(window, b"".join(names))]
            for partition, names in self._names.items()
        }
        self._append(spools.claims, self._claims.split())
        self._append(spools.swept, swept)
        self._append(spools.uses, runs)
        self._append(spools.arrivals, self._arrivals)
        for bundle, indices in self._entries.items():
            self._result.swept.entries[bundle] = list(_join_indices(sorted(indices)))
        for bundle, lines in self._lines.items():
            self._result.swept.lines[bundle] = list(_join_lines(sorted(lines)))
        for (consumer, provider, op, code), count in self._sorts.items():
            texts = op.decode("ascii"), code.decode("ascii")
            self._result.totals[Verdict.PROVEN.value, consumer, provider, *texts] = count

    def _append(self, spool: Spool, parts: Mapping[int, Sequence[object]]) -> None:
        source = self._world.partitions + self._task.window.number
        for partition, records in parts.items():
            spool.append(partition, [Batch(source, self._task.round, records)])


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
        and request.op in _ORDINARY_OPERATIONS
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
