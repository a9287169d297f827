"""How many customers paid, at once: what a portfolio run reads instead of one window after another.

A history says what ``node.records.derivation.build_window`` says, summed up over two spans of
months; a test holds the two to each other. It is read in a handful of statements, however many
customers there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.records.rules_behaviour import build_months
from node.records.rules_history import BehaviourSpan, CustomerHistory, add_spans, sum_months
from node.records.store.histories import GonePart, HistoryStore, SpanSum
from node.records.windows import first_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """Three edges of two spans: the first month, the first of the newer span, the last month."""

    first: int
    newer_from: int
    last: int


def read_histories(
    uow: UnitOfWork, customer_ids: Sequence[int], *, months: Months, as_of: date
) -> dict[int, CustomerHistory]:
    """Return how customers paid, each in its main currency, as seen on a date.

    One to whom nothing had been sold by then is not among them, nor is one of whom records of
    these months have expired. The keys are of customers that were not merged into others.
    """
    store = HistoryStore(uow.connection)
    main = store.list_main_positions(customer_ids, as_of=as_of)
    gone = store.list_gone(customer_ids)
    kept = _list_whole(main, gone, months=months)
    currencies = {one: main[one].currency for one in kept}
    spans = _read_spans(store, currencies, months=months, as_of=as_of)
    overdue = store.list_oldest_overdue(currencies, as_of=as_of)
    adverse = store.list_adverse(kept, as_of=as_of)
    histories = {}
    for key in kept:
        position = main[key]
        sales = [
            part.first_sale_on
            for part in gone.get(key, ())
            if part.currency == position.currency and part.first_sale_on is not None
        ]
        newer, older = spans.get(key, _NOTHING)
        due_on = overdue.get(key)
        histories[key] = CustomerHistory(
            as_of=as_of,
            newer=newer,
            older=older,
            first_sale_on=min((position.first_sale_on, *sales)),
            oldest_overdue_days=None if due_on is None else (as_of - due_on).days,
            adverse=tuple(adverse.get(key, ())),
        )
    return histories


def read_newer_spans(
    uow: UnitOfWork, customer_ids: Sequence[int], *, months: Months, as_of: date
) -> dict[int, tuple[str, BehaviourSpan]]:
    """Return main currency and newer months of customers: a part of ``read_histories``."""
    store = HistoryStore(uow.connection)
    main = store.list_main_positions(customer_ids, as_of=as_of)
    kept = _list_whole(main, store.list_gone(customer_ids), months=months)
    currencies = {one: main[one].currency for one in kept}
    spans = _read_spans(store, currencies, months=months, as_of=as_of)
    return {key: (currencies[key], spans.get(key, _NOTHING)[0]) for key in kept}


def list_overdue_since(uow: UnitOfWork, as_of: date, due_before: date) -> dict[int, date]:
    """Return since when customers have been overdue on a date, if before an earlier one."""
    return HistoryStore(uow.connection).list_overdue_since(as_of=as_of, due_before=due_before)


_NOTHING = (BehaviourSpan(), BehaviourSpan())


def _list_whole(
    sold_to: Iterable[int], gone: Mapping[int, Sequence[GonePart]], *, months: Months
) -> list[int]:
    """Return those customers of whose months nothing has expired."""
    first = first_day(months.first)
    return [one for one in sold_to if all(part.until < first for part in gone.get(one, ()))]


def _read_spans(
    store: HistoryStore, currencies: Mapping[int, str], *, months: Months, as_of: date
) -> dict[int, tuple[BehaviourSpan, BehaviourSpan]]:
    edges = (months.first, months.newer_from, months.last)
    halves: dict[int, tuple[list[BehaviourSpan], list[BehaviourSpan]]] = {}
    for held in store.list_held_spans(currencies, months=edges, as_of=as_of):
        newer, older = halves.setdefault(held.customer_id, ([], []))
        newer.append(_build_span(held.newer, held))
        older.append(_build_span(held.older))
    for key, items in store.iterate_unheld_invoices(currencies, months=edges, as_of=as_of):
        newer, older = halves.setdefault(key, ([], []))
        summed = build_months(items, as_of=as_of)
        newer.append(sum_months(one for one in summed if one.month >= months.newer_from))
        older.append(sum_months(one for one in summed if one.month < months.newer_from))
    return {key: (add_spans(newer), add_spans(older)) for key, (newer, older) in halves.items()}


def _build_span(sums: tuple[int, int, int, int], held: SpanSum | None = None) -> BehaviourSpan:
    amount_minor, index_deci, late_days, invoices = sums
    if held is None:
        return BehaviourSpan(
            invoice_count=invoices,
            amount_minor=amount_minor,
            index_deci_by_amount=index_deci,
            late_days_by_amount=late_days,
        )
    return BehaviourSpan(
        invoice_count=invoices,
        amount_minor=amount_minor,
        delay_counts=held.delay_counts,
        index_deci_by_amount=index_deci,
        late_days_by_amount=late_days,
        disputed_count=held.disputed_count,
        newest_month=held.newest_month,
    )
