"""A customer's statements from a file: sent, shown as they would be kept, and then kept.

A table (CSV), an XBRL instance or an inline document. Nothing is written before the last button.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.assessment.policy_file import Language
from node.assessment.statements.chart import CHART, Part
from node.assessment.statements.errors import StatementInvalidError
from node.assessment.statements.importing import (
    STATEMENT_FILE_BYTES_MAX,
    FileForm,
    FileOptions,
    find_form,
    import_statements,
    read_file,
    trace_file,
)
from node.assessment.statements.reading import Draft, Given
from node.assessment.statements.rules_findings import Finding, has_errors
from node.assessment.statements.rules_statement import (
    MONTHS_MAX,
    Assurance,
    Basis,
    Gaap,
    Statement,
    Unit,
    complete,
)
from node.assessment.statements.wording import say
from node.bootstrap.local import LocalNode
from node.core.clock import now_s
from node.core.errors import ConflictError, NodeError, RejectedError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.keystore import draw_bytes
from node.core.money import CURRENCY_FORM, format_amount
from node.core.people.service import Principal
from node.records.importing.cells import AmountForm
from node.records.store import CustomerRecord
from node.records.tables import FILE_NAME_CHARS_MAX
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.languages import choose_language
from node.web.multipart import UploadForm, UploadFormError, parse_upload
from node.web.statement_desk import StatementDesk, StatementUpload
from node.web.statement_pages import STATEMENTS
from node.web.typed import Typed
from node.web.wording import MINUS

UPLOAD_BYTES_MAX = STATEMENT_FILE_BYTES_MAX + 65_536  # the form around the file
FORM_BYTES_MAX = 16_384
FIELDS_MAX = 16
FINDINGS_SHOWN_MAX = 50
ENTITY_CHARS_MAX = 200
_PATHS = (
    ("GET", f"{STATEMENTS}/upload"),
    ("POST", f"{STATEMENTS}/upload"),
    ("GET", f"{STATEMENTS}/upload/{{upload_id}}"),
    ("POST", f"{STATEMENTS}/upload/{{upload_id}}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One item over the years of a file."""

    name: str
    is_total: bool
    cells: tuple[tuple[str, bool], ...]
    """Text, and whether it was worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """One statement with its items."""

    name: str
    rows: tuple[FileRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePage:
    """A file as it would be kept."""

    customer: CustomerRecord
    upload: StatementUpload
    form: FileForm
    typed: Typed
    statements: tuple[Statement, ...]
    parts: tuple[FilePart, ...]
    findings: tuple[tuple[str, str], ...]
    findings_more: int
    known: int
    may_enter: bool
    refused: NodeError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """What a file would come to."""

    draft: Draft
    findings: tuple[Finding, ...] = ()
    known: int = 0
    refused: NodeError | None = None


def build_statement_upload_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    pages = _UploadPages(local, render=render, parse_form=parse_form)
    handlers = (pages.show_start, pages.receive, pages.show_file, pages.take)
    return [
        page(method, path, handler)
        for (method, path), handler in zip(_PATHS, handlers, strict=True)
    ]


class _UploadPages:
    """The handlers; state is the files that wait."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form
        self._desk = StatementDesk(random_bytes=draw_bytes)

    async def show_start(self, request: Request) -> Response:
        """Show where a file is sent."""
        return await self._show_start(request, await self._get_customer(request))

    async def receive(self, request: Request) -> Response:
        """Take a file and lead to what it would come to."""
        customer = await self._get_customer(request)
        body = await read_bounded(request, bytes_max=UPLOAD_BYTES_MAX)
        try:
            form = _parse_file(body, content_type=request.headers.get("content-type", ""))
        except UploadFormError as err:
            return await self._show_start(request, customer, refused=err)
        upload = self._desk.put(
            form.content,
            customer_id=customer.customer_id,
            file_name=form.file_name[:FILE_NAME_CHARS_MAX] or "upload",
            who=request.state.viewer.who,
            now_s=now_s(self._local.clock),
        )
        home = f"/console/customers/{customer.customer_id}/statements"
        return RedirectResponse(f"{home}/upload/{upload.upload_id}", status_code=303)

    async def show_file(self, request: Request) -> Response:
        """Show what a file would come to, read by nothing but what it says itself."""
        customer = await self._get_customer(request)
        upload = self._get_upload(request, customer)
        today = self._local.business_date().isoformat()
        typed = Typed({"received_on": [today], "numbers": [AmountForm.POINT.value]})
        return await self._try(request, customer, upload, typed)

    async def take(self, request: Request) -> Response:
        """Show again what a file would come to, by what is typed; or keep it."""
        customer = await self._get_customer(request)
        upload = self._get_upload(request, customer)
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        typed = Typed(self._parse_form(body, fields_max=FIELDS_MAX))
        options = read_options(typed, form=find_form(upload.content))
        if not typed.raw("enter") or typed.errors:
            return await self._try(request, customer, upload, typed)
        viewer: Principal = request.state.viewer
        try:
            await run_in_threadpool(
                lambda: import_statements(
                    self._local.statements,
                    customer.customer_id,
                    upload.content,
                    options=options,
                    by=viewer.name,
                )
            )
        except StatementInvalidError:
            return await self._try(request, customer, upload, typed)
        except (RejectedError, ConflictError) as err:
            return await self._try(request, customer, upload, typed, refused=err)
        self._desk.drop(upload.upload_id)
        home = f"/console/customers/{customer.customer_id}/statements"
        return RedirectResponse(home, status_code=303)

    async def _try(
        self,
        request: Request,
        customer: CustomerRecord,
        upload: StatementUpload,
        typed: Typed,
        *,
        refused: NodeError | None = None,
    ) -> Response:
        form = find_form(upload.content)
        options = read_options(typed, form=form)
        viewer: Principal = request.state.viewer
        trial = _Trial(draft=Draft(statements=(), findings=(), document_sha256_hex=""))
        if not typed.errors:
            trial = await run_in_threadpool(
                lambda: self._read(customer, upload, options, by=viewer.name)
            )
        refused = refused or trial.refused
        language = choose_language(request)
        is_wrong = bool(typed.errors) or refused is not None or has_errors(trial.findings)
        view = FilePage(
            customer=customer,
            upload=upload,
            form=form,
            typed=typed,
            statements=trial.draft.statements,
            parts=build_file_parts(trial.draft.statements, language),
            findings=tuple(
                (one.severity.value, one.say(language))
                for one in trial.findings[:FINDINGS_SHOWN_MAX]
            ),
            findings_more=max(0, len(trial.findings) - FINDINGS_SHOWN_MAX),
            known=trial.known,
            may_enter=not is_wrong and bool(trial.draft.statements),
            refused=refused,
        )
        status = 200 if request.method == "GET" or not is_wrong else 422
        return await self._render(
            request,
            "statement_file.html",
            status=status,
            page=view,
            units=list(Unit),
            bases=list(Basis),
            gaaps=list(Gaap),
            assurances=list(Assurance),
            amount_forms=list(AmountForm),
            words=lambda kind, code: say(kind, code, language),
        )

    def _read(
        self, customer: CustomerRecord, upload: StatementUpload, options: FileOptions, *, by: str
    ) -> _Trial:
        statements = self._local.statements
        empty = Draft(statements=(), findings=(), document_sha256_hex="")
        try:
            draft = read_file(upload.content, options, taxonomies=statements.taxonomies)
        except RejectedError as err:
            return _Trial(draft=empty, refused=err)
        if has_errors(draft.findings):
            return _Trial(draft=draft, findings=draft.findings)
        try:
            entered = statements.enter(
                customer.customer_id,
                draft.statements,
                provenance=trace_file(draft, options),
                by=by,
                is_trial=True,
            )
        except (RejectedError, ConflictError) as err:
            return _Trial(draft=draft, findings=draft.findings, refused=err)
        findings = (*draft.findings, *entered.findings)
        return _Trial(draft=draft, findings=findings, known=entered.known)

    async def _get_customer(self, request: Request) -> CustomerRecord:
        customer_id = parse_customer_id(request.path_params["customer_id"])
        return await run_in_threadpool(self._local.records.get_customer, customer_id)

    def _get_upload(self, request: Request, customer: CustomerRecord) -> StatementUpload:
        viewer: Principal = request.state.viewer
        return self._desk.get(
            request.path_params["upload_id"],
            customer_id=customer.customer_id,
            who=viewer.who,
            now_s=now_s(self._local.clock),
        )

    async def _show_start(
        self,
        request: Request,
        customer: CustomerRecord,
        *,
        refused: RejectedError | None = None,
    ) -> Response:
        return await self._render(
            request,
            "statement_upload.html",
            status=200 if refused is None else status_of(refused),
            customer=customer,
            refused=refused,
            mebibytes=STATEMENT_FILE_BYTES_MAX // 2**20,
        )


