"""How far a figure from few cases may be off: Wilson for shares, resampling for the rest."""

from __future__ import annotations

import math
import random  # noqa: TID251  resampling from a stated seed, no secret
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Z_95 = 1.959963984540054  # the 97.5th percentile of the normal distribution
BOOTSTRAP_ROUNDS = 500
BOOTSTRAP_SEED = 42
_LOW = 0.025

Metric = Callable[[Sequence[float], Sequence[bool]], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure and the 95 % interval around it; None: nothing can be told."""

    value: float | None
    low: float | None
    high: float | None

    def covers(self, value: float) -> bool:
        """Whether a value lies within; an interval without ends covers everything."""
        return self.low is None or self.high is None or self.low <= value <= self.high


def wilson(bads: int, rows: int) -> Interval:
    """Return a share with its interval by Wilson (1927), which holds for few cases and for none."""
    if not rows:
        return Interval(value=None, low=None, high=None)
    share = bads / rows
    shrink = 1 + Z_95**2 / rows
    centre = (share + Z_95**2 / (2 * rows)) / shrink
    spread = Z_95 * math.sqrt(share * (1 - share) / rows + Z_95**2 / (4 * rows**2)) / shrink
    return Interval(
        value=share,
        low=0.0 if not bads else max(0.0, centre - spread),
        high=1.0 if bads == rows else min(1.0, centre + spread),
    )


def hanley_mcneil(area: float | None, *, bads: int, rows: int) -> Interval:
    """Return the area under the curve with its 95 % interval (Hanley and McNeil 1982).

    In one step whatever the number of rows. None where there is no bad or nobody good; an area of
    0 or 1 has no spread by this formula, so that its interval is told as unknown.
    """
    goods = rows - bads
    if area is None or not bads or not goods:
        return Interval(value=area, low=None, high=None)
    one_bad, one_good = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (bads - 1) * (one_bad - area**2) + (goods - 1) * (one_good - area**2)
    ) / (bads * goods)
    if variance <= 0:
        return Interval(value=area, low=None, high=None)
    spread = Z_95 * math.sqrt(variance)
    return Interval(value=area, low=max(0.0, area - spread), high=min(1.0, area + spread))


def bootstrap(
    metric: Metric,
    predictions: Sequence[float],
    outcomes: Sequence[bool],
    *,
    groups: Sequence[int] | None = None,
    rounds: int = BOOTSTRAP_ROUNDS,
    seed: int = BOOTSTRAP_SEED,
) -> Interval:
    """Return a figure with the percentile interval of resampled rows (Efron 1979).

    Rows of one group, such as a customer, are drawn together. Groups with a bad row and those
    without are drawn apart, so that every sample has as many of each as there are.
    """
    value = metric(predictions, outcomes)
    if value is None:
        return Interval(value=None, low=None, high=None)
    draw = random.Random(seed)  # noqa: S311  resampling
    clusters = build_clusters(outcomes, groups)
    drawn = []
    for _ in range(rounds):
        rows = draw_rows(clusters, draw)
        one = metric([predictions[row] for row in rows], [outcomes[row] for row in rows])
        if one is not None:
            drawn.append(one)
    if not drawn:
        return Interval(value=value, low=None, high=None)
    low, high = find_percentiles(drawn)
    return Interval(value=value, low=low, high=high)


def find_percentiles(drawn: Sequence[float]) -> tuple[float, float]:
    """Return what 2.5 % of the values lie below, and what 2.5 % lie above."""
    ordered = sorted(drawn)
    return ordered[int(_LOW * (len(ordered) - 1))], ordered[-1 - int(_LOW * (len(ordered) - 1))]


def build_clusters(
    outcomes: Sequence[bool], groups: Sequence[int] | None
) -> tuple[list[list[int]], list[list[int]]]:
    """Return the rows of each group: of groups with a bad row, and of those without."""
    members: dict[int, list[int]] = {}
    for row, group in enumerate(range(len(outcomes)) if groups is None else groups):
        members.setdefault(group, []).append(row)
    bad = [rows for rows in members.values() if any(outcomes[row] for row in rows)]
    good = [rows for rows in members.values() if not any(outcomes[row] for row in rows)]
    return bad, good


def draw_rows(
    clusters: tuple[list[list[int]], list[list[int]]],
    draw: random.Random,
) -> list[int]:
    """Draw as many groups of each kind as there are, with replacement; return their rows."""
    chosen = [rows for kind in clusters if kind for rows in draw.choices(kind, k=len(kind))]
    return [row for rows in chosen for row in rows]
