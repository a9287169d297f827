"""A transport of prepared answers that come as from a socket: not read yet."""

from __future__ import annotations

import httpx


class Streaming(httpx.AsyncBaseTransport):
    """Wraps another transport."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        made = await self._inner.handle_async_request(request)
        body = await made.aread()
        return httpx.Response(
            made.status_code, headers=made.headers, stream=httpx.ByteStream(body), request=request
        )