def _parse_file(body: bytes, *, content_type: str) -> UploadForm:
    """Read the form of a file.

    Raises:
        UploadFormError: It is no such form, or has no file.
    """
    form = parse_upload(body, content_type=content_type)
    if not form.content:
        raise UploadFormError("no file was chosen")
    return form


def read_options(typed: Typed, *, form: FileForm) -> FileOptions:
    """Read how a file is to be read; an empty field says nothing of it."""

    def choose(name: str, options: Sequence[str]) -> str | None:
        return typed.choice(name, options) if typed.raw(name) else None

    unit, basis = choose("unit", list(Unit)), choose("basis", list(Basis))
    assurance, gaap = choose("assurance", list(Assurance)), choose("gaap", list(Gaap))
    currency = typed.raw("currency").upper() or None
    if currency is not None and not CURRENCY_FORM.fullmatch(currency):
        typed.refuse("currency", "typed.currency")
    months = typed.raw("months")
    is_count = re.fullmatch("[0-9]{1,2}", months) is not None and 1 <= int(months) <= MONTHS_MAX
    if months and not is_count:
        typed.refuse("months", "typed.months")
    entity = typed.text("entity", chars_max=ENTITY_CHARS_MAX, is_required=False)
    return FileOptions(
        form=form,
        numbers=AmountForm(typed.choice("numbers", list(AmountForm))),
        received_on=typed.day("received_on"),
        given=Given(
            currency=currency,
            unit=None if unit is None else Unit(unit),
            months=int(months) if is_count else None,
            basis=None if basis is None else Basis(basis),
            assurance=None if assurance is None else Assurance(assurance),
            gaap=None if gaap is None else Gaap(gaap),
            year_end=typed.find_day("year_end"),
            entity=entity or None,
        ),
    )


def build_file_parts(statements: Sequence[Statement], language: Language) -> tuple[FilePart, ...]:
    """Return the rows that any of the statements has, side by side."""
    amounts = [(one, *complete(one.lines)) for one in statements]
    return tuple(
        FilePart(
            name=say("part", part, language),
            rows=tuple(
                FileRow(
                    name=item.words.render(language),
                    is_total=item.is_total,
                    cells=tuple(
                        (_say_amount(known.get(code), one.currency), code in derived)
                        for one, known, derived in amounts
                    ),
                )
                for code, item in CHART.items()
                if item.part is part and any(code in known for _, known, _ in amounts)
            ),
        )
        for part in Part
    )


def _say_amount(amount_minor: int | None, currency: str) -> str:
    if amount_minor is None:
        return ""
    return format_amount(amount_minor, currency=currency).replace("-", MINUS)
