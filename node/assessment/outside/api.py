"""API of agencies' reports and public lists: read, enter, correct, withdraw, import a file."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request

from node.assessment.outside.errors import OutsideFileError
from node.assessment.outside.gone import EvidenceErasure
from node.assessment.outside.importing import read_check_file, read_report_file
from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.rules_report import OutsideReport
from node.assessment.outside.service import Entered, OutsideService
from node.assessment.outside.view import build_check_objects, build_report_objects
from node.assessment.outside_evidence import ReportKind
from node.assessment.policy_outside import PublicList
from node.core.http.models import ApiModel
from node.records.api import Currency, CustomerId, Day, Entry, PathKey, Reason, Sha256Hex
from node.records.tables import ITEM_MINOR_MAX

FILE_CHARS_MAX = 1_000_000  # within the limit of a body
Name = Annotated[str, Field(min_length=1, max_length=64)]
Origin = Annotated[str, Field(min_length=1, max_length=200)]
Limit = Annotated[int, Field(strict=True, ge=0, le=ITEM_MINOR_MAX)]
CheckCustomers = Callable[[Request, frozenset[int]], None]


class ReportBody(Entry):
    """A report as it is typed in: the score or grade as printed, in the scale that is named."""

    agency: Name
    number: Name
    kind: ReportKind
    scale: Annotated[str, Field(max_length=32)] = ""
    printed: Annotated[str, Field(max_length=32)] = ""
    limit_minor: Limit | None = None
    currency: Currency | None = None
    issued_on: Day
    expires_on: Day | None = None
    document_sha256_hex: Sha256Hex | None = None
    source: Origin

    def build(self) -> OutsideReport:
        """Return the report."""
        return OutsideReport(
            agency=self.agency,
            number=self.number,
            kind=self.kind,
            scale=self.scale,
            printed=self.printed,
            limit_minor=self.limit_minor,
            currency=self.currency,
            issued_on=self.issued_on,
            expires_on=self.expires_on,
            document_sha256_hex=self.document_sha256_hex,
            source=self.source,
        )


class ReportCorrectionBody(ReportBody):
    """The whole report as it should have been, and why."""

    reason: Reason


class CheckBody(Entry):
    """A look into a public list: an entry with its number, or that there was none."""

    list: PublicList
    found: bool
    reference: Annotated[str, Field(max_length=64)] = ""
    listed_on: Day | None = None
    removed_on: Day | None = None
    checked_on: Day
    document_sha256_hex: Sha256Hex | None = None
    source: Origin

    def build(self) -> ListCheck:
        """Return the look."""
        return ListCheck(
            list=self.list,
            is_found=self.found,
            reference=self.reference,
            listed_on=self.listed_on,
            removed_on=self.removed_on,
            source=self.source,
            checked_on=self.checked_on,
            document_sha256_hex=self.document_sha256_hex,
        )


class OutsideReasonBody(Entry):
    """Why something counts no longer."""

    reason: Reason


class OutsideFileBody(Entry):
    """A table (CSV) or JSON in base64; each row names its customer by an identifier."""

    content_b64: Annotated[str, Field(max_length=FILE_CHARS_MAX)]
    dry_run: bool = False

    def read_content(self) -> bytes:
        """Return the file.

        Raises:
            OutsideFileError: It is not in base64.
        """
        try:
            return base64.b64decode(self.content_b64, validate=True)
        except binascii.Error as err:
            raise OutsideFileError("the content is not in base64") from err


class KeysView(ApiModel):
    """The keys of what was given, in order; ``known`` were there already.

    ``gone`` are the rows that were left out, each with why: what was deleted does not come back.
    """

    keys: list[int]
    known: int
    gone: dict[int, str] = Field(default_factory=dict)


def build_outside_router(
    outside: OutsideService, life: EvidenceErasure, *, check_customers: CheckCustomers
) -> APIRouter:
    """Return the routes; ``check_customers`` refuses whom a file names and who may not be seen."""
    router = APIRouter(tags=["outside evidence"])
    _add_erasures(router, life)
    _add_reports(router, outside)
    _add_checks(router, outside)
    _add_imports(router, outside, check_customers=check_customers)
    return router


def _add_erasures(router: APIRouter, life: EvidenceErasure) -> None:
    @router.post("/customers/{customer_id}/reports/{report_id}/erasure", status_code=204)
    async def erase_report(
        customer_id: CustomerId, report_id: PathKey, body: OutsideReasonBody
    ) -> None:
        """Delete a report with all its versions before its time; it is not entered again."""
        await asyncio.to_thread(
            lambda: life.erase(customer_id, report_id=report_id, reason=body.reason, by=body.by)
        )

    @router.post("/customers/{customer_id}/list-checks/{check_id}/erasure", status_code=204)
    async def erase_check(
        customer_id: CustomerId, check_id: PathKey, body: OutsideReasonBody
    ) -> None:
        """Delete a look into a public list before its time; it is not entered again."""
        await asyncio.to_thread(
            lambda: life.erase(customer_id, check_id=check_id, reason=body.reason, by=body.by)
        )


def _add_imports(
    router: APIRouter, outside: OutsideService, *, check_customers: CheckCustomers
) -> None:
    @router.post("/reports/import", status_code=201)
    async def import_reports(request: Request, body: OutsideFileBody) -> KeysView:
        """Enter the reports of a file, all or none; a dry run refuses the same."""

        def enter() -> Entered:
            given = read_report_file(body.read_content())
            check_customers(request, outside.find_customers([named for named, _ in given]))
            return outside.enter_reports(given, by=body.by, is_trial=body.dry_run)

        return _view(await asyncio.to_thread(enter))

    @router.post("/list-checks/import", status_code=201)
    async def import_checks(request: Request, body: OutsideFileBody) -> KeysView:
        """Enter the looks of a file, all or none; a dry run refuses the same."""

        def enter() -> Entered:
            given = read_check_file(body.read_content())
            check_customers(request, outside.find_customers([named for named, _ in given]))
            return outside.enter_checks(given, by=body.by, is_trial=body.dry_run)

        return _view(await asyncio.to_thread(enter))


def _add_reports(router: APIRouter, outside: OutsideService) -> None:
    @router.get("/customers/{customer_id}/reports")
    async def list_reports(customer_id: CustomerId) -> list[dict[str, Any]]:
        """Return every version of a customer's reports from agencies."""
        return build_report_objects(await asyncio.to_thread(outside.list_reports, customer_id))

    @router.post("/customers/{customer_id}/reports", status_code=201)
    async def enter_report(customer_id: CustomerId, body: ReportBody) -> KeysView:
        """Enter a report; the same again changes nothing."""
        given = [(str(customer_id), body.build())]
        return _view_one(await asyncio.to_thread(lambda: outside.enter_reports(given, by=body.by)))

    @router.post("/customers/{customer_id}/reports/{report_id}/correction", status_code=201)
    async def correct_report(
        customer_id: CustomerId, report_id: PathKey, body: ReportCorrectionBody
    ) -> KeysView:
        """Enter the next version of a report, with its reason."""
        key = await asyncio.to_thread(
            lambda: outside.correct_report(
                customer_id, report_id, body.build(), reason=body.reason, by=body.by
            )
        )
        return KeysView(keys=[key], known=0)

    @router.post("/customers/{customer_id}/reports/{report_id}/withdrawal", status_code=201)
    async def withdraw_report(
        customer_id: CustomerId, report_id: PathKey, body: OutsideReasonBody
    ) -> KeysView:
        """Enter that a report counts no longer."""
        key = await asyncio.to_thread(
            lambda: outside.withdraw_report(customer_id, report_id, reason=body.reason, by=body.by)
        )
        return KeysView(keys=[key], known=0)


