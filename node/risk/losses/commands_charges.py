"""``chengxin risk dunning``: what letters have charged, what of it is open, paid or waived."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from node.assessment.commands import AsOfOption, CustomerArgument, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.money import format_amount, parse_amount
from node.core.people.areas import Area
from node.core.terminal import show_json, show_table
from node.risk.dunning.charging import CHARGES_PAGE_MAX, ChargePayment, ChargeSelection
from node.risk.losses.commands import ByOption, LossNode, ReasonOption, record_look
from node.risk.losses.view_charges import (
    build_charge_object,
    build_charge_view_object,
    build_reminder_object,
    find_next_place,
    parse_place,
)

DAY_FORMAT = "%Y-%m-%d"
charge_app = typer.Typer()

ChargeArgument = Annotated[int, typer.Argument(min=1, help="Number (dunning charges).")]
AmountOption = Annotated[
    str | None, typer.Option("--amount", help="What of it; without it, all that is open.")
]


@charge_app.command("charges")
def list_charges(
    ctx: typer.Context,
    *,
    customer: Annotated[str | None, typer.Option(help="Of one customer.")] = None,
    as_of: AsOfOption = None,
    after: Annotated[
        str | None, typer.Option(help="Behind this place: open.N or settled.N.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=CHARGES_PAGE_MAX)] = 100,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List what letters have charged, the open ones first."""
    node: LossNode = ctx.obj
    record_look(node, "dunning charges", area=Area.PERSONS)
    found = node.losses.charges.list_charges(
        ChargeSelection(
            customer_id=None
            if customer is None
            else node.records.get_named_customer(customer).customer_id,
            as_of=None if as_of is None else as_of.date(),
            after=None if after is None else parse_place(after),
            limit=limit,
        )
    )
    shown = [build_charge_object(one, language=language) for one in found]
    following = find_next_place(found, limit=limit)
    if as_json:
        show_json({"charges": shown, "next": following})
        return
    table = Table("Charge", "Letter", "Customer", "Kind", "Document", "Until", "Amount", "Open", "")
    for one in shown:
        table.add_row(
            str(one["id"]),
            str(one["letter"]),
            str(one["customer"]),
            one["kind_text"],
            one["document_no"],
            one["until_on"] or "",
            f"{format_amount(one['amount_minor'], currency=one['currency'])} {one['currency']}",
            format_amount(one["open_minor"], currency=one["currency"]),
            one["item_state_text"] or "",
        )
    show_table(table)
    if following is not None:
        typer.echo(f"more: --after {following}")


@charge_app.command("charge")
def show_charge(
    ctx: typer.Context,
    charge: ChargeArgument,
    *,
    as_of: AsOfOption = None,
    language: LanguageOption = Language.EN,
) -> None:
    """Show a charge with how it ended, as JSON."""
    node: LossNode = ctx.obj
    record_look(node, f"dunning charge {charge}", area=Area.PERSONS)
    day = None if as_of is None else as_of.date()
    view = node.losses.charges.get_charge(charge, as_of=day)
    show_json(build_charge_view_object(view, language=language))


@charge_app.command("settle")
def settle(
    ctx: typer.Context,
    charge: ChargeArgument,
    *,
    item: Annotated[
        int, typer.Option("--item", min=1, help="The payment, or the item that bills it.")
    ],
    amount: AmountOption = None,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=[DAY_FORMAT], help="When; else today.")
    ] = None,
    by: ByOption,
    language: LanguageOption = Language.EN,
) -> None:
    """Enter that a charge, or a part of it, was paid."""
    node: LossNode = ctx.obj
    payment = ChargePayment(
        item_id=item,
        amount_minor=_read_amount(node, charge, amount),
        on=None if on is None else on.date(),
    )
    view = node.losses.charges.pay(charge, payment, by=by)
    show_json(build_charge_view_object(view, language=language))


@charge_app.command("waive")
def waive(
    ctx: typer.Context,
    charge: ChargeArgument,
    *,
    reason: ReasonOption,
    amount: AmountOption = None,
    by: ByOption,
    language: LanguageOption = Language.EN,
) -> None:
    """Give up a charge, or a part of it."""
    node: LossNode = ctx.obj
    amount_minor = _read_amount(node, charge, amount)
    view = node.losses.charges.waive(charge, reason=reason, by=by, amount_minor=amount_minor)
    show_json(build_charge_view_object(view, language=language))


@charge_app.command("reminders")
def list_reminders(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    after: Annotated[int, typer.Option(min=0, help="Behind this item.")] = 0,
    language: LanguageOption = Language.EN,
) -> None:
    """List what a customer was reminded of, and whether that is over, as JSON."""
    node: LossNode = ctx.obj
    record_look(node, "dunning reminders", area=Area.PERSONS)
    found = node.losses.charges.list_reminders(
        node.records.get_named_customer(customer).customer_id,
        as_of=None if as_of is None else as_of.date(),
        after=after,
    )
    show_json([build_reminder_object(one, language=language) for one in found])


def _read_amount(node: LossNode, charge: int, amount: str | None) -> int | None:
    if amount is None:
        return None
    currency = node.losses.charges.get_charge(charge).charge.currency
    return parse_amount(amount, currency=currency)
