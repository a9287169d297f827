"""``chengxin governance case``: objections and complaints, from their receipt to their end."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.assessment.commands import JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.config import Settings
from node.core.files import hash_file
from node.core.people.accounts.approvals import Approvals
from node.core.people.service import PeopleService
from node.core.terminal import show_json, show_table
from node.governance.cases.entries import NewCase
from node.governance.cases.persons import read_person
from node.governance.cases.record import CaseChannel, CaseStory, Target, TargetKind
from node.governance.cases.rules_case import (
    OPEN,
    Appealed,
    CaseKind,
    CaseState,
    CaseStep,
    RootCause,
)
from node.governance.cases.service import CASES_PAGE_MAX, CaseService
from node.governance.cases.store import CaseFilter
from node.governance.cases.view import build_case_object, build_summary_object
from node.governance.cases.wording import say_case
from node.governance.training.commands import TokenOption
from node.records.commands_entering import DAY_FORMAT, ReasonOption
from node.records.service import RecordsService

case_app = typer.Typer(
    no_args_is_help=True, help="Objections and complaints, with their clock. 异议、投诉。"
)

CaseArgument = Annotated[int, typer.Argument(metavar="CASE", min=1, help="Number (case list).")]
OnOption = Annotated[
    datetime | None, typer.Option("--on", formats=[DAY_FORMAT], help="Day; else business date.")
]
FactOption = Annotated[str | None, typer.Option("--fact", help="Adverse fact: event-5, default-3.")]
SummaryOption = Annotated[
    str | None, typer.Option("--summary", help="What a peer told: HASH, of a batch HASH.ITEM.")
]
DisputeOption = Annotated[int | None, typer.Option("--dispute", help="Dispute of the ledger.")]
TextOption = Annotated[str, typer.Option("--text", help="Word for word.")]


class CaseNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        ...

    @property
    def approvals(self) -> Approvals:
        """Whether tokens approve."""
        ...

    @property
    def cases(self) -> CaseService:
        """Objections and complaints."""
        ...

    @property
    def records(self) -> RecordsService:
        """The customers."""
        ...

    @property
    def settings(self) -> Settings:
        """The node's settings."""
        ...


@case_app.command("receive")
def receive(
    ctx: typer.Context,
    kind: Annotated[CaseKind, typer.Argument(help="What it is.")],
    *,
    complainant: Annotated[str, typer.Option("--from", help="Who objects or complains.")],
    text: TextOption,
    token_file: TokenOption,
    channel: Annotated[CaseChannel, typer.Option("--how", help="How it came.")] = (
        CaseChannel.LETTER
    ),
    on: OnOption = None,
    customer: Annotated[
        str | None, typer.Option("--customer", help="Number or subject id (scheme:value).")
    ] = None,
    about: Annotated[
        str | None,
        typer.Option("--about", help="Who issued what it is about, or whom it is about."),
    ] = None,
    fact: FactOption = None,
    summary: SummaryOption = None,
    dispute: DisputeOption = None,
) -> None:
    """Enter a case; an objection that names what it is about is held back at once."""
    node: CaseNode = ctx.obj
    new = NewCase(
        kind=kind,
        complainant=complainant,
        text=text,
        channel=channel,
        received_on=_read_day(on),
        customer_id=None
        if customer is None
        else node.records.get_named_customer(customer).customer_id,
        about=about,
        target=_read_target(fact, summary, dispute),
    )
    _tell(node.cases.receive(new, by=read_person(node.people, token_file, case_id=None)))


