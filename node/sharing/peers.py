"""The one place that talks to other nodes and the hub, bounded in time and size.

httpx over the aiohttp transport: its own transport costs several times as much a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx
from httpx_aiohttp import AiohttpTransport

from node.core.errors import UnavailableError
from protocol.encoding import decode_b64u
from protocol.errors import MalformedError, TooLargeError
from protocol.limits import ANSWER_BYTES_MAX, HASH_BYTES, NOTE_BYTES_MAX, REGISTRY_BYTES_MAX
from protocol.message import MEDIA_TYPE
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

MESSAGES_PATH = "/chengxin/v1/messages"
STATUSES_PATH = "/chengxin/v1/consent-statuses"
HUB_STATUSES_PATH = "/hub/v1/statuses"
PROOF_HASHES_MAX = 64  # a consistency proof has at most one for each bit of the size, and one
CONNECTIONS_MAX = 256
# A body travels in base64, a third longer, beside its envelope and proof.
REPLY_BYTES_MAX = 2 * ANSWER_BYTES_MAX


class PeerUnreachableError(UnavailableError):
    """The peer did not answer in time, or not in HTTP."""

    code = "peer-unreachable"


class PeerRefusedError(UnavailableError):
    """The peer refused unsigned: it does not know us, or could not read the message."""

    code = "peer-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """Status and bounded bytes."""

    status: int
    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryProof:
    """Where a snapshot stands in the hub's log, and that the log appends to an earlier head."""

    inclusion: str
    consistency: tuple[bytes, ...]


class MessageSender(Protocol):
    """How a message reaches a member."""

    async def send_message(self, endpoint: str, raw: bytes) -> HttpReply:
        """Send a message and return what came back."""
        ...


class StatementSender(MessageSender, Protocol):
    """How a consent's status reaches a member or the hub, too."""

    async def send_status(self, endpoint: str, token: str) -> HttpReply:
        """Bring a status to a holder."""
        ...

    async def report_status(self, hub_url: str, token: str) -> HttpReply:
        """Bring a status to the hub's list."""
        ...


