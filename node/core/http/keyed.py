"""Routes whose requests may be sent again: ``Idempotency-Key`` on each of their writing ones.

Without the header a request is done as often as it comes. Who may ask is judged before the key is
looked at, each time.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Annotated, Any

from fastapi import Header
from fastapi.encoders import jsonable_encoder
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse

from node.core.people.service import Principal
from node.core.repeats.service import KeyedRequest, RepeatService
from node.core.repeats.tables import KEY_CHARS_MAX
from protocol.encoding import encode_b64u, sha256

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=KEY_CHARS_MAX)]
Endpoint = Callable[..., Awaitable[Any]]
PARAMETER = "idempotency_key"
_REQUEST = "keyed_request"


def build_keyed_route(repeats: RepeatService) -> type[APIRoute]:
    """Return the class of a router's routes: a ``POST`` of them is done once for a key.

    A route that takes the key itself is left as it is.
    """

    class KeyedRoute(APIRoute):
        """A route that knows a request that comes again."""

        def __init__(self, path: str, endpoint: Endpoint, **more: Any) -> None:  # noqa: ANN401  as FastAPI's
            writes = "POST" in (more.get("methods") or ())
            super().__init__(path, key_endpoint(endpoint, repeats) if writes else endpoint, **more)

    return KeyedRoute


def key_endpoint(endpoint: Endpoint, repeats: RepeatService) -> Endpoint:
    """Return an endpoint that takes ``Idempotency-Key`` beside what it took."""
    signature = inspect.signature(endpoint, eval_str=True)
    if PARAMETER in signature.parameters:  # its own, or that of a router that holds this one
        return endpoint

    # FastAPI gives the request to one parameter alone: to the endpoint's own, where it has one.
    own = [name for name, one in signature.parameters.items() if one.annotation is Request]
    name = own[0] if own else _REQUEST

    @wraps(endpoint)
    async def keyed(**values: Any) -> Any:  # noqa: ANN401  of any route
        request, key = values[name] if own else values.pop(name), values.pop(PARAMETER)
        if key is None:
            return await endpoint(**values)
        asked = await _read(request, key)
        answer = await asyncio.to_thread(repeats.find, asked)
        if answer is None:
            with repeats.hold(asked):
                answer = json.dumps(jsonable_encoder(await endpoint(**values)))
            await asyncio.to_thread(repeats.keep, asked, answer)
        status = request.scope["route"].status_code
        return JSONResponse(json.loads(answer), status_code=status or 200)

    kind = inspect.Parameter.KEYWORD_ONLY
    more = [inspect.Parameter(PARAMETER, kind, annotation=IdempotencyKey, default=None)]
    if not own:
        more.append(inspect.Parameter(_REQUEST, kind, annotation=Request))
    named = [one.replace(kind=kind) for one in signature.parameters.values()]
    keyed.__signature__ = signature.replace(parameters=[*named, *more])  # type: ignore[attr-defined]
    return keyed


async def _read(request: Request, key: str) -> KeyedRequest:
    """Return what is asked: of two persons, two texts or two addresses it is never the same."""
    viewer: Principal = request.state.viewer
    said = [viewer.who, request.url.path, request.url.query, (await request.body()).hex()]
    return KeyedRequest(
        route=f"{request.method} {request.scope['route'].path}",
        key=key,
        sha256_b64u=encode_b64u(sha256(json.dumps(said).encode())),
    )
