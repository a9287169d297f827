"""``chengxin risk``: exposures, limits, order checks and what is held.

On the node's own machine commands act as the operator, who approves and releases nothing: whoever
does names the file of a token of his own.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from node.assessment.commands import JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.money import format_amount, parse_amount
from node.core.people.accounts.approvals import Approvals
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService, Principal
from node.core.terminal import HYPHEN_SETTINGS, show_json
from node.decision.api import act_as
from node.decision.commands import TOKEN_CHARACTERS_MAX
from node.records.service import RecordsService
from node.risk.api import RiskFaces
from node.risk.checks.answer import build_exposure_object
from node.risk.checks.releasing import ReleaseWish
from node.risk.checks.request import CheckRequest
from node.risk.checks.rules_check import CheckPoint
from node.risk.checks.view import show_answer
from node.risk.checks.wording import find_words
from node.risk.limits.rules_limits import LimitKind
from node.risk.limits.service import NewLimit
from node.risk.losses.commands import provision_app
from node.risk.losses.commands_dunning import dunning_app
from node.risk.losses.commands_portfolio import add_commands
from node.risk.monitoring.commands import risk_app
from node.risk.monitoring.commands_lists import action_app, alert_app, signal_app, watch_app
from node.risk.orders.rules_order import OrderEvent
from node.risk.orders.service import Taking
from node.risk.view import (
    build_entry_object,
    build_held_object,
    build_limits_object,
    build_order_object,
    build_stop_object,
)

DAY_FORMAT = "%Y-%m-%d"
_STAGES = ("ordered", "delivered", "invoiced", "bill", "total")
_APART = ("insured", "guaranteed", "uncovered", "disputed", "unapplied", "held")

limits_app = typer.Typer(no_args_is_help=True, help="Limits and stops. 信用额度。")
orders_app = typer.Typer(no_args_is_help=True, help="Order checks and holds. 订单检查。")
risk_app.add_typer(alert_app, name="alert")
risk_app.add_typer(watch_app, name="watch")
risk_app.add_typer(action_app, name="action")
risk_app.add_typer(signal_app, name="signal")
risk_app.add_typer(provision_app, name="provision")
risk_app.add_typer(dunning_app, name="dunning")
add_commands(risk_app)
risk_app.add_typer(limits_app, name="limits")
risk_app.add_typer(orders_app, name="orders")

CustomerArgument = Annotated[str, typer.Argument(help="Number or subject id (scheme:value).")]
OrderArgument = Annotated[int, typer.Argument(min=1, help="Number of the node's.")]
EntryArgument = Annotated[int, typer.Argument(min=1, help="Number (limits show).")]
ByOption = Annotated[str, typer.Option("--by", help="Who enters it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays beside it.")]
CurrencyOption = Annotated[str, typer.Option("--currency", help="Of the amounts.")]
TokenOption = Annotated[
    Path,
    typer.Option(
        "--token-file", exists=True, dir_okay=False, help="A file with one's own token, alone."
    ),
]
DayOption = Annotated[datetime | None, typer.Option(formats=[DAY_FORMAT], help="Of which day.")]


class RiskNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def approvals(self) -> Approvals:
        """Who may approve by how they are here."""
        ...

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        ...

    @property
    def records(self) -> RecordsService:
        """The customers."""
        ...

    @property
    def risk(self) -> RiskFaces:
        """The room's use cases."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@risk_app.command("exposure")
