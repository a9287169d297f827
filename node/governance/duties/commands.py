"""``chengxin governance duties``: who may do what, and what stands against it."""

from __future__ import annotations

from typing import Any, Protocol

import typer
from rich.table import Table

from node.assessment.commands import JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.money import format_amount
from node.core.terminal import show_json, show_table
from node.governance.duties.service import DutiesService
from node.governance.duties.view import build_duties_object


class DutiesNode(Protocol):
    """What the command needs of the node that ``ctx.obj`` holds."""

    @property
    def duties(self) -> DutiesService:
        """Who may do what."""
        ...


def show_duties(
    ctx: typer.Context, *, as_json: JsonOption = False, language: LanguageOption = Language.EN
) -> None:
    """List roles, tiers, deputies, and whose roles or acts stand against each other."""
    node: DutiesNode = ctx.obj
    found = build_duties_object(node.duties.report(), language=language)
    if as_json:
        show_json(found)
        return
    roles = Table("Role", "Held by", "Enters")
    for one in found["roles"]:
        roles.add_row(one["text"], ", ".join(one["holders"]), ", ".join(one["enters"]))
    show_table(roles)
    for tier in found["tiers"]:
        typer.echo(f"{_say_bound(tier, found)}: {tier['persons']} of {', '.join(tier['roles'])}")
    for one in found["deputies"]:
        typer.echo(
            f"{one['deputy']} stands in for {one['holder']} ({one['role_text']}),"
            f" {one['first_on']} to {one['last_on']}"
        )
    conflicts = Table("Conflict", "Who", "Where")
    for one in found["role_conflicts"]:
        conflicts.add_row(one["text"], one["name"], " + ".join(one["roles"]))
    for one in found["acts"]:
        for pair in one["found"]:
            conflicts.add_row(one["text"], pair["second_by"], pair["where"])
    show_table(conflicts)
    looked_at = sum(one["looked_at"] for one in found["acts"])
    count = len(found["role_conflicts"]) + sum(len(one["found"]) for one in found["acts"])
    typer.echo(f"{count} conflicts; {looked_at} pairs of acts looked at")


def _say_bound(tier: dict[str, Any], found: dict[str, Any]) -> str:
    minor, currency = tier["upto_minor"], found["currency"]
    if minor is None:
        return "any amount"
    return f"up to {format_amount(minor, currency=currency)} {currency}"
