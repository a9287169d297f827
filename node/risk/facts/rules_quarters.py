"""How a customer paid in the newest quarters of released months, in its main currency. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from node.records.rules_behaviour import (
    AppliedPart,
    DisputedPart,
    InvoiceItem,
    build_months,
    mean_index_deci,
)
from node.records.rules_ledger import PAYING_KINDS, ItemKind
from node.records.windows import last_released_month, month_of
from node.risk.facts.records import Applied, LedgerFacts, OwedItem, Quarter

QUARTER_MONTHS = 3
QUARTERS = 3
PERMILLE = 1_000
_EARLY = 0  # the place of its class in a summary's delay mix


def find_main_currency(ledger: LedgerFacts) -> str | None:
    """Return the currency of most invoices; None where there are none."""
    counts = Counter(one.currency for one in list_invoices(ledger))
    return min(counts, key=lambda one: (-counts[one], one), default=None)


def list_invoices(ledger: LedgerFacts) -> list[OwedItem]:
    """Return the invoices among what is owed."""
    return [one for one in ledger.items if one.kind is ItemKind.INVOICE]


def build_quarters(ledger: LedgerFacts, *, as_of: date) -> tuple[Quarter, ...]:
    """Return the newest quarters, the newest first, as they are seen on a day.

    The payment index is that of docs/formulas.md, weighted by amount.
    """
    currency = find_main_currency(ledger)
    last = last_released_month(as_of)
    invoices = [one for one in list_invoices(ledger) if one.currency == currency]
    quarters = []
    for number in range(QUARTERS):
        newest = last - number * QUARTER_MONTHS
        within = [
            one
            for one in invoices
            if newest - QUARTER_MONTHS < month_of(one.due_business_on) <= newest
        ]
        quarters.append(_build(newest, within, as_of=as_of))
    return tuple(quarters)


def _build(last_month: int, items: Sequence[OwedItem], *, as_of: date) -> Quarter:
    months = build_months(map(_invoice, items), as_of=as_of)
    count = sum(one.invoice_count for one in months)
    early = sum(one.delay_counts[_EARLY] for one in months)
    return Quarter(
        last_month=last_month,
        invoices=count,
        index_deci=mean_index_deci(months, by_amount=True),
        early_permille=early * PERMILLE // count if count else 0,
    )


def _invoice(item: OwedItem) -> InvoiceItem:
    return InvoiceItem(
        issued_on=item.happened_on,
        due_on=item.due_on,
        due_business_on=item.due_business_on,
        amount_minor=item.amount_minor,
        paid=tuple(_part(one) for one in item.applied if one.kind in PAYING_KINDS),
        credited=tuple(_part(one) for one in item.applied if one.kind is ItemKind.CREDIT_NOTE),
        disputes=tuple(
            DisputedPart(
                amount_minor=one.amount_minor, opened_on=one.opened_on, closed_on=one.closed_on
            )
            for one in item.disputes
        ),
    )


def _part(one: Applied) -> AppliedPart:
    return AppliedPart(
        paid_on=one.paid_on, amount_minor=one.amount_minor, applied_on=one.allocated_on
    )
