"""Our own keys that were changed, and snapshots that contradict the chain held here."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from node.sharing.tables import own_key_change, registry_fork
from protocol.registry import Registry


class OwnKeyStore:
    """One transaction's view of the key changes that this node has logged."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_changed(self, use: str) -> list[str]:
        """Return the thumbprints of keys that took the place of another."""
        return list(
            self._connection.execute(
                select(own_key_change.c.kid).where(own_key_change.c.use == use)
            ).scalars()
        )

    def is_changed(self, kid: str) -> bool:
        """Tell whether the log has an entry of this key."""
        found = self._connection.execute(
            select(own_key_change.c.kid).where(own_key_change.c.kid == kid)
        ).one_or_none()
        return found is not None

    def list_tokens(self) -> list[list[str]]:
        """Return the signatures of each change, in the order of the log.

        Changes that were logged before signatures were kept are left out.
        """
        query = (
            select(own_key_change.c.tokens)
            .where(own_key_change.c.tokens.is_not(None))
            .order_by(own_key_change.c.logged_at_s, own_key_change.c.kid)
        )
        return [json.loads(tokens) for tokens in self._connection.execute(query).scalars()]

    def add(
        self, kid: str, *, use: str, statement: bytes, tokens: Sequence[str], at_s: int
    ) -> None:
        """Append a key change that is about to be logged, with its signatures."""
        self._connection.execute(
            insert(own_key_change).values(
                kid=kid,
                use=use,
                statement=statement,
                tokens=json.dumps(list(tokens)),
                logged_at_s=at_s,
            )
        )


class ForkStore:
    """One transaction's view of the snapshots that are evidence against the hub."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def add(self, registry: Registry, tokens: Sequence[str], *, at_s: int) -> bool:
        """Keep a snapshot, unless it is kept already; tell whether it is new."""
        known = self._connection.execute(
            select(registry_fork.c.hash).where(registry_fork.c.hash == registry.hash)
        ).one_or_none()
        if known is not None:
            return False
        self._connection.execute(
            insert(registry_fork).values(
                hash=registry.hash,
                seq=registry.seq,
                tokens=json.dumps(list(tokens)),
                seen_at_s=at_s,
            )
        )
        return True

    def count(self) -> int:
        """Return how many are kept."""
        return self._connection.execute(
            select(func.count()).select_from(registry_fork)
        ).scalar_one()

    def list_tokens(self) -> list[tuple[int, list[str]]]:
        """Return number and signatures of each, by number."""
        rows = self._connection.execute(
            select(registry_fork.c.seq, registry_fork.c.tokens).order_by(
                registry_fork.c.seq, registry_fork.c.hash
            )
        )
        return [(row.seq, json.loads(row.tokens)) for row in rows]
