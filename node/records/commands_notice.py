"""``chengxin records notice``: what the subject is told before others are, and what it objects."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.core.config import Settings
from node.core.files import hash_file
from node.core.people.accounts.approvals import Approvals
from node.core.terminal import show_table
from node.records.adverse import FactInvalidError, FactStanding, NewNotice, NoticeService
from node.records.commands_entering import DAY_FORMAT, ByOption, OnOption, ReasonOption
from node.records.commands_ledger import (
    AsOfOption,
    CustomerArgument,
    JsonOption,
    KnownAtOption,
    print_json,
    read_moment,
)
from node.records.commands_life import HasLifecycle, life_app
from node.records.rules_adverse import FactKey, FactSource, NoticeChannel, ObjectionResult

__all__ = ["life_app"]  # the whole command, with what is added to it here

notice_app = typer.Typer(
    no_args_is_help=True,
    help="Notice before an adverse fact is first shared, and objections. 事前告知、异议。",
)
life_app.add_typer(notice_app, name="notice")


class HasNotices(HasLifecycle, Protocol):
    """What a command needs of the node that the command line puts into the context."""

    @property
    def approvals(self) -> Approvals:
        """Whether tokens approve."""
        ...

    @property
    def notices(self) -> NoticeService:
        """Notices to subjects, and objections."""
        ...

    @property
    def settings(self) -> Settings:
        """The node's settings."""
        ...


def _read_fact(text: str) -> FactKey:
    key = FactKey.parse(text)
    if key is None:
        raise typer.BadParameter("a fact is default-3 or event-5, as notice list names it")
    return key


FactArgument = Annotated[
    FactKey,
    typer.Argument(
        parser=_read_fact, metavar="FACT", help="default-3 or event-5, as notice list names it."
    ),
]
SentOption = Annotated[
    datetime | None,
    typer.Option("--sent", formats=[DAY_FORMAT], help="Day it was sent; default: business date."),
]


@notice_app.command("due")
def show_due(
    context: typer.Context, *, as_of: AsOfOption = None, as_json: JsonOption = False
) -> None:
    """List the adverse facts of which the subject was not told yet, and since when they are some.

    Until it is told and the days have passed, others are not.
    """
    node = _get(context)
    day = _choose(node, as_of)
    found = list(node.notices.iterate_due(as_of=day))
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = Table("Fact", "Customer", "Subject", "Name", "Kind", "Happened", "Since", box=None)
    for one in found:
        table.add_row(
            one.key, str(one.customer_id), one.subject_id, one.name, one.kind,
            str(one.happened_on), str(one.since),
        )  # fmt: skip
    show_table(table)
    typer.echo(f"{len(found)} to be told ({node.notices.policy.notice_days} days before others)")


