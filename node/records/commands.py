"""Command line of the records room.

Exit codes: 0 everything is in; 3 some rows were rejected and the rest is in; 4 nothing was
imported, because there was nothing new or because it was refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Protocol, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from node.core.errors import RejectedError
from node.core.money import format_amount
from node.core.terminal import show_counts, show_table
from node.records.commands_documents import FileForm, build_options, show_document_report
from node.records.documents import DocumentOptions, is_document_file
from node.records.formats.errors import DocumentFileError
from node.records.importing import (
    ImportFileError,
    ImportReport,
    Profile,
    Reject,
    parse_control_totals,
    parse_deal,
    read_mapping,
    sum_totals,
    write_reject_report,
)
from node.records.mappings import MappingService
from node.records.service import RecordsService

REJECTS_SHOWN_MAX = 20
BALANCES_SHOWN_MAX = 50

records_app = typer.Typer(no_args_is_help=True, help="Records: import, check, rebuild.")


class ExitCode(IntEnum):
    """What a script that calls us can tell apart."""

    REJECTS = 3
    NOTHING_IMPORTED = 4


class RejectReportError(RejectedError):
    """The file of the rejects cannot be written; nothing is imported."""

    code = "reject-report"


class HasRecords(Protocol):
    """What a command needs of the node that the command line puts into the context."""

    @property
    def records(self) -> RecordsService:
        """The room's use cases."""
        ...

    @property
    def mappings(self) -> MappingService:
        """How the tables of each source are read."""
        ...


