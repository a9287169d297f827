"""``chengxin risk provision``: what is provided for expected losses, and how it has moved."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.table import Table

from node.assessment.commands import AsOfOption, CustomerArgument, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.money import format_amount
from node.core.people.accounts.approvals import Approvals
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService
from node.core.terminal import show_json, show_table
from node.records.service import RecordsService
from node.risk.losses.room import Losses
from node.risk.losses.view_provision import (
    build_movement_object,
    build_run_object,
    build_specific_object,
    format_movement_csv,
)

provision_app = typer.Typer(no_args_is_help=True, help="Provision for losses. 减值准备。")

ByOption = Annotated[str, typer.Option("--by", help="Who enters it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays beside it.")]
RunArgument = Annotated[int | None, typer.Argument(min=1, help="Number of a run.")]
CurrencyOption = Annotated[str | None, typer.Option("--currency", help="Of which currency.")]


class LossNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def records(self) -> RecordsService:
        """The customers."""
        ...

    @property
    def approvals(self) -> Approvals:
        """Whether tokens approve."""
        ...

    @property
    def losses(self) -> Losses:
        """The use cases."""
        ...


def record_look(node: LossNode, what: str, *, area: Area = Area.CREDIT) -> None:
    """Record that the operator looks at what is confidential."""
    check_access(node.people, OPERATOR_PRINCIPAL, Access(area=area, target=what))


@provision_app.command("run")
def run(
    ctx: typer.Context,
    *,
    as_of: AsOfOption = None,
    by: ByOption = "operator",
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Provide for what is open on a day, by currency; with nothing new it is the same run."""
    node: LossNode = ctx.obj
    record_look(node, "provision run")
    made = node.losses.provisions.run(by=by, as_of=None if as_of is None else as_of.date())
    _show_runs([build_run_object(one, language=language) for one in made], as_json=as_json)


@provision_app.command("show")
def show(
    ctx: typer.Context,
    run_id: RunArgument = None,
    *,
    currency: CurrencyOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show a run with its lines, or without a number the newest runs."""
    node: LossNode = ctx.obj
    record_look(node, "provision runs" if run_id is None else f"provision run {run_id}")
    if run_id is not None:
        shown = [build_run_object(node.losses.provisions.get_run(run_id), language=language)]
        _show_runs(shown, as_json=as_json)
        return
    runs = node.losses.provisions.list_runs(currency=currency)
    found = [build_run_object(one, language=language) for one in runs]
    if as_json:
        show_json(found)
        return
    table = Table("Run", "As of", "Policy", "Open", "Allowance", "By")
    for one in found:
        table.add_row(
            str(one["id"]),
            one["as_of"],
            one["policy"]["label"],
            f"{format_amount(one['balance_minor'], currency=one['currency'])} {one['currency']}",
            format_amount(one["allowance_minor"], currency=one["currency"]),
            one["by"],
        )
    show_table(table)


@provision_app.command("movement")
def movement(
    ctx: typer.Context,
    closing: Annotated[int, typer.Argument(min=1, help="Number of the closing run.")],
    *,
    opening: Annotated[
        int | None, typer.Option("--opening", min=1, help="Run; default: of the day before it.")
    ] = None,
    currency: CurrencyOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the auditor's file.")] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show how the allowance has moved: opening, added, released, used, currency, closing."""
    node: LossNode = ctx.obj
    record_look(node, f"provision movement {closing}")
    report = node.losses.provisions.report_movement(closing, opening_id=opening, currency=currency)
    if as_csv:
        typer.echo(format_movement_csv(report), nl=False)
        return
    found = build_movement_object(report, language=language)
    if as_json:
        show_json(found)
        return
    days = f"{found['opening_on'] or '-'} … {found['closing_on']}"
    table = Table(days, found["currency"])
    for line in found["lines"]:
        table.add_row(line["text"], format_amount(line["minor"], currency=found["currency"]))
    show_table(table)


@provision_app.command("apart")
def set_apart(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    percent: Annotated[int, typer.Option("--percent", min=0, max=100, help="What is lost.")],
    reason: ReasonOption,
    as_of: AsOfOption = None,
    by: ByOption = "operator",
) -> None:
    """Take a customer out of the pool: what of the balance is lost is said by a person."""
    node: LossNode = ctx.obj
    key = node.records.get_named_customer(customer).customer_id
    entry_id = node.losses.provisions.set_apart(
        key,
        rate_ppm=percent * 10_000,
        reason=reason,
        by=by,
        from_on=None if as_of is None else as_of.date(),
    )
    Console().print(f"{entry_id}", highlight=False)


@provision_app.command("end-apart")
def end_apart(
    ctx: typer.Context,
    entry: Annotated[int, typer.Argument(min=1, help="Number (provision apart-list).")],
    *,
    reason: ReasonOption,
    by: ByOption = "operator",
) -> None:
    """Put a customer back into the pool from today on."""
    node: LossNode = ctx.obj
    node.losses.provisions.end_apart(entry, reason=reason, by=by)


@provision_app.command("apart-list")
def list_apart(ctx: typer.Context) -> None:
    """List who is or was looked at apart, as JSON."""
    node: LossNode = ctx.obj
    record_look(node, "customers apart")
    show_json([build_specific_object(one) for one in node.losses.provisions.list_apart()])


def _show_runs(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    for one in found:
        currency = one["currency"]
        title = f"{one['id']} · {one['as_of']} · {one['policy']['label']} · {currency}"
        table = Table("Days past due", "Stage", "Open", "Rate", "Allowance", title=title)
        for line in one["lines"]:
            table.add_row(
                line["text"],
                str(line["stage"]),
                format_amount(line["balance_minor"], currency=currency),
                line["rate_text"],
                format_amount(line["allowance_minor"], currency=currency),
            )
        table.add_row(
            "=",
            "",
            format_amount(one["balance_minor"], currency=currency),
            "",
            format_amount(one["allowance_minor"], currency=currency),
        )
        show_table(table)
