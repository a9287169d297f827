"""Reading events and derived figures of customers, and keeping the derived ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select

from node.core.database import ID_MAX
from node.records.behaviour import AdverseEvent, MonthBehaviour
from node.records.rules_behaviour import InvoiceItem, PaidPart
from node.records.store.month_rows import StoredMonth, format_month_row, parse_month_row
from node.records.tables import adverse_event, behaviour_month, customer, invoice, payment

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

IN_VALUES_MAX = 500  # values of one IN list


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The ledger of one customer and currency: everything invoiced minus everything received."""

    currency: str
    balance_minor: int
    unapplied_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPosition:
    """How much was ever sold to a customer in one currency, and when."""

    currency: str
    invoice_count: int
    first_sale_on: date
    last_sale_on: date


class RecordsStore:
    """Reads the room's tables on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_customer(self, *, scheme: str, value: str) -> CustomerRecord | None:
        """Return the customer with this identifier."""
        row = self._connection.execute(
            select(customer).where(customer.c.scheme == scheme, customer.c.value == value)
        ).first()
        return None if row is None else _customer(row)

    def find_customer_by_id(self, customer_id: int) -> CustomerRecord | None:
        """Return the customer with this key of ours."""
        if not 0 < customer_id <= ID_MAX:
            return None
        row = self._connection.execute(select(customer).where(customer.c.id == customer_id)).first()
        return None if row is None else _customer(row)

    def list_customers(self, *, limit: int, after: int = 0) -> list[CustomerRecord]:
        """Return a page of customers in the order of their keys."""
        rows = self._connection.execute(
            select(customer).where(customer.c.id > after).order_by(customer.c.id).limit(limit)
        )
        return [_customer(row) for row in rows]

    def count_customers(self) -> int:
        """Return the number of customers."""
        return self._connection.execute(select(func.count()).select_from(customer)).scalar_one()

    def list_positions(self, customer_id: int, *, as_of: date) -> list[CustomerPosition]:
        """Return sales by currency up to a date: most invoices first, then by currency."""
        count = func.count()
        rows = self._connection.execute(
            select(
                invoice.c.currency,
                count,
                func.min(invoice.c.issued_on),
                func.max(invoice.c.issued_on),
            )
            .where(invoice.c.customer_id == customer_id, invoice.c.issued_on <= as_of)
            .group_by(invoice.c.currency)
            .order_by(count.desc(), invoice.c.currency)
        )
        return [
            CustomerPosition(
                currency=currency, invoice_count=number, first_sale_on=first, last_sale_on=last
            )
            for currency, number, first, last in rows
        ]

    def list_items(
        self,
        customer_id: int,
        *,
        currency: str,
        months: tuple[int, int] | None = None,
        except_months: Collection[int] = (),
    ) -> list[InvoiceItem]:
        """Return a customer's invoices and their payments; ``months`` bounds when they fall due."""
        conditions = [invoice.c.customer_id == customer_id, invoice.c.currency == currency]
        if months is not None:
            conditions.append(invoice.c.due_month.between(*months))
        if except_months:
            conditions.append(invoice.c.due_month.not_in(sorted(except_months)))
        return [item for _customer_id, _currency, item in self._iterate_items(*conditions)]

    def list_open_items(self, customer_id: int, *, currency: str, as_of: date) -> list[InvoiceItem]:
        """Return what was issued and not fully paid on a date, with the payments up to it."""
        applied = (
            select(
                payment.c.invoice_id,
                func.sum(payment.c.amount_minor).label("paid_minor"),
            )
            .where(
                payment.c.customer_id == customer_id,
                payment.c.currency == currency,
                payment.c.paid_on <= as_of,
                payment.c.invoice_id.is_not(None),
            )
            .group_by(payment.c.invoice_id)
            .subquery()
        )
        paid_minor = func.coalesce(applied.c.paid_minor, 0)
        rows = self._connection.execute(
            select(
                invoice.c.issued_on,
                invoice.c.due_on,
                invoice.c.due_business_on,
                invoice.c.amount_minor,
                invoice.c.disputed_minor,
                paid_minor,
            )
            .select_from(invoice.outerjoin(applied, applied.c.invoice_id == invoice.c.id))
            .where(
                invoice.c.customer_id == customer_id,
                invoice.c.currency == currency,
                invoice.c.issued_on <= as_of,
                invoice.c.amount_minor > paid_minor,
            )
            .order_by(invoice.c.due_business_on, invoice.c.id)
        )
        return [
            InvoiceItem(
                issued_on=issued_on,
                due_on=due_on,
                due_business_on=due_business_on,
                amount_minor=amount_minor,
                disputed_minor=disputed_minor,
                paid=(PaidPart(paid_on=as_of, amount_minor=int(paid)),) if paid else (),
            )
            for issued_on, due_on, due_business_on, amount_minor, disputed_minor, paid in rows
        ]

    def iterate_items_of(
        self, customer_ids: Sequence[int]
    ) -> Iterator[tuple[int, str, list[InvoiceItem]]]:
        """Yield (customer, currency, all its invoices), in key order."""
        for start in range(0, len(customer_ids), IN_VALUES_MAX):
            part = customer_ids[start : start + IN_VALUES_MAX]
            rows = self._iterate_items(invoice.c.customer_id.in_(part))
            for (customer_id, currency), group in groupby(rows, key=lambda row: row[:2]):
                yield customer_id, currency, [item for _, _, item in group]

    def get_balance(self, customer_id: int, *, currency: str, as_of: date) -> Balance:
        """Return the ledger balance on a date from sums alone, which the ageing is held against.

        A receipt is unapplied while the invoice it was for has not been issued.
        """
        invoiced = self._sum_invoices(customer_id, currency, invoice.c.issued_on <= as_of)
        received = self._sum_payments(customer_id, currency, payment.c.paid_on <= as_of)
        unapplied = self._connection.execute(
            select(func.coalesce(func.sum(payment.c.amount_minor), 0))
            .select_from(payment.outerjoin(invoice, invoice.c.id == payment.c.invoice_id))
            .where(
                payment.c.customer_id == customer_id,
                payment.c.currency == currency,
                payment.c.paid_on <= as_of,
                or_(payment.c.invoice_id.is_(None), invoice.c.issued_on > as_of),
            )
        ).scalar_one()
        return Balance(
            currency=currency, balance_minor=invoiced - received, unapplied_minor=int(unapplied)
        )

    def get_opening_balance(self, customer_id: int, *, currency: str, before: date) -> int:
        """Return the balance at the start of a day."""
        invoiced = self._sum_invoices(customer_id, currency, invoice.c.issued_on < before)
        return invoiced - self._sum_payments(customer_id, currency, payment.c.paid_on < before)

    def list_balance_changes(
        self, customer_id: int, *, currency: str, first: date, last: date
    ) -> list[tuple[date, int]]:
        """Return what was invoiced (positive) and received (negative), day by day."""
        invoiced = self._connection.execute(
            select(invoice.c.issued_on, func.sum(invoice.c.amount_minor))
            .where(
                invoice.c.customer_id == customer_id,
                invoice.c.currency == currency,
                invoice.c.issued_on.between(first, last),
            )
            .group_by(invoice.c.issued_on)
        ).all()
        received = self._connection.execute(
            select(payment.c.paid_on, func.sum(payment.c.amount_minor))
            .where(
                payment.c.customer_id == customer_id,
                payment.c.currency == currency,
                payment.c.paid_on.between(first, last),
            )
            .group_by(payment.c.paid_on)
        ).all()
        changes = [(day, int(minor)) for day, minor in invoiced]
        return changes + [(day, -int(minor)) for day, minor in received]

    def list_adverse_events(self, customer_id: int, *, as_of: date) -> list[AdverseEvent]:
        """Return what had happened by a date, and whether it was settled by then."""
        rows = self._connection.execute(
            select(adverse_event.c.kind, adverse_event.c.happened_on, adverse_event.c.settled_on)
            .where(adverse_event.c.customer_id == customer_id, adverse_event.c.happened_on <= as_of)
            .order_by(adverse_event.c.happened_on, adverse_event.c.id)
        )
        return [
            AdverseEvent(
                kind=kind,
                happened_on=happened_on,
                settled=settled_on is not None and settled_on <= as_of,
            )
            for kind, happened_on, settled_on in rows
        ]

    def list_held_months(
        self, customer_id: int, *, currency: str, months: tuple[int, int], as_of: date
    ) -> list[MonthBehaviour]:
        """Return the rolled-up months that hold on this date."""
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
        for start in range(0, len(customer_ids), IN_VALUES_MAX):
            part = customer_ids[start : start + IN_VALUES_MAX]
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
        for start in range(0, len(customer_ids), IN_VALUES_MAX):
            part = customer_ids[start : start + IN_VALUES_MAX]
            self._connection.execute(
                delete(behaviour_month).where(behaviour_month.c.customer_id.in_(part))
            )
        rows = [format_month_row(month) for month in months]
        if rows:
            self._connection.execute(insert(behaviour_month), rows)
        return len(rows)

    def _iterate_items(
        self, *conditions: ColumnElement[bool]
    ) -> Iterator[tuple[int, str, InvoiceItem]]:
        rows = self._connection.execute(
            select(
                invoice.c.id,
                invoice.c.customer_id,
                invoice.c.currency,
                invoice.c.issued_on,
                invoice.c.due_on,
                invoice.c.due_business_on,
                invoice.c.amount_minor,
                invoice.c.disputed_minor,
                payment.c.paid_on,
                payment.c.amount_minor.label("paid_minor"),
            )
            .select_from(invoice.outerjoin(payment, payment.c.invoice_id == invoice.c.id))
            .where(*conditions)
            .order_by(
                invoice.c.customer_id,
                invoice.c.currency,
                invoice.c.due_month,
                invoice.c.due_business_on,
                invoice.c.id,
                payment.c.paid_on,
                payment.c.id,
            )
        )
        for _invoice_id, group in groupby(rows, key=lambda row: row[0]):
            lines = list(group)
            first = lines[0]
            paid = tuple(
                PaidPart(paid_on=line.paid_on, amount_minor=line.paid_minor)
                for line in lines
                if line.paid_on is not None
            )
            item = InvoiceItem(
                issued_on=first.issued_on,
                due_on=first.due_on,
                due_business_on=first.due_business_on,
                amount_minor=first.amount_minor,
                disputed_minor=first.disputed_minor,
                paid=paid,
            )
            yield first.customer_id, first.currency, item

    def _sum_invoices(self, customer_id: int, currency: str, condition: ColumnElement[bool]) -> int:
        total = self._connection.execute(
            select(func.coalesce(func.sum(invoice.c.amount_minor), 0)).where(
                invoice.c.customer_id == customer_id, invoice.c.currency == currency, condition
            )
        ).scalar_one()
        return int(total)

    def _sum_payments(self, customer_id: int, currency: str, condition: ColumnElement[bool]) -> int:
        total = self._connection.execute(
            select(func.coalesce(func.sum(payment.c.amount_minor), 0)).where(
                payment.c.customer_id == customer_id, payment.c.currency == currency, condition
            )
        ).scalar_one()
        return int(total)


def _customer(row: Row[Any]) -> CustomerRecord:
    return CustomerRecord(
        customer_id=row.id,
        scheme=row.scheme,
        value=row.value,
        name=row.name,
        country=row.country,
        kind=row.kind,
    )
