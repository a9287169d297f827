"""Reading the open-item ledger of customers: as of any date, and as it was known at any moment.

An item counts unless it was corrected. What was known at a moment is what had been entered by then:
items, applications, corrections and disputes alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, select, true

from node.records.rules_ageing import OpenItem
from node.records.rules_behaviour import AppliedPart, DisputedPart, InvoiceItem
from node.records.rules_ledger import (
    PAYING_KINDS,
    ItemKind,
    OpenDebit,
)
from node.records.store.rows import chunk_values, is_among
from node.records.store.visibility import closes, counts, is_known, left_of_debit
from node.records.tables import allocation, dispute, dispute_closure, ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

SOURCES_MAX = 500  # names of systems that items come from

_item = ledger_item
_credit = ledger_item.alias("credit")
_OPEN_COLUMNS: tuple[ColumnElement[Any], ...] = (
    _item.c.id,
    _item.c.kind,
    _item.c.document_no,
    _item.c.happened_on,
    _item.c.due_on,
    _item.c.due_business_on,
)
_INVOICE_COLUMNS: tuple[ColumnElement[Any], ...] = (
    *_OPEN_COLUMNS,
    _item.c.customer_id,
    _item.c.currency,
    _item.c.amount_minor,
    _credit.c.kind.label("credit_kind"),
    _credit.c.happened_on.label("paid_on"),
    allocation.c.allocated_on,
    allocation.c.amount_minor.label("applied_minor"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPosition:
    """How much was ever sold to a customer in one currency, and when."""

    currency: str
    invoice_count: int
    first_sale_on: date
    last_sale_on: date


class LedgerStore:
    """Reads the ledger on the connection of one unit of work."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        """Read what is known now, or what was known at a moment."""
        self._connection = connection
        self._known_at_ms = known_at_ms

    def list_open_debits(self, customer_id: int, *, currency: str) -> list[OpenDebit]:
        """Return what is owed and not fully applied, whatever its date."""
        rows = self._select_open(customer_id, currency, as_of=date.max)
        return [_open_debit(row) for row in rows]

    def list_sources(self) -> list[str]:
        """Return the sources of all items, each by one step in the index of their names."""
        sources: list[str] = []
        while len(sources) < SOURCES_MAX:
            after = _item.c.source > sources[-1] if sources else true()
            found = self._connection.execute(
                select(func.min(_item.c.source)).where(after)
            ).scalar_one()
            if found is None:
                break
            sources.append(found)
        return sources

    def list_open_documents(
        self, document_nos: Sequence[str], *, sources: Sequence[str], currency: str
    ) -> dict[int, list[OpenDebit]]:
        """Return what is open of the documents of these numbers, by customer, whoever they are.

        The sources are all that there are (``list_sources``): items are found by their names.
        """
        open_minor = left_of_debit(as_of=date.max, known_at_ms=self._known_at_ms)
        columns = (*_OPEN_COLUMNS, _item.c.customer_id, open_minor.label("open_minor"))
        found: dict[int, list[OpenDebit]] = {}
        for part in chunk_values(document_nos):
            rows = self._connection.execute(
                select(*columns)
                .where(
                    _item.c.source.in_(sources),
                    _item.c.kind.in_([kind for kind in ItemKind if kind.is_debit]),
                    _item.c.document_no.in_(part),
                    _item.c.currency == currency,
                    _item.c.amount_minor > 0,
                    counts(self._known_at_ms),
                    open_minor > 0,
                )
                .order_by(_item.c.id)
            )
            for row in rows:
                found.setdefault(row.customer_id, []).append(_open_debit(row))
        return found

    def list_positions(self, customer_id: int, *, as_of: date) -> list[CustomerPosition]:
        """Return sales by currency up to a date: most invoices first, then by currency."""
        count = func.count()
        rows = self._connection.execute(
            select(
                _item.c.currency,
                count,
                func.min(_item.c.happened_on),
                func.max(_item.c.happened_on),
            )
            .where(
                _item.c.customer_id == customer_id,
                _item.c.kind == ItemKind.INVOICE,
                _item.c.happened_on <= as_of,
                counts(self._known_at_ms),
            )
            .group_by(_item.c.currency)
            .order_by(count.desc(), _item.c.currency)
        )
        return [
            CustomerPosition(
                currency=currency, invoice_count=number, first_sale_on=first, last_sale_on=last
            )
            for currency, number, first, last in rows
        ]

    def find_first_day(self, customer_id: int) -> date | None:
        """Return the day of a customer's first invoice, of those corrected since too."""
        found: date | None = self._connection.execute(
            select(func.min(_item.c.happened_on)).where(
                _item.c.customer_id == customer_id, _item.c.kind == ItemKind.INVOICE
            )
        ).scalar_one()
        return found

    def find_first_entry_ms(self) -> int | None:
        """Return when the first item of all was entered."""
        found: int | None = self._connection.execute(
            select(func.min(_item.c.entered_at_ms))
        ).scalar_one()
        return found

    def list_currencies(self, *, as_of: date, customer_id: int | None = None) -> list[str]:
        """Return the currencies in which anything had happened by a date, in their order.

        To all customers without ``customer_id``.
        """
        query = select(_item.c.currency).where(
            _item.c.happened_on <= as_of, counts(self._known_at_ms)
        )
        if customer_id is not None:
            query = query.where(_item.c.customer_id == customer_id)
        return list(self._connection.execute(query.distinct().order_by(_item.c.currency)).scalars())

    def list_invoices(
        self,
        customer_id: int,
        *,
        currency: str,
        months: tuple[int, int] | None = None,
        except_months: Collection[int] = (),
    ) -> list[InvoiceItem]:
        """Return a customer's invoices with all that was applied to them.

        ``months`` bounds when they fall due, by the month index.
        """
        conditions = [_item.c.customer_id == customer_id, _item.c.currency == currency]
        if months is not None:
            conditions.append(_item.c.due_month.between(*months))
        if except_months:
            conditions.append(_item.c.due_month.not_in(sorted(except_months)))
        return [invoice for _customer, _currency, invoice in self._iterate_invoices(*conditions)]

    def iterate_invoices_of(
        self, customer_ids: Sequence[int]
    ) -> Iterator[tuple[int, str, list[InvoiceItem]]]:
        """Yield (customer, currency, all its invoices), in key order."""
        for part in chunk_values(customer_ids):
            yield from self.iterate_invoices_where(_item.c.customer_id.in_(part))

    def iterate_invoices_where(
        self, *conditions: ColumnElement[bool]
    ) -> Iterator[tuple[int, str, list[InvoiceItem]]]:
        """Yield (customer, currency, the invoices of these conditions on items), in key order."""
        rows = self._iterate_invoices(*conditions)
        for (customer_id, currency), group in groupby(rows, key=lambda row: row[:2]):
            yield customer_id, currency, [invoice for _, _, invoice in group]

    def list_open_items(self, customer_id: int, *, currency: str, as_of: date) -> list[OpenItem]:
        """Return what of everything owed was open on a date, what fell due first at the front."""
        rows = self._select_open(customer_id, currency, as_of=as_of)
        if not rows:
            return []
        disputes = self._read_disputes(
            _item.c.customer_id == customer_id,
            _item.c.currency == currency,
            _item.c.amount_minor > 0,
        )
        return [_open_item(row, disputes.get(row.id, ()), as_of=as_of) for row in rows]

    def _select_open(self, customer_id: int, currency: str, *, as_of: date) -> Sequence[Row[Any]]:
        open_minor = left_of_debit(as_of=as_of, known_at_ms=self._known_at_ms)
        columns = (*_OPEN_COLUMNS, open_minor.label("open_minor"))
        return self._connection.execute(
            select(*columns)
            .where(
                _item.c.customer_id == customer_id,
                _item.c.currency == currency,
                _item.c.amount_minor > 0,
                _item.c.happened_on <= as_of,
                counts(self._known_at_ms),
                open_minor > 0,
            )
            .order_by(_item.c.due_business_on, _item.c.id)
        ).all()

    def get_opening_balance(self, customer_id: int, *, currency: str, before: date) -> int:
        """Return the balance at the start of a day, in minor units."""
        return self._sum_items(customer_id, currency, _item.c.happened_on < before)

    def list_balance_changes(
        self, customer_id: int, *, currency: str, first: date, last: date
    ) -> list[tuple[date, int]]:
        """Return what each day added to the balance, or took from it, in minor units."""
        rows = self._connection.execute(
            select(_item.c.happened_on, func.sum(_item.c.amount_minor))
            .where(
                _item.c.customer_id == customer_id,
                _item.c.currency == currency,
                _item.c.happened_on.between(first, last),
                counts(self._known_at_ms),
            )
            .group_by(_item.c.happened_on)
        )
        return [(day, int(minor)) for day, minor in rows]

    def _iterate_invoices(
        self, *conditions: ColumnElement[bool]
    ) -> Iterator[tuple[int, str, InvoiceItem]]:
        applied = and_(allocation.c.debit_id == _item.c.id, is_known(self._known_at_ms, allocation))
        rows = self._connection.execute(
            select(*_INVOICE_COLUMNS)
            .select_from(
                _item.outerjoin(allocation, applied).outerjoin(
                    _credit, _credit.c.id == allocation.c.credit_id
                )
            )
            .where(*conditions, _item.c.kind == ItemKind.INVOICE, counts(self._known_at_ms))
            .order_by(
                _item.c.customer_id,
                _item.c.currency,
                _item.c.due_month,
                _item.c.due_business_on,
                _item.c.id,
                _credit.c.happened_on,
                allocation.c.id,
            )
        ).all()
        # By what was found: by the conditions every item would be looked at once more.
        found = {row.id for row in rows}
        disputes = self._read_disputes(is_among(dispute.c.item_id, found)) if found else {}
        for item_id, group in groupby(rows, key=lambda row: row.id):
            lines = list(group)
            invoice = _invoice(lines, disputes.get(item_id, ()))
            yield lines[0].customer_id, lines[0].currency, invoice

    def _read_disputes(
        self, *conditions: ColumnElement[bool]
    ) -> dict[int, tuple[DisputedPart, ...]]:
        rows = self._connection.execute(
            select(
                dispute.c.item_id,
                dispute.c.amount_minor,
                dispute.c.opened_on,
                dispute_closure.c.closed_on,
            )
            .select_from(
                dispute.join(_item, _item.c.id == dispute.c.item_id).outerjoin(
                    dispute_closure, closes(self._known_at_ms)
                )
            )
            .where(*conditions, is_known(self._known_at_ms, dispute))
            .order_by(dispute.c.id)
        )
        disputes: dict[int, tuple[DisputedPart, ...]] = {}
        for item_id, amount_minor, opened_on, closed_on in rows:
            part = DisputedPart(amount_minor=amount_minor, opened_on=opened_on, closed_on=closed_on)
            disputes[item_id] = (*disputes.get(item_id, ()), part)
        return disputes

    def _sum_items(self, customer_id: int, currency: str, condition: ColumnElement[bool]) -> int:
        total = self._connection.execute(
            select(func.coalesce(func.sum(_item.c.amount_minor), 0)).where(
                _item.c.customer_id == customer_id,
                _item.c.currency == currency,
                condition,
                counts(self._known_at_ms),
            )
        ).scalar_one()
        return int(total)


