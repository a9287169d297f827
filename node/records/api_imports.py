"""Operator's API of imports: a file as the body, the report as the answer.

A file is known again by what it holds, so that the same body sent twice changes nothing: it needs
no idempotency key.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request

from node.core.http.models import ApiModel
from node.records.documents import DocumentOptions, DocumentReport, is_document_file
from node.records.importing import ImportReport, Reject, parse_control_totals, sum_totals
from node.records.importing.suggestions import suggest
from node.records.mappings import MappingService
from node.records.service import RecordsService
from node.records.tables import FILE_NAME_CHARS_MAX, SOURCE_CHARS_MAX

IMPORTS_PATH = "/imports"
IMPORT_BYTES_MAX = 32 * 2**20
CONTROL_TOTALS_MAX = 20
REJECTS_SENT_MAX = 1_000

Source = Annotated[str | None, Query(min_length=1, max_length=SOURCE_CHARS_MAX)]
FileName = Annotated[str, Query(min_length=1, max_length=FILE_NAME_CHARS_MAX)]
ControlTotals = Annotated[list[str] | None, Query(max_length=CONTROL_TOTALS_MAX)]


class RejectView(ApiModel):
    """A row that was left out, why, and what to do."""

    row: int
    column: str
    reason: str
    suggestion: str


class ImportView(ApiModel):
    """What became of a file. Amounts are minor units of their currency."""

    file_name: str
    file_sha256_hex: str
    form: str  # the profile of a table, or the format of a document
    source: str
    imported: bool
    dry_run: bool
    refusal: str
    rows_read: int
    rows_duplicate: int
    rows_known: int
    rows_rejected: int
    rows_used: int
    left_out: dict[str, int]
    oddities: dict[str, int]
    invoices_added: int
    payments_added: int
    credit_notes_added: int
    customers_added: int
    open_minor: dict[str, int]  # by currency; of an opening or a list with credits
    rejects: list[RejectView]  # the first ones


def build_imports_router(records: RecordsService, mappings: MappingService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["imports"])

    @router.post(IMPORTS_PATH)
    async def import_file(
        request: Request,
        source: Source = None,
        file_name: FileName = "upload",
        sheet: Annotated[str | None, Query(max_length=FILE_NAME_CHARS_MAX)] = None,
        *,
        dry_run: bool = False,
        strict: bool = False,
        opening: bool = False,
        control_total: ControlTotals = None,
    ) -> ImportView:
        """Import a table, read as saved for its source, or a document; a dry run writes nothing."""
        raw = await request.body()

        def run() -> ImportView:
            if is_document_file(raw):
                options = DocumentOptions(source=source, strict=strict, trial=dry_run)
                return _view_document(records.import_documents(raw, options, file_name=file_name))
            report = records.import_file(
                raw,
                file_name=file_name,
                profile=None if source is None else mappings.find_profile(source),
                source=source,
                strict=strict,
                dry_run=dry_run,
                sheet=sheet,
                is_opening=opening,
                control_totals=parse_control_totals(control_total or ()),
            )
            return _view_table(report, is_trial=dry_run)

        return await asyncio.to_thread(run)

    return router


def _view_table(report: ImportReport, *, is_trial: bool) -> ImportView:
    return ImportView(
        file_name=report.file_name,
        file_sha256_hex=report.file_sha256_hex,
        form=report.profile,
        source=report.source,
        imported=report.imported and not is_trial,
        dry_run=is_trial,
        refusal=report.refusal,
        rows_read=report.rows_read,
        rows_duplicate=report.rows_duplicate,
        rows_known=report.rows_known,
        rows_rejected=report.rows_rejected,
        rows_used=report.rows_used,
        left_out=dict(report.excluded),
        oddities=dict(report.oddities),
        invoices_added=report.invoices_added,
        payments_added=report.payments_added,
        credit_notes_added=report.credit_notes_added,
        customers_added=report.customers_added,
        open_minor=sum_totals(report.balances),
        rejects=_view_rejects(report.rejects),
    )


def _view_document(report: DocumentReport) -> ImportView:
    return ImportView(
        file_name=report.file_name,
        file_sha256_hex=report.file_sha256_hex,
        form=report.form,
        source=report.source,
        imported=report.imported,
        dry_run=report.is_trial,
        refusal="",
        rows_read=report.rows_read,
        rows_duplicate=0,
        rows_known=report.rows_known,
        rows_rejected=report.rows_rejected,
        rows_used=report.rows_used,
        left_out=report.left_out,
        oddities=report.oddities,
        invoices_added=report.invoices_added,
        payments_added=report.payments_added,
        credit_notes_added=report.credit_notes_added,
        customers_added=report.customers_added,
        open_minor={},
        rejects=_view_rejects(report.rejects),
    )


def _view_rejects(rejects: tuple[Reject, ...]) -> list[RejectView]:
    return [
        RejectView(
            row=one.row, column=one.column, reason=one.reason, suggestion=suggest(one.reason)
        )
        for one in rejects[:REJECTS_SENT_MAX]
    ]
