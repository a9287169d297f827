"""SQL of the watch list: rows move with their last event; events are appended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from node.core.database import ID_MAX, is_key_of
from node.core.errors import ConflictError
from node.records.store.rows import chunk_values, insert_row, is_among
from node.risk.watch.rules_watch import WatchEventKind
from node.risk.watch.tables import risk_watch, risk_watch_event


class AlreadyWatchedError(ConflictError):
    """The customer is on the watch list."""

    code = "risk-already-watched"


class WatchChangedError(ConflictError):
    """Another one has reviewed or ended it meanwhile: look again."""

    code = "risk-watch-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRecord:
    """A stay on the watch list, as it stands."""

    watch_id: int
    customer_id: int
    cause: str
    is_of_peers: bool
    entered_on: date
    review_on: date
    last_found_on: date
    left_on: date | None
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEvent:
    """What happened to somebody who is watched."""

    seq: int
    kind: WatchEventKind
    happened_on: date
    reason: str
    review_on: date | None
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStep:
    """Somebody comes on the list, is looked at, or leaves: by whom, on which day and why."""

    on: date
    reason: str
    by: str
    at_ms: int


class WatchStore:
    """Reads and moves the list on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_standing(self, customer_ids: Sequence[int]) -> dict[int, WatchRecord]:
        """Return who of some customers is watched."""
        found: dict[int, WatchRecord] = {}
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(risk_watch).where(
                    is_among(risk_watch.c.customer_id, part), risk_watch.c.left_on.is_(None)
                )
            )
            found |= {row.customer_id: _record(row) for row in rows}
        return found

    def list_watched(
        self, *, after: int, limit: int, review_by: date | None = None
    ) -> list[WatchRecord]:
        """Return who is watched in the order of entry; with a day, whose review is due by it."""
        query = (
            select(risk_watch)
            .where(risk_watch.c.left_on.is_(None), risk_watch.c.id > min(after, ID_MAX))
            .order_by(risk_watch.c.id)
            .limit(limit)
        )
        if review_by is not None:
            query = query.where(risk_watch.c.review_on <= review_by)
        return [_record(row) for row in self._connection.execute(query)]

    def list_of(self, customer_id: int) -> list[WatchRecord]:
        """Return every stay of a customer on the list, the newest first."""
        rows = self._connection.execute(
            select(risk_watch)
            .where(risk_watch.c.customer_id == customer_id)
            .order_by(risk_watch.c.id.desc())
        )
        return [_record(row) for row in rows]

    def find(self, watch_id: int) -> WatchRecord | None:
        """Return the stay with this key."""
        if not is_key_of(risk_watch.c.id, watch_id):
            return None
        row = self._connection.execute(
            select(risk_watch).where(risk_watch.c.id == watch_id)
        ).one_or_none()
        return None if row is None else _record(row)

    def list_events(self, watch_id: int) -> list[WatchEvent]:
        """Return the history of a stay."""
        rows = self._connection.execute(
            select(risk_watch_event)
            .where(risk_watch_event.c.watch_id == watch_id)
            .order_by(risk_watch_event.c.seq)
        )
        return [
            WatchEvent(
                seq=row.seq,
                kind=WatchEventKind(row.kind),
                happened_on=row.happened_on,
                reason=row.reason,
                review_on=row.review_on,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
            )
            for row in rows
        ]

    def enter(
        self, customer_id: int, *, cause: str, is_of_peers: bool, review_on: date, step: WatchStep
    ) -> int:
        """Put a customer on the list and return the key of the stay.

        Raises:
            AlreadyWatchedError: It is on the list.
        """
        if self.list_standing([customer_id]):
            raise AlreadyWatchedError("the customer is watched")
        try:
            watch_id = insert_row(
                self._connection,
                risk_watch,
                customer_id=customer_id,
                cause=cause,
                is_of_peers=is_of_peers,
                entered_on=step.on,
                review_on=review_on,
                last_found_on=step.on,
                last_seq=0,
            )
        except IntegrityError as err:
            raise AlreadyWatchedError("the customer is watched") from err
        self._append(watch_id, 0, WatchEventKind.ENTERED, review_on=review_on, step=step)
        return watch_id

    def review(self, record: WatchRecord, *, review_on: date, step: WatchStep) -> None:
        """Append that somebody has looked, and when one looks next.

        Raises:
            WatchChangedError: Something happened to it meanwhile.
        """
        self._move(record, review_on=review_on)
        seq = record.last_seq + 1
        self._append(record.watch_id, seq, WatchEventKind.REVIEWED, review_on=review_on, step=step)

    def leave(self, record: WatchRecord, *, step: WatchStep) -> None:
        """Append that a customer is watched no longer.

        Raises:
            WatchChangedError: Something happened to it meanwhile.
        """
        self._move(record, left_on=step.on)
        seq = record.last_seq + 1
        self._append(record.watch_id, seq, WatchEventKind.LEFT, review_on=None, step=step)

    def mark_found(self, watch_ids: Sequence[int], *, on: date) -> None:
        """Keep that something was found of these on a day."""
        for part in chunk_values(watch_ids):
            self._connection.execute(
                update(risk_watch).where(is_among(risk_watch.c.id, part)).values(last_found_on=on)
            )

    def _move(self, record: WatchRecord, **values: object) -> None:
        moved = self._connection.execute(
            update(risk_watch)
            .where(
                risk_watch.c.id == record.watch_id,
                risk_watch.c.last_seq == record.last_seq,
                risk_watch.c.left_on.is_(None),
            )
            .values(last_seq=record.last_seq + 1, **values)
        )
        if moved.rowcount != 1:
            raise WatchChangedError("it was reviewed or ended meanwhile")

    def _append(
        self,
        watch_id: int,
        seq: int,
        kind: WatchEventKind,
        *,
        review_on: date | None,
        step: WatchStep,
    ) -> None:
        self._connection.execute(
            insert(risk_watch_event).values(
                watch_id=watch_id,
                seq=seq,
                kind=kind.value,
                happened_on=step.on,
                reason=step.reason,
                review_on=review_on,
                entered_by=step.by,
                entered_at_ms=step.at_ms,
            )
        )


def _record(row: Row[Any]) -> WatchRecord:
    return WatchRecord(
        watch_id=row.id,
        customer_id=row.customer_id,
        cause=row.cause,
        is_of_peers=row.is_of_peers,
        entered_on=row.entered_on,
        review_on=row.review_on,
        last_found_on=row.last_found_on,
        left_on=row.left_on,
        last_seq=row.last_seq,
    )
