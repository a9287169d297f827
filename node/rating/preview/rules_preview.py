"""What a policy or scale would change, added up customer by customer in flat memory. Pure.

docs/formulas.md, impact of a policy. Before and after are worked out from the same evidence, so
that what moves is moved by the policy alone.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from node.assessment.rules_scorecard import Assessment
from node.core.money import divide_half_even
from protocol.strict_json import JsonObject, JsonValue

MOVES_MAX = 20
REASONS_MAX = 3
DEFAULTS_MAX = 20  # listed; all are counted
MILLI_PER_DECI = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a customer stands by one policy and scale."""

    score_deci: int | None
    grade: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PointChange:
    """What one factor earned before and after; None where the card has no such factor."""

    factor_id: str
    before_deci: int | None
    after_deci: int | None

    @property
    def change_deci(self) -> int:
        """By how much the score moves for it."""
        return (self.after_deci or 0) - (self.before_deci or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One customer before and after, and which factors make the difference."""

    customer_id: int
    before: Standing
    after: Standing
    kept_grade: str | None
    """The grade of its newest rating that is kept."""
    has_peers: bool
    """Whether it is told with what peers have said of it."""
    reasons: tuple[PointChange, ...] = ()

    @property
    def change_deci(self) -> int | None:
        """By how much the score moves; None where there is none on a side."""
        if self.before.score_deci is None or self.after.score_deci is None:
            return None
        return self.after.score_deci - self.before.score_deci


def explain_points(before: Assessment, after: Assessment) -> tuple[PointChange, ...]:
    """Return the factors whose points change, what changes most first."""
    earned_before = {one.factor_id: one.points_deci for one in before.factors}
    earned_after = {one.factor_id: one.points_deci for one in after.factors}
    changes = [
        PointChange(
            factor_id=factor_id,
            before_deci=earned_before.get(factor_id),
            after_deci=earned_after.get(factor_id),
        )
        for factor_id in {**earned_before, **earned_after}
    ]
    moved = [one for one in changes if one.change_deci]
    moved.sort(key=lambda one: -abs(one.change_deci))
    return tuple(moved[:REASONS_MAX])


@dataclass(slots=True)
class Tally:
    """What was added up so far; it holds counts and the largest moves, never all customers."""

    grades_before: Sequence[str]
    grades_after: Sequence[str]
    _matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    _change_deci: int = 0
    _scored: int = 0
    _rescored: int = 0
    _gone: int = 0
    _come: int = 0
    _moved_since: int = 0
    _into: list[int] = field(default_factory=list)
    _out: list[int] = field(default_factory=list)
    _into_count: int = 0
    _out_count: int = 0
    _of_peers: set[int] = field(default_factory=set)  # of those in _into and _out
    _top: list[tuple[int, int, Move]] = field(default_factory=list)

    def add(self, move: Move) -> None:
        """Count one customer."""
        before, after = move.before, move.after
        self._matrix[before.grade, after.grade] += 1
        self._moved_since += move.kept_grade is not None and move.kept_grade != before.grade
        self._count_score(move)
        if after.is_default and not before.is_default:
            self._into_count += 1
            self._list(self._into, move)
        if before.is_default and not after.is_default:
            self._out_count += 1
            self._list(self._out, move)

    def sum_up(self) -> JsonObject:
        """Return the summary, as it is kept and shown."""
        customers = sum(self._matrix.values())
        unchanged = sum(count for (left, right), count in self._matrix.items() if left == right)
        shown: JsonObject = {
            "customers": customers,
            "scored": self._scored,
            "rescored": self._rescored,
            "scores_gone": self._gone,
            "scores_come": self._come,
            "grades_before": list(self.grades_before),
            "grades_after": list(self.grades_after),
            "matrix": self._show_matrix(),
            "counts_before": self._count(0, self.grades_before),
            "counts_after": self._count(1, self.grades_after),
            "moved_since_rating": self._moved_since,
            "default_gained": {"count": self._into_count, "customers": list(self._into)},
            "default_lost": {"count": self._out_count, "customers": list(self._out)},
            "moves": [_show_move(one) for _, _, one in sorted(self._top, key=_order)],
            "of_peers": self._list_of_peers(),
        }
        if list(self.grades_before) == list(self.grades_after):
            shown["changed"] = customers - unchanged
            shown["better"] = self._compare(is_better=True)
            shown["worse"] = self._compare(is_better=False)
        if self._scored:
            change_milli = self._change_deci * MILLI_PER_DECI
            shown["change_mean_milli"] = divide_half_even(change_milli, self._scored)
        return shown

    def _count_score(self, move: Move) -> None:
        change_deci = move.change_deci
        if change_deci is None:
            self._gone += move.before.score_deci is not None
            self._come += move.after.score_deci is not None
            return
        self._scored += 1
        self._rescored += change_deci != 0
        self._change_deci += change_deci
        if change_deci:
            # The heap's root is the smallest of the largest; of equal ones the earlier customer.
            heapq.heappush(self._top, (abs(change_deci), -move.customer_id, move))
            if len(self._top) > MOVES_MAX:
                heapq.heappop(self._top)

    def _list(self, found: list[int], move: Move) -> None:
        if len(found) < DEFAULTS_MAX:
            found.append(move.customer_id)
            if move.has_peers:
                self._of_peers.add(move.customer_id)

    def _list_of_peers(self) -> list[JsonValue]:
        """Return those of the customers who are named of whom peers have told."""
        moved = {move.customer_id for _, _, move in self._top if move.has_peers}
        return [*sorted(self._of_peers | moved)]

    def _show_matrix(self) -> list[JsonValue]:
        return [
            [self._matrix[left, right] for right in self.grades_after]
            for left in self.grades_before
        ]

    def _count(self, side: int, grades: Sequence[str]) -> JsonObject:
        counts: Counter[str] = Counter()
        for pair, count in self._matrix.items():
            counts[pair[side]] += count
        return {grade: counts[grade] for grade in grades}

    def _compare(self, *, is_better: bool) -> int:
        # NR stands at the end and is neither better nor worse than a grade.
        ranks = {grade: rank for rank, grade in enumerate(self.grades_before[:-1])}
        return sum(
            count
            for (left, right), count in self._matrix.items()
            if left in ranks
            and right in ranks
            and (ranks[right] < ranks[left] if is_better else ranks[right] > ranks[left])
        )


def _order(one: tuple[int, int, Move]) -> tuple[int, int]:
    return -one[0], -one[1]


def _show_move(move: Move) -> JsonObject:
    return {
        "customer": move.customer_id,
        "score_before_deci": move.before.score_deci or 0,
        "score_after_deci": move.after.score_deci or 0,
        "change_deci": move.change_deci or 0,
        "grade_before": move.before.grade,
        "grade_after": move.after.grade,
        "reasons": [_show_change(one) for one in move.reasons],
    }


def _show_change(change: PointChange) -> JsonObject:
    shown: JsonObject = {"factor": change.factor_id, "change_deci": change.change_deci}
    if change.before_deci is not None:
        shown["before_deci"] = change.before_deci
    if change.after_deci is not None:
        shown["after_deci"] = change.after_deci
    return shown
