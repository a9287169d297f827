"""The import of documents on the command line: its options, and what it prints."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from node.core.money import format_amount
from node.core.terminal import show_counts
from node.records.documents import (
    DocumentOptions,
    DocumentReport,
    Fate,
    Outcome,
    Payers,
    parse_customer,
    read_payers,
)
from node.records.formats.recognition import DocumentFormat

OUTCOMES_SHOWN_MAX = 50


class FileForm(StrEnum):
    """What a file is: a table of rows, or one of the formats of documents."""

    CSV = "csv"
    UBL = "ubl"
    CAMT = "camt"
    MT940 = "mt940"
    FAPIAO = "fapiao"
    OFD = "ofd"


def build_options(
    *,
    form: FileForm | None,
    source: str | None,
    customer: str | None,
    terms_days: int | None,
    payers: Path | None,
    strict: bool,
    trial: bool,
) -> DocumentOptions:
    """Return the options of an import, as the command line says them.

    Raises:
        ImportFileError: One of them is not usable, or the file of the payers is not.
    """
    return DocumentOptions(
        form=None if form is None else DocumentFormat(form.value),
        source=source,
        customer=None if customer is None else parse_customer(customer),
        terms_days=terms_days,
        payers=Payers() if payers is None else read_payers(payers),
        strict=strict,
        trial=trial,
    )


def show_document_report(report: DocumentReport, *, console: Console) -> None:
    """Print what became of a file: counts, then each document or payment with its reason."""
    counts = {
        "read": report.rows_read,
        **{f"left out: {reason}": count for reason, count in report.left_out.items()},
        "already imported": report.rows_known,
        "rejected": report.rows_rejected,
        "used": report.rows_used,
        "invoices added": report.invoices_added,
        "credit notes added": report.credit_notes_added,
        "payments added": report.payments_added,
        "customers added": report.customers_added,
        **{f"odd, but loaded: {reason}": count for reason, count in report.oddities.items()},
    }
    title = f"{report.file_name}: {report.form}"
    show_counts(title, counts, what="documents or payments", console=console)
    shown = [one for one in report.outcomes if one.fate in {Fate.ENTERED, Fate.REJECTED}]
    for outcome in shown[:OUTCOMES_SHOWN_MAX]:
        console.print(escape(describe_outcome(outcome)), soft_wrap=True, highlight=False)
    if len(shown) > OUTCOMES_SHOWN_MAX:
        console.print(f"and {len(shown) - OUTCOMES_SHOWN_MAX} more")
    if report.is_trial:
        console.print("A dry run: nothing was changed.")
    elif not report.imported:
        console.print(_explain_nothing(report))


def describe_outcome(outcome: Outcome) -> str:
    """Write what became of one document or payment as a line."""
    place = f"row {outcome.row}" + (f".{outcome.line}" if outcome.line else "")
    money = ""
    if outcome.amount_minor:
        amount = format_amount(outcome.amount_minor, currency=outcome.currency)
        money = f" {amount} {outcome.currency}"
    customer = f" of {outcome.customer}" if outcome.customer else ""
    reason = f" ({outcome.reason})" if outcome.reason else ""
    key = "" if outcome.item_id is None else f" as item {outcome.item_id}"
    return f"{place}{money}{customer}: {outcome.fate}{key}, {outcome.what}{reason}"


def _explain_nothing(report: DocumentReport) -> str:
    if report.rows_rejected:
        return "Nothing was imported: what is new was rejected, or the import was strict."
    return "Nothing was imported: the file holds nothing new."
