"""What befell the logs beside the exchanges, for a timeline: of each kind a bounded choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from protocol.audit.evidence import KnownEntry
from protocol.audit.findings import EventReport
from protocol.entry import (
    AnchorEntry,
    ConsentEntry,
    Entry,
    KeyChangeEntry,
    StartEntry,
    StopEntry,
)

EVENTS_OF_A_KIND_MAX = 200  # of one member; more are thinned evenly, first and last stay
EVENTS_MAX = 20_000


def list_events(
    others: Iterable[KnownEntry[Entry]],
    covered: Mapping[str, Sequence[tuple[int, int]]],
    *,
    members: Mapping[str, str],
) -> tuple[EventReport, ...]:
    """Return events in the order of their times.

    Args:
        others: Entries that are of no exchange.
        covered: By origin, when a witness had seen how many entries.
        members: By origin, whose log it is.
    """
    found: dict[tuple[str, str], list[EventReport]] = {}
    for event in (*_read_entries(others), *_read_covered(covered, members=members)):
        found.setdefault((event.member, event.kind), []).append(event)
    thinned = [one for _, events in sorted(found.items()) for one in _thin(events)]
    return tuple(sorted(thinned[:EVENTS_MAX], key=lambda one: one.at_ms))


def _read_entries(others: Iterable[KnownEntry[Entry]]) -> Iterator[EventReport]:
    for known in others:
        match known.entry:
            case ConsentEntry(at_ms=at_ms, state=state):
                kind = state
            case StartEntry(at_ms=at_ms):
                kind = "start"
            case StopEntry(at_ms=at_ms):
                kind = "stop"
            case KeyChangeEntry(at_ms=at_ms):
                kind = "key"
            case AnchorEntry(at_ms=at_ms):
                kind = "anchor"
            case _:
                continue
        yield EventReport(at_ms=at_ms, member=known.member, kind=kind)


def _read_covered(
    covered: Mapping[str, Sequence[tuple[int, int]]], *, members: Mapping[str, str]
) -> Iterator[EventReport]:
    for origin, seen in covered.items():
        for at_s in sorted({at_s for at_s, _ in seen}):
            yield EventReport(
                at_ms=at_s * 1000, member=members.get(origin, origin), kind="cosigned"
            )


def _thin(events: list[EventReport]) -> list[EventReport]:
    ordered = sorted(events, key=lambda one: one.at_ms)
    last = len(ordered) - 1
    if last < EVENTS_OF_A_KIND_MAX:
        return ordered
    steps = EVENTS_OF_A_KIND_MAX - 1
    return [ordered[number * last // steps] for number in range(EVENTS_OF_A_KIND_MAX)]
