"""Pages of the portfolio: concentration by every dimension with its limits, and stress.

Every part leads to the customers whom it is of, and each of these to the exposure that is counted.
A scenario stands in the address: it is only read, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.errors import NodeError, NotFoundError, RejectedError
from node.core.people.areas import Access, Area, check_access
from node.risk.losses.view_portfolio import (
    DIMENSIONS,
    build_concentration_object,
    build_stress_object,
)
from node.risk.portfolio.policy import PortfolioPolicyBody
from node.risk.portfolio.rules_concentration import Dimension, Holding
from node.risk.portfolio.service import ConcentrationReport, build_report
from node.risk.register.rules_register import INDEX, UNRATED
from node.risk.stress.rules_stress import NOTCHES_MAX, Scenario
from node.risk.stress.service import StressReport
from node.web.authorisation import find_hidden
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.named_customers import find_customer
from node.web.share_chart import Share, draw_shares
from node.web.step_forms import Sent, get_viewer
from node.web.texts import Texts
from node.web.typed import Typed
from node.web.wording import say_deci

CONCENTRATION_PATH = "/console/risk/concentration"
STRESS_PATH = "/console/risk/stress"
DRAWN_MAX, LISTED_MAX, CHANGED_MAX = 12, 50, 200
NAMED_MAX = 50
STEP = "stress"
PERMILLE = 1_000
_NUMBERED = frozenset({Dimension.CUSTOMER, Dimension.GROUP})
_UNKNOWN = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """A portfolio by one dimension: its parts with names, limits and links, and its bars."""

    values: dict[str, Any]
    parts: tuple[dict[str, Any], ...]
    chart: str
    index_limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The customers whom one part is of."""

    title: str
    rows: tuple[dict[str, Any], ...]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentrationPage:
    """How concentrated the portfolio is on a day."""

    report: dict[str, Any] | None
    divided: tuple[Divided, ...]
    breaches: tuple[dict[str, Any], ...]
    behind: Behind | None
    names: dict[int, str]
    today: str
    as_of: str
    refused: NodeError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StressPage:
    """A scenario's form, and what would be under it once there is one."""

    report: dict[str, Any] | None
    names: dict[int, str]
    chart: str
    grades: tuple[str, ...]
    notches_max: int
    sent: Sent
    today: str


