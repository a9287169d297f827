"""``chengxin exchange``: messages in doubt, through the running node."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from node.cli.http import open_client
from node.core.config import load_settings
from node.core.terminal import HYPHEN_SETTINGS, show_table

exchange_app = typer.Typer(
    no_args_is_help=True, help="Messages in doubt, and how long bodies stay."
)
Home = Annotated[Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")]
_WOULD_BE = {
    "decided": "answered as it was, or decided now",
    "stored": "answered as it was, or refused as expired",
    "nothing": "cannot be sent: its body is erased; give it up",
}


@exchange_app.command("status")
def status(
    home: Home,
    *,
    settle: Annotated[
        bool, typer.Option("--settle", help="Send the same bytes of each again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List messages in doubt and what sending each again would do; or do it."""
    with closing(open_client(load_settings(home))) as client:
        if settle:
            found = client.post("/api/v1/asks/open/settle")
        else:
            found = client.get("/api/v1/asks/open")
    if as_json:
        typer.echo(json.dumps(found))
        return
    show_table(build_settled_table(found) if settle else build_doubt_table(found))


@exchange_app.command("give-up", context_settings=HYPHEN_SETTINGS)
def give_up(
    ask_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")],
    home: Home,
) -> None:
    """Wait no longer for the reply to a message, and log that."""
    with closing(open_client(load_settings(home))) as client:
        client.post(f"/api/v1/asks/{ask_id}/give-up")
    typer.echo(f"{ask_id}: given up; a reply that still comes is logged")


@exchange_app.command("keep", context_settings=HYPHEN_SETTINGS)
def keep(
    message: Annotated[str, typer.Argument(help="Name (msg_hash) of a message or answer.")],
    home: Home,
    *,
    reason: Annotated[str, typer.Option(help="The legal basis, in words.")],
) -> None:
    """Keep an exchange's bodies beyond their time, on a legal basis."""
    with closing(open_client(load_settings(home))) as client:
        client.post(f"/api/v1/messages/{message}/hold", {"reason": reason})
    typer.echo(f"{message}: kept")


@exchange_app.command("release", context_settings=HYPHEN_SETTINGS)
def release(
    message: Annotated[str, typer.Argument(help="Name (msg_hash) of a message or answer.")],
    home: Home,
) -> None:
    """Let an exchange's bodies be erased in their time again."""
    with closing(open_client(load_settings(home))) as client:
        client.post(f"/api/v1/messages/{message}/release")
    typer.echo(f"{message}: released")


def build_doubt_table(doubts: list[dict[str, Any]]) -> Table:
    """Return messages in doubt, a row each."""
    table = Table("Id", "To", "Operation", "Sent", "If sent again")
    for one in doubts:
        sent = datetime.fromtimestamp(one["at_ms"] // 1000, tz=UTC)
        table.add_row(
            one["id"],
            one["peer"],
            one["op"],
            f"{sent:%Y-%m-%d %H:%M:%S}Z",
            _WOULD_BE[one["would_be"]],
        )
    return table


def build_settled_table(settled: list[dict[str, Any]]) -> Table:
    """Return what came of sending each again."""
    table = Table("Id", "To", "Operation", "Status")
    for one in settled:
        table.add_row(one["id"], one["peer"], one["op"], one["status"])
    return table
