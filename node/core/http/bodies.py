"""Read a request's body up to a limit, so that nobody fills the memory."""

from __future__ import annotations

from starlette.requests import Request

from protocol.errors import TooLargeError


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
