"""Points and odds: PDO scaling, weight of evidence, information value (docs/formulas.md).

Odds are goods to one bad. Floats: what is kept is rounded to integers by who trains the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from node.assessment.statistical.model_file import ScaleParameters

ZERO_CELL = 0.5  # added to goods and bads of every bin where one of them is 0; said with the figure


@dataclass(frozen=True, slots=True, kw_only=True)
class PointScale:
    """``score = offset + factor · ln(odds of good)``."""

    factor: float
    offset: float

    def score_odds(self, log_odds_good: float) -> float:
        """Return the points of log odds."""
        return self.offset + self.factor * log_odds_good

    def score_probability(self, probability_bad: float) -> float:
        """Return the points of a probability of default, which is above 0 and below 1."""
        return self.score_odds(math.log((1 - probability_bad) / probability_bad))

    def probability(self, score: float) -> float:
        """Return the probability of default that a score states."""
        log_odds = (score - self.offset) / self.factor
        if log_odds >= 0:
            return math.exp(-log_odds) / (1 + math.exp(-log_odds))
        return 1 / (1 + math.exp(log_odds))


def build_scale(*, points0: float, odds0_good: float, pdo: float) -> PointScale:
    """Return the scale on which ``points0`` are ``odds0_good`` and ``pdo`` double the odds."""
    factor = pdo / math.log(2)
    return PointScale(factor=factor, offset=points0 - factor * math.log(odds0_good))


def read_scale(parameters: ScaleParameters) -> PointScale:
    """Return the scale of a model, in points."""
    return build_scale(
        points0=parameters.points0_deci / 10,
        odds0_good=parameters.odds0_good_milli / 1000,
        pdo=parameters.pdo_deci / 10,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Weights of evidence by bin, their information value, and whether a cell was empty."""

    woe: tuple[float, ...]
    iv: float
    has_zero_cell: bool


def weigh(goods: Sequence[int], bads: Sequence[int]) -> Evidence:
    """Return ``WoE = ln(share of goods / share of bads)`` by bin and ``IV = Σ (g - b) · WoE``.

    Where a bin has no good or no bad, 0.5 is added to both of that bin, and it is said. An empty
    bin has weight 0.
    """
    has_zero = any((good == 0) != (bad == 0) for good, bad in zip(goods, bads, strict=True))
    pairs = [
        (good + ZERO_CELL, bad + ZERO_CELL) if (good == 0) != (bad == 0) else (good, bad)
        for good, bad in zip(goods, bads, strict=True)
    ]
    goods_all = sum(good for good, _ in pairs)
    bads_all = sum(bad for _, bad in pairs)
    woe = []
    iv = 0.0
    for good, bad in pairs:
        if not good:
            woe.append(0.0)
            continue
        weight = math.log((good / goods_all) / (bad / bads_all))
        woe.append(weight)
        iv += (good / goods_all - bad / bads_all) * weight
    return Evidence(woe=tuple(woe), iv=iv, has_zero_cell=has_zero)
