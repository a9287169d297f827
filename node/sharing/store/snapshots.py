"""Registry snapshots as they were signed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from node.sharing.tables import registry_snapshot
from protocol.registry import Registry


class SnapshotStore:
    """One transaction's view of the snapshots."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_tokens(self) -> list[list[str]]:
        """Return the signatures of every snapshot, the first one first."""
        rows = self._connection.execute(
            select(registry_snapshot.c.tokens).order_by(registry_snapshot.c.seq)
        )
        return [json.loads(tokens) for tokens in rows.scalars()]

    def find_newest_seq(self) -> int | None:
        """Return the number of the newest snapshot."""
        newest = select(func.max(registry_snapshot.c.seq))
        found: int | None = self._connection.execute(newest).scalar_one()
        return found

    def get_tokens(self, seq: int) -> list[str]:
        """Return the signatures of the snapshot of a number."""
        query = select(registry_snapshot.c.tokens).where(registry_snapshot.c.seq == seq)
        return list(json.loads(self._connection.execute(query).scalar_one()))

    def add(self, registry: Registry, tokens: Sequence[str]) -> None:
        """Append a verified snapshot."""
        self._connection.execute(
            insert(registry_snapshot).values(
                seq=registry.seq,
                hash=registry.hash,
                tokens=json.dumps(list(tokens)),
                iat=registry.iat,
                exp=registry.exp,
            )
        )
