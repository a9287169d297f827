"""``chengxin ledger``: what is open, how old it is, how fast it turns into money; one item's story.

What is entered is added by ``commands_entering``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.core.money import CURRENCY_FORM, format_amount
from node.core.terminal import show_table
from node.records.ledger import ItemStory, LedgerService
from node.records.portfolio import PortfolioService
from node.records.rules_ageing import Ageing, AgeingBase, Bucket
from node.records.rules_conversion import ExchangeRate
from node.records.service import TURNOVER_MONTHS, RecordsService
from node.records.store import OpenLine
from node.records.turnover import Turnover

ledger_app = typer.Typer(
    no_args_is_help=True, help="The open-item ledger: read it, enter and correct. 应收账款台账。"
)

NOT_COMPUTABLE = "not computable"
IMPORTED = "import"  # by whom, of what no person has entered

CustomerArgument = Annotated[str, typer.Argument(help="Number or subject id (scheme:value).")]
CurrencyOption = Annotated[str, typer.Option(help="ISO 4217 code.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsOfOption = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Business date; default: the node's."),
]
KnownAtOption = Annotated[
    datetime | None,
    typer.Option(
        "--known-at",
        formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
        help="As it was known at this moment (UTC): what was entered later is left out.",
    ),
]


class HasLedger(Protocol):
    """What a command needs of the node that the command line puts into the context."""

    @property
    def records(self) -> RecordsService:
        """The room's reports."""
        ...

    @property
    def portfolio(self) -> PortfolioService:
        """What all customers owe together."""
        ...

    @property
    def ledger(self) -> LedgerService:
        """The ledger's use cases."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@ledger_app.command("open")
def show_open(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is open of a customer, owed and to its credit, with the keys of the items."""
    node: HasLedger = context.obj
    as_of_date, known_at_ms = choose_date(node, as_of), read_moment(known_at)
    customer_id = get_customer_id(node, customer, known_at_ms=known_at_ms)
    lines = node.ledger.list_open(customer_id, as_of=as_of_date, known_at_ms=known_at_ms)
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    show_table(build_line_table(lines, as_of=as_of_date))


