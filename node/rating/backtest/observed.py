"""The back-test of grades: what was stated beside what happened (docs/formulas.md, back-test).

Pure. Of each customer the newest rating counts whose months are over, then the newest one that lies
as many months before that, and so on: no month is counted twice. A rating whose months are not over
is told apart; it says nothing yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from node.rating.rules_grade import add_months
from node.rating.scale import PPM
from node.rating.validation.calibration import brier
from node.rating.validation.discrimination import auc
from node.rating.validation.intervals import Interval, hanley_mcneil, wilson

MONTHS = 12  # the master scale states a default within twelve months
BADS_MIN = 20
LOOK_BACK_DAYS = 31  # a rating that was entered later than that after its day looked back
_CHANCE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRating:
    """A grade of a score as it was given; ``pd_ppm`` is its place on its master scale, if any."""

    rating_id: int
    customer_id: int
    as_of: date
    entered_on: date
    grade: str
    pd_ppm: int | None

    @property
    def looked_back(self) -> bool:
        """Whether what came after its day may have been known when it was given."""
        return (self.entered_on - self.as_of).days > LOOK_BACK_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A rating whose months are over, and whether the customer turned bad in them."""

    rating: GivenRating
    is_bad: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeLine:
    """One grade: how many, how many turned bad, and whether what was stated lies in the interval.

    ``stated`` is the mean probability on the master scale; None where the scale has none.
    """

    grade: str
    rows: int
    bads: int
    observed: Interval
    stated: float | None
    holds: bool | None
    not_over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """All grades, from the best on, and everything together."""

    until: date
    months: int
    lines: tuple[GradeLine, ...]
    total: GradeLine
    bad_customers: int
    bad_already: int
    looked_back: int
    auc: Interval
    brier: float | None
    verdict: str


def choose_observable(
    ratings: Iterable[GivenRating], *, until: date, months: int = MONTHS
) -> list[GivenRating]:
    """Return those of one customer's ratings whose months are over by a day and do not overlap."""
    chosen: list[GivenRating] = []
    for one in sorted(ratings, key=lambda one: (one.as_of, one.rating_id), reverse=True):
        last = chosen[-1].as_of if chosen else until
        if add_months(one.as_of, months) <= last:
            chosen.append(one)
    return chosen


def find_not_over(
    ratings: Iterable[GivenRating], *, until: date, months: int = MONTHS
) -> GivenRating | None:
    """Return a customer's newest rating, if its months are not over by a day."""
    newest = max(ratings, key=lambda one: (one.as_of, one.rating_id), default=None)
    if newest is None or add_months(newest.as_of, months) <= until:
        return None
    return newest


def sum_up(
    observed: Sequence[Observed],
    *,
    not_over: Iterable[GivenRating],
    bad_already: int,
    order: Sequence[str],
    until: date,
) -> BackTest:
    """Return the back-test; ``order`` is that of the grades, others follow by their symbols."""
    waiting = Counter(one.grade for one in not_over)
    found = {one.rating.grade for one in observed} | waiting.keys()
    grades = [*(one for one in dict.fromkeys(order) if one in found), *sorted(found - set(order))]
    lines = tuple(
        _build_line(
            grade,
            [one for one in observed if one.rating.grade == grade],
            not_over=waiting[grade],
        )
        for grade in grades
    )
    stated = [one for one in observed if one.rating.pd_ppm is not None]
    chances = [(one.rating.pd_ppm or 0) / PPM for one in stated]
    outcomes = [one.is_bad for one in stated]
    area = hanley_mcneil(auc(chances, outcomes), bads=sum(outcomes), rows=len(outcomes))
    bad = {one.rating.customer_id for one in observed if one.is_bad}
    good = {one.rating.customer_id for one in observed} - bad
    looked_back = sum(one.rating.looked_back for one in observed)
    return BackTest(
        until=until,
        months=MONTHS,
        lines=lines,
        total=_build_line("", observed, not_over=waiting.total()),
        bad_customers=len(bad),
        bad_already=bad_already,
        looked_back=looked_back,
        auc=area,
        brier=brier(chances, outcomes),
        verdict=_judge(lines, area, bads=len(bad), goods=len(good), looked_back=looked_back),
    )


def _build_line(grade: str, rows: Sequence[Observed], *, not_over: int) -> GradeLine:
    bads = sum(one.is_bad for one in rows)
    observed = wilson(bads, len(rows))
    chances = [one.rating.pd_ppm for one in rows if one.rating.pd_ppm is not None]
    has_all = bool(rows) and len(chances) == len(rows)
    stated = sum(chances) / len(chances) / PPM if has_all else None
    return GradeLine(
        grade=grade,
        rows=len(rows),
        bads=bads,
        observed=observed,
        stated=stated,
        holds=None if stated is None else observed.covers(stated),
        not_over=not_over,
    )


def _judge(
    lines: Sequence[GradeLine], area: Interval, *, bads: int, goods: int, looked_back: int
) -> str:
    if bads < BADS_MIN:
        return "withheld.bads"
    if goods < BADS_MIN:
        return "withheld.goods"
    if looked_back:
        return "withheld.looked-back"
    if area.low is None or area.low <= _CHANCE:
        return "withheld.chance"
    if any(one.rows and not one.holds for one in lines):
        return "withheld.calibration"
    return "validated"
