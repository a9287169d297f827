"""What a member asks of other members and of the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from node.core.errors import UnavailableError
from node.core.http.client import BoundedClient, HttpReply, PeerUnreachableError
from protocol.encoding import decode_b64u
from protocol.errors import MalformedError
from protocol.limits import ANSWER_BYTES_MAX, HASH_BYTES, REGISTRY_BYTES_MAX
from protocol.message import MEDIA_TYPE
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

__all__ = [
    "BoundedClient",
    "HttpReply",
    "PeerUnreachableError",
]
MESSAGES_PATH = "/chengxin/v1/messages"
STATUSES_PATH = "/chengxin/v1/consent-statuses"
HUB_STATUSES_PATH = "/hub/v1/statuses"
PROOF_HASHES_MAX = 64  # a consistency proof has at most one for each bit of the size, and one
# A body travels in base64, a third longer, beside its envelope and proof.
REPLY_BYTES_MAX = 2 * ANSWER_BYTES_MAX


class PeerRefusedError(UnavailableError):
    """The peer refused unsigned: it does not know us, or could not read the message."""

    code = "peer-refused"


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


class PeerClient(BoundedClient):
    """One connection pool for every peer."""

    async def send_message(self, endpoint: str, raw: bytes) -> HttpReply:
        """Send a message to a member.

        Raises:
            PeerUnreachableError: No answer in time.
            TooLargeError: The answer exceeds the limit.
        """
        return await self.post(
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
        return await self.post(
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
        reply = await self.get(f"{hub_url}{path}", bytes_max=REGISTRY_BYTES_MAX)
        return _parse_tokens(reply.body)

    async def fetch_registry_proof(self, hub_url: str, *, seq: int, since: int) -> RegistryProof:
        """Return the hub's proof that its log has a snapshot; nothing of it is verified.

        Raises:
            PeerUnreachableError: The hub does not answer, or gives no proof.
            MalformedError: The answer has another form.
        """
        url = f"{hub_url}/hub/v1/registry/{seq}/proof?since={since}"
        reply = await self.get(url, bytes_max=ANSWER_BYTES_MAX)
        return _parse_proof(reply.body)

    async def fetch_status_list(self, hub_url: str) -> str:
        """Return the hub's status list.

        Raises:
            PeerUnreachableError: The hub does not answer.
        """
        reply = await self.get(f"{hub_url}/hub/v1/status-list", bytes_max=REGISTRY_BYTES_MAX)
        return reply.body.decode("ascii", errors="replace")

    async def ask_timestamp(self, url: str, raw: bytes, *, bytes_max: int) -> HttpReply:
        """Ask a time-stamping authority (RFC 3161 §3.4).

        Raises:
            PeerUnreachableError: No answer in time.
            TooLargeError: The answer exceeds the limit.
        """
        return await self.post(
            url, raw, content_type="application/timestamp-query", bytes_max=bytes_max
        )


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
