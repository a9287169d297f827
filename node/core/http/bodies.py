"""Read a request's body up to a limit, and not before the caller is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.core.errors import NodeError
from node.core.http.problems import build_problem
from node.core.people.service import Principal
from protocol.errors import ProtocolError, SchemaError, TooLargeError

_ZERO_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class BodyGuard:
    """Checks the token of requests below a path, then reads their bodies up to a limit.

    FastAPI reads and parses a whole body before its dependencies run: without this a stranger could
    fill the memory, and would hear what is wrong with a body before being told to sign in.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str,
        admit: Callable[[Request], Principal],
        bytes_max: int,
        passed: str = "",
        larger: Mapping[str, int] | None = None,
    ) -> None:
        """Stand before an application; ``larger`` are the limits of paths that take more bytes.

        ``admit`` says who asks, or raises; the application finds it as ``request.state.viewer``.
        Paths below ``passed`` take no body and look at their tokens themselves.
        """
        self._app = app
        self._prefix = prefix
        self._admit = admit
        self._bytes_max = bytes_max
        self._passed = passed
        self._larger = dict(larger or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its body, or answer the problem."""
        path = scope.get("path", "")
        is_passed = bool(self._passed) and path.startswith(self._passed)
        if scope["type"] != "http" or is_passed or not path.startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            request.state.viewer = await run_in_threadpool(self._admit, request)
            body = await read_bounded(request, bytes_max=self._larger.get(path, self._bytes_max))
            _check_texts(request, body)
        except (NodeError, ProtocolError) as err:
            await build_problem(err)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


def _check_texts(request: Request, body: bytes) -> None:
    """Check that no text of a JSON body has a zero byte, which PostgreSQL takes in none.

    Raises:
        SchemaError: One has.
    """
    is_json = request.headers.get("content-type", "").startswith("application/json")
    if is_json and _ZERO_ESCAPE.search(body):
        raise SchemaError("body: a zero byte is in no text")


async def read_bounded(request: Request, *, bytes_max: int) -> bytes:
    """Return the body.

    Raises:
        TooLargeError: It exceeds the limit, as declared or as received.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > bytes_max:
        raise TooLargeError(f"a body of {declared} bytes, {bytes_max} are allowed")
    chunks: list[bytes] = []
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > bytes_max:
            raise TooLargeError(f"a body of more than {bytes_max} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives the body once, and then what the real one says."""
    waiting = [body]

    async def receive_again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_again
