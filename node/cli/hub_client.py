"""Talk to a hub from the command line: what counts is verified by whoever asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from node.cli.http import (
    TIMEOUT_S,
    ServerRefusedError,
    check_response,
    check_transport,
    read_json,
)
from node.core.errors import UnavailableError
from protocol.checkpoint import hash_origin
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.keys import PUBLIC_KEY_BYTES, PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class HubDiscovery:
    """What a hub says of itself: hints, until the anchor's fingerprint is compared."""

    hub: str
    anchor: PublicKey


class HubClient:
    """One hub's addresses."""

    def __init__(self, url: str) -> None:
        """Open no connection yet.

        Raises:
            PlainHttpError: The address is not on this machine and has no TLS.
            UnavailableError: It is no address.
        """
        check_transport(url)
        self._url = url
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def discover(self) -> HubDiscovery:
        """Ask who the hub is.

        Raises:
            UnavailableError: It does not answer.
            ServerRefusedError: It is no hub.
        """
        found = self._send("GET", "/.well-known/chengxin")
        try:
            anchor = PublicKey(decode_b64u(found["anchor"], bytes_exact=PUBLIC_KEY_BYTES))
            return HubDiscovery(hub=str(found["hub"]), anchor=anchor)
        except (KeyError, TypeError, AttributeError, ProtocolError) as err:
            raise ServerRefusedError(f"{self._url} is no hub's") from err

    def fetch_snapshot(self, seq: int) -> list[str]:
        """Return the signatures of a registry snapshot.

        Raises:
            UnavailableError: The hub does not answer.
            ServerRefusedError: It has no such snapshot.
        """
        found = self._send("GET", f"/hub/v1/registry/{seq}")
        tokens = found.get("tokens") if isinstance(found, dict) else None
        if not isinstance(tokens, list) or not all(isinstance(one, str) for one in tokens):
            raise ServerRefusedError(f"{self._url} answers no snapshot")
        return tokens

    def find_snapshot(self, seq: int) -> list[str] | None:
        """Return the signatures of a registry snapshot, None where the hub has none of the number.

        Raises:
            UnavailableError: The hub does not answer.
            ServerRefusedError: It answers neither.
        """
        if self._request("GET", f"/hub/v1/registry/{seq}").status_code == httpx.codes.NOT_FOUND:
            return None
        return self.fetch_snapshot(seq)

    def find_draft(self) -> bytes | None:
        """Return the payload of the snapshot that waits for signatures, None where none does.

        Raises:
            UnavailableError: The hub does not answer.
            ServerRefusedError: It answers neither.
        """
        response = self._request("GET", "/hub/v1/draft")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        check_response(response)
        found = read_json(response)
        try:
            return decode_b64u(found["payload"])
        except (KeyError, TypeError, AttributeError, ProtocolError) as err:
            raise ServerRefusedError(f"{self._url} answers no snapshot") from err

    def post_signature(self, draft: bytes, detached: str) -> bool:
        """Send a signature of the snapshot of this hash; return whether it is published now.

        Raises:
            UnavailableError: The hub does not answer.
            ServerRefusedError: It refuses.
        """
        path = f"/hub/v1/draft/{encode_b64u(draft)}/signatures"
        found = self._send("POST", path, content=detached.encode("ascii"))
        return isinstance(found, dict) and found.get("published") is True

    def post_tokens(self, path: str, tokens: Sequence[str], *, bearer: str | None = None) -> int:
        """Send signed statements and return the number of the snapshot that holds them.

        Raises:
            UnavailableError: The hub does not answer.
            ServerRefusedError: It refuses.
        """
        headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
        return self._read_seq(
            self._send("POST", path, json={"tokens": list(tokens)}, headers=headers)
        )

    def post_token(self, path: str, token: str) -> int:
        """Send one signed statement and return the number of the snapshot that holds it.

        Raises:
            UnavailableError: The hub does not answer.
            ServerRefusedError: It refuses.
        """
        return self._read_seq(self._send("POST", path, content=token.encode("ascii")))

    def find_head(self, origin: str) -> str | None:
        """Return the newest head of a log that the hub has cosigned, None where it has none.

        Raises:
            UnavailableError: The hub does not answer.
            ServerRefusedError: It answers neither.
        """
        response = self._request("GET", f"/{hash_origin(origin)}/checkpoint")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        check_response(response)
        return response.text

    def _read_seq(self, found: Any) -> int:  # noqa: ANN401  JSON of another party
        seq = found.get("registry") if isinstance(found, dict) else None
        if not isinstance(seq, int):
            raise ServerRefusedError(f"{self._url} names no snapshot")
        return seq

    def _send(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  JSON of another party
        response = self._request(method, path, **options)
        check_response(response)
        return read_json(response)

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  what httpx takes
        try:
            return self._client.request(method, path, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            raise UnavailableError(f"{self._url} does not answer") from err
