"""What a member's logs must have as a whole: genesis first, kinds understood, counters in order.

Own counters for a peer go on from one log of a member to its next and have no repeats; a gap stays
open until an ``aborted`` entry explains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from protocol.audit.blocks import read_block
from protocol.audit.evidence import KnownEntry
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.ranges import BLOCKS_PER_RANGE
from protocol.audit.reading import ReadLog
from protocol.audit.rows import find_glance
from protocol.audit.world import ROLLED_BACK, World
from protocol.encoding import decode_b64u, encode_b64u
from protocol.entry import (
    AbortedEntry,
    Entry,
    ExchangeEntry,
    GenesisEntry,
    KeyChangeEntry,
    RegistryEntry,
    RequestEntry,
)
from protocol.tile import TILE_WIDTH

GAPS_NAMED_MAX = 20
REPEATS_NAMED_MAX = 1_000
NOT_SENT = "not-sent"
CountedEntry = RequestEntry | ExchangeEntry


@dataclass(frozen=True, slots=True)
class LocateTask:
    """Which numbers to look for in which range of a log."""

    number: int
    first_block: int
    wanted: frozenset[tuple[bytes, int]]


@dataclass(frozen=True, slots=True)
class Located:
    """Where a number for a peer was used."""

    peer: str
    n: int
    position: tuple[int, int]
    place: Place
    xid: bytes


@dataclass(slots=True)
class Counters:
    """A member's own numbers by peer, from all its logs, as ranges [first, after last)."""

    member: str
    ranges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    aborted: dict[str, list[KnownEntry[AbortedEntry]]] = field(default_factory=dict)

    def add_log(self, log: ReadLog) -> None:
        """Add the numbers that a log shows."""
        for peer, runs in log.sorted.runs.items():
            ranges = self.ranges.setdefault(peer.decode("ascii"), [])
            ranges += [(first, first + count) for first, count in runs]

    def add(self, known: KnownEntry[CountedEntry]) -> None:
        """Add a number that lies beyond the exports."""
        n = known.entry.n
        self.ranges.setdefault(known.entry.peer, []).append((n, n + 1))

    def add_aborted(self, known: KnownEntry[AbortedEntry]) -> None:
        """Add a number that comes to nothing."""
        self.aborted.setdefault(known.entry.peer, []).append(known)

    def list_repeats(self) -> Iterator[tuple[str, int]]:
        """Yield peer and number of what was used twice."""
        for peer, ranges in self.ranges.items():
            reached = 0
            for first, end in sorted(ranges):
                for n in range(first, min(reached, end, first + REPEATS_NAMED_MAX)):
                    yield peer, n
                reached = max(reached, end)

    def list_gaps(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each peer with the numbers never logged and not explained."""
        for peer in sorted({*self.ranges, *self.aborted}):
            gaps: list[str] = []
            last = 0
            explained = [(one.entry.n, one.entry.n + 1) for one in self.aborted.get(peer, ())]
            for first, end in sorted([*self.ranges.get(peer, ()), *explained]):
                if first > last + 1:
                    gaps.append(
                        str(last + 1) if first == last + 2 else f"{last + 1} to {first - 1}"
                    )
                last = max(last, end - 1)
            if gaps:
                yield peer, gaps

    def list_contradicted(self) -> Iterator[KnownEntry[AbortedEntry]]:
        """Yield what says that no message has a number for which an entry stands."""
        for peer, aborted in self.aborted.items():
            ranges = self.ranges.get(peer, ())
            for known in aborted:
                is_used = any(first <= known.entry.n < end for first, end in ranges)
                if known.entry.reason == NOT_SENT and known.entry.xid is None and is_used:
                    yield known


def gather_last_numbers(counters: Mapping[str, Counters]) -> dict[tuple[str, str], int]:
    """Return each exported member's highest own number for each peer."""
    return {
        (member, peer): max(end for _, end in ranges) - 1
        for member, ours in counters.items()
        for peer, ranges in ours.ranges.items()
    }


def judge_counters(
    counters: Counters, logs: Sequence[ReadLog], *, repeated: Iterable[Located]
) -> Iterator[Finding]:
    """Yield a finding for every number used twice, and for each peer one on those missing."""
    by_number: dict[tuple[str, int], list[Located]] = {}
    for one in repeated:
        by_number.setdefault((one.peer, one.n), []).append(one)
    for (peer, n), found in sorted(by_number.items()):
        for one in sorted(found, key=lambda each: each.position)[1:]:
            yield Finding(
                outcome=Outcome.FAILS,
                code="counter-repeated",
                text=f"{counters.member} used its number {n} for {peer} twice",
                place=one.place,
                affects=(encode_b64u(one.xid),),
            )
    for peer, gaps in counters.list_gaps():
        yield _describe_gaps(counters.member, logs, gaps, peer=peer)
    for known in counters.list_contradicted():
        yield Finding(
            outcome=Outcome.FAILS,
            code="aborted-contradicted",
            text=f"{known.member} logged that no message has its number {known.entry.n} for "
            f"{known.entry.peer}, and logged one with it",
            place=known.place,
        )


def list_locate_tasks(
    logs: Iterable[ReadLog], wanted: frozenset[tuple[bytes, int]]
) -> list[LocateTask]:
    """Return the ranges in which to look for numbers."""
    return [
        LocateTask(log.exported.bundle, first, wanted)
        for log in logs
        for first in range(0, -(-log.exported.size // TILE_WIDTH), BLOCKS_PER_RANGE)
    ]


def locate_range(world: World, task: LocateTask) -> list[Located]:
    """Find the entries that use the wanted numbers."""
    log = world.primary[task.number]
    exported = log.exported
    found: list[Located] = []
    sequence = world.list_origins(log.member).index(log.origin)
    end = min(task.first_block + BLOCKS_PER_RANGE, -(-exported.size // TILE_WIDTH))
    for index in range(task.first_block, end):
        block = read_block(exported.files, size=exported.size, index=index)
        for entry_index, raw in enumerate(block.entries, start=block.first):
            glance = None if raw is None else find_glance(raw)
            if glance is None or glance.peer is None or entry_index in log.altered:
                continue
            if (glance.peer, glance.n) in task.wanted:
                found.append(
                    Located(
                        glance.peer.decode("ascii"),
                        glance.n,
                        (sequence, entry_index),
                        log.place_entry(entry_index),
                        decode_b64u(glance.xid.decode("ascii")),
                    )
                )
    return found


def judge_kinds(log: ReadLog, *, unknown: int, first_unknown: int | None) -> Iterator[Finding]:
    """Yield findings on the genesis entry and on entries of a later version."""
    invalid = {finding.place for finding in log.sorted.findings}
    others = dict(log.sorted.others)
    is_read = log.tree.size > 0 and 0 not in log.altered and log.place_entry(0) not in invalid
    wrong = [
        index
        for index, entry in log.sorted.others
        if isinstance(entry, GenesisEntry)
        and (index != 0 or (entry.member, entry.origin) != (log.member, log.origin))
    ]
    if is_read and not isinstance(others.get(0), GenesisEntry):
        wrong.append(0)
    for index in sorted(wrong):
        yield Finding(
            outcome=Outcome.FAILS,
            code="genesis",
            text="a log begins with the one entry that names its member and origin",
            place=log.place_entry(index),
        )
    if unknown:
        yield Finding(
            outcome=Outcome.UNKNOWN,
            code="not-understood",
            text=f"{unknown} entries of {log.member} are of a later version: not judged",
            place=log.place_entry(first_unknown or 0),
        )


def judge_sequence(others: Iterable[KnownEntry[Entry]], *, world: World) -> Iterator[Finding]:
    """Yield findings on logs that continue others, on unknown keys and on snapshots logged."""
    for known in others:
        entry = known.entry
        if isinstance(entry, RegistryEntry):
            yield from _check_snapshot(entry, known, world=world)
        if isinstance(entry, GenesisEntry) and entry.previous is not None:
            origin = entry.previous.origin
            if world.chain.find_owner(origin) != known.member:
                text = f"the log continues {origin}, which is no log of {known.member}"
                yield Finding(outcome=Outcome.FAILS, code="previous", text=text, place=known.place)
            elif entry.previous.reason == ROLLED_BACK:
                size = entry.previous.head.size
                text = (
                    f"{known.member} says that its log {origin} was rolled back to {size} entries: "
                    "what it had logged after them is lost there, and stands in its peers' logs"
                )
                yield Finding(
                    outcome=Outcome.UNKNOWN, code="log-rolled-back", text=text, place=known.place
                )
            elif origin not in world.logs:
                text = f"the log continues {origin}, which is not here"
                yield Finding(
                    outcome=Outcome.UNKNOWN, code="previous-absent", text=text, place=known.place
                )
        elif isinstance(entry, KeyChangeEntry) and not world.chain.has_key(entry.kid):
            text = f"the registry that is here does not know the {entry.use} key {entry.kid}"
            yield Finding(outcome=Outcome.UNKNOWN, code="key-unknown", text=text, place=known.place)


def _check_snapshot(
    entry: RegistryEntry, known: KnownEntry[Entry], *, world: World
) -> Iterator[Finding]:
    """Compare what the hub's log says of a snapshot with the one that members were shown."""
    held = world.chain.find_reference(entry.seq)
    if known.member != world.chain.newest.hub or held is None or held[0] == entry.hash:
        return
    yield Finding(
        outcome=Outcome.FAILS,
        code="registry-fork",
        text=f"the hub logged snapshot {entry.seq} as {encode_b64u(entry.hash)}; "
        f"members were shown {encode_b64u(held[0])}",
        place=known.place,
    )


def _describe_gaps(
    member: str, logs: Sequence[ReadLog], gaps: Sequence[str], *, peer: str
) -> Finding:
    named = ", ".join(gaps[:GAPS_NAMED_MAX])
    more = f" and {len(gaps) - GAPS_NAMED_MAX} more gaps" if len(gaps) > GAPS_NAMED_MAX else ""
    count = sum(len(log.altered) for log in logs)
    altered = f"; {count} entries of this log are altered" if count else ""
    return Finding(
        outcome=Outcome.UNKNOWN,
        code="counter-gap",
        text=f"{member} never logged its number {named}{more} for {peer}{altered}",
    )