@case_app.command("list")
def list_cases(
    ctx: typer.Context,
    *,
    state: Annotated[list[CaseState] | None, typer.Option("--state", help="In this one.")] = None,
    kind: Annotated[list[CaseKind] | None, typer.Option("--kind", help="Of this one.")] = None,
    is_late: Annotated[
        bool, typer.Option("--late", help="Of which something is owed since before today.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List cases that are open, the newest first."""
    node: CaseNode = ctx.obj
    today = node.cases.today()
    chosen = CaseFilter(
        states=state or (() if every else OPEN),
        kinds=kind or (),
        late_on=today if is_late else None,
    )
    shown = [
        build_summary_object(one, today=today, language=language)
        for one in node.cases.list_cases(chosen, limit=CASES_PAGE_MAX)
    ]
    if as_json:
        show_json(shown)
        return
    table = Table("Case", "Kind", "Customer", "State", "Received", "Due", "Late", "Reopened")
    for one in shown:
        table.add_row(
            str(one["id"]), one["kind_text"], str(one["customer"] or ""), one["state_text"],
            one["received_on"], one["due_on"], "late" if one["is_late"] else "",
            str(one["reopened"] or ""),
        )  # fmt: skip
    show_table(table)


@case_app.command("show")
def show(
    ctx: typer.Context,
    case: CaseArgument,
    *,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show a case with all its steps."""
    node: CaseNode = ctx.obj
    found = build_case_object(node.cases.get(case), today=node.cases.today(), language=language)
    if as_json:
        show_json(found)
        return
    typer.echo(f"case {found['id']}: {found['kind_text']}, {found['state_text']}")
    typer.echo(f"  {found['complainant']}: {found['text']}")
    if found["target"] is not None:
        words = say_case("target", found["target"]["kind"], language)
        typer.echo(f"  {words} {found['target']['ref']}")
    typer.echo(f"  mark by {found['mark_by']}, answer by {found['due_on']}")
    table = Table("Step", "On", "By", "Said")
    for event in found["events"]:
        said = " · ".join(one for one in (event["code_text"], event["text"]) if one)
        table.add_row(event["step_text"], event["on"], event["by"], said)
    show_table(table)


@case_app.command("mark")
def mark(
    ctx: typer.Context,
    case: CaseArgument,
    *,
    token_file: TokenOption,
    fact: FactOption = None,
    summary: SummaryOption = None,
    dispute: DisputeOption = None,
) -> None:
    """Hold back what an objection is about, or acknowledge a complaint."""
    node: CaseNode = ctx.obj
    target = _read_target(fact, summary, dispute)
    _tell(
        node.cases.mark(case, target=target, by=read_person(node.people, token_file, case_id=case))
    )


@case_app.command("ask")
def ask(
    ctx: typer.Context,
    case: CaseArgument,
    *,
    source: Annotated[str, typer.Option("--source", help="Who was asked, and what.")],
    token_file: TokenOption,
    on: OnOption = None,
) -> None:
    """Enter that the source was asked."""
    node: CaseNode = ctx.obj
    _tell(
        node.cases.ask(
            case,
            source=source,
            on=_read_day(on),
            by=read_person(node.people, token_file, case_id=case),
        )
    )


@case_app.command("uphold")
def uphold(
    ctx: typer.Context, case: CaseArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Decide that a case is right; what it is about counts no more."""
    node: CaseNode = ctx.obj
    node.approvals.check_token()
    _tell(
        node.cases.decide(
            case,
            step=CaseStep.UPHOLD,
            reason=reason,
            by=read_person(node.people, token_file, case_id=case),
        )
    )


@case_app.command("reject")
def reject(
    ctx: typer.Context, case: CaseArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Decide that a case is not right; the mark is removed."""
    node: CaseNode = ctx.obj
    node.approvals.check_token()
    _tell(
        node.cases.decide(
            case,
            step=CaseStep.REJECT,
            reason=reason,
            by=read_person(node.people, token_file, case_id=case),
        )
    )


@case_app.command("withdraw")
def withdraw(
    ctx: typer.Context, case: CaseArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Enter that whoever objected or complained has taken it back."""
    node: CaseNode = ctx.obj
    _tell(
        node.cases.decide(
            case,
            step=CaseStep.WITHDRAW,
            reason=reason,
            by=read_person(node.people, token_file, case_id=case),
        )
    )


@case_app.command("suppress-due")
def suppress_due(ctx: typer.Context) -> None:
    """Suppress what objections are about that nobody has decided by their last day."""
    node: CaseNode = ctx.obj
    found = node.cases.suppress_due()
    named = "".join(f" {one}" for one in found)
    typer.echo(f"{len(found)} suppressed{':' if found else ''}{named}")


@case_app.command("answer")
def answer(
    ctx: typer.Context,
    case: CaseArgument,
    *,
    text: TextOption,
    token_file: TokenOption,
    channel: Annotated[CaseChannel, typer.Option("--how", help="letter or e-mail.")] = (
        CaseChannel.LETTER
    ),
    on: OnOption = None,
    document: Annotated[
        Path | None,
        typer.Option("--document", exists=True, dir_okay=False, help="Its hash is kept."),
    ] = None,
) -> None:
    """Enter the answer that was given in writing."""
    node: CaseNode = ctx.obj
    digest = None if document is None else hash_file(document)
    _tell(
        node.cases.answer(
            case,
            text=text,
            channel=channel,
            on=_read_day(on),
            document_sha256_hex=digest,
            by=read_person(node.people, token_file, case_id=case),
        )
    )


@case_app.command("cause")
def set_cause(
    ctx: typer.Context,
    case: CaseArgument,
    *,
    cause: Annotated[RootCause, typer.Option("--cause", help="Of the list.")],
    text: TextOption,
    token_file: TokenOption,
) -> None:
    """Enter why there was something to object to or complain of."""
    node: CaseNode = ctx.obj
    _tell(
        node.cases.set_cause(
            case, cause=cause, text=text, by=read_person(node.people, token_file, case_id=case)
        )
    )


@case_app.command("statement")
def add_statement(
    ctx: typer.Context, case: CaseArgument, *, text: TextOption, token_file: TokenOption
) -> None:
    """Enter what the subject of an objection states in its own words (200 characters)."""
    node: CaseNode = ctx.obj
    _tell(
        node.cases.add_statement(
            case, text=text, by=read_person(node.people, token_file, case_id=case)
        )
    )


@case_app.command("close")
def close(ctx: typer.Context, case: CaseArgument, *, token_file: TokenOption) -> None:
    """Close a case of which nothing is owed any more."""
    node: CaseNode = ctx.obj
    _tell(node.cases.close(case, by=read_person(node.people, token_file, case_id=case)))


@case_app.command("appeal")
def appeal(
    ctx: typer.Context,
    case: CaseArgument,
    *,
    before: Annotated[Appealed, typer.Option("--before", help="Before whom.")],
    text: TextOption,
    token_file: TokenOption,
) -> None:
    """Enter that a closed case is taken to the ombudsman or an authority."""
    node: CaseNode = ctx.obj
    _tell(
        node.cases.appeal(
            case, before=before, text=text, by=read_person(node.people, token_file, case_id=case)
        )
    )


@case_app.command("confirm")
def confirm(
    ctx: typer.Context, case: CaseArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Enter that an appeal has changed nothing."""
    node: CaseNode = ctx.obj
    node.approvals.check_token()
    _tell(
        node.cases.confirm(
            case, reason=reason, by=read_person(node.people, token_file, case_id=case)
        )
    )


@case_app.command("reopen")
def reopen(
    ctx: typer.Context, case: CaseArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Open a case again; its clock begins anew."""
    node: CaseNode = ctx.obj
    _tell(
        node.cases.reopen(
            case, reason=reason, by=read_person(node.people, token_file, case_id=case)
        )
    )


def _tell(story: CaseStory) -> None:
    record = story.record
    typer.echo(f"case {record.case_id}: {record.state}, answer by {record.due_on}")


def _read_day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _read_target(fact: str | None, summary: str | None, dispute: int | None) -> Target | None:
    given: list[tuple[TargetKind, str]] = [
        (kind, ref)
        for kind, ref in (
            (TargetKind.FACT, fact),
            (TargetKind.SUMMARY, summary),
            (TargetKind.DISPUTE, None if dispute is None else str(dispute)),
        )
        if ref is not None
    ]
    if len(given) > 1:
        raise typer.BadParameter("one of --fact, --summary and --dispute")
    return Target(kind=given[0][0], ref=given[0][1]) if given else None
