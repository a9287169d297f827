"""``chengxin statement``: customers' financial statements in, checked, and shown with ratios."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.assessment.commands import AsOfOption, CustomerArgument, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.assessment.service import AssessmentService
from node.assessment.statements.commands_lists import (
    list_elements,
    list_missing,
    write_concepts,
)
from node.assessment.statements.importing import (
    STATEMENT_FILE_BYTES_MAX,
    FileOptions,
    correct_by_file,
    find_form,
    import_statements,
)
from node.assessment.statements.printing import tabulate_lines, tabulate_ratios, tabulate_scores
from node.assessment.statements.reading import Given
from node.assessment.statements.reading_csv import build_template
from node.assessment.statements.report import list_remarks
from node.assessment.statements.rules_findings import Finding, has_errors
from node.assessment.statements.rules_statement import Assurance, Basis, Gaap, Unit
from node.assessment.statements.service import Entered, StatementService
from node.assessment.statements.view import build_report_object, build_version_object
from node.assessment.statements.wording import say, say_missing
from node.core.files import read_file
from node.core.people.areas import Area
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService
from node.core.terminal import show_json, show_table
from node.records.importing.cells import AmountForm
from node.records.service import CustomerNotFoundError

EXIT_FINDINGS = 3  # a dry run found what refuses the file
FEW = 20  # findings printed one a line

statement_app = typer.Typer(
    no_args_is_help=True,
    help="Financial statements of customers: enter, correct, show with ratios. 财务报表。",
)

FileArgument = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Table (CSV), XBRL or inline XBRL.")
]
ByOption = Annotated[str, typer.Option("--by", envvar="CHENGXIN_USER", help="Who enters it.")]
KeyArgument = Annotated[int, typer.Argument(help="Key of the statement (statement versions).")]
ReasonOption = Annotated[str, typer.Option(help="Why.")]
DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
NumbersOption = Annotated[
    AmountForm, typer.Option(help="How a table writes numbers: 1,234.56 or 1.234,56.")
]
UnitOption = Annotated[Unit | None, typer.Option(help="Unit of the figures.")]
BasisOption = Annotated[Basis | None, typer.Option(help="The company alone, or its group.")]
AssuranceOption = Annotated[Assurance | None, typer.Option(help="Who stands behind it.")]
GaapOption = Annotated[Gaap | None, typer.Option(help="By which rules.")]
CurrencyOption = Annotated[str | None, typer.Option(help="ISO 4217 code.")]
MonthsOption = Annotated[int | None, typer.Option(min=1, max=23, help="Months of the period.")]
EntityOption = Annotated[
    str | None, typer.Option(help="Which company, where an XBRL file is of several.")
]


class StatementNode(Protocol):
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
    def statements(self) -> StatementService:
        """The statements' use cases."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


statement_app.command("missing")(list_missing)
statement_app.command("concepts")(write_concepts)
statement_app.command("elements")(list_elements)


@statement_app.command("template")
def write_template(
    *,
    year_end: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day of the fiscal year.")
    ],
    as_long: Annotated[bool, typer.Option("--long", help="A row an amount.")] = False,
) -> None:
    """Print an empty table (CSV) with every item, its code and its names in both languages."""
    typer.echo(build_template(is_long=as_long, year_end=year_end.date()), nl=False)


