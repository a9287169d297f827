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
from node.core.http.access import SESSION_COOKIE, find_session
from node.core.people.accounts.errors import CsrfError
from node.core.people.accounts.sessions import COOKIE_PREFIX, is_csrf_of
from node.core.people.service import Principal

CSRF_FIELD = "csrf"
COOKIE_PATH = "/console"
HOUR_S = 3_600
_NEXT_PATH = re.compile(r"/console/[A-Za-z0-9/-]{0,64}")
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
        return await run_in_threadpool(
            lambda: find_session(
                request,
                token=self._node.api_token,
                people=local.people,
                now_s=now_s(local.clock),
            )
        )

    def set_account_session(self, request: Request, response: Response, cookie: str) -> None:
        """Let the browser hold the session of an account."""
        life_s = self._node.local.settings.session_hours * HOUR_S
        self.set_cookie(request, response, name=SESSION_COOKIE, value=cookie, life_s=life_s)

    def set_cookie(
        self, request: Request, response: Response, *, name: str, value: str, life_s: int
    ) -> None:
        """Set a cookie of the console, which no script reads and no other site sends."""
        is_secure = request.url.scheme == "https" or self._node.local.settings.url.startswith(
            "https:"
        )
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path=COOKIE_PATH,
            httponly=True,
            samesite="strict",
            secure=is_secure,
        )


def choose_next(path: str) -> str:
    """Return where a sign-in leads on to: a page of this console, else nothing."""
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
