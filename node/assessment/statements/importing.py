"""From a file to statements that are kept, or to the findings that refuse it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from node.assessment.statements.errors import StatementFileError, StatementInvalidError
from node.assessment.statements.reading import Draft, Given
from node.assessment.statements.reading_csv import read_statement_table
from node.assessment.statements.reading_xbrl import read_instance
from node.assessment.statements.rules_findings import has_errors
from node.assessment.statements.rules_statement import Provenance, Source
from node.assessment.statements.service import Entered, StatementService
from node.assessment.statements.taxonomies import BUILT_IN, Taxonomy
from node.assessment.statements.xbrl import XBRL_BYTES_MAX
from node.records.importing.cells import AmountForm

STATEMENT_FILE_BYTES_MAX = XBRL_BYTES_MAX


class FileForm(StrEnum):
    """In what form a file is."""

    CSV = "csv"
    XBRL = "xbrl"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How a file is read, and what it does not say itself."""

    form: FileForm
    received_on: date
    numbers: AmountForm = AmountForm.POINT
    given: Given = field(default_factory=Given)


def find_form(raw: bytes) -> FileForm:
    """Tell by its begin whether a file is XML."""
    is_xml = raw[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    return FileForm.XBRL if is_xml else FileForm.CSV


def read_file(
    raw: bytes, options: FileOptions, *, taxonomies: Sequence[Taxonomy] = BUILT_IN
) -> Draft:
    """Read the statements of a file.

    Raises:
        StatementFileError: It is too large, or no such file.
    """
    if options.form is FileForm.XBRL:
        return read_instance(raw, given=options.given, taxonomies=taxonomies)
    return read_statement_table(raw, form=options.numbers, given=options.given)


def import_statements(
    service: StatementService,
    customer_id: int,
    raw: bytes,
    *,
    options: FileOptions,
    by: str,
    is_trial: bool = False,
) -> Entered:
    """Enter the statements of a file, all or none; a trial finds the same and keeps nothing.

    Raises:
        StatementFileError: It is too large, or no such file.
        StatementInvalidError: Anything in it refuses it.
        StatementExistsError: There is another statement of a year and basis.
    """
    draft = read_file(raw, options, taxonomies=service.taxonomies)
    if has_errors(draft.findings):
        if is_trial:
            return Entered(statement_ids=(), findings=draft.findings)
        raise StatementInvalidError(draft.findings)
    entered = service.enter(
        customer_id,
        draft.statements,
        provenance=trace_file(draft, options),
        by=by,
        is_trial=is_trial,
    )
    return replace(entered, findings=(*draft.findings, *entered.findings))


def correct_by_file(
    service: StatementService,
    customer_id: int,
    statement_id: int,
    raw: bytes,
    *,
    options: FileOptions,
    reason: str,
    by: str,
) -> Entered:
    """Enter the one statement of a file as the next version of another.

    Raises:
        StatementFileError: The file is none, or has another number of statements than one.
        StatementInvalidError: Anything in it refuses it.
        StatementNotFoundError: The customer has no such statement that counts.
    """
    draft = read_file(raw, options, taxonomies=service.taxonomies)
    if has_errors(draft.findings):
        raise StatementInvalidError(draft.findings)
    if len(draft.statements) != 1:
        raise StatementFileError("a correction is one statement: name its year")
    entered = service.correct(
        customer_id,
        statement_id,
        draft.statements[0],
        provenance=trace_file(draft, options),
        reason=reason,
        by=by,
    )
    return replace(entered, findings=(*draft.findings, *entered.findings))


def trace_file(draft: Draft, options: FileOptions) -> Provenance:
    """Return where the statements of a file came from."""
    return Provenance(
        source=Source(options.form.value),
        document_sha256_hex=draft.document_sha256_hex,
        received_on=options.received_on,
    )
