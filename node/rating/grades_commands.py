"""``chengxin rate override``, ``overrides`` and ``backtest``.

On the node's own machine commands act as the operator, who overrides nothing: whoever gives,
approves, rejects or withdraws names the file of a token of his own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Protocol

import typer
from rich.table import Table

from node.assessment.commands import JsonOption, LanguageOption, get_customer_id
from node.assessment.policy_file import Language
from node.assessment.service import AssessmentService
from node.core.people.accounts.approvals import Approvals
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService, Principal
from node.core.terminal import show_json, show_table
from node.rating.applied_view import say_criterion
from node.rating.backtest.service import BacktestService
from node.rating.backtest.view import (
    build_backtest_object,
    build_override_report_object,
    say_interval,
    say_ppm,
)
from node.rating.overrides.reading import JudgedOverride
from node.rating.overrides.service import PAGE_MAX, OverrideService
from node.rating.overrides.view import build_override_object, count_awaited
from node.rating.rules_criteria import Applied
from node.rating.scale import Scale
from node.records.customers import CustomerService

DAY_FORMAT = "%Y-%m-%d"
TOKEN_CHARACTERS_MAX = 200
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nothing": ("无法计算", "not computable"),
        "grade": ("等级", "Grade"),
        "n": ("样本 n", "n"),
        "bads": ("违约", "bad"),
        "observed": ("实际违约率 [95 %]", "observed [95 %]"),
        "stated": ("等级表 PD", "PD of the scale"),
        "holds": ("PD 在区间内", "PD within"),
        "not-over": ("未满期", "not over"),
        "all": ("全部", "all"),
        "yes": ("是", "yes"),
        "no": ("否", "no"),
        "group": ("分组", "group"),
        "count": ("次数", "overrides"),
        "up": ("上调", "up"),
        "down": ("下调", "down"),
        "others": ("未调整的评级", "not overridden"),
        "share": ("占评级的比例", "share of ratings"),
        "already": ("评级时已违约而不计", "bad already when rated, not counted"),
    }
)

override_app = typer.Typer(
    no_args_is_help=True, help="Grades that a person gives, for a time. 等级人工调整。"
)
OverrideArgument = Annotated[int, typer.Argument(min=1, help="Number (rate override list).")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays beside the step.")]
TokenOption = Annotated[
    Path,
    typer.Option(
        "--token-file", exists=True, dir_okay=False, help="A file with one's own token, alone."
    ),
]


class OverrideNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def approvals(self) -> Approvals:
        """Who may approve by how they are here."""
        ...

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        ...

    @property
    def assessment(self) -> AssessmentService:
        """By which customers are named."""
        ...

    @property
    def customers(self) -> CustomerService:
        """Who is a natural person."""
        ...

    @property
    def overrides(self) -> OverrideService:
        """The use cases."""
        ...

    @property
    def backtests(self) -> BacktestService:
        """What became of ratings."""
        ...


@override_app.command("give")
def give(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Number or subject id (scheme:value).")],
    *,
    grade: Annotated[str, typer.Option(help="The grade in the place of the rating's.")],
    reason_code: Annotated[str, typer.Option(help="One of the policy's reasons.")],
    reason: ReasonOption,
    token_file: TokenOption,
    until: Annotated[
        datetime | None,
        typer.Option(formats=[DAY_FORMAT], help="Last day; else as late as may be."),
    ] = None,
) -> None:
    """Give another grade than the rating's; one that raises it waits for a second person."""
    node: OverrideNode = ctx.obj
    node.approvals.check_token()
    key = get_customer_id(node.assessment, customer)
    actor = _read_actor(node, token_file, customer_id=key)
    _tell(
        node.overrides.give(
            key,
            grade=grade,
            reason_code=reason_code,
            reason=reason,
            expires_on=None if until is None else until.date(),
            actor=actor,
        )
    )


@override_app.command("approve")
def approve(
    ctx: typer.Context,
    override: OverrideArgument,
    *,
    token_file: TokenOption,
    comment: Annotated[str, typer.Option(help="What is to stand beside it.")] = "",
) -> None:
    """Approve an override that another person has proposed: from today on it holds."""
    node: OverrideNode = ctx.obj
    node.approvals.check_token()
    actor = _read_actor(node, token_file, customer_id=_find_customer(node, override))
    _tell(node.overrides.approve(override, comment=comment, actor=actor))


