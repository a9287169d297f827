"""All SQL of the time-stamps of the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from node.sharing.tables import log_stamp

ROWS_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRecord:
    """One token; ``seq`` is the position of its ``anchor`` entry."""

    seq: int
    token: bytes
    at_ms: int


class StampStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def add(self, record: StampRecord) -> None:
        """Keep a token."""
        self._connection.execute(
            insert(log_stamp).values(seq=record.seq, token=record.token, at_ms=record.at_ms)
        )

    def find_newest_at_ms(self) -> int | None:
        """Return when the newest token was kept."""
        query = select(log_stamp.c.at_ms).order_by(log_stamp.c.seq.desc()).limit(1)
        return self._connection.execute(query).scalar_one_or_none()

    def list(self, *, span: range) -> Iterator[StampRecord]:
        """Yield the tokens whose entries lie at one of these positions."""
        seq = log_stamp.c.seq
        query = select(log_stamp).where(seq >= span.start, seq < span.stop).order_by(seq)
        for row in self._connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
            yield StampRecord(seq=row.seq, token=bytes(row.token), at_ms=row.at_ms)
