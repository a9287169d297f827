"""Reading a file of documents, and entering it within the caller's transaction."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from node.records.documents.bank import BankEntering
from node.records.documents.options import DocumentOptions
from node.records.documents.report import DocumentReport, Fate, Outcome, Tally
from node.records.documents.trade import TradeOptions, enter_document
from node.records.formats.errors import FieldError
from node.records.formats.fapiao import is_ofd
from node.records.formats.recognition import (
    is_document,
    read_document,
)
from node.records.formats.statement import StatementFile
from node.records.formats.trade import TradeDocument
from node.records.importing.errors import FileUnreadableError, OptionInvalidError
from node.records.importing.report import REJECTS_KEPT_MAX
from node.records.importing.text import is_archive, is_gzip, load_bytes
from node.records.ledger.posting import Posting
from node.records.tables import FILE_NAME_CHARS_MAX

_HEAD_BYTES = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContent:
    """What a file holds, before it is compared with what is here."""

    file_name: str
    file_sha256_hex: str
    form: str
    source: str
    content: TradeDocument | StatementFile | FieldError

    @property
    def rows_read(self) -> int:
        """Return how many documents or payments the file holds, read or rejected."""
        return self.content.payment_count if isinstance(self.content, StatementFile) else 1


def is_document_file(file: Path | bytes) -> bool:
    """Tell by its beginning whether a file is a document rather than a table.

    A table may be large: no more than its head is read.

    Raises:
        FileUnreadableError: It is missing or damaged.
    """
    try:
        with io.BytesIO(file) if isinstance(file, bytes) else file.open("rb") as stream:
            return _is_document_stream(stream)
    except (OSError, EOFError, zlib.error) as err:
        raise FileUnreadableError("the file cannot be read, or its compression is damaged") from err


def _is_document_stream(stream: BinaryIO) -> bool:
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    if is_archive(head):
        return is_ofd(stream)
    if is_gzip(head):
        with gzip.GzipFile(fileobj=stream) as unpacked:
            head = unpacked.read(_HEAD_BYTES)
    return is_document(head)


def read_document_file(
    file: Path | bytes, *, file_name: str | None, options: DocumentOptions
) -> DocumentContent:
    """Read a whole file of one format.

    Raises:
        ImportFileError: It cannot be read, or a bank statement has no source.
        DocumentFileError: It is no document that we read.
    """
    raw = load_bytes(file)
    name = file_name or (file.name if isinstance(file, Path) else "document")
    form, content = read_document(raw, expected=options.form)
    source = options.source
    if source is None:
        if isinstance(content, StatementFile):
            raise OptionInvalidError("a bank statement needs --source, the name of the bank")
        source = form.value
    return DocumentContent(
        file_name=name[:FILE_NAME_CHARS_MAX],
        file_sha256_hex=hashlib.sha256(raw).hexdigest(),
        form=form.value,
        source=source,
        content=content,
    )


def enter_documents(
    posting: Posting, read: DocumentContent, options: DocumentOptions, *, tally: Tally
) -> None:
    """Enter what is new of a file, with the record of its import.

    Where the tally has nothing added, the caller rolls back.
    """
    if isinstance(read.content, FieldError):
        field, reason = read.content.field, read.content.reason
        tally.outcomes.append(Outcome(row=1, line=0, fate=Fate.REJECTED, what=field, reason=reason))
        return
    posting.import_id = posting.appending.append_import(
        source=read.source,
        file_name=read.file_name,
        file_sha256_hex=read.file_sha256_hex,
        profile=read.form,
        rows_read=read.rows_read,
        rows_rejected=0,
        invoices_added=0,
        payments_added=0,
        at_ms=posting.at_ms,
    )
    if isinstance(read.content, TradeDocument):
        trade = TradeOptions(
            source=read.source, customer=options.customer, terms_days=options.terms_days
        )
        enter_document(posting, read.content, trade, tally=tally)
    else:
        BankEntering(posting=posting, source=read.source, payers=options.payers, tally=tally).enter(
            read.content
        )
    posting.appending.complete_import(
        posting.import_id,
        rows_rejected=tally.count(Fate.REJECTED),
        invoices_added=tally.invoices_added,
        payments_added=tally.payments_added,
    )


def build_report(
    read: DocumentContent, tally: Tally, *, imported: bool, is_trial: bool
) -> DocumentReport:
    """Return what became of a file."""
    is_kept = imported or is_trial
    added = tally if is_kept else Tally()
    outcomes = [one for one in tally.outcomes if is_kept or one.fate is not Fate.ENTERED]
    if not imported:
        outcomes = [dataclasses.replace(one, item_id=None) for one in outcomes]
    left_out = Counter(one.what for one in tally.outcomes if one.fate is Fate.LEFT_OUT)
    return DocumentReport(
        file_name=read.file_name,
        file_sha256_hex=read.file_sha256_hex,
        form=read.form,
        source=read.source,
        imported=imported,
        is_trial=is_trial,
        rows_read=read.rows_read,
        rows_known=tally.count(Fate.KNOWN),
        rows_rejected=tally.count(Fate.REJECTED),
        rows_used=added.count(Fate.ENTERED),
        left_out=dict(left_out),
        oddities=dict(tally.oddities),
        rejects=tally.rejects[:REJECTS_KEPT_MAX],
        outcomes=tuple(outcomes),
        customers_added=added.customers_added,
        invoices_added=added.invoices_added,
        credit_notes_added=added.credit_notes_added,
        payments_added=added.payments_added,
    )
