"""Reading and writing answers that are given again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from node.core.repeats.errors import AnswerLostError
from node.core.repeats.tables import kept_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What is kept of a request; ``answer`` is JSON, None before it was given."""

    request_sha256_b64u: str
    answer: str | None


class RepeatStore:
    """Reads and writes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, route: str, key: str) -> KeptAnswer | None:
        """Return what is kept of a kind of request under a key."""
        row = self._connection.execute(
            select(kept_answer.c.request_sha256_b64u, kept_answer.c.answer).where(
                kept_answer.c.route == route, kept_answer.c.idempotency_key == key
            )
        ).one_or_none()
        return None if row is None else KeptAnswer(request_sha256_b64u=row[0], answer=row[1])

    def append(self, route: str, key: str, *, request_sha256_b64u: str, at_ms: int) -> None:
        """Append that a request is being done.

        Raises:
            AnswerLostError: It is being done by another.
        """
        try:
            self._connection.execute(
                insert(kept_answer).values(
                    route=route,
                    idempotency_key=key,
                    request_sha256_b64u=request_sha256_b64u,
                    answer=None,
                    entered_at_ms=at_ms,
                )
            )
        except IntegrityError as err:
            raise AnswerLostError("a request with this key is at work") from err

    def settle(self, route: str, key: str, *, answer: str) -> bool:
        """Keep the answer; False where nothing was appended."""
        kept = self._connection.execute(
            update(kept_answer)
            .where(kept_answer.c.route == route, kept_answer.c.idempotency_key == key)
            .values(answer=answer)
        )
        return kept.rowcount == 1

    def forget(self, *, before_ms: int) -> None:
        """Delete what was appended before a moment."""
        self._connection.execute(delete(kept_answer).where(kept_answer.c.entered_at_ms < before_ms))
