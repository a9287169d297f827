"""Reading a whole file into invoices with their payments, before any transaction is opened."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from node.records.importing.cells import AmountForm, CellError, RowCells
from node.records.importing.clearing import settle_clearings
from node.records.importing.dealing import Deal, member_of
from node.records.importing.draft import (
    DraftCredit,
    DraftInvoice,
    DraftPayment,
    DraftRow,
    Exclusion,
    Oddity,
    Settlement,
)
from node.records.importing.errors import OptionInvalidError
from node.records.importing.mapping import MappedProfile
from node.records.importing.page_rows import find_page_row
from node.records.importing.profiles import Profile, build_header_test, choose_profile
from node.records.importing.report import (
    REJECTS_KEPT_MAX,
    Balance,
    ImportOutcome,
    ImportReport,
    Reject,
    sum_balances,
)
from node.records.importing.text import (
    TextTable,
    iterate_rows,
    load_bytes,
    read_table,
)
from node.records.importing.workbook import is_workbook, read_sheet
from node.records.rules_ledger import ItemKind
from node.records.tables import FILE_NAME_CHARS_MAX, SOURCE_CHARS_MAX

PROGRESS_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSpan:
    """The first and last due date of the invoices and the last day on which anything happened."""

    first_due_on: date | None = None
    last_due_on: date | None = None
    last_event_on: date | None = None


@dataclass(slots=True, kw_only=True)
class ImportContent:
    """What a file holds: its good rows merged by invoice line, and the count of all others."""

    file_name: str
    file_sha256_hex: str
    encoding: str
    profile: str
    source: str
    is_opening: bool = False
    invoices: dict[tuple[str, int], DraftInvoice] = field(default_factory=dict)
    credits: dict[tuple[ItemKind, str, int], tuple[DraftCredit, int]] = field(default_factory=dict)
    settlements: list[Settlement] = field(default_factory=list)
    rows_read: int = 0
    rows_dealt_elsewhere: int = 0
    rows_duplicate: int = 0
    rows_rejected: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    oddities: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)

    def reject(self, row: int, *, column: str, reason: str) -> None:
        """Note a row that is left out."""
        self.rows_rejected += 1
        if len(self.rejects) < REJECTS_KEPT_MAX:
            self.rejects.append(Reject(row=row, column=column, reason=reason))

    def exclude(self, reason: Exclusion) -> None:
        """Count a row that is no item of ours."""
        self.excluded[reason.value] += 1

    def note(self, oddity: Oddity) -> None:
        """Count a row that is strange and loaded nevertheless."""
        self.oddities[oddity.value] += 1

    @property
    def debit_kind(self) -> ItemKind:
        """What the documents of the file are entered as."""
        return ItemKind.OPENING if self.is_opening else ItemKind.INVOICE

    def build_report(self, outcome: ImportOutcome | None = None) -> ImportReport:
        """Return the report; without an outcome nothing was written."""
        done = ImportOutcome() if outcome is None else outcome
        rows_rejected = self.rows_rejected + len(done.rejects)
        left_out = (
            self.rows_dealt_elsewhere
            + self.rows_duplicate
            + rows_rejected
            + done.rows_known
            + self.excluded.total()
        )
        span = self.find_span()
        rejects = sorted((*self.rejects, *done.rejects), key=lambda reject: reject.row)
        return ImportReport(
            file_name=self.file_name,
            file_sha256_hex=self.file_sha256_hex,
            encoding=self.encoding,
            profile=self.profile,
            source=self.source,
            imported=done.imported,
            rows_read=self.rows_read,
            rows_dealt_elsewhere=self.rows_dealt_elsewhere,
            rows_duplicate=self.rows_duplicate,
            rows_known=done.rows_known,
            rows_rejected=rows_rejected,
            rows_used=self.rows_read - left_out if done.imported else 0,
            excluded=dict(self.excluded),
            oddities=dict(self.oddities + done.oddities),
            rejects=tuple(rejects[:REJECTS_KEPT_MAX]),
            customers_added=done.customers_added,
            invoices_added=done.invoices_added,
            payments_added=done.payments_added,
            credit_notes_added=done.credit_notes_added,
            refusal=done.refusal,
            balances=self.list_balances() if self.is_opening or self.credits else (),
            first_due_on=span.first_due_on,
            last_due_on=span.last_due_on,
            last_event_on=span.last_event_on,
        )

    def list_balances(self) -> tuple[Balance, ...]:
        """Return what the good rows leave open, by customer and currency."""
        return sum_balances(self.invoices.values(), self.credits.values())

    def find_span(self) -> ImportSpan:
        """Return the days between which the good rows lie."""
        due_dates = [invoice.draft.due_on for invoice in self.invoices.values()]
        return ImportSpan(
            first_due_on=min(due_dates, default=None),
            last_due_on=max(due_dates, default=None),
            last_event_on=_find_last_event(self.invoices.values()),
        )


def read_import_file(
    file: Path | bytes,
    *,
    file_name: str | None = None,
    profile: Profile | str | None = None,
    source: str | None = None,
    deal: Deal | None = None,
    sheet: str | None = None,
    is_opening: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportContent:
    """Read a file; ``on_progress`` is told (rows done, rows in all, about) now and then.

    ``sheet`` names one of a workbook; with ``is_opening`` the file is what was open on the day of
    a cut-over.

    Raises:
        ImportFileError: The file cannot be read as a whole (``node.records.importing.errors``).
    """
    raw = load_bytes(file)
    table = open_table(raw, profile=profile, sheet=sheet)
    chosen = choose_profile(table.header, name=profile)
    content = ImportContent(
        file_name=name_file(file, file_name),
        file_sha256_hex=hashlib.sha256(raw).hexdigest(),
        encoding=table.encoding,
        profile=chosen.name,
        source=parse_source(source or chosen.name),
        is_opening=is_opening,
    )
    for number, row in iterate_cells(content, table, chosen, deal=deal, on_progress=on_progress):
        draft = read_draft(content, chosen, row, number=number)
        if draft is not None:
            merge_draft(content, draft, number=number)
    settle_clearings(content)
    return content


def open_table(raw: bytes, *, profile: Profile | str | None, sheet: str | None) -> TextTable:
    """Return a file as the table that a profile reads.

    Raises:
        ImportFileError: It is none.
    """
    is_header = build_header_test(profile)
    mapped = profile if isinstance(profile, MappedProfile) else None
    if is_workbook(raw):
        has_comma = mapped is not None and mapped.template.amount_form is AmountForm.COMMA
        mark = "," if has_comma else "."
        return read_sheet(raw, sheet=sheet, is_header=is_header, decimal_mark=mark)
    if sheet is not None:
        raise OptionInvalidError("a sheet is of a workbook")
    encoding = (mapped.encoding.value or None) if mapped is not None else None
    return read_table(raw, is_header=is_header, encoding=encoding)


def iterate_cells(
    content: ImportContent,
    table: TextTable,
    profile: Profile,
    *,
    deal: Deal | None,
    on_progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[int, RowCells]]:
    """Yield (row number, cells) of the rows that have a cell a column and are dealt to us.

    Raises:
        ImportFileError: What follows cannot be read as a table.
    """
    document_at = table.header.index(profile.document_column)
    for number, cells in iterate_rows(table):
        content.rows_read += 1
        if on_progress is not None and content.rows_read % PROGRESS_ROWS == 0:
            on_progress(content.rows_read, table.rows_about)
        page_row = find_page_row(cells, header=table.header, document_at=document_at)
        if page_row is not None:
            content.exclude(page_row)
            continue
        if len(cells) != len(table.header):
            reason = f"{len(cells)} cells under a header of {len(table.header)}"
            content.reject(number, column="", reason=reason)
            continue
        row = RowCells(dict(zip(table.header, cells, strict=True)))
        if deal is not None:
            document_no = row.text(profile.document_column)
            if member_of(document_no, members=deal.members) != deal.index:
                content.rows_dealt_elsewhere += 1
                continue
        yield number, row


def read_draft(
    content: ImportContent, profile: Profile, row: RowCells, *, number: int
) -> DraftRow | DraftCredit | None:
    """Read one row; None where it is rejected or left out, which the content then counts."""
    try:
        draft = profile.read_row(row)
    except CellError as err:
        content.reject(number, column=err.column, reason=err.reason)
        return None
    if isinstance(draft, Exclusion):
        content.exclude(draft)
        return None
    return draft


def merge_draft(content: ImportContent, draft: DraftRow | DraftCredit, *, number: int) -> None:
    """Add a row to the invoice line that it is of, or reject it where it does not fit that."""
    try:
        if content.is_opening and _is_closed(draft):
            content.exclude(Exclusion.NOT_OPEN)
        elif isinstance(draft, DraftCredit):
            _merge_credit(content, draft, number=number)
        else:
            _merge_row(content, draft, number=number)
    except CellError as err:
        content.reject(number, column=err.column, reason=err.reason)


def _is_closed(draft: DraftRow | DraftCredit) -> bool:
    """Tell whether a row is no part of an opening balance.

    Raises:
        CellError: A part of it is.
    """
    if isinstance(draft, DraftCredit):
        return draft.cleared_on is not None
    if 0 < draft.paid_minor < draft.amount_minor:
        raise CellError(column="", reason="partly paid: an opening balance is what is open")
    return draft.paid_on is not None


def _merge_credit(content: ImportContent, draft: DraftCredit, *, number: int) -> None:
    if content.is_opening:
        draft = dataclasses.replace(draft, kind=ItemKind.OPENING_CREDIT)
    key = (draft.kind, draft.document_no, draft.line)
    earlier, row = content.credits.setdefault(key, (draft, number))
    if row == number:
        return
    if earlier != draft:
        raise CellError(
            column="", reason=f"row {row} has the same document and line with other values"
        )
    content.rows_duplicate += 1


def name_file(file: Path | bytes, file_name: str | None) -> str:
    """Return the name under which a file is kept in the records."""
    fallback_name = file.name if isinstance(file, Path) else "upload"
    return (file_name or fallback_name)[:FILE_NAME_CHARS_MAX]


def _merge_row(content: ImportContent, draft: DraftRow, *, number: int) -> None:
    key = (draft.document_no, draft.line)
    payment = None
    if draft.paid_on is not None:
        payment = DraftPayment(paid_on=draft.paid_on, amount_minor=draft.paid_minor)
    earlier = content.invoices.get(key)
    if earlier is None:
        payments = {} if payment is None else {payment: number}
        content.invoices[key] = DraftInvoice(draft=draft, row=number, payments=payments)
        _note_oddities(content, draft)
        return
    if not earlier.draft.is_same_invoice(draft):
        raise CellError(
            column="", reason=f"row {earlier.row} has the same document and line with other values"
        )
    if payment is None or payment in earlier.payments:
        content.rows_duplicate += 1
        return
    if earlier.paid_minor + payment.amount_minor > draft.amount_minor:
        raise CellError(column="", reason="with the payments above it more is paid than invoiced")
    earlier.payments[payment] = number


def _note_oddities(content: ImportContent, draft: DraftRow) -> None:
    content.oddities.update(remark.value for remark in draft.remarks)
    if draft.issued_on > draft.due_on:
        content.oddities[Oddity.ISSUED_AFTER_DUE.value] += 1
    if draft.paid_on is not None and draft.paid_on < draft.issued_on:
        content.oddities[Oddity.PAID_BEFORE_ISSUED.value] += 1


def _find_last_event(invoices: Collection[DraftInvoice]) -> date | None:
    days = [invoice.draft.issued_on for invoice in invoices]
    days += [payment.paid_on for invoice in invoices for payment in invoice.payments]
    return max(days, default=None)


def parse_source(source: str) -> str:
    """Read the name of the system that a file comes from.

    Raises:
        OptionInvalidError: It is too long or not printable.
    """
    if len(source) > SOURCE_CHARS_MAX or not source.isprintable():
        raise OptionInvalidError(
            f"a source is named by up to {SOURCE_CHARS_MAX} printable characters"
        )
    return source