class PeerClient:
    """One connection pool for every peer."""

    def __init__(self, *, timeout_s: int) -> None:
        """Open no connection yet."""
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            transport=AiohttpTransport(limits=httpx.Limits(max_connections=CONNECTIONS_MAX)),
            timeout=timeout_s,
            follow_redirects=False,
            headers={"accept-encoding": "identity"},
        )

    async def send_message(self, endpoint: str, raw: bytes) -> HttpReply:
        """Send a message to a member.

        Raises:
            PeerUnreachableError: No answer in time.
            TooLargeError: The answer exceeds the limit.
        """
        return await self._post(
            f"{endpoint}{MESSAGES_PATH}",
            raw,
            content_type=MEDIA_TYPE,
            bytes_max=REPLY_BYTES_MAX,
        )

    async def send_status(self, endpoint: str, token: str) -> HttpReply:
        """Bring a status to a holder.

        Raises:
            PeerUnreachableError: No answer in time.
        """
        return await self._post_token(f"{endpoint}{STATUSES_PATH}", token)

    async def report_status(self, hub_url: str, token: str) -> HttpReply:
        """Bring a status to the hub's list.

        Raises:
            PeerUnreachableError: No answer in time.
        """
        return await self._post_token(f"{hub_url}{HUB_STATUSES_PATH}", token)

    async def _post_token(self, url: str, token: str) -> HttpReply:
        return await self._post(
            url,
            token.encode("ascii"),
            content_type="text/plain; charset=us-ascii",
            bytes_max=ANSWER_BYTES_MAX,
        )

    async def fetch_registry(self, hub_url: str, *, seq: int | None) -> list[str]:
        """Return the signatures of a snapshot, the newest unless numbered.

        Raises:
            PeerUnreachableError: The hub does not answer, or has no such snapshot.
            MalformedError: The answer has another form.
        """
        path = "/hub/v1/registry" if seq is None else f"/hub/v1/registry/{seq}"
        reply = await self._get(f"{hub_url}{path}", bytes_max=REGISTRY_BYTES_MAX)
        return _parse_tokens(reply.body)

    async def fetch_registry_proof(self, hub_url: str, *, seq: int, since: int) -> RegistryProof:
        """Return the hub's proof that its log has a snapshot; nothing of it is verified.

        Raises:
            PeerUnreachableError: The hub does not answer, or gives no proof.
            MalformedError: The answer has another form.
        """
        url = f"{hub_url}/hub/v1/registry/{seq}/proof?since={since}"
        reply = await self._get(url, bytes_max=ANSWER_BYTES_MAX)
        return _parse_proof(reply.body)

    async def fetch_status_list(self, hub_url: str) -> str:
        """Return the hub's status list.

        Raises:
            PeerUnreachableError: The hub does not answer.
        """
        reply = await self._get(f"{hub_url}/hub/v1/status-list", bytes_max=REGISTRY_BYTES_MAX)
        return reply.body.decode("ascii", errors="replace")

    async def add_checkpoint(self, hub_url: str, request: str) -> HttpReply:
        """Ask a witness to cosign (C2SP tlog-witness).

        Raises:
            PeerUnreachableError: No answer in time.
        """
        return await self._post(
            f"{hub_url}/add-checkpoint",
            request.encode("utf-8"),
            content_type="text/plain; charset=utf-8",
            bytes_max=ANSWER_BYTES_MAX,
        )

    async def ask_timestamp(self, url: str, raw: bytes, *, bytes_max: int) -> HttpReply:
        """Ask a time-stamping authority (RFC 3161 §3.4).

        Raises:
            PeerUnreachableError: No answer in time.
            TooLargeError: The answer exceeds the limit.
        """
        return await self._post(
            url, raw, content_type="application/timestamp-query", bytes_max=bytes_max
        )

    async def fetch_head(self, url: str) -> str | None:
        """Return the newest head that somebody holds of a log, or None where they hold none.

        Raises:
            PeerUnreachableError: No answer.
            TooLargeError: Longer than a signed note may be.
        """
        request = self._client.build_request("GET", url)
        reply = await self._exchange(request, bytes_max=NOTE_BYTES_MAX)
        if reply.status == httpx.codes.NOT_FOUND:
            return None
        if reply.status != httpx.codes.OK:
            raise PeerUnreachableError(f"{url} answered {reply.status}")
        return reply.body.decode("utf-8", errors="replace")

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    async def _get(self, url: str, *, bytes_max: int) -> HttpReply:
        reply = await self._exchange(self._client.build_request("GET", url), bytes_max=bytes_max)
        if reply.status != httpx.codes.OK:
            raise PeerUnreachableError(f"{url} answered {reply.status}")
        return reply

    async def _post(self, url: str, raw: bytes, *, content_type: str, bytes_max: int) -> HttpReply:
        request = self._client.build_request(
            "POST", url, content=raw, headers={"content-type": content_type}
        )
        return await self._exchange(request, bytes_max=bytes_max)

    async def _exchange(self, request: httpx.Request, *, bytes_max: int) -> HttpReply:
        try:
            # The client's own limits are on each step: an answer could drip in for ever.
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.send(request, stream=True)
                try:
                    body = await _read_bounded(response, bytes_max=bytes_max)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as err:
            raise PeerUnreachableError(f"{request.url}: {type(err).__name__}") from err
        return HttpReply(
            status=response.status_code,
            body=body,
            content_type=response.headers.get("content-type", ""),
        )


async def _read_bounded(response: httpx.Response, *, bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    count = 0
    async for chunk in response.aiter_raw():  # packed bytes stay packed: they may be a bomb
        count += len(chunk)
        if count > bytes_max:
            raise TooLargeError(f"an answer of more than {bytes_max} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _parse_tokens(body: bytes) -> list[str]:
    tokens = parse_object(body).get("tokens")
    if not isinstance(tokens, list):
        raise MalformedError("no list of signatures")
    found: Sequence[str] = [token for token in tokens if isinstance(token, str)]
    if len(found) != len(tokens):
        raise MalformedError("a signature that is no text")
    return list(found)


def _parse_proof(body: bytes) -> RegistryProof:
    reader = ShapeReader(parse_object(body), what="proof")
    inclusion = reader.take("inclusion")
    if not isinstance(inclusion, str):
        raise MalformedError("no proof in the hub's answer")
    hashes = reader.texts("consistency", count_max=PROOF_HASHES_MAX)
    consistency = tuple(decode_b64u(one, bytes_exact=HASH_BYTES) for one in hashes)
    return RegistryProof(inclusion=inclusion, consistency=consistency)
