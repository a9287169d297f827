"""Two models on the same rows: the difference of their AUC, rows resampled together."""

from __future__ import annotations

import random  # noqa: TID251  resampling from a stated seed, no secret
from collections.abc import Sequence
from dataclasses import dataclass

from node.rating.validation.discrimination import auc
from node.rating.validation.intervals import (
    BOOTSTRAP_ROUNDS,
    BOOTSTRAP_SEED,
    Interval,
    build_clusters,
    draw_rows,
    find_percentiles,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The second model's AUC less the first one's, and whether the interval excludes nothing."""

    interval: Interval

    @property
    def is_shown(self) -> bool:
        """Whether one of the two is shown to be better."""
        return self.interval.low is not None and not self.interval.covers(0.0)


def compare_auc(
    first: Sequence[float],
    second: Sequence[float],
    outcomes: Sequence[bool],
    *,
    groups: Sequence[int] | None = None,
    rounds: int = BOOTSTRAP_ROUNDS,
    seed: int = BOOTSTRAP_SEED,
) -> Difference:
    """Compare two models; the same rows are drawn for both, those of a group together."""
    whole = _difference(first, second, outcomes, range(len(outcomes)))
    if whole is None:
        return Difference(interval=Interval(value=None, low=None, high=None))
    draw = random.Random(seed)  # noqa: S311  resampling
    clusters = build_clusters(outcomes, groups)
    drawn = []
    for _ in range(rounds):
        rows = draw_rows(clusters, draw)
        if (one := _difference(first, second, outcomes, rows)) is not None:
            drawn.append(one)
    if not drawn:
        return Difference(interval=Interval(value=whole, low=None, high=None))
    low, high = find_percentiles(drawn)
    return Difference(interval=Interval(value=whole, low=low, high=high))


def _difference(
    first: Sequence[float],
    second: Sequence[float],
    outcomes: Sequence[bool],
    rows: Sequence[int],
) -> float | None:
    flags = [outcomes[index] for index in rows]
    one = auc([first[index] for index in rows], flags)
    other = auc([second[index] for index in rows], flags)
    return None if one is None or other is None else other - one
