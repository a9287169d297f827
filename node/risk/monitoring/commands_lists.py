"""``chengxin risk alert | watch | action | signal``: the lists, and what persons enter."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from node.assessment.commands import CustomerArgument, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.money import parse_amount
from node.core.terminal import show_json
from node.risk.alerts.rules_alert import AlertOutcome, AlertState
from node.risk.alerts.service import AlertSelection
from node.risk.monitoring.commands import (
    AfterOption,
    ByOption,
    LimitOption,
    ReasonOption,
    RiskNode,
    get_customer_key,
    print_objects,
    record_look,
)
from node.risk.monitoring.view import (
    build_action_object,
    build_alert_object,
    build_entry_object,
    build_watch_object,
)
from node.risk.plans.rules_plan import ActionState, Money
from node.risk.plans.service import ActionSelection
from node.risk.plans.store import NewAction
from node.risk.policies.policy import PlanKind
from node.risk.signals.service import NewSignal

DAY_FORMAT = "%Y-%m-%d"

alert_app = typer.Typer(no_args_is_help=True, help="Alerts. 风险提示。")
watch_app = typer.Typer(no_args_is_help=True, help="The watch list. 关注名单。")
action_app = typer.Typer(no_args_is_help=True, help="Actions with owner and day. 应对措施。")
signal_app = typer.Typer(no_args_is_help=True, help="Signals that a person notices. 预警信号。")

NumberArgument = Annotated[int, typer.Argument(min=1, help="Its number (list).")]
DayOption = Annotated[
    datetime | None, typer.Option("--due", formats=[DAY_FORMAT], help="By when; else the last day.")
]


@alert_app.command("list")
def list_alerts(
    ctx: typer.Context,
    *,
    state: Annotated[
        list[AlertState] | None, typer.Option(help="Only in this state; may be repeated.")
    ] = None,
    after: AfterOption = 0,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List alerts, open ones unless told otherwise, each with source and evidence."""
    node: RiskNode = ctx.obj
    record_look(node, "risk alerts")
    selection = AlertSelection(
        states=frozenset(state or [AlertState.OPEN]), limit=limit, after=after
    )
    policy = node.monitoring.signals.get_policy()
    found = [
        build_alert_object(one, language=language, policy=policy)
        for one in node.monitoring.alerts.list_alerts(selection, shows_peers=True)
    ]
    if as_json:
        show_json(found)
    else:
        columns = ("id", "customer", "name", "status_text", "opened_on", "source_text", "text")
        print_objects(found, columns)


