"""``chengxin exchange object``: objections to what peers have told, through the running node."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from node.cli.grants import exchange_app
from node.cli.http import open_client
from node.core.config import load_settings
from node.core.terminal import HYPHEN_SETTINGS, show_table
from node.sharing.objections import ObjectionOutcome, RaisedBy

__all__ = ["exchange_app"]

Home = Annotated[Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")]
ByOption = Annotated[str, typer.Option("--by", envvar="CHENGXIN_USER", help="Who enters it.")]


@exchange_app.command("object", context_settings=HYPHEN_SETTINGS)
def enter(
    message: Annotated[str, typer.Argument(metavar="HASH", help="The summary's message.")],
    home: Home,
    *,
    raised_by: Annotated[RaisedBy, typer.Option(help="Who objects.")],
    by: ByOption,
    item: Annotated[int, typer.Option(help="Which summary of a batch, from 0.")] = 0,
) -> None:
    """Mark a received summary as disputed (异议): from now on it feeds no assessment."""
    with closing(open_client(load_settings(home))) as client:
        made = client.post(
            f"/api/v1/received-summaries/{message}/objections",
            {"raised_by": raised_by.value, "by": by, "item": item},
        )
    typer.echo(f"objection {made['id']}: the summary does not count while it is open")


@exchange_app.command("object-end")
def end(
    objection_id: Annotated[int, typer.Argument(metavar="ID", help="Key of the objection.")],
    home: Home,
    *,
    outcome: Annotated[ObjectionOutcome, typer.Option(help="Upheld, or rejected.")],
    by: ByOption,
) -> None:
    """Enter how an objection ended, as another person than who entered it."""
    with closing(open_client(load_settings(home))) as client:
        client.post(
            f"/api/v1/received-objections/{objection_id}/end",
            {"outcome": outcome.value, "by": by},
        )
    typer.echo(f"objection {objection_id}: {outcome.value}")


@exchange_app.command("objections")
def list_all(
    home: Home,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List objections to what peers have told, the newest first."""
    with closing(open_client(load_settings(home))) as client:
        found = client.get("/api/v1/received-objections")
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("Id", "Message", "Raised by", "On", "Entered by", "Outcome")
    for one in found:
        table.add_row(
            str(one["id"]),
            one["message"],
            one["raised_by"],
            one["raised_on"],
            one["entered_by"],
            one["outcome"] or "open",
        )
    show_table(table)