def exposure(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: DayOption = None,
    currency: Annotated[str | None, typer.Option(help="In which it is added up.")] = None,
    group: Annotated[bool, typer.Option("--group", help="Of the whole group.")] = False,
    without_disputed: Annotated[
        bool, typer.Option("--without-disputed", help="Leave out what is in dispute.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a customer owes or will owe on a day: orders, deliveries, invoices, bills."""
    node: RiskNode = ctx.obj
    found = build_exposure_object(
        node.risk.exposures.read(
            node.records.get_named_customer(customer).customer_id,
            as_of=node.business_date() if as_of is None else as_of.date(),
            currency=currency,
            is_group=group,
            counts_disputed=False if without_disputed else None,
        )
    )
    if as_json:
        show_json(found)
        return
    for name in (*_STAGES, *_APART):
        amount = format_amount(found[f"{name}_minor"], currency=found["currency"])
        typer.echo(f"{name:<12}{amount:>20} {found['currency']}")
    for one in found["not_computable"]:
        amount = format_amount(one["amount_minor"], currency=one["currency"])
        typer.echo(f"no rate     {amount:>20} {one['currency']}")


@limits_app.command("show")
def show_limits(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: DayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what bounds a customer on a day, and every limit that it had."""
    node: RiskNode = ctx.obj
    key = node.records.get_named_customer(customer).customer_id
    day = None if as_of is None else as_of.date()
    found = build_limits_object(node.risk.limits.view(key, as_of=day))
    if as_json:
        show_json(found)
        return
    limit = found["limit"]
    typer.echo("not assessed" if limit is None else f"{limit['kind']}: {_amount(limit)}")
    if found["is_stopped"]:
        typer.echo("stopped")
    for one in found["decided"]:
        minor = one["limit_minor"]
        text = "not assessed" if minor is None else _amount(one)
        span = f"{one['first_on']}..{one['ended_on'] or one['valid_until'] or ''}"
        typer.echo(f"decision {one['decision']}  {span}  {text}  {one['decided_by']}")
    for one in [*found["entries"], *found["caps"]]:
        text = format_amount(one["amount_minor"], currency=one["currency"])
        span = f"{one['first_on']}..{one['last_on'] or ''}"
        typer.echo(
            f"{one['id']}  {one['kind']}  {span}  {text} {one['currency']}  {one['state']}"
            f"  {one['reason']}"
        )


@limits_app.command("request")
def request_limit(
    ctx: typer.Context,
    customer: CustomerArgument,
    amount: Annotated[str, typer.Argument(help="The limit.")],
    *,
    currency: CurrencyOption,
    first: Annotated[datetime, typer.Option("--from", formats=[DAY_FORMAT])],
    last: Annotated[datetime | None, typer.Option("--to", formats=[DAY_FORMAT])] = None,
    cap: Annotated[bool, typer.Option("--group-cap", help="The cap of its group.")] = False,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Ask for a temporary limit, or the cap of a group; somebody else approves it."""
    node: RiskNode = ctx.obj
    new = NewLimit(
        kind=LimitKind.GROUP_CAP if cap else LimitKind.TEMPORARY,
        customer_id=node.records.get_named_customer(customer).customer_id,
        currency=currency,
        amount_minor=parse_amount(amount, currency=currency),
        first_on=first.date(),
        last_on=None if last is None else last.date(),
        reason=reason,
    )
    entered = node.risk.limits.request(new, by=by)
    show_json(build_entry_object(entered, on=node.business_date()))


@limits_app.command("approve")
def approve_limit(ctx: typer.Context, entry: EntryArgument, *, token_file: TokenOption) -> None:
    """Approve a limit that somebody else has asked for."""
    node: RiskNode = ctx.obj
    node.approvals.check_token()
    actor = _read_actor(node, token_file)
    approved = node.risk.limits.approve(entry, actor=actor)
    show_json(build_entry_object(approved, on=node.business_date()))


@limits_app.command("end")
def end_limit(
    ctx: typer.Context, entry: EntryArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Approve that a limit ends before its time; it says for how many persons that waits."""
    node: RiskNode = ctx.obj
    node.approvals.check_token()
    actor = _read_actor(node, token_file)
    ended, waits_for = node.risk.limits.end(entry, reason=reason, actor=actor)
    _show_ending(build_entry_object(ended, on=node.business_date()), waits_for)


@limits_app.command("withdraw")
def withdraw_limit(
    ctx: typer.Context, entry: EntryArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Withdraw a request that nobody has approved yet."""
    node: RiskNode = ctx.obj
    actor = act_as(OPERATOR_PRINCIPAL, by)
    ended, waits_for = node.risk.limits.end(entry, reason=reason, actor=actor)
    _show_ending(build_entry_object(ended, on=node.business_date()), waits_for)


@limits_app.command("stop")
def stop(
    ctx: typer.Context, customer: CustomerArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Stop a customer: nothing is sold to it until a person ends that."""
    node: RiskNode = ctx.obj
    key = node.records.get_named_customer(customer).customer_id
    show_json(build_stop_object(node.risk.limits.stop(key, reason=reason, by=by)))


@limits_app.command("end-stop")
def end_stop(
    ctx: typer.Context,
    stop_id: Annotated[int, typer.Argument(metavar="STOP", min=1, help="Its number.")],
    *,
    reason: ReasonOption,
    token_file: TokenOption,
) -> None:
    """Approve that a stop ends; it says for how many persons that waits."""
    node: RiskNode = ctx.obj
    node.approvals.check_token()
    actor = _read_actor(node, token_file)
    stop, waits_for = node.risk.limits.end_stop(stop_id, reason=reason, actor=actor)
    _show_ending(build_stop_object(stop), waits_for)


@orders_app.command("check")
def check(
    ctx: typer.Context,
    customer: CustomerArgument,
    number: Annotated[str, typer.Argument(help="The order's number.")],
    amount: Annotated[str, typer.Argument(help="All of it, or what is delivered now.")],
    *,
    currency: CurrencyOption,
    by: ByOption,
    key: Annotated[str, typer.Option("--key", help="The same key is the same check.")],
    point: Annotated[CheckPoint, typer.Option(help="Where it stands.")] = CheckPoint.ORDER,
    prepaid: Annotated[str, typer.Option(help="Of it paid in advance.")] = "0",
    deliver: Annotated[datetime | None, typer.Option("--deliver-on", formats=[DAY_FORMAT])] = None,
    delivery: Annotated[
        str | None,
        typer.Option(help="Number of the delivery, which counts once; 0 of it: not gone."),
    ] = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Check a quote, an order, a delivery or an invoice; an order that may go on is reserved."""
    node: RiskNode = ctx.obj
    request = CheckRequest(
        point=point,
        customer_id=node.records.get_named_customer(customer).customer_id,
        number=number,
        currency=currency,
        amount_minor=parse_amount(amount, currency=currency),
        prepaid_minor=parse_amount(prepaid, currency=currency),
        deliver_on=None if deliver is None else deliver.date(),
        delivery=delivery,
    )
    answer = show_answer(node.risk.checks.check(request, key=key, by=by), has_figures=True)
    if as_json:
        show_json(answer)
        return
    _echo_answer(answer, language=language)


@orders_app.command("held")
def held(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[int, typer.Option(min=0, help="The last order before.")] = 0,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List the orders that wait for a release."""
    node: RiskNode = ctx.obj
    found = node.risk.releases.list_held(limit=limit, after=after)
    shown = [build_held_object(one, has_figures=True) for one in found]
    if as_json:
        show_json(shown)
        return
    for one in shown:
        amount = format_amount(one["amount_minor"], currency=one["currency"])
        typer.echo(f"{one['id']}  {one['number']}  {amount} {one['currency']}  {one['state']}")
        for reason in (one["check"] or {}).get("reasons", ()):
            typer.echo(f"  {reason['rule']}: {reason['text'][language.value]}")


@orders_app.command("show")
def show_order(ctx: typer.Context, order: OrderArgument) -> None:
    """Show an order with everything that happened to it."""
    node: RiskNode = ctx.obj
    show_json([build_order_object(one) for one in node.risk.orders.get(order)])


@orders_app.command("ask")
def ask(ctx: typer.Context, order: OrderArgument, *, reason: ReasonOption, by: ByOption) -> None:
    """Ask for the release of an order."""
    node: RiskNode = ctx.obj
    asked = node.risk.releases.ask(order, reason=reason, by=by)
    show_json(build_held_object(asked, has_figures=True))


@orders_app.command("release")
def release(
    ctx: typer.Context,
    order: OrderArgument,
    *,
    code: Annotated[str, typer.Option("--reason-code", help="One of the rules' reasons.")],
    reason: ReasonOption,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")] = 14,
    token_file: TokenOption,
) -> None:
    """Release an order, with the authority for what the customer would owe."""
    node: RiskNode = ctx.obj
    node.approvals.check_token()
    wish = ReleaseWish(reason_code=code, reason=reason, days=days)
    actor = _read_actor(node, token_file)
    released = node.risk.releases.release(order, wish=wish, actor=actor)
    show_json(build_held_object(released, has_figures=True))


@orders_app.command("end")
def end_order(
    ctx: typer.Context,
    order: OrderArgument,
    *,
    reason: ReasonOption,
    by: ByOption,
    cancel: Annotated[bool, typer.Option("--cancel", help="Nothing of it is wanted.")] = False,
) -> None:
    """Close an order, of which nothing more is delivered, or cancel it."""
    node: RiskNode = ctx.obj
    event = OrderEvent.CANCELLED if cancel else OrderEvent.CLOSED
    show_json(build_order_object(node.risk.orders.end(order, event, reason=reason, by=by)))


@orders_app.command("take")
def take(
    ctx: typer.Context,
    order: OrderArgument,
    amount: Annotated[str, typer.Argument(help="How much of the order it is for.")],
    *,
    delivery: Annotated[int | None, typer.Option(min=1, help="Number of the delivery.")] = None,
    item: Annotated[
        int | None, typer.Option(min=1, help="Number of a line of the invoice.")
    ] = None,
    by: ByOption,
) -> None:
    """Say that a delivery, or an invoice, is of an order: it takes it off."""
    node: RiskNode = ctx.obj
    standing = node.risk.orders.get(order)[-1]
    minor = parse_amount(amount, currency=standing.content.currency)
    taking = Taking(amount_minor=minor, paper_id=delivery, item_id=item)
    show_json(build_order_object(node.risk.orders.take(order, taking, by=by)))


@orders_app.command("cancel-delivery", context_settings=HYPHEN_SETTINGS)
def cancel_delivery(
    ctx: typer.Context,
    order: OrderArgument,
    delivery: Annotated[str, typer.Argument(help="Its number, else the key of its check.")],
    *,
    reason: ReasonOption,
    token_file: TokenOption,
) -> None:
    """Say that a delivery which was let through did not go: it counts no more."""
    node: RiskNode = ctx.obj
    actor = _read_actor(node, token_file)
    found = node.risk.orders.cancel_delivery(order, delivery, reason=reason, actor=actor)
    show_json(build_order_object(found))


def _show_ending(shown: dict[str, Any], waits_for: int) -> None:
    if waits_for:
        typer.echo(f"it holds still: the end waits for {waits_for} more", err=True)
    show_json(shown | {"waits_for": waits_for})


def _amount(one: dict[str, Any]) -> str:
    return f"{format_amount(one['limit_minor'], currency=one['currency'])} {one['currency']}"


def _echo_answer(answer: dict[str, Any], *, language: Language) -> None:
    state = answer["state"]
    shown = "" if state is None else f"  {find_words(f'state.{state}', language=language)}"
    typer.echo(f"{answer['status_text'][language.value]}{shown}")
    for one in answer["reasons"]:
        typer.echo(f"  {one['rule']}: {one['text'][language.value]}")


def _read_actor(node: RiskNode, token_file: Path) -> Principal:
    """Return who holds the token of a file, whose role enters credit; the look is recorded.

    Raises:
        NotAuthenticatedError: It holds none that is in force.
        OutOfReachError: The role enters no credit.
    """
    text = token_file.read_text(encoding="utf-8", errors="replace")[:TOKEN_CHARACTERS_MAX]
    actor = node.people.get_principal(text.strip())
    check_access(node.people, actor, Access(area=Area.CREDIT, target="risk", is_entry=True))
    return actor