def _add_checks(router: APIRouter, outside: OutsideService) -> None:
    @router.get("/customers/{customer_id}/list-checks")
    async def list_checks(customer_id: CustomerId) -> list[dict[str, Any]]:
        """Return every look into a public list for a customer."""
        return build_check_objects(await asyncio.to_thread(outside.list_checks, customer_id))

    @router.post("/customers/{customer_id}/list-checks", status_code=201)
    async def enter_check(customer_id: CustomerId, body: CheckBody) -> KeysView:
        """Enter a look into a public list; the same again changes nothing."""
        given = [(str(customer_id), body.build())]
        return _view_one(await asyncio.to_thread(lambda: outside.enter_checks(given, by=body.by)))

    @router.post("/customers/{customer_id}/list-checks/{check_id}/withdrawal", status_code=201)
    async def withdraw_check(
        customer_id: CustomerId, check_id: PathKey, body: OutsideReasonBody
    ) -> KeysView:
        """Enter that a look counts no longer."""
        await asyncio.to_thread(
            lambda: outside.withdraw_check(customer_id, check_id, reason=body.reason, by=body.by)
        )
        return KeysView(keys=[check_id], known=0)


def _view_one(entered: Entered) -> KeysView:
    entered.check_whole()
    return _view(entered)


def _view(entered: Entered) -> KeysView:
    return KeysView(keys=list(entered.keys), known=entered.known, gone=dict(entered.gone))
