"""The endpoints that peers, subjects and the hub use: raw bytes in, raw bytes out.

Plain Starlette routes: FastAPI's body handling costs as much as a signature, its thread pool twice
that.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from node.core.errors import NodeError
from node.core.http.bodies import read_bounded
from node.core.http.problems import build_problem
from node.core.telemetry import Telemetry
from node.sharing.answering import AnsweringService
from node.sharing.guard import HEADS_PATH
from node.sharing.peers import MESSAGES_PATH, STATUSES_PATH
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService
from node.sharing.upkeep import Upkeep
from protocol.encoding import encode_b64u
from protocol.errors import MalformedError, ProtocolError, UnsupportedVersionError
from protocol.limits import MESSAGE_BYTES_MAX, STATEMENT_BYTES_MAX
from protocol.message import MEDIA_TYPE, MEDIA_TYPES


def build_peer_routes(
    *,
    answering: AnsweringService,
    consents: ConsentService,
    registry: RegistryHolder,
    upkeep: Upkeep,
    telemetry: Telemetry,
) -> list[Route]:
    """Return the routes of ``messages``, ``consent-statuses`` and ``heads``."""

    async def post_message(request: Request) -> Response:
        try:
            _check_media_type(request)
            raw = await read_bounded(request, bytes_max=MESSAGE_BYTES_MAX)
            upkeep.check_exchanging()
            reply = await answering.answer(raw)
        except (ProtocolError, NodeError) as err:
            telemetry.count_refusal(err.code)
            return build_problem(err)
        telemetry.count_answer(reply.code)
        return Response(reply.message.to_bytes(), status_code=reply.status, media_type=MEDIA_TYPE)

    async def post_status(request: Request) -> Response:
        try:
            raw = await read_bounded(request, bytes_max=STATEMENT_BYTES_MAX)
            token = _decode_token(raw)
            future = await asyncio.to_thread(consents.submit_status, token)
            held = await asyncio.wrap_future(future)
        except (ProtocolError, NodeError) as err:
            return build_problem(err)
        return JSONResponse(
            {"consent": encode_b64u(held.hash), "state": held.state.value, "seq": held.seq}
        )

    async def get_head(request: Request) -> Response:
        origin = registry.find_log_origin(request.path_params["origin_sha256_hex"])
        try:
            held = await asyncio.to_thread(consents.get_peer_head, origin or "")
        except NodeError as err:
            return build_problem(err)
        return PlainTextResponse(held)

    return [
        Route(MESSAGES_PATH, post_message, methods=["POST"]),
        Route(STATUSES_PATH, post_status, methods=["POST"]),
        Route(f"{HEADS_PATH}/{{origin_sha256_hex}}", get_head, methods=["GET"]),
    ]


def _check_media_type(request: Request) -> None:
    given = request.headers.get("content-type", "").replace(" ", "")
    if given in MEDIA_TYPES:
        return
    if given.startswith(MEDIA_TYPE.partition(";")[0]):
        raise UnsupportedVersionError(f"spoken here: {', '.join(MEDIA_TYPES)}")
    raise MalformedError(f"a message is sent as {MEDIA_TYPE}")


def _decode_token(raw: bytes) -> str:
    try:
        return raw.decode("ascii").strip()
    except UnicodeDecodeError as err:
        raise MalformedError("a compact JWS is ASCII") from err
