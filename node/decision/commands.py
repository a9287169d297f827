"""``chengxin decide``: propose, hand on, approve, decide otherwise; deputies and outcomes.

On the node's own machine commands act as the operator, who decides nothing: whoever approves,
rejects, returns or overrides names the file of a token of his own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer

from node.assessment.application.service import ApplicationService
from node.assessment.commands import JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.money import parse_amount
from node.core.people.accounts.approvals import Approvals
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService, Principal
from node.core.terminal import show_json
from node.decision.api import act_as, see_peers
from node.decision.asked import Asked
from node.decision.changing import TERMS_DAYS_MAX, Change
from node.decision.deputies import DeputyService
from node.decision.evidence import Wish
from node.decision.policy import BuyerKind, Monitoring, Security
from node.decision.printing import print_decision, print_list, print_outcomes
from node.decision.record import DecisionRecord
from node.decision.reports import DecisionReports
from node.decision.rules_state import DecisionState
from node.decision.service import DecisionService
from node.decision.view import (
    build_decision_object,
    build_deputy_object,
    build_outcomes_object,
    build_summary_object,
)
from node.rating.service import RatingService
from node.records.service import RecordsService

DAY_FORMAT = "%Y-%m-%d"
TOKEN_CHARACTERS_MAX = 200

decide_app = typer.Typer(
    no_args_is_help=True, help="Decisions on credit: limit, terms, approvals. 授信决策。"
)
deputies_app = typer.Typer(no_args_is_help=True, help="Who approves for whom. 代理审批。")
decide_app.add_typer(deputies_app, name="deputies")

DecisionArgument = Annotated[int, typer.Argument(min=1, help="Number (decide list).")]
ByOption = Annotated[str, typer.Option("--by", help="Who enters it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays beside the step.")]
TokenOption = Annotated[
    Path,
    typer.Option(
        "--token-file", exists=True, dir_okay=False, help="A file with one's own token, alone."
    ),
]
CurrencyOption = Annotated[
    str | None, typer.Option("--currency", help="Of the amounts; else of most invoices.")
]


class DecisionNode(Protocol):
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
    def rating(self) -> RatingService:
        """The room below."""
        ...

    @property
    def applications(self) -> ApplicationService:
        """What customers ask for."""
        ...

    @property
    def decisions(self) -> DecisionService:
        """The room's use cases."""
        ...

    @property
    def decision_reports(self) -> DecisionReports:
        """What is read."""
        ...

    @property
    def deputies(self) -> DeputyService:
        """Who approves for whom."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@decide_app.command("propose")
def propose(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Number or subject id (scheme:value).")],
    *,
    by: ByOption,
    limit: Annotated[str | None, typer.Option(help="The limit that is asked for.")] = None,
    need: Annotated[str | None, typer.Option(help="What it will buy in a year.")] = None,
    currency: CurrencyOption = None,
    terms: Annotated[
        int | None, typer.Option(min=0, max=TERMS_DAYS_MAX, help="Days that are asked for.")
    ] = None,
    application: Annotated[
        int | None,
        typer.Option(min=1, help="Its key (application show): limit, currency, terms as it asks."),
    ] = None,
    buyer: Annotated[
        BuyerKind, typer.Option(help="What the law on late payment takes it for.")
    ] = BuyerKind.COMPANY,
    rate: Annotated[bool, typer.Option("--rate", help="Rate the customer first.")] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Propose limit, terms and security for a customer, every way of finding one shown."""
    node: DecisionNode = ctx.obj
    customer_id = node.records.get_named_customer(customer).customer_id
    if currency is None and application is not None:
        currency = node.applications.get(customer_id, application).content.currency
    if currency is None and (limit is not None or need is not None):
        raise typer.BadParameter("name the currency of the amounts")
    wish = Wish(
        currency=currency,
        limit_minor=None if limit is None else parse_amount(limit, currency=currency or ""),
        need_year_minor=None if need is None else parse_amount(need, currency=currency or ""),
    )
    if rate:
        node.rating.rate_customer(customer_id, as_of=node.business_date())
    asked = Asked(wish=wish, buyer=buyer, terms_days=terms, application_id=application)
    record = node.decisions.propose(customer_id, asked=asked, by=by)
    _show(node, record.decision_id, as_json=as_json, language=language)


