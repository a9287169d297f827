"""``chengxin contract`` and ``chengxin delivery``: agreed, delivered, and not invoiced yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.core.files import hash_file
from node.core.money import format_amount, parse_amount
from node.core.terminal import show_table
from node.records.commands_entering import (
    DAY_FORMAT,
    AmountArgument,
    ByOption,
    ItemArgument,
    OnOption,
    ReasonOption,
)
from node.records.commands_ledger import (
    AsOfOption,
    CurrencyOption,
    CustomerArgument,
    HasLedger,
    JsonOption,
    KnownAtOption,
    check_currency,
    choose_date,
    get_customer_id,
    print_json,
    read_moment,
)
from node.records.papers import NewEvent, PaperInvalidError, PaperReports, PaperService
from node.records.rules_papers import (
    ContractForm,
    ContractTerms,
    DeviationKind,
    EventKind,
    PaperContent,
    PaperKind,
)

contract_app = typer.Typer(
    no_args_is_help=True, help="Contracts, and invoices that differ from them. 合同。"
)
delivery_app = typer.Typer(
    no_args_is_help=True, help="Deliveries, and what of them is not invoiced. 交货、送货单。"
)

PaperArgument = Annotated[int, typer.Argument(help="Its key, as list shows it.")]
EventArgument = Annotated[
    int, typer.Argument(help="Key of what happened, as list --json shows it.")
]
NumberArgument = Annotated[str, typer.Argument(help="Its number.")]
BeginOption = Annotated[
    datetime, typer.Option("--from", formats=[DAY_FORMAT], help="First day on which it holds.")
]
EndOption = Annotated[
    datetime | None,
    typer.Option("--until", formats=[DAY_FORMAT], help="Last day; default: without an end."),
]
CorrectsOption = Annotated[
    int | None,
    typer.Option(help="Key of what was entered wrong: this is its next version, with --reason."),
]
WhyOption = Annotated[str | None, typer.Option("--reason", help="Why it is corrected.")]
HeldOption = Annotated[
    Path | None,
    typer.Option(
        "--document", exists=True, dir_okay=False, help="The document held; its SHA-256 is kept."
    ),
]
PartOption = Annotated[str | None, typer.Option("--amount", help="Default: all that is left.")]


class HasPapers(HasLedger, Protocol):
    """What a command needs of the node that the command line puts into the context."""

    @property
    def papers(self) -> PaperService:
        """Entering papers."""
        ...

    @property
    def paper_reports(self) -> PaperReports:
        """What papers say."""
        ...


def enter_or_correct(
    node: HasPapers,
    kind: PaperKind,
    number: str,
    content: PaperContent,
    *,
    corrects: int | None,
    reason: str | None,
    by: str,
) -> None:
    """Enter a paper, or the next version of one, and say its key."""
    if corrects is None:
        if reason is not None:
            raise PaperInvalidError("a reason is for a correction: name it with --corrects")
        key = node.papers.enter(kind, number, content, by=by)
    else:
        if reason is None:
            raise PaperInvalidError("a correction has a reason")
        key = corrects
        if node.papers.get_paper(key, {kind}).number != number:
            raise PaperInvalidError("its number stays: withdraw it, and enter the right one")
        node.papers.correct(key, kind, content, reason=reason, by=by)
    typer.echo(f"{kind} {key}")


def read_hash(document: Path | None) -> str | None:
    """Return the SHA-256 of a document in hex."""
    return None if document is None else hash_file(document)


def read_end(moment: datetime | None) -> date | None:
    """Return the day of an option."""
    return None if moment is None else moment.date()


def read_part(amount: str | None, *, currency: str) -> int | None:
    """Return an amount in minor units."""
    return None if amount is None else parse_amount(amount, currency=currency)


def find_currency(node: HasPapers, paper_id: int, kinds: Collection[PaperKind]) -> str:
    """Return in which currency a paper is.

    Raises:
        PaperNotFoundError: There is none of these kinds that stands.
    """
    return node.papers.get_paper(paper_id, kinds).content.currency


def show_papers(
    context: typer.Context,
    customer: str,
    kinds: Collection[PaperKind],
    *,
    as_of: datetime | None,
    known_at: datetime | None,
    as_json: bool,
) -> None:
    """Print a customer's papers of some kinds, and which were in force on a day."""
    node: HasPapers = context.obj
    known_at_ms = read_moment(known_at)
    states = node.paper_reports.list_papers(
        get_customer_id(node, customer, known_at_ms=known_at_ms),
        as_of=choose_date(node, as_of),
        kinds=kinds,
        known_at_ms=known_at_ms,
    )
    if as_json:
        print_json([asdict(one) for one in states])
        return
    table = Table("Key", "Kind", "Number", "From", "Until", "In force", box=None)
    table.add_column("Amount", justify="right")
    table.add_column("")
    for one in states:
        content = one.paper.content
        amount = ""
        if content.amount_minor is not None:
            amount = format_amount(content.amount_minor, currency=content.currency)
        table.add_row(
            str(one.paper.paper_id), one.paper.kind.value, one.paper.number,
            content.begins_on.isoformat(), str(content.ends_on or ""),
            "yes" if one.in_force else "no", amount, content.currency,
        )  # fmt: skip
    show_table(table)