@alert_app.command("close")
def close_alert(
    ctx: typer.Context,
    alert: NumberArgument,
    *,
    outcome: Annotated[AlertOutcome, typer.Option(help="What came of it.")],
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Close an alert that somebody has looked at; it opens again where its cause gets worse."""
    node: RiskNode = ctx.obj
    node.monitoring.alerts.close(alert, outcome=outcome, reason=reason, by=by, shows_peers=True)
    typer.echo(f"alert {alert} closed")


@watch_app.command("list")
def list_watched(
    ctx: typer.Context,
    *,
    due: Annotated[bool, typer.Option("--due", help="Only whose review is due.")] = False,
    after: AfterOption = 0,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """List who is watched, with the day of the next review."""
    node: RiskNode = ctx.obj
    record_look(node, "risk watch")
    found = [
        build_watch_object(one, shows_peers=True)
        for one in node.monitoring.watch.list_watched(after=after, limit=limit, is_due=due)
    ]
    if as_json:
        show_json(found)
    else:
        print_objects(found, ("id", "customer", "cause", "entered_on", "review_on"))


@watch_app.command("enter")
def enter_watch(
    ctx: typer.Context, customer: CustomerArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Put a customer on the watch list."""
    node: RiskNode = ctx.obj
    key = get_customer_key(node, customer)
    typer.echo(f"watch {node.monitoring.watch.enter(key, reason=reason, by=by)}")


@watch_app.command("review")
def review_watch(
    ctx: typer.Context, watch: NumberArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Enter that somebody has looked, and what he found."""
    node: RiskNode = ctx.obj
    next_on = node.monitoring.watch.review(watch, reason=reason, by=by)
    typer.echo(f"next review {next_on.isoformat()}")


@watch_app.command("leave")
def leave_watch(
    ctx: typer.Context, watch: NumberArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Take a customer off the list, once an action of this time is closed."""
    node: RiskNode = ctx.obj
    node.monitoring.watch.leave(watch, reason=reason, by=by)
    typer.echo(f"watch {watch} ended")


@action_app.command("list")
def list_actions(
    ctx: typer.Context,
    *,
    state: Annotated[
        list[ActionState] | None, typer.Option(help="Only in this state; may be repeated.")
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their day.")] = False,
    owner: Annotated[str | None, typer.Option(help="Of one owner.")] = None,
    after: AfterOption = 0,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List actions, open ones unless told otherwise."""
    node: RiskNode = ctx.obj
    record_look(node, "risk actions")
    selection = ActionSelection(
        states=frozenset(state or [ActionState.OPEN]),
        is_overdue=overdue,
        owner=owner,
        limit=limit,
        after=after,
    )
    policy = node.monitoring.signals.get_policy()
    found = [
        build_action_object(one, language=language, policy=policy)
        for one in node.monitoring.actions.list_actions(selection)
    ]
    if as_json:
        show_json(found)
    else:
        columns = ("id", "customer", "name", "owner", "due_on", "state_text", "escalated_to")
        print_objects(found, columns)


@action_app.command("enter")
def enter_action(
    ctx: typer.Context,
    customer: CustomerArgument,
    kind: Annotated[PlanKind, typer.Argument(help="What is to be done.")],
    *,
    owner: Annotated[str, typer.Option(help="Who does it.")],
    note: Annotated[str, typer.Option(help="What exactly.")],
    by: ByOption,
    due: DayOption = None,
    alert: Annotated[int | None, typer.Option(min=1, help="For which alert.")] = None,
    promise: Annotated[
        list[int] | None,
        typer.Option(help="Instalment of a payment plan: a promise; may be repeated."),
    ] = None,
) -> None:
    """Enter an action about a customer."""
    node: RiskNode = ctx.obj
    actions = node.monitoring.actions
    new = NewAction(
        customer_id=get_customer_key(node, customer),
        kind=kind,
        owner=owner,
        due_on=actions.today(),
        note=note,
        alert_id=alert,
        promises=tuple(promise or ()),
    )
    key = actions.enter(new, by=by, due_on=None if due is None else due.date())
    typer.echo(f"action {key}")


@action_app.command("hand-over")
def hand_over(
    ctx: typer.Context,
    action: NumberArgument,
    *,
    owner: Annotated[str, typer.Option(help="Who does it from now on.")],
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Give an action another owner."""
    node: RiskNode = ctx.obj
    node.monitoring.actions.hand_over(action, owner=owner, reason=reason, by=by)
    typer.echo(f"action {action} is {owner}'s")


@action_app.command("close")
def close_action(
    ctx: typer.Context,
    action: NumberArgument,
    *,
    state: Annotated[ActionState, typer.Option(help="done, failed or cancelled.")],
    outcome: Annotated[str, typer.Option(help="What came of it.")],
    by: ByOption,
    currency: Annotated[str | None, typer.Option(help="Of the amounts.")] = None,
    saved: Annotated[str, typer.Option(help="What it has saved.")] = "0",
    lost: Annotated[str, typer.Option(help="What was lost.")] = "0",
) -> None:
    """Close an action with what came of it."""
    node: RiskNode = ctx.obj
    if currency is None and (saved, lost) != ("0", "0"):
        raise typer.BadParameter("name the currency of the amounts")
    money = None
    if currency is not None:
        money = Money(
            currency=currency,
            saved_minor=parse_amount(saved, currency=currency),
            lost_minor=parse_amount(lost, currency=currency),
        )
    node.monitoring.actions.close(action, state, outcome=outcome, by=by, money=money)
    typer.echo(f"action {action} {state.value}")


@signal_app.command("enter")
def enter_signal(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    signal: Annotated[str, typer.Option(help="Its name in the policy: no-answer, new-bank, …")],
    on: Annotated[datetime, typer.Option(formats=[DAY_FORMAT], help="When it happened.")],
    note: Annotated[str, typer.Option(help="What was noticed, where from.")],
    by: ByOption,
) -> None:
    """Enter a signal that no record shows."""
    node: RiskNode = ctx.obj
    new = NewSignal(
        customer_id=get_customer_key(node, customer),
        signal=signal,
        happened_on=on.date(),
        note=note,
    )
    typer.echo(f"signal {node.monitoring.signals.enter(new, by=by)}")


@signal_app.command("end")
def end_signal(
    ctx: typer.Context, signal: NumberArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Take a signal back: it counts no longer."""
    node: RiskNode = ctx.obj
    node.monitoring.signals.end(signal, reason=reason, by=by)
    typer.echo(f"signal {signal} taken back")


@signal_app.command("list")
def list_signals(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List what persons have entered of a customer, what was taken back too."""
    node: RiskNode = ctx.obj
    key = get_customer_key(node, customer)
    record_look(node, f"customer {key}")
    policy = node.monitoring.signals.get_policy()
    found = [
        build_entry_object(one, language=language, policy=policy)
        for one in node.monitoring.signals.list_of(key)
    ]
    if as_json:
        show_json(found)
    else:
        print_objects(found, ("id", "name", "happened_on", "note", "by", "ended_by"))
