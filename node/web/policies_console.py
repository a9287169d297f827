"""The pages of policies: versions, one version, its edit form, its preview, and the steps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import ConflictError, NodeError, RejectedError, UnavailableError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.people.areas import Access, Area, check_access, may_access
from node.core.people.service import Principal
from node.core.policies.entering import Entry
from node.core.policies.errors import PolicyDayError, PolicyFaultyError, PolicyNotFoundError
from node.core.policies.records import PolicyRecord
from node.core.policies.rules_states import Actor
from node.core.policies.service import write_document
from node.governance.policies.rules_form import FIELDS_MAX, apply_fields, list_fields
from node.governance.policies.view import list_newer_shipped, read_document
from node.web.handlers import BuildRoute, Handler, ParseForm, Render
from node.web.languages import choose_language
from node.web.policies_page import build_edit, read_preview, read_version

POLICIES_PATH = "/console/policies"
FORM_BYTES_MAX = 524_288
FEW_FIELDS_MAX = 8
VERSIONS_SHOWN_MAX = 200
WAITED_S = 1  # a small portfolio's preview is waited for
_REFUSALS = (RejectedError, ConflictError, UnavailableError)

Take = Callable[[int, Mapping[str, str], Entry], PolicyRecord]


def build_policy_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    pages = _PolicyPages(local, render=render, parse_form=parse_form)
    version = f"{POLICIES_PATH}/{{version_id}}"
    policies = local.policies
    return [
        page("GET", POLICIES_PATH, pages.show_list),
        page("GET", version, pages.show_version),
        page("GET", f"{version}/edit", pages.show_edit),
        page("POST", f"{version}/edit", pages.save),
        page("GET", f"{version}/preview", pages.show_preview),
        page("POST", f"{version}/preview", pages.start_preview),
        page(
            "POST",
            f"{version}/copy",
            pages.step(lambda key, _, entry: policies.copy(key, entry=entry), leads_to="/edit"),
        ),
        page(
            "POST",
            f"{version}/proposal",
            pages.step(
                lambda key, form, entry: policies.propose(
                    key, seen_sha256_b64u=form.get("seen", ""), entry=entry
                )
            ),
        ),
        page(
            "POST",
            f"{version}/withdrawal",
            pages.step(lambda key, _, entry: policies.withdraw(key, entry=entry)),
        ),
        page(
            "POST",
            f"{version}/decision",
            pages.step(
                lambda key, form, entry: policies.decide(
                    key,
                    is_approved=form.get("outcome") == "approved",
                    seen_sha256_b64u=form.get("seen", ""),
                    entry=entry,
                )
            ),
        ),
        page(
            "POST",
            f"{version}/activation",
            pages.step(
                lambda key, form, entry: _activate(local, key, form.get("from", ""), entry=entry)
            ),
        ),
        page(
            "POST",
            f"{version}/plan-withdrawal",
            pages.step(lambda key, _, entry: local.planning.withdraw(key, entry=entry)),
        ),
    ]


class _PolicyPages:
    """The handlers; they keep nothing."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form

    async def show_list(self, request: Request) -> Response:
        """Show the versions of every kind, and what a release has brought."""
        records = await run_in_threadpool(
            lambda: self._local.policies.list_versions(limit=VERSIONS_SHOWN_MAX)
        )
        kinds = {
            kind: [one for one in records if one.name.kind == kind]
            for kind in self._local.policies.kinds
        }
        return await self._render(
            request,
            "policies.html",
            kinds=kinds,
            newer=list_newer_shipped(records),
            planned=[one for one in records if one.plan],
        )

    async def show_version(self, request: Request) -> Response:
        """Show one version: what it says, differently than what, and what may follow."""
        return await self._show_version(request, _read_key(request))

    async def show_edit(self, request: Request) -> Response:
        """Show a draft as a form."""
        key, language = _read_key(request), choose_language(request)

        def read() -> object:
            record = self._local.policies.get(key)
            document = read_document(self._local.policies, record)
            return build_edit(record, document, language=language)

        return await self._render(request, "policy_edit.html", page=await run_in_threadpool(read))

    async def save(self, request: Request) -> Response:
        """Take a draft as it was typed; each fault is shown at its field."""
        key, language = _read_key(request), choose_language(request)
        typed = await self._read_form(request, fields_max=FIELDS_MAX + FEW_FIELDS_MAX)
        entry = _build_entry(request, typed)
        record = await run_in_threadpool(self._local.policies.get, key)
        former = await run_in_threadpool(read_document, self._local.policies, record)
        # A field left empty is not sent: it is empty, and not as it was.
        given = {one.name: typed.get(one.name, "") for one in list_fields(former)}
        document, faults = apply_fields(former, given)
        refused: NodeError | None = None
        if not faults:
            try:
                await run_in_threadpool(
                    lambda: self._local.policies.save(
                        key,
                        write_document(document),
                        seen_sha256_b64u=typed.get("seen", ""),
                        entry=entry,
                    )
                )
                return RedirectResponse(f"{POLICIES_PATH}/{key}", status_code=303)
            except PolicyFaultyError as err:
                faults, refused = err.faults, err
            except _REFUSALS as err:
                refused = err
        page = build_edit(
            record,
            former,
            language=language,
            typed={**given, "reason": typed.get("reason", "")},
            faults=faults,
            seen=typed.get("seen", ""),
            refused=refused,
        )
        status = 422 if refused is None else status_of(refused)
        return await self._render(request, "policy_edit.html", status=status, page=page)

    async def show_preview(self, request: Request) -> Response:
        """Show the newest preview, or how far one at work is."""
        return await self._show_preview(request, _read_key(request))

    async def start_preview(self, request: Request) -> Response:
        """Begin a preview; one of a small portfolio is waited for."""
        key = _read_key(request)
        await run_in_threadpool(self._local.policies.get, key)
        actor = _build_entry(request, {}).actor
        as_of: date = self._local.business_date()
        try:
            job = self._local.preview_desk.start(key, as_of=as_of, actor=actor)
        except UnavailableError as err:
            return await self._show_preview(request, key, refused=err)
        if job.task is not None:
            await asyncio.wait([job.task], timeout=WAITED_S)
        return RedirectResponse(f"{POLICIES_PATH}/{key}/preview", status_code=303)

    def step(self, take: Take, *, leads_to: str = "") -> Handler:
        """Return the handler of a step; what is refused is said on the version's page."""

        async def handle(request: Request) -> Response:
            key = _read_key(request)
            form = await self._read_form(request, fields_max=FEW_FIELDS_MAX)
            entry = _build_entry(request, form)
            try:
                record = await run_in_threadpool(take, key, form, entry)
            except PolicyNotFoundError:
                raise
            except _REFUSALS as err:
                return await self._show_version(request, key, refused=err)
            address = f"{POLICIES_PATH}/{record.version_id}{leads_to}"
            return RedirectResponse(address, status_code=303)

        return handle

    async def _show_version(
        self,
        request: Request,
        key: int,
        *,
        refused: RejectedError | ConflictError | UnavailableError | None = None,
    ) -> Response:
        language = choose_language(request)
        page = await run_in_threadpool(
            lambda: read_version(self._local, key, language=language, refused=refused)
        )
        status = 200 if refused is None else status_of(refused)
        return await self._render(request, "policy.html", status=status, page=page)

    async def _show_preview(
        self, request: Request, key: int, *, refused: UnavailableError | None = None
    ) -> Response:
        viewer: Principal = request.state.viewer
        job = self._local.preview_desk.find(key)
        failure = refused or (None if job is None else job.failure)
        sees_persons, sees_peers = (
            may_access(viewer, Access(area=area, target="")) for area in (Area.PERSONS, Area.PEERS)
        )
        page = await run_in_threadpool(
            lambda: read_preview(
                self._local,
                key,
                job=job,
                sees_persons=sees_persons,
                sees_peers=sees_peers,
                language=choose_language(request),
                refused=failure,
            )
        )
        target = f"/policies/{key}/preview"
        named = (
            *((Area.PERSONS,) if sees_persons else ()),
            *((Area.PEERS,) if sees_peers else ()),
        )
        for area in (Area.CREDIT, *(named if page.names else ())):
            access = Access(area=area, target=target)
            await run_in_threadpool(check_access, self._local.people, viewer, access)
        status = 200 if failure is None else status_of(failure)
        return await self._render(request, "policy_preview.html", status=status, page=page)

    async def _read_form(self, request: Request, *, fields_max: int) -> dict[str, str]:
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        form = self._parse_form(body, fields_max=fields_max)
        return {name: values[0].strip() for name, values in form.items() if values}


def _activate(local: LocalNode, key: int, typed: str, *, entry: Entry) -> PolicyRecord:
    """Activate a version now, or plan it for the day that was typed."""
    today = local.business_date()
    if not typed:
        return local.policies.activate(key, entry=entry, today=today)
    try:
        day = date.fromisoformat(typed)
    except ValueError as err:
        raise PolicyDayError("a day as 2026-10-31") from err
    return local.planning.plan(key, effective_from=day, entry=entry, today=today)


def _read_key(request: Request) -> int:
    key = parse_key(request.path_params["version_id"])
    if key is None:
        raise PolicyNotFoundError("there is no such version")
    return key


def _build_entry(request: Request, form: Mapping[str, str]) -> Entry:
    viewer: Principal = request.state.viewer
    return Entry(actor=Actor(who=viewer.who, name=viewer.name), reason=form.get("reason", ""))
