"""``chengxin token``: tokens for people who may look into this node, and who has looked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.table import Table

from node.core.database import ID_MAX
from node.core.people.service import PeopleService, Role, Scope, parse_life
from node.core.people.store import AccessRecord, TokenRecord
from node.core.terminal import show_table
from protocol.identifiers import parse_member_id
from protocol.report import describe_time

token_app = typer.Typer(
    no_args_is_help=True, help="Tokens for people who may look: make, list, revoke, who looked."
)


class PeopleParts(Protocol):
    """What the commands need of the node."""

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        ...


class TokenHome(Protocol):
    """What ``ctx.obj`` holds."""

    @property
    def local(self) -> PeopleParts:
        """The node of the home folder; it may be running."""
        ...


@token_app.command("create")
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="Who holds it; it stands in the access log.")],
    *,
    role: Annotated[Role, typer.Option(help="What the holder is here for.")] = Role.AUDITOR,
    expires: Annotated[str, typer.Option(help="Life: 30d, 12h; at most 366d.")] = "30d",
    scope: Annotated[
        list[Scope] | None, typer.Option(help="bodies, subjects; neither when absent.")
    ] = None,
    peer: Annotated[str, typer.Option(help="Only what concerns this member.")] = "",
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Not before, UTC.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Before, UTC.")
    ] = None,
) -> None:
    """Make a token and print it once; only its hash is kept."""
    home: TokenHome = ctx.obj
    made = home.local.people.create_token(
        role=role,
        name=name,
        life_s=parse_life(expires),
        scopes=frozenset(scope or ()),
        peer=parse_member_id(peer) if peer else "",
        from_ms=None if since is None else _read_day(since),
        to_ms=None if until is None else _read_day(until),
    )
    notes = Console(stderr=True)
    notes.print(
        f"token {made.token_id}, until {describe_time(made.expires_at_ms // 1000)}; "
        "it is not shown again:",
        highlight=False,
    )
    typer.echo(made.token)


@token_app.command("list")
def list_all(
    ctx: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List tokens, the newest first, without themselves."""
    home: TokenHome = ctx.obj
    tokens = home.local.people.list_tokens()
    if as_json:
        typer.echo(json.dumps([_format_token(one) for one in tokens], ensure_ascii=False))
        return
    table = Table()
    for column in ("Token", "Role", "Name", "Scopes", "Member", "From", "To", "Until", "Revoked"):
        table.add_column(column)
    for one in tokens:
        table.add_row(
            str(one.token_id),
            one.role,
            one.name,
            " ".join(one.scopes) or "none",
            one.peer or "all",
            _say(one.from_ms),
            _say(one.to_ms),
            _say(one.expires_at_ms),
            _say(one.revoked_at_ms),
        )
    show_table(table)


@token_app.command("revoke")
def revoke(
    ctx: typer.Context, token: Annotated[int, typer.Argument(help="Its number.", min=1, max=ID_MAX)]
) -> None:
    """Revoke a token at once, with the sessions that it bought."""
    home: TokenHome = ctx.obj
    home.local.people.revoke_token(token)
    Console().print(f"token {token} is revoked", highlight=False)


@token_app.command("access")
def access(
    ctx: typer.Context,
    *,
    before: Annotated[
        int | None, typer.Option(help="Only older than this number.", min=1, max=ID_MAX)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """Show who looked at what, the newest first, 200 at once."""
    home: TokenHome = ctx.obj
    rows = home.local.people.list_accesses(before=before)
    if as_json:
        typer.echo(json.dumps([_format_access(row) for row in rows], ensure_ascii=False))
        return
    table = Table()
    for column in ("Number", "Time", "Who", "Name", "What", "Which", "Scope", "Outcome"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            str(row.access_id),
            _say(row.at_ms),
            row.who,
            row.name,
            row.what,
            row.target,
            row.scope,
            row.outcome,
        )
    show_table(table)


def _read_day(day: datetime) -> int:
    return int(day.replace(tzinfo=UTC).timestamp()) * 1000


def _say(at_ms: int | None) -> str:
    return "" if at_ms is None else describe_time(at_ms // 1000)


def _format_token(one: TokenRecord) -> dict[str, object]:
    return {
        "token": one.token_id,
        "person": one.person_id,
        "role": one.role,
        "name": one.name,
        "scopes": list(one.scopes),
        "peer": one.peer,
        "from_ms": one.from_ms,
        "to_ms": one.to_ms,
        "created_at_ms": one.created_at_ms,
        "expires_at_ms": one.expires_at_ms,
        "revoked_at_ms": one.revoked_at_ms,
    }


def _format_access(row: AccessRecord) -> dict[str, object]:
    return {
        "id": row.access_id,
        "at_ms": row.at_ms,
        "who": row.who,
        "name": row.name,
        "what": row.what,
        "target": row.target,
        "scope": row.scope,
        "outcome": row.outcome,
    }
