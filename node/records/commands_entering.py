"""``chengxin ledger``: entering documents, payments, bills, write-offs, disputes, corrections."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from node.core.money import format_amount, parse_amount
from node.records.commands_ledger import (
    CurrencyOption,
    CustomerArgument,
    HasLedger,
    check_currency,
    choose_date,
    get_customer_id,
    ledger_app,
)
from node.records.ledger import (
    Allocate,
    Correction,
    NewBill,
    NewCredit,
    NewDebit,
    Remittance,
    Term,
)
from node.records.rules_ledger import AllocationMethod, DisputeCause, DisputeOutcome, ItemKind

__all__ = ["ledger_app"]  # the whole command, with what is added to it here

DAY_FORMAT = "%Y-%m-%d"

bill_app = typer.Typer(no_args_is_help=True, help="Bills of exchange. 汇票。")
dispute_app = typer.Typer(no_args_is_help=True, help="Disputes about items. 争议。")
ledger_app.add_typer(bill_app, name="bill")
ledger_app.add_typer(dispute_app, name="dispute")

ItemArgument = Annotated[int, typer.Argument(help="Key of the item (ledger open, ledger find).")]
AmountArgument = Annotated[str, typer.Argument(help="Amount, as 1234.50.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stays beside the entry.")]
ReferenceOption = Annotated[str, typer.Option(help="Number of the decision, used once.")]
ByOption = Annotated[
    str, typer.Option("--by", envvar="CHENGXIN_USER", help="Who enters it; it stays on record.")
]
OnOption = Annotated[
    datetime | None,
    typer.Option("--on", formats=[DAY_FORMAT], help="When it happened; default: business date."),
]
PaysOption = Annotated[
    list[str] | None,
    typer.Option(help="Document that is paid, in full or as NUMBER=AMOUNT; may be repeated."),
]
ApplyOption = Annotated[
    AllocationMethod | None, typer.Option(help="exact or oldest-first, where --pays is not given.")
]


@ledger_app.command("invoice")
def enter_debit(
    context: typer.Context,
    customer: CustomerArgument,
    document_no: Annotated[str, typer.Argument(help="Document number.")],
    *,
    currency: CurrencyOption,
    due: Annotated[
        list[str], typer.Option(help="DATE=AMOUNT, once for each instalment: 2026-03-31=1200.00.")
    ],
    by: ByOption,
    on: OnOption = None,
    kind: Annotated[
        ItemKind, typer.Option(help="invoice, opening or interest.")
    ] = ItemKind.INVOICE,
) -> None:
    """Enter what a customer owes, an opening balance or interest among it."""
    node: HasLedger = context.obj
    keys = node.ledger.enter_debit(
        NewDebit(
            customer_id=get_customer_id(node, customer),
            kind=kind,
            document_no=document_no,
            happened_on=choose_date(node, on),
            currency=check_currency(currency),
            terms=tuple(_read_term(text, currency=currency) for text in due),
        ),
        by=by,
    )
    typer.echo(f"{kind} {document_no}: " + ", ".join(f"item {key}" for key in keys))


@ledger_app.command("credit")
def enter_credit(
    context: typer.Context,
    customer: CustomerArgument,
    document_no: Annotated[str, typer.Argument(help="Number of the payment or credit note.")],
    amount: AmountArgument,
    *,
    currency: CurrencyOption,
    by: ByOption,
    on: OnOption = None,
    kind: Annotated[
        ItemKind, typer.Option(help="payment, credit-note or opening-credit.")
    ] = ItemKind.PAYMENT,
    pays: PaysOption = None,
    apply: ApplyOption = None,
) -> None:
    """Enter a payment or a credit note; what is not applied stays to the customer's credit."""
    node: HasLedger = context.obj
    credit_id = node.ledger.enter_credit(
        NewCredit(
            customer_id=get_customer_id(node, customer),
            kind=kind,
            document_no=document_no,
            happened_on=choose_date(node, on),
            currency=check_currency(currency),
            amount_minor=parse_amount(amount, currency=currency),
        ),
        allocate=_choose_allocation(pays, apply, currency=currency),
        by=by,
    )
    _tell_left(node, credit_id)


