"""Sums of the ledger for turnover and collection, of one customer or of all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, case, func, select

from node.records.rules_ageing import AgeingBase, OpenItem
from node.records.rules_ledger import ItemKind
from node.records.store.visibility import counts, left_of_debit, sum_applied, sum_disputed
from node.records.tables import allocation, ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection

_item = ledger_item
SALES_KINDS = (ItemKind.INVOICE, ItemKind.CREDIT_NOTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDay:
    """What is open of everything owed that happened on one day."""

    happened_on: date
    open_minor: int
    open_not_due_minor: int
    open_invoices_minor: int


AGED_FROM: dict[AgeingBase, ColumnElement[date]] = {
    AgeingBase.DUE: _item.c.due_on,
    AgeingBase.BUSINESS_DUE: _item.c.due_business_on,
    AgeingBase.ISSUED: _item.c.happened_on,
}


class TurnoverStore:
    """Reads sums on the connection of one unit of work."""

    def __init__(
        self,
        connection: Connection,
        *,
        currency: str,
        customer_id: int | None = None,
        known_at_ms: int | None = None,
    ) -> None:
        """Of one currency; of all customers without ``customer_id``."""
        self._connection = connection
        self._known_at_ms = known_at_ms
        self._conditions: list[ColumnElement[bool]] = [
            _item.c.currency == currency,
            counts(known_at_ms),
        ]
        if customer_id is not None:
            self._conditions.append(_item.c.customer_id == customer_id)

    def sum_balance(self, as_of: date) -> int:
        """Return everything owed less everything to the customers' credit, in minor units."""
        return self._sum(_item.c.happened_on <= as_of)

    def list_sales(self, *, last: date) -> list[tuple[date, int]]:
        """Return what each day invoiced less what it credited, in minor units, up to a day."""
        rows = self._connection.execute(
            select(_item.c.happened_on, func.sum(_item.c.amount_minor))
            .where(*self._conditions, _item.c.kind.in_(SALES_KINDS), _item.c.happened_on <= last)
            .group_by(_item.c.happened_on)
        )
        return [(day, int(minor)) for day, minor in rows]

    def list_open_days(self, as_of: date) -> list[OpenDay]:
        """Return what was open on a date, by the day on which it happened."""
        left = left_of_debit(as_of=as_of, known_at_ms=self._known_at_ms)
        items = (
            select(
                _item.c.happened_on,
                _item.c.due_on,
                _item.c.kind,
                left.label("open_minor"),
            )
            .where(*self._conditions, _item.c.amount_minor > 0, _item.c.happened_on <= as_of)
            .subquery()
        )
        rows = self._connection.execute(
            select(
                items.c.happened_on,
                func.sum(items.c.open_minor),
                func.sum(case((items.c.due_on >= as_of, items.c.open_minor), else_=0)),
                func.sum(case((items.c.kind == ItemKind.INVOICE, items.c.open_minor), else_=0)),
            )
            .where(items.c.open_minor > 0)
            .group_by(items.c.happened_on)
            .order_by(items.c.happened_on)
        )
        return [
            OpenDay(
                happened_on=happened_on,
                open_minor=int(open_minor),
                open_not_due_minor=int(not_due),
                open_invoices_minor=int(invoices),
            )
            for happened_on, open_minor, not_due, invoices in rows
        ]

    def list_open_by(self, base: AgeingBase, *, as_of: date) -> list[OpenItem]:
        """Return what was open on a date of everything owed, summed by the day it ages from."""
        known = self._known_at_ms
        left = left_of_debit(as_of=as_of, known_at_ms=known)
        items = (
            select(
                AGED_FROM[base].label("day"),
                left.label("open_minor"),
                sum_disputed(as_of=as_of, known_at_ms=known).label("disputed_minor"),
            )
            .where(*self._conditions, _item.c.amount_minor > 0, _item.c.happened_on <= as_of)
            .subquery()
        )
        least = case(
            (items.c.disputed_minor < items.c.open_minor, items.c.disputed_minor),
            else_=items.c.open_minor,
        )
        rows = self._connection.execute(
            select(items.c.day, func.sum(items.c.open_minor), func.sum(least))
            .where(items.c.open_minor > 0)
            .group_by(items.c.day)
        )
        return [
            OpenItem(
                happened_on=on,
                due_on=on,
                due_business_on=on,
                open_minor=int(open_minor),
                disputed_minor=int(disputed_minor),
            )
            for on, open_minor, disputed_minor in rows
        ]

    def count_sales(self, *, first: date, last: date) -> int:
        """Return how many lines were invoiced or credited in a time."""
        return self._count(_item.c.kind.in_(SALES_KINDS), _item.c.happened_on.between(first, last))

    def count_open(self, as_of: date) -> int:
        """Return how many items were open on a date of everything owed."""
        left = left_of_debit(as_of=as_of, known_at_ms=self._known_at_ms)
        return self._count(_item.c.amount_minor > 0, _item.c.happened_on <= as_of, left > 0)

    def sum_written_off(self, *, first: date, last: date) -> tuple[int, int]:
        """Return what was written off in a time less what was owed again, and how many rows."""
        conditions = (
            _item.c.kind.in_((ItemKind.WRITE_OFF, ItemKind.REVERSAL)),
            _item.c.happened_on.between(first, last),
        )
        return -self._sum(*conditions), self._count(*conditions)

    def sum_unapplied(self, as_of: date) -> int:
        """Return what was received or credited and not applied by a date, in minor units."""
        applied = sum_applied(allocation.c.credit_id, as_of=as_of, known_at_ms=self._known_at_ms)
        total = self._connection.execute(
            select(func.coalesce(func.sum(-_item.c.amount_minor - applied), 0)).where(
                *self._conditions, _item.c.amount_minor < 0, _item.c.happened_on <= as_of
            )
        ).scalar_one()
        return int(total)

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(_item).where(*self._conditions, *conditions)
        return int(self._connection.execute(counted).scalar_one())

    def _sum(self, *conditions: ColumnElement[bool]) -> int:
        total = self._connection.execute(
            select(func.coalesce(func.sum(_item.c.amount_minor), 0)).where(
                *self._conditions, *conditions
            )
        ).scalar_one()
        return int(total)
