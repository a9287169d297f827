"""The page of a customer's financial statements: years side by side, ratios, Altman, versions.

It reads; ``statement_pages`` and ``statement_upload`` enter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.assessment.policy_file import Language
from node.assessment.statements.chart import CHART, Item, Part
from node.assessment.statements.report import (
    StatementReport,
    StatementYear,
    list_counting_keys,
    list_remarks,
)
from node.assessment.statements.rules_altman import (
    ALTMAN_VERSION,
    MODELS,
    SCORE_DECIMALS,
    TERMS,
    Model,
    Score,
)
from node.assessment.statements.rules_evidence import EVIDENCE_VERSION
from node.assessment.statements.rules_ratios import (
    RATIOS,
    RATIOS_VERSION,
    Ratio,
    RatioGroup,
    RatioValue,
    format_value,
)
from node.assessment.statements.rules_statement import Basis
from node.assessment.statements.rules_trend import TREND_VERSION, Judgement, Trend
from node.assessment.statements.store import StatementVersion
from node.assessment.statements.wording import say, say_missing
from node.bootstrap.local import LocalNode
from node.core.money import format_amount
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.records.store import CustomerRecord
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.ledger_console import View, read_view
from node.web.wording import MINUS

_CHANGES = {Judgement.BETTER: "up", Judgement.WORSE: "down"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountCell:
    """One amount of a year; empty where the line is not there."""

    text: str
    is_derived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One item over the years."""

    name: str
    is_total: bool
    cells: tuple[AmountCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRows:
    """One statement with its items."""

    name: str
    rows: tuple[LineRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCell:
    """One value, or why there is none; ``remarks`` are words."""

    text: str
    is_value: bool
    remarks: str
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioRow:
    """One ratio over the years, with what is told on demand."""

    name: str
    formula: str
    source: str
    better: str
    cells: tuple[ValueCell, ...]
    trend: str
    judgement: str
    change_class: str
    years: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioRows:
    """The ratios of one group."""

    name: str
    rows: tuple[RatioRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRow:
    """One term of a model over the years."""

    name: str
    words: str
    coefficient: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model over the years, with its terms."""

    name: str
    formula: str
    safe_above: str
    distress_below: str
    constant: str
    cells: tuple[ValueCell, ...]
    terms: tuple[TermRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementsPage:
    """Everything the page shows."""

    customer: CustomerRecord
    view: View
    report: StatementReport
    bases: tuple[Basis, ...]
    parts: tuple[PartRows, ...]
    ratios: tuple[RatioRows, ...]
    models: tuple[ModelRow, ...]
    findings: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    remarks: tuple[str, ...]
    weight: str
    versions: tuple[StatementVersion, ...]
    counting: frozenset[int]
    """Keys of the versions that can be corrected or withdrawn; none of what was known before."""
    formulas: dict[str, str]
    words: Callable[[str, str], str]


def build_statement_routes(
    local: LocalNode, *, render: Render, page: BuildRoute
) -> list[BaseRoute]:
    """Return the route of the page."""

    async def show(request: Request) -> Response:
        language = choose_language(request)
        customer_id = parse_customer_id(request.path_params["customer_id"])
        view = read_view(request, today=local.business_date())
        asked = request.query_params.get("basis", "")
        basis = Basis(asked) if asked in set(Basis) else None
        viewer: Principal = request.state.viewer
        statements = await run_in_threadpool(
            lambda: read_statements(local, customer_id, view=view, basis=basis, language=language)
        )
        target = f"/customers/{customer_id}/statements"
        await run_in_threadpool(
            lambda: check_access(local.people, viewer, Access(area=Area.CREDIT, target=target))
        )
        return await render(request, "statements.html", page=statements)

    return [page("GET", "/console/customers/{customer_id}/statements", show)]


def read_statements(
    local: LocalNode, customer_id: int, *, view: View, basis: Basis | None, language: Language
) -> StatementsPage:
    """Read the page of one customer.

    Raises:
        CustomerNotFoundError: There is none with this key.
    """
    known_at_ms = view.known_at_ms
    report = local.statements.report(
        customer_id, basis=basis, as_of=view.as_of, known_at_ms=known_at_ms
    )
    versions = [
        one
        for one in local.statements.list_versions(customer_id)
        if known_at_ms is None or one.entered_at_ms <= known_at_ms
    ]
    return StatementsPage(
        customer=local.records.get_customer(customer_id, known_at_ms=known_at_ms),
        view=view,
        report=report,
        bases=tuple(Basis),
        parts=tuple(_build_part(report, part, language) for part in Part),
        ratios=tuple(_build_group(report, group, language) for group in RatioGroup),
        models=tuple(
            _build_model(report, model, position, language)
            for position, model in enumerate(MODELS.values())
        ),
        findings=tuple(
            (one.severity.value, one.say(language))
            for year in report.years
            for one in year.findings
        ),
        missing=tuple(say_missing(code, language) for code in report.evidence.missing),
        remarks=tuple(say("remark", one, language) for one in list_remarks(report)),
        weight=format_value(Fraction(report.evidence.weight_milli, 1000), decimals=3),
        versions=tuple(reversed(versions)),
        counting=frozenset() if known_at_ms is not None else list_counting_keys(versions),
        formulas={
            "ratios": RATIOS_VERSION,
            "trend": TREND_VERSION,
            "altman": ALTMAN_VERSION,
            "evidence": EVIDENCE_VERSION,
        },
        words=lambda kind, code: say(kind, code, language),
    )


def _build_part(report: StatementReport, part: Part, language: Language) -> PartRows:
    rows = [
        LineRow(
            name=item.words.render(language),
            is_total=item.is_total,
            cells=tuple(_build_amount(year, item) for year in report.years),
        )
        for code, item in CHART.items()
        if item.part is part and any(code in year.amounts for year in report.years)
    ]
    return PartRows(name=say("part", part, language), rows=tuple(rows))


def _build_amount(year: StatementYear, item: Item) -> AmountCell:
    amount_minor = year.amounts.get(item.code)
    if amount_minor is None:
        return AmountCell(text="", is_derived=False)
    text = format_amount(amount_minor, currency=year.version.statement.currency)
    return AmountCell(text=text.replace("-", MINUS), is_derived=item.code in year.derived)


def _build_group(report: StatementReport, group: RatioGroup, language: Language) -> RatioRows:
    return RatioRows(
        name=say("group", group, language),
        rows=tuple(
            _build_ratio(ratio, report.ratios[code], report.trends[code], language)
            for code, ratio in RATIOS.items()
            if ratio.group is group
        ),
    )


def _build_ratio(
    ratio: Ratio, values: tuple[RatioValue, ...], trend: Trend | None, language: Language
) -> RatioRow:
    sign = "\N{NO-BREAK SPACE}%" if ratio.unit.factor > 1 else ""
    return RatioRow(
        name=ratio.words.render(language),
        formula=ratio.formula.render(language),
        source=ratio.source.render(language),
        better=say("better", ratio.better, language),
        cells=tuple(_build_value(one, ratio.unit.decimals, language, sign=sign) for one in values),
        trend="" if trend is None else say("direction", trend.direction, language),
        judgement="" if trend is None else say("judgement", trend.judgement, language),
        change_class="" if trend is None else _CHANGES.get(trend.judgement, ""),
        years=0 if trend is None else trend.years,
    )


def _build_value(
    one: RatioValue | Score, decimals: int, language: Language, *, sign: str = ""
) -> ValueCell:
    value = one.value if isinstance(one, RatioValue) else one.score
    if value is None:
        text = say("reason", one.reason, language, item=one.missing_item)
        return ValueCell(text=text, is_value=False, remarks="")
    shown = format_value(value, decimals=decimals).replace("-", MINUS)
    remarks = "; ".join(say("remark", remark, language) for remark in one.remarks)
    zone = one.zone if isinstance(one, Score) else None
    return ValueCell(
        text=f"{shown}{sign}",
        is_value=True,
        remarks=remarks,
        zone="" if zone is None else zone.value,
    )


def _build_model(
    report: StatementReport, model: Model, position: int, language: Language
) -> ModelRow:
    scores = [year.scores[position] for year in report.years]
    return ModelRow(
        name=model.words.render(language),
        formula=model.formula,
        safe_above=format_value(Fraction(model.safe_above_centi, 100), decimals=2),
        distress_below=format_value(Fraction(model.distress_below_centi, 100), decimals=2),
        constant=format_value(Fraction(model.constant_milli, 1000), decimals=2)
        if model.constant_milli
        else "",
        cells=tuple(_build_value(score, SCORE_DECIMALS, language) for score in scores),
        terms=tuple(
            TermRow(
                name=name,
                words=TERMS[name].render(language),
                coefficient=format_value(Fraction(milli, 1000), decimals=3),
                cells=tuple(_say_term(score, index) for score in scores),
            )
            for index, (name, milli) in enumerate(model.coefficients_milli)
        ),
    )


def _say_term(score: Score, index: int) -> str:
    """Write a term's value and what it adds, or nothing where there is no score."""
    if not score.terms:
        return ""
    term = score.terms[index]
    value, contribution = (
        format_value(one, decimals=SCORE_DECIMALS).replace("-", MINUS)
        for one in (term.value, term.contribution)
    )
    return f"{value} → {contribution}"
