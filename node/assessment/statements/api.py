"""API of customers' financial statements: read them explained, enter, correct, withdraw."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from node.assessment.policy_file import Language
from node.assessment.statements.errors import StatementFileError
from node.assessment.statements.importing import FileForm, FileOptions, import_statements
from node.assessment.statements.reading import Given
from node.assessment.statements.rules_statement import (
    MONTHS_MAX,
    MONTHS_OF_YEAR,
    STATEMENT_MINOR_MAX,
    Assurance,
    Basis,
    Gaap,
    Provenance,
    Source,
    Statement,
    Unit,
)
from node.assessment.statements.service import Entered, StatementService
from node.assessment.statements.view import (
    build_chart_object,
    build_findings,
    build_report_object,
    build_version_object,
)
from node.core.http.models import ApiModel
from node.records.api import Currency, CustomerId, Day, Entry, KnownAt, PathKey, Reason
from node.records.importing.cells import AmountForm

FILE_CHARS_MAX = 1_000_000  # within the limit of a body
LINES_MAX = 100
Amount = Annotated[int, Field(strict=True, ge=-STATEMENT_MINOR_MAX, le=STATEMENT_MINOR_MAX)]
Code = Annotated[str, Field(min_length=1, max_length=32)]
Amounts = Annotated[dict[Code, Amount], Field(max_length=LINES_MAX)]
Sha256Hex = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Months = Annotated[int, Field(strict=True, ge=1, le=MONTHS_MAX)]


class StatementBody(Entry):
    """A statement as it is typed in: amounts in minor units, whatever the unit of the paper."""

    year_end: Day
    months: Months = MONTHS_OF_YEAR
    currency: Currency
    unit: Unit
    basis: Basis
    assurance: Assurance
    gaap: Gaap
    lines: Amounts
    opening: Amounts = Field(default_factory=dict)
    document_sha256_hex: Sha256Hex | None = None
    received_on: Day

    def build(self) -> Statement:
        """Return the statement."""
        return Statement(
            year_end=self.year_end,
            months=self.months,
            currency=self.currency,
            unit=self.unit,
            basis=self.basis,
            assurance=self.assurance,
            gaap=self.gaap,
            lines=self.lines,
            opening=self.opening,
        )

    def trace(self) -> Provenance:
        """Return where it came from."""
        return Provenance(
            source=Source.ENTERED,
            document_sha256_hex=self.document_sha256_hex,
            received_on=self.received_on,
        )


class CorrectionBody(StatementBody):
    """The whole statement as it should have been, and why."""

    reason: Reason


class WithdrawalBody(Entry):
    """Why a statement counts no longer."""

    reason: Reason


class FileBody(Entry):
    """A file in base64, and what it does not say itself."""

    form: FileForm
    content_b64: Annotated[str, Field(max_length=FILE_CHARS_MAX)]
    numbers: AmountForm = AmountForm.POINT
    received_on: Day
    currency: Currency | None = None
    unit: Unit | None = None
    months: Months | None = None
    basis: Basis | None = None
    assurance: Assurance | None = None
    gaap: Gaap | None = None
    year_end: Day | None = None
    entity: Annotated[str | None, Field(max_length=200)] = None
    dry_run: bool = False

    def read_content(self) -> bytes:
        """Return the file.

        Raises:
            StatementFileError: It is not in base64.
        """
        try:
            return base64.b64decode(self.content_b64, validate=True)
        except binascii.Error as err:
            raise StatementFileError("the content is not in base64") from err

    def build_options(self) -> FileOptions:
        """Return how it is read."""
        return FileOptions(
            form=self.form,
            numbers=self.numbers,
            received_on=self.received_on,
            given=Given(
                currency=self.currency,
                unit=self.unit,
                months=self.months,
                basis=self.basis,
                assurance=self.assurance,
                gaap=self.gaap,
                year_end=self.year_end,
                entity=self.entity,
            ),
        )


class EnteredView(ApiModel):
    """Keys of the statements in the order given, how many were here, and what was found."""

    statements: list[int]
    known: int
    findings: list[dict[str, Any]]


class StatementKeyView(ApiModel):
    """The key of a version."""

    statement: int


def build_statements_router(statements: StatementService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["statements"])
    _add_reads(router, statements)
    _add_entries(router, statements)
    return router


def _add_reads(router: APIRouter, statements: StatementService) -> None:
    @router.get("/statement-chart")
    async def read_chart(language: Language = Language.EN) -> list[dict[str, Any]]:
        """Return the items that a statement has, by code."""
        return build_chart_object(language)

    @router.get("/customers/{customer_id}/statements")
    async def read_statements(
        customer_id: CustomerId,
        basis: Basis | None = None,
        as_of: Day | None = None,
        known_at_ms: KnownAt = None,
        language: Language = Language.EN,
    ) -> dict[str, Any]:
        """Return up to five years with findings, ratios, trends, Altman's scores and evidence."""
        report = await asyncio.to_thread(
            lambda: statements.report(
                customer_id, basis=basis, as_of=as_of, known_at_ms=known_at_ms
            )
        )
        return build_report_object(report, language=language)

    @router.get("/customers/{customer_id}/statements/versions")
    async def list_versions(customer_id: CustomerId) -> list[dict[str, Any]]:
        """Return every version of every statement, with who entered it and why."""
        versions = await asyncio.to_thread(statements.list_versions, customer_id)
        return [
            build_version_object(one)
            | {"lines": dict(one.statement.lines), "opening": dict(one.statement.opening)}
            for one in versions
        ]


def _add_entries(router: APIRouter, statements: StatementService) -> None:
    @router.post("/customers/{customer_id}/statements", status_code=201)
    async def enter_statement(customer_id: CustomerId, body: StatementBody) -> EnteredView:
        """Enter a statement; the same again changes nothing."""
        entered = await asyncio.to_thread(
            lambda: statements.enter(
                customer_id, [body.build()], provenance=body.trace(), by=body.by
            )
        )
        return _view(entered)

    @router.post("/customers/{customer_id}/statements/import", status_code=201)
    async def import_file(customer_id: CustomerId, body: FileBody) -> EnteredView:
        """Enter the statements of a file, all or none; a dry run tells what would be found."""
        entered = await asyncio.to_thread(
            lambda: import_statements(
                statements,
                customer_id,
                body.read_content(),
                options=body.build_options(),
                by=body.by,
                is_trial=body.dry_run,
            )
        )
        return _view(entered)

    @router.post("/customers/{customer_id}/statements/{statement_id}/correction", status_code=201)
    async def correct_statement(
        customer_id: CustomerId, statement_id: PathKey, body: CorrectionBody
    ) -> EnteredView:
        """Enter the next version of a statement, with its reason."""
        entered = await asyncio.to_thread(
            lambda: statements.correct(
                customer_id,
                statement_id,
                body.build(),
                provenance=body.trace(),
                reason=body.reason,
                by=body.by,
            )
        )
        return _view(entered)

    @router.post("/customers/{customer_id}/statements/{statement_id}/withdrawal", status_code=201)
    async def withdraw_statement(
        customer_id: CustomerId, statement_id: PathKey, body: WithdrawalBody
    ) -> StatementKeyView:
        """Enter that a statement counts no longer."""
        key = await asyncio.to_thread(
            lambda: statements.withdraw(customer_id, statement_id, reason=body.reason, by=body.by)
        )
        return StatementKeyView(statement=key)


def _view(entered: Entered) -> EnteredView:
    return EnteredView(
        statements=list(entered.statement_ids),
        known=entered.known,
        findings=build_findings(entered.findings, Language.EN),
    )
