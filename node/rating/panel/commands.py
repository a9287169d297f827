"""``chengxin panel``: what each model says of a customer, side by side."""

from __future__ import annotations

from typing import Protocol

import typer
from rich.console import Console
from rich.table import Table

from node.assessment.commands import (
    CustomerArgument,
    JsonOption,
    LanguageOption,
    get_customer_id,
    record_operators_look,
)
from node.assessment.policy_file import Language
from node.assessment.report import format_deci
from node.assessment.service import AssessmentService
from node.core.errors import NotFoundError
from node.core.people.service import PeopleService
from node.core.terminal import show_json, show_table
from node.rating.panel.rules_panel import OPINIONS, Opinion
from node.rating.panel.service import ModelSaid, Panel, PanelService
from node.rating.panel.view import (
    build_model_said,
    build_panel_object,
    describe_apart,
    describe_placed,
    format_probability,
    format_span,
)

panel_app = typer.Typer(help="Models side by side on one customer. 模型并列比较。")

_HEADINGS = {
    Language.EN: (
        "Model",
        "Says",
        "Grades",
        "Factor",
        "Value",
        "Points",
        "Best",
        "Source",
        "apart",
        "together: no model lies apart from the expert scorecard",
    ),
    Language.ZH: (
        "模型",
        "结果",
        "等级",
        "指标",
        "值",
        "分值",
        "最高分",
        "来源",
        "分歧",
        "没有模型与专家评分卡明显分歧",
    ),
}


class PanelNode(Protocol):
    """What this command needs of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def assessment(self) -> AssessmentService:
        """Who is meant."""
        ...

    @property
    def panels(self) -> PanelService:
        """The use case."""
        ...


@panel_app.command("panel")
def show_panel(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show what each model says beside a customer's newest assessment; the expert card rates."""
    node: PanelNode = ctx.obj
    customer_id = get_customer_id(node.assessment, customer)
    panel = node.panels.find_latest(customer_id, shows_peers=True)
    if panel is None:
        raise NotFoundError("not assessed yet")
    record_operators_look(node.people, panel.pair)
    if as_json:
        shown = build_panel_object(panel, language=language)
        show_json(shown)
        return
    _print(panel, language=language)


def _print(panel: Panel, *, language: Language) -> None:
    names, console = _HEADINGS[language], Console()
    title = f"{panel.pair.subject_id} · {panel.pair.own.assessment.as_of} · {panel.policy.label}"
    table = Table(*names[:3], title=title)
    said = _say_each(panel)
    for placed in panel.placed:
        key = (placed.opinion, placed.label)
        table.add_row(
            describe_placed(placed, language), said.get(key, ""), format_span(placed, panel)
        )
    show_table(table)
    for one in panel.models:
        _print_model(one, language=language)
    for apart in panel.apart:
        console.print(f"{names[8]}: {describe_apart(apart, language)} ({apart.code})")
    if not panel.apart:
        console.print(names[9])


def _say_each(panel: Panel) -> dict[tuple[Opinion, str], str]:
    score_deci = panel.pair.with_peers.assessment.score_deci
    said = {
        (Opinion.EXPERT, ""): format_deci(score_deci),
        (Opinion.INDEX_OWN, ""): format_deci(panel.index.own_deci),
        (Opinion.INDEX_PEERS, ""): format_deci(panel.index.peers_deci),
    }
    for one in panel.models:
        stated = format_probability(one.row.probability_ppm)
        said[one.opinion, one.record.label] = f"{format_deci(one.row.score_deci)} (PD {stated})"
    altman = build_panel_object(panel, language=Language.EN)["altman"]
    for score in () if altman is None else altman["scores"]:
        said[Opinion(score["model"]), ""] = f"{score['score']} {score['zone']}"
    return said


def _print_model(one: ModelSaid, *, language: Language) -> None:
    shown, names = build_model_said(one, language=language), _HEADINGS[language]
    head = f"{OPINIONS[one.opinion].render(language)} {one.record.label} · {shown['verdict_text']}"
    if one.score is None:
        Console().print(f"{head}: {shown['code_text']}", highlight=False, markup=False)
        return
    table = Table(*names[3:8], title=head, show_footer=True)
    for line in shown["lines"]:
        table.add_row(
            line["name"],
            ", ".join(value["text"] for value in line["values"]),
            format_deci(line["points_deci"]),
            format_deci(line["points_best_deci"]),
            line["source"],
        )
    base = format_deci(one.score.base_points_deci)
    table.add_row("base", "", base, base, "")
    show_table(table)
    for reason in shown["reasons"]:
        Console().print(f"  · {reason[language.value]}", highlight=False, markup=False)