@decide_app.command("show")
def show(
    ctx: typer.Context,
    decision: DecisionArgument,
    *,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show a decision: arms, versions, approvals, events."""
    _show(ctx.obj, decision, as_json=as_json, language=language)


@decide_app.command("list")
def list_decisions(
    ctx: typer.Context,
    *,
    state: Annotated[
        list[DecisionState] | None, typer.Option(help="Only in this state; may be repeated.")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="Of one customer.")] = None,
    before: Annotated[int | None, typer.Option(min=1, help="Older than this number.")] = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List decisions, the newest first."""
    node: DecisionNode = ctx.obj
    key = None if customer is None else node.records.get_named_customer(customer).customer_id
    views = node.decision_reports.list_decisions(states=state, customer_id=key, before=before)
    check_access(node.people, OPERATOR_PRINCIPAL, Access(area=Area.CREDIT, target="decide list"))
    shown = [build_summary_object(one, language=language, has_peers=True) for one in views]
    if as_json:
        show_json(shown)
    else:
        print_list(shown)


@decide_app.command("submit")
def submit(ctx: typer.Context, decision: DecisionArgument, *, by: ByOption) -> None:
    """Hand a decision to those who approve."""
    node: DecisionNode = ctx.obj
    _tell(node.decisions.submit(decision, by=by))


@decide_app.command("approve")
def approve(
    ctx: typer.Context,
    decision: DecisionArgument,
    *,
    token_file: TokenOption,
    comment: Annotated[str, typer.Option(help="What is to stand beside it.")] = "",
    human_review: Annotated[
        str | None,
        typer.Option(help="On a natural person: what you have looked at yourself."),
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="The version that you have seen: no other is approved.")
    ] = None,
) -> None:
    """Approve a decision with a token of one's own; with the last approval it is active."""
    node: DecisionNode = ctx.obj
    node.approvals.check_token()
    actor = _read_actor(node, token_file, decision)
    _tell(
        node.decisions.approve(
            decision, actor=actor, version=version, comment=comment, human_review=human_review
        )
    )


