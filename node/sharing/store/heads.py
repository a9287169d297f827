"""The newest proven head of each log of a peer, as it came with a message."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, text

from node.sharing.tables import peer_head


class HeadStore:
    """One transaction's view of the heads."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def store_all(self, heads: Mapping[tuple[str, str], tuple[int, str]]) -> None:
        """Keep size and checkpoint by peer and origin; an older one changes nothing."""
        self._connection.execute(
            _UPSERT,
            [
                {"peer": peer, "origin": origin, "size": size, "checkpoint": checkpoint}
                for (peer, origin), (size, checkpoint) in heads.items()
            ],
        )

    def find(self, origin: str) -> str | None:
        """Return the newest checkpoint of a log that is held here."""
        query = select(peer_head.c.checkpoint).where(peer_head.c.origin == origin)
        return self._connection.execute(query).scalar_one_or_none()


# In the words that both databases speak.
_UPSERT = text(
    "INSERT INTO peer_head (peer, origin, size, checkpoint) "
    "VALUES (:peer, :origin, :size, :checkpoint) "
    "ON CONFLICT (peer, origin) "
    "DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint "
    "WHERE excluded.size > peer_head.size"
)
