"""SQL of an operator's requests: which questions a key stands for, and manifests."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from node.sharing.tables import ask_key, manifest
from protocol.encoding import decode_b64u, encode_b64u
from protocol.limits import JTI_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedAsks:
    """What a request under an idempotency key was, and the ids of its questions."""

    digest: bytes
    asks: tuple[bytes, ...]


class QuestionStore:
    """One transaction's view of requests."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def find_keyed(self, key: str) -> KeyedAsks | None:
        """Return the questions that a key stands for."""
        row = self._connection.execute(select(ask_key).where(ask_key.c.key == key)).one_or_none()
        if row is None:
            return None
        asks = tuple(decode_b64u(jti, bytes_exact=JTI_BYTES) for jti in json.loads(row.asks))
        return KeyedAsks(digest=row.digest, asks=asks)

    def add_keyed(self, key: str, keyed: KeyedAsks, *, at_ms: int) -> None:
        """Keep the questions of a key."""
        asks = json.dumps([encode_b64u(jti) for jti in keyed.asks])
        self._connection.execute(
            insert(ask_key).values(key=key, digest=keyed.digest, asks=asks, at_ms=at_ms)
        )

    def forget_keys(self, *, before_ms: int) -> None:
        """Forget keys older than this."""
        self._connection.execute(delete(ask_key).where(ask_key.c.at_ms < before_ms))

    def add_manifest(self, manifest_id: bytes, *, token: str, at_ms: int) -> None:
        """Keep a signed manifest."""
        self._connection.execute(insert(manifest).values(id=manifest_id, token=token, at_ms=at_ms))

    def find_manifest(self, manifest_id: bytes) -> str | None:
        """Return a signed manifest."""
        query = select(manifest.c.token).where(manifest.c.id == manifest_id)
        return self._connection.execute(query).scalar_one_or_none()
