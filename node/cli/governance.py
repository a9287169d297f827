"""``chengxin governance``: what the room has, and what goes through the running node."""

from __future__ import annotations

from contextlib import closing

import typer

from node.cli.http import open_client
from node.governance.cases.commands import CaseArgument, CaseNode, case_app
from node.governance.cases.persons import read_person
from node.governance.commands import governance_app
from node.governance.training.commands import TokenOption, read_token

__all__ = ["governance_app"]


@case_app.command("correct")
def correct(ctx: typer.Context, case: CaseArgument, *, token_file: TokenOption) -> None:
    """Tell every past receiver, through the running node, that what they heard has changed."""
    node: CaseNode = ctx.obj
    by = read_person(node.people, token_file, case_id=case)
    with closing(open_client(node.settings, token=read_token(token_file))) as client:
        made = client.post(f"/api/v1/cases/{case}/correction", {"by": by})
    answers = made["events"][-1]["answers"]
    typer.echo(f"case {made['id']}: {answers} past answers looked at")
