"""The import's pages: send a list, say which column is what, see what would change, import.

Nothing is written before the last button. The mapping that was used is saved for its source.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.clock import now_s
from node.core.errors import RejectedError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.keystore import draw_bytes
from node.core.people.service import Principal
from node.records.documents import is_document_file
from node.records.importing import (
    ImportFileError,
    ImportReport,
    parse_control_totals,
    parse_mapping,
    sum_totals,
    write_reject_report,
)
from node.records.importing.cells import AmountForm, DateForm
from node.records.importing.guessing import MappingGuess, guess_mapping
from node.records.importing.mapping import FIELDS, OPTIONAL, CreditSign, EntryKind
from node.records.importing.presets import Preset
from node.records.importing.text import load_bytes
from node.records.tables import FILE_NAME_CHARS_MAX
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.import_desk import UPLOAD_BYTES_MAX, Job, Upload, UploadDesk
from node.web.languages import choose_language
from node.web.multipart import UploadForm, UploadFormError, parse_upload
from node.web.page_access import IMPORT_PATH
from node.web.reject_words import say_rejects

FORM_BYTES_MAX = 65_536
FORM_FIELDS_MAX = 128
ROWS_SHOWN_MAX = 50
KINDS_SHOWN_MAX = 40
WAITED_BYTES_MAX = 262_144  # of a file whose result is waited for
CONSTANT_FIELDS = frozenset({"customer_scheme", "country", "currency", "kind"})


class DocumentSentError(RejectedError):
    """The file is an invoice or a statement, which has no columns to choose."""

    code = "upload-document"


def build_import_routes(
    local: LocalNode,
    *,
    render: Render,
    page: BuildRoute,
    parse_form: ParseForm,
) -> list[BaseRoute]:
    """Return the routes of the import's pages."""
    pages = _ImportPages(local, render=render, parse_form=parse_form)
    upload = f"{IMPORT_PATH}/{{upload_id}}"
    return [
        page("GET", IMPORT_PATH, pages.show_start),
        page("POST", IMPORT_PATH, pages.receive),
        page("GET", upload, pages.show_columns),
        page("GET", f"{upload}/progress", pages.show_progress),
        page("POST", f"{upload}/try", pages.try_import),
        page("POST", f"{upload}/run", pages.run_import),
        page("GET", f"{upload}/rejects.csv", pages.send_rejects),
    ]


