"""Does a model tell bad from good: AUC, Gini, KS (docs/formulas.md, validation).

A prediction is a number that is larger the likelier somebody is bad; an outcome is True for bad.
With no bad, or nobody good, nothing can be told: None, never 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby


def auc(predictions: Sequence[float], outcomes: Sequence[bool]) -> float | None:
    """Return the chance that a bad one is ranked worse than a good one; a tie counts half.

    Mann and Whitney (1947) by sums of ranks.
    """
    bads = sum(outcomes)
    goods = len(outcomes) - bads
    if not bads or not goods:
        return None
    won = below = 0.0
    for bads_here, goods_here in _count_ties(predictions, outcomes):
        won += bads_here * (below + goods_here / 2)
        below += goods_here
    return won / (bads * goods)


def gini(predictions: Sequence[float], outcomes: Sequence[bool]) -> float | None:
    """Return ``2 · AUC - 1`` (Somers' D)."""
    area = auc(predictions, outcomes)
    return None if area is None else 2 * area - 1


def ks(predictions: Sequence[float], outcomes: Sequence[bool]) -> float | None:
    """Return the largest distance of the two cumulative shares (Kolmogorov and Smirnov)."""
    bads = sum(outcomes)
    goods = len(outcomes) - bads
    if not bads or not goods:
        return None
    widest = 0.0
    bads_below = goods_below = 0
    for bads_here, goods_here in _count_ties(predictions, outcomes):
        bads_below += bads_here
        goods_below += goods_here
        widest = max(widest, abs(goods_below / goods - bads_below / bads))
    return widest


def _count_ties(predictions: Sequence[float], outcomes: Sequence[bool]) -> list[tuple[int, int]]:
    """Count bad and good at each prediction, from the lowest."""
    ordered = sorted(zip(predictions, outcomes, strict=True))
    counts = []
    for _, tied in groupby(ordered, key=lambda pair: pair[0]):
        here = [is_bad for _, is_bad in tied]
        counts.append((sum(here), len(here) - sum(here)))
    return counts
