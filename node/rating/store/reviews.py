"""What the calendar of reviews is made of: newest ratings, customers without one, what happened."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, or_, select

from node.assessment.service import COLLECTIVE_KIND
from node.rating.store.ratings import RatingRecord, read_rating
from node.rating.tables import rating
from node.records.store.rows import chunk_values
from node.records.store.visibility import stands
from node.records.tables import customer, customer_merge

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A customer with its newest rating, if it has one."""

    customer_id: int
    subject_id: str
    name: str
    rating: RatingRecord | None


class ReviewStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_by_date(self, *, today: date, until: date) -> list[ReviewRow]:
        """Return the customers whose newest rating has expired, or is to be reviewed until then."""
        is_due = or_(rating.c.review_on <= until, rating.c.valid_until < today)
        return [_row(row) for row in self._select(is_due)]

    def list_rated(self, customer_ids: Collection[int]) -> Iterator[ReviewRow]:
        """Yield some customers with their newest ratings; those without one are left out."""
        for part in chunk_values(sorted(customer_ids)):
            yield from map(_row, self._select(customer.c.id.in_(part)))

    def list_unrated(self) -> list[ReviewRow]:
        """Return the customers that were never rated; collective accounts are nobody."""
        is_rated = exists().where(rating.c.customer_id == customer.c.id)
        rows = self._connection.execute(
            select(customer.c.id, customer.c.scheme, customer.c.value, customer.c.name)
            .where(~is_rated, customer.c.kind != COLLECTIVE_KIND, ~_is_merged())
            .order_by(customer.c.id)
        )
        return [
            ReviewRow(
                customer_id=row.id,
                subject_id=f"{row.scheme}:{row.value}",
                name=row.name,
                rating=None,
            )
            for row in rows
        ]

    def _select(self, condition: ColumnElement[bool]) -> Iterator[Row[Any]]:
        later = rating.alias("later")
        newest = (
            select(func.max(later.c.id))
            .where(later.c.customer_id == rating.c.customer_id)
            .correlate(rating)
            .scalar_subquery()
        )
        yield from self._connection.execute(
            select(
                rating,
                customer.c.scheme.label("scheme"),
                customer.c.value.label("value"),
                customer.c.name.label("name"),
            )
            .join(customer, customer.c.id == rating.c.customer_id)
            .where(condition, rating.c.id == newest, ~_is_merged())
            .order_by(rating.c.customer_id)
        )


def _is_merged() -> ColumnElement[bool]:
    return exists().where(
        customer_merge.c.customer_id == customer.c.id, stands(None, customer_merge)
    )


def _row(row: Row[Any]) -> ReviewRow:
    return ReviewRow(
        customer_id=row.customer_id,
        subject_id=f"{row.scheme}:{row.value}",
        name=row.name,
        rating=read_rating(row),
    )
