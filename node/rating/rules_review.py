"""When a customer's rating is to be looked at again (docs/formulas.md, reviews).

Pure. A review has the first state that holds. Triggers bring one forward: each is a function in a
list, so that a further one is a line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.assessment.statements.rules_evidence import AGEING_DAYS_MAX

OVERDUE_DAYS = 30  # overdue for longer than this is news


class ReviewState(StrEnum):
    """Why a customer is on the calendar, the most pressing first."""

    EXPIRED = "expired"
    UNRATED = "unrated"  # never rated, or without a grade
    EARLY = "early"  # something has happened
    DUE = "due"
    UPCOMING = "upcoming"


class Trigger(StrEnum):
    """What brings a review forward; what the renewal queue tells has codes of its own."""

    OVERDUE = "overdue"
    STATEMENT = "statement"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """What is known of a rated customer on a day.

    ``has_ended_override``: the grade that a person had given holds no longer. ``queued`` are the
    causes for which its assessment is to be renewed, as another room tells them.
    """

    rated_on: date
    valid_until: date | None
    review_on: date
    overdue_since: date | None = None
    statement_end: date | None = None
    has_ended_override: bool = False
    queued: tuple[str, ...] = ()


def find_overdue(facts: ReviewFacts, today: date) -> str | None:
    """Return a trigger where an item passed the days after the customer had been rated."""
    if facts.overdue_since is None:
        return None
    news_on = facts.overdue_since + timedelta(days=OVERDUE_DAYS + 1)
    return Trigger.OVERDUE if facts.rated_on < news_on <= today else None


def find_stale_statement(facts: ReviewFacts, today: date) -> str | None:
    """Return a trigger where the newest statement became stale after the customer was rated."""
    if facts.statement_end is None:
        return None
    stale_on = facts.statement_end + timedelta(days=AGEING_DAYS_MAX + 1)
    return Trigger.STATEMENT if facts.rated_on < stale_on <= today else None


def find_ended_override(facts: ReviewFacts, _today: date) -> str | None:
    """Return a trigger where the grade of a person has ended by itself."""
    return Trigger.OVERRIDE if facts.has_ended_override else None


TRIGGERS: Sequence[Callable[[ReviewFacts, date], str | None]] = (
    find_overdue,
    find_stale_statement,
    find_ended_override,
)


def list_triggers(facts: ReviewFacts, *, today: date) -> tuple[str, ...]:
    """Return what brings the review forward, the renewal queue's causes first."""
    found = (find(facts, today) for find in TRIGGERS)
    return (*facts.queued, *(one for one in found if one is not None))


def find_review(
    facts: ReviewFacts | None, *, triggers: Sequence[str], today: date, until: date
) -> ReviewState | None:
    """Return a customer's state on the calendar; None: nothing is due until then."""
    if facts is None:
        return ReviewState.UNRATED
    if facts.valid_until is not None and facts.valid_until < today:
        return ReviewState.EXPIRED
    if facts.valid_until is None and facts.review_on <= today:
        return ReviewState.UNRATED
    if triggers:
        return ReviewState.EARLY
    if facts.review_on <= today:
        return ReviewState.DUE
    return ReviewState.UPCOMING if facts.review_on <= until else None
