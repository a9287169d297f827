"""A decision on a terminal: what is decided, the arms as a table, what became of it."""

from __future__ import annotations

from typing import Any

import typer
from rich.table import Table

from node.assessment.policy_file import Language
from node.core.money import format_amount
from node.core.terminal import show_table
from node.decision.wording import say

NOTHING = "—"
_ARM_HEADINGS = {
    Language.EN: ("Way", "Part", "Amount", "Why", "Inputs"),
    Language.ZH: ("方法", "作用", "金额", "说明", "输入"),
}
_LINES = {
    Language.EN: ("Decided", "Grade", "Limit", "Terms (days)", "Security", "Monitoring", "Valid"),
    Language.ZH: ("决定", "等级", "额度", "账期（天）", "担保", "监控", "有效期"),  # noqa: RUF001
}
_ASKED = {Language.EN: "Asked (limit · days)", Language.ZH: "申请（额度 · 天）"}  # noqa: RUF001
_LIST_HEADINGS = ("id", "customer", "state", "limit", "terms", "grade", "approvals", "proposed by")
_OUTCOME_HEADINGS = {
    Language.EN: ("", "n", "defaulted", "> 90 days", "default rate", "peak use"),
    Language.ZH: ("", "数量", "违约", "逾期超过 90 天", "违约率", "最高占用"),
}


def say_limit(limit_minor: int | None, currency: str) -> str:
    """Write a limit; none at all is a dash, which 0 is not."""
    if limit_minor is None:
        return NOTHING
    return f"{format_amount(limit_minor, currency=currency)} {currency}"


def print_decision(shown: dict[str, Any], *, language: Language) -> None:
    """Print a decision as its object has it."""
    decided, currency = shown["decided"], shown["decided"]["currency"]
    title = f"{shown['id']} · {shown['name']} · {shown['state_text']} · {shown['policy']['label']}"
    head = Table(show_header=False, title=title)
    values = (
        decided["outcome_text"],
        decided["grade"],
        say_limit(decided["limit_minor"], currency),
        str(decided["terms_days"]),
        decided["security_text"],
        decided["monitoring_text"],
        f"{decided['valid_until'] or NOTHING} ({decided['review_on'] or NOTHING})",
    )
    for name, value in zip(_LINES[language], values, strict=True):
        head.add_row(name, value)
    asked = shown["asked"]
    if asked["limit_minor"] is not None or asked["terms_days"] is not None:
        terms = NOTHING if asked["terms_days"] is None else str(asked["terms_days"])
        said = f"{say_limit(asked['limit_minor'], asked['currency'])} · {terms}"
        number = "" if asked["application"] is None else f" (#{asked['application']})"
        head.add_row(_ASKED[language], f"{said}{number}")
    show_table(head)
    arms = Table(*_ARM_HEADINGS[language])
    for arm in shown["proposal"]["arms"]:
        arms.add_row(
            arm["text"],
            say("part", arm["part"], language),
            say_limit(arm["amount_minor"], currency),
            arm["why_text"],
            "; ".join(_say_input(one, currency) for one in arm["inputs"]),
        )
    show_table(arms)
    for reason in shown["reasons"]:
        typer.echo(f"- {reason['text']}")
    for lint in shown["proposal"]["lints"]:
        typer.echo(f"! {lint['text']}")
    if shown.get("peers_changed_minor") is not None:
        typer.echo(f"± {say_limit(shown['peers_changed_minor'], currency)}")
    tier = shown["tier"]
    typer.echo(f"{tier['given']}/{tier['persons']}: {', '.join(tier['roles'])}")
    for event in shown["events"]:
        typer.echo(f"{event['on']} {event['text']} {event['by']} {event['reason']}".rstrip())


def print_list(shown: list[dict[str, Any]]) -> None:
    """Print decisions, a row each."""
    table = Table(*_LIST_HEADINGS)
    for one in shown:
        decided, tier = one["decided"], one["tier"]
        table.add_row(
            str(one["id"]),
            one["name"],
            one["state_text"],
            say_limit(decided["limit_minor"], decided["currency"]),
            str(decided["terms_days"]),
            decided["grade"],
            f"{tier['given']}/{tier['persons']}",
            one["proposed_by"],
        )
    show_table(table)


def print_outcomes(shown: dict[str, Any], *, language: Language) -> None:
    """Print what became of decisions, group by group; a rate of few is marked."""
    table = Table(*_OUTCOME_HEADINGS[language])
    for one in shown["groups"]:
        mark = " *" if one["is_small"] and one["count"] else ""
        table.add_row(
            one["text"],
            str(one["count"]),
            str(one["defaulted"]),
            str(one["over_90"]),
            _say_share(one["default_permille"]) + mark,
            _say_share(one["peak_permille"]),
        )
    show_table(table)
    typer.echo("* n < 30")


def _say_share(permille: int | None) -> str:
    return NOTHING if permille is None else f"{permille // 10}.{permille % 10} %"


def _say_input(one: dict[str, Any], currency: str) -> str:
    value = one["value"]
    if value is None:
        return f"{one['text']} {one['code'] or NOTHING}"
    match one["unit"]:
        case "minor":
            said = format_amount(value, currency=currency)
        case "permille":
            said = _say_share(value)
        case _:
            said = str(value)
    return f"{one['text']} {said}"
