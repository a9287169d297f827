"""``chengxin risk dunning``: propose letters, read and print them, release them, hold customers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from node.assessment.commands import AsOfOption, CustomerArgument, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.money import format_amount
from node.core.people.areas import Area
from node.core.terminal import show_json, show_table
from node.risk.dunning.letters import LetterForm
from node.risk.dunning.rules_letter import LetterState
from node.risk.dunning.service import OPEN_STATES, LetterSelection
from node.risk.losses.commands import LossNode, record_look
from node.risk.losses.commands_charges import charge_app
from node.risk.losses.view_charges import build_letter_charges_object
from node.risk.losses.view_dunning import (
    build_dunning_run_object,
    build_hold_object,
    build_letter_event_object,
    build_letter_object,
    write_letter,
)

DAY_FORMAT = "%Y-%m-%d"
dunning_app = typer.Typer(no_args_is_help=True, help="Reminders to customers. 催收。")
dunning_app.add_typer(charge_app)

ByOption = Annotated[str, typer.Option("--by", help="Who enters it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays beside it.")]
LetterArgument = Annotated[int, typer.Argument(min=1, help="Number (dunning list).")]


@dunning_app.command("run")
def run(
    ctx: typer.Context,
    *,
    as_of: AsOfOption = None,
    by: ByOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """Propose what letters are due; run a second time on a day it changes nothing."""
    node: LossNode = ctx.obj
    day = None if as_of is None else as_of.date()
    found = build_dunning_run_object(node.losses.dunning.run(by=by, as_of=day))
    if as_json:
        show_json(found)
        return
    Console().print(
        f"run {found['id']} as of {found['as_of']} by {found['policy']}: "
        f"{found['customers']:,} customers, {found['proposed']:,} letters proposed, "
        f"{found['withdrawn']:,} withdrawn, {found['held']:,} held",
        markup=False,
        highlight=False,
    )


@dunning_app.command("list")
def list_letters(
    ctx: typer.Context,
    *,
    customer: Annotated[str | None, typer.Option(help="Of one customer.")] = None,
    state: Annotated[list[LetterState] | None, typer.Option(help="Of these states.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Behind this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 100,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List letters; without a state those that wait for a release or an answer."""
    node: LossNode = ctx.obj
    record_look(node, "dunning letters", area=Area.PERSONS)
    key = None if customer is None else node.records.get_named_customer(customer).customer_id
    selection = LetterSelection(
        states=frozenset(state) if state else OPEN_STATES,
        customer_id=key,
        after=after,
        limit=limit,
    )
    found = [
        build_letter_object(one, language=language)
        for one in node.losses.dunning.list_letters(selection)
    ]
    if as_json:
        show_json(found)
        return
    table = Table("Letter", "Customer", "As of", "Level", "State", "To be paid", "Pay by")
    for one in found:
        totals = (
            f"{format_amount(each['total_minor'], currency=each['currency'])} {each['currency']}"
            for each in one["sums"]
        )
        table.add_row(
            str(one["id"]),
            str(one["customer"]),
            one["as_of"],
            str(one["level"]),
            one["state_text"],
            ", ".join(totals),
            one["pay_by_on"] or "",
        )
    show_table(table)


@dunning_app.command("show")
def show(
    ctx: typer.Context, letter: LetterArgument, *, language: LanguageOption = Language.EN
) -> None:
    """Show a letter with its items and what happened to it, as JSON."""
    node: LossNode = ctx.obj
    record_look(node, f"dunning letter {letter}", area=Area.PERSONS)
    view = node.losses.dunning.get_letter(letter)
    show_json(
        build_letter_object(view.letter, language=language)
        | {"events": [build_letter_event_object(one) for one in view.events]}
        | build_letter_charges_object(node.losses.charges.read_letter(letter), language=language)
    )


@dunning_app.command("letter")
def print_letter(
    ctx: typer.Context,
    letter: LetterArgument,
    *,
    form: Annotated[LetterForm, typer.Option(help="As text, or as a page to print.")] = (
        LetterForm.TEXT
    ),
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="Into this file.")] = None,
    language: LanguageOption = Language.ZH,
) -> None:
    """Write a letter, to be printed or handed over; this node sends nothing itself."""
    node: LossNode = ctx.obj
    record_look(node, f"dunning letter {letter}", area=Area.PERSONS)
    view = node.losses.dunning.get_letter(letter)
    text = write_letter(view, sender=node.losses.sender, language=language, form=form)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


@dunning_app.command("release")
def release(
    ctx: typer.Context,
    letter: LetterArgument,
    *,
    by: ByOption,
    language: LanguageOption = Language.EN,
) -> None:
    """Release a letter: from today on it is sent, and its levels count."""
    node: LossNode = ctx.obj
    node.approvals.check_token()
    released = node.losses.dunning.release(letter, by=by)
    show_json(build_letter_object(released, language=language))


@dunning_app.command("answer")
def answer(
    ctx: typer.Context,
    letter: LetterArgument,
    *,
    text: Annotated[str, typer.Option("--text", help="What the customer has answered.")],
    by: ByOption,
    language: LanguageOption = Language.EN,
) -> None:
    """Enter what a customer has answered."""
    node: LossNode = ctx.obj
    answered = node.losses.dunning.answer(letter, text=text, by=by)
    show_json(build_letter_object(answered, language=language))


@dunning_app.command("withdraw")
def withdraw(
    ctx: typer.Context,
    letter: LetterArgument,
    *,
    reason: ReasonOption,
    by: ByOption,
    language: LanguageOption = Language.EN,
) -> None:
    """Withdraw a letter: the levels that it gave count no longer."""
    node: LossNode = ctx.obj
    withdrawn = node.losses.dunning.withdraw(letter, reason=reason, by=by)
    show_json(build_letter_object(withdrawn, language=language))


@dunning_app.command("hold")
def hold(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    until: Annotated[datetime, typer.Option("--until", formats=[DAY_FORMAT])],
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Remind a customer of nothing up to a day."""
    node: LossNode = ctx.obj
    key = node.records.get_named_customer(customer).customer_id
    hold_id = node.losses.dunning.hold(key, until_on=until.date(), reason=reason, by=by)
    Console().print(f"{hold_id}", highlight=False)


@dunning_app.command("end-hold")
def end_hold(
    ctx: typer.Context,
    hold_id: Annotated[int, typer.Argument(metavar="HOLD", min=1, help="Its number.")],
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """End a hold from today on."""
    node: LossNode = ctx.obj
    node.losses.dunning.end_hold(hold_id, reason=reason, by=by)


@dunning_app.command("holds")
def list_holds(ctx: typer.Context) -> None:
    """List whom nobody reminds today, as JSON."""
    node: LossNode = ctx.obj
    record_look(node, "dunning holds", area=Area.PERSONS)
    show_json([build_hold_object(one) for one in node.losses.dunning.list_holds()])
