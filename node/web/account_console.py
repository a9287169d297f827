"""My account: password, second factor, role, sessions. For accounts; a token has none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import ForbiddenError, NodeError, NotFoundError
from node.core.http.problems import find_retry_s, status_of
from node.core.people.accounts.errors import (
    FactorStateError,
    PasswordUnfitError,
    SignInBusyError,
    SignInRefusedError,
    SignInTooSoonError,
)
from node.core.people.service import Principal, Role
from node.web.handlers import Handler, Render
from node.web.login_console import HOME_PATH, check_again, read_form
from node.web.sessions import SessionDesk

ACCOUNT_PATH = "/console/account"
OWN_PAGES = (
    ("GET", ACCOUNT_PATH),
    ("POST", f"{ACCOUNT_PATH}/password"),
    ("POST", f"{ACCOUNT_PATH}/role"),
    ("POST", f"{ACCOUNT_PATH}/factor"),
    ("POST", f"{ACCOUNT_PATH}/factor/confirm"),
    ("POST", f"{ACCOUNT_PATH}/factor/codes"),
    ("POST", f"{ACCOUNT_PATH}/factor/remove"),
    ("POST", f"{ACCOUNT_PATH}/sessions/others"),
    ("POST", f"{ACCOUNT_PATH}/sessions/{{session_id}}"),
)
"""What each person does with its own account; no area is asked for."""
_SHOWN = (
    SignInBusyError,
    SignInRefusedError,
    SignInTooSoonError,
    PasswordUnfitError,
    FactorStateError,
)
Act = Callable[[Request, Principal], Awaitable[Response]]


def build_account_routes(
    local: LocalNode,
    desk: SessionDesk,
    *,
    render: Render,
    guard: Callable[[Callable[[Request, Principal], Awaitable[Response]]], Handler],
) -> list[BaseRoute]:
    """Return the routes; ``guard`` lets in who is signed in."""
    pages = _AccountPages(local, desk, render=render)
    acts: Mapping[tuple[str, str], Act] = MappingProxyType(
        dict(
            zip(
                OWN_PAGES,
                (
                    pages.show,
                    pages.change_password,
                    pages.switch_role,
                    pages.begin_factor,
                    pages.confirm_factor,
                    pages.renew_codes,
                    pages.remove_factor,
                    pages.end_others,
                    pages.end_session,
                ),
                strict=True,
            )
        )
    )
    return [
        Route(path, guard(pages.enter(act)), methods=[method])
        for (method, path), act in acts.items()
    ]


class _AccountPages:
    """The handlers."""

    def __init__(self, local: LocalNode, desk: SessionDesk, *, render: Render) -> None:
        self._local = local
        self._desk = desk
        self._render = render

    def enter(self, act: Act) -> Act:
        """Lead a token home, and show on the page what an act was refused for."""

        async def answer(request: Request, viewer: Principal) -> Response:
            if viewer.session is None:
                return RedirectResponse(HOME_PATH, status_code=303)
            try:
                return await act(request, viewer)
            except _SHOWN as err:
                return await self._show(request, viewer, refused=err)

        return answer

    async def show(self, request: Request, viewer: Principal) -> Response:
        """Show the account."""
        return await self._show(request, viewer)

    async def change_password(self, request: Request, viewer: Principal) -> Response:
        """Set another password."""
        form = await read_form(request)
        password = form.get("password", "")
        check_again(password, form.get("again", ""))
        made = await run_in_threadpool(
            lambda: self._local.accounts.own.change_password(
                viewer, former=form.get("former", ""), password=password
            )
        )
        return self._lead_back(request, made.cookie)

    async def switch_role(self, request: Request, viewer: Principal) -> Response:
        """Act in another role."""
        asked = (await read_form(request)).get("role", "")
        if asked not in set(Role):
            raise ForbiddenError("there is no such role")
        made = await run_in_threadpool(
            self._local.accounts.sign_in.switch_role, viewer, Role(asked)
        )
        return self._lead_back(request, made.cookie)

    async def begin_factor(self, request: Request, viewer: Principal) -> Response:
        """Show the secret of a second factor, once, and ask for its first code."""
        form = await read_form(request)
        begun = await run_in_threadpool(
            lambda: self._local.accounts.own.begin_factor(viewer, password=form.get("password", ""))
        )
        return await self._render(request, "account_factor.html", begun=begun, codes=())

    async def confirm_factor(self, request: Request, viewer: Principal) -> Response:
        """Confirm a second factor and show the recovery codes, once."""
        form = await read_form(request)
        added = await run_in_threadpool(
            self._local.accounts.own.confirm_factor, viewer, form.get("code", "")
        )
        # The page belongs to the new session: its forms carry that one's sign.
        request.state.viewer = await run_in_threadpool(
            self._local.accounts.sign_in.find, added.session.cookie
        )
        response = await self._render(
            request, "account_factor.html", begun=None, codes=added.recovery_codes
        )
        self._desk.set_account_session(request, response, added.session.cookie)
        return response

    async def renew_codes(self, request: Request, viewer: Principal) -> Response:
        """Show new recovery codes, once."""
        form = await read_form(request)
        codes = await run_in_threadpool(
            self._local.accounts.own.renew_recovery, viewer, form.get("code", "")
        )
        return await self._render(request, "account_factor.html", begun=None, codes=codes)

    async def remove_factor(self, request: Request, viewer: Principal) -> Response:
        """Remove the second factor."""
        form = await read_form(request)
        made = await run_in_threadpool(
            self._local.accounts.own.remove_factor, viewer, form.get("code", "")
        )
        return self._lead_back(request, made.cookie)

    async def end_others(self, _request: Request, viewer: Principal) -> Response:
        """End every session but this one."""
        await run_in_threadpool(self._local.accounts.sign_in.end_others, viewer)
        return RedirectResponse(ACCOUNT_PATH, status_code=303)

    async def end_session(self, request: Request, viewer: Principal) -> Response:
        """End one session."""
        session_id = parse_key(request.path_params["session_id"])
        if session_id is None:
            raise NotFoundError("there is no such session")
        await run_in_threadpool(self._local.accounts.sign_in.end_session, viewer, session_id)
        return RedirectResponse(ACCOUNT_PATH, status_code=303)

    async def _show(
        self, request: Request, viewer: Principal, *, refused: NodeError | None = None
    ) -> Response:
        accounts = self._local.accounts
        sessions = await run_in_threadpool(accounts.sign_in.list_sessions, viewer)
        left = await run_in_threadpool(accounts.own.count_recovery, viewer)
        return await self._render(
            request,
            "account.html",
            status=200 if refused is None else status_of(refused),
            retry_s=None if refused is None else find_retry_s(refused),
            facts=viewer.session,
            sessions=sessions,
            codes_left=left,
            refused="" if refused is None else refused.code,
            wait_s=refused.wait_s if isinstance(refused, SignInTooSoonError) else 0,
        )

    def _lead_back(self, request: Request, cookie: str) -> Response:
        response = RedirectResponse(ACCOUNT_PATH, status_code=303)
        self._desk.set_account_session(request, response, cookie)
        return response
