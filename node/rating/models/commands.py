"""``chengxin model``: train, list, show, approve, retire, compare."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.table import Table

from node.assessment.commands import AsOfOption, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.people.accounts.approvals import Approvals
from node.core.people.areas import Area
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService
from node.core.terminal import show_json, show_table
from node.rating.models.peer_gain import PeerGainService
from node.rating.models.registry import ModelService
from node.rating.models.rules_registry import ModelState
from node.rating.models.view import (
    build_comparison_object,
    build_model_object,
    build_peer_gain_object,
    build_summary_object,
)

model_app = typer.Typer(
    no_args_is_help=True, help="Statistical models: registry and validation. 统计模型。"
)

ModelArgument = Annotated[int, typer.Argument(min=1, help="Number of the model (model list).")]
ByOption = Annotated[str, typer.Option("--by", help="Who does it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why.")]
OpeningOption = Annotated[
    datetime | None,
    typer.Option(
        "--opening",
        formats=["%Y-%m-%d"],
        help="Entered by this day counts as known on its own date; default: first entry.",
    ),
]
_PPM = 1_000_000
_HEADINGS = {
    Language.EN: ("Factor", "Bin", "Rows", "Bad", "Points"),
    Language.ZH: ("指标", "分箱", "样本", "违约", "分值"),
}


class ApprovedRole(StrEnum):
    """What a model is approved as."""

    CHALLENGER = "challenger"
    CHAMPION = "champion"


class ModelNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def models(self) -> ModelService:
        """The registry."""
        ...

    @property
    def approvals(self) -> Approvals:
        """Whether tokens approve."""
        ...

    @property
    def peer_gain(self) -> PeerGainService:
        """What peers' summaries add."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@model_app.command("train")
