"""``chengxin application``: credit applications with their documents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.assessment.application.rules_application import (
    Application,
    ApplicationState,
    Document,
    DocumentState,
    Reference,
    ReferenceKind,
)
from node.assessment.application.service import ApplicationService
from node.assessment.application.view import build_applications_object
from node.assessment.commands import (
    AsOfOption,
    CustomerArgument,
    JsonOption,
    LanguageOption,
    get_customer_id,
)
from node.assessment.policy_file import Language
from node.assessment.service import AssessmentService
from node.core.money import format_amount, parse_amount
from node.core.people.areas import Area
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService
from node.core.terminal import show_json, show_table

application_app = typer.Typer(
    no_args_is_help=True, help="Credit applications and their documents. 信用申请。"
)

ByOption = Annotated[str, typer.Option("--by", envvar="CHENGXIN_USER", help="Who enters it.")]
KeyArgument = Annotated[int, typer.Argument(help="Key of the application (application show).")]
DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
AmountOption = Annotated[str, typer.Option("--limit", help="Limit that is asked for: 500000.00")]
TermsOption = Annotated[int, typer.Option("--terms", min=0, max=365, help="Days of payment.")]
BankOption = Annotated[
    list[str] | None, typer.Option("--bank", help="Bank that may be asked: NAME or NAME|CONTACT.")
]
TradeOption = Annotated[
    list[str] | None, typer.Option("--trade", help="Supplier that may be asked, likewise.")
]
_WORDS = {
    DocumentState.THERE: ("有", "there"),
    DocumentState.MISSING: ("缺", "missing"),
    DocumentState.OUTDATED: ("过期", "outdated"),
}


class ApplicationNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def assessment(self) -> AssessmentService:
        """Finds customers."""
        ...

    @property
    def applications(self) -> ApplicationService:
        """The use cases."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@application_app.command("enter")
def enter_application(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    limit: AmountOption,
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")],
    terms: TermsOption,
    purpose: Annotated[str, typer.Option(help="For what.")],
    applicant: Annotated[str, typer.Option(help="Who applies for the customer.")],
    by: ByOption,
    applied: DayOption = None,
    bank: BankOption = None,
    trade: TradeOption = None,
    replaces: Annotated[
        int | None, typer.Option(help="Key of the application whose content it replaces.")
    ] = None,
) -> None:
    """Enter an application as a draft, or what another one asks for now."""
    node: ApplicationNode = context.obj
    customer_id = get_customer_id(node.assessment, customer)
    content = Application(
        requested_minor=parse_amount(limit, currency=currency),
        currency=currency,
        terms_days=terms,
        purpose=purpose,
        applicant=applicant,
        applied_on=node.business_date() if applied is None else applied.date(),
        references=(
            *(_read_reference(ReferenceKind.BANK, text) for text in bank or ()),
            *(_read_reference(ReferenceKind.TRADE, text) for text in trade or ()),
        ),
    )
    if replaces is None:
        typer.echo(f"application {node.applications.enter(customer_id, content, by=by)}")
        return
    version = node.applications.amend(customer_id, replaces, content, by=by)
    typer.echo(f"application {replaces}, version {version}")


@application_app.command("document")
def enter_document(
    context: typer.Context,
    customer: CustomerArgument,
    key: KeyArgument,
    kind: Annotated[str, typer.Argument(help="Of the checklist: business-licence, …")],
    *,
    dated: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Its own day.")],
    by: ByOption,
    received: DayOption = None,
    sha256: Annotated[str | None, typer.Option(help="SHA-256 of the file.")] = None,
) -> None:
    """Enter a document that came with an application."""
    node: ApplicationNode = context.obj
    document = Document(
        kind=kind,
        dated_on=dated.date(),
        received_on=node.business_date() if received is None else received.date(),
    )
    entered = node.applications.enter_document(
        get_customer_id(node.assessment, customer),
        key,
        document,
        by=by,
        document_sha256_hex=sha256,
    )
    typer.echo(f"document {entered}")


@application_app.command("move")
def move_application(
    context: typer.Context,
    customer: CustomerArgument,
    key: KeyArgument,
    state: Annotated[ApplicationState, typer.Argument(help="Into which state.")],
    *,
    by: ByOption,
    reason: Annotated[str | None, typer.Option(help="Of a withdrawal or a closure.")] = None,
) -> None:
    """Submit, complete, withdraw or close an application."""
    node: ApplicationNode = context.obj
    customer_id = get_customer_id(node.assessment, customer)
    node.applications.move(customer_id, key, state, by=by, reason=reason)
    typer.echo(f"application {key}: {state}")


@application_app.command("withdraw-document")
def withdraw_document(
    context: typer.Context,
    customer: CustomerArgument,
    key: Annotated[int, typer.Argument(help="Key of the document (application show --json).")],
    *,
    reason: Annotated[str, typer.Option(help="Why.")],
    by: ByOption,
) -> None:
    """Enter that a document counts no longer."""
    node: ApplicationNode = context.obj
    customer_id = get_customer_id(node.assessment, customer)
    node.applications.withdraw_document(customer_id, key, reason=reason, by=by)
    typer.echo(f"withdrawn: {key}")


@application_app.command("show")
def show_applications(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show a customer's applications, and which documents are missing or outdated."""
    node: ApplicationNode = context.obj
    customer_id = get_customer_id(node.assessment, customer)
    target = f"customer {customer_id} applications"
    node.people.record(OPERATOR_PRINCIPAL, Look(what=Area.CREDIT, target=target))
    checked = node.applications.report(customer_id, as_of=as_of.date() if as_of else None)
    if as_json:
        shown = build_applications_object(
            checked, checklist=node.applications.checklist.label, language=language
        )
        show_json(shown)
        return
    table = Table("Key", "State", "Limit", "Days", "Purpose", "Applicant", "Applied", box=None)
    for one in checked.applications:
        content = one.content
        amount = format_amount(content.requested_minor, currency=content.currency)
        table.add_row(
            str(one.application_id), one.state.value, f"{content.currency} {amount}",
            str(content.terms_days), content.purpose, content.applicant,
            content.applied_on.isoformat(),
        )  # fmt: skip
    show_table(table)
    papers = Table("Document", "", "Found", "State", "Newest", "Holds until", box=None)
    for line in checked.lines:
        papers.add_row(
            line.wanted.names.render(language), "!" if line.is_lacking else "",
            f"{line.found}/{line.wanted.count}", _WORDS[line.state][language is Language.EN],
            "" if line.newest_on is None else line.newest_on.isoformat(),
            "" if line.holds_until is None else line.holds_until.isoformat(),
        )  # fmt: skip
    show_table(papers)


def _read_reference(kind: ReferenceKind, text: str) -> Reference:
    name, _, contact = text.partition("|")
    return Reference(kind=kind, name=name.strip(), contact=contact.strip())
