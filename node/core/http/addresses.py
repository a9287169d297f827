"""Refuse an address that no text of a store can hold, before anything looks at it."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from node.core.http.problems import build_problem
from protocol.errors import SchemaError


class AddressGuard:
    """Refuses requests whose path or query names a zero byte, which PostgreSQL takes in no text.

    It stands before every route, so that none has to look: SQLite would find nothing, PostgreSQL
    refuses the statement.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer the problem."""
        if scope["type"] == "http" and _has_zero_byte(scope):
            problem = build_problem(SchemaError("the address: a zero byte is in no text"))
            await problem(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _has_zero_byte(scope: Scope) -> bool:
    return "\0" in scope["path"] or b"\0" in unquote_to_bytes(scope.get("query_string", b""))
