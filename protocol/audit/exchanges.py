"""Judges the exchanges of one partition, one after the other: what a worker does.

Only one exchange is held at a time. What others must know of it is put aside: heads, uses,
arrivals; the report is kept only where something is not proven, or everything is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.audit.arrivals import Arrival, list_arrivals
from protocol.audit.bodies import judge_bodies
from protocol.audit.evidence import Case, Cases, ExchangeKey, KnownEntry, open_record
from protocol.audit.findings import ExchangeReport, Finding, Outcome, Place, weigh
from protocol.audit.heads import ClaimSet
from protocol.audit.judging import Judge
from protocol.audit.ports import Batch, read_final
from protocol.audit.ranges import describe_invalid
from protocol.audit.routing import RoutedEntry, RoutedLine
from protocol.audit.rows import choose_partition
from protocol.audit.strangers import add_record
from protocol.audit.uses import UseFinder
from protocol.audit.world import World
from protocol.bundle import MESSAGES_FILE, Fault, MessageRecord, parse_message_line
from protocol.encoding import encode_b64u
from protocol.entry import (
    Entry,
    EntryError,
    ErasedEntry,
    ExchangeEntry,
    RequestEntry,
    ResponseEntry,
)
from protocol.errors import ProtocolError
from protocol.merkle import leaf_hash

LACKING_NAMED_MAX = 1_000
REPORTS_PER_BATCH = 100
XID_CHARACTERS = 22
_SIDES = (b',"side":"in"}', b',"side":"out"}')  # how a canonical record ends
TotalsKey = tuple[str, str, str, str, str]
Order = tuple[int, str, int, int]


class SweptNames(NamedTuple):
    """Message ids of exchanges that a window has judged, one after the other."""

    window: int
    names: bytes

    def list_xids(self) -> Iterator[bytes]:
        """Yield them."""
        for at in range(0, len(self.names), XID_CHARACTERS):
            yield self.names[at : at + XID_CHARACTERS]


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """A partition, the round of judging, and whose reports are wanted although they are proven."""

    partition: int
    round: int
    wanted: frozenset[ExchangeKey]


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report with what it is sorted by."""

    order: Order
    key: ExchangeKey
    report: ExchangeReport


@dataclass(slots=True)
class JudgedPartition:
    """What the exchanges of one partition came to.

    ``strays`` are lines that belong elsewhere; ``beyond`` own numbers that only proofs show;
    ``placed`` altered entries whose exchange is known; ``hit`` the exchanges by altered entry;
    ``lacking`` those of which a bundle shows no message. ``swept`` are exchanges, by the window
    that judged them, of which there is more than it saw: they are judged here once it has let them
    go.
    """

    totals: Counter[TotalsKey] = field(default_factory=Counter)
    exchanges: int = 0
    uses: int = 0
    signatures: int = 0
    kept: int = 0
    outcomes: set[Outcome] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    homeless: list[tuple[int, Finding]] = field(default_factory=list)
    strays: list[RoutedLine] = field(default_factory=list)
    beyond: list[KnownEntry[RequestEntry | ExchangeEntry]] = field(default_factory=list)
    placed: set[tuple[str, int]] = field(default_factory=set)
    hit: list[tuple[Place, str]] = field(default_factory=list)
    lacking: list[tuple[int, str]] = field(default_factory=list)
    swept: dict[int, set[bytes]] = field(default_factory=dict)


def judge_partition(world: World, task: JudgeTask) -> JudgedPartition:
    """Judge the exchanges of one partition."""
    return _PartitionJudge(world, task).run()