def build_concentration_routes(
    local: LocalNode, *, render: Render, page: BuildRoute
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Concentration(local, render=render)
    return [
        page("GET", CONCENTRATION_PATH, desk.show_concentration),
        page("GET", STRESS_PATH, desk.show_stress),
    ]


class _Concentration:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render) -> None:
        self._local = local
        self._losses = local.losses
        self._render = render

    async def show_concentration(self, request: Request) -> Response:
        """Show how concentrated the portfolio is."""
        shown = await run_in_threadpool(self._read_concentration, request)
        return await self._render(request, "concentration.html", page=shown)

    async def show_stress(self, request: Request) -> Response:
        """Show the form of a scenario, and what would be under it."""
        shown = await run_in_threadpool(self._read_stress, request)
        return await self._render(request, "stress.html", status=shown.sent.status, page=shown)

    def _read_concentration(self, request: Request) -> ConcentrationPage:
        self._record(request)
        language, today = choose_language(request), self._losses.portfolio.today()
        typed = Typed({name: [value] for name, value in request.query_params.items()})
        as_of = typed.find_day("as_of") or today
        try:
            report = self._losses.portfolio.report(as_of=as_of)
        except (RejectedError, NotFoundError) as err:
            return ConcentrationPage(
                report=None,
                divided=(),
                breaches=(),
                behind=None,
                names={},
                today=today.isoformat(),
                as_of=as_of.isoformat(),
                refused=err,
            )
        hidden = find_hidden(
            self._local, request, {*report.portfolio.customers, *list_keys(report)}
        )
        values = build_concentration_object(report, language=language, hidden=hidden)
        if values["left_out"]:
            report = build_report(report.portfolio.leave_out(hidden))
        names = self._name_all(report, hidden)
        texts = Texts(language)
        return ConcentrationPage(
            report=values,
            divided=tuple(_divide(one, report, names, texts) for one in values["dimensions"]),
            breaches=tuple(_name_breach(one, names, texts) for one in values["breaches"]),
            behind=_find_behind(typed.raw("part"), report, names, texts),
            names=names,
            today=today.isoformat(),
            as_of=as_of.isoformat(),
            refused=None,
        )

    def _name_all(self, report: ConcentrationReport, hidden: Collection[int]) -> dict[int, str]:
        known = report.portfolio.customers
        others = {one.group_id for one in report.portfolio.holdings}
        others |= {one.customer_id for one in report.portfolio.not_converted}
        names = {key: one.name for key, one in known.items()}
        names |= {key: self._local.records.get_customer(key).name for key in others - set(known)}
        return {key: name for key, name in names.items() if key not in hidden}

    def _read_stress(self, request: Request) -> StressPage:
        self._record(request)
        language = choose_language(request)
        fields = {name: request.query_params.getlist(name) for name in request.query_params}
        typed, report, refused = Typed(fields), None, None
        if "notches" in fields or "defaults" in fields:
            scenario = self._read_scenario(request, typed)
            try:
                report = None if typed.errors else self._losses.stress.run(scenario)
            except (RejectedError, NotFoundError) as err:
                refused = err
        hidden: Collection[int] = ()
        if report is not None:
            hidden = find_hidden(self._local, request, report.portfolio.customers)
        values = None if report is None else build_stress_object(report, hidden=hidden)
        if report is not None and hidden:
            report = report.leave_out(hidden)
        return StressPage(
            report=values,
            names={} if report is None else self._name(report, hidden),
            chart="" if report is None else _draw_stress(report, Texts(language)),
            grades=self._losses.portfolio.list_grades(),
            notches_max=NOTCHES_MAX,
            sent=Sent(step=STEP, fields=fields, errors=typed.errors, refused=refused),
            today=self._losses.portfolio.today().isoformat(),
        )

    def _read_scenario(self, request: Request, typed: Typed) -> Scenario:
        notches = typed.find_days("notches", days_max=NOTCHES_MAX)
        grades = [one for one in typed.fields.get("grades", []) if one]
        return Scenario(
            notches=notches or 0,
            customers=self._read_named(request, typed, "customers"),
            industries=frozenset(_split(typed, "industries", upper=True)),
            countries=frozenset(_split(typed, "countries", upper=True)),
            grades=frozenset(grades),
            defaults=self._read_named(request, typed, "defaults"),
        )

    def _read_named(self, request: Request, typed: Typed, name: str) -> frozenset[int]:
        """Return the customers whom a field names; one who may not be seen is none."""
        found = [find_customer(self._local, request, one) for one in _split(typed, name)]
        if None in found:
            typed.refuse(name, "typed.customer")
        return frozenset(one for one in found if one is not None)

    def _name(self, report: StressReport, hidden: Collection[int]) -> dict[int, str]:
        named = {one.customer_id for one in report.changed} | report.scenario.customers
        named |= report.scenario.defaults
        kept = sorted(key for key in named if key not in hidden)
        return {key: self._local.records.get_customer(key).name for key in kept}

    def _record(self, request: Request) -> None:
        access = Access(area=Area.CREDIT, target=request.url.path)
        check_access(self._local.people, get_viewer(request), access)


def list_keys(report: ConcentrationReport) -> set[int]:
    """Return every customer of a portfolio, and the heads of its groups."""
    keys = set(report.portfolio.customers)
    keys |= {one.group_id for one in report.portfolio.holdings}
    return keys | {one.customer_id for one in report.portfolio.not_converted}


def find_limit(body: PortfolioPolicyBody, dimension: Dimension, key: str | None) -> int | None:
    """Return the least share that a policy allows a part to be, in per mille."""
    if key is None:
        return None
    found = [
        one.share_permille
        for one in body.limits
        if one.dimension is dimension and (key in one.only if one.only else key not in one.exempt)
    ]
    return min(found, default=None)


