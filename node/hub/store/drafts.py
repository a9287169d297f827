"""The next snapshot, while it waits for signatures of keys that are not here."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from node.hub.tables import hub_draft


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """The next snapshot with the signatures that it has so far."""

    seq: int
    hash: bytes
    payload: bytes
    tokens: tuple[str, ...]
    own_count: int
    """How many of the tokens are of keys held here."""
    is_outdated: bool
    """Something has changed since, which the snapshot after it will say."""

    @property
    def is_cosigned(self) -> bool:
        """Tell whether somebody else has signed it: it may not be made anew then."""
        return len(self.tokens) > self.own_count


class DraftStore:
    """Reads and writes the one that waits, on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self) -> DraftRow | None:
        """Return the snapshot that waits for signatures."""
        row = self._connection.execute(select(hub_draft)).one_or_none()
        if row is None:
            return None
        return DraftRow(
            seq=row.seq,
            hash=row.hash,
            payload=row.payload.encode("utf-8"),
            tokens=tuple(json.loads(row.tokens)),
            own_count=row.own_count,
            is_outdated=row.is_outdated,
        )

    def put(self, draft: DraftRow, *, at_s: int) -> None:
        """Keep a snapshot that waits for signatures in the place of any other."""
        self.drop()
        self._connection.execute(
            insert(hub_draft).values(
                seq=draft.seq,
                hash=draft.hash,
                payload=draft.payload.decode("utf-8"),
                tokens=json.dumps(list(draft.tokens)),
                own_count=draft.own_count,
                is_outdated=draft.is_outdated,
                made_at_s=at_s,
            )
        )

    def drop(self) -> None:
        """Forget the snapshot that waits, which is published or is never to be."""
        self._connection.execute(delete(hub_draft))
