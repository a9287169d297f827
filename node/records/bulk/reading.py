"""Reading a large file into the engine's tables ``invoice`` and ``payment``, merged by line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from node.core.money import minor_exponent
from node.records.bulk import read_statements as statements
from node.records.bulk.engine import SEPARATOR, Engine, Spool
from node.records.importing.cells import RowCells
from node.records.importing.dealing import Deal
from node.records.importing.draft import DraftRow, Oddity
from node.records.importing.profiles import (
    TEMPLATE_COLUMNS,
    Profile,
    TemplateProfile,
    build_header_test,
    choose_profile,
)
from node.records.importing.reading import (
    ImportContent,
    ImportSpan,
    iterate_cells,
    merge_draft,
    name_file,
    parse_source,
    read_draft,
)
from node.records.importing.report import REJECTS_KEPT_MAX, Reject
from node.records.importing.text import TextTable, read_large_table, unpack

_NOT_SPOOLED = re.compile('[\r\n"]')


@dataclass(slots=True, kw_only=True)
class LargeContent(ImportContent):
    """The counts of a large file; its invoices are in the engine, few at a time are here."""

    span: ImportSpan = field(default_factory=ImportSpan)

    def reject(self, row: int, *, column: str, reason: str) -> None:
        """Note a row that is left out; rows come in any order, the first ones are kept."""
        self.rows_rejected += 1
        self.rejects.append(Reject(row=row, column=column, reason=reason))
        if len(self.rejects) > 2 * REJECTS_KEPT_MAX:
            self.rejects.sort(key=attrgetter("row"))
            del self.rejects[REJECTS_KEPT_MAX:]

    def find_span(self) -> ImportSpan:
        """Return the days between which the good rows lie."""
        return self.span


def read_large_file(
    engine: Engine,
    folder: Path,
    file: Path | bytes,
    *,
    file_name: str | None,
    profile: Profile | str | None,
    source: str | None,
    deal: Deal | None,
    on_progress: Callable[[int, int], None] | None,
) -> LargeContent:
    """Read a file; what its rows say is in the engine's tables then.

    Raises:
        ImportFileError: The file cannot be read as a whole (``node.records.importing.errors``).
    """
    plain_file = folder / "file"
    sha256_hex = _copy_unpacked(file, plain_file)
    table = read_large_table(plain_file, is_header=build_header_test(profile))
    chosen = choose_profile(table.header, name=profile)
    content = LargeContent(
        file_name=name_file(file, file_name),
        file_sha256_hex=sha256_hex,
        encoding=table.encoding,
        profile=chosen.name,
        source=parse_source(source or chosen.name),
    )
    _read_rows(engine, content, table, chosen, deal=deal, on_progress=on_progress)
    plain_file.unlink()
    _merge_rows(engine, content)
    return content


def spool_draft(spool: Spool, draft: DraftRow, *, row: int) -> None:
    """Write a row's values for ``statements.DRAFT_COLUMNS``."""
    spool.write(row, *_list_values(draft), draft.paid_on, draft.paid_minor, ",".join(draft.remarks))


def parse_draft(values: tuple[Any, ...]) -> tuple[int, DraftRow]:
    """Return a row's number and its values from ``statements.DRAFT_COLUMNS``."""
    row, scheme, value, name, country, document_no, line, issued_on, due_on, *rest = values
    currency, amount_minor, disputed, paid_on, paid_minor, remarks = rest
    draft = DraftRow(
        scheme=scheme,
        value=value,
        name=name,
        country=country,
        document_no=document_no,
        line=line,
        issued_on=issued_on,
        due_on=due_on,
        currency=currency,
        amount_minor=amount_minor,
        disputed=disputed,
        paid_on=paid_on,
        paid_minor=paid_minor,
        remarks=tuple(Oddity(remark) for remark in (remarks or "").split(",") if remark),
    )
    return row, draft


def _copy_unpacked(file: Path | bytes, target: Path) -> str:
    digest = hashlib.sha256()
    with target.open("wb") as plain:
        for piece in unpack(file):
            digest.update(piece)
            plain.write(piece)
    return digest.hexdigest()