def _divide(
    values: dict[str, Any], report: ConcentrationReport, names: dict[int, str], texts: Texts
) -> Divided:
    dimension, body = Dimension(values["dimension"]), report.portfolio.policy.body
    parts = [
        part
        | {
            "name": _name_part(dimension, part, names, texts),
            "limit_permille": find_limit(body, dimension, part["key"])
            if report.has_limits
            else None,
        }
        for part in values["parts"]
    ]
    shares = [
        Share(
            label=part["name"],
            permille=part["share_permille"],
            text=f"{say_deci(part['share_permille'], texts)} %",
            limit_permille=part["limit_permille"],
        )
        for part in parts[:DRAWN_MAX]
    ]
    index = [one.hhi for one in body.hhi_limits if one.dimension is dimension]
    return Divided(
        values=values,
        parts=tuple(parts[:LISTED_MAX]),
        chart=draw_shares(shares, title=texts("concentration.chart", dimension=values["text"]))
        if shares
        else "",
        index_limit=index[0] if index and report.has_limits else None,
    )


def _name_part(
    dimension: Dimension, part: dict[str, Any], names: dict[int, str], texts: Texts
) -> str:
    if part["is_hidden"]:
        return texts("concentration.hidden")
    key = part["key"]
    if key is None:
        return texts("concentration.unknown")
    return names.get(int(key), key) if dimension in _NUMBERED else str(key)


def _name_breach(one: dict[str, Any], names: dict[int, str], texts: Texts) -> dict[str, Any]:
    if one["of"] == "index":
        return one | {"name": texts("concentration.index")}
    return one | {"name": _name_part(Dimension(one["dimension"]), one, names, texts)}


def _find_behind(
    asked: str, report: ConcentrationReport, names: dict[int, str], texts: Texts
) -> Behind | None:
    """Return who is behind a part: ``country:DE``; of the unknown part ``industry:?``."""
    name, _, key = asked.partition(":")
    if name not in set(Dimension) or not key:
        return None
    dimension = Dimension(name)
    wanted = None if key in {_UNKNOWN, UNRATED} else key
    holdings = [
        one
        for one in report.portfolio.holdings
        if key == INDEX or one.find_key(dimension) == wanted
    ]
    shown = [one for one in holdings if one.customer_id in names]
    if dimension in _NUMBERED and wanted is not None and wanted.isdecimal():
        key = names.get(int(wanted), wanted)
    words = DIMENSIONS[dimension].render(texts.language)
    return Behind(
        title=texts("concentration.behind", dimension=words, part=key),
        rows=tuple(_build_row(one, names) for one in _rank(shown)[:LISTED_MAX]),
        left_out=len(holdings) - min(len(shown), LISTED_MAX),
    )


def _rank(holdings: Iterable[Holding]) -> list[Holding]:
    return sorted(holdings, key=lambda one: (-one.exposure_minor, one.customer_id))


def _build_row(one: Holding, names: dict[int, str]) -> dict[str, Any]:
    return {
        "customer": one.customer_id,
        "name": names[one.customer_id],
        "grade": one.grade,
        "country": one.country,
        "industry": one.industry,
        "exposure_minor": one.exposure_minor,
        "expected_loss_minor": one.expected_loss_minor,
    }


def _draw_stress(report: StressReport, texts: Texts) -> str:
    """Draw what is and would be expected to be lost, and be held, of the whole exposure."""
    whole = max(report.before.exposure_minor, 1)
    figures = (
        ("stress.loss-before", report.before.expected_loss_minor),
        ("stress.loss-after", report.after.expected_loss_minor),
        ("stress.held-before", report.held_before_minor),
        ("stress.held-after", report.held_after_minor),
    )
    shares = [
        Share(
            label=texts(name),
            permille=minor * PERMILLE // whole,
            text=f"{say_deci(minor * PERMILLE // whole, texts)} %",
        )
        for name, minor in figures
    ]
    return draw_shares(shares, title=texts("stress.chart"))


def _split(typed: Typed, name: str, *, upper: bool = False) -> list[str]:
    found = normalize("NFKC", typed.raw(name)).replace(",", " ").split()
    if len(found) > NAMED_MAX:
        typed.refuse(name, "typed.long")
    return [one.upper() if upper else one for one in found[:NAMED_MAX]]
