"""``chengxin ledger default`` and ``promise``: what is recorded beside the open items."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.core.files import hash_file
from node.core.money import format_amount, parse_amount
from node.core.people.accounts.approvals import Approvals
from node.core.terminal import show_table
from node.records.commands_entering import (
    DAY_FORMAT,
    AmountArgument,
    ByOption,
    OnOption,
    ReasonOption,
    ledger_app,
)
from node.records.commands_ledger import (
    AsOfOption,
    CustomerArgument,
    HasLedger,
    JsonOption,
    KnownAtOption,
    choose_date,
    get_customer_id,
    print_json,
    read_moment,
)
from node.records.rules_default import DecisionOutcome, EndOutcome, EvidenceClass
from node.records.undertakings import DefaultService, NewPromise, PromiseService

__all__ = ["ledger_app"]  # the whole command, with what is added to it here

default_app = typer.Typer(no_args_is_help=True, help="Defaults, by two persons. 违约。")
promise_app = typer.Typer(no_args_is_help=True, help="Promises to pay. 付款承诺。")
ledger_app.add_typer(default_app, name="default")
ledger_app.add_typer(promise_app, name="promise")

DefaultArgument = Annotated[int, typer.Argument(help="Key of the default (ledger default list).")]
DocumentOption = Annotated[
    Path,
    typer.Option(exists=True, dir_okay=False, help="The document held; its SHA-256 is kept."),
]


class HasUndertakings(HasLedger, Protocol):
    """What a command needs of the node that the command line puts into the context."""

    @property
    def approvals(self) -> Approvals:
        """Whether tokens approve."""
        ...

    @property
    def defaults(self) -> DefaultService:
        """Defaults by two persons."""
        ...

    @property
    def promises(self) -> PromiseService:
        """Promises to pay."""
        ...


@default_app.command("propose")
def propose_default(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    evidence: Annotated[EvidenceClass, typer.Option(help="What it rests on.")],
    document: DocumentOption,
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Propose that a customer is in default; it counts once another person confirms it."""
    node: HasUndertakings = context.obj
    key = node.defaults.propose(
        get_customer_id(node, customer),
        evidence_class=evidence,
        on=choose_date(node, on),
        document_sha256_hex=hash_file(document),
        by=by,
    )
    typer.echo(f"default {key}: proposed, to be confirmed by another person")


@default_app.command("confirm")
def confirm_default(
    context: typer.Context, default: DefaultArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Confirm a default that another person has proposed: it counts; shared it is once told."""
    node: HasUndertakings = context.obj
    node.approvals.check_token()
    node.defaults.decide(default, outcome=DecisionOutcome.CONFIRMED, reason=reason, by=by)


@default_app.command("reject")
def reject_default(
    context: typer.Context, default: DefaultArgument, *, reason: ReasonOption, by: ByOption
) -> None:
    """Reject a default that was proposed."""
    node: HasUndertakings = context.obj
    node.approvals.check_token()
    node.defaults.decide(default, outcome=DecisionOutcome.REJECTED, reason=reason, by=by)


@default_app.command("end")
def end_default(
    context: typer.Context,
    default: DefaultArgument,
    *,
    outcome: Annotated[EndOutcome, typer.Option(help="How it ended.")],
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Enter on which day a confirmed default ended."""
    node: HasUndertakings = context.obj
    node.defaults.end(default, outcome=outcome, on=choose_date(node, on), by=by)


@default_app.command("list")
def list_defaults(
    context: typer.Context, customer: CustomerArgument, *, as_json: JsonOption = False
) -> None:
    """List the defaults of a customer, proposed and rejected ones too, and by whom."""
    node: HasUndertakings = context.obj
    found = node.defaults.list_defaults(get_customer_id(node, customer))
    if as_json:
        print_json([asdict(one) | {"state": one.state.value} for one in found])
        return
    table = Table(
        "Key", "Since", "Evidence", "State", "Proposed by", "Decided by", "Ended", box=None
    )
    for one in found:
        decided = "" if one.decision is None else one.decision.entered_by
        ended = "" if one.end is None else f"{one.end.outcome} {one.end.ended_on}"
        table.add_row(
            str(one.default_id), one.happened_on.isoformat(), one.evidence_class.value,
            one.state.value, one.entered_by, decided, ended,
        )  # fmt: skip
    show_table(table)


@promise_app.command("enter")
def enter_promise(
    context: typer.Context,
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    due: Annotated[datetime, typer.Option(formats=[DAY_FORMAT], help="By when it is paid.")],
    item: Annotated[list[int], typer.Option(help="Key of what it is for; may be repeated.")],
    by: ByOption,
    on: OnOption = None,
) -> None:
    """Enter what a customer has promised to pay for some items by a day."""
    node: HasUndertakings = context.obj
    currency = node.ledger.tell_item(item[0]).item.currency
    key = node.promises.enter(
        NewPromise(
            customer_id=get_customer_id(node, customer),
            item_ids=tuple(item),
            amount_minor=parse_amount(amount, currency=currency),
            promised_on=choose_date(node, on),
            due_on=due.date(),
        ),
        by=by,
    )
    typer.echo(f"promise {key}")


@promise_app.command("withdraw")
def withdraw_promise(
    context: typer.Context,
    promise: Annotated[int, typer.Argument(help="Key of the promise (ledger promise list).")],
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Enter that a promise stands no longer: another one was agreed, or it was entered wrong."""
    node: HasUndertakings = context.obj
    node.promises.withdraw(promise, reason=reason, by=by)


@promise_app.command("list")
def list_promises(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what a customer has promised, and what came of it as the payments say."""
    node: HasUndertakings = context.obj
    known_at_ms = read_moment(known_at)
    report = node.promises.report(
        get_customer_id(node, customer, known_at_ms=known_at_ms),
        as_of=choose_date(node, as_of),
        known_at_ms=known_at_ms,
    )
    if as_json:
        print_json(asdict(report))
        return
    table = Table("Key", "Promised", "Due", "State", box=None)
    for name in ("Amount", "Kept"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in report.promises:
        promise = one.promise
        table.add_row(
            str(promise.promise_id), promise.promised_on.isoformat(), promise.due_on.isoformat(),
            one.state.value, format_amount(promise.amount_minor, currency=promise.currency),
            format_amount(one.kept_minor, currency=promise.currency), promise.currency,
        )  # fmt: skip
    show_table(table)
    typer.echo(f"broken in the last {report.days} days: {report.broken}")
