"""HTTP to others, bounded in time and size.

httpx over the aiohttp transport: its own transport costs several times as much a request.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import httpx
from httpx_aiohttp import AiohttpTransport

from node.core.errors import UnavailableError
from protocol.errors import TooLargeError
from protocol.limits import ANSWER_BYTES_MAX, NOTE_BYTES_MAX

CONNECTIONS_MAX = 256


class PeerUnreachableError(UnavailableError):
    """The peer did not answer in time, or not in HTTP."""

    code = "peer-unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """Status and bounded bytes."""

    status: int
    body: bytes
    content_type: str


class BoundedClient:
    """One connection pool; what every node asks of others: witnesses, and heads that they hold."""

    def __init__(self, *, timeout_s: int) -> None:
        """Open no connection yet."""
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            transport=AiohttpTransport(limits=httpx.Limits(max_connections=CONNECTIONS_MAX)),
            timeout=timeout_s,
            follow_redirects=False,
            headers={"accept-encoding": "identity"},
        )

    async def add_checkpoint(self, witness_url: str, request: str) -> HttpReply:
        """Ask a witness to cosign (C2SP tlog-witness).

        Raises:
            PeerUnreachableError: No answer in time.
        """
        return await self.post(
            f"{witness_url}/add-checkpoint",
            request.encode("utf-8"),
            content_type="text/plain; charset=utf-8",
            bytes_max=ANSWER_BYTES_MAX,
        )

    async def fetch_head(self, url: str) -> str | None:
        """Return the newest head that somebody holds of a log, or None where they hold none.

        Raises:
            PeerUnreachableError: No answer.
            TooLargeError: Longer than a signed note may be.
        """
        request = self._client.build_request("GET", url)
        reply = await self.exchange(request, bytes_max=NOTE_BYTES_MAX)
        if reply.status == httpx.codes.NOT_FOUND:
            return None
        if reply.status != httpx.codes.OK:
            raise PeerUnreachableError(f"{url} answered {reply.status}")
        return reply.body.decode("utf-8", errors="replace")

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    async def get(self, url: str, *, bytes_max: int) -> HttpReply:
        """Return what an address answers with 200.

        Raises:
            PeerUnreachableError: It does not.
            TooLargeError: The answer exceeds the limit.
        """
        reply = await self.exchange(self._client.build_request("GET", url), bytes_max=bytes_max)
        if reply.status != httpx.codes.OK:
            raise PeerUnreachableError(f"{url} answered {reply.status}")
        return reply

    async def post(self, url: str, raw: bytes, *, content_type: str, bytes_max: int) -> HttpReply:
        """Send bytes and return what is answered.

        Raises:
            PeerUnreachableError: No answer in time.
            TooLargeError: The answer exceeds the limit.
        """
        request = self._client.build_request(
            "POST", url, content=raw, headers={"content-type": content_type}
        )
        return await self.exchange(request, bytes_max=bytes_max)

    async def exchange(self, request: httpx.Request, *, bytes_max: int) -> HttpReply:
        """Send a request and return its answer, whatever the status.

        Raises:
            PeerUnreachableError: No answer in time.
            TooLargeError: The answer exceeds the limit.
        """
        try:
            # The client's own limits are on each step: an answer could drip in for ever.
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.send(request, stream=True)
                try:
                    body = await _read_bounded(response, bytes_max=bytes_max)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as err:
            raise PeerUnreachableError(f"{request.url}: {_describe(err)}") from err
        return HttpReply(
            status=response.status_code,
            body=body,
            content_type=response.headers.get("content-type", ""),
        )


def _describe(err: Exception) -> str:
    """Say what happened: the transport calls a refused connection a time-out too."""
    cause = err.__cause__
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return type(err).__name__


async def _read_bounded(response: httpx.Response, *, bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    count = 0
    async for chunk in response.aiter_raw():  # packed bytes stay packed: they may be a bomb
        count += len(chunk)
        if count > bytes_max:
            raise TooLargeError(f"an answer of more than {bytes_max} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
