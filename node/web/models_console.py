"""The pages of the registry of models, and the panel on the page of a customer.

Training is a command. What is approved or retired here stands under the name of who is signed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.assessment.report import format_deci
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.http.bodies import read_bounded
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.rating.models.registry import ModelNotFoundError, read_report
from node.rating.models.report import build_drift_object, group_score
from node.rating.models.rules_registry import STATES, ModelState, list_steps
from node.rating.models.view import build_model_object, build_summary_object
from node.rating.panel.service import Panel
from node.rating.panel.view import (
    build_panel_object,
    format_factor_value,
    format_probability,
    format_span,
)
from node.rating.store import ModelRecord, RatingRecord
from node.rating.validation.stability import drift_by_month
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.languages import choose_language
from node.web.pages import Sight
from node.web.reliability_chart import Dot, draw_reliability
from node.web.texts import Texts

LIST_PATH = "/console/models"
MODEL_PATH = f"{LIST_PATH}/{{model_id}}"
PAGE_ROWS = 50
FORM_BYTES_MAX = 4_096
FORM_FIELDS_MAX = 4
_ROLES = (ModelState.CHALLENGER, ModelState.CHAMPION)
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRow:
    """One model of the panel: its name, what it says, the grades that this covers."""

    name: str
    says: str
    span: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView:
    """The panel as the page of a customer shows it."""

    shown: dict[str, Any]
    rows: tuple[PanelRow, ...]


def build_model_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""

    async def look(request: Request) -> None:
        viewer: Principal = request.state.viewer
        access = Access(area=Area.CREDIT, target=request.url.path)
        await run_in_threadpool(check_access, local.people, viewer, access)

    async def show_list(request: Request) -> Response:
        language = choose_language(request)
        before = parse_key(request.query_params.get("before", ""))
        records = await run_in_threadpool(
            lambda: local.models.list_models(limit=PAGE_ROWS, before=before)
        )
        await look(request)
        return await render(
            request,
            "models.html",
            models=[build_summary_object(one, language=language) for one in records],
            older=records[-1].model_id if len(records) == PAGE_ROWS else None,
            interval=format_interval,
        )

    async def show_model(request: Request) -> Response:
        texts = Texts(choose_language(request))
        key = _read_key(request)
        record = await run_in_threadpool(local.models.get, key)
        used = await run_in_threadpool(_list_used_drift, local, record)
        await look(request)
        model = build_model_object(record, language=texts.language)
        states = {role: STATES[role].render(texts.language) for role in _find_roles(model)}
        return await render(
            request,
            "model.html",
            model=model,
            used=used,
            roles=states,
            chart=_draw(model, texts),
            interval=format_interval,
            share=format_probability,
            points=format_deci,
            value=format_factor_value,
            observed=format_observed,
            micro=lambda value: f"{value / _MICRO:.3f}",
        )

    async def approve(request: Request) -> Response:
        form = await read_form(request)
        asked = form.get("as", [""])[0]
        role = ModelState(asked) if asked in set(_ROLES) else ModelState.CHALLENGER
        viewer: Principal = request.state.viewer
        await run_in_threadpool(
            lambda: local.models.approve(
                _read_key(request), role=role, by=viewer.name, reason=_read_reason(form)
            )
        )
        return _go_back(request)

    async def retire(request: Request) -> Response:
        form = await read_form(request)
        viewer: Principal = request.state.viewer
        await run_in_threadpool(
            lambda: local.models.retire(
                _read_key(request), by=viewer.name, reason=_read_reason(form)
            )
        )
        return _go_back(request)

    async def read_form(request: Request) -> dict[str, list[str]]:
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        return parse_form(body, fields_max=FORM_FIELDS_MAX)

    return [
        page("GET", LIST_PATH, show_list),
        page("GET", MODEL_PATH, show_model),
        page("POST", f"{MODEL_PATH}/approve", approve),
        page("POST", f"{MODEL_PATH}/retire", retire),
    ]


def read_panel(
    local: LocalNode, rating: RatingRecord | None, *, sight: Sight, texts: Texts
) -> PanelView | None:
    """Read the panel beside a customer's newest rating; None before it is rated."""
    if rating is None:
        return None
    panel = local.panels.find(rating.assessment_id, shows_peers=sight.has_peers)
    if panel is None:
        return None
    shown = build_panel_object(panel, language=texts.language)
    return PanelView(shown=shown, rows=_list_rows(panel, shown, texts))


