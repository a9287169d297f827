"""What the page of the whole portfolio shows; each number leads to the list that it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from node.bootstrap.local import LocalNode
from node.records.rules_ageing import Bucket
from node.records.rules_behaviour import divide_half_up
from node.records.windows import format_month
from node.risk.monitoring.words import say
from node.risk.overview.rules_listing import Moved
from node.risk.overview.service import Freshness, Glance
from node.risk.overview.store.lines import MonthSum
from node.risk.overview.store.totals import AgeingSum, GradeTotal
from node.risk.rules_finding import RiskStatus
from node.web.charts import Bar, Point, draw_bars, draw_line
from node.web.customer_list import build_list_address, find_sights
from node.web.pages import Sight
from node.web.texts import Texts
from node.web.wording import say_code, say_deci, say_money

PORTFOLIO_PATH = "/console/portfolio"
SINCE_DAYS = (1, 7, 30)
SINCE_DAYS_MAX = 3_650
DECI = 10
_AGEING = "/console/ageing?"
_STATUSES = (RiskStatus.STOP, RiskStatus.HOLD, RiskStatus.WATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A number of customers and the list of them."""

    words: str
    count: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeLine:
    """One grade: customers in all, and those of the currency with what they owe."""

    grade: str
    words: str
    customers: int
    address: str
    of_currency: int
    owing_minor: int
    past_due_minor: int
    currency_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSum:
    """What is open in one bucket, and the list of those who owe it."""

    words: str
    minor: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthLine:
    """One month of the trend."""

    month: str
    invoices: str
    dbt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something that the page can be of instead."""

    words: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPage:
    """The portfolio in one currency; charts are empty where there is nothing to draw."""

    freshness: Freshness | None
    as_of: date
    customers: int
    hidden: int
    currency: str
    currencies: tuple[Choice, ...]
    since: date
    sinces: tuple[Choice, ...]
    moved: tuple[Counted, ...]
    statuses: tuple[Counted, ...]
    watched: Counted
    watched_due: int
    grades: tuple[GradeLine, ...]
    grade_chart: str
    owing_chart: str
    ageing: AgeingSum | None
    buckets: tuple[BucketSum, ...]
    ageing_chart: str
    months: tuple[MonthLine, ...]
    trend_chart: str


def read_portfolio_page(
    local: LocalNode, texts: Texts, params: Mapping[str, str], *, sight: Sight
) -> PortfolioPage:
    """Return the page: in the currency that the address names, or in that of most customers."""
    today = local.business_date()
    since = _parse_since(params.get("since", ""), today=today)
    glance = local.monitoring.overview.look(sights=find_sights(local, sight), since=since)
    totals = glance.totals
    held = [one.currency for one in totals.ageings]
    held += [one.currency for one in totals.sums if one.currency not in held]
    asked = params.get("currency", "")
    currency = asked if asked in held else next(iter(held), "")
    ranks = _find_ranks(local)
    grades = _list_grades(totals.grades, currency=currency, ranks=ranks, texts=texts)
    ageing = next((one for one in totals.ageings if one.currency == currency), None)
    as_of = today if glance.freshness is None else glance.freshness.as_of
    buckets = _list_buckets(ageing, as_of, texts)
    points = _list_points(glance.months, currency=currency, texts=texts)
    return PortfolioPage(
        freshness=glance.freshness,
        as_of=as_of,
        customers=totals.customers,
        hidden=totals.hidden,
        currency=currency,
        currencies=tuple(
            Choice(words=one, address=_address(since, currency=one), is_chosen=one == currency)
            for one in held
        ),
        since=since,
        sinces=tuple(
            Choice(
                words=texts(f"portfolio.since-{days}"),
                address=_address(today - timedelta(days=days), currency=asked),
                is_chosen=since == today - timedelta(days=days),
            )
            for days in SINCE_DAYS
        ),
        moved=_list_moved(glance, since, texts),
        statuses=_list_statuses(glance, texts),
        watched=Counted(
            words=texts("narrowed.watched"),
            count=glance.watched,
            address=build_list_address({"watched": "1"}),
        ),
        watched_due=glance.watched_due,
        grades=grades,
        grade_chart=_draw_customers(grades, texts),
        owing_chart=_draw_owing(grades, currency=currency, texts=texts),
        ageing=ageing,
        buckets=buckets,
        ageing_chart=_draw_buckets(buckets, currency=currency, texts=texts),
        months=tuple(line for _, line in points),
        trend_chart=_draw_trend([point for point, _ in points], currency, texts),
    )


def _parse_since(text: str, *, today: date) -> date:
    """Return the day that an address names; yesterday for none, and for one that cannot be."""
    try:
        since = date.fromisoformat(text)
    except ValueError:
        return today - timedelta(days=1)
    is_near = timedelta() <= today - since <= timedelta(days=SINCE_DAYS_MAX)
    return since if is_near else today - timedelta(days=1)


def _address(since: date, *, currency: str) -> str:
    asked = {"since": since.isoformat(), "currency": currency}
    return f"{PORTFOLIO_PATH}?{urlencode({name: one for name, one in asked.items() if one})}"


def _list_moved(glance: Glance, since: date, texts: Texts) -> tuple[Counted, ...]:
    return tuple(
        Counted(
            words=say_code("moved", moved.value, texts),
            count=glance.moved[moved],
            address=build_list_address({"moved": moved.value, "since": since.isoformat()}),
        )
        for moved in Moved
    )


def _list_statuses(glance: Glance, texts: Texts) -> tuple[Counted, ...]:
    return tuple(
        Counted(
            words=say("status", status.value, texts.language),
            count=glance.statuses.get(status, 0),
            address=build_list_address({"status": status.value}),
        )
        for status in _STATUSES
    )


def _find_ranks(local: LocalNode) -> Mapping[str, int]:
    """Return the places of the grades on the scale that ratings were last given by."""
    return {grade: place for place, grade in enumerate(local.rating.list_newest_grades())}


def _list_grades(
    totals: Sequence[GradeTotal], *, currency: str, ranks: Mapping[str, int], texts: Texts
) -> tuple[GradeLine, ...]:
    symbols = sorted(
        {one.grade for one in totals},
        key=lambda grade: (grade == "", ranks.get(grade, len(ranks)), grade),
    )
    lines = []
    for symbol in symbols:
        of_grade = [one for one in totals if one.grade == symbol]
        here = [one for one in of_grade if one.currency == currency]
        asked = {"grade": symbol} if symbol else {"unrated": "1"}
        lines.append(
            GradeLine(
                grade=symbol,
                words=symbol or texts("none.rated"),
                customers=sum(one.customers for one in of_grade),
                address=build_list_address(asked),
                of_currency=sum(one.customers for one in here),
                owing_minor=sum(one.owing_minor for one in here),
                past_due_minor=sum(one.past_due_minor for one in here),
                currency_address=build_list_address(
                    asked | {"currency": currency, "sort": "owing"}
                ),
            )
        )
    return tuple(lines)


def _list_buckets(ageing: AgeingSum | None, as_of: date, texts: Texts) -> tuple[BucketSum, ...]:
    if ageing is None:
        return ()
    asked = {"as_of": as_of.isoformat(), "currency": ageing.currency}
    return tuple(
        BucketSum(
            words=texts(f"bucket.{bucket.value}"),
            minor=minor,
            address=_AGEING
            + urlencode(asked | {"bucket": bucket.value, "sort": bucket.value})
            + "#list",
        )
        for bucket, minor in zip(Bucket, ageing.buckets, strict=True)
    )


def _list_points(
    months: Sequence[MonthSum], *, currency: str, texts: Texts
) -> list[tuple[Point, MonthLine]]:
    """Return every month from the first one with invoices; one without any stays in it, empty."""
    held = {one.month: one for one in months if one.currency == currency}
    points = []
    for number in range(min(held), max(held) + 1) if held else ():
        one = held.get(number)
        dbt_deci = None
        if one is not None and one.amount_minor:
            dbt_deci = divide_half_up(DECI * one.late_days_by_amount, one.amount_minor)
        words = texts("none.data")
        if dbt_deci is not None:
            words = texts("unit.days", count=say_deci(dbt_deci, texts))
        label = format_month(number)
        line = MonthLine(
            month=label, invoices=str(one.invoice_count if one is not None else 0), dbt=words
        )
        points.append((Point(label=label, value_deci=dbt_deci, text=words), line))
    return points


def _draw_customers(grades: Sequence[GradeLine], texts: Texts) -> str:
    bars = [
        Bar(label=one.words, value=one.customers, text=str(one.customers), level=0)
        for one in grades
    ]
    return draw_bars(bars, title=texts("portfolio.grades-chart")) if bars else ""


def _draw_owing(grades: Sequence[GradeLine], *, currency: str, texts: Texts) -> str:
    bars = [
        Bar(
            label=one.words,
            value=one.owing_minor,
            text=say_money(one.owing_minor, currency),
            level=0,
        )
        for one in grades
    ]
    if not any(bar.value > 0 for bar in bars):
        return ""
    return draw_bars(bars, title=texts("portfolio.owing-chart", currency=currency))


def _draw_buckets(buckets: Sequence[BucketSum], *, currency: str, texts: Texts) -> str:
    bars = [
        Bar(label=one.words, value=one.minor, text=say_money(one.minor, currency), level=level)
        for level, one in enumerate(buckets)
    ]
    if not any(bar.value > 0 for bar in bars):
        return ""
    return draw_bars(bars, title=texts("ageing.chart", currency=currency))


def _draw_trend(points: Sequence[Point], currency: str, texts: Texts) -> str:
    if not any(point.value_deci is not None for point in points):
        return ""
    title = texts(
        "portfolio.trend-chart", currency=currency, first=points[0].label, last=points[-1].label
    )
    return draw_line(points, title=title, unit=texts("trend.axis"))