class _PartitionJudge:
    """Judges one partition."""

    def __init__(self, world: World, task: JudgeTask) -> None:
        self._world = world
        self._task = task
        self._result = JudgedPartition()
        self._claims = ClaimSet(world)
        self._uses: dict[int, list[object]] = {}
        self._arrivals: dict[int, list[Arrival]] = {}
        self._reports: list[KeptReport] = []
        self._stems: dict[bytes, MessageRecord] = {}

    def run(self) -> JudgedPartition:
        """Judge exchange by exchange, and put aside what they leave."""
        world, result = self._world, self._result
        signatures = world.examiner.signatures
        entries: dict[bytes, list[RoutedEntry]] = {}
        lines: dict[bytes, list[RoutedLine]] = {}
        for one in world.spools.routed.read(self._task.partition):
            if isinstance(one, RoutedEntry):
                entries.setdefault(one.xid, []).append(one)
            else:
                lines.setdefault(one.xid, []).append(one)
        swept = self._find_swept({*entries, *lines})
        for xid in {**entries, **lines}:
            if xid in swept:
                continue
            self._judge_group(xid, entries.pop(xid, []), lines.pop(xid, []))
            world.examiner.forget()
            self._stems.clear()
        result.signatures = world.examiner.signatures - signatures
        self._put_aside()
        return result

    def _find_swept(self, routed: set[bytes]) -> set[bytes]:
        """Note which of these exchanges, and of those wanted, a window has judged."""
        wanted = routed | {encode_b64u(key.xid).encode("ascii") for key in self._task.wanted}
        found: set[bytes] = set()
        if not wanted:
            return found
        world = self._world
        for one in read_final(world.spools.swept, self._task.partition, rounds=world.rounds):
            ours = wanted.intersection(one.list_xids())
            if ours:
                self._result.swept.setdefault(one.window, set()).update(ours)
                found |= ours
        return found

    def _judge_group(
        self, xid: bytes, entries: Sequence[RoutedEntry], lines: Sequence[RoutedLine]
    ) -> None:
        cases = Cases()
        exported: dict[tuple[str, int], bytes] = {}
        erased: list[KnownEntry[ErasedEntry]] = []
        for known in self._read_entries(entries, exported):
            if isinstance(known.entry, ErasedEntry):
                erased.append(known.narrow(known.entry))
            cases.add_entry(known)
        recovered: list[tuple[KnownEntry[Entry], bool]] = []
        seen: set[tuple[str, int]] = set(exported)
        for line in sorted(lines, key=lambda one: (one.bundle, one.offset)):
            recovered += self._read_line(cases, line, xid=xid, seen=seen)
        for known, _ in recovered:
            cases.add_entry(known)
        for erasure in erased:
            cases.add_erasure(erasure)
        altered = [(known.origin, known.index) for known, is_altered in recovered if is_altered]
        for case in cases.by_key.values():
            case.exported = exported
            self._attach_altered(case, altered, xid=xid)
            self._judge_case(case)

    def _read_entries(
        self, entries: Sequence[RoutedEntry], exported: dict[tuple[str, int], bytes]
    ) -> Iterator[KnownEntry[Entry]]:
        for routed in sorted(entries, key=lambda one: (one.bundle, one.entry)):
            log = self._world.primary[routed.bundle]
            place = log.place_entry(routed.entry)
            try:
                entry = self._world.examiner.read_entry(routed.raw)
            except EntryError as err:
                self._result.findings.append(describe_invalid(place, err.detail))
                continue
            exported[log.origin, routed.entry] = routed.raw
            yield KnownEntry(
                member=log.member,
                origin=log.origin,
                log=self._world.list_origins(log.member).index(log.origin),
                index=routed.entry,
                entry=entry,
                place=place,
                anchored=routed.entry < self._world.anchored.get(log.origin, 0),
            )

    def _read_line(
        self, cases: Cases, line: RoutedLine, *, xid: bytes, seen: set[tuple[str, int]]
    ) -> Iterator[tuple[KnownEntry[Entry], bool]]:
        """Open a record; yield what its proofs show of logs that are not here, or altered."""
        world = self._world
        bundle = world.bundles[line.bundle]
        number = line.line
        content = bundle.files.read(MESSAGES_FILE, offset=line.offset, count=line.size)
        try:
            record = self._parse_line(content, number)
        except ProtocolError as err:
            fault = Fault(file=MESSAGES_FILE, line=number, detail=err.detail)
            self._result.faults.append((line.bundle, fault))
            return
        place = Place(bundle=bundle.name, file=MESSAGES_FILE, line=number)
        holder = world.holders.get(line.bundle, "")
        key, request, answer = open_record(
            record, holder=holder, place=place, examiner=world.examiner
        )
        if key is None:
            failure = request.opened.failure
            text = "a message that cannot be read: " + ("" if failure is None else failure.detail)
            finding = Finding(
                outcome=Outcome.FAILS, code="message-unreadable", text=text, place=place
            )
            self._result.homeless.append((line.bundle, finding))
            return
        own = encode_b64u(key.xid).encode("ascii")
        if own != xid and not line.is_settled:
            self._result.strays.append(line._replace(xid=own, is_settled=True))
            return
        self._result.findings += add_record(cases, key, request, answer)
        for one in (request, answer):
            proof = None if one is None else one.proof
            if proof is None or proof.entry is None or one is None:
                continue
            name = proof.origin, proof.index
            if name in seen or _find_xid(proof.entry) != key.xid:
                continue
            log = world.logs.get(proof.origin)
            is_altered = log is not None and proof.index < log.tree.size
            if (
                log is not None
                and is_altered
                and not (
                    proof.index in log.altered
                    and leaf_hash(proof.raw) == log.tree.leaf(proof.index)
                )
            ):
                continue
            seen.add(name)
            yield (
                KnownEntry(
                    member=proof.member,
                    origin=proof.origin,
                    log=world.list_origins(proof.member).index(proof.origin),
                    index=proof.index,
                    entry=proof.entry,
                    place=place,
                    anchored=True,
                ),
                is_altered,
            )

    def _parse_line(self, content: bytes, number: int) -> MessageRecord:
        """Parse a line, or take what the other side's line of the same content was.

        Raises:
            ProtocolError: It is no record.
        """
        stem = next((content[: -len(tail)] for tail in _SIDES if content.endswith(tail)), None)
        known = None if stem is None else self._stems.get(stem)
        if known is not None:
            return known
        record = parse_message_line(content, line=number)
        if stem is not None:
            self._stems[stem] = record
        return record

    def _attach_altered(
        self, case: Case, recovered: Sequence[tuple[str, int]], *, xid: bytes
    ) -> None:
        """Tell an exchange which of its entries are altered, or may be."""
        world = self._world
        parties = {case.key.consumer, case.key.provider}
        for origin, index in dict.fromkeys((*recovered, *world.altered.get(xid, ()))):
            log = world.logs[origin]
            if log.member in parties:
                place = log.place_entry(index)
                case.altered.append(place)
                self._result.placed.add((origin, index))
                self._result.hit.append((place, case.name))
        for member in sorted(parties):
            if member in world.suspects and case.lacks_entry_of(member):
                for place in world.suspects[member]:
                    case.suspect.append(place)
                    self._result.hit.append((place, case.name))

    def _judge_case(self, case: Case) -> None:
        world, result = self._world, self._result
        judge = Judge(case, world)
        judge.run()
        finder = UseFinder(case, world, judge.lines)
        finder.find()
        judge_bodies(case, world, judge.settled, judge.lines)
        result.exchanges += 1
        result.uses += finder.total
        result.outcomes |= judge.lines.outcomes
        verdict = weigh(judge.lines.outcomes)
        is_open = bool({Outcome.FAILS, Outcome.UNKNOWN} & judge.lines.outcomes)
        is_kept = is_open or world.keeps_all or case.key in self._task.wanted
        totals = (verdict.value, case.key.consumer, case.key.provider, judge.op, judge.code)
        result.totals[totals] += 1
        if is_kept:
            result.kept += 1
            self._reports.append(KeptReport(case.order, case.key, judge.report()))
        self._claims.add_case(case)
        self._note_beyond(case)
        self._note_lacking(case)
        for use in finder.found:
            partition = choose_partition(use.consent, count=world.partitions)
            self._uses.setdefault(partition, []).append(use._replace(is_kept=is_kept))
        for answer, arrival in list_arrivals(case, judge.settled, is_kept=is_kept):
            partition = choose_partition(answer, count=world.partitions)
            self._arrivals.setdefault(partition, []).append(arrival)

    def _note_lacking(self, case: Case) -> None:
        """Keep which bundles show no message of an exchange of their member."""
        lacking = self._result.lacking
        shown = {one.place.bundle for one in case.requests}
        for number, holder in self._world.holders.items():
            is_party = holder in {case.key.consumer, case.key.provider}
            is_shown = self._world.bundles[number].name in shown
            if is_party and not is_shown and len(lacking) < LACKING_NAMED_MAX:
                lacking.append((number, case.name))

    def _note_beyond(self, case: Case) -> None:
        """Keep own numbers that lie beyond an export: only proofs show them."""
        for known in case.list_entries():
            if isinstance(known.entry, ResponseEntry):
                continue
            log = self._world.logs.get(known.origin)
            if log is not None and known.index >= log.tree.size:
                self._result.beyond.append(known.narrow(known.entry))

    def _put_aside(self) -> None:
        spools = self._world.spools
        source, number = self._task.partition, self._task.round
        for partition, claims in self._claims.split().items():
            spools.claims.append(partition, [Batch(source, number, claims)])
        for partition, uses in self._uses.items():
            spools.uses.append(partition, [Batch(source, number, uses)])
        for partition, arrivals in self._arrivals.items():
            spools.arrivals.append(partition, [Batch(source, number, arrivals)])
        self._reports.sort(key=lambda one: one.order)
        for first in range(0, len(self._reports), REPORTS_PER_BATCH):
            part = self._reports[first : first + REPORTS_PER_BATCH]
            spools.reports.append(source, [Batch(source, number, part)])


def _find_xid(entry: Entry) -> bytes | None:
    return entry.xid if isinstance(entry, (RequestEntry, ExchangeEntry)) else None
