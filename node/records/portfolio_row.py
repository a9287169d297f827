"""One customer as the list of all customers shows it."""

from __future__ import annotations

from dataclasses import dataclass

from node.records.behaviour import BehaviourWindow
from node.records.rules_behaviour import mean_index_deci, mean_late_days_deci
from node.records.store import CustomerRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioRow:
    """One customer in its main currency: ``None`` where nothing is rated or overdue."""

    customer: CustomerRecord
    currency: str
    invoice_count: int
    owing_minor: int
    past_due_minor: int
    oldest_overdue_days: int | None
    index_deci: int | None
    late_days_deci: int | None


def build_portfolio_row(customer: CustomerRecord, window: BehaviourWindow) -> PortfolioRow:
    """Return the row of a customer with what a window says of it."""
    return PortfolioRow(
        customer=customer,
        currency=window.currency,
        invoice_count=sum(month.invoice_count for month in window.months),
        owing_minor=window.owing_minor,
        past_due_minor=window.past_due_minor,
        oldest_overdue_days=window.oldest_overdue_days,
        index_deci=mean_index_deci(window.months, by_amount=True),
        late_days_deci=mean_late_days_deci(window.months, by_amount=True),
    )
