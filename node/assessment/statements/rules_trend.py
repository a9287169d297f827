"""The direction of a ratio over up to five years (trend-1).

A straight line by least squares through the years that have a value. What the line gains from the
first of them to the last, against the mean size of the values: below a tenth is steady.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from node.assessment.statements.rules_ratios import Better, RatioValue
from node.assessment.statements.rules_statement import MONTHS_OF_YEAR, YEARS_SHOWN_MAX

TREND_VERSION = "trend-1"
STEADY_BELOW = Fraction(1, 10)
YEARS_MIN = 2


class Direction(StrEnum):
    """Where a ratio goes."""

    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"


class Judgement(StrEnum):
    """Whether that is good."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    OPEN = "open"
    """The ratio has no better side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The direction over so many years; ``change`` is the line's gain over them, in the ratio."""

    direction: Direction
    judgement: Judgement
    change: Fraction
    years: int


def find_trend(values: Sequence[RatioValue], *, better: Better) -> Trend | None:
    """Return the trend of the newest years, oldest first; None below two values."""
    points = [
        (Fraction(one.year_end.year * MONTHS_OF_YEAR + one.year_end.month), one.value)
        for one in values[-YEARS_SHOWN_MAX:]
        if one.value is not None
    ]
    if len(points) < YEARS_MIN:
        return None
    count = len(points)
    mean_x = Fraction(sum((x for x, _ in points), Fraction()), count)
    mean_y = Fraction(sum((y for _, y in points), Fraction()), count)
    spread = sum(((x - mean_x) ** 2 for x, _ in points), Fraction())
    rise = sum(((x - mean_x) * (y - mean_y) for x, y in points), Fraction())
    slope = Fraction(rise, spread)
    change = slope * (points[-1][0] - points[0][0])
    size = Fraction(sum((abs(y) for _, y in points), Fraction()), count)
    direction = _direct(change, size)
    return Trend(
        direction=direction, judgement=_judge(direction, better), change=change, years=count
    )


def _direct(change: Fraction, size: Fraction) -> Direction:
    if abs(change) < STEADY_BELOW * size or change == 0:
        return Direction.STEADY
    return Direction.RISING if change > 0 else Direction.FALLING


def _judge(direction: Direction, better: Better) -> Judgement:
    if better is Better.NEITHER:
        return Judgement.OPEN
    if direction is Direction.STEADY:
        return Judgement.SAME
    is_better = (direction is Direction.RISING) == (better is Better.HIGHER)
    return Judgement.BETTER if is_better else Judgement.WORSE