@ledger_app.command("ageing")
def show_ageing(
    context: typer.Context,
    customer: Annotated[
        str | None, typer.Argument(help="Number or subject id; all customers without it.")
    ] = None,
    *,
    as_of: AsOfOption = None,
    base: Annotated[AgeingBase, typer.Option(help="From which day an item ages.")] = AgeingBase.DUE,
    known_at: KnownAtOption = None,
    in_currency: Annotated[
        str | None, typer.Option("--in", help="Add all currencies up in this one, by dated rates.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is owed by how long it is overdue, of one customer or of all."""
    node: HasLedger = context.obj
    day, known_at_ms = choose_date(node, as_of), read_moment(known_at)
    if customer is None:
        ageings = node.portfolio.ageing(as_of=day, base=base, known_at_ms=known_at_ms)
    else:
        ageings = node.records.ageing(
            get_customer_id(node, customer, known_at_ms=known_at_ms),
            as_of=day,
            base=base,
            known_at_ms=known_at_ms,
        )
    if in_currency is not None:
        converted = node.portfolio.convert(
            ageings, currency=check_currency(in_currency), as_of=day, known_at_ms=known_at_ms
        )
        if as_json:
            print_json(asdict(converted))
            return
        show_table(_build_ageing_table([converted.ageing]))
        for rate in converted.rates:
            typer.echo(f"by {_say_rate(rate)}")
        return
    if as_json:
        print_json([asdict(one) for one in ageings])
        return
    show_table(_build_ageing_table(ageings))


@ledger_app.command("rate")
def add_rate(
    context: typer.Context,
    base: Annotated[str, typer.Argument(help="One unit of this currency …")],
    quote: Annotated[str, typer.Argument(help="… costs so many of this one.")],
    rate: Annotated[str, typer.Argument(help="The rate, as 7.1234.")],
    *,
    source: Annotated[str, typer.Option(help="Who has fixed it.")],
    by: Annotated[str, typer.Option("--by", envvar="CHENGXIN_USER", help="Who enters it.")],
    on: AsOfOption = None,
) -> None:
    """Enter an exchange rate of a day; of two of one day the last one counts."""
    node: HasLedger = context.obj
    entered = node.portfolio.add_rate(
        base=base, quote=quote, rate=rate, on=choose_date(node, on), source=source, by=by
    )
    typer.echo(_say_rate(entered))


@ledger_app.command("turnover")
def show_turnover(
    context: typer.Context,
    *,
    currency: CurrencyOption,
    customer: Annotated[
        str | None, typer.Option(help="Of one customer; of all of them without it.")
    ] = None,
    months: Annotated[int, typer.Option(min=1, max=60, help="Of the period.")] = TURNOVER_MONTHS,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show DSO and its kin and the collection index (docs/formulas.md)."""
    node: HasLedger = context.obj
    known_at_ms, customer_id = read_moment(known_at), None
    if customer is not None:
        customer_id = get_customer_id(node, customer, known_at_ms=known_at_ms)
    turnover = node.records.turnover(
        as_of=choose_date(node, as_of),
        currency=check_currency(currency),
        months=months,
        customer_id=customer_id,
        known_at_ms=known_at_ms,
    )
    if as_json:
        print_json(asdict(turnover))
        return
    show_table(_build_turnover_table(turnover))


@ledger_app.command("find")
def find_document(
    context: typer.Context,
    customer: CustomerArgument,
    document_no: Annotated[str, typer.Argument(help="Document number.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """List the items of a customer's document, open or not, with their keys."""
    node: HasLedger = context.obj
    lines = node.ledger.list_named(get_customer_id(node, customer), document_no)
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    show_table(build_line_table(lines, as_of=node.business_date()))


@ledger_app.command("show")
def show_item(
    context: typer.Context,
    item: Annotated[int, typer.Argument(help="Key of the item, as ledger open and find list it.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell all that is known of one item: versions, what was applied, disputes, and by whom."""
    node: HasLedger = context.obj
    story = node.ledger.tell_item(item)
    if as_json:
        print_json(asdict(story))
        return
    _print_story(story)


def get_customer_id(node: HasLedger, text: str, *, known_at_ms: int | None = None) -> int:
    """Return the customer a person named, as far as was known at a moment.

    Raises:
        CustomerNotFoundError: There is none of this number or subject id.
    """
    return node.records.get_named_customer(text, known_at_ms=known_at_ms).customer_id


def choose_date(node: HasLedger, given: datetime | None) -> date:
    """Return the date that was given, or the node's business date."""
    return node.business_date() if given is None else given.date()


def read_moment(given: datetime | None) -> int | None:
    """Return a moment in UTC as milliseconds, None where none was given."""
    return None if given is None else int(given.replace(tzinfo=UTC).timestamp() * 1000)


def check_currency(text: str) -> str:
    """Return a currency's code.

    Raises:
        BadParameter: It is none.
    """
    if not CURRENCY_FORM.fullmatch(text):
        raise typer.BadParameter("a currency is a code of three capitals, as CNY")
    return text


def print_json(value: object) -> None:
    """Print dataclasses' values as JSON; dates as ISO 8601."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def build_line_table(lines: Sequence[OpenLine], *, as_of: date) -> Table:
    """Return lines of the ledger as a table that a terminal of 80 columns holds."""
    has_disputes = any(line.disputed_minor for line in lines)
    table = Table("Key", "Kind", "Document", "Date", "Due", box=None, padding=(0, 1, 0, 0))
    for name in ("Late", "Amount", "Open", *(["Disputed"] if has_disputes else [])):
        table.add_column(name, justify="right")
    table.add_column("")
    for line in lines:
        sign = "" if line.kind.is_debit else "-"
        money = [sign + _say(line.amount_minor, line.currency)]
        money.append(sign + _say(line.open_minor, line.currency))
        if has_disputes:
            money.append(_say(line.disputed_minor, line.currency))
        table.add_row(
            str(line.item_id),
            line.kind.value,
            line.document_no if line.line == 1 else f"{line.document_no} ({line.line})",
            line.happened_on.isoformat(),
            _say_day(line.due_on),
            "" if line.due_on is None else str(max((as_of - line.due_on).days, 0)),
            *money,
            line.currency,
        )
    return table


def _build_ageing_table(ageings: Sequence[Ageing]) -> Table:
    table = Table("Days overdue")
    for ageing in ageings:
        table.add_column(ageing.currency, justify="right")
    for bucket in Bucket:
        table.add_row(bucket.value, *(_say(one.buckets[bucket], one.currency) for one in ageings))
    table.add_section()
    table.add_row("unapplied", *(_say(-one.unapplied_minor, one.currency) for one in ageings))
    table.add_row("balance", *(_say(one.balance_minor, one.currency) for one in ageings))
    table.add_row("of it disputed", *(_say(one.disputed_minor, one.currency) for one in ageings))
    return table


def _build_turnover_table(turnover: Turnover) -> Table:
    table = Table("", title=f"{turnover.currency}, {turnover.first} to {turnover.as_of}")
    table.add_column("", justify="right")
    countback_milli = None if turnover.countback is None else turnover.countback.days_milli
    for name, text in (
        ("receivable", _say(turnover.receivable_minor, turnover.currency)),
        ("of it not due", _say(turnover.not_due_minor, turnover.currency)),
        ("credit sales", _say(turnover.credit_sales_minor, turnover.currency)),
        ("DSO, days", _say_part(turnover.dso_milli, decimals=3)),
        ("best possible DSO, days", _say_part(turnover.best_possible_dso_milli, decimals=3)),
        ("average days delinquent", _say_part(turnover.average_days_delinquent_milli, decimals=3)),
        ("DSO by countback, days", _say_part(countback_milli, decimals=3)),
        ("true DSO, days", _say_part(turnover.true_dso_milli, decimals=3)),
        ("collection index, %", _say_part(turnover.collection_index_centipercent, decimals=2)),
    ):
        table.add_row(name, text)
    return table


def _print_story(story: ItemStory) -> None:
    item = story.item
    left = "counts no longer"
    if story.open_minor is not None:
        left = f"open {_say(story.open_minor, item.currency)}"
    amount = _say(abs(item.amount_minor), item.currency)
    name = f"{item.kind} {item.document_no}, line {item.line}, of {item.source}"
    typer.echo(f"{name}: {amount} {item.currency}, {left}")
    show_table(_build_version_table(story))
    if story.applied:
        show_table(_build_applied_table(story))
    for dispute in story.disputes:
        end = dispute.end
        said = "open" if end is None else f"{end.outcome} on {end.closed_on}: {end.reason}"
        amount = _say(dispute.amount_minor, item.currency)
        typer.echo(f"dispute {dispute.dispute_id}: {amount} since {dispute.opened_on}, {said}")


def _build_version_table(story: ItemStory) -> Table:
    table = Table("Key", "Version", "Date", "Due", "Amount", "Entered by", "At", "Corrected")
    for one in story.versions:
        corrected = ""
        if one.corrected_at_ms is not None:
            moment = say_moment(one.corrected_at_ms)
            corrected = f"{moment} {one.corrected_by}: {one.correction_reason}"
        table.add_row(
            str(one.item_id),
            str(one.version),
            one.happened_on.isoformat(),
            _say_day(one.due_on),
            _say(one.amount_minor, story.item.currency),
            one.entered_by or IMPORTED,
            say_moment(one.entered_at_ms),
            corrected,
        )
    return table


def _build_applied_table(story: ItemStory) -> Table:
    table = Table("On", "Amount", "With", "Document", "How", "Entered by", "At")
    for row in story.applied:
        table.add_row(
            row.allocated_on.isoformat(),
            _say(row.amount_minor, story.item.currency),
            f"{row.other_id} {row.other_kind}",
            row.other_document_no,
            row.method.value,
            row.entered_by or IMPORTED,
            say_moment(row.entered_at_ms),
        )
    return table


def _say_rate(rate: ExchangeRate) -> str:
    value = Decimal(rate.rate_nano).scaleb(-9).normalize()
    return f"1 {rate.base} = {value:f} {rate.quote} of {rate.on}, {rate.source}"


def _say(amount_minor: int, currency: str) -> str:
    return format_amount(amount_minor, currency=currency)


def _say_part(value: int | None, *, decimals: int) -> str:
    """Write a figure that is kept in parts of ten; what cannot be worked out is said, never 0."""
    return NOT_COMPUTABLE if value is None else str(Decimal(value).scaleb(-decimals))


def _say_day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def say_moment(at_ms: int) -> str:
    """Write a moment in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
