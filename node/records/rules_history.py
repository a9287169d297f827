"""How one customer paid over two spans of months: what a score needs of a window of behaviour.

Pure. A span is the sum of its months, so that it can be summed up anywhere with the same result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from node.records.behaviour import AdverseEvent, BehaviourWindow, MonthBehaviour
from schemas.summary import DELAY_CLASSES


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourSpan:
    """Whole months of one customer in one currency, summed up as ``MonthBehaviour`` is.

    ``newest_month`` is the last one with a rated invoice; None where there is none.
    """

    invoice_count: int = 0
    amount_minor: int = 0
    delay_counts: tuple[int, ...] = (0,) * len(DELAY_CLASSES)
    index_deci_by_amount: int = 0
    late_days_by_amount: int = 0
    disputed_count: int = 0
    newest_month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerHistory:
    """The newer and the older months of a customer in its main currency, as seen on ``as_of``."""

    as_of: date
    newer: BehaviourSpan
    older: BehaviourSpan
    first_sale_on: date | None
    oldest_overdue_days: int | None
    adverse: tuple[AdverseEvent, ...] = ()


def split_window(window: BehaviourWindow, *, newer_from: int) -> CustomerHistory:
    """Sum up the months of one window on both sides of a month."""
    return CustomerHistory(
        as_of=window.as_of,
        newer=sum_months(month for month in window.months if month.month >= newer_from),
        older=sum_months(month for month in window.months if month.month < newer_from),
        first_sale_on=window.first_sale_on,
        oldest_overdue_days=window.oldest_overdue_days,
        adverse=window.adverse,
    )


def sum_months(months: Iterable[MonthBehaviour]) -> BehaviourSpan:
    """Sum up months of one customer."""
    return add_spans(
        BehaviourSpan(
            invoice_count=month.invoice_count,
            amount_minor=month.amount_minor,
            delay_counts=month.delay_counts,
            index_deci_by_amount=month.index_deci_by_amount,
            late_days_by_amount=month.late_days_by_amount,
            disputed_count=month.disputed_count,
            newest_month=month.month if month.invoice_count else None,
        )
        for month in months
    )


def add_spans(spans: Iterable[BehaviourSpan]) -> BehaviourSpan:
    """Add spans of one customer up."""
    parts = list(spans)
    if len(parts) == 1:
        return parts[0]
    newest = [one.newest_month for one in parts if one.newest_month is not None]
    counts = zip(*(one.delay_counts for one in parts), strict=True)
    return BehaviourSpan(
        invoice_count=sum(one.invoice_count for one in parts),
        amount_minor=sum(one.amount_minor for one in parts),
        delay_counts=tuple(map(sum, counts)) or (0,) * len(DELAY_CLASSES),
        index_deci_by_amount=sum(one.index_deci_by_amount for one in parts),
        late_days_by_amount=sum(one.late_days_by_amount for one in parts),
        disputed_count=sum(one.disputed_count for one in parts),
        newest_month=max(newest, default=None),
    )
