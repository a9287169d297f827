"""Charts of one customer's page: how its invoices were paid, how points add up, how it was graded.

Beside each stands a table. What peers have said is in none of them for who may not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.assessment.report import build_comparison
from node.bootstrap.local import LocalNode
from node.rating.store import RatingRecord
from node.records.behaviour import ReleasedMonths
from node.records.windows import format_month
from node.risk.alerts.rules_alert import AlertState
from node.risk.plans.rules_plan import ActionState
from node.web.charts import Point, draw_line
from node.web.column_chart import Column, Step, draw_columns, draw_steps
from node.web.customer_page import CustomerPage
from node.web.pages import Sight, rate_without_peers
from node.web.texts import Texts
from node.web.wording import say_deci
from schemas.summary import DELAY_CLASSES

HISTORY_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentLine:
    """How the invoices that fell due in one month were paid, by class."""

    month: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One rating."""

    day: str
    grade_own: str
    grade_with_peers: str
    score: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCharts:
    """The charts with their tables, and what is open; empty where there is nothing to draw."""

    classes: tuple[tuple[int, str], ...]
    payments: tuple[PaymentLine, ...]
    payment_chart: str
    step_chart: str
    history: tuple[HistoryLine, ...]
    history_chart: str
    alerts: int
    actions: int


def read_charts(
    local: LocalNode, page: CustomerPage, texts: Texts, *, sight: Sight
) -> CustomerCharts:
    """Return the charts of a customer, as far as one may see.

    Raises:
        CustomerNotFoundError: There is none with this key.
    """
    customer_id, rating = page.customer.customer_id, page.rating
    columns = [] if page.released is None else _list_columns(page.released, texts)
    ratings = [
        one if sight.has_peers else rate_without_peers(one)
        for one in reversed(local.rating.list_history(customer_id, limit=HISTORY_MAX))
    ]
    alerts = local.monitoring.alerts.list_of(customer_id, shows_peers=sight.has_peers)
    actions = local.monitoring.actions.list_of(customer_id)
    return CustomerCharts(
        classes=tuple(
            (level, texts(f"delay.{one.value}")) for level, one in enumerate(DELAY_CLASSES)
        ),
        payments=tuple(PaymentLine(month=one.label, counts=one.counts) for one in columns),
        payment_chart=_draw_payments(columns, texts),
        step_chart="" if rating is None else _draw_points(local, rating, texts, sight=sight),
        history=tuple(
            HistoryLine(
                day=one.as_of.isoformat(),
                grade_own=one.grade_own,
                grade_with_peers=one.grade_with_peers,
                score=say_deci(one.score_with_peers_deci, texts),
            )
            for one in reversed(ratings)
        ),
        history_chart=_draw_history(ratings, texts),
        alerts=sum(one.told.state is AlertState.OPEN for one in alerts),
        actions=sum(one.state is ActionState.OPEN for one in actions),
    )


def _list_columns(window: ReleasedMonths, texts: Texts) -> list[Column]:
    months = {one.month: one for one in window.months}
    columns = []
    for number in range(window.first_month, window.last_month + 1):
        month = months.get(number)
        counts = month.delay_counts if month else (0,) * len(DELAY_CLASSES)
        columns.append(
            Column(
                label=format_month(number),
                counts=counts,
                text=texts("payments.count", count=sum(counts))
                if any(counts)
                else texts("none.data"),
            )
        )
    return columns


def _draw_payments(columns: Sequence[Column], texts: Texts) -> str:
    if not any(any(one.counts) for one in columns):
        return ""
    title = texts("payments.chart", first=columns[0].label, last=columns[-1].label)
    return draw_columns(columns, title=title)


def _draw_points(local: LocalNode, rating: RatingRecord, texts: Texts, *, sight: Sight) -> str:
    pair = local.assessment.find_pair(rating.assessment_id)
    if pair is None:
        return ""
    if not sight.has_peers:
        pair = pair.without_peers
    score_deci = pair.with_peers.assessment.score_deci
    if score_deci is None or not pair.changes:
        return ""
    policy = local.assessment.get_policy(pair.with_peers.assessment.policy)
    rows = build_comparison(pair, policy=policy, language=texts.language)
    steps = [
        Step(
            label=row.name,
            points_deci=change.after_deci,
            points_max_deci=_parse_deci(row.points_max),
            text=say_deci(change.after_deci, texts),
        )
        for row, change in zip(rows, pair.changes, strict=True)
    ]
    title = texts("points.chart", score=say_deci(score_deci, texts))
    return draw_steps(steps, total=texts("compare.total"), total_deci=score_deci, title=title)


def _parse_deci(text: str) -> int:
    """Return tenths of what the comparison has written with one decimal."""
    whole, _, tenths = text.partition(".")
    return int(whole) * 10 + int(tenths or 0)


def _draw_history(ratings: Sequence[RatingRecord], texts: Texts) -> str:
    points = [
        Point(
            label=one.as_of.isoformat(),
            value_deci=one.score_with_peers_deci,
            text=f"{one.grade_with_peers} · {say_deci(one.score_with_peers_deci, texts)}",
        )
        for one in ratings
    ]
    if sum(point.value_deci is not None for point in points) < 2:  # noqa: PLR2004  a line has two ends
        return ""
    title = texts("history.chart", first=points[0].label, last=points[-1].label)
    return draw_line(points, title=title, unit=texts("history.axis"))
