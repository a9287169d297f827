"""``chengxin governance``: what the room has, and what goes through the running node."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from node.cli.http import open_client
from node.governance.cases.commands import CaseArgument, CaseNode, case_app
from node.governance.commands import governance_app

__all__ = ["governance_app"]

ByOption = Annotated[str, typer.Option("--by", envvar="CHENGXIN_USER", help="Who does it.")]


@case_app.command("correct")
def correct(ctx: typer.Context, case: CaseArgument, *, by: ByOption) -> None:
    """Tell every past receiver, through the running node, that what they heard has changed."""
    node: CaseNode = ctx.obj
    with closing(open_client(node.settings)) as client:
        made = client.post(f"/api/v1/cases/{case}/correction", {"by": by})
    answers = made["events"][-1]["answers"]
    typer.echo(f"case {made['id']}: {answers} past answers looked at")
