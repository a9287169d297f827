"""The hub's HTTP face: raw bounded bytes in, one service call, bytes out.

What a member verifies is signed by itself (snapshots, lists, cosignatures); refusals are RFC 9457
problems, unsigned, except where C2SP tlog-witness asks for another body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from hmac import compare_digest

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from node.core.config import SettingsError
from node.core.errors import NodeError, NotAuthenticatedError
from node.core.http.bodies import read_bounded
from node.core.http.problems import build_problem
from node.hub.errors import DraftUnknownError, SnapshotUnknownError
from node.hub.rules_status import STATUS_BYTES_MAX
from node.hub.service import HubService
from node.hub.store import DraftRow, Snapshot
from protocol import SPOKEN_VERSIONS
from protocol.checkpoint import parse_decimal
from protocol.cosignature import SIZE_CONTENT_TYPE, StaleSizeError, WitnessRefusalError
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import MalformedError, ProtocolError, SchemaError
from protocol.invitation import INVITATION_TOKEN
from protocol.limits import (
    HASH_BYTES,
    REGISTRY_BYTES_MAX,
    REGISTRY_LIFE_S,
    STATEMENT_BYTES_MAX,
    STATUS_LIST_LIFE_S,
    WITNESS_REQUEST_BYTES_MAX,
)
from protocol.problems import Hop
from protocol.purpose import TEMPLATES
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object
from protocol.tile import parse_tile_path

ENROLMENT_TOKENS_MAX = 4  # a member brings two keys; what is longer is no enrolment
ENROLMENT_BYTES_MAX = ENROLMENT_TOKENS_MAX * STATEMENT_BYTES_MAX
KEY_CHANGE_BYTES_MAX = 8_192
STATUS_BODY_BYTES_MAX = STATUS_BYTES_MAX
SEQ_DIGITS_MAX = 10
DETACHED_BYTES_MAX = 1_024
NOTE_CONTENT_TYPE = "text/plain; charset=utf-8"

_Handler = Callable[[Request], Awaitable[Response]]

_log = structlog.get_logger()


def build_hub_routes(
    service: HubService, *, enrolment_token: str, subject_token: str = ""
) -> list[Route]:
    """Return the hub's routes; with a token of the operator's members or subjects may be enrolled.

    Without a token for subjects, they are enrolled by invitation only.

    Raises:
        SettingsError: The token is empty: anybody could enrol.
    """
    if not enrolment_token:
        raise SettingsError("the enrolment token is empty")
    routes = _HubRoutes(service, enrolment_token=enrolment_token, subject_token=subject_token)
    return [
        Route("/hub/v1/registry", _guard(routes.get_newest), methods=["GET"]),
        Route("/hub/v1/registry/{seq}", _guard(routes.get_snapshot), methods=["GET"]),
        Route("/hub/v1/registry/{seq}/proof", _guard(routes.prove_snapshot), methods=["GET"]),
        Route("/chengxin/v1/log/checkpoint", _guard(routes.get_head), methods=["GET"]),
        Route("/chengxin/v1/log/{tile:path}", _guard(routes.get_tile), methods=["GET"]),
        Route("/hub/v1/draft", _guard(routes.get_draft), methods=["GET"]),
        Route("/hub/v1/draft/{hash}/signatures", _guard(routes.add_signature), methods=["POST"]),
        Route("/hub/v1/members", _guard(routes.enrol_member), methods=["POST"]),
        Route("/hub/v1/subjects", _guard(routes.enrol_subject), methods=["POST"]),
        Route("/hub/v1/unkeyed", _guard(routes.enrol_unkeyed), methods=["POST"]),
        Route("/hub/v1/key-changes", _guard(routes.change_key), methods=["POST"]),
        Route("/hub/v1/leavings", _guard(routes.take_leaving), methods=["POST"]),
        Route("/hub/v1/status-list", _guard(routes.get_status_list), methods=["GET"]),
        Route("/hub/v1/statuses", _guard(routes.report_status), methods=["POST"]),
        Route("/hub/v1/directory", _guard(routes.get_directory), methods=["GET"]),
        Route("/hub/v1/purposes", _guard(routes.get_purposes), methods=["GET"]),
        Route("/hub/v1/legal-basis", _guard(routes.get_legal_basis), methods=["GET"]),
        Route("/add-checkpoint", _guard(routes.add_checkpoint), methods=["POST"]),
        Route("/{origin_sha256_hex}/checkpoint", _guard(routes.get_checkpoint), methods=["GET"]),
        Route("/livez", _guard(routes.tell_alive), methods=["GET"]),
        Route("/readyz", _guard(routes.tell_ready), methods=["GET"]),
        Route("/.well-known/chengxin", _guard(routes.describe), methods=["GET"]),
    ]


class _HubRoutes:
    """One method a route; services are sync and run in the thread pool."""

    def __init__(self, service: HubService, *, enrolment_token: str, subject_token: str) -> None:
        self._service = service
        self._enrolment_token = enrolment_token
        self._subject_token = subject_token

    async def get_newest(self, _request: Request) -> Response:
        return _render_snapshot(await run_in_threadpool(self._service.get_snapshot, None))

    async def get_snapshot(self, request: Request) -> Response:
        seq = _parse_seq(request.path_params["seq"])
        return _render_snapshot(await run_in_threadpool(self._service.get_snapshot, seq))

    async def prove_snapshot(self, request: Request) -> Response:
        seq = _parse_seq(request.path_params["seq"])
        since = parse_decimal(request.query_params.get("since", "0"))

        def prove() -> tuple[str, list[bytes]]:
            return self._service.prove_snapshot(seq, since=since)

        inclusion, consistency = await run_in_threadpool(prove)
        return JSONResponse(
            {"inclusion": inclusion, "consistency": [encode_b64u(one) for one in consistency]}
        )

    async def get_draft(self, _request: Request) -> Response:
        draft = await run_in_threadpool(self._service.cosigning.find_draft)
        if draft is None:
            raise DraftUnknownError("no snapshot waits for signatures")
        return JSONResponse({"payload": encode_b64u(draft.payload), "tokens": list(draft.tokens)})

    async def add_signature(self, request: Request) -> Response:
        signed = decode_b64u(request.path_params["hash"], bytes_exact=HASH_BYTES)
        raw = await read_bounded(request, bytes_max=DETACHED_BYTES_MAX)

        def add() -> DraftRow | None:
            return self._service.cosigning.add_signature(_decode_ascii(raw), signed=signed)

        return JSONResponse({"published": await run_in_threadpool(add) is None})

    async def get_head(self, _request: Request) -> Response:
        state = await run_in_threadpool(self._service.read_log)
        return Response(state.checkpoint, media_type=NOTE_CONTENT_TYPE)

    async def get_tile(self, request: Request) -> Response:
        tile = parse_tile_path(request.path_params["tile"])
        data = await run_in_threadpool(self._service.get_tile, tile)
        return Response(data, media_type="application/octet-stream")

    async def enrol_member(self, request: Request) -> Response:
        invitation = _find_invitation(request, operators_token=self._enrolment_token)
        tokens = await _read_tokens(request, bytes_max=ENROLMENT_BYTES_MAX)

        def enrol() -> Snapshot:
            return self._service.enrol_member(tokens, invitation=invitation)

        return JSONResponse({"registry": (await run_in_threadpool(enrol)).seq})

    async def enrol_subject(self, request: Request) -> Response:
        invitation = _find_invitation(request, operators_token=self._subject_token)
        tokens = await _read_tokens(request, bytes_max=ENROLMENT_BYTES_MAX)

        def enrol() -> bytes:
            return self._service.enrol_subject(tokens, invitation=invitation)

        return JSONResponse({"commitment": encode_b64u(await run_in_threadpool(enrol))})

    async def enrol_unkeyed(self, request: Request) -> Response:
        invitation = _find_invitation(request, operators_token=self._subject_token)
        tokens = await _read_tokens(request, bytes_max=ENROLMENT_BYTES_MAX)
        if len(tokens) != 1:
            raise SchemaError("tokens: exactly one, of the member's message key")

        def enrol() -> bytes:
            return self._service.enrol_unkeyed(tokens[0], invitation=invitation)

        return JSONResponse({"commitment": encode_b64u(await run_in_threadpool(enrol))})

    async def change_key(self, request: Request) -> Response:
        tokens = await _read_tokens(request, bytes_max=KEY_CHANGE_BYTES_MAX)
        snapshot = await run_in_threadpool(self._service.change_key, tokens)
        return JSONResponse({"registry": snapshot.seq})

    async def take_leaving(self, request: Request) -> Response:
        raw = await read_bounded(request, bytes_max=STATUS_BODY_BYTES_MAX)
        snapshot = await run_in_threadpool(self._service.take_leaving, _decode_ascii(raw))
        return JSONResponse({"registry": snapshot.seq})

    async def get_status_list(self, _request: Request) -> Response:
        return PlainTextResponse(await run_in_threadpool(self._service.status_list))

    async def report_status(self, request: Request) -> Response:
        raw = await read_bounded(request, bytes_max=STATUS_BODY_BYTES_MAX)
        status = await run_in_threadpool(self._service.report_status, _decode_ascii(raw))
        return JSONResponse({"consent": encode_b64u(status.consent), "seq": status.seq})

    async def get_directory(self, _request: Request) -> Response:
        members = await run_in_threadpool(self._service.directory)
        return JSONResponse({"members": [asdict(member) for member in members]})

    async def get_purposes(self, _request: Request) -> Response:
        # Each as it is hashed, so that anybody can recompute what a consent pins.
        purposes = [
            {"template": template.to_object(), "hash": encode_b64u(template.hash)}
            for template in TEMPLATES.values()
        ]
        return JSONResponse({"v": 1, "purposes": purposes})

    async def get_legal_basis(self, _request: Request) -> Response:
        return PlainTextResponse(self._service.legal_basis())

    async def add_checkpoint(self, request: Request) -> Response:
        raw = await read_bounded(request, bytes_max=WITNESS_REQUEST_BYTES_MAX)
        line = await run_in_threadpool(self._service.add_checkpoint, raw)
        return Response(line, media_type=NOTE_CONTENT_TYPE)

    async def get_checkpoint(self, request: Request) -> Response:
        digest = request.path_params["origin_sha256_hex"]
        note = await run_in_threadpool(self._service.get_witnessed, digest)
        return Response(note, media_type=NOTE_CONTENT_TYPE)

    async def tell_alive(self, _request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def tell_ready(self, _request: Request) -> Response:
        return JSONResponse(asdict(await run_in_threadpool(self._service.health)))

    async def describe(self, _request: Request) -> Response:
        service = self._service
        return JSONResponse(
            {
                "role": "hub",
                "versions": list(SPOKEN_VERSIONS),
                "hub": service.hub,
                "name": service.name,
                "simulated": service.is_simulated,
                # A hint only: the key that counts is handed over out of band.
                "anchor": encode_b64u(service.anchor.raw),
                "witness_vkey": service.witness_vkey,
                "limits": {
                    "registry_bytes_max": REGISTRY_BYTES_MAX,
                    "registry_life_s": REGISTRY_LIFE_S,
                    "status_list_life_s": STATUS_LIST_LIFE_S,
                    "enrolment_bytes_max": ENROLMENT_BYTES_MAX,
                    "status_bytes_max": STATUS_BODY_BYTES_MAX,
                    "add_checkpoint_bytes_max": WITNESS_REQUEST_BYTES_MAX,
                },
            }
        )


def _find_invitation(request: Request, *, operators_token: str) -> str | None:
    """Return the invitation's token of the Authorization header, None for the operator's own.

    Raises:
        NotAuthenticatedError: There is no bearer token at all.
    """
    given = request.headers.get("authorization", "")
    scheme, _, token = given.partition(" ")
    if operators_token and compare_digest(given.encode(), f"Bearer {operators_token}".encode()):
        return None
    if scheme != "Bearer" or not INVITATION_TOKEN.fullmatch(token):
        raise NotAuthenticatedError("a valid bearer token is needed")
    return token


async def _read_tokens(request: Request, *, bytes_max: int) -> tuple[str, ...]:
    raw = await read_bounded(request, bytes_max=bytes_max)
    reader = ShapeReader(parse_object(raw), what="tokens")
    tokens = reader.texts("tokens", count_max=ENROLMENT_TOKENS_MAX)
    reader.finish()
    return tokens


def _parse_seq(text: str) -> int:
    # A path that is no number names nothing, like a number that was never given.
    if not text.isascii() or not text.isdigit() or len(text) > SEQ_DIGITS_MAX or text[0] == "0":
        raise SnapshotUnknownError("no number of a snapshot")
    return int(text)


def _decode_ascii(raw: bytes) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as err:
        raise MalformedError("a compact JWS is ASCII") from err


def _render_snapshot(snapshot: Snapshot) -> Response:
    return JSONResponse({"tokens": list(snapshot.tokens)})


def _guard(handler: _Handler) -> _Handler:
    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except (NodeError, ProtocolError) as err:
            return _refuse(err)

    return handle


def _refuse(err: NodeError | ProtocolError) -> Response:
    """Render a refusal: the table of ``node.core.http``, and what tlog-witness fixes itself."""
    _log.info("hub_refused", code=err.code)
    if isinstance(err, StaleSizeError):
        # The specification names the type without parameters, so it is not left to the framework.
        headers = {"content-type": SIZE_CONTENT_TYPE}
        return Response(err.body, status_code=err.status, headers=headers)
    status = err.status if isinstance(err, WitnessRefusalError) else None
    return build_problem(err, hop=Hop.HUB, status=status)
