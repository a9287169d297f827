"""SQL of the signals that persons have entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select, update

from node.core.database import is_key_of
from node.records.store.rows import chunk_values, insert_row, is_among
from node.records.store.visibility import stands
from node.risk.signals.tables import risk_signal


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalEntry:
    """A signal as a person has entered it."""

    entry_id: int
    customer_id: int
    signal: str
    happened_on: date
    note: str
    entered_by: str
    entered_at_ms: int
    ended_by: str | None
    end_reason: str | None


class SignalStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_of(
        self, customer_ids: Sequence[int], *, is_standing: bool = True
    ) -> list[SignalEntry]:
        """Return the signals of some customers; those that were taken back too, if asked for."""
        found: list[SignalEntry] = []
        for part in chunk_values(customer_ids):
            query = (
                select(risk_signal)
                .where(is_among(risk_signal.c.customer_id, part))
                .order_by(risk_signal.c.id)
            )
            if is_standing:
                query = query.where(stands(None, risk_signal))
            found += [_entry(row) for row in self._connection.execute(query)]
        return found

    def find(self, entry_id: int) -> SignalEntry | None:
        """Return the entry with this key."""
        if not is_key_of(risk_signal.c.id, entry_id):
            return None
        row = self._connection.execute(
            select(risk_signal).where(risk_signal.c.id == entry_id)
        ).one_or_none()
        return None if row is None else _entry(row)

    def append(
        self,
        customer_id: int,
        *,
        signal: str,
        happened_on: date,
        note: str,
        by: str,
        at_ms: int,
    ) -> int:
        """Append an entry and return its key."""
        return insert_row(
            self._connection,
            risk_signal,
            customer_id=customer_id,
            signal=signal,
            happened_on=happened_on,
            note=note,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def end(self, entry_id: int, *, reason: str, by: str, at_ms: int) -> bool:
        """End an entry that stands; tell whether there was one."""
        ended = self._connection.execute(
            update(risk_signal)
            .where(risk_signal.c.id == entry_id, risk_signal.c.ended_at_ms.is_(None))
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )
        return ended.rowcount == 1


def _entry(row: Row[Any]) -> SignalEntry:
    return SignalEntry(
        entry_id=row.id,
        customer_id=row.customer_id,
        signal=row.signal,
        happened_on=row.happened_on,
        note=row.note,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        ended_by=row.ended_by,
        end_reason=row.end_reason,
    )
