"""``chengxin records``: what is due to go, what is held, which relations are closed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from node.core.terminal import show_table
from node.records.commands_entering import ByOption, OnOption, ReasonOption
from node.records.commands_ledger import AsOfOption, CustomerArgument, JsonOption, print_json
from node.records.due import DueStory
from node.records.lifecycle import LifecycleService
from node.records.service import RecordsService

life_app = typer.Typer(
    no_args_is_help=True,
    help="What becomes of records: due, expired, held, archived. 到期、删除、依法保留、归档。",
)

SHOWN_MAX = 1_000


class HasLifecycle(Protocol):
    """What a command needs of the node that the command line puts into the context."""

    @property
    def records(self) -> RecordsService:
        """The room's reports."""
        ...

    @property
    def lifecycle(self) -> LifecycleService:
        """What becomes of records."""
        ...


@life_app.command("due")
def show_due(
    context: typer.Context, *, as_of: AsOfOption = None, as_json: JsonOption = False
) -> None:
    """List what has been over for so long that it is due to go, and what a hold keeps."""
    life = _get(context).lifecycle
    day = life.today() if as_of is None else as_of.date()
    count, shown = 0, list[DueStory]()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Customers", total=life.count_looked_at(as_of=day))
        for due in life.iterate_due(as_of=day, on_customer=lambda: progress.advance(task)):
            count += 1
            if len(shown) < SHOWN_MAX:
                shown.append(due)
    if as_json:
        print_json([asdict(due) for due in shown])
        return
    table = Table("Customer", "Documents", "Items", "Ended", "Why", "Gone from", "Hold", box=None)
    for due in shown:
        table.add_row(
            str(due.customer_id), ", ".join(due.documents), str(due.items), str(due.ended_on),
            due.reason.value, str(due.expires_on), str(due.held_by or ""),
        )  # fmt: skip
    show_table(table)
    typer.echo(f"{count} due on {day} by {life.policy.version}; {len(shown)} shown")


@life_app.command("expire")
def expire(
    context: typer.Context,
    *,
    by: ByOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete what is due today, a customer at a time; what is held, open or disputed stays.

    A run that was cut short is run again. Reports of before say that records are gone.
    """
    life = _get(context).lifecycle
    if not yes:
        typer.confirm(
            f"What records due lists is deleted for good ({life.policy.version}). Go on?",
            abort=True,
        )
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Customers", total=life.count_looked_at(as_of=life.today()))
        done = life.expire(by=by, on_customer=lambda: progress.advance(task))
    typer.echo(
        f"{done.items} items in {done.stories} stories of {done.customers} customers deleted, "
        f"with {done.papers} contracts, deliveries and covers; "
        f"{done.facts} adverse facts deleted; {done.evidence} of what rooms "
        f"keep of customers (evidence, applications, orders, limits, letters, cases) deleted; "
        f"{done.held} stories are under hold"
    )


@life_app.command("hold")
def hold(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    basis: Annotated[str, typer.Option(help="Legal basis: a case, an audit, a law.")],
    item: Annotated[
        int | None, typer.Option(help="Key of one item: it and all it is tied to.")
    ] = None,
    begin: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day; default: business date."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Last day; default: until released."),
    ] = None,
    by: ByOption,
) -> None:
    """Keep a customer's records beyond their time, or those of one item."""
    node = _get(context)
    key = node.lifecycle.hold(
        _get_id(node, customer),
        item_id=item,
        basis=basis,
        begins_on=_read_day(begin),
        ends_on=_read_day(end),
        by=by,
    )
    typer.echo(f"hold {key}")


@life_app.command("release")
def release(
    context: typer.Context,
    key: Annotated[int, typer.Argument(help="Key of the hold, as holds lists it.")],
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """End a hold."""
    _get(context).lifecycle.release(key, reason=reason, by=by)


@life_app.command("holds")
def show_holds(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List every hold, ended ones among them."""
    holds = _get(context).lifecycle.list_holds()
    if as_json:
        print_json([asdict(one) for one in holds])
        return
    table = Table("Key", "Customer", "Item", "Basis", "From", "Until", "By", "Ended", box=None)
    for one in holds:
        ended = "" if one.ended_by is None else f"{one.ended_by}: {one.end_reason}"
        table.add_row(
            str(one.hold_id), str(one.customer_id), str(one.item_id or ""), one.basis,
            str(one.begins_on), str(one.ends_on or ""), one.entered_by, ended,
        )  # fmt: skip
    show_table(table)


@life_app.command("give-up")
def give_up(
    context: typer.Context,
    item: Annotated[int, typer.Argument(help="Key of the write-off.")],
    *,
    reason: ReasonOption,
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Enter that a write-off is not pursued any more: its time begins to run."""
    life = _get(context).lifecycle
    life.give_up(item, on=_read_day(on) or life.today(), reason=reason, by=by)


@life_app.command("archive")
def archive(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    reason: ReasonOption,
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Close the relation with a customer: it is read, and nothing is entered."""
    node = _get(context)
    node.lifecycle.archive(_get_id(node, customer), on=_read_day(on), reason=reason, by=by)


@life_app.command("reopen")
def reopen(
    context: typer.Context, customer: CustomerArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Reopen a relation that was closed."""
    node = _get(context)
    node.lifecycle.reopen(_get_id(node, customer), reason=reason, by=by)


def _get(context: typer.Context) -> HasLifecycle:
    node: HasLifecycle = context.obj
    return node


def _get_id(node: HasLifecycle, text: str) -> int:
    return node.records.get_named_customer(text).customer_id


def _read_day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
