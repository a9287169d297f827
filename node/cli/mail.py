"""``chengxin mail``: try the mail settings, and see what was sent."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.bootstrap.local import LocalNode
from node.bootstrap.mail import build_mail
from node.core.terminal import show_json, show_table

mail_app = typer.Typer(no_args_is_help=True, help="Notices by e-mail. 邮件通知。")


class MailLanguage(StrEnum):
    """Languages of mails."""

    ZH = "zh"
    EN = "en"


class MailHome(Protocol):
    """What ``ctx.obj`` holds."""

    @property
    def local(self) -> LocalNode:
        """The node of the home folder; it may be running."""
        ...


@mail_app.command("test")
def send_test(
    ctx: typer.Context,
    to: Annotated[str, typer.Option("--to", help="Address that gets the test.")],
    *,
    language: Annotated[MailLanguage, typer.Option(help="Language of the mail.")] = MailLanguage.EN,
) -> None:
    """Send a test mail now, as the settings say."""
    home: MailHome = ctx.obj
    build_mail(home.local).test(to, language=language.value)
    typer.echo(f"taken by {home.local.settings.mail_host}")


@mail_app.command("list")
def list_mails(
    ctx: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List the newest mails: when, how many things waited, how far they came."""
    home: MailHome = ctx.obj
    rows = build_mail(home.local).list_newest()
    if as_json:
        show_json(
            [
                {
                    "id": row.mail_id,
                    "address": row.address,
                    "made_on": row.made_on.isoformat(),
                    "waiting": row.waiting,
                    "state": row.state,
                    "tries": row.tries,
                    "failure": row.failure,
                }
                for row in rows
            ]
        )
        return
    table = Table("Mail", "To", "Of", "Waiting", "State", "Tries", "Failure")
    for row in rows:
        table.add_row(
            str(row.mail_id),
            row.address,
            row.made_on.isoformat(),
            str(row.waiting),
            row.state,
            str(row.tries),
            row.failure,
        )
    show_table(table)
