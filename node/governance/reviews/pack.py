"""The pack of figures as of a day, read from what other rooms work out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from node.core.database import Database, UnitOfWork
from node.decision.reports import OutcomeReport
from node.governance.cases.store import CaseFilter, CaseStore
from node.governance.reviews.rules_pack import (
    Figure,
    Unit,
    Why,
    find_bad_debt,
    find_cycle,
    find_over_90,
    list_cases,
    list_holds,
    list_overrides,
    list_turnover,
)
from node.records.errors import check_report_day
from node.records.horizon import RecordsGoneError, check_not_gone, find_horizon
from node.records.rules_ageing import AgeingBase
from node.records.store import ItemStore, LedgerStore, TurnoverStore
from node.records.turnover import build_turnover, read_ageing
from node.records.windows import first_day, month_of

CASES_MAX = 10_000
_OF_MONEY = (
    ("dso", Unit.MILLI_DAYS),
    ("best-possible-dso", Unit.MILLI_DAYS),
    ("average-days-delinquent", Unit.MILLI_DAYS),
    ("collection-index", Unit.CENTIPERCENT),
    ("over-90-share", Unit.CENTIPERCENT),
    ("bad-debt-share", Unit.CENTIPERCENT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Figures of the months up to a day."""

    first: date
    as_of: date
    months: int
    figures: tuple[Figure, ...]


class PackReader:
    """Reads packs; figures of decisions are followed up to today."""

    def __init__(self, *, database: Database, read_outcomes: Callable[[], OutcomeReport]) -> None:
        """Take the ports."""
        self._database = database
        self._read_outcomes = read_outcomes

    def read(self, *, as_of: date, months: int) -> Pack:
        """Return the pack of so many months up to a day, the last one whole or not.

        Raises:
            ReportInvalidError: Records are not of such a day.
        """
        check_report_day(as_of)
        first = first_day(month_of(as_of) - months + 1)
        report = self._read_outcomes()
        outcomes = [one for one in report.decisions if first <= one.activated_on <= as_of]
        with self._database.read() as uow:
            disputes = ItemStore(uow.connection).list_dispute_days(first=first, last=as_of)
            cases = CaseStore(uow.connection).list_cases(
                CaseFilter(received_from=first, received_until=as_of), limit=CASES_MAX
            )
            figures = [
                *_list_money(uow, first=first, as_of=as_of, months=months),
                *list_holds(),
                *list_overrides(outcomes, is_cut=report.is_cut),
                find_cycle("dispute-cycle", disputes),
                *list_cases(cases, as_of=as_of),
            ]
        return Pack(first=first, as_of=as_of, months=months, figures=tuple(figures))


def _list_money(uow: UnitOfWork, *, first: date, as_of: date, months: int) -> list[Figure]:
    currencies = LedgerStore(uow.connection).list_currencies(as_of=as_of)
    try:
        check_not_gone(uow, None, as_of=min(first - timedelta(days=1), as_of), known_at_ms=None)
    except RecordsGoneError:
        return [
            Figure(code=code, unit=unit, value=None, n=None, currency=currency, why=Why.GONE)
            for currency in currencies
            for code, unit in _OF_MONEY
        ]
    return [
        figure
        for currency in currencies
        for figure in _list_of_currency(
            uow, currency=currency, first=first, as_of=as_of, months=months
        )
    ]


def _list_of_currency(
    uow: UnitOfWork, *, currency: str, first: date, as_of: date, months: int
) -> list[Figure]:
    store = TurnoverStore(uow.connection, currency=currency)
    turnover = build_turnover(
        store,
        currency=currency,
        as_of=as_of,
        months=months,
        gone_until=find_horizon(uow, None),
    )
    ageing = read_ageing(store, currency=currency, as_of=as_of, base=AgeingBase.DUE)
    sales_count = store.count_sales(first=first, last=as_of)
    open_count = store.count_open(as_of)
    written_off_minor, written_off_count = store.sum_written_off(first=first, last=as_of)
    return [
        *list_turnover(turnover, sales_count=sales_count, open_count=open_count),
        find_over_90(ageing, open_count=open_count),
        find_bad_debt(turnover, written_off_minor=written_off_minor, n=written_off_count),
    ]