@records_app.command("import")
def import_records(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, XML, OFD or MT940; may be gzip.")],
    profile: Annotated[
        str | None, typer.Option(help="How columns are read; told from the header if absent.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="TOML: in which columns a system's own table holds what.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Name of the system it comes from; document numbers are its.")
    ] = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="One bad row keeps all out.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be imported, and write nothing.")
    ] = False,
    reject_report: Annotated[
        Path | None,
        typer.Option(
            "--rejects",
            "--reject-report",
            help="Write row, column, reason and suggestion of rejected rows here, as CSV.",
        ),
    ] = None,
    deal: Annotated[
        str | None, typer.Option(help="2/5: only the share of the second of five members.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of a workbook; the first if absent.")
    ] = None,
    opening: Annotated[
        bool,
        typer.Option("--opening", help="The list is what was open at a cut-over: opening items."),
    ] = False,
    control_total: Annotated[
        list[str] | None,
        typer.Option(help="EUR=1234.56: what must be open, or nothing is imported; repeatable."),
    ] = None,
    form: Annotated[
        FileForm | None, typer.Option("--format", help="Told by the file's content if absent.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option(help="An invoice's customer, scheme:value, over its own numbers.")
    ] = None,
    terms: Annotated[
        int | None, typer.Option(help="Days of credit of an invoice that says no due date.")
    ] = None,
    payers: Annotated[
        Path | None, typer.Option(help="CSV payer,customer: whose a bank account or name is.")
    ] = None,
) -> None:
    """Import a table of invoices and payments, a UBL invoice, 数电发票, or a bank statement.

    Importing a file again changes nothing.
    """
    node: HasRecords = context.obj
    console = Console()
    with exit_on_bad_file(file):
        is_table = form is FileForm.CSV or (form is None and not is_document_file(file))
        options = build_options(
            form=None if is_table else form,
            source=source,
            customer=customer,
            terms_days=terms,
            payers=payers,
            strict=strict,
            trial=dry_run,
        )
    if not is_table:
        _import_document(node, file, options, reject_report=reject_report, console=console)
        return
    if any(one is not None for one in (customer, terms, payers)):
        raise typer.BadParameter("--customer, --terms and --payers are for documents, not tables")
    if mapping is not None and profile is not None:
        raise typer.BadParameter("--mapping or --profile, not both")
    # Opened first: what is imported cannot be told again.
    rejects = None if reject_report is None else _open_reject_report(reject_report)
    with exit_on_bad_file(file), Progress(console=console, transient=True) as progress:
        task = progress.add_task(escape(f"Reading {file.name}"), total=None)
        report = node.records.import_file(
            file,
            profile=_choose_profile(node, profile, mapping=mapping, source=source),
            source=source,
            deal=parse_deal(deal) if deal is not None else None,
            strict=strict,
            dry_run=dry_run,
            sheet=sheet,
            is_opening=opening,
            control_totals=parse_control_totals(control_total or ()),
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if rejects is not None:
        with rejects:
            write_reject_report(report.rejects, rejects)
    show_report(report, console=console)
    if dry_run:
        console.print("Dry run: nothing was written.")
    _exit(imported=report.imported, rejected=report.rows_rejected > 0)


@records_app.command("check")
def check_records(context: typer.Context) -> None:
    """Compare the rolled-up behaviour of every customer with its invoices."""
    node: HasRecords = context.obj
    differences = node.records.compare_behaviour()
    if differences:
        typer.echo(f"{len(differences)} months differ; run rebuild")
        raise typer.Exit(1)
    typer.echo("every rolled-up month is what the invoices say")


@records_app.command("rebuild")
def rebuild_records(context: typer.Context) -> None:
    """Sum up the behaviour of every customer anew."""
    node: HasRecords = context.obj
    typer.echo(f"{node.records.rebuild_behaviour()} months summed up")


def _choose_profile(
    node: HasRecords, profile: str | None, *, mapping: Path | None, source: str | None
) -> Profile | str | None:
    """Return how the table is read: as told, or as it is saved for its source."""
    if mapping is not None:
        return read_mapping(mapping)
    if profile is None and source is not None:
        return node.mappings.find_profile(source)
    return profile


def _import_document(
    node: HasRecords,
    file: Path,
    options: DocumentOptions,
    *,
    reject_report: Path | None,
    console: Console,
) -> None:
    rejects = None if reject_report is None else _open_reject_report(reject_report)
    with exit_on_bad_file(file):
        report = node.records.import_documents(file, options)
    if rejects is not None:
        with rejects:
            write_reject_report(report.rejects, rejects)
    show_document_report(report, console=console)
    would_import = report.imported or (report.is_trial and report.rows_used > 0)
    _exit(imported=would_import, rejected=report.rows_rejected > 0)


def _exit(*, imported: bool, rejected: bool) -> None:
    if not imported:
        raise typer.Exit(ExitCode.NOTHING_IMPORTED)
    if rejected:
        raise typer.Exit(ExitCode.REJECTS)


@contextmanager
def exit_on_bad_file(file: Path) -> Iterator[None]:
    """Say why a file cannot be imported at all, and exit."""
    try:
        yield
    except (ImportFileError, DocumentFileError) as err:
        text = escape(f"{file.name}: {err.detail} ({err.code})")
        Console(stderr=True).print(f"[red]{text}[/red]", soft_wrap=True)
        raise typer.Exit(ExitCode.NOTHING_IMPORTED) from err


def _open_reject_report(path: Path) -> TextIO:
    """Open the file of the rejects.

    Raises:
        RejectReportError: It cannot be written.
    """
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as err:
        raise RejectReportError(f"{path} cannot be written: {err.strerror}") from err


def show_report(report: ImportReport, *, console: Console) -> None:
    """Print what became of the rows of a file."""
    counts = {
        "read": report.rows_read,
        "dealt to other members": report.rows_dealt_elsewhere,
        **{f"left out: {reason}": count for reason, count in report.excluded.items()},
        "exact duplicates": report.rows_duplicate,
        "already imported": report.rows_known,
        "rejected": report.rows_rejected,
        "used": report.rows_used,
        "invoices added": report.invoices_added,
        "payments added": report.payments_added,
        **({"credit notes added": report.credit_notes_added} if report.credit_notes_added else {}),
        "customers added": report.customers_added,
        **{f"odd, but loaded: {reason}": count for reason, count in report.oddities.items()},
    }
    title = f"{report.file_name}: {report.profile}, {report.encoding}"
    show_counts(title, counts, what="rows", console=console)
    _show_balances(report, console=console)
    for reject in report.rejects[:REJECTS_SHOWN_MAX]:
        console.print(describe_reject(reject), markup=False)
    if report.rows_rejected > REJECTS_SHOWN_MAX:
        console.print(f"and {report.rows_rejected - REJECTS_SHOWN_MAX} more")
    if not report.imported:
        console.print(_explain_nothing(report))


def _show_balances(report: ImportReport, *, console: Console) -> None:
    """Print what the file leaves open: by customer as far as that is few, then by currency."""
    if not report.balances:
        return
    table = Table()
    table.add_column("customer")
    table.add_column("currency")
    table.add_column("open", justify="right")
    for one in report.balances[:BALANCES_SHOWN_MAX]:
        amount = format_amount(one.open_minor, currency=one.currency)
        table.add_row(one.customer, one.currency, amount)
    if len(report.balances) > BALANCES_SHOWN_MAX:
        table.add_row(f"and {len(report.balances) - BALANCES_SHOWN_MAX} more", "", "")
    for currency, minor in sum_totals(report.balances).items():
        table.add_row("all", currency, format_amount(minor, currency=currency))
    show_table(table, console=console)


def describe_reject(reject: Reject) -> str:
    """Write one reject as a line."""
    place = f"row {reject.row}" + (f", column {reject.column}" if reject.column else "")
    return f"{place}: {reject.reason}"


def _explain_nothing(report: ImportReport) -> str:
    if report.refusal:
        return f"Nothing was imported: {report.refusal}."
    if report.rows_rejected:
        return (
            "Nothing was imported: there are bad rows and the import was strict, or no good ones."
        )
    return "Nothing was imported: the file holds nothing new."
