"""The pages of procedures, duties and the access log; a person confirms here what it has read."""

from __future__ import annotations

import io

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.http.bodies import read_bounded
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.governance.duties.view import build_duties_object
from node.governance.duties.wording import say_duty
from node.governance.looks.service import LookFilter, LookRow
from node.governance.looks.view import build_look_object, write_looks
from node.governance.training.view import build_procedure_object, build_standing_object
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.languages import choose_language
from node.web.page_access import Reaching

PROCEDURES_PATH = "/console/procedures"
DUTIES_PATH = "/console/duties"
LOOKS_PATH = "/console/looks"
LOOKS_SHOWN = 500
FORM_BYTES_MAX = 4_096
FORM_FIELDS_MAX = 4


def build_governance_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Governance(local, render=render, parse_form=parse_form)
    return [
        page("GET", PROCEDURES_PATH, desk.list_procedures),
        page("GET", f"{PROCEDURES_PATH}/{{procedure}}", desk.show_procedure),
        page("POST", f"{PROCEDURES_PATH}/{{procedure}}/confirm", desk.confirm),
        page("GET", DUTIES_PATH, desk.show_duties),
        page("GET", LOOKS_PATH, desk.list_looks),
        page("GET", f"{LOOKS_PATH}.csv", desk.send_looks),
    ]


class _Governance:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form

    async def list_procedures(self, request: Request) -> Response:
        """Show the procedures, which of them wait for who is signed in, and who has confirmed."""
        viewer: Principal = request.state.viewer
        training = self._local.governance.training
        own = await run_in_threadpool(training.list_own, viewer)
        found = await run_in_threadpool(training.list_procedures)
        standings = []
        if Reaching(viewer=viewer).reads(Area.GOVERNANCE):
            await self._record(request, Area.GOVERNANCE)
            standings = await run_in_threadpool(training.list_standings)
        return await self._render(
            request,
            "procedures.html",
            procedures=[build_procedure_object(one, has_text=False) for one in found],
            own={one.slug: is_done for one, is_done in own},
            standings=[build_standing_object(one) for one in standings],
            roles=self._say_roles(request),
        )

    async def show_procedure(self, request: Request) -> Response:
        """Show the newest version of a procedure, to be read and confirmed."""
        viewer: Principal = request.state.viewer
        training = self._local.governance.training
        found = await run_in_threadpool(training.get, request.path_params["procedure"])
        own = {one.slug: done for one, done in await run_in_threadpool(training.list_own, viewer)}
        return await self._render(
            request,
            "procedure.html",
            procedure=build_procedure_object(found, has_text=True),
            is_done=own.get(found.slug),
        )

    async def confirm(self, request: Request) -> Response:
        """Keep that who is signed in has read the version that the form shows."""
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        form = self._parse_form(body, fields_max=FORM_FIELDS_MAX)
        version = parse_key(form.get("version", [""])[0]) or 0
        viewer: Principal = request.state.viewer
        slug: str = request.path_params["procedure"]
        await run_in_threadpool(
            lambda: self._local.governance.training.confirm(slug, version=version, actor=viewer)
        )
        return RedirectResponse(PROCEDURES_PATH, status_code=303)

    async def show_duties(self, request: Request) -> Response:
        """Show roles, tiers, deputies and conflicts."""
        report = await run_in_threadpool(self._local.governance.duties.report)
        await self._record(request, Area.GOVERNANCE)
        shown = build_duties_object(report, language=choose_language(request))
        looked_at = sum(one["looked_at"] for one in shown["acts"])
        return await self._render(request, "duties.html", duties=shown, looked_at=looked_at)

    async def list_looks(self, request: Request) -> Response:
        """Show who looked at what: of a customer, by a person."""
        rows = await self._read_looks(request, limit=LOOKS_SHOWN)
        language = choose_language(request)
        shown = [
            {
                **build_look_object(one),
                "role_text": say_duty("role", one.role, language),
                "what_text": say_duty("area", one.record.what, language),
            }
            for one in rows
        ]
        asked = {name: request.query_params.get(name, "") for name in ("customer", "person")}
        return await self._render(request, "looks.html", rows=shown, asked=asked)

    async def send_looks(self, request: Request) -> Response:
        """Send the same as CSV."""
        file = io.StringIO()
        write_looks(file, await self._read_looks(request))
        return Response(
            file.getvalue(),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="accesses.csv"'},
        )

    async def _read_looks(self, request: Request, *, limit: int | None = None) -> list[LookRow]:
        chosen = LookFilter(
            customer_id=parse_key(request.query_params.get("customer", "")),
            person=request.query_params.get("person") or None,
        )
        looks = self._local.governance.looks
        rows = await run_in_threadpool(
            lambda: (
                looks.list_looks(chosen) if limit is None else looks.list_looks(chosen, limit=limit)
            )
        )
        await self._record(request, Area.GOVERNANCE)
        return rows

    async def _record(self, request: Request, area: Area) -> None:
        access = Access(area=area, target=request.url.path)
        await run_in_threadpool(check_access, self._local.people, request.state.viewer, access)

    def _say_roles(self, request: Request) -> dict[str, str]:
        language = choose_language(request)
        return {
            role: say_duty("role", role, language)
            for one in self._local.governance.training.list_procedures()
            for role in one.roles
        }