def _read_rows(
    engine: Engine,
    content: LargeContent,
    table: TextTable,
    profile: Profile,
    *,
    deal: Deal | None,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    """Fill ``draft`` with the rows that can be read; reject the others."""
    # Other profiles have no narrow form yet: the engine only holds what Python has read.
    is_template = profile == TemplateProfile()
    columns = TEMPLATE_COLUMNS
    raw_columns = ("row bigint", *(f"{column} varchar" for column in columns))
    with (
        engine.fill("draft", statements.DRAFT_COLUMNS) as drafts,
        engine.fill("raw", raw_columns) as raw,
    ):
        rows = iterate_cells(content, table, profile, deal=deal, on_progress=on_progress)
        for number, row in rows:
            if is_template:
                text = SEPARATOR.join([row.cells[column] for column in columns])
                if text.count(SEPARATOR) == len(columns) - 1 and not _NOT_SPOOLED.search(text):
                    raw.write_line(f"{number}{SEPARATOR}{text}")
                    continue
            draft = read_draft(content, profile, row, number=number)
            if isinstance(draft, DraftRow):  # a profile with credits does not come here
                spool_draft(drafts, draft, row=number)
    if is_template:
        _take_plain_rows(engine, content, profile)


def _take_plain_rows(engine: Engine, content: LargeContent, profile: Profile) -> None:
    with engine.fill("exponent", ("currency varchar", "exponent integer")) as exponents:
        for (currency,) in engine.iterate(statements.LIST_CURRENCIES):
            exponents.write(currency, minor_exponent(currency))
    engine.run(statements.READ_PLAIN)
    with engine.fill("draft", statements.DRAFT_COLUMNS) as drafts:
        for number, *cells in engine.iterate(statements.NOT_PLAIN):
            texts = [cell or "" for cell in cells]
            row = RowCells(dict(zip(TEMPLATE_COLUMNS, texts, strict=True)))
            draft = read_draft(content, profile, row, number=number)
            if isinstance(draft, DraftRow):  # a profile with credits does not come here
                spool_draft(drafts, draft, row=number)
    engine.run("drop table raw")


def _merge_rows(engine: Engine, content: LargeContent) -> None:
    """Fill ``invoice`` and ``payment`` from ``draft``, and note what is odd."""
    engine.run(statements.PLACE)
    engine.run("drop table draft")
    engine.run(statements.FIND_JUDGED)
    engine.run(statements.TAKE_INVOICES)
    engine.run(statements.TAKE_PAYMENTS)
    after_due, before_issue = engine.get_row(statements.COUNT_ODD_DATES)
    content.oddities[Oddity.ISSUED_AFTER_DUE.value] += after_due
    content.oddities[Oddity.PAID_BEFORE_ISSUED.value] += before_issue
    for remarks, count in engine.iterate(statements.COUNT_REMARKS):
        for remark in remarks.split(","):
            content.oddities[remark] += count
    _judge_lines(engine, content)
    engine.run("drop table placed")
    first_due_on, last_due_on, last_event_on = engine.get_row(statements.FIND_SPAN)
    content.span = ImportSpan(
        first_due_on=first_due_on, last_due_on=last_due_on, last_event_on=last_event_on
    )


def _judge_lines(engine: Engine, content: LargeContent) -> None:
    with (
        engine.fill("invoice", statements.INVOICE_COLUMNS) as invoices,
        engine.fill("payment", statements.PAYMENT_COLUMNS) as payments,
    ):
        drafts = map(parse_draft, engine.iterate(statements.LIST_JUDGED))
        by_line = groupby(drafts, key=lambda one: (one[1].document_no, one[1].line))
        for (document_no, line), rows in by_line:
            for number, draft in rows:
                merge_draft(content, draft, number=number)
            invoice = content.invoices.pop((document_no, line))
            spool_invoice(invoices, invoice.draft, row=invoice.row)
            for payment, number in invoice.payments.items():
                payments.write(number, document_no, line, payment.paid_on, payment.amount_minor)


def spool_invoice(spool: Spool, draft: DraftRow, *, row: int) -> None:
    """Write an invoice's values for ``statements.INVOICE_COLUMNS``."""
    spool.write(row, *_list_values(draft), ",".join(draft.remarks))


def _list_values(draft: DraftRow) -> tuple[object, ...]:
    """Return what both tables hold of an invoice, in their order."""
    return (
        draft.scheme,
        draft.value,
        draft.name,
        draft.country,
        draft.document_no,
        draft.line,
        draft.issued_on,
        draft.due_on,
        draft.currency,
        draft.amount_minor,
        draft.disputed,
    )
