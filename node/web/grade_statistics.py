"""Pages of both statistics of grades: the back-test, and what became of overrides."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.rating.backtest.observed import BADS_MIN
from node.rating.backtest.view import (
    build_backtest_object,
    build_override_report_object,
    say_interval,
    say_ppm,
)
from node.web.handlers import BuildRoute, Render
from node.web.interval_chart import Row, draw_intervals
from node.web.languages import choose_language
from node.web.texts import Texts

BACKTEST_PATH = "/console/ratings/backtest"
REPORT_PATH = "/console/ratings/override-report"
_PPM_PER_PERMILLE = 1_000


def build_grade_statistics_routes(
    local: LocalNode, *, render: Render, page: BuildRoute
) -> list[BaseRoute]:
    """Return the routes of both pages."""

    def record(request: Request) -> None:
        viewer: Principal = request.state.viewer
        check_access(local.people, viewer, Access(area=Area.CREDIT, target=request.url.path))

    async def show_backtest(request: Request) -> Response:
        texts = Texts(choose_language(request))
        found = await run_in_threadpool(local.backtests.read_backtest)
        await run_in_threadpool(record, request)
        shown = build_backtest_object(found, language=texts.language)
        return await render(
            request,
            "backtest.html",
            shown=shown,
            bads_min=BADS_MIN,
            chart=draw_grades(shown, texts),
            interval=lambda one: say_interval(one, nothing=texts("none.computable")),
            share=say_ppm,
            ppm=_say_plain,
            area=_say_area(shown["auc"], nothing=texts("none.computable")),
        )

    async def show_report(request: Request) -> Response:
        texts = Texts(choose_language(request))
        report = await run_in_threadpool(local.backtests.read_overrides)
        await run_in_threadpool(record, request)
        shown = build_override_report_object(
            report, policy=local.overrides.find_policy(), language=texts.language
        )
        return await render(
            request,
            "override_report.html",
            shown=shown,
            bads_min=BADS_MIN,
            chart=draw_groups(shown, texts),
            interval=lambda one: say_interval(one, nothing=texts("none.computable")),
            share=lambda permille: say_ppm(permille * _PPM_PER_PERMILLE),
        )

    return [page("GET", BACKTEST_PATH, show_backtest), page("GET", REPORT_PATH, show_report)]


def draw_grades(shown: dict[str, Any], texts: Texts) -> str:
    """Draw each grade: what happened beside what was stated; empty where nothing is over."""
    if not shown["total"]["n"]:
        return ""
    rows = [_build_row(one["grade"], one, texts) for one in shown["grades"]]
    return draw_intervals(rows, title=texts("backtest.chart"))


def draw_groups(shown: dict[str, Any], texts: Texts) -> str:
    """Draw grades that persons raised and lowered, and those that they left."""
    named = {one["name"]: one["outcome"] for one in shown["by_direction"]}
    groups = [
        (texts("overrides.up"), named["up"]),
        (texts("overrides.down"), named["down"]),
        (texts("overridden.others"), shown["not_overridden"]),
    ]
    if not any(one["n"] for _, one in groups):
        return ""
    rows = [_build_row(name, one, texts) for name, one in groups]
    return draw_intervals(rows, title=texts("overridden.chart"))


def _build_row(label: str, one: dict[str, Any], texts: Texts) -> Row:
    observed = one["observed"]
    return Row(
        label=label,
        text=texts("backtest.of", bads=one["bads"], n=one["n"]),
        words=say_interval(observed, nothing=texts("none.computable")),
        observed_ppm=observed["value_ppm"],
        low_ppm=observed["low_ppm"],
        high_ppm=observed["high_ppm"],
        stated_ppm=one.get("stated_ppm"),
    )


def _say_area(interval: dict[str, int | None], *, nothing: str) -> str:
    value, low, high = (interval[name] for name in ("value_ppm", "low_ppm", "high_ppm"))
    if value is None:
        return nothing
    ends = nothing if low is None or high is None else f"{_say_plain(low)}, {_say_plain(high)}"
    return f"{_say_plain(value)} [{ends}]"


def _say_plain(ppm: int) -> str:
    return f"{ppm / 1_000_000:.4f}"
