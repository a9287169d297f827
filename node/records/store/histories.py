"""Reading how many customers paid at once: each method is one statement for some hundred of them.

Sums that are weighted with amounts are summed in two halves, since twelve months of what fits into
64 bits need not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Integer, and_, case, func, literal_column, or_, select

from node.records.behaviour import AdverseEvent
from node.records.rules_behaviour import InvoiceItem
from node.records.rules_ledger import ItemKind
from node.records.store.adverse import AdverseStore
from node.records.store.ledger import CustomerPosition, LedgerStore
from node.records.store.life_tables import records_horizon
from node.records.store.rows import chunk_values, is_among
from node.records.store.visibility import counts, left_of_debit, stands, sum_disputed
from node.records.tables import allocation, behaviour_month, customer_merge, ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_LOW_BITS = 32
_LOW_MASK = 2**_LOW_BITS - 1
# A server shifts by an integer, and takes a value for a wide one.
_SHIFT = literal_column(str(_LOW_BITS), Integer)
_SIDE = 7  # sums of one side
_item = ledger_item
_month = behaviour_month
_COUNTS = [column for column in _month.c if column.name.startswith("count_")]
_WEIGHTED = (_month.c.amount_minor, _month.c.index_deci_by_amount, _month.c.late_days_by_amount)
_NEWER_SUMS: tuple[ColumnElement[int], ...] = (_month.c.disputed_count, *_COUNTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSum:
    """The held months of one customer on both sides of a month, summed up.

    Of the older ones there are the first three sums alone: they are for a trend.
    """

    customer_id: int
    newer: tuple[int, int, int, int]
    """Amount, index by amount, late days by amount, invoices."""
    older: tuple[int, int, int, int]
    disputed_count: int
    delay_counts: tuple[int, ...]
    newest_month: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GonePart:
    """Until when records of a customer in one currency are gone, and the first sale among them."""

    currency: str
    until: date
    first_sale_on: date | None


class HistoryStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_main_positions(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, CustomerPosition]:
        """Return the sales of each customer in its main currency: that of most invoices.

        One to whom nothing had been sold by the date is not among them.
        """
        main: dict[int, CustomerPosition] = {}
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(
                    _item.c.customer_id,
                    _item.c.currency,
                    func.count(),
                    func.min(_item.c.happened_on),
                    func.max(_item.c.happened_on),
                )
                .where(
                    is_among(_item.c.customer_id, part),
                    _item.c.kind == ItemKind.INVOICE,
                    _item.c.happened_on <= as_of,
                    counts(None),
                )
                .group_by(_item.c.customer_id, _item.c.currency)
            ).all()
            for key, currency, number, first, last in rows:
                held = main.get(key)
                if held is None or (-number, currency) < (-held.invoice_count, held.currency):
                    main[key] = CustomerPosition(
                        currency=currency,
                        invoice_count=number,
                        first_sale_on=first,
                        last_sale_on=last,
                    )
        return main

    def list_gone(self, customer_ids: Sequence[int]) -> dict[int, list[GonePart]]:
        """Return what is gone of each customer of whom anything is."""
        gone: dict[int, list[GonePart]] = {}
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(records_horizon).where(is_among(records_horizon.c.customer_id, part))
            )
            for row in rows:
                gone.setdefault(row.customer_id, []).append(
                    GonePart(
                        currency=row.currency, until=row.gone_until, first_sale_on=row.first_sale_on
                    )
                )
        return gone

    def list_held_spans(
        self, currencies: Mapping[int, str], *, months: tuple[int, int, int], as_of: date
    ) -> list[SpanSum]:
        """Sum up the rolled-up months that hold on a date, on each side of the middle edge."""
        first, newer_from, last = months
        is_newer, is_older = _month.c.month >= newer_from, _month.c.month < newer_from
        sums = [
            *(part for side in (is_newer, is_older) for part in _build_weighted(side)),
            func.max(case((_month.c.invoice_count > 0, _month.c.month))).filter(is_newer),
            *(func.sum(column).filter(is_newer) for column in _NEWER_SUMS),
        ]
        spans = []
        for part in chunk_values(list(currencies)):
            rows = self._connection.execute(
                select(_month.c.customer_id, _month.c.currency, *sums)
                .where(
                    is_among(_month.c.customer_id, part),
                    _month.c.month.between(first, last),
                    _holds(as_of),
                )
                .group_by(_month.c.customer_id, _month.c.currency)
            ).all()
            spans += [_span(row) for row in rows if row[1] == currencies[row[0]]]
        return spans

    def iterate_unheld_invoices(
        self, currencies: Mapping[int, str], *, months: tuple[int, int, int], as_of: date
    ) -> Iterator[tuple[int, list[InvoiceItem]]]:
        """Yield each customer with its invoices of months that are not rolled up for a date."""
        first, _, last = months
        held = (
            select(_month.c.month)
            .where(
                _month.c.customer_id == _item.c.customer_id,
                _month.c.currency == _item.c.currency,
                _month.c.month == _item.c.due_month,
                _holds(as_of),
            )
            .correlate(_item)
        )
        ledger = LedgerStore(self._connection)
        unheld = (_item.c.due_month.between(first, last), ~held.exists())
        for part in chunk_values(list(currencies)):
            found = ledger.iterate_invoices_where(is_among(_item.c.customer_id, part), *unheld)
            for key, currency, items in found:
                if currency == currencies[key]:
                    yield key, items

    def list_oldest_overdue(self, currencies: Mapping[int, str], *, as_of: date) -> dict[int, date]:
        """Return when the oldest of what is overdue on a date fell due, of who has any.

        What is in dispute is owed, but not late.
        """
        overdue: dict[int, date] = {}
        for part in chunk_values(list(currencies)):
            rows = self._connection.execute(
                select(_item.c.customer_id, _item.c.currency, func.min(_item.c.due_business_on))
                .where(is_among(_item.c.customer_id, part), _is_overdue(as_of, due_before=as_of))
                .group_by(_item.c.customer_id, _item.c.currency)
            ).all()
            overdue |= {key: day for key, currency, day in rows if currency == currencies[key]}
        return overdue

    def list_overdue_since(self, *, as_of: date, due_before: date) -> dict[int, date]:
        """Return when the oldest of what is overdue on a date fell due, if before another date.

        Of all customers and in whatever currency: each item that fell due before is looked at.
        """
        rows = self._connection.execute(
            select(_item.c.customer_id, func.min(_item.c.due_business_on))
            .where(_is_overdue(as_of, due_before=due_before))
            .group_by(_item.c.customer_id)
        )
        return {row[0]: row[1] for row in rows}

    def list_adverse(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, list[AdverseEvent]]:
        """Return what had happened to each customer, and to those that turned out to be it."""
        found: dict[int, list[AdverseEvent]] = {}
        for part in chunk_values(customer_ids):
            ends = self.list_ends(part)
            facts = AdverseStore(self._connection).list_facts(list(ends))
            for fact in facts:
                if fact.counts_on(as_of):
                    event = fact.to_event(as_of)
                    found.setdefault(ends[fact.customer_id], []).append(event)
        return found

    def count_dishonoured(
        self, customer_ids: Sequence[int], *, first: date, last: date
    ) -> dict[int, int]:
        """Return how many bills of each customer came back unpaid from one day to another.

        What a bill had paid for is then owed again: on the bill itself, or on what its holder
        claims from us.
        """
        credit = _item.alias("credit")
        found: dict[int, int] = {}
        for part in chunk_values(customer_ids):
            back = (
                select(_item.c.customer_id, _item.c.id)
                .join(allocation, allocation.c.debit_id == _item.c.id)
                .join(credit, credit.c.id == allocation.c.credit_id)
                .where(
                    is_among(_item.c.customer_id, part),
                    _item.c.kind.in_([ItemKind.BILL, ItemKind.RECOURSE]),
                    credit.c.kind == ItemKind.BILL_RECEIVED,
                    allocation.c.allocated_on.between(first, last),
                    counts(None),
                )
                .group_by(_item.c.customer_id, _item.c.id)
                .having(func.sum(allocation.c.amount_minor) > 0)
                .subquery()
            )
            rows = self._connection.execute(
                select(back.c.customer_id, func.count()).group_by(back.c.customer_id)
            )
            found |= {row[0]: row[1] for row in rows}
        return found

    def list_ends(self, customer_ids: Sequence[int]) -> dict[int, int]:
        """Return each key of some customers, and of what turned out to be them, with theirs."""
        ends = {key: key for key in customer_ids}
        into = list(customer_ids)
        while into:
            merges = select(customer_merge.c.customer_id, customer_merge.c.into_id).where(
                is_among(customer_merge.c.into_id, into), stands(None, customer_merge)
            )
            merged = {key: ends[end] for key, end in self._connection.execute(merges)}
            ends |= merged
            into = list(merged)
        return ends


def _is_overdue(as_of: date, *, due_before: date) -> ColumnElement[bool]:
    # An invoice of a settled month is paid: its applications need not be added up.
    settled = (
        select(_month.c.month)
        .where(
            _item.c.kind == ItemKind.INVOICE,
            _month.c.customer_id == _item.c.customer_id,
            _month.c.currency == _item.c.currency,
            _month.c.month == _item.c.due_month,
            _month.c.settled,
            _month.c.as_of <= as_of,
        )
        .correlate(_item)
    )
    open_minor = left_of_debit(as_of=as_of, known_at_ms=None)
    return and_(
        _item.c.amount_minor > 0,
        _item.c.happened_on <= as_of,
        _item.c.due_business_on < due_before,
        ~settled.exists(),
        counts(None),
        open_minor > 0,
        open_minor > sum_disputed(as_of=as_of, known_at_ms=None),
    )


def _holds(as_of: date) -> ColumnElement[bool]:
    return or_(_month.c.as_of == as_of, and_(_month.c.settled, _month.c.as_of <= as_of))


def _build_weighted(side: ColumnElement[bool]) -> list[ColumnElement[Any]]:
    high = [func.sum(one.bitwise_rshift(_SHIFT)).filter(side) for one in _WEIGHTED]
    low = [func.sum(one.bitwise_and(_LOW_MASK)).filter(side) for one in _WEIGHTED]
    return [*high, *low, func.sum(_month.c.invoice_count).filter(side)]


def _span(row: Row[Any]) -> SpanSum:
    key, _, *sums = tuple(row)
    newest, disputed, *delays = sums[2 * _SIDE :]
    return SpanSum(
        customer_id=key,
        newer=_add_halves(sums[:_SIDE]),
        older=_add_halves(sums[_SIDE : 2 * _SIDE]),
        disputed_count=int(disputed or 0),
        delay_counts=tuple([int(count or 0) for count in delays]),
        newest_month=newest,
    )


def _add_halves(sums: Sequence[Any]) -> tuple[int, int, int, int]:
    if sums[-1] is None:  # no month on this side
        return 0, 0, 0, 0
    amount, index, late, less_amount, less_index, less_late, invoices = map(int, sums)
    return (
        (amount << _LOW_BITS) + less_amount,
        (index << _LOW_BITS) + less_index,
        (late << _LOW_BITS) + less_late,
        invoices,
    )