@contract_app.command("enter")
def enter_contract(
    context: typer.Context,
    customer: CustomerArgument,
    number: NumberArgument,
    *,
    currency: CurrencyOption,
    signed: Annotated[datetime, typer.Option(formats=[DAY_FORMAT], help="When it was signed.")],
    begin: BeginOption,
    net: Annotated[int, typer.Option(help="Days from the invoice until it is due.")],
    document: HeldOption,
    by: ByOption,
    end: EndOption = None,
    form: Annotated[ContractForm, typer.Option(help="frame or single.")] = ContractForm.FRAME,
    amount: Annotated[str | None, typer.Option(help="Agreed credit sum, if there is one.")] = None,
    discount: Annotated[
        str | None, typer.Option(help="For early payment: PERCENT/DAYS, as 2/10.")
    ] = None,
    retains_title: Annotated[
        bool, typer.Option("--retains-title", help="Goods stay ours until they are paid.")
    ] = False,
    corrects: CorrectsOption = None,
    reason: WhyOption = None,
) -> None:
    """Enter a contract with the terms agreed on, or correct one."""
    node: HasPapers = context.obj
    percent, days = _read_discount(discount)
    content = PaperContent(
        customer_id=get_customer_id(node, customer),
        currency=check_currency(currency),
        begins_on=begin.date(),
        ends_on=read_end(end),
        amount_minor=read_part(amount, currency=currency),
        document_sha256_hex=read_hash(document),
        terms=ContractTerms(
            form=form,
            signed_on=signed.date(),
            days_net=net,
            discount_days=days,
            discount_centipercent=percent,
            retains_title=retains_title,
        ),
    )
    enter_or_correct(
        node, PaperKind.CONTRACT, number, content, corrects=corrects, reason=reason, by=by
    )


