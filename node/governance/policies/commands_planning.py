"""``chengxin policy planned | unplan``: what becomes active by itself on a later day."""

from __future__ import annotations

import typer

from node.assessment.commands import JsonOption
from node.core.people.areas import Area
from node.core.terminal import show_json
from node.governance.policies.commands import (
    ByOption,
    PolicyNode,
    ReasonOption,
    TokenOption,
    VersionArgument,
    build_entry,
    policy_app,
    tell,
)
from node.governance.policies.view import build_summary_object

__all__ = ["policy_app"]  # the whole command, with what is added to it here


@policy_app.command("unplan")
def unplan(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    reason: ReasonOption,
    by: ByOption = "",
    token_file: TokenOption = None,
) -> None:
    """Have a version not become active by itself; it stays approved."""
    node: PolicyNode = ctx.obj
    entry = build_entry(node, by, reason, token_file, area=Area.APPROVALS)
    tell(node.planning.withdraw(node.policies.get_named(version).version_id, entry=entry))


@policy_app.command("planned")
def list_planned(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List what will become active by itself, in the order of the days."""
    node: PolicyNode = ctx.obj
    records = node.planning.list_planned()
    if as_json:
        show_json([build_summary_object(one) for one in records])
        return
    for one in records:
        tell(one)