@ledger_app.command("apply")
def apply_credit(
    context: typer.Context,
    credit: Annotated[int, typer.Argument(help="Key of the credit.")],
    *,
    by: ByOption,
    on: OnOption = None,
    pays: PaysOption = None,
    apply: ApplyOption = None,
    to: Annotated[int | None, typer.Option(help="Key of the item it pays for, by hand.")] = None,
    amount: Annotated[str | None, typer.Option(help="How much of it; with --to.")] = None,
) -> None:
    """Apply what is left of a credit: as the payer says, by a rule, or by hand."""
    node: HasLedger = context.obj
    currency = node.ledger.tell_item(credit).item.currency
    day = choose_date(node, on)
    if to is not None:
        if amount is None:
            raise typer.BadParameter("say with --amount how much goes to the item")
        node.ledger.apply_by_hand(
            debit_id=to,
            credit_id=credit,
            amount_minor=parse_amount(amount, currency=currency),
            on=day,
            by=by,
        )
    else:
        allocate = _choose_allocation(pays, apply, currency=currency)
        if allocate is None:
            raise typer.BadParameter("say what it pays for: --pays, --apply or --to")
        node.ledger.apply_credit(credit, allocate=allocate, on=day, by=by)
    _tell_left(node, credit)


@ledger_app.command("unapply")
def take_back(
    context: typer.Context,
    debit: Annotated[int, typer.Argument(help="Key of what was paid for.")],
    credit: Annotated[int, typer.Argument(help="Key of the credit.")],
    *,
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Take back all that is applied between two items, from a day on."""
    node: HasLedger = context.obj
    node.ledger.take_back(debit_id=debit, credit_id=credit, on=choose_date(node, on), by=by)
    _tell_left(node, credit)


@bill_app.command("receive")
def receive_bill(
    context: typer.Context,
    customer: CustomerArgument,
    number: Annotated[str, typer.Argument(help="Number of the bill.")],
    amount: AmountArgument,
    *,
    currency: CurrencyOption,
    matures: Annotated[datetime, typer.Option(formats=[DAY_FORMAT], help="When it is paid.")],
    by: ByOption,
    on: OnOption = None,
    pays: PaysOption = None,
) -> None:
    """Take a bill of exchange for what is owed, by its words or what fell due first."""
    node: HasLedger = context.obj
    bill = NewBill(
        customer_id=get_customer_id(node, customer),
        number=number,
        received_on=choose_date(node, on),
        matures_on=matures.date(),
        currency=check_currency(currency),
        amount_minor=parse_amount(amount, currency=currency),
    )
    allocate: Allocate = AllocationMethod.OLDEST_FIRST
    if pays:
        allocate = _read_remittance(pays, currency=currency)
    typer.echo(f"bill {number}: item {node.ledger.receive_bill(bill, allocate=allocate, by=by)}")


@bill_app.command("endorse")
def endorse_bill(
    context: typer.Context, bill: ItemArgument, *, by: ByOption, on: OnOption = None
) -> None:
    """Pass a bill on to a supplier."""
    node: HasLedger = context.obj
    day = choose_date(node, on)
    node.ledger.pass_on_bill(bill, kind=ItemKind.BILL_ENDORSED, on=day, by=by)


@bill_app.command("discount")
def discount_bill(
    context: typer.Context, bill: ItemArgument, *, by: ByOption, on: OnOption = None
) -> None:
    """Sell a bill to a bank."""
    node: HasLedger = context.obj
    day = choose_date(node, on)
    node.ledger.pass_on_bill(bill, kind=ItemKind.BILL_DISCOUNTED, on=day, by=by)


@bill_app.command("dishonour")
def dishonour_bill(
    context: typer.Context, bill: ItemArgument, *, by: ByOption, on: OnOption = None
) -> None:
    """Enter that a bill was not paid: what it had paid for is owed again."""
    node: HasLedger = context.obj
    node.ledger.dishonour_bill(bill, on=choose_date(node, on), by=by)


@ledger_app.command("write-off")
def write_off(
    context: typer.Context,
    items: Annotated[list[int], typer.Argument(help="Keys of items of one customer.")],
    *,
    reference: ReferenceOption,
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Write off what is open of items; how the customer pays is judged as before."""
    node: HasLedger = context.obj
    key = node.ledger.write_off(items, reference=reference, on=choose_date(node, on), by=by)
    typer.echo(f"write-off {reference}: item {key}")


@ledger_app.command("reinstate")
def reverse_write_off(
    context: typer.Context,
    write_off: ItemArgument,
    amount: AmountArgument,
    *,
    reference: ReferenceOption,
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Owe again so much of what was written off, so that what is recovered can be applied."""
    node: HasLedger = context.obj
    currency = node.ledger.tell_item(write_off).item.currency
    node.ledger.reverse_write_off(
        write_off,
        amount_minor=parse_amount(amount, currency=currency),
        reference=reference,
        on=choose_date(node, on),
        by=by,
    )


@dispute_app.command("open")
def open_dispute(
    context: typer.Context,
    item: ItemArgument,
    amount: AmountArgument,
    *,
    cause: Annotated[DisputeCause, typer.Option(help="Why it is disputed.")],
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Mark an amount of an item as disputed."""
    node: HasLedger = context.obj
    currency = node.ledger.tell_item(item).item.currency
    key = node.ledger.open_dispute(
        item,
        amount_minor=parse_amount(amount, currency=currency),
        cause=cause,
        on=choose_date(node, on),
        by=by,
    )
    typer.echo(f"dispute {key}")


@dispute_app.command("close")
def close_dispute(
    context: typer.Context,
    dispute: Annotated[int, typer.Argument(help="Key of the dispute (ledger show).")],
    *,
    outcome: Annotated[DisputeOutcome, typer.Option(help="How it ended.")],
    reason: ReasonOption,
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Enter how a dispute ended; a credit note that comes of it is entered by itself."""
    node: HasLedger = context.obj
    day = choose_date(node, on)
    node.ledger.close_dispute(dispute, outcome=outcome, reason=reason, on=day, by=by)


@ledger_app.command("correct")
def correct_item(
    context: typer.Context,
    item: ItemArgument,
    *,
    reason: ReasonOption,
    by: ByOption,
    amount: Annotated[str | None, typer.Option(help="The right amount.")] = None,
    happened: Annotated[
        datetime | None, typer.Option(formats=[DAY_FORMAT], help="The right day.")
    ] = None,
    due: Annotated[
        datetime | None, typer.Option(formats=[DAY_FORMAT], help="The right due date.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option(help="The right customer: number or subject id.")
    ] = None,
) -> None:
    """Enter the right version of an item; the wrong one stays for who asks what was known then."""
    node: HasLedger = context.obj
    currency = node.ledger.tell_item(item).item.currency
    correction = Correction(
        reason=reason,
        amount_minor=None if amount is None else parse_amount(amount, currency=currency),
        happened_on=None if happened is None else happened.date(),
        due_on=None if due is None else due.date(),
        customer_id=None if customer is None else get_customer_id(node, customer),
    )
    typer.echo(f"item {node.ledger.correct_item(item, correction, by=by)}")


@ledger_app.command("cancel")
def cancel_item(
    context: typer.Context, item: ItemArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Enter that an item should not be here."""
    node: HasLedger = context.obj
    node.ledger.cancel_item(item, reason=reason, by=by)


def _read_term(text: str, *, currency: str) -> Term:
    day, equals, amount = text.partition("=")
    try:
        due_on = datetime.strptime(day, DAY_FORMAT).date()  # noqa: DTZ007  a day, of no zone
    except ValueError as err:
        raise typer.BadParameter(f"{text}: written as 2026-03-31=1200.00") from err
    if not equals:
        raise typer.BadParameter(f"{text}: the amount is missing, as in 2026-03-31=1200.00")
    return Term(due_on=due_on, amount_minor=parse_amount(amount, currency=currency))


def _choose_allocation(
    pays: list[str] | None, method: AllocationMethod | None, *, currency: str
) -> Allocate | None:
    return _read_remittance(pays, currency=currency) if pays else method


def _read_remittance(pays: list[str], *, currency: str) -> Remittance:
    documents: list[tuple[str, int | None]] = []
    for text in pays:
        number, equals, amount = text.rpartition("=")
        documents.append(
            (number, parse_amount(amount, currency=currency)) if equals else (text, None)
        )
    return Remittance(documents=tuple(documents))


def _tell_left(node: HasLedger, credit_id: int) -> None:
    story = node.ledger.tell_item(credit_id)
    left = format_amount(story.open_minor or 0, currency=story.item.currency)
    typer.echo(f"item {credit_id}: {left} {story.item.currency} unapplied")
