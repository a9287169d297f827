"""How a peer's newest summary differs from the ones before it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from node.records.windows import parse_month
from schemas.summary import DELAY_CLASSES, Summary

DROP_MONTHS = 6  # two quarters
_OVERDUE = ("none", "<=30", "31-60", "61-90", ">90")
_LATENESS = ("none", "<=30", ">30")
WORSE = "worse"


def find_index_drop(newest: Summary, earlier: Sequence[Summary]) -> int | None:
    """Return by how many points the index is below the highest of two quarters before.

    None where it has none, or none of the earlier ones has: windows that end later than half a year
    before it, and before it.
    """
    if newest.index is None:
        return None
    last = parse_month(newest.window.last)
    values = [
        one.index.value
        for one in earlier
        if one.index is not None and 0 < last - parse_month(one.window.last) <= DROP_MONTHS
    ]
    return max(values) - newest.index.value if values else None


def is_worse(newest: Summary, before: Summary | None) -> bool:
    """Tell whether a summary tells of worse payment than the one before, or says so itself."""
    if newest.trend is not None and newest.trend.direction == WORSE:
        return True
    if before is None:
        return False
    ranks = (_rank_overdue, _rank_lateness, _rank_worst, _count_adverse)
    pairs = ((rank(before), rank(newest)) for rank in ranks)
    return any(old is not None and new is not None and new > old for old, new in pairs)


def _rank_overdue(one: Summary) -> int | None:
    return None if one.overdue_now is None else _OVERDUE.index(one.overdue_now.oldest)


def _rank_lateness(one: Summary) -> int | None:
    return None if one.lateness is None else _LATENESS.index(one.lateness.seen)


def _rank_worst(one: Summary) -> int | None:
    return None if one.delay is None else DELAY_CLASSES.index(one.delay.worst)


def _count_adverse(one: Summary) -> int | None:
    return None if one.adverse is None else sum(not fact.settled for fact in one.adverse.facts)