@override_app.command("reject")
def reject(
    ctx: typer.Context, override: OverrideArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Reject an override that another person has proposed."""
    node: OverrideNode = ctx.obj
    actor = _read_actor(node, token_file, customer_id=_find_customer(node, override))
    _tell(node.overrides.reject(override, reason=reason, actor=actor))


@override_app.command("withdraw")
def withdraw(
    ctx: typer.Context, override: OverrideArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Withdraw an override: the grade of the rating holds again; two withdraw one that lowers."""
    node: OverrideNode = ctx.obj
    node.approvals.check_token()
    actor = _read_actor(node, token_file, customer_id=_find_customer(node, override))
    _tell(node.overrides.withdraw(override, reason=reason, actor=actor))


@override_app.command("list")
def list_overrides(
    ctx: typer.Context,
    *,
    customer: Annotated[str | None, typer.Option(help="Of one customer.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE_MAX, help="How many.")] = 50,
    before: Annotated[
        int | None, typer.Option(min=1, help="Older than this one: the last of a page before.")
    ] = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List a page of overrides as they are today, the newest first."""
    node: OverrideNode = ctx.obj
    key = None if customer is None else get_customer_id(node.assessment, customer)
    found = node.overrides.list_overrides(customer_id=key, before=before, limit=limit)
    _record(node, "rate override list")
    policy = node.overrides.find_policy()
    shown = [
        build_override_object(one, policy=policy, language=language, has_peers=True)
        for one in found
    ]
    if as_json:
        show_json(shown)
        return
    table = Table("#", "customer", "grade", "state", "reason", "by", "until")
    for one in shown:
        table.add_row(
            str(one["id"]),
            str(one["customer"]),
            f"{one['grade_rated']} → {one['grade']}",
            one["state_text"],
            one["reason_text"],
            one["events"][0]["by"],
            one["expires_on"],
        )
    show_table(table)


def show_override_report(
    ctx: typer.Context, *, as_json: JsonOption = False, language: LanguageOption = Language.EN
) -> None:
    """Show how many grades persons gave, by whom and why, and what became of them."""
    node: OverrideNode = ctx.obj
    report = node.backtests.read_overrides()
    _record(node, "rate overrides")
    shown = build_override_report_object(
        report, policy=node.overrides.find_policy(), language=language
    )
    if as_json:
        show_json(shown)
        return
    table = Table(*(_say(one, language) for one in ("group", "count", "up", "down")))
    for name in ("n", "bads", "observed", "not-over"):
        table.add_column(_say(name, language))
    rows = [(_say("all", language), shown["total"])]
    rows += [(_say(one["name"], language), one) for one in shown["by_direction"]]
    rows += [(one["text"], one) for one in shown["by_reason"]]
    rows += [(one["name"], one) for one in shown["by_person"]]
    for name, one in rows:
        counts = (str(one["count"]), str(one["up"]), str(one["down"]))
        table.add_row(name, *counts, *_cells(one["outcome"], language))
    others = _say("others", language)
    table.add_row(others, "", "", "", *_cells(shown["not_overridden"], language))
    show_table(table)
    share = shown["share_permille"]
    words = _say("nothing", language) if share is None else say_ppm(share * 1_000)
    typer.echo(f"{_say('share', language)}: {words} ({shown['overridden']}/{shown['rated']})")


def show_backtest(
    ctx: typer.Context, *, as_json: JsonOption = False, language: LanguageOption = Language.EN
) -> None:
    """Show by grade what was stated and what happened within twelve months."""
    node: OverrideNode = ctx.obj
    shown = build_backtest_object(node.backtests.read_backtest(), language=language)
    _record(node, "rate backtest")
    if as_json:
        show_json(shown)
        return
    names = ("grade", "n", "bads", "observed", "not-over", "stated", "holds")
    table = Table(*(_say(one, language) for one in names))
    nothing = _say("nothing", language)
    for one in (*shown["grades"], shown["total"]):
        stated = one["stated_ppm"]
        holds = nothing if one["holds"] is None else _say("yes" if one["holds"] else "no", language)
        table.add_row(
            one["grade"] or _say("all", language),
            *_cells(one, language),
            nothing if stated is None else say_ppm(stated),
            holds,
        )
    show_table(table)
    brier = shown["brier_ppm"]
    brier_words = nothing if brier is None else f"{brier / 1_000_000:.4f}"
    typer.echo(f"AUC {say_interval(shown['auc'], nothing=nothing)}  Brier {brier_words}")
    if shown["bad_already"]:
        typer.echo(f"{_say('already', language)}: {shown['bad_already']}")
    typer.echo(shown["verdict_text"])


def print_applied(applied: Applied, scale: Scale | None, *, language: Language) -> None:
    """Print what lowered a grade, each criterion with its figure."""
    for mark in applied.marks:
        words = say_criterion(scale, mark.criterion_id, language)
        figure = f" ({mark.figure})" if mark.figure else ""
        typer.echo(f"{mark.before} → {mark.after}  {words}{figure}")


def _cells(one: dict[str, Any], language: Language) -> tuple[str, str, str, str]:
    words = say_interval(one["observed"], nothing=_say("nothing", language))
    return str(one["n"]), str(one["bads"]), words, str(one["not_over"])


def _say(name: str, language: Language) -> str:
    zh, en = _WORDS[name]
    return zh if language is Language.ZH else en


def _record(node: OverrideNode, target: str) -> None:
    check_access(node.people, OPERATOR_PRINCIPAL, Access(area=Area.CREDIT, target=target))


def _find_customer(node: OverrideNode, override_id: int) -> int:
    return node.overrides.get(override_id).override.customer_id


def _read_actor(node: OverrideNode, path: Path, *, customer_id: int) -> Principal:
    """Return whose token a file holds; what it reaches over the API, it reaches here.

    Raises:
        NotAuthenticatedError: It holds none that is in force.
        OutOfReachError: The role enters no credit, or may not see whom it is of.
    """
    text = path.read_text(encoding="utf-8", errors="replace")[:TOKEN_CHARACTERS_MAX]
    actor = node.people.get_principal(text.strip())
    target = f"override of customer {customer_id}"
    check_access(node.people, actor, Access(area=Area.CREDIT, target=target, is_entry=True))
    if node.customers.is_person({"customer_id": customer_id}):
        check_access(node.people, actor, Access(area=Area.PERSONS, target=target))
    return actor


def _tell(judged: JudgedOverride) -> None:
    override = judged.override
    typer.echo(
        f"override {override.override_id}: {override.grade_before} → {override.grade_after},"
        f" {judged.state}, until {override.expires_on.isoformat()}"
    )
    if awaited := count_awaited(judged):
        step = "its withdrawal" if override.lifts else "it"
        typer.echo(f"{step} waits for {awaited} more")
