"""``chengxin cover``: guarantees and credit insurance, and what of an exposure they cover."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from node.core.money import format_amount, parse_amount
from node.core.terminal import show_table
from node.records.commands_entering import AmountArgument, ByOption, OnOption, ReasonOption
from node.records.commands_ledger import (
    AsOfOption,
    CurrencyOption,
    CustomerArgument,
    JsonOption,
    KnownAtOption,
    check_currency,
    choose_date,
    get_customer_id,
    print_json,
    read_moment,
)
from node.records.commands_papers import (
    BeginOption,
    CorrectsOption,
    EndOption,
    HasPapers,
    HeldOption,
    NumberArgument,
    PaperArgument,
    PartOption,
    WhyOption,
    add_withdrawing,
    enter_or_correct,
    find_currency,
    read_end,
    read_hash,
    read_part,
    read_percent,
    show_papers,
)
from node.records.papers import COVERS, NewEvent
from node.records.rules_cover import CoverReport
from node.records.rules_papers import (
    EventKind,
    GuaranteeForm,
    GuaranteeTerms,
    InsuranceTerms,
    PaperContent,
    PaperKind,
)

cover_app = typer.Typer(
    no_args_is_help=True, help="Guarantees and credit insurance. 担保、信用保险。"
)

RankOption = Annotated[
    int, typer.Option(help="Order of covers, 1 first; a guarantee before an insurance of its rank.")
]


@cover_app.command("guarantee")
def enter_guarantee(
    context: typer.Context,
    customer: CustomerArgument,
    number: NumberArgument,
    amount: AmountArgument,
    *,
    currency: CurrencyOption,
    guarantor: Annotated[str, typer.Option(help="Who guarantees.")],
    form: Annotated[GuaranteeForm, typer.Option(help="What kind of a guarantee it is.")],
    begin: BeginOption,
    document: HeldOption,
    by: ByOption,
    end: EndOption = None,
    rank: RankOption = 1,
    corrects: CorrectsOption = None,
    reason: WhyOption = None,
) -> None:
    """Enter a guarantee, suretyship, deposit or pledge, or correct one."""
    node: HasPapers = context.obj
    content = PaperContent(
        customer_id=get_customer_id(node, customer),
        currency=check_currency(currency),
        begins_on=begin.date(),
        ends_on=read_end(end),
        amount_minor=parse_amount(amount, currency=currency),
        document_sha256_hex=read_hash(document),
        terms=GuaranteeTerms(form=form, guarantor=guarantor, rank=rank),
    )
    enter_or_correct(
        node, PaperKind.GUARANTEE, number, content, corrects=corrects, reason=reason, by=by
    )


@cover_app.command("insurance")
def enter_insurance(
    context: typer.Context,
    customer: CustomerArgument,
    number: Annotated[str, typer.Argument(help="Number of the policy and of the cover.")],
    amount: Annotated[str, typer.Argument(help="Insured limit, as 800000.00.")],
    *,
    currency: CurrencyOption,
    insurer: Annotated[str, typer.Option(help="Who insures.")],
    share: Annotated[str, typer.Option(help="Insured share in percent, as 90.")],
    begin: BeginOption,
    by: ByOption,
    end: EndOption = None,
    waiting_days: Annotated[int, typer.Option(help="From the due day until it is claimed.")] = 0,
    deductible: Annotated[str, typer.Option(help="What of a loss is not paid.")] = "0",
    with_disputed: Annotated[
        bool, typer.Option("--with-disputed", help="What is disputed is insured too.")
    ] = False,
    with_overdue: Annotated[
        bool, typer.Option("--with-overdue", help="So is what was overdue when it began.")
    ] = False,
    document: HeldOption = None,
    rank: RankOption = 1,
    corrects: CorrectsOption = None,
    reason: WhyOption = None,
) -> None:
    """Enter what an insurer covers of a customer's debts, or correct it."""
    node: HasPapers = context.obj
    content = PaperContent(
        customer_id=get_customer_id(node, customer),
        currency=check_currency(currency),
        begins_on=begin.date(),
        ends_on=read_end(end),
        amount_minor=parse_amount(amount, currency=currency),
        document_sha256_hex=read_hash(document),
        terms=InsuranceTerms(
            insurer=insurer,
            share_centipercent=read_percent(share),
            rank=rank,
            waiting_days=waiting_days,
            deductible_minor=parse_amount(deductible, currency=currency),
            excludes_disputed=not with_disputed,
            excludes_overdue=not with_overdue,
        ),
    )
    enter_or_correct(
        node, PaperKind.INSURANCE, number, content, corrects=corrects, reason=reason, by=by
    )


