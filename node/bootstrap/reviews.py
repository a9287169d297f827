"""What the calendar of reviews is given of the rooms before rating."""

from __future__ import annotations

from datetime import date

from node.assessment.renewal.service import list_waiting_within
from node.assessment.statements.store import StatementStore
from node.core.database import Database, UnitOfWork
from node.rating.overrides.reading import OverrideReader
from node.rating.runs.reviews import ReviewPorts, ReviewService
from node.records.histories import list_overdue_since


def build_reviews(*, database: Database, overrides: OverrideReader) -> ReviewService:
    """Wire the calendar of reviews."""
    return ReviewService(
        database=database,
        overrides=overrides,
        ports=ReviewPorts(
            list_queued=list_waiting_within,
            list_overdue=list_overdue_since,
            list_statements=_list_year_ends,
        ),
    )


def _list_year_ends(uow: UnitOfWork, by: date) -> dict[int, date]:
    return StatementStore(uow.connection).list_newest_ends(by=by)
