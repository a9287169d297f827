"""Payment behaviour of one customer in one currency: what later rooms read instead of invoices.

It is kept month by month. An invoice belongs to the month of its due date (moved to the payer's
next business day). Sums are integers: money in minor units, index in tenths of a point, so that a
window is the sum of its months and any engine computes the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBehaviour:
    """Invoices due in one month, as seen on the window's as-of date.

    Disputed invoices are counted apart and in nothing else. ``delay_counts`` follows
    ``schemas.summary.DELAY_CLASSES``. ``*_by_amount`` sums are weighted with the invoice amount in
    minor units; ``largest_minor`` and ``second_minor`` are the two largest invoices (0 where there
    is none).
    """

    month: int  # year * 12 + month - 1
    invoice_count: int
    amount_minor: int
    paid_minor: int
    largest_minor: int
    second_minor: int
    delay_counts: tuple[int, ...]
    index_deci_sum: int
    index_deci_by_amount: int
    late_days_sum: int
    late_days_by_amount: int
    disputed_count: int
    disputed_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent:
    """A default or worse, with a document held."""

    kind: str  # collection, write_off, legal, insolvency
    happened_on: date
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedMonths:
    """Whole months of one customer in one currency, as the last one's release saw them.

    ``months`` holds only months with invoices, ascending.
    """

    first_month: int
    last_month: int
    months: tuple[MonthBehaviour, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourWindow:
    """Whole months from ``first_month`` to ``last_month`` of one customer, as seen on ``as_of``.

    ``months`` holds only months with invoices, ascending. ``high_credit_minor`` is the highest
    balance owed within the window; ``owing_minor``, ``past_due_minor`` and ``oldest_overdue_days``
    (None: nothing overdue) are of ``as_of``.
    """

    currency: str
    first_month: int
    last_month: int
    as_of: date
    months: tuple[MonthBehaviour, ...]
    first_sale_on: date | None
    last_sale_on: date | None
    high_credit_minor: int
    owing_minor: int
    past_due_minor: int
    oldest_overdue_days: int | None
    adverse: tuple[AdverseEvent, ...] = ()