@statement_app.command("import")
def import_file(
    context: typer.Context,
    customer: CustomerArgument,
    file: FileArgument,
    *,
    by: ByOption,
    received: DayOption = None,
    numbers: NumbersOption = AmountForm.POINT,
    currency: CurrencyOption = None,
    unit: UnitOption = None,
    months: MonthsOption = None,
    basis: BasisOption = None,
    assurance: AssuranceOption = None,
    gaap: GaapOption = None,
    year_end: DayOption = None,
    entity: EntityOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check, and keep nothing.")] = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Enter every statement of a file, or none; what the file says itself counts before options."""
    node: StatementNode = context.obj
    raw = read_file(file, bytes_max=STATEMENT_FILE_BYTES_MAX)
    given = Given(
        currency=currency,
        unit=unit,
        months=months,
        basis=basis,
        assurance=assurance,
        gaap=gaap,
        year_end=None if year_end is None else year_end.date(),
        entity=entity,
    )
    entered = import_statements(
        node.statements,
        _get_id(node, customer),
        raw,
        options=_build_options(node, raw, received=received, numbers=numbers, given=given),
        by=by,
        is_trial=dry_run,
    )
    _tell_entered(entered, language=language, is_trial=dry_run)


@statement_app.command("correct")
def correct(
    context: typer.Context,
    customer: CustomerArgument,
    key: KeyArgument,
    file: FileArgument,
    *,
    reason: ReasonOption,
    by: ByOption,
    received: DayOption = None,
    numbers: NumbersOption = AmountForm.POINT,
    year_end: DayOption = None,
    basis: BasisOption = None,
    assurance: AssuranceOption = None,
    gaap: GaapOption = None,
    language: LanguageOption = Language.EN,
) -> None:
    """Enter the one statement of a file as the next version of another, with a reason."""
    node: StatementNode = context.obj
    raw = read_file(file, bytes_max=STATEMENT_FILE_BYTES_MAX)
    given = Given(
        basis=basis,
        assurance=assurance,
        gaap=gaap,
        year_end=None if year_end is None else year_end.date(),
    )
    entered = correct_by_file(
        node.statements,
        _get_id(node, customer),
        key,
        raw,
        options=_build_options(node, raw, received=received, numbers=numbers, given=given),
        reason=reason,
        by=by,
    )
    _tell_entered(entered, language=language)


@statement_app.command("withdraw")
def withdraw(
    context: typer.Context,
    customer: CustomerArgument,
    key: KeyArgument,
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Enter that a statement counts no longer; what was known before stays."""
    node: StatementNode = context.obj
    withdrawn = node.statements.withdraw(_get_id(node, customer), key, reason=reason, by=by)
    typer.echo(f"withdrawn, as version {withdrawn}")


@statement_app.command("versions")
def list_versions(
    context: typer.Context, customer: CustomerArgument, *, as_json: JsonOption = False
) -> None:
    """List every version of a customer's statements: who entered it, when and why."""
    node: StatementNode = context.obj
    customer_id = _get_id(node, customer)
    _record_look(node, customer_id)
    versions = node.statements.list_versions(customer_id)
    if as_json:
        show_json([build_version_object(one) for one in versions])
        return
    table = Table(
        "Key", "Year end", "Basis", "Version", "Source", "Received", "By", "Reason", box=None
    )
    for one in versions:
        version = f"{one.version} (withdrawn)" if one.is_withdrawn else str(one.version)
        table.add_row(
            str(one.statement_id), one.statement.year_end.isoformat(), one.statement.basis.value,
            version, one.provenance.source.value, one.provenance.received_on.isoformat(),
            one.entered_by, one.reason or "",
        )  # fmt: skip
    show_table(table)


@statement_app.command("show")
def show(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    basis: BasisOption = None,
    as_of: AsOfOption = None,
    known_at: Annotated[
        datetime | None,
        typer.Option(
            "--known-at",
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
            help="As it was known at this moment (UTC).",
        ),
    ] = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show up to five years side by side: figures, ratios with their trend, Altman, findings."""
    node: StatementNode = context.obj
    customer_id = _get_id(node, customer)
    _record_look(node, customer_id)
    report = node.statements.report(
        customer_id,
        basis=basis,
        as_of=as_of.date() if as_of else None,
        known_at_ms=None if known_at is None else _read_moment(known_at),
    )
    if as_json:
        show_json(build_report_object(report, language=language))
        return
    if report.years:
        for table in (tabulate_lines(report, language), tabulate_ratios(report, language)):
            show_table(table)
        show_table(tabulate_scores(report, language))
        for remark in list_remarks(report):
            typer.echo(f"* {say('remark', remark, language)}")
    _tell_findings([one for year in report.years for one in year.findings], language)
    evidence = report.evidence
    typer.echo(
        f"evidence: weight {evidence.weight_milli / 1000:.3f}, "
        f"confidence {say('confidence', evidence.confidence, language)}"
    )
    for code in evidence.missing:
        typer.echo(f"  · {say_missing(code, language)}")


@statement_app.command("expire")
def expire(
    context: typer.Context,
    *,
    by: ByOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete statements of years that ended longer ago than the term; a legal hold keeps them."""
    node: StatementNode = context.obj
    if not dry_run and not yes:
        typer.confirm("Statements past the term are deleted for good. Go on?", abort=True)
    done = node.statements.expire(by=by, is_trial=dry_run)
    typer.echo(
        f"{done.versions} versions {'are past the term' if dry_run else 'deleted'}; "
        f"{done.held} are under hold"
    )


def _get_id(node: StatementNode, text: str) -> int:
    customer_id = node.assessment.find_customer_id(text)
    if customer_id is None:
        raise CustomerNotFoundError("there is no such customer")
    return customer_id


def _record_look(node: StatementNode, customer_id: int) -> None:
    node.people.record(
        OPERATOR_PRINCIPAL, Look(what=Area.CREDIT, target=f"customer {customer_id} statements")
    )


def _build_options(
    node: StatementNode,
    raw: bytes,
    *,
    received: datetime | None,
    numbers: AmountForm,
    given: Given,
) -> FileOptions:
    return FileOptions(
        form=find_form(raw),
        numbers=numbers,
        received_on=node.business_date() if received is None else received.date(),
        given=given,
    )


def _read_moment(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _tell_entered(entered: Entered, *, language: Language, is_trial: bool = False) -> None:
    _tell_findings(entered.findings, language)
    if has_errors(entered.findings):
        raise typer.Exit(EXIT_FINDINGS)
    keys = ", ".join(str(key) for key in entered.statement_ids)
    known = f"; {entered.known} known already" if entered.known else ""
    typer.echo(f"nothing kept: a dry run{known}" if is_trial else f"statement {keys}{known}")


def _tell_findings(findings: Sequence[Finding], language: Language) -> None:
    for one in findings[:FEW]:
        typer.echo(f"{say('severity', one.severity, language)}: {one.say(language)}")
    if len(findings) > FEW:
        typer.echo(f"… {len(findings) - FEW} more")
