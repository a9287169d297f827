"""Holds, archives and given-up write-offs; a row is never changed but for its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from node.core.database import is_key_of
from node.records.store.horizons import list_gone
from node.records.store.life_tables import (
    customer_archive,
    record_hold,
    records_horizon,
    write_off_closure,
)
from node.records.store.rows import chunk_values, insert_row, is_among_param

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """What is not deleted, on which basis; without an item all of the customer."""

    hold_id: int
    customer_id: int
    item_id: int | None
    basis: str
    begins_on: date
    ends_on: date | None
    entered_by: str
    entered_at_ms: int
    ended_by: str | None
    ended_at_ms: int | None
    end_reason: str | None

    def is_active(self, day: date) -> bool:
        """Tell whether it holds on a day."""
        begun = self.begins_on <= day and self.ended_at_ms is None
        return begun and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """That a relation is closed, and since when; ended where it was reopened."""

    customer_id: int
    closed_on: date
    reason: str
    entered_by: str
    entered_at_ms: int
    ended_by: str | None
    ended_at_ms: int | None
    end_reason: str | None


_EVERY_HORIZON = select(records_horizon.c.gone_until, records_horizon.c.known_until_ms)
_HORIZON = _EVERY_HORIZON.where(records_horizon.c.customer_id == bindparam("customer_id"))
_ARCHIVED = select(customer_archive.c.customer_id).where(
    is_among_param(customer_archive.c.customer_id, "customer_ids"),
    customer_archive.c.ended_at_ms.is_(None),
)


class HoldingStore:
    """Reads and writes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append_hold(
        self,
        customer_id: int,
        *,
        item_id: int | None,
        basis: str,
        begins_on: date,
        ends_on: date | None,
        by: str,
        at_ms: int,
    ) -> int:
        """Append a hold and return its key."""
        return insert_row(
            self._connection,
            record_hold,
            customer_id=customer_id,
            item_id=item_id,
            basis=basis,
            begins_on=begins_on,
            ends_on=ends_on,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def end_hold(self, hold_id: int, *, reason: str, by: str, at_ms: int) -> bool:
        """End a hold that stands; tell whether there was one."""
        if not is_key_of(record_hold.c.id, hold_id):
            return False
        result = self._connection.execute(
            update(record_hold)
            .where(record_hold.c.id == hold_id, record_hold.c.ended_at_ms.is_(None))
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )
        return result.rowcount == 1

    def list_holds(self, customer_ids: Sequence[int] | None = None) -> list[LegalHold]:
        """Return the holds of some customers, or all, ended ones among them."""
        query = select(record_hold).order_by(record_hold.c.id)
        if customer_ids is not None:
            query = query.where(record_hold.c.customer_id.in_(customer_ids))
        return [_hold(row) for row in self._connection.execute(query)]

    def append_archive(
        self, customer_id: int, *, closed_on: date, reason: str, by: str, at_ms: int
    ) -> None:
        """Append that a relation is closed."""
        self._connection.execute(
            insert(customer_archive).values(
                customer_id=customer_id,
                closed_on=closed_on,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )

    def end_archive(self, customer_id: int, *, reason: str, by: str, at_ms: int) -> bool:
        """Reopen a relation that is closed; tell whether it was."""
        result = self._connection.execute(
            update(customer_archive)
            .where(
                customer_archive.c.customer_id == customer_id,
                customer_archive.c.ended_at_ms.is_(None),
            )
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )
        return result.rowcount == 1

    def list_archives(self, customer_id: int) -> list[Archive]:
        """Return when a relation was closed and reopened, the newest last."""
        rows = self._connection.execute(
            select(customer_archive)
            .where(customer_archive.c.customer_id == customer_id)
            .order_by(customer_archive.c.id)
        )
        return [_archive(row) for row in rows]

    def find_archived(self, customer_ids: Sequence[int]) -> set[int]:
        """Return which of some customers are archived."""
        found: set[int] = set()
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(_ARCHIVED, {"customer_ids": part})
            found.update(rows.scalars())
        return found

    def list_archived(self) -> list[int]:
        """Return the keys of all archived customers."""
        rows = self._connection.execute(
            select(customer_archive.c.customer_id).where(customer_archive.c.ended_at_ms.is_(None))
        )
        return list(rows.scalars())

    def append_closure(
        self, item_id: int, *, closed_on: date, reason: str, by: str, at_ms: int
    ) -> None:
        """Append that a write-off is given up."""
        self._connection.execute(
            insert(write_off_closure).values(
                item_id=item_id,
                closed_on=closed_on,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )

    def is_given_up(self, item_id: int) -> bool:
        """Tell whether a write-off is given up."""
        query = select(write_off_closure.c.item_id).where(write_off_closure.c.item_id == item_id)
        return self._connection.execute(query).first() is not None

    def find_horizon(self, customer_id: int | None) -> tuple[date, int] | None:
        """Return the last day of what is gone of a customer, or of all, and when it was entered.

        The moment is in milliseconds since 1970.
        """
        query = _EVERY_HORIZON if customer_id is None else _HORIZON
        rows = self._connection.execute(query, {"customer_id": customer_id}).all()
        if not rows:
            return None
        return max(row.gone_until for row in rows), max(row.known_until_ms for row in rows)

    def list_gone(self, customer_ids: Sequence[int], *, as_of: date) -> set[int]:
        """Return of which of some customers records are gone that bear on a day."""
        return list_gone(self._connection, records_horizon, customer_ids, as_of=as_of)

    def list_first_sales(self, customer_id: int) -> dict[str, date]:
        """Return the first sale that is gone, by currency."""
        rows = self._connection.execute(
            select(records_horizon.c.currency, records_horizon.c.first_sale_on).where(
                records_horizon.c.customer_id == customer_id
            )
        )
        return {row.currency: row.first_sale_on for row in rows if row.first_sale_on is not None}


def _hold(row: Row[Any]) -> LegalHold:
    values = dict(row._mapping)  # noqa: SLF001  the documented name of a row's mapping
    return LegalHold(hold_id=values.pop("id"), **values)


def _archive(row: Row[Any]) -> Archive:
    values = dict(row._mapping)  # noqa: SLF001  the documented name of a row's mapping
    del values["id"]
    return Archive(**values)
