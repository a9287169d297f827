"""From a score to a grade, and how long it holds (docs/formulas.md, grades)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from node.rating.scale import DefaultGrade, GradeStep, ScaleBody

MONTHS_PER_YEAR = 12


class RatingState(StrEnum):
    """How a rating stands on a day; nothing expires unseen."""

    VALID = "valid"
    EXPIRED = "expired"
    UNRATED = "unrated"  # there is no grade that could hold
    LATER = "later"  # it was given as of a later day


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A symbol of the scale; ``rank`` counts from the best (0); a missing grade has none."""

    symbol: str
    rank: int | None


class Validity(NamedTuple):
    """Until when a rating holds (None: there is nothing to hold), and when its review begins."""

    valid_until: date | None
    review_on: date


def grade(*, score_deci: int | None, scale: ScaleBody, default_event: bool) -> Grade:
    """Return the grade of a score; a default event wins over every score and over none."""
    if default_event:
        return Grade(symbol=scale.default.grade, rank=len(scale.grades))
    if score_deci is None:
        return Grade(symbol=scale.missing.grade, rank=None)
    step, rank = next(
        (step, rank) for rank, step in enumerate(scale.grades) if score_deci >= step.from_deci
    )
    return Grade(symbol=step.grade, rank=rank)


def list_default_events(
    scale: ScaleBody, *, own: Iterable[str], peers: Iterable[str]
) -> tuple[str, ...]:
    """Return the open adverse facts that the scale calls a default, by kind."""
    found = {kind for kind in own if kind in scale.default.own_events}
    found |= {kind for kind in peers if kind in scale.default.peer_events}
    return tuple(sorted(found))


def get_validity(
    given: Grade, *, scale: ScaleBody, as_of: date, relation_months: int | None
) -> Validity:
    """Return how long a grade given on a date holds; a new customer is looked at again sooner."""
    if given.rank is None:
        review_on = as_of + timedelta(days=scale.missing.review_days)
        return Validity(valid_until=None, review_on=review_on)
    step = _choose_step(given, scale)
    valid_until = add_months(as_of, step.valid_months)
    new = scale.new_customer
    if relation_months is None or relation_months < new.relation_months_below:
        valid_until = min(valid_until, as_of + timedelta(days=new.valid_days_max))
    review_on = max(as_of, valid_until - timedelta(days=step.review_lead_days))
    return Validity(valid_until=valid_until, review_on=review_on)


def find_state(*, as_of: date, valid_until: date | None, day: date) -> RatingState:
    """Return how a rating given as of one day stands on another one."""
    if valid_until is None:
        return RatingState.UNRATED
    if day < as_of:
        return RatingState.LATER
    return RatingState.VALID if day <= valid_until else RatingState.EXPIRED


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the last of a month that is too short."""
    year, month_less_one = divmod(day.year * MONTHS_PER_YEAR + day.month - 1 + months, 12)
    month = month_less_one + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _choose_step(given: Grade, scale: ScaleBody) -> GradeStep | DefaultGrade:
    if given.rank is None or given.rank == len(scale.grades):
        return scale.default
    return scale.grades[given.rank]
