"""Sealed sessions that were ended before their time: of those the store remembers the hash.

A session that a token buys stands in no row: the cookie is sealed. So that signing out ends it, and
not this browser's copy alone, it is remembered until it would have ended by itself.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from node.core.clock import Clock
from node.core.database import Database
from node.core.people.tables import ended_session
from protocol.encoding import sha256


class SealedSessions:
    """Ends sealed sessions, and tells which are."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock

    def end(self, cookie: str, *, expires_at_ms: int) -> None:
        """End a session for good; twice is once. Those whose time is over are forgotten."""
        with self._database.write() as uow:
            connection, hashed = uow.connection, _hash(cookie)
            connection.execute(
                delete(ended_session).where(
                    (ended_session.c.expires_at_ms <= self._clock.now_ms())
                    | (ended_session.c.hash == hashed)
                )
            )
            connection.execute(
                insert(ended_session).values(hash=hashed, expires_at_ms=expires_at_ms)
            )

    def is_ended(self, cookie: str) -> bool:
        """Tell whether a session was ended before its time."""
        query = select(ended_session.c.hash).where(ended_session.c.hash == _hash(cookie))
        with self._database.read() as uow:
            return uow.connection.execute(query).first() is not None


def _hash(cookie: str) -> bytes:
    return sha256(cookie.encode("utf-8"))
