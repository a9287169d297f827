"""Signing in: by an account, with its second factor, or by a token; and a first password."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from node.core.errors import NodeError, NotAuthenticatedError
from node.core.http.access import (
    SESSION_COOKIE,
    get_holder,
)
from node.core.http.bodies import read_bounded
from node.core.http.problems import find_retry_s, status_of
from node.core.people.accounts.errors import (
    CodeInvalidError,
    PasswordUnfitError,
    SignInBusyError,
    SignInTooSoonError,
)
from node.core.people.accounts.sign_in import Credentials, parse_login
from node.core.people.service import Look, Principal, Role
from node.web.auditor_console import AUDIT_PATH
from node.web.form_fields import parse_form
from node.web.handlers import Handler, Render
from node.web.sessions import (
    COOKIE_PATH,
    SIGN_IN_PATH,
    SessionDesk,
    SessionNode,
    check_csrf,
    choose_next,
)

HOME_PATH = "/console/"
LOGIN_PATH = SIGN_IN_PATH
CODE_PATH = "/console/login/code"
INVITATION_PATH = "/console/invitation"
FORM_BYTES_MAX = 4_096


def build_login_routes(
    node: SessionNode, desk: SessionDesk, *, render: Render, open_page: Callable[[Handler], Handler]
) -> list[BaseRoute]:
    """Return the routes that are there before anybody is signed in."""
    pages = _LoginPages(node, desk, render=render)
    return [
        Route(LOGIN_PATH, open_page(pages.show_login), methods=["GET"]),
        Route(LOGIN_PATH, open_page(pages.login), methods=["POST"]),
        Route(CODE_PATH, open_page(pages.show_code), methods=["GET"]),
        Route(CODE_PATH, open_page(pages.give_code), methods=["POST"]),
        Route(INVITATION_PATH, open_page(pages.show_invitation), methods=["GET"]),
        Route(INVITATION_PATH, open_page(pages.accept), methods=["POST"]),
        Route("/console/logout", open_page(pages.logout), methods=["POST"]),
    ]


def find_address(request: Request) -> str:
    """Return where a request comes from, as the server says; behind a proxy, what it tells."""
    return request.client.host if request.client is not None else ""


def check_again(password: str, again: str) -> None:
    """Check that a new password was typed twice.

    Raises:
        PasswordUnfitError: The two are not the same.
    """
    if password != again:
        raise PasswordUnfitError("the two are not the same")


async def read_form(request: Request) -> dict[str, str]:
    """Return the first value of each field of a small form."""
    form = parse_form(await read_bounded(request, bytes_max=FORM_BYTES_MAX))
    return {name: values[0] for name, values in form.items()}


class _LoginPages:
    """The handlers."""

    def __init__(self, node: SessionNode, desk: SessionDesk, *, render: Render) -> None:
        self._node = node
        self._desk = desk
        self._render = render

    async def show_login(self, request: Request) -> Response:
        """Show the sign-in."""
        viewer = await self._desk.find_viewer(request)
        # Who has given the password alone may begin anew: with another account, say.
        if viewer is not None and not (viewer.session and viewer.session.awaits_code):
            return RedirectResponse(_find_home(viewer), status_code=303)
        return await self._show_login(request, next_path=request.query_params.get("next", ""))

    async def login(self, request: Request) -> Response:
        """Trade a login and a password, or a token, for a session."""
        form = await read_form(request)
        if "token" in form:
            return await self._login_by_token(request, form)
        next_path = choose_next(form.get("next", ""))
        given = Credentials(
            login=form.get("login", ""),
            password=form.get("password", ""),
            address=find_address(request),
            former=request.cookies.get(SESSION_COOKIE, ""),
            device=self._desk.find_device(request, parse_login(form.get("login", ""))),
        )
        try:
            made = await run_in_threadpool(self._node.local.accounts.sign_in.sign_in, given)
        except (NotAuthenticatedError, SignInBusyError) as err:
            return await self._show_login(
                request, next_path=next_path, refused=err, login=given.login
            )
        if made.awaits_code:
            response = RedirectResponse(_add_next(CODE_PATH, next_path), status_code=303)
        else:
            response = RedirectResponse(next_path or HOME_PATH, status_code=303)
            self._desk.set_device(request, response, parse_login(given.login))
        await run_in_threadpool(self._desk.end_brought, request)
        self._desk.set_account_session(request, response, made.cookie)
        return response

    async def show_code(self, request: Request) -> Response:
        """Ask for a code of the second factor: after the password, or before an approval."""
        viewer = await self._desk.find_viewer(request)
        if viewer is None or viewer.session is None or not viewer.session.has_factor:
            return RedirectResponse(LOGIN_PATH, status_code=303)
        next_path = choose_next(request.query_params.get("next", ""))
        return await self._show_code(request, viewer, next_path=next_path)

    async def give_code(self, request: Request) -> Response:
        """Take a code; the session goes on under another secret."""
        viewer = await self._desk.find_viewer(request)
        check_csrf(request, viewer)
        form = await read_form(request)
        next_path = choose_next(form.get("next", ""))
        if viewer is None or viewer.session is None:
            return RedirectResponse(_add_next(LOGIN_PATH, next_path), status_code=303)
        login = viewer.session.login
        try:
            made = await run_in_threadpool(
                self._node.local.accounts.sign_in.give_code,
                viewer,
                form.get("code", ""),
                device=self._desk.find_device(request, login),
            )
        except NotAuthenticatedError as err:
            return await self._show_code(request, viewer, next_path=next_path, refused=err)
        response = RedirectResponse(next_path or HOME_PATH, status_code=303)
        self._desk.set_account_session(request, response, made.cookie)
        self._desk.set_device(request, response, login)
        return response

    async def show_invitation(self, request: Request) -> Response:
        """Ask for a one-time code; an address is logged, kept and sent on, so none holds one."""
        return await self._show_invitation(request, code="", login="")

    async def accept(self, request: Request) -> Response:
        """Take a one-time code, then the password that it sets; lead to the sign-in."""
        form = await read_form(request)
        code, password = form.get("code", ""), form.get("password", "")
        own = self._node.local.accounts.own
        try:
            found = await run_in_threadpool(own.find_invited, code)
        except CodeInvalidError as err:
            return await self._show_invitation(request, code="", login="", refused=err)
        if "password" not in form:
            return await self._show_invitation(request, code=code, login=found.login)
        try:
            check_again(password, form.get("again", ""))
            await run_in_threadpool(own.accept, code, password)
        except (PasswordUnfitError, CodeInvalidError, SignInBusyError) as err:
            return await self._show_invitation(request, code=code, login=found.login, refused=err)
        return RedirectResponse(f"{LOGIN_PATH}?set=1", status_code=303)

    async def logout(self, request: Request) -> Response:
        """End the session and take its cookie away."""
        viewer = await self._desk.find_viewer(request)
        check_csrf(request, viewer)
        await run_in_threadpool(self._desk.end_brought, request)
        response = RedirectResponse(LOGIN_PATH, status_code=303)
        response.delete_cookie(SESSION_COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")
        return response

    async def _login_by_token(self, request: Request, form: dict[str, str]) -> Response:
        token, next_path = form["token"].strip(), choose_next(form.get("next", ""))
        local = self._node.local
        try:
            viewer = await run_in_threadpool(
                lambda: get_holder(token, token=self._node.api_token, people=local.people)
            )
        except NotAuthenticatedError as err:
            return await self._show_login(
                request, next_path=next_path, refused=err, is_by_token=True
            )
        response = RedirectResponse(next_path or _find_home(viewer), status_code=303)
        if viewer.role is not Role.OPERATOR:
            look = Look(what="sign-in", target="console")
            await run_in_threadpool(local.people.record, viewer, look)
        await run_in_threadpool(self._desk.end_brought, request)
        self._desk.set_token_session(request, response, viewer)
        return response

    async def _show_login(
        self,
        request: Request,
        *,
        next_path: str,
        refused: NodeError | None = None,
        is_by_token: bool = False,
        login: str = "",
    ) -> Response:
        return await self._render(
            request,
            "login.html",
            status=200 if refused is None else status_of(refused),
            retry_s=None if refused is None else find_retry_s(refused),
            next_path=choose_next(next_path),
            refused="" if refused is None else refused.code,
            wait_s=refused.wait_s if isinstance(refused, SignInTooSoonError) else 0,
            is_by_token=is_by_token,
            login=login,
            is_set="set" in request.query_params,
        )

    async def _show_code(
        self,
        request: Request,
        viewer: Principal,
        *,
        next_path: str,
        refused: NodeError | None = None,
    ) -> Response:
        request.state.viewer = viewer
        return await self._render(
            request,
            "login_code.html",
            status=200 if refused is None else status_of(refused),
            retry_s=None if refused is None else find_retry_s(refused),
            next_path=next_path,
            refused="" if refused is None else refused.code,
            wait_s=refused.wait_s if isinstance(refused, SignInTooSoonError) else 0,
        )

    async def _show_invitation(
        self, request: Request, *, code: str, login: str, refused: NodeError | None = None
    ) -> Response:
        return await self._render(
            request,
            "invitation.html",
            status=200 if refused is None else status_of(refused),
            retry_s=None if refused is None else find_retry_s(refused),
            code=code,
            login=login,
            refused="" if refused is None else refused.code,
        )


def _find_home(viewer: Principal) -> str:
    return f"{AUDIT_PATH}/" if viewer.role is Role.AUDITOR else HOME_PATH


def _add_next(path: str, next_path: str) -> str:
    return f"{path}?next={next_path}" if next_path else path
