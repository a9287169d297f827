"""The page where an auditor drops bundles: sent, verified in the background, judged, gone.

The verdict is that of ``chengxin audit verify``, and the report is that of ``chengxin audit
report``: nothing is judged here.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from node.bootstrap.home import read_anchor
from node.bootstrap.local import LocalNode
from node.core.clock import now_s
from node.core.config import SettingsError
from node.core.http.problems import status_of
from node.core.keystore import draw_bytes
from node.core.people.service import Look
from node.web.auditor_console import AUDIT_PATH, viewer_of
from node.web.drop_desk import (
    DROP_BYTES_MAX,
    DROP_FILES_MAX,
    DROP_LIFE_S,
    Drop,
    DropDesk,
    DropState,
    DropUnfitError,
)
from node.web.handlers import Handler, Render
from node.web.headers import CONTENT_POLICY
from node.web.languages import choose_language
from node.web.multipart import UploadFormError
from node.web.multipart_files import SavedForm, save_upload
from node.web.rendering import read_static
from node.web.report_page import build_report_page, show_plainly
from protocol.__main__ import parse_anchor
from protocol.encoding import encode_b64u, sha256
from protocol.errors import ProtocolError, TooLargeError

DROPS_PATH = f"{AUDIT_PATH}/drops"
NAME_CHARACTERS_MAX = 120
MINUTE_S = 60


def build_drop_routes(
    local: LocalNode, *, render: Render, guard: Callable[[Handler], Handler]
) -> list[BaseRoute]:
    """Return the routes of the page and of what came of a drop."""
    pages = _DropPages(local, render=render)
    one = f"{DROPS_PATH}/{{drop_id}}"
    return [
        Route(DROPS_PATH, guard(pages.show_form), methods=["GET"]),
        Route(DROPS_PATH, guard(pages.receive), methods=["POST"]),
        Route(one, guard(pages.show_drop), methods=["GET"]),
        Route(f"{one}/report", guard(pages.show_report), methods=["GET"]),
        Route(f"{one}/report.html", guard(pages.send_page), methods=["GET"]),
        Route(f"{one}/report.json", guard(pages.send_json), methods=["GET"]),
        Route(f"{one}/removal", guard(pages.remove), methods=["POST"]),
    ]


class _DropPages:
    """The handlers; state is the drops that are here."""

    def __init__(self, local: LocalNode, *, render: Render) -> None:
        self._local = local
        self._render = render
        self._desk = DropDesk(local.settings.home, random_bytes=draw_bytes)
        css = read_static("report.css")
        css_hash = base64.b64encode(sha256(css)).decode("ascii")
        self._report_policy = (
            f"default-src 'none'; style-src 'sha256-{css_hash}'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )

    async def show_form(self, request: Request) -> Response:
        """Ask for bundles, and show those that are here."""
        return await self._show_form(request)

    async def receive(self, request: Request) -> Response:
        """Take bundles onto the disk and have them verified."""
        viewer = viewer_of(request)
        drop_id, folder = self._desk.open_folder()
        try:
            form = await save_upload(
                request.stream(),
                content_type=request.headers.get("content-type", ""),
                folder=folder,
                bytes_max=DROP_BYTES_MAX,
                files_max=DROP_FILES_MAX,
            )
            anchor = self._choose_anchor(form)
        except (UploadFormError, DropUnfitError, TooLargeError) as err:
            shutil.rmtree(folder, ignore_errors=True)
            return await self._show_form(request, refused=err)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        look = Look(what="drop", target=f"{len(form.files)} bundles")
        await run_in_threadpool(self._local.people.record, viewer, look)
        drop = Drop(
            drop_id=drop_id,
            who=viewer.who,
            at_s=now_s(self._local.clock),
            folder=folder,
            names=tuple(show_plainly(name, NAME_CHARACTERS_MAX) for name, _ in form.files),
            anchor=anchor,
        )
        self._desk.start(drop, [path for _, path in form.files])
        return RedirectResponse(f"{DROPS_PATH}/{drop_id}", status_code=303)

    async def show_drop(self, request: Request) -> Response:
        """Show how far the verifier is, or what it says."""
        drop = self._get(request)
        report = drop.report
        counts = Counter() if report is None else Counter(report.exchange_verdicts)
        return await self._render(
            request,
            "audit_drop.html",
            drop=drop,
            is_open=drop.state is DropState.VERIFYING,
            report=report,
            counts=counts,
            findings=()
            if report is None
            else (*report.findings, *(one for log in report.logs for one in log.findings)),
            plain=show_plainly,
            minutes=DROP_LIFE_S // MINUTE_S,
        )

    async def show_report(self, request: Request) -> Response:
        """Show the report: verdicts, time line, evidence."""
        html = await self._make_page(request)
        return Response(
            html,
            media_type="text/html; charset=utf-8",
            headers={CONTENT_POLICY: self._report_policy},
        )

    async def send_page(self, request: Request) -> Response:
        """Send the report as one file."""
        html = await self._make_page(request)
        return Response(
            html,
            media_type="text/html; charset=utf-8",
            headers={
                CONTENT_POLICY: self._report_policy,
                "content-disposition": 'attachment; filename="audit-report.html"',
            },
        )

    async def send_json(self, request: Request) -> Response:
        """Send all of the verdicts and evidence."""
        text = json.dumps(self._get_judged(request).value, ensure_ascii=False, indent=1)
        name = 'attachment; filename="audit-report.json"'
        return Response(text, media_type="application/json", headers={"content-disposition": name})

    async def remove(self, request: Request) -> Response:
        """Delete a drop before its time."""
        drop = self._get(request)
        await run_in_threadpool(self._desk.remove, drop.drop_id)
        return RedirectResponse(DROPS_PATH, status_code=303)

    async def _make_page(self, request: Request) -> str:
        drop = self._get_judged(request)
        value, language = drop.value, choose_language(request)
        return await run_in_threadpool(
            lambda: build_report_page(
                value or {},
                language=language,
                made_at_s=now_s(self._local.clock),
                software=f"chengxin {version('chengxin')}",
            )
        )

    async def _show_form(
        self,
        request: Request,
        *,
        refused: UploadFormError | DropUnfitError | TooLargeError | None = None,
    ) -> Response:
        return await self._render(
            request,
            "audit_drops.html",
            status=200 if refused is None else status_of(refused),
            refused=refused,
            drops=self._desk.list_of(viewer_of(request).who),
            anchor=self._find_anchor(),
            files_max=DROP_FILES_MAX,
            mebibytes=DROP_BYTES_MAX // 2**20,
            minutes=DROP_LIFE_S // MINUTE_S,
        )

    def _get(self, request: Request) -> Drop:
        return self._desk.get(request.path_params["drop_id"], who=viewer_of(request).who)

    def _get_judged(self, request: Request) -> Drop:
        drop = self._get(request)
        if drop.value is None:
            raise DropUnfitError("these bundles are not judged")
        return drop

    def _find_anchor(self) -> str:
        try:
            return encode_b64u(read_anchor(self._local.settings).raw)
        except SettingsError:
            return ""

    def _choose_anchor(self, form: SavedForm) -> str:
        """Return the key that the form names, else this node's."""
        if not form.files:
            raise DropUnfitError("no file was sent")
        anchor = form.fields.get("anchor", "").strip() or self._find_anchor()
        try:
            parse_anchor(anchor)
        except ProtocolError as err:
            raise DropUnfitError("the anchor is no key of a hub") from err
        return anchor