@notice_app.command("list")
def list_facts(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the adverse facts of a customer: told when, objected to, shareable or why not."""
    node = _get(context)
    known_at_ms = read_moment(known_at)
    found = node.notices.list_facts(
        node.records.get_named_customer(customer, known_at_ms=known_at_ms).customer_id,
        as_of=_choose(node, as_of),
        known_at_ms=known_at_ms,
    )
    if as_json:
        print_json([_to_object(one) for one in found])
        return
    table = Table("Fact", "Kind", "Happened", "Ended", "State", "From", box=None)
    for one in found:
        table.add_row(
            str(one.fact.key), one.fact.kind, str(one.fact.happened_on),
            str(one.fact.ended_on or ""), one.state.value, str(one.shareable_from or ""),
        )  # fmt: skip
    show_table(table)
    for one in found:
        _show_said(one)


@notice_app.command("letter")
def show_letter(
    context: typer.Context,
    fact: FactArgument,
    *,
    contact: Annotated[str, typer.Option(help="Where the subject objects: address, mail, phone.")],
    sent: SentOption = None,
) -> None:
    """Print the text of a notice, Chinese and English: what is shared, when, how to object."""
    node = _get(context)
    letter = node.notices.write_letter(
        fact,
        sender=node.settings.name or node.settings.member_id,
        contact=contact,
        sent_on=_choose(node, sent),
    )
    typer.echo(f"{letter.zh}\n{letter.en}", nl=False)


@notice_app.command("record")
def record_notice(
    context: typer.Context,
    fact: FactArgument,
    *,
    how: Annotated[NoticeChannel, typer.Option(help="How the subject was told.")],
    reference: Annotated[
        str | None, typer.Option(help="Number of the letter or of its posting.")
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The text sent; its SHA-256 is kept."),
    ] = None,
    sent: SentOption = None,
    by: ByOption,
) -> None:
    """Record that the subject was told of a fact: the days begin."""
    node = _get(context)
    notice = NewNotice(
        sent_on=_choose(node, sent),
        channel=how,
        reference=reference,
        document_sha256_hex=None if document is None else hash_file(document),
    )
    typer.echo(f"notice {node.notices.record_notice(fact, notice, by=by)}")


@notice_app.command("withdraw")
def withdraw_notice(
    context: typer.Context,
    notice: Annotated[int, typer.Argument(help="Key of the notice, as notice list shows it.")],
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Take back a notice that was recorded wrong: its fact is held back at once."""
    _get(context).notices.withdraw_notice(notice, reason=reason, by=by)


@notice_app.command("object")
def enter_objection(
    context: typer.Context,
    fact: FactArgument,
    *,
    objector: Annotated[str, typer.Option("--from", help="Who objects.")],
    on: OnOption = None,
    by: ByOption,
) -> None:
    """Enter an objection: the fact is held back at once; put right what was told by correct."""
    node = _get(context)
    key = node.notices.enter_objection(fact, objector=objector, on=_choose(node, on), by=by)
    typer.echo(
        f"objection {key}: held back; was it told before, tell its receivers by "
        "exchange correct SUBJECT --reason subject-objected"
    )


@notice_app.command("close")
def close_objection(
    context: typer.Context,
    objection: Annotated[int, typer.Argument(help="Key of the objection (notice list).")],
    *,
    result: Annotated[ObjectionResult, typer.Option(help="What came of it.")],
    reason: ReasonOption,
    on: OnOption = None,
    by: ByOption,
) -> None:
    """Enter what came of an objection; upheld, the fact counts for nothing any more."""
    node = _get(context)
    node.approvals.check_token()
    node.notices.close_objection(
        objection, result=result, reason=reason, on=_choose(node, on), by=by
    )


@notice_app.command("settle")
def settle_event(
    context: typer.Context, fact: FactArgument, *, on: OnOption = None, by: ByOption
) -> None:
    """Enter on which day an adverse event was settled (a default: ledger default end)."""
    node = _get(context)
    if fact.source is not FactSource.EVENT:
        raise FactInvalidError("a default is ended by ledger default end")
    node.notices.settle(fact.number, on=_choose(node, on), by=by)


def _show_said(one: FactStanding) -> None:
    for notice in one.fact.notices:
        proof = notice.reference or notice.document_sha256_hex
        taken_back = "" if notice.end_reason is None else f"; withdrawn: {notice.end_reason}"
        typer.echo(
            f"{one.fact.key}: notice {notice.notice_id}, {notice.channel} {proof} "
            f"of {notice.sent_on}, by {notice.entered_by}{taken_back}"
        )
    for objection in one.fact.objections:
        end = f"open, answer by {one.answer_by}"
        if objection.end is not None:
            end = f"{objection.end.result} on {objection.end.closed_on}: {objection.end.reason}"
        typer.echo(
            f"{one.fact.key}: objection {objection.objection_id} of {objection.objected_on} "
            f"from {objection.objector}; {end}"
        )


def _to_object(one: FactStanding) -> dict[str, object]:
    return asdict(one) | {"key": str(one.fact.key)}


def _get(context: typer.Context) -> HasNotices:
    node: HasNotices = context.obj
    return node


def _choose(node: HasNotices, moment: datetime | None) -> date:
    return node.lifecycle.today() if moment is None else moment.date()
