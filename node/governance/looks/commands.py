"""``chengxin governance looks | extract``: who looked at whom, and what a subject is handed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.assessment.commands import JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.people.areas import Area
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService
from node.core.terminal import show_json, show_table
from node.governance.looks.api import choose_looks
from node.governance.looks.service import LookService
from node.governance.looks.view import (
    COLUMNS,
    build_extract_object,
    build_look_object,
    write_looks,
)
from node.records.commands_entering import DAY_FORMAT
from node.records.service import RecordsService

DayOption = Annotated[datetime | None, typer.Option(formats=[DAY_FORMAT], help="A day, in UTC.")]


class LooksNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        ...

    @property
    def looks(self) -> LookService:
        """The access log as a report."""
        ...

    @property
    def records(self) -> RecordsService:
        """The customers."""
        ...


def show_looks(
    ctx: typer.Context,
    *,
    customer: Annotated[
        str | None, typer.Option("--customer", help="Number or subject id (scheme:value).")
    ] = None,
    person: Annotated[str | None, typer.Option("--person", help="Who looked, by name.")] = None,
    first: DayOption = None,
    last: DayOption = None,
    out: Annotated[Path | None, typer.Option("--csv", help="Into a new file, as CSV.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List who looked at what, the newest first: of a customer, by a person, in a time."""
    node: LooksNode = ctx.obj
    chosen = choose_looks(
        customer=None
        if customer is None
        else node.records.get_named_customer(customer).customer_id,
        person=person,
        first=None if first is None else first.date(),
        last=None if last is None else last.date(),
    )
    rows = node.looks.list_looks(chosen)
    node.people.record(OPERATOR_PRINCIPAL, Look(what=Area.GOVERNANCE, target="looks"))
    if out is not None:
        with out.open("x", encoding="utf-8", newline="") as file:
            write_looks(file, rows)
        typer.echo(f"{len(rows)} looks in {out}")
        return
    shown = [build_look_object(one) for one in rows]
    if as_json:
        show_json(shown)
        return
    table = Table(*(name.capitalize() for name in COLUMNS))
    for one in shown:
        table.add_row(*(str(one[name] or "") for name in COLUMNS))
    show_table(table)


def show_extract(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Number or subject id (scheme:value).")],
    *,
    language: LanguageOption = Language.EN,
) -> None:
    """Print as JSON what a customer who asks is handed: who looked, who was told, its cases."""
    node: LooksNode = ctx.obj
    key = node.records.get_named_customer(customer).customer_id
    node.people.record(
        OPERATOR_PRINCIPAL, Look(what=Area.GOVERNANCE, target=f"customer {key} extract")
    )
    show_json(build_extract_object(node.looks.extract(key), language=language))