@decide_app.command("reject")
def reject(
    ctx: typer.Context, decision: DecisionArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Reject a decision that was submitted."""
    node: DecisionNode = ctx.obj
    actor = _read_actor(node, token_file, decision)
    _tell(node.decisions.reject(decision, reason=reason, actor=actor))


@decide_app.command("return")
def send_back(
    ctx: typer.Context, decision: DecisionArgument, *, reason: ReasonOption, token_file: TokenOption
) -> None:
    """Return a decision to whoever proposed it."""
    node: DecisionNode = ctx.obj
    actor = _read_actor(node, token_file, decision)
    _tell(node.decisions.send_back(decision, reason=reason, actor=actor))


@decide_app.command("withdraw")
def withdraw(
    ctx: typer.Context,
    decision: DecisionArgument,
    *,
    reason: ReasonOption,
    by: Annotated[str, typer.Option("--by", help="Who withdraws what waits.")] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="One's own token, for what is active."),
    ] = None,
) -> None:
    """Withdraw what waits; what is active with a token of one's own."""
    node: DecisionNode = ctx.obj
    if not by and token_file is None:
        raise typer.BadParameter("name who withdraws it (--by), or --token-file")
    actor = replace(OPERATOR_PRINCIPAL, name=by)
    if token_file is not None:
        actor = _read_actor(node, token_file, decision)
    _tell(node.decisions.withdraw(decision, reason=reason, actor=act_as(actor, by)))


@decide_app.command("override")
def override(
    ctx: typer.Context,
    decision: DecisionArgument,
    *,
    reason_code: Annotated[str, typer.Option(help="One of the policy's reasons.")],
    reason: ReasonOption,
    token_file: TokenOption,
    grade: Annotated[str | None, typer.Option(help="Propose by this grade again.")] = None,
    limit: Annotated[str | None, typer.Option(help="0 is prepayment.")] = None,
    terms: Annotated[int | None, typer.Option(min=0, help="Days.")] = None,
    security: Annotated[Security | None, typer.Option(help="What secures it.")] = None,
    monitoring: Annotated[Monitoring | None, typer.Option(help="How closely to watch.")] = None,
    valid_until: Annotated[
        datetime | None, typer.Option(formats=[DAY_FORMAT], help="Its last day.")
    ] = None,
    review_on: Annotated[
        datetime | None, typer.Option(formats=[DAY_FORMAT], help="The day of its review.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Supply nothing more.")] = False,
) -> None:
    """Decide otherwise than proposed, within one's tier, with a reason."""
    node: DecisionNode = ctx.obj
    node.approvals.check_token()
    actor = _read_actor(node, token_file, decision)
    currency = node.decision_reports.get(decision).record.content.currency
    change = Change(
        grade=grade,
        limit_minor=None if limit is None else parse_amount(limit, currency=currency),
        terms_days=terms,
        security=security,
        monitoring=monitoring,
        valid_until=None if valid_until is None else valid_until.date(),
        review_on=None if review_on is None else review_on.date(),
        is_stopped=stop,
    )
    _tell(
        node.decisions.override(
            decision, change=change, reason_code=reason_code, reason=reason, actor=actor
        )
    )


@decide_app.command("outcomes")
def show_outcomes(
    ctx: typer.Context, *, as_json: JsonOption = False, language: LanguageOption = Language.EN
) -> None:
    """Show what became of decisions: as proposed, and as persons decided otherwise."""
    node: DecisionNode = ctx.obj
    shown = build_outcomes_object(node.decision_reports.read_outcomes(), language=language)
    check_access(
        node.people, OPERATOR_PRINCIPAL, Access(area=Area.CREDIT, target="decide outcomes")
    )
    if as_json:
        show_json(shown)
    else:
        print_outcomes(shown, language=language)


@decide_app.command("expire")
def expire(ctx: typer.Context) -> None:
    """Mark what is past its last day; a running node does so by itself."""
    node: DecisionNode = ctx.obj
    typer.echo(f"expired: {node.decisions.expire_due()}")


@deputies_app.command("list")
def list_deputies(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List who stands or stood in for whom, the newest first."""
    node: DecisionNode = ctx.obj
    shown = [build_deputy_object(one) for one in node.deputies.list_deputies()]
    if as_json:
        show_json(shown)
        return
    for one in shown:
        ended = " (ended)" if one["is_ended"] else ""
        typer.echo(
            f"{one['id']}: {one['deputy']} for {one['holder']} ({one['role']}),"
            f" {one['first_on']} to {one['last_on']}{ended}"
        )


@deputies_app.command("name")
def name_deputy(
    ctx: typer.Context,
    *,
    deputy: Annotated[str, typer.Option(help="The name that stands in the deputy's own token.")],
    first: Annotated[datetime, typer.Option("--from", formats=[DAY_FORMAT], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=[DAY_FORMAT], help="Last day.")],
    token_file: TokenOption,
) -> None:
    """Name a deputy for one's own role, for some days."""
    node: DecisionNode = ctx.obj
    node.approvals.check_token()
    actor = _read_actor(node, token_file)
    named = node.deputies.name(
        deputy=deputy,
        first_on=first.date(),
        last_on=last.date(),
        actor=actor,
    )
    typer.echo(f"deputy {named.deputy_id}: {named.deputy} for {named.holder} ({named.role})")


@deputies_app.command("end")
def end_deputy(
    ctx: typer.Context,
    deputy: Annotated[int, typer.Argument(min=1, help="Number (decide deputies list).")],
    *,
    token_file: TokenOption,
) -> None:
    """End what one has named oneself."""
    node: DecisionNode = ctx.obj
    ended = node.deputies.end(deputy, actor=_read_actor(node, token_file))
    typer.echo(f"deputy {ended.deputy_id}: ended")


def _read_actor(node: DecisionNode, path: Path, decision_id: int | None = None) -> Principal:
    """Return whose token a file holds; what it reaches over the API, it reaches here.

    Raises:
        NotAuthenticatedError: It holds none that is in force.
        OutOfReachError: The role enters no credit, or may not see whom the decision is on.
    """
    text = path.read_text(encoding="utf-8", errors="replace")[:TOKEN_CHARACTERS_MAX]
    actor = node.people.get_principal(text.strip())
    target = "deputies" if decision_id is None else f"decision {decision_id}"
    check_access(node.people, actor, Access(area=Area.CREDIT, target=target, is_entry=True))
    if decision_id is not None and node.decision_reports.get(decision_id).is_person:
        check_access(node.people, actor, Access(area=Area.PERSONS, target=target))
    return actor


def _tell(record: DecisionRecord) -> None:
    typer.echo(f"decision {record.decision_id}: {record.state}")


def _show(node: DecisionNode, decision_id: int, *, as_json: bool, language: Language) -> None:
    view = node.decision_reports.get(decision_id)
    has_peers = see_peers(node.people, OPERATOR_PRINCIPAL, decision_id)
    shown = build_decision_object(view, language=language, has_peers=has_peers)
    if as_json:
        show_json(shown)
    else:
        print_decision(shown, language=language)
