"""How old receivables are and how fast they turn into money, within a caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from node.records.rules_ageing import Ageing, AgeingBase, build_ageing
from node.records.rules_collection import (
    Countback,
    OpenShare,
    PeriodSales,
    average_days_delinquent_milli,
    collection_index_centipercent,
    count_back,
    days_sales_outstanding_milli,
    true_days_sales_outstanding_milli,
)
from node.records.store import OpenDay, TurnoverStore
from node.records.windows import first_day, last_day, month_of

COUNTBACK_MONTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """Figures of one currency over the months up to a date (docs/formulas.md).

    Amounts in minor units, days in thousandths, the index in hundredths of a per cent; None where a
    figure cannot be worked out.
    """

    currency: str
    first: date
    as_of: date
    months: int
    receivable_minor: int
    not_due_minor: int
    credit_sales_minor: int
    dso_milli: int | None
    best_possible_dso_milli: int | None
    average_days_delinquent_milli: int | None
    countback: Countback | None
    true_dso_milli: int | None
    collection_index_centipercent: int | None


def build_turnover(
    store: TurnoverStore, *, currency: str, as_of: date, months: int, gone_until: date | None = None
) -> Turnover:
    """Work the figures out; the newest month ends on ``as_of``, whole or not.

    Sales of months up to that of ``gone_until`` are not whole: they are counted back to no further,
    and what is still open of them has no true DSO.

    Raises:
        ValueError: The number of months is not positive.
    """
    if months <= 0:
        raise ValueError("a period has at least one month")
    newest = month_of(as_of)
    first = first_day(newest - months + 1)
    gone_month = 0 if gone_until is None else month_of(gone_until)
    days = (as_of - first).days + 1
    receivable_minor = store.sum_balance(as_of)
    opening_minor = store.sum_balance(first - timedelta(days=1))
    sales = store.list_sales(last=as_of)
    sales_minor = sum(minor for day, minor in sales if day >= first)
    open_days = store.list_open_days(as_of)
    not_due_minor = sum(day.open_not_due_minor for day in open_days)
    sales_by_month = _sum_months(sales)
    has_gone_sales = any(
        day.open_invoices_minor and month_of(day.happened_on) <= gone_month for day in open_days
    )
    true_dso_milli = true_days_sales_outstanding_milli(
        _share(open_days, as_of=as_of, sales_by_month=sales_by_month)
    )
    period = {"credit_sales_minor": sales_minor, "days": days}
    return Turnover(
        currency=currency,
        first=first,
        as_of=as_of,
        months=months,
        receivable_minor=receivable_minor,
        not_due_minor=not_due_minor,
        credit_sales_minor=sales_minor,
        dso_milli=days_sales_outstanding_milli(receivable_minor, **period),
        best_possible_dso_milli=days_sales_outstanding_milli(not_due_minor, **period),
        average_days_delinquent_milli=average_days_delinquent_milli(
            receivable_minor, current_minor=not_due_minor, **period
        ),
        countback=count_back(
            receivable_minor, _list_newest(sales_by_month, as_of=as_of, after_month=gone_month)
        ),
        true_dso_milli=None if has_gone_sales else true_dso_milli,
        collection_index_centipercent=collection_index_centipercent(
            opening_minor=opening_minor,
            credit_sales_minor=sales_minor,
            months=months,
            closing_minor=receivable_minor,
            closing_current_minor=not_due_minor,
        ),
    )


def read_ageing(store: TurnoverStore, *, currency: str, as_of: date, base: AgeingBase) -> Ageing:
    """Sort what is open into its columns, held against the ledger balance from sums alone."""
    return build_ageing(
        store.list_open_by(base, as_of=as_of),
        currency=currency,
        as_of=as_of,
        base=base,
        unapplied_minor=store.sum_unapplied(as_of),
        ledger_balance_minor=store.sum_balance(as_of),
    )


def _sum_months(sales: Iterable[tuple[date, int]]) -> dict[int, int]:
    by_month: dict[int, int] = defaultdict(int)
    for day, minor in sales:
        by_month[month_of(day)] += minor
    return by_month


def _list_newest(
    sales_by_month: Mapping[int, int], *, as_of: date, after_month: int
) -> list[PeriodSales]:
    """Return the sales of the last months, the newest first."""
    newest = month_of(as_of)
    periods = []
    for month in range(newest, max(newest - COUNTBACK_MONTHS, after_month), -1):
        first, last = first_day(month), min(last_day(month), as_of)
        periods.append(
            PeriodSales(sales_minor=sales_by_month.get(month, 0), days=(last - first).days + 1)
        )
    return periods


def _share(
    open_days: Iterable[OpenDay], *, as_of: date, sales_by_month: Mapping[int, int]
) -> list[OpenShare]:
    return [
        OpenShare(
            age_days=(as_of - day.happened_on).days,
            open_minor=day.open_invoices_minor,
            month_sales_minor=sales_by_month.get(month_of(day.happened_on), 0),
        )
        for day in open_days
        if day.open_invoices_minor
    ]