@cover_app.command("release")
def release_guarantee(
    context: typer.Context,
    paper: PaperArgument,
    *,
    amount: PartOption = None,
    on: OnOption = None,
    by: ByOption,
) -> None:
    """Enter that a guarantee was given back, whole or in part."""
    _reduce(context.obj, paper, EventKind.RELEASED, amount=amount, on=on, by=by)


@cover_app.command("call")
def call_guarantee(
    context: typer.Context,
    paper: PaperArgument,
    *,
    amount: PartOption = None,
    on: OnOption = None,
    by: ByOption,
) -> None:
    """Enter that a guarantee was called: what it paid is a payment of its own in the ledger."""
    _reduce(context.obj, paper, EventKind.CALLED, amount=amount, on=on, by=by)


def _reduce(
    node: HasPapers,
    paper_id: int,
    kind: EventKind,
    *,
    amount: str | None,
    on: OnOption,
    by: str,
) -> None:
    kinds = {PaperKind.GUARANTEE}
    event = NewEvent(
        kind=kind,
        on=choose_date(node, on),
        amount_minor=read_part(amount, currency=find_currency(node, paper_id, kinds)),
    )
    typer.echo(f"event {node.papers.add_event(paper_id, event, kinds=kinds, by=by)}")


@cover_app.command("end")
def end_cover(
    context: typer.Context,
    paper: PaperArgument,
    *,
    reason: ReasonOption,
    on: OnOption = None,
    by: ByOption,
) -> None:
    """Enter the first day on which it covers no longer, before its time."""
    node: HasPapers = context.obj
    event = NewEvent(kind=EventKind.ENDED, on=choose_date(node, on), reason=reason)
    typer.echo(f"event {node.papers.add_event(paper, event, kinds=COVERS, by=by)}")


@cover_app.command("list")
def list_covers(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a customer's guarantees and insurances, and which were in force on a day."""
    show_papers(context, customer, COVERS, as_of=as_of, known_at=known_at, as_json=as_json)


@cover_app.command("show")
def show_cover(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    in_currency: Annotated[
        str | None, typer.Option("--in", help="Currency; default: that of most invoices.")
    ] = None,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what of a customer's exposure is insured, guaranteed or neither on a day."""
    node: HasPapers = context.obj
    known_at_ms = read_moment(known_at)
    report = node.paper_reports.compute_cover(
        get_customer_id(node, customer, known_at_ms=known_at_ms),
        as_of=choose_date(node, as_of),
        currency=None if in_currency is None else check_currency(in_currency),
        known_at_ms=known_at_ms,
    )
    if as_json:
        print_json(asdict(report))
        return
    show_table(_build_exposure_table(report))
    show_table(_build_cover_table(report))
    for one in report.not_computable:
        amount = format_amount(one.amount_minor, currency=one.currency)
        typer.echo(f"not computable, no rate: {amount} {one.currency}")
    for rate in report.rates:
        typer.echo(f"by the rate {rate.base}/{rate.quote} of {rate.on}, {rate.source}")


def _build_exposure_table(report: CoverReport) -> Table:
    table = Table(f"{report.as_of}")
    table.add_column(report.currency, justify="right")
    for name, minor in (
        ("delivered, not invoiced", report.delivered_minor),
        ("open invoices", report.invoiced_minor),
        ("bills of exchange", report.bill_minor),
        ("exposure", report.exposure_minor),
        ("insured", report.insured_minor),
        ("guaranteed", report.guaranteed_minor),
        ("uncovered", report.uncovered_minor),
    ):
        if name in {"exposure", "insured"}:
            table.add_section()
        table.add_row(name, format_amount(minor, currency=report.currency))
    return table


def _build_cover_table(report: CoverReport) -> Table:
    table = Table("Key", "Number", "By", "Rank", "State", box=None)
    for name in ("Available", "Covers", "Claimable"):
        table.add_column(name, justify="right")
    for line in report.covers:
        available = format_amount(line.available_minor, currency=line.currency)
        claimable = format_amount(line.claimable_minor, currency=report.currency)
        table.add_row(
            str(line.paper_id), line.number, line.provider, str(line.rank), line.state.value,
            f"{available} {line.currency}",
            format_amount(line.covered_minor, currency=report.currency),
            claimable if line.is_insurance else "",
        )  # fmt: skip
    return table


add_withdrawing(cover_app, COVERS)
