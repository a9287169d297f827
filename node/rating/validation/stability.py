"""Have the customers changed since a model was trained: the population stability index, drift."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.errors import RejectedError

ZERO_COUNT = 0.5  # stands for a group that is empty on one side; said with the figure
# Conventions; on small samples they mislead, so that the number of rows goes with each figure.
PSI_WATCH = 0.10
PSI_CHANGED = 0.25


class SharesInvalidError(RejectedError):
    """Two distributions have not the same groups, or nothing in them."""

    code = "shares-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One month against training: how many rows, and the index (None: nothing to compare)."""

    month: str
    rows: int
    psi: float | None


def psi(before: Sequence[float], after: Sequence[float]) -> float:
    """Return ``Σ (after - before) · ln(after / before)`` over shares or counts of like groups.

    An empty group counts as half a row where counts are given.

    Raises:
        SharesInvalidError: The groups differ in number, or one side has nothing.
    """
    if len(before) != len(after) or not sum(before) or not sum(after):
        raise SharesInvalidError("two distributions over the same groups are needed")
    first = _share(before)
    second = _share(after)
    return sum((new - old) * math.log(new / old) for old, new in zip(first, second, strict=True))


def drift_by_month(
    groups: Sequence[int], days: Sequence[date], *, trained_on: Mapping[int, int]
) -> tuple[Drift, ...]:
    """Compare the groups of scores of each month with those of the training rows."""
    by_month: dict[str, Counter[int]] = {}
    for group, day in zip(groups, days, strict=True):
        by_month.setdefault(f"{day:%Y-%m}", Counter())[group] += 1
    keys = sorted({*trained_on, *groups})
    before = [trained_on.get(key, 0) for key in keys]
    return tuple(
        Drift(
            month=month,
            rows=counts.total(),
            psi=psi(before, [counts[key] for key in keys]) if sum(before) else None,
        )
        for month, counts in sorted(by_month.items())
    )


def _share(values: Sequence[float]) -> list[float]:
    # Shares add up to one and counts are whole: a zero share has no number of rows to halve.
    has_counts = sum(values) > 1.5  # noqa: PLR2004  between one and two
    zero = ZERO_COUNT if has_counts else 1e-6
    filled = [value or zero for value in values]
    return [value / sum(filled) for value in filled]
