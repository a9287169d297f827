"""Does a stated probability of default come true: Brier, Hosmer and Lemeshow, reliability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from node.core.errors import RejectedError
from node.rating.validation.intervals import Interval, wilson

GROUPS = 10


class CalibrationInvalidError(RejectedError):
    """A group is empty, or its probability is 0 or 1: the statistic has no value."""

    code = "calibration-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Customers together: how many, how many bad, and the mean probability that was stated."""

    rows: int
    bads: int
    stated: float

    @property
    def observed(self) -> Interval:
        """The share of bad with its 95 % interval."""
        return wilson(self.bads, self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class HosmerLemeshow:
    """The statistic, its degrees of freedom, and the chance of one as large by luck."""

    statistic: float
    degrees: int
    p_value: float


def brier(probabilities: Sequence[float], outcomes: Sequence[bool]) -> float | None:
    """Return the mean squared error of the probabilities (Brier 1950); None without rows."""
    if not outcomes:
        return None
    pairs = zip(probabilities, outcomes, strict=True)
    return sum((stated - is_bad) ** 2 for stated, is_bad in pairs) / len(outcomes)


def build_groups(
    probabilities: Sequence[float], outcomes: Sequence[bool], *, groups: int = GROUPS
) -> tuple[Group, ...]:
    """Cut customers by rising probability into groups of like size: the table of reliability.

    Equal probabilities stay together, so there may be fewer groups.
    """
    ordered = sorted(zip(probabilities, outcomes, strict=True))
    made = []
    begin = 0
    for number in range(1, groups + 1):
        end = max(begin, len(ordered) * number // groups)
        while 0 < end < len(ordered) and ordered[end][0] == ordered[end - 1][0]:
            end += 1
        if part := ordered[begin:end]:
            bads = sum(is_bad for _, is_bad in part)
            stated = sum(one for one, _ in part) / len(part)
            made.append(Group(rows=len(part), bads=bads, stated=stated))
        begin = end
    return tuple(made)


def hosmer_lemeshow(groups: Sequence[Group], *, is_training: bool) -> HosmerLemeshow:
    """Compare stated with observed bad by group (Hosmer and Lemeshow 1980).

    Degrees of freedom are groups less two on the rows that a model was trained on, and all groups
    on others.

    Raises:
        CalibrationInvalidError: Too few groups, or one that states 0 or 1.
    """
    degrees = len(groups) - (2 if is_training else 0)
    if degrees < 1 or any(not one.rows or not 0 < one.stated < 1 for one in groups):
        raise CalibrationInvalidError("groups without rows, or that state 0 or 1")
    statistic = sum(
        (one.bads - one.rows * one.stated) ** 2 / (one.rows * one.stated * (1 - one.stated))
        for one in groups
    )
    return HosmerLemeshow(
        statistic=statistic, degrees=degrees, p_value=chi_square_above(statistic, degrees)
    )


def chi_square_above(statistic: float, degrees: int) -> float:
    """Return the chance that chi-square is above a value, by its finite sum for whole degrees.

    Abramowitz and Stegun, 26.4.4 and 26.4.5.
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    if degrees % 2:
        total = math.erfc(math.sqrt(half))
        terms = [index + 0.5 for index in range((degrees - 1) // 2)]
    else:
        total = 0.0
        terms = [float(index) for index in range(degrees // 2)]
    for power in terms:
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, total)
