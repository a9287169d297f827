"""``chengxin account``: who signs in to the console with a login and a password of their own."""

from __future__ import annotations

import json
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.table import Table

from node.bootstrap.local import LocalNode
from node.core.people.accounts.errors import AccountNotFoundError
from node.core.people.accounts.records import AccountRecord
from node.core.people.accounts.service import NewCode
from node.core.people.service import Role
from node.core.terminal import show_table
from protocol.report import describe_time

SECOND_MS = 1_000
INVITATION_PATH = "/console/invitation"
account_app = typer.Typer(
    no_args_is_help=True,
    help="Accounts of people: make, list, set back, lock, end. The console is where they sign in.",
)
LoginArgument = Annotated[str, typer.Argument(help="Its login.")]
RoleOption = Annotated[
    list[Role], typer.Option("--role", help="Again for each; the first is signed in with.")
]


class AccountHome(Protocol):
    """What ``ctx.obj`` holds."""

    @property
    def local(self) -> LocalNode:
        """The node of the home folder; it may be running."""
        ...


@account_app.command("create")
def create(
    ctx: typer.Context,
    login: LoginArgument,
    *,
    name: Annotated[str, typer.Option(help="The person's name; one account a person.")],
    role: RoleOption,
) -> None:
    """Make an account and print the one-time code by which its person sets a password."""
    home: AccountHome = ctx.obj
    _tell_code(home.local, home.local.accounts.admin.invite(login=login, name=name, roles=role))


@account_app.command("list")
def list_all(
    ctx: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List accounts, the newest first."""
    home: AccountHome = ctx.obj
    found = home.local.accounts.admin.list_accounts()
    if as_json:
        typer.echo(json.dumps([_format_account(one) for one in found], ensure_ascii=False))
        return
    table = Table()
    for column in ("Login", "Person", "Roles", "State", "Second factor"):
        table.add_column(column)
    for one in found:
        roles = " ".join(role.value for role in one.roles)
        table.add_row(one.login, one.name, roles, one.state, "yes" if one.has_factor else "no")
    show_table(table)


@account_app.command("reset")
def reset(ctx: typer.Context, login: LoginArgument) -> None:
    """Take the password away, end the sessions, and print a one-time code for a new one."""
    home: AccountHome = ctx.obj
    _tell_code(home.local, home.local.accounts.admin.reset(_find(home.local, login)))


@account_app.command("roles")
def set_roles(ctx: typer.Context, login: LoginArgument, *, role: RoleOption) -> None:
    """Give an account other roles; its sessions end."""
    home: AccountHome = ctx.obj
    home.local.accounts.admin.set_roles(_find(home.local, login), role)
    typer.echo(f"account {login}: {' '.join(role)}")


@account_app.command("lock")
def lock(ctx: typer.Context, login: LoginArgument) -> None:
    """Let an account open nothing until it is unlocked; its sessions end at once."""
    home: AccountHome = ctx.obj
    home.local.accounts.admin.lock(_find(home.local, login))
    typer.echo(f"account {login}: locked")


@account_app.command("unlock")
def unlock(ctx: typer.Context, login: LoginArgument) -> None:
    """Let a locked account be what it was."""
    home: AccountHome = ctx.obj
    home.local.accounts.admin.unlock(_find(home.local, login))
    typer.echo(f"account {login}: unlocked")


@account_app.command("reset-factor")
def reset_factor(ctx: typer.Context, login: LoginArgument) -> None:
    """Take away the second factor of a person who has lost it; its sessions end."""
    home: AccountHome = ctx.obj
    home.local.accounts.admin.reset_factor(_find(home.local, login))
    typer.echo(f"account {login}: no second factor")


@account_app.command("end")
def end(ctx: typer.Context, login: LoginArgument) -> None:
    """End an account for good, with its sessions."""
    home: AccountHome = ctx.obj
    home.local.accounts.admin.end(_find(home.local, login))
    typer.echo(f"account {login}: ended")


def _find(local: LocalNode, login: str) -> int:
    found = local.accounts.admin.find_by_login(login)
    if found is None:
        raise AccountNotFoundError(f"there is no account {login}")
    return found.account_id


def _tell_code(local: LocalNode, made: NewCode) -> None:
    until = describe_time(made.expires_at_ms // SECOND_MS)
    notes = Console(stderr=True)
    where = f"{local.settings.url}{INVITATION_PATH}"
    notes.print(
        f"account {made.account_id}: its person enters this code at {where}, once, until {until}:",
        highlight=False,
        soft_wrap=True,
    )
    typer.echo(made.code)


def _format_account(one: AccountRecord) -> dict[str, object]:
    return {
        "account": one.account_id,
        "login": one.login,
        "name": one.name,
        "roles": [role.value for role in one.roles],
        "state": one.state.value,
        "has_factor": one.has_factor,
        "created_at_ms": one.created_at_ms,
    }