class _ImportPages:
    """The handlers; state is the files that wait."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form
        self._desk = UploadDesk(random_bytes=draw_bytes)

    async def show_start(self, request: Request) -> Response:
        """Show where a file is sent, and the mappings that are saved."""
        return await self._show_start(request)

    async def receive(self, request: Request) -> Response:
        """Take a file, guess its columns, and lead to them."""
        body = await read_bounded(request, bytes_max=UPLOAD_BYTES_MAX)
        try:
            form = parse_upload(body, content_type=request.headers.get("content-type", ""))
            content, guess = await run_in_threadpool(lambda: self._read_upload(form))
        except (ImportFileError, UploadFormError, DocumentSentError) as err:
            return await self._show_start(request, refused=err)
        upload = self._desk.put(
            content,
            file_name=form.file_name[:FILE_NAME_CHARS_MAX] or "upload",
            sheet=_read_sheet_name(form),
            guess=guess,
            who=request.state.viewer.who,
            now_s=now_s(self._local.clock),
        )
        upload.source = form.fields.get("saved", "") or _name_source(guess)
        return RedirectResponse(f"{IMPORT_PATH}/{upload.upload_id}", status_code=303)

    async def show_columns(self, request: Request) -> Response:
        """Show which column is guessed to be what, to be corrected."""
        return await self._show_columns(request, self._get_upload(request))

    async def try_import(self, request: Request) -> Response:
        """Take the columns as chosen and show what an import would change."""
        upload = self._get_upload(request)
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        form = self._parse_form(body, fields_max=FORM_FIELDS_MAX)
        texts = {name: values[0].strip() for name, values in form.items() if values}
        if upload.is_busy:
            return self._lead_to_progress(upload)
        try:
            upload.guess = _correct(upload.guess, texts)
            upload.source = texts.get("source", "")
            upload.is_opening = "opening" in texts
            upload.control_totals = texts.get("control", "")
        except ImportFileError as err:
            return await self._show_columns(request, upload, refused=err)
        return await self._start(request, upload, Job(is_trial=True))

    async def run_import(self, request: Request) -> Response:
        """Import what was shown, and save how its source is read."""
        upload = self._get_upload(request)
        if upload.is_busy:
            return self._lead_to_progress(upload)
        if upload.report is None:
            return RedirectResponse(f"{IMPORT_PATH}/{upload.upload_id}", status_code=303)
        if upload.is_done:  # sent twice
            return await self._show_result(request, upload, is_trial=False)
        return await self._start(request, upload, Job(is_trial=False))

    async def show_progress(self, request: Request) -> Response:
        """Show how far a job is, by a page that looks again; once it has ended, its result."""
        upload = self._get_upload(request)
        if upload.job is None:
            return RedirectResponse(f"{IMPORT_PATH}/{upload.upload_id}", status_code=303)
        if upload.job.is_running:
            return await self._render(
                request, "import_progress.html", upload=upload, job=upload.job
            )
        return await self._show_end(request, upload, upload.job)

    async def _start(self, request: Request, upload: Upload, job: Job) -> Response:
        """Begin a job; a small file's result is waited for, a large one's has a page."""
        viewer: Principal = request.state.viewer
        upload.job = job
        job.task = asyncio.create_task(run_in_threadpool(self._work, upload, job, by=viewer.name))
        if len(upload.content) > WAITED_BYTES_MAX:
            return self._lead_to_progress(upload)
        await asyncio.wait([job.task])
        return await self._show_end(request, upload, job)

    def _work(self, upload: Upload, job: Job, *, by: str) -> None:
        report = self._import(upload, dry_run=job.is_trial, on_progress=job.tell)
        if not job.is_trial and report.imported:
            self._local.mappings.save(upload.source, upload.guess.to_toml(upload.source), by=by)
            upload.is_done = True
        upload.report = report

    async def _show_end(self, request: Request, upload: Upload, job: Job) -> Response:
        try:
            if job.task is not None:
                job.task.result()
        except ImportFileError as err:
            return await self._show_columns(request, upload, refused=err)
        return await self._show_result(request, upload, is_trial=job.is_trial)

    def _lead_to_progress(self, upload: Upload) -> Response:
        return RedirectResponse(f"{IMPORT_PATH}/{upload.upload_id}/progress", status_code=303)

    async def send_rejects(self, request: Request) -> Response:
        """Send the rejected rows with what to do about each, as CSV."""
        upload = self._get_upload(request)
        text = io.StringIO(newline="")
        write_reject_report(() if upload.report is None else upload.report.rejects, text)
        return Response(
            text.getvalue().encode("utf-8-sig"),  # a spreadsheet would not know UTF-8 otherwise
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="rejects.csv"'},
        )

    def _read_upload(self, form: UploadForm) -> tuple[bytes, MappingGuess]:
        """Return what the file holds, unpacked, and what its columns are."""
        preset = form.fields.get("preset", Preset.ANY.value)
        if preset not in set(Preset) or not form.content:
            raise UploadFormError("no file was chosen")
        if is_document_file(form.content):
            raise DocumentSentError("an invoice or a statement: chengxin import FILE --source NAME")
        content = load_bytes(form.content)
        guess = guess_mapping(content, preset=Preset(preset), sheet=_read_sheet_name(form))
        saved = self._local.mappings.find_profile(form.fields.get("saved", ""))
        return content, guess if saved is None else guess.adopt(saved)

    def _get_upload(self, request: Request) -> Upload:
        viewer: Principal = request.state.viewer
        return self._desk.get(
            request.path_params["upload_id"], who=viewer.who, now_s=now_s(self._local.clock)
        )

    def _import(
        self, upload: Upload, *, dry_run: bool, on_progress: Callable[[int, int], None]
    ) -> ImportReport:
        name = upload.source or _name_source(upload.guess)
        upload.source = name
        totals = upload.control_totals.replace("\uff0c", ",").replace(";", ",").split(",")
        return self._local.records.import_file(
            upload.content,
            file_name=upload.file_name,
            profile=parse_mapping(upload.guess.to_toml(name), what=upload.file_name),
            source=name,
            dry_run=dry_run,
            sheet=upload.sheet,
            is_opening=upload.is_opening,
            control_totals=parse_control_totals(one for one in totals if one.strip()),
            on_progress=on_progress,
        )

    async def _show_start(
        self, request: Request, *, refused: RejectedError | None = None
    ) -> Response:
        saved = await run_in_threadpool(self._local.mappings.list_newest)
        return await self._render(
            request,
            "import.html",
            status=200 if refused is None else status_of(refused),
            presets=list(Preset),
            saved=saved,
            refused=refused,
        )

    async def _show_columns(
        self, request: Request, upload: Upload, *, refused: RejectedError | None = None
    ) -> Response:
        kinds = {**dict.fromkeys(upload.guess.kinds_unknown, ""), **upload.guess.kinds}
        return await self._render(
            request,
            "import_columns.html",
            status=200 if refused is None else status_of(refused),
            upload=upload,
            guess=upload.guess,
            fields=FIELDS,
            optional=OPTIONAL,
            constant_fields=CONSTANT_FIELDS,
            kinds=dict(list(kinds.items())[:KINDS_SHOWN_MAX]),
            entry_kinds=list(EntryKind),
            date_forms=list(DateForm),
            amount_forms=list(AmountForm),
            credit_signs=list(CreditSign),
            refused=refused,
        )

    async def _show_result(self, request: Request, upload: Upload, *, is_trial: bool) -> Response:
        report = upload.report
        return await self._render(
            request,
            "import_result.html",
            upload=upload,
            report=report,
            is_trial=is_trial,
            totals={} if report is None else sum_totals(report.balances),
            rows_shown=ROWS_SHOWN_MAX,
            rejects=say_rejects(
                () if report is None else report.rejects[:ROWS_SHOWN_MAX],
                language=choose_language(request),
            ),
        )


def _read_sheet_name(form: UploadForm) -> str | None:
    return form.fields.get("sheet", "").strip() or None


def _name_source(guess: MappingGuess) -> str:
    return "erp" if guess.preset is Preset.ANY else guess.preset.value


def _correct(guess: MappingGuess, texts: dict[str, str]) -> MappingGuess:
    """Return the guess as the form says it.

    Raises:
        MappingInvalidError: It names a column that there is not.
    """
    for name in FIELDS:
        column = texts.get(f"column.{name}", "")
        guess = (
            guess.choose(name, column)
            if column
            else guess.fix(name, texts.get(f"constant.{name}", guess.constants.get(name, "")))
        )
    for name in ("date_form", "amount_form", "credit_sign"):
        guess = guess.set_form(name, texts.get(name, guess.forms[name]))
    chosen = {
        key.removeprefix("kind."): value
        for key, value in texts.items()
        if key.startswith("kind.") and value
    }
    return replace(guess, kinds={**guess.kinds, **chosen})
