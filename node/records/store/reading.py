"""Reading events and derived figures of customers, and keeping the derived ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)

from node.core.database import INTEGER_MAX, is_key_of, parse_key
from node.records.behaviour import AdverseEvent, MonthBehaviour
from node.records.store.adverse import AdverseStore
from node.records.store.customers import CustomerStore, select_ids
from node.records.store.holding import HoldingStore
from node.records.store.ledger import LedgerStore
from node.records.store.month_rows import StoredMonth, format_month_row, parse_month_row
from node.records.store.rows import chunk_values
from node.records.store.visibility import Moment, param_moment, stands
from node.records.tables import (
    behaviour_month,
    customer,
    customer_merge,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """Who owes. Of the kinds ``company``, ``person``, ``collective`` peers see only the first."""

    customer_id: int
    scheme: str
    value: str
    name: str
    country: str
    kind: str

    @property
    def subject_id(self) -> str:
        """The identifier as messages write it."""
        return f"{self.scheme}:{self.value}"


class RecordsStore:
    """Reads the room's tables on the connection of one unit of work."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        """Read what is known now, or of the ledger and adverse facts what was at a moment."""
        self._connection = connection
        self._known_at_ms = known_at_ms
        self.ledger = LedgerStore(connection, known_at_ms=known_at_ms)
        self.holding = HoldingStore(connection)

    def find_customer(
        self, *, scheme: str, value: str, known_at_ms: int | None = None
    ) -> CustomerRecord | None:
        """Return the customer with this identifier, or the one that it turned out to be.

        With ``known_at_ms`` what was merged later stands by itself.
        """
        ids = select_ids(self._connection, scheme, [value]).subquery()
        return self._find_end(customer.c.id.in_(select(ids.c.id)), known_at_ms=known_at_ms)

    def find_customer_by_id(
        self, customer_id: int, *, known_at_ms: int | None = None
    ) -> CustomerRecord | None:
        """Return the customer with this key of ours, or the one that it turned out to be.

        With ``known_at_ms`` what was merged later stands by itself.
        """
        if not is_key_of(customer.c.id, customer_id):
            return None
        return self._follow(customer_id, known_at_ms=known_at_ms)

    def _find_end(
        self, condition: ColumnElement[bool], *, known_at_ms: int | None
    ) -> CustomerRecord | None:
        """Return the customer that the one of a condition turned out to be, or itself."""
        row = self._connection.execute(_select_ends(known_at_ms).where(condition)).first()
        if row is None or row.into_id is None:
            return None if row is None else _customer(row)
        return self._follow(row.into_id, known_at_ms=known_at_ms)

    def _follow(self, customer_id: int, *, known_at_ms: int | None) -> CustomerRecord | None:
        query, key = _select_end(is_now=known_at_ms is None), customer_id
        while True:
            params = {"customer_id": key, "known_at_ms": known_at_ms}
            row = self._connection.execute(query, params).first()
            if row is None or row.into_id is None:
                return None if row is None else _customer(row)
            key = row.into_id

    def find_customer_named(
        self, text: str, *, known_at_ms: int | None = None
    ) -> CustomerRecord | None:
        """Return the customer of a number of ours or a subject id ``scheme:value``."""
        if not text.isprintable():  # Databases refuse a part of what is not.
            return None
        scheme, colon, value = text.partition(":")
        if colon:
            return self.find_customer(scheme=scheme, value=value, known_at_ms=known_at_ms)
        key = parse_key(text)
        return None if key is None else self.find_customer_by_id(key, known_at_ms=known_at_ms)

    def list_customers(self, *, limit: int, after: int = 0) -> list[CustomerRecord]:
        """Return a page of customers in the order of their keys."""
        rows = self._connection.execute(
            select(customer)
            .where(customer.c.id > min(after, INTEGER_MAX), ~_is_merged())
            .order_by(customer.c.id)
            .limit(limit)
        )
        return [_customer(row) for row in rows]

    def list_customers_between(self, after: int, until: int) -> list[CustomerRecord]:
        """Return the customers behind one key up to another one, merged ones not."""
        rows = self._connection.execute(
            select(customer)
            .where(customer.c.id.between(after + 1, until), ~_is_merged())
            .order_by(customer.c.id)
        )
        return [_customer(row) for row in rows]

    def list_named_customers(self, customer_ids: Sequence[int]) -> dict[int, CustomerRecord]:
        """Return customers by their keys, as they were entered, be they merged or not."""
        found: dict[int, CustomerRecord] = {}
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(select(customer).where(customer.c.id.in_(part)))
            found |= {row.id: _customer(row) for row in rows}
        return found

    def find_stretch_end(self, after: int, *, size: int) -> int | None:
        """Return the key of the last of so many customers behind a key; None where none is."""
        stretch = (
            select(customer.c.id)
            .where(customer.c.id > after)
            .order_by(customer.c.id)
            .limit(size)
            .subquery()
        )
        newest: int | None = self._connection.execute(select(func.max(stretch.c.id))).scalar_one()
        return newest

    def count_customers(self) -> int:
        """Return the number of customers."""
        return self._connection.execute(
            select(func.count()).select_from(customer).where(~_is_merged())
        ).scalar_one()

    def list_adverse_events(self, customer_id: int, *, as_of: date) -> list[AdverseEvent]:
        """Return what had happened by a date, and whether it was settled by then.

        A default is among it once another person has confirmed it; a fact is not any more once an
        objection was upheld. For our own use: what others may know is ``node.records.shareable``.
        """
        facts = AdverseStore(self._connection).list_facts(
            self.list_ids(customer_id), known_at_ms=self._known_at_ms
        )
        return [fact.to_event(as_of) for fact in facts if fact.counts_on(as_of)]

    def list_ids(self, customer_id: int, *, known_at_ms: int | None = None) -> list[int]:
        """Return the key of a customer and of those that turned out to be it by a moment."""
        merged = CustomerStore(self._connection).list_merged(customer_id, known_at_ms=known_at_ms)
        return [customer_id, *(row.customer_id for row in merged)]

    def list_ids_of(
        self, customer_ids: Sequence[int], *, known_at_ms: int | None = None
    ) -> dict[int, list[int]]:
        """Return the key of each customer with those that turned out to be it by a moment."""
        return CustomerStore(self._connection).list_merged_into(
            customer_ids, known_at_ms=known_at_ms
        )

    def list_held_months(
        self, customer_id: int, *, currency: str, months: tuple[int, int], as_of: date
    ) -> list[MonthBehaviour]:
        """Return the rolled-up months that hold on this date; they know all that is known now."""
        if self._known_at_ms is not None:
            return []
        rows = self._connection.execute(
            select(behaviour_month)
            .where(
                behaviour_month.c.customer_id == customer_id,
                behaviour_month.c.currency == currency,
                behaviour_month.c.month.between(*months),
                or_(
                    behaviour_month.c.as_of == as_of,
                    and_(behaviour_month.c.settled, behaviour_month.c.as_of <= as_of),
                ),
            )
            .order_by(behaviour_month.c.month)
        )
        return [parse_month_row(row).behaviour for row in rows]

    def list_stored_months(self, customer_ids: Sequence[int]) -> list[StoredMonth]:
        """Return every rolled-up month of some customers."""
        stored: list[StoredMonth] = []
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(behaviour_month)
                .where(behaviour_month.c.customer_id.in_(part))
                .order_by(
                    behaviour_month.c.customer_id,
                    behaviour_month.c.currency,
                    behaviour_month.c.month,
                )
            )
            stored.extend(parse_month_row(row) for row in rows)
        return stored

    def replace_months(self, customer_ids: Sequence[int], months: Iterable[StoredMonth]) -> int:
        """Keep these rolled-up months of some customers instead of what is there."""
        for part in chunk_values(customer_ids):
            self._connection.execute(
                delete(behaviour_month).where(behaviour_month.c.customer_id.in_(part))
            )
        rows = [format_month_row(month) for month in months]
        if rows:
            self._connection.execute(insert(behaviour_month), rows)
        return len(rows)


def _is_merged() -> ColumnElement[bool]:
    return exists().where(
        customer_merge.c.customer_id == customer.c.id, stands(None, customer_merge)
    )


def _customer(row: Row[Any]) -> CustomerRecord:
    return CustomerRecord(
        customer_id=row.id,
        scheme=row.scheme,
        value=row.value,
        name=row.name,
        country=row.country,
        kind=row.kind,
    )


def _select_ends(known_at_ms: Moment | None) -> Select[Any]:
    is_merged = and_(
        customer_merge.c.customer_id == customer.c.id, stands(known_at_ms, customer_merge)
    )
    return select(customer, customer_merge.c.into_id).outerjoin(customer_merge, is_merged)


@cache
def _select_end(*, is_now: bool) -> Select[Any]:
    """Return what selects ``customer_id``, and which one it turned out to be; made once."""
    known_at_ms = param_moment(is_now=is_now)
    return _select_ends(known_at_ms).where(customer.c.id == bindparam("customer_id"))
