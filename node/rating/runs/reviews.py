"""Use case of the calendar of reviews: who is to be looked at again, until when, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from node.core.database import Database, UnitOfWork
from node.rating.overrides.reading import OverrideReader
from node.rating.overrides.rules_override import Override
from node.rating.rules_review import (
    OVERDUE_DAYS,
    ReviewFacts,
    ReviewState,
    find_review,
    list_triggers,
)
from node.rating.store.reviews import ReviewRow, ReviewStore

UNTIL_DAYS = 30  # how far the calendar looks where nobody says


class ListQueued(Protocol):
    """Reads the queue of renewals."""

    def __call__(self, uow: UnitOfWork, *, shows_peers: bool) -> Mapping[int, tuple[str, ...]]:
        """Return the causes by customer; what peers have done only where that may be seen."""
        ...


ListDates = Callable[[UnitOfWork, date], Mapping[int, date]]
ListOverdue = Callable[[UnitOfWork, date, date], Mapping[int, date]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A customer on the calendar; ``days`` are those since it was due, negative before."""

    row: ReviewRow
    state: ReviewState
    triggers: tuple[str, ...]
    days: int | None
    override: Override | None = None
    """The one that holds: its grade is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPorts:
    """What other rooms tell, by customer.

    ``list_queued``: the causes in the queue of renewals. ``list_overdue``: when what is overdue on
    a day fell due, if before another one. ``list_statements``: the end of the newest statement's
    year that ends by a day.
    """

    list_queued: ListQueued
    list_overdue: ListOverdue
    list_statements: ListDates


class ReviewService:
    """Reads the calendar; it writes nothing."""

    def __init__(
        self, *, database: Database, ports: ReviewPorts, overrides: OverrideReader
    ) -> None:
        """``overrides`` tells which grades persons have given."""
        self._overrides = overrides
        self._database = database
        self._ports = ports

    def list_reviews(self, *, today: date, until: date, shows_peers: bool) -> list[Review]:
        """Return who is expired, unrated, due or brought forward on a day, and due until another.

        The most pressing first, then by the day of the review. Without ``shows_peers`` nobody is
        brought forward for what peers have said or done.
        """
        with self._database.read() as uow:
            queued = self._ports.list_queued(uow, shows_peers=shows_peers)
            overdue = self._ports.list_overdue(uow, today, today - timedelta(days=OVERDUE_DAYS))
            statements = self._ports.list_statements(uow, today)
            store = ReviewStore(uow.connection)
            rows = {row.customer_id: row for row in store.list_by_date(today=today, until=until)}
            held = self._overrides.list_all_in_force(uow, day=today)
            ended = self._overrides.list_ended(uow, day=today)
            others = ({*queued, *overdue, *statements, *ended}) - rows.keys()
            rows |= {row.customer_id: row for row in store.list_rated(others)}
            unrated = store.list_unrated()
        found = [
            _judge(
                row,
                _build_facts(
                    row,
                    queued=queued.get(key, ()),
                    overdue_since=overdue.get(key),
                    statement_end=statements.get(key),
                    has_ended_override=key in ended,
                ),
                today=today,
                until=until,
                held=held,
            )
            for key, row in rows.items()
        ]
        never = [_judge(row, None, today=today, until=until, held={}) for row in unrated]
        return _sort(review for review in (*found, *never) if review is not None)


def count_states(reviews: Iterable[Review]) -> dict[ReviewState, int]:
    """Count reviews by their state, each one named."""
    counts = dict.fromkeys(ReviewState, 0)
    for review in reviews:
        counts[review.state] += 1
    return counts


def _build_facts(
    row: ReviewRow,
    *,
    queued: tuple[str, ...],
    overdue_since: date | None,
    statement_end: date | None,
    has_ended_override: bool,
) -> ReviewFacts | None:
    if row.rating is None:
        return None
    return ReviewFacts(
        rated_on=row.rating.as_of,
        valid_until=row.rating.valid_until,
        review_on=row.rating.review_on,
        overdue_since=overdue_since,
        statement_end=statement_end,
        has_ended_override=has_ended_override,
        queued=queued,
    )


def _judge(
    row: ReviewRow,
    facts: ReviewFacts | None,
    *,
    today: date,
    until: date,
    held: Mapping[int, Override],
) -> Review | None:
    triggers = () if facts is None else list_triggers(facts, today=today)
    state = find_review(facts, triggers=triggers, today=today, until=until)
    if state is None:
        return None
    days = None if facts is None else (today - facts.review_on).days
    override = None if row.rating is None else held.get(row.rating.rating_id)
    return Review(row=row, state=state, triggers=triggers, days=days, override=override)


def _sort(reviews: Iterable[Review]) -> list[Review]:
    order = {state: number for number, state in enumerate(ReviewState)}
    return sorted(
        reviews,
        key=lambda one: (
            order[one.state],
            one.row.rating.review_on if one.row.rating else date.min,
            one.row.customer_id,
        ),
    )
