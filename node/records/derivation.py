"""Behaviour of customers read or rolled up inside a transaction that the caller owns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.records.behaviour import BehaviourWindow, MonthBehaviour
from node.records.rules_behaviour import (
    InvoiceItem,
    build_month,
    build_months,
    find_settled_date,
    highest_balance,
)
from node.records.store import CustomerRecord, RecordsStore, StoredMonth
from node.records.windows import first_day, last_day, last_released_month, month_of, release_date

CUSTOMERS_TOGETHER = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourDifference:
    """A rolled-up month that is not what the events say."""

    customer_id: int
    currency: str
    month: int


def find_behaviour_window(
    uow: UnitOfWork,
    *,
    subject_scheme: str,
    subject_value: str,
    first_month: int,
    last_month: int,
    as_of: date,
    known_at_ms: int | None = None,
) -> BehaviourWindow | None:
    """Return how a customer paid in whole months, as seen on a date, in its main currency.

    None where the customer is unknown, nothing had been sold to it by then, or records of these
    months have expired. The main currency is
    that of most of its invoices. Months that are rolled up for this date are read; the others (a
    past date, an open month since) are summed up from their invoices, with the same result.
    With ``known_at_ms`` what was entered later is left out; who turned out to be whom is as of now.
    """
    store = RecordsStore(uow.connection, known_at_ms=known_at_ms)
    customer = store.find_customer(scheme=subject_scheme, value=subject_value)
    if customer is None:
        return None
    return build_window(store, customer, months=(first_month, last_month), as_of=as_of)


def refresh_behaviour(uow: UnitOfWork, customer_ids: Sequence[int], *, business_date: date) -> int:
    """Roll up the months of some customers anew; return how many are kept.

    It runs within the caller's transaction. A settled month holds for ever; one with open invoices
    is kept as the last release sees it.
    """
    store = RecordsStore(uow.connection)
    newest = last_released_month(business_date)
    months = (
        month
        for customer_id, currency, items in store.ledger.iterate_invoices_of(customer_ids)
        for month in _roll_up(customer_id, currency, items, newest_released=newest)
    )
    return store.replace_months(customer_ids, list(months))


def _roll_up(
    customer_id: int, currency: str, items: Sequence[InvoiceItem], *, newest_released: int
) -> list[StoredMonth]:
    rolled = []
    for month, month_items in _group_by_month(items).items():
        settled_on = find_settled_date(month_items)
        if settled_on is None and month > newest_released:
            continue
        as_of = release_date(newest_released) if settled_on is None else settled_on
        behaviour = build_month(month, month_items, as_of=as_of)
        if behaviour is not None:
            rolled.append(
                StoredMonth(
                    customer_id=customer_id,
                    currency=currency,
                    as_of=as_of,
                    settled=settled_on is not None,
                    behaviour=behaviour,
                )
            )
    return rolled


def compare_months(store: RecordsStore, customer_ids: Sequence[int]) -> list[BehaviourDifference]:
    """Return the rolled-up months of some customers that differ from a new summing up."""
    stored = {
        (month.customer_id, month.currency, month.behaviour.month): month
        for month in store.list_stored_months(customer_ids)
    }
    wrong = []
    for customer_id, currency, items in store.ledger.iterate_invoices_of(customer_ids):
        for month, month_items in _group_by_month(items).items():
            kept = stored.pop((customer_id, currency, month), None)
            settled_on = find_settled_date(month_items)
            if kept is None:  # Of what was credited whole there is nothing to say.
                agrees = (
                    settled_on is None or build_month(month, month_items, as_of=settled_on) is None
                )
            else:
                rebuilt = build_month(month, month_items, as_of=kept.as_of)
                agrees = rebuilt == kept.behaviour and kept.settled == (settled_on is not None)
            if not agrees:
                wrong.append((customer_id, currency, month))
    wrong.extend(stored)  # Rolled up, but without an invoice.
    return [
        BehaviourDifference(customer_id=customer_id, currency=currency, month=month)
        for customer_id, currency, month in sorted(wrong)
    ]


def iterate_pages(store: RecordsStore) -> Iterator[list[int]]:
    """Yield the keys of all customers, some hundreds at a time."""
    after = 0
    while page := store.list_customers(limit=CUSTOMERS_TOGETHER, after=after):
        yield [customer.customer_id for customer in page]
        after = page[-1].customer_id


def _group_by_month(items: Sequence[InvoiceItem]) -> dict[int, list[InvoiceItem]]:
    by_month: dict[int, list[InvoiceItem]] = {}
    for item in items:
        by_month.setdefault(month_of(item.due_business_on), []).append(item)
    return by_month


def build_window(
    store: RecordsStore, customer: CustomerRecord, *, months: tuple[int, int], as_of: date
) -> BehaviourWindow | None:
    """Return the window of a customer that is known; None where nothing had been sold to it.

    A store that reads what was known at a moment makes the window of that moment.
    """
    positions = store.ledger.list_positions(customer.customer_id, as_of=as_of)
    if not positions:
        return None
    main = positions[0]
    first_month, last_month = months
    if has_gone(store, customer, first_month=first_month):
        return None
    key, currency = customer.customer_id, main.currency
    behaviours = _read_months(store, key, currency=currency, months=months, as_of=as_of)
    first, last = first_day(first_month), min(last_day(last_month), as_of)
    opening_minor = store.ledger.get_opening_balance(key, currency=currency, before=first)
    changes = store.ledger.list_balance_changes(key, currency=currency, first=first, last=last)
    open_items = store.ledger.list_open_items(key, currency=currency, as_of=as_of)
    # A disputed amount is owed until the dispute is settled, but it is not late.
    overdue = [
        item
        for item in open_items
        if item.due_business_on < as_of and item.open_minor > item.disputed_minor
    ]
    sales = store.holding.list_first_sales(key)  # The relation is as old as what is gone.
    overdue_days = [(as_of - item.due_business_on).days for item in overdue]
    return BehaviourWindow(
        currency=currency,
        first_month=first_month,
        last_month=last_month,
        as_of=as_of,
        months=behaviours,
        first_sale_on=min(sales.get(main.currency, main.first_sale_on), main.first_sale_on),
        last_sale_on=main.last_sale_on,
        high_credit_minor=highest_balance(opening_minor, changes),
        owing_minor=sum(item.open_minor for item in open_items),
        past_due_minor=sum(item.open_minor - item.disputed_minor for item in overdue),
        oldest_overdue_days=max(overdue_days, default=None),
        adverse=tuple(store.list_adverse_events(key, as_of=as_of)),
    )


def read_released_months(
    store: RecordsStore, customer_id: int, *, currency: str, months: tuple[int, int]
) -> tuple[MonthBehaviour, ...]:
    """Return months of a customer in a currency as the last one's release saw them.

    What is rolled up is kept as of then, so that hardly an invoice is read; of a window as of
    today, every month with anything unpaid would be summed up anew.
    """
    as_of = release_date(months[1])
    return _read_months(store, customer_id, currency=currency, months=months, as_of=as_of)


def has_gone(store: RecordsStore, customer: CustomerRecord, *, first_month: int) -> bool:
    """Tell whether records of a window's first month, or of later ones, have expired."""
    found = store.holding.find_horizon(customer.customer_id)
    return found is not None and first_day(first_month) <= found[0]


def _read_months(
    store: RecordsStore, customer_id: int, *, currency: str, months: tuple[int, int], as_of: date
) -> tuple[MonthBehaviour, ...]:
    held = store.list_held_months(customer_id, currency=currency, months=months, as_of=as_of)
    items = store.ledger.list_invoices(
        customer_id,
        currency=currency,
        months=months,
        except_months={behaviour.month for behaviour in held},
    )
    summed = build_months(items, as_of=as_of)
    return tuple(sorted((*held, *summed), key=lambda behaviour: behaviour.month))
