"""What became of a customer's grade between two runs or two days (docs/formulas.md, movements).

Pure. Each customer has one movement: the first that holds of those below. Grades are compared in
one scale only; where the scale is another one, neither is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from node.core.money import divide_half_even
from node.rating.scale import ScaleBody

PERMILLE = 1000
NONE = ""  # in the place of a grade: the customer had no rating


class Movement(StrEnum):
    """The movements, in the order in which they are tried."""

    LOST = "lost"  # rated before, and not any more
    DEFAULT_ENTERED = "default-entered"
    DEFAULT_LEFT = "default-left"
    NEW = "new"  # rated now, and not before
    RESCALED = "rescaled"  # by another scale
    UP = "up"
    DOWN = "down"
    REASON = "reason"  # the same grade, and another reason comes first
    SAME = "same"


class Kind(StrEnum):
    """What a grade is on its scale."""

    NONE = "none"
    SCORED = "scored"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A grade by the scale of a hash; without a rating both are empty."""

    grade: str
    scale_sha256_b64u: str

    @property
    def is_there(self) -> bool:
        """Whether there is a rating."""
        return self.grade != NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A standing before and after; ``has_same_reason`` says whether the first reason stayed."""

    before: Standing
    after: Standing
    has_same_reason: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """Of the customers that had one grade before: how many have which one after."""

    before: str
    counts: Mapping[str, int]

    @property
    def n(self) -> int:
        """How many there are in the row."""
        return sum(self.counts.values())

    def share_permille(self, after: str) -> int | None:
        """Return the share of a cell in its row, half to even; None of an empty row."""
        return divide_half_even(PERMILLE * self.counts.get(after, 0), self.n) if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The migration matrix: rows by the grade before, columns by the one after."""

    grades: tuple[str, ...]
    rows: tuple[MatrixRow, ...]

    @property
    def n(self) -> int:
        """How many customers it holds."""
        return sum(row.n for row in self.rows)


def classify(change: Change, scales: Mapping[str, ScaleBody]) -> Movement:
    """Return the movement of a change; a scale that is not known orders nothing."""
    before, after = change.before, change.after
    was, now = _judge(before, scales), _judge(after, scales)
    if was is not Kind.NONE and now is Kind.NONE:
        return Movement.LOST
    if now is Kind.DEFAULT and was is not Kind.DEFAULT:
        return Movement.DEFAULT_ENTERED
    if was is Kind.DEFAULT and now is not Kind.DEFAULT:
        return Movement.DEFAULT_LEFT
    if was is not now:
        return Movement.NEW
    return _compare(change, scales) if now is Kind.SCORED else Movement.SAME


def build_matrix(changes: Iterable[tuple[Change, int]], *, order: Iterable[str]) -> Matrix:
    """Count changes by the grades before and after; who has no rating has an empty one.

    ``order`` is that of the grades; others follow by their symbols, and no rating comes last.
    """
    counts: dict[str, dict[str, int]] = {}
    found: set[str] = set()
    for change, count in changes:
        row = counts.setdefault(change.before.grade, {})
        row[change.after.grade] = row.get(change.after.grade, 0) + count
        found |= {change.before.grade, change.after.grade}
    known = [grade for grade in dict.fromkeys(order) if grade in found]
    others = sorted(found - set(known) - {NONE})
    grades = (*known, *others, *([NONE] if NONE in found else []))
    return Matrix(
        grades=grades,
        rows=tuple(
            MatrixRow(before=grade, counts=counts[grade]) for grade in grades if grade in counts
        ),
    )


def list_symbols(scale: ScaleBody) -> list[str]:
    """Return the symbols of a scale from the best to the default and the missing one."""
    return [*(step.grade for step in scale.grades), scale.default.grade, scale.missing.grade]


def _judge(standing: Standing, scales: Mapping[str, ScaleBody]) -> Kind:
    if not standing.is_there:
        return Kind.NONE
    scale = scales.get(standing.scale_sha256_b64u)
    if scale is not None and standing.grade == scale.missing.grade:
        return Kind.NONE
    if scale is not None and standing.grade == scale.default.grade:
        return Kind.DEFAULT
    return Kind.SCORED


def _compare(change: Change, scales: Mapping[str, ScaleBody]) -> Movement:
    before, after = change.before, change.after
    scale = scales.get(after.scale_sha256_b64u)
    if before.scale_sha256_b64u != after.scale_sha256_b64u or scale is None:
        return Movement.RESCALED
    ranks = {step.grade: rank for rank, step in enumerate(scale.grades)}
    difference = ranks[after.grade] - ranks[before.grade]
    if difference:
        return Movement.UP if difference < 0 else Movement.DOWN
    return Movement.SAME if change.has_same_reason else Movement.REASON