def _invoice(lines: Sequence[Row[Any]], disputes: tuple[DisputedPart, ...]) -> InvoiceItem:
    paid: list[AppliedPart] = []
    credited: list[AppliedPart] = []
    for line in lines:
        if line.credit_kind in PAYING_KINDS:
            paid.append(_applied_part(line))
        elif line.credit_kind == ItemKind.CREDIT_NOTE:
            credited.append(_applied_part(line))
    first = lines[0]
    return InvoiceItem(
        issued_on=first.happened_on,
        due_on=first.due_on,
        due_business_on=first.due_business_on,
        amount_minor=first.amount_minor,
        paid=tuple(paid),
        credited=tuple(credited),
        disputes=disputes,
    )


def _applied_part(line: Row[Any]) -> AppliedPart:
    return AppliedPart(
        paid_on=line.paid_on, amount_minor=line.applied_minor, applied_on=line.allocated_on
    )


def _open_debit(row: Row[Any]) -> OpenDebit:
    return OpenDebit(
        item_id=row.id,
        kind=ItemKind(row.kind),
        document_no=row.document_no,
        happened_on=row.happened_on,
        due_on=row.due_on,
        open_minor=int(row.open_minor),
    )


def _open_item(row: Row[Any], disputes: Sequence[DisputedPart], *, as_of: date) -> OpenItem:
    disputed_minor = sum(part.amount_minor for part in disputes if part.is_open(as_of))
    return OpenItem(
        happened_on=row.happened_on,
        due_on=row.due_on,
        due_business_on=row.due_business_on,
        open_minor=int(row.open_minor),
        disputed_minor=min(disputed_minor, int(row.open_minor)),
    )