def format_interval(interval: dict[str, int]) -> str:
    """Write a figure of millionths with its interval; nothing is a dash."""
    if "value_ppm" not in interval:
        return "—"
    value, low, high = (
        interval.get(name, 0) / _MICRO for name in ("value_ppm", "low_ppm", "high_ppm")
    )
    return f"{value:.3f}" if "low_ppm" not in interval else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def format_observed(interval: dict[str, int]) -> str:
    """Write an observed rate with its interval in per cent, as what was stated stands beside it."""
    value, low, high = (interval.get(name) for name in ("value_ppm", "low_ppm", "high_ppm"))
    words = format_probability(value)
    if low is None:
        return words
    return f"{words} [{format_probability(low)}, {format_probability(high)}]"


def _list_rows(panel: Panel, shown: dict[str, Any], texts: Texts) -> tuple[PanelRow, ...]:
    says = {
        ("expert", ""): format_deci(shown["expert"]["score_deci"]),
        ("index-own", ""): format_deci(shown["index"]["own_deci"]),
        ("index-peers", ""): format_deci(shown["index"]["peers_deci"]),
    }
    for one in shown["models"]:
        stated = texts("panel.pd", share=format_probability(one["probability_ppm"]))
        says[one["role"], one["label"]] = f"{format_deci(one['score_deci'])} · {stated}"
    for one in (shown["altman"] or {"scores": []})["scores"]:
        if one["zone"] is not None:
            says[one["model"], ""] = f"{one['score']} · {one['zone_text']}"
    return tuple(
        PanelRow(
            name=f"{grade['name']} {grade['label']}".strip(),
            says=says[grade["opinion"], grade["label"]],
            span=format_span(placed, panel),
        )
        for placed, grade in zip(panel.placed, shown["grades"], strict=True)
    )


def _list_used_drift(local: LocalNode, record: ModelRecord) -> list[dict[str, Any]]:
    """Compare the scores that the model gave beside ratings with those of its training."""
    trained = read_report(record)["training_scores"]
    scores = local.panels.count_scores(record.model_id)
    groups, days = [], []
    for month, given in scores.items():
        groups += [group_score(score, trained["edges_deci"]) for score in given]
        days += [month] * len(given)
    drift = drift_by_month(groups, days, trained_on=dict(enumerate(trained["counts"])))
    return [dict(build_drift_object(one)) for one in drift]


def _draw(model: dict[str, Any], texts: Texts) -> str:
    dots = [
        Dot(
            stated_ppm=one["stated_ppm"],
            observed_ppm=one["observed"]["value_ppm"],
            low_ppm=one["observed"]["low_ppm"],
            high_ppm=one["observed"]["high_ppm"],
            text=f"{format_probability(one['stated_ppm'])} → {one['bads']}/{one['rows']}",
        )
        for one in model["test"]["reliability"]
        if "value_ppm" in one["observed"]
    ]
    return draw_reliability(
        dots,
        title=texts("models.reliability"),
        across=texts("models.stated"),
        upward=texts("models.observed"),
    )


def _find_roles(model: dict[str, Any]) -> tuple[ModelState, ...]:
    state = ModelState(model["state"])
    return tuple(role for role in _ROLES if list_steps(state, role) is not None)


def _read_key(request: Request) -> int:
    key = parse_key(request.path_params["model_id"])
    if key is None:
        raise ModelNotFoundError("there is no such model")
    return key


def _read_reason(form: dict[str, list[str]]) -> str:
    return form.get("reason", [""])[0].strip()


def _go_back(request: Request) -> Response:
    return RedirectResponse(f"{LIST_PATH}/{_read_key(request)}", status_code=303)
