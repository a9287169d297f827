"""Looks at what each member's logs say as a whole, beside the exchanges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from protocol.audit.counters import (
    NOT_SENT,
    CountedEntry,
    Counters,
    Located,
    gather_last_numbers,
    judge_counters,
    judge_kinds,
    judge_sequence,
    list_locate_tasks,
    locate_range,
)
from protocol.audit.evidence import KnownEntry
from protocol.audit.findings import Finding
from protocol.audit.key_changes import judge_key_changes
from protocol.audit.ports import Workspace
from protocol.audit.reading import ReadLog
from protocol.audit.world import ROLLED_BACK, World
from protocol.entry import AbortedEntry, Entry, GenesisEntry


def count_numbers(world: World, others: Sequence[KnownEntry[Entry]]) -> dict[str, Counters]:
    """Return each member's own numbers.

    The world learns the last ones, those not sent, and which logs were rolled back.
    """
    counters = {member: Counters(member) for member in sorted(world.members)}
    for log in world.logs.values():
        counters[log.member].add_log(log)
    world.last_n = gather_last_numbers(counters)
    not_sent: dict[tuple[str, str, int], KnownEntry[AbortedEntry]] = {}
    for known in others:
        if isinstance(known.entry, AbortedEntry):
            aborted = known.narrow(known.entry)
            counters[known.member].add_aborted(aborted)
            if aborted.entry.reason == NOT_SENT:
                not_sent[known.member, aborted.entry.peer, aborted.entry.n] = aborted
    world.not_sent = not_sent
    world.rolled_back = dict(_list_rolled_back(others, world=world))
    return counters


def _list_rolled_back(
    others: Sequence[KnownEntry[Entry]], *, world: World
) -> Iterator[tuple[str, int]]:
    """Yield which logs ended by a rollback, and at how many entries, as their owners say."""
    for known in others:
        previous = known.entry.previous if isinstance(known.entry, GenesisEntry) else None
        if previous is None or previous.reason != ROLLED_BACK:
            continue
        # Of another's log nobody says what was lost.
        if world.chain.find_owner(previous.origin) == known.member:
            yield previous.origin, previous.head.size


def judge_members(
    counters: Mapping[str, Counters],
    *,
    world: World,
    others: Sequence[KnownEntry[Entry]],
    beyond: Sequence[KnownEntry[CountedEntry]],
    workspace: Workspace,
) -> Iterator[Finding]:
    """Yield what is wrong with counters, kinds of entries and the sequence of logs.

    Args:
        counters: Own numbers of each member.
        world: The state of the audit.
        others: Entries that belong to no exchange.
        beyond: Entries that only proofs show.
        workspace: Hands to look for numbers that were used twice.
    """
    for known in beyond:
        counters[known.member].add(known)
    for member, ours in counters.items():
        logs = [log for log in world.logs.values() if log.member == member]
        repeated = _locate(ours, logs, world=world, beyond=beyond, workspace=workspace)
        yield from judge_counters(ours, logs, repeated=repeated)
        for log in logs:
            yield from judge_kinds(
                log,
                unknown=log.sorted.kinds["not-understood"],
                first_unknown=log.sorted.first_unknown,
            )
    yield from judge_sequence(others, world=world)
    yield from judge_key_changes(others, world=world)


def _locate(
    counters: Counters,
    logs: Sequence[ReadLog],
    *,
    world: World,
    beyond: Sequence[KnownEntry[CountedEntry]],
    workspace: Workspace,
) -> Iterator[Located]:
    """Yield where the numbers of a member stand that were used twice."""
    repeats = frozenset(counters.list_repeats())
    if not repeats:
        return
    for known in beyond:
        if known.member == counters.member and (known.entry.peer, known.entry.n) in repeats:
            yield Located(
                known.entry.peer, known.entry.n, known.position, known.place, known.entry.xid
            )
    wanted = frozenset((peer.encode("ascii"), n) for peer, n in repeats)
    tasks = list_locate_tasks(logs, wanted)
    for found in workspace.map(locate_range, tasks, shared=world, what="counters"):
        yield from found
