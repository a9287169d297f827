"""The delay mix: shares of the delay classes by count, in steps of 5 points that add up to 100.

A class that holds one or two invoices would tell of one invoice, so it merges first: into the next
worse class if that is filled, else into the nearest better one that is, else into the nearest worse
one. Classes merge from the best to the worst, so that one pass is enough; none of it makes the
worst class worse than it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from node.sharing.disclosure.rules_bands import PERCENT, STEP
from schemas.summary import DELAY_CLASSES, DelayClass

STEPS = PERCENT // STEP


def merge_small_classes(counts: Sequence[int], *, invoices_min: int) -> tuple[int, ...]:
    """Merge classes of fewer invoices; the total stays."""
    merged = list(counts)
    for place, count in enumerate(counts):
        held = merged[place]  # not `count`: a better class may have merged into this one
        if count == 0 or held >= invoices_min:
            continue
        target = _find_target(merged, place)
        if target is not None:
            merged[target] += held
            merged[place] = 0
    return tuple(merged)


def _find_target(counts: Sequence[int], place: int) -> int | None:
    worse = range(place + 1, len(counts))
    better = range(place - 1, -1, -1)
    for candidate in chain(worse[:1], better, worse[1:]):
        if counts[candidate] > 0:
            return candidate
    return None


def round_shares(counts: Sequence[int]) -> tuple[int, ...]:
    """Return shares in steps of 5 per cent by largest remainder; on a tie the worse class gains.

    Raises:
        ValueError: There is nothing to share.
    """
    total = sum(counts)
    if total <= 0:
        raise ValueError("no invoice to share out")
    steps = [STEPS * count // total for count in counts]
    by_remainder = sorted(
        range(len(counts)), key=lambda place: (STEPS * counts[place] % total, place), reverse=True
    )
    for place in by_remainder[: STEPS - sum(steps)]:
        steps[place] += 1
    return tuple(STEP * step for step in steps)


def build_mix(merged: Sequence[int]) -> dict[DelayClass, int]:
    """Return the mix of counts that have been merged."""
    return dict(zip(DELAY_CLASSES, round_shares(merged), strict=True))


def find_worst(merged: Sequence[int]) -> DelayClass | None:
    """Return the worst class filled after merging, so never a finer one than the mix may name.

    The mix can show 0 of it, where its invoices, never one or two, come to less than a step. None
    without invoices.
    """
    filled = [
        delay_class for delay_class, count in zip(DELAY_CLASSES, merged, strict=True) if count
    ]
    return filled[-1] if filled else None