def train(
    ctx: typer.Context,
    *,
    by: ByOption,
    name: Annotated[str, typer.Option("--name", help="Name; versions count by name.")] = "ledger",
    as_of: AsOfOption = None,
    opening: OpeningOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Train a scorecard on the own ledger's past, and judge it on later rows. A draft is kept."""
    node: ModelNode = ctx.obj
    day = as_of.date() if as_of else node.business_date()
    record = node.models.train(
        name=name, by=by, today=day, opening=opening.date() if opening else None
    )
    _show(build_model_object(record, language=language), as_json=as_json, language=language)


@model_app.command("list")
def list_models(
    ctx: typer.Context, *, as_json: JsonOption = False, language: LanguageOption = Language.EN
) -> None:
    """List the models, the newest first."""
    node: ModelNode = ctx.obj
    shown = [build_summary_object(one, language=language) for one in node.models.list_models()]
    if as_json:
        show_json(shown)
        return
    table = Table("id", "model", "state", "test rows", "bad", "AUC", "verdict")
    for one in shown:
        test = one["test"]
        table.add_row(
            str(one["id"]),
            f"{one['name']}-{one['version']}",
            one["state_text"],
            str(test["rows"]),
            str(test["bads"]),
            format_interval(test["auc"]),
            one["verdict_text"],
        )
    show_table(table)


@model_app.command("show")
def show(
    ctx: typer.Context,
    model: ModelArgument,
    *,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show a model: its points, its report on later rows, its life."""
    node: ModelNode = ctx.obj
    record = node.models.get(model)
    look = Look(what="credit", target=f"model {model}")
    node.people.record(OPERATOR_PRINCIPAL, look)
    _show(build_model_object(record, language=language), as_json=as_json, language=language)


@model_app.command("approve")
def approve(
    ctx: typer.Context,
    model: ModelArgument,
    *,
    role: Annotated[
        ApprovedRole, typer.Option("--as", help="What it is from now on.")
    ] = ApprovedRole.CHALLENGER,
    by: ByOption,
    reason: ReasonOption,
) -> None:
    """Approve a model by another person than who trained it; a new champion displaces the old."""
    node: ModelNode = ctx.obj
    node.approvals.check_token()
    record = node.models.approve(model, role=ModelState(role.value), by=by, reason=reason)
    typer.echo(f"{record.label}: {role.value}")


@model_app.command("retire")
def retire(ctx: typer.Context, model: ModelArgument, *, by: ByOption, reason: ReasonOption) -> None:
    """Retire a model for good."""
    node: ModelNode = ctx.obj
    typer.echo(f"{node.models.retire(model, by=by, reason=reason).label}: retired")


@model_app.command("compare")
def compare(
    ctx: typer.Context,
    model: ModelArgument,
    *,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Judge a model and the champion on the same rows, later than what either learnt from."""
    node: ModelNode = ctx.obj
    day = as_of.date() if as_of else node.business_date()
    shown = build_comparison_object(node.models.compare(model, today=day), language=language)
    if as_json:
        show_json(shown)
        return
    table = Table("", "model", "rows", "bad", "AUC", "KS", "verdict")
    for side in ("champion", "challenger"):
        figures = shown[side]["figures"]
        table.add_row(
            side,
            shown[side]["label"],
            str(figures["rows"]),
            str(figures["bads"]),
            format_interval(figures["auc"]),
            format_interval(figures["ks"]),
            shown[side]["verdict_text"],
        )
    show_table(table)
    Console().print(f"AUC {format_interval(shown['auc_gain'])}", highlight=False, markup=False)
    drift = Table("month", "rows", "PSI champion", "PSI challenger")
    for one, other in zip(shown["champion"]["drift"], shown["challenger"]["drift"], strict=True):
        drift.add_row(one["month"], str(one["rows"]), _format_psi(one), _format_psi(other))
    show_table(drift)


@model_app.command("peers")
def measure_peers(
    ctx: typer.Context,
    *,
    as_of: AsOfOption = None,
    opening: OpeningOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Measure what peers' summaries add to a model on the same later rows; nothing is kept."""
    node: ModelNode = ctx.obj
    day = as_of.date() if as_of else node.business_date()
    gain = node.peer_gain.measure(today=day, opening=opening.date() if opening else None)
    look = Look(what=Area.PEERS, target="model peers")
    node.people.record(OPERATOR_PRINCIPAL, look)
    shown = build_peer_gain_object(gain, language=language)
    if as_json:
        show_json(shown)
        return
    table = Table("", "rows", "bad", "AUC", "KS", "verdict")
    for side in ("own", "with_peers"):
        figures = shown[side]["figures"]
        table.add_row(
            side.replace("_", " "),
            str(figures["rows"]),
            str(figures["bads"]),
            format_interval(figures["auc"]),
            format_interval(figures["ks"]),
            shown[side]["verdict_text"],
        )
    show_table(table)
    factors = Table(*_HEADINGS[language])
    for feature in shown["factors"]:
        for number, one in enumerate(feature["bins"]):
            factors.add_row(
                feature["name"] if not number else "",
                _name_bin(one, decimals=feature["decimals"]),
                str(one["rows"]),
                str(one["bads"]),
                f"{one['points_deci'] / 10:.1f}",
            )
    show_table(factors)
    Console().print(
        f"{shown['train_told']}/{shown['train_rows']} → {shown['test_told']}"
        f"/{shown['own']['figures']['rows']} rows told of\n"
        f"AUC {format_interval(shown['auc_gain'])}  {shown['verdict_text']}",
        highlight=False,
        markup=False,
    )


def _show(shown: dict[str, Any], *, as_json: bool, language: Language) -> None:
    if as_json:
        show_json(shown)
        return
    test, split = shown["test"], shown["split"]
    title = f"{shown['name']}-{shown['version']} · {shown['state_text']}"
    table = Table(*_HEADINGS[language], title=title)
    for feature in shown["features"]:
        for number, one in enumerate(feature["bins"]):
            table.add_row(
                feature["name"] if not number else "",
                _name_bin(one, decimals=feature["decimals"]),
                str(one["rows"]),
                str(one["bads"]),
                f"{one['points_deci'] / 10:.1f}",
            )
    show_table(table)
    Console().print(
        f"{split['train_rows']} rows, {split['train_bads']} bad, until {split['train_until']}"
        f" → test {test['rows']} rows, {test['bads']} bad (of {test['bad_customers']} customers),"
        f" from {split['test_from']}\n"
        f"AUC {format_interval(test['auc'])}  KS {format_interval(test['ks'])}"
        f"  {shown['verdict_text']}",
        highlight=False,
        markup=False,
    )


def _name_bin(one: dict[str, Any], *, decimals: int) -> str:
    match one["kind"]:
        case "values":
            edge = one.get("upto")
            return ">" if edge is None else f"≤ {edge / 10**decimals:g}"
        case "special":
            return f"= {one['value'] / 10**decimals:g}"
        case "words":
            return ", ".join(one["values"])
        case _:
            return "—"


def format_interval(interval: dict[str, int]) -> str:
    """Write a figure with its interval; a dash where there is none."""
    if "value_ppm" not in interval:
        return "—"
    value, low, high = (interval[name] / _PPM for name in ("value_ppm", "low_ppm", "high_ppm"))
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _format_psi(drift: dict[str, Any]) -> str:
    return f"{drift['psi_ppm'] / _PPM:.3f} {drift['level']}" if "psi_ppm" in drift else "—"