def _read_discount(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    percent, slash, days = text.partition("/")
    if not slash or not days.isdecimal() or not days.isascii():
        raise PaperInvalidError("a discount is written PERCENT/DAYS, as 2/10")
    return read_percent(percent), int(days)


def read_percent(text: str) -> int:
    """Return hundredths of a percent."""
    return parse_amount(text, currency="CNY")  # with two decimals, as a percentage has here


@contract_app.command("list")
def list_contracts(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a customer's contracts, and which were in force on a day."""
    kinds = {PaperKind.CONTRACT}
    show_papers(context, customer, kinds, as_of=as_of, known_at=known_at, as_json=as_json)


@contract_app.command("invoice")
def invoice_under_contract(
    context: typer.Context, contract: PaperArgument, item: ItemArgument, *, by: ByOption
) -> None:
    """Enter that an invoice is under a contract."""
    node: HasPapers = context.obj
    key = node.papers.add_invoice(contract, item, kinds={PaperKind.CONTRACT}, by=by)
    typer.echo(f"event {key}")


@contract_app.command("check")
def check_terms(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell in what a customer's invoices differ from the contracts that they are under."""
    node: HasPapers = context.obj
    known_at_ms = read_moment(known_at)
    found = node.paper_reports.compare_terms(
        get_customer_id(node, customer, known_at_ms=known_at_ms),
        as_of=choose_date(node, as_of),
        known_at_ms=known_at_ms,
    )
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = Table("Invoice", "Of", "Contract", "Differs in", "Agreed", "Found", box=None)
    for one in found:
        agreed, said = one.agreed, one.found
        if one.kind is DeviationKind.OVER:
            agreed, said = (
                format_amount(int(text), currency=one.currency) for text in (agreed, said)
            )
        table.add_row(
            one.document_no, str(one.happened_on), one.contract_no or "", one.kind.value,
            agreed, said,
        )  # fmt: skip
    show_table(table)
    typer.echo(f"{len(found)} differences")


@delivery_app.command("enter")
def enter_delivery(
    context: typer.Context,
    customer: CustomerArgument,
    number: NumberArgument,
    amount: AmountArgument,
    *,
    currency: CurrencyOption,
    by: ByOption,
    on: OnOption = None,
    contract: Annotated[int | None, typer.Option(help="Key of the contract it is under.")] = None,
    document: HeldOption = None,
    corrects: CorrectsOption = None,
    reason: WhyOption = None,
) -> None:
    """Enter what was delivered, at the amount that is to be invoiced for it, or correct it."""
    node: HasPapers = context.obj
    content = PaperContent(
        customer_id=get_customer_id(node, customer),
        currency=check_currency(currency),
        begins_on=choose_date(node, on),
        amount_minor=parse_amount(amount, currency=currency),
        document_sha256_hex=read_hash(document),
        contract_id=contract,
    )
    enter_or_correct(
        node, PaperKind.DELIVERY, number, content, corrects=corrects, reason=reason, by=by
    )


@delivery_app.command("invoice")
def invoice_delivery(
    context: typer.Context,
    delivery: PaperArgument,
    item: ItemArgument,
    *,
    amount: PartOption = None,
    by: ByOption,
) -> None:
    """Enter that an invoice is for a delivery, whole or in part."""
    node: HasPapers = context.obj
    kinds = {PaperKind.DELIVERY}
    part = read_part(amount, currency=find_currency(node, delivery, kinds))
    key = node.papers.add_invoice(delivery, item, amount_minor=part, kinds=kinds, by=by)
    typer.echo(f"event {key}")


@delivery_app.command("return")
def return_delivery(
    context: typer.Context,
    delivery: PaperArgument,
    *,
    amount: PartOption = None,
    on: OnOption = None,
    by: ByOption,
) -> None:
    """Enter that a delivery came back or was cancelled, whole or in part, before its invoice."""
    node: HasPapers = context.obj
    kinds = {PaperKind.DELIVERY}
    event = NewEvent(
        kind=EventKind.RETURNED,
        on=choose_date(node, on),
        amount_minor=read_part(amount, currency=find_currency(node, delivery, kinds)),
    )
    typer.echo(f"event {node.papers.add_event(delivery, event, kinds=kinds, by=by)}")


@delivery_app.command("list")
def list_deliveries(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    open_only: Annotated[
        bool, typer.Option("--open", help="Those alone of which something is not invoiced.")
    ] = False,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was delivered to a customer, and what of it was not invoiced on a day."""
    node: HasPapers = context.obj
    known_at_ms = read_moment(known_at)
    report = node.paper_reports.list_delivered(
        get_customer_id(node, customer, known_at_ms=known_at_ms),
        as_of=choose_date(node, as_of),
        open_only=open_only,
        known_at_ms=known_at_ms,
    )
    if as_json:
        print_json(asdict(report))
        return
    table = Table("Key", "Number", "Delivered", box=None)
    for name in ("Amount", "Returned", "Invoiced", "Left"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in report.deliveries:
        currency = one.delivery.content.currency
        amounts = (one.delivered_minor, one.returned_minor, one.invoiced_minor, one.left_minor)
        table.add_row(
            str(one.delivery.paper_id), one.delivery.number,
            one.delivery.content.begins_on.isoformat(),
            *(format_amount(minor, currency=currency) for minor in amounts), currency,
        )  # fmt: skip
    show_table(table)
    for total in report.sums:
        left = format_amount(total.left_minor, currency=total.currency)
        typer.echo(f"delivered, not invoiced on {report.as_of}: {left} {total.currency}")


@contract_app.command("end")
def end_contract(
    context: typer.Context,
    paper: PaperArgument,
    *,
    reason: ReasonOption,
    on: OnOption = None,
    by: ByOption,
) -> None:
    """Enter the first day on which it holds no longer, before its time."""
    node: HasPapers = context.obj
    event = NewEvent(kind=EventKind.ENDED, on=choose_date(node, on), reason=reason)
    kinds = {PaperKind.CONTRACT}
    typer.echo(f"event {node.papers.add_event(paper, event, kinds=kinds, by=by)}")


def add_withdrawing(group: typer.Typer, kinds: Collection[PaperKind]) -> None:
    """Add the commands that take back what was entered wrong of papers of some kinds."""

    @group.command("withdraw")
    def withdraw(
        context: typer.Context, paper: PaperArgument, *, reason: ReasonOption, by: ByOption
    ) -> None:
        """Enter that it should not be here."""
        node: HasPapers = context.obj
        node.papers.withdraw(paper, kinds=kinds, reason=reason, by=by)

    @group.command("undo")
    def undo(
        context: typer.Context, event: EventArgument, *, reason: ReasonOption, by: ByOption
    ) -> None:
        """Enter that what was entered of it did not happen, or that an invoice is not its."""
        node: HasPapers = context.obj
        node.papers.withdraw_event(event, kinds=kinds, reason=reason, by=by)


add_withdrawing(contract_app, {PaperKind.CONTRACT})
add_withdrawing(delivery_app, {PaperKind.DELIVERY})
