"""Sessions of the console: who holds the cookie, how it is set, and the sign that forms carry.

A session of an account stands in the store, and each of its forms carries a sign that only this
session has; one that a token bought is sealed and lives as long as its token does. Both kinds of
form are refused from other sites.
"""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from node.bootstrap.local import LocalNode
from node.core.clock import now_s
from node.core.http.access import (
    SESSION_COOKIE,
    SESSION_NONCE_BYTES,
    SealedSession,
    find_session,
    seal_session,
)
from node.core.http.devices import (
    DEVICE_COOKIE,
    DEVICE_LIFE_S,
    NONCE_BYTES,
    find_device,
    seal_device,
)
from node.core.keystore import draw_bytes
from node.core.people.accounts.errors import CsrfError
from node.core.people.accounts.sessions import COOKIE_PREFIX, is_csrf_of
from node.core.people.service import Principal

CSRF_FIELD = "csrf"
COOKIE_PATH = "/console"
SIGN_IN_PATH = "/console/login"
HOUR_S = 3_600
SECOND_MS = 1_000
TOKEN_SESSION_LIFE_S = 8 * HOUR_S  # a working day
_NEXT_PATH = re.compile(r"/console/(?!log(in|out)(/|$)|invitation(/|$))[A-Za-z0-9/-]{0,64}")
_POST_FORM = re.compile(r'(<form\b[^>]*\bmethod="post"[^>]*\baction=")([^"]*)(")')


class SessionNode(Protocol):
    """What sessions need of a node."""

    @property
    def local(self) -> LocalNode:
        """Its rooms."""
        ...

    @property
    def api_token(self) -> str:
        """The operator's token."""
        ...


class SessionDesk:
    """Finds, sets and takes away sessions."""

    def __init__(self, node: SessionNode) -> None:
        """Take the node."""
        self._node = node

    async def find_viewer(self, request: Request) -> Principal | None:
        """Return who holds the request's session, None where it has none that is in force."""
        local, cookie = self._node.local, request.cookies.get(SESSION_COOKIE, "")
        if cookie.startswith(COOKIE_PREFIX):
            return await run_in_threadpool(local.accounts.sign_in.find, cookie)
        sealed = await run_in_threadpool(self._find_sealed, cookie)
        return None if sealed is None else sealed.principal

    def end_brought(self, request: Request) -> None:
        """End the session that a request brings along, of whichever kind, at the node itself."""
        cookie, accounts = request.cookies.get(SESSION_COOKIE, ""), self._node.local.accounts
        if cookie.startswith(COOKIE_PREFIX):
            accounts.sign_in.end_brought(cookie)
        elif (sealed := self._find_sealed(cookie)) is not None:
            accounts.sealed.end(cookie, expires_at_ms=sealed.expires_s * SECOND_MS)

    def set_token_session(self, request: Request, response: Response, principal: Principal) -> None:
        """Let the browser hold a session that a token bought."""
        cookie = seal_session(
            principal,
            token=self._node.api_token,
            expires_s=now_s(self._node.local.clock) + TOKEN_SESSION_LIFE_S,
            nonce=draw_bytes(SESSION_NONCE_BYTES),
        )
        self.set_cookie(
            request, response, name=SESSION_COOKIE, value=cookie, life_s=TOKEN_SESSION_LIFE_S
        )

    def find_device(self, request: Request, login: str) -> str:
        """Return with which device of a login a request comes, nothing where with none."""
        cookie = request.cookies.get(DEVICE_COOKIE, "")
        clock = self._node.local.clock
        return find_device(cookie, login, token=self._node.api_token, now_s=now_s(clock))

    def set_device(self, request: Request, response: Response, login: str) -> None:
        """Let the browser prove, the next time, that this login has signed in with it."""
        cookie = seal_device(
            login,
            token=self._node.api_token,
            nonce=draw_bytes(NONCE_BYTES),
            expires_s=now_s(self._node.local.clock) + DEVICE_LIFE_S,
        )
        self.set_cookie(
            request,
            response,
            name=DEVICE_COOKIE,
            value=cookie,
            life_s=DEVICE_LIFE_S,
            path=SIGN_IN_PATH,
        )

    def _find_sealed(self, cookie: str) -> SealedSession | None:
        local = self._node.local
        found = find_session(
            cookie, token=self._node.api_token, people=local.people, now_s=now_s(local.clock)
        )
        return None if found is None or local.accounts.sealed.is_ended(cookie) else found

    def set_account_session(self, request: Request, response: Response, cookie: str) -> None:
        """Let the browser hold the session of an account."""
        life_s = self._node.local.settings.session_hours * HOUR_S
        self.set_cookie(request, response, name=SESSION_COOKIE, value=cookie, life_s=life_s)

    def set_cookie(
        self,
        request: Request,
        response: Response,
        *,
        name: str,
        value: str,
        life_s: int,
        path: str = COOKIE_PATH,
    ) -> None:
        """Set a cookie of the console, which no script reads and no other site sends."""
        is_secure = request.url.scheme == "https" or self._node.local.settings.url.startswith(
            "https:"
        )
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path=path,
            httponly=True,
            samesite="strict",
            secure=is_secure,
        )


def choose_next(path: str) -> str:
    """Return where a sign-in leads on to: a page of this console behind it, else nothing."""
    return path if _NEXT_PATH.fullmatch(path) else ""


def find_sender(request: Request) -> str:
    """Return the page of this console that sent a form, nothing where it is none."""
    return choose_next(urlsplit(request.headers.get("referer", "")).path)


def check_csrf(request: Request, viewer: Principal | None) -> None:
    """Check that a form of an account's session carries the session's own sign.

    Raises:
        CsrfError: It does not.
    """
    if viewer is None or viewer.session is None or request.method != "POST":
        return
    if not is_csrf_of(viewer.session, request.query_params.get(CSRF_FIELD, "")):
        raise CsrfError("the form does not carry the sign of this session")


def sign_forms(html: str, viewer: Principal | None) -> str:
    """Return a page whose forms carry the sign of the session that it is shown to.

    It stands in the address: files that are uploaded need not be read to find it. What users have
    typed is escaped before, so that it makes no form.
    """
    if viewer is None or viewer.session is None:
        return html
    sign = f"{CSRF_FIELD}={viewer.session.csrf}"

    def add(found: re.Match[str]) -> str:
        start, action, end = found.groups()
        return f"{start}{action}{'&amp;' if '?' in action else '?'}{sign}{end}"

    return _POST_FORM.sub(add, html)
