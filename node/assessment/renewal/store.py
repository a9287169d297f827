"""SQL of the queue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select, update

from node.assessment.renewal.tables import assessment_renewal
from node.assessment.tables import assessment, assessment_reader
from node.records.store.rows import chunk_values
from node.records.tables import customer


class RenewalCause(StrEnum):
    """Why a customer is to be assessed again."""

    DISPUTED = "disputed"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ERASED = "erased"
    REINSTATED = "reinstated"
    BAND_CHANGE = "band-change"
    OWN_DEFAULT = "own-default"


OWN_CAUSES = frozenset({RenewalCause.OWN_DEFAULT})  # the others tell what peers have said or done


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A customer who waits to be assessed again, for one cause."""

    renewal_id: int
    customer_id: int
    subject_id: str
    name: str
    cause: RenewalCause
    ref: str | None
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A cause for which a customer waits, and how often it has come."""

    renewal_id: int
    customer_id: int
    times: int


class RenewalStore:
    """One transaction's view of the queue."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def enter(self, customer_id: int, *, cause: RenewalCause, ref: str | None, at_ms: int) -> bool:
        """Have a customer wait for a cause; False, and counted, where it waits for that already."""
        again = self._connection.execute(
            update(assessment_renewal)
            .where(
                assessment_renewal.c.ended_at_ms.is_(None),
                assessment_renewal.c.customer_id == customer_id,
                assessment_renewal.c.cause == cause.value,
            )
            .values(times=assessment_renewal.c.times + 1)
        )
        if again.rowcount:
            return False
        self._connection.execute(
            insert(assessment_renewal).values(
                customer_id=customer_id, cause=cause.value, ref=ref, entered_at_ms=at_ms, times=1
            )
        )
        return True

    def has_open(self) -> bool:
        """Tell whether anybody waits."""
        query = select(assessment_renewal.c.id).where(assessment_renewal.c.ended_at_ms.is_(None))
        return self._connection.execute(query.limit(1)).first() is not None

    def list_marks(self, customer_ids: Sequence[int]) -> list[Mark]:
        """Return for what some customers wait, as it stands now."""
        table = assessment_renewal
        return [
            Mark(renewal_id=row.id, customer_id=row.customer_id, times=row.times)
            for part in chunk_values(customer_ids)
            for row in self._connection.execute(
                select(table.c.id, table.c.customer_id, table.c.times)
                .where(table.c.ended_at_ms.is_(None), table.c.customer_id.in_(part))
                .order_by(table.c.id)
            )
        ]

    def end(self, marks: Collection[Mark], *, assessment_id: int, at_ms: int) -> int:
        """Let customers wait no longer for some causes; return how many that ended."""
        ended = self._connection.execute(
            update(assessment_renewal)
            .where(
                assessment_renewal.c.ended_at_ms.is_(None),
                assessment_renewal.c.id.in_([one.renewal_id for one in marks]),
            )
            .values(ended_by_id=assessment_id, ended_at_ms=at_ms)
        )
        return ended.rowcount

    def list_waiting(self, causes: Collection[RenewalCause]) -> list[tuple[int, RenewalCause]]:
        """Return everybody who waits for some causes, in the order of entry."""
        rows = self._connection.execute(
            select(assessment_renewal.c.customer_id, assessment_renewal.c.cause)
            .where(
                assessment_renewal.c.ended_at_ms.is_(None),
                assessment_renewal.c.cause.in_([cause.value for cause in causes]),
            )
            .order_by(assessment_renewal.c.id)
        )
        return [(key, RenewalCause(cause)) for key, cause in rows]

    def list_open(
        self,
        *,
        causes: Collection[RenewalCause],
        customer_ids: Collection[int] | None = None,
        after: int = 0,
        limit: int,
    ) -> list[Renewal]:
        """Return who waits, in the order of entry."""
        query = (
            select(assessment_renewal, customer.c.scheme, customer.c.value, customer.c.name)
            .join(customer, customer.c.id == assessment_renewal.c.customer_id)
            .where(
                assessment_renewal.c.ended_at_ms.is_(None),
                assessment_renewal.c.id > after,
                assessment_renewal.c.cause.in_([cause.value for cause in causes]),
            )
            .order_by(assessment_renewal.c.id)
            .limit(limit)
        )
        if customer_ids is not None:
            query = query.where(assessment_renewal.c.customer_id.in_(customer_ids))
        return [
            Renewal(
                renewal_id=row.id,
                customer_id=row.customer_id,
                subject_id=f"{row.scheme}:{row.value}",
                name=row.name,
                cause=RenewalCause(row.cause),
                ref=row.ref,
                entered_at_ms=row.entered_at_ms,
            )
            for row in self._connection.execute(query)
        ]

    def list_users(self, refs: Sequence[str], *, code: str) -> list[int]:
        """Return customers in whose newest assessment one of these messages has a line."""
        newer = assessment.alias()
        newest = (
            select(func.max(newer.c.id))
            .where(newer.c.customer_id == assessment.c.customer_id)
            .scalar_subquery()
        )
        query = (
            select(assessment.c.customer_id)
            .join(assessment_reader, assessment_reader.c.assessment_id == assessment.c.id)
            .where(
                assessment_reader.c.ref.in_(refs),
                assessment_reader.c.code == code,
                assessment.c.id == newest,
            )
            .distinct()
        )
        return sorted(self._connection.execute(query).scalars())

    def find_newest_day(self, customer_ids: Collection[int]) -> date | None:
        """Return the newest day as of which a customer was assessed; None where it never was."""
        query = select(func.max(assessment.c.as_of)).where(
            assessment.c.customer_id.in_(customer_ids)
        )
        found: date | None = self._connection.execute(query).scalar_one()
        return found
