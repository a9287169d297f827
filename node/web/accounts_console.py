"""Administering accounts: for whoever runs the node. A code is shown once, to be handed over."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import NodeError, NotFoundError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.people.accounts.errors import (
    AccountExistsError,
    AccountInvalidError,
    AccountStateError,
)
from node.core.people.accounts.service import NOT_FOR_ACCOUNTS, NewCode
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal, Role
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.login_console import INVITATION_PATH

ACCOUNTS_PATH = "/console/accounts"
FORM_BYTES_MAX = 4_096
FORM_FIELDS_MAX = 16
ACCOUNT_ROLES = tuple(role for role in Role if role not in NOT_FOR_ACCOUNTS)
STEPS = ("reset", "lock", "unlock", "end", "roles", "factor")
_SHOWN = (AccountInvalidError, AccountExistsError, AccountStateError)


def build_accounts_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    pages = _AccountsPages(local, render=render, parse_form=parse_form)
    return [
        page("GET", ACCOUNTS_PATH, pages.show),
        page("POST", ACCOUNTS_PATH, pages.invite),
        page("POST", f"{ACCOUNTS_PATH}/{{account_id}}/{{step}}", pages.act),
    ]


class _AccountsPages:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form

    async def show(self, request: Request) -> Response:
        """Show every account."""
        return await self._show(request)

    async def invite(self, request: Request) -> Response:
        """Make an account and show its code, once."""
        form = await self._read(request)
        viewer: Principal = request.state.viewer
        try:
            made = await run_in_threadpool(
                lambda: self._local.accounts.admin.invite(
                    login=form.get("login", [""])[0],
                    name=form.get("name", [""])[0],
                    roles=_read_roles(form),
                    by=viewer,
                )
            )
        except _SHOWN as err:
            return await self._show(request, refused=err)
        return await self._show(request, made=made)

    async def act(self, request: Request) -> Response:
        """Take a step on an account."""
        account_id, step = parse_key(request.path_params["account_id"]), request.path_params["step"]
        if account_id is None or step not in STEPS:
            raise NotFoundError("there is no such account or step")
        form = await self._read(request)
        viewer: Principal = request.state.viewer
        try:
            made = await run_in_threadpool(lambda: self._step(account_id, step, form, by=viewer))
        except _SHOWN as err:
            return await self._show(request, refused=err)
        if made is not None:
            return await self._show(request, made=made)
        return RedirectResponse(ACCOUNTS_PATH, status_code=303)

    def _step(
        self, account_id: int, step: str, form: dict[str, list[str]], *, by: Principal
    ) -> NewCode | None:
        admin = self._local.accounts.admin
        if step == "reset":
            return admin.reset(account_id, by=by)
        if step == "roles":
            admin.set_roles(account_id, _read_roles(form), by=by)
            return None
        plain = {
            "lock": admin.lock,
            "unlock": admin.unlock,
            "end": admin.end,
            "factor": admin.reset_factor,
        }
        plain[step](account_id, by=by)
        return None

    async def _read(self, request: Request) -> dict[str, list[str]]:
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        return self._parse_form(body, fields_max=FORM_FIELDS_MAX)

    async def _show(
        self,
        request: Request,
        *,
        made: NewCode | None = None,
        refused: NodeError | None = None,
    ) -> Response:
        viewer: Principal = request.state.viewer
        access = Access(area=Area.ACCOUNTS, target=request.url.path)
        await run_in_threadpool(check_access, self._local.people, viewer, access)
        rows = await run_in_threadpool(self._local.accounts.admin.list_accounts)
        return await self._render(
            request,
            "accounts.html",
            status=200 if refused is None else status_of(refused),
            rows=rows,
            made=made,
            link=f"{self._local.settings.url}{INVITATION_PATH}",
            roles=[role.value for role in ACCOUNT_ROLES],
            refused="" if refused is None else refused.code,
        )


def _read_roles(form: dict[str, list[str]]) -> list[Role]:
    known = set(Role)
    asked = form.get("role", [])
    if any(one not in known for one in asked):
        raise AccountInvalidError("there is no such role")
    return [Role(one) for one in asked]
