"""Reading and appending limits, their approvals, and stops."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from node.core.database import INTEGER_MAX, is_key_of
from node.core.people.service import Role
from node.decision.rules_state import Approval, Authority
from node.records.store.rows import chunk_values, insert_row, is_among_param
from node.risk.errors import ReleaseDutyError
from node.risk.limits.rules_limits import EndApproval, LimitEntry, LimitKind, Stop
from node.risk.limits.tables import (
    customer_stop,
    limit_approval,
    limit_ending,
    limit_entry,
)

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection, Row


_ENTRIES_OF = (
    select(limit_entry)
    .where(is_among_param(limit_entry.c.customer_id, "customer_ids"))
    .order_by(limit_entry.c.id)
)
_STOPS_OF = (
    select(customer_stop)
    .where(is_among_param(customer_stop.c.customer_id, "customer_ids"))
    .order_by(customer_stop.c.id)
)


class LimitStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        """Read what is known now, or what was known at a moment."""
        self._connection = connection
        self._known_at_ms = known_at_ms

    def find(self, entry_id: int) -> LimitEntry | None:
        """Return an entry."""
        if not is_key_of(limit_entry.c.id, entry_id):
            return None
        found = self._list(limit_entry.c.id == entry_id)
        return found[0] if found else None

    def list_of(self, customer_ids: Collection[int]) -> list[LimitEntry]:
        """Return the entries of some customers by entry, whatever their state."""
        rows = self._connection.execute(_ENTRIES_OF, {"customer_ids": sorted(customer_ids)})
        return self._read(rows)

    def list_waiting(self, *, after: int = 0, limit: int) -> list[LimitEntry]:
        """Return what waits for an approval, what was requested first at first."""
        return self._list(
            limit_entry.c.approved_at_ms.is_(None),
            limit_entry.c.ended_at_ms.is_(None),
            limit_entry.c.id > min(after, INTEGER_MAX),
            limit=limit,
        )

    def list_stops(self, customer_ids: Collection[int]) -> list[Stop]:
        """Return what stops or stopped some customers, by entry."""
        rows = self._connection.execute(_STOPS_OF, {"customer_ids": sorted(customer_ids)})
        return [_stop(row, known_at_ms=self._known_at_ms) for row in rows if self._is_known(row)]

    def find_stop(self, stop_id: int) -> Stop | None:
        """Return a stop."""
        if not is_key_of(customer_stop.c.id, stop_id):
            return None
        query = select(customer_stop).where(customer_stop.c.id == stop_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _stop(row, known_at_ms=None)

    def append(
        self,
        kind: LimitKind,
        customer_id: int,
        *,
        currency: str,
        amount_minor: int,
        first_on: date,
        last_on: date | None,
        reason: str,
        by: str,
        at_ms: int,
    ) -> int:
        """Append a request and return its key."""
        return insert_row(
            self._connection,
            limit_entry,
            kind=kind.value,
            customer_id=customer_id,
            currency=currency,
            amount_minor=amount_minor,
            first_on=first_on,
            last_on=last_on,
            reason=reason,
            requested_by=by,
            requested_at_ms=at_ms,
        )

    def append_approval(
        self, entry_id: int, authority: Authority, *, person: str, name: str, at_ms: int
    ) -> None:
        """Append that somebody has approved.

        Raises:
            ReleaseDutyError: The person, or the authority, has done so already.
        """
        try:
            self._connection.execute(
                insert(limit_approval).values(
                    entry_id=entry_id,
                    person=person,
                    holder_person=authority.holder_person,
                    role=authority.role.value,
                    name=name,
                    approved_at_ms=at_ms,
                )
            )
        except IntegrityError as err:
            raise ReleaseDutyError("one person, or one authority, would act twice") from err

    def list_approvals(self, entry_id: int) -> list[tuple[Approval, str]]:
        """Return who has approved, by time, each with the name."""
        rows = self._connection.execute(
            select(limit_approval)
            .where(limit_approval.c.entry_id == entry_id)
            .order_by(limit_approval.c.approved_at_ms, limit_approval.c.person)
        )
        return [
            (
                Approval(person=row.person, holder_person=row.holder_person, role=Role(row.role)),
                row.name,
            )
            for row in rows
        ]

    def append_ending(
        self,
        authority: Authority,
        *,
        entry_id: int | None = None,
        stop_id: int | None = None,
        person: str,
        name: str,
        reason: str,
        at_ms: int,
        round_no: int,
    ) -> None:
        """Append that somebody has approved that an entry, or a stop, ends.

        Raises:
            ReleaseDutyError: The person, or the authority, has done so already.
        """
        try:
            insert_row(
                self._connection,
                limit_ending,
                entry_id=entry_id,
                stop_id=stop_id,
                person=person,
                holder_person=authority.holder_person,
                role=authority.role.value,
                name=name,
                reason=reason,
                approved_at_ms=at_ms,
                round=round_no,
            )
        except IntegrityError as err:
            raise ReleaseDutyError("one person, or one authority, would act twice") from err

    def add_endings(self, entries: Iterable[LimitEntry]) -> tuple[LimitEntry, ...]:
        """Return entries with who has approved that they end."""
        found = list(entries)
        endings = self._read_endings(limit_ending.c.entry_id, [one.entry_id for one in found])
        return tuple(replace(one, ending=tuple(endings.get(one.entry_id, ()))) for one in found)

    def add_stop_ending(self, stop: Stop) -> Stop:
        """Return a stop with who has approved that it ends."""
        endings = self._read_endings(limit_ending.c.stop_id, [stop.stop_id])
        return replace(stop, ending=tuple(endings.get(stop.stop_id, ())))

    def settle(self, entry_id: int, *, by: str, on: date, at_ms: int) -> None:
        """Let an entry be approved."""
        self._connection.execute(
            update(limit_entry)
            .where(limit_entry.c.id == entry_id, limit_entry.c.approved_at_ms.is_(None))
            .values(approved_by=by, approved_on=on, approved_at_ms=at_ms)
        )

    def end(self, entry_id: int, *, reason: str, by: str, on: date, at_ms: int) -> None:
        """End an entry."""
        self._connection.execute(
            update(limit_entry)
            .where(limit_entry.c.id == entry_id, limit_entry.c.ended_at_ms.is_(None))
            .values(ended_by=by, ended_on=on, ended_at_ms=at_ms, end_reason=reason)
        )

    def append_stop(self, customer_id: int, *, reason: str, on: date, by: str, at_ms: int) -> int:
        """Append a stop and return its key."""
        return insert_row(
            self._connection,
            customer_stop,
            customer_id=customer_id,
            reason=reason,
            first_on=on,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def end_stop(self, stop_id: int, *, reason: str, by: str, on: date, at_ms: int) -> None:
        """End a stop."""
        self._connection.execute(
            update(customer_stop)
            .where(customer_stop.c.id == stop_id, customer_stop.c.ended_at_ms.is_(None))
            .values(ended_by=by, ended_on=on, ended_at_ms=at_ms, end_reason=reason)
        )

    def _list(self, *conditions: ColumnElement[bool], limit: int | None = None) -> list[LimitEntry]:
        rows = self._connection.execute(
            select(limit_entry).where(*conditions).order_by(limit_entry.c.id).limit(limit)
        )
        return self._read(rows)

    def _read(self, rows: Iterable[Row[Any]]) -> list[LimitEntry]:
        known_at_ms = self._known_at_ms
        return [
            _entry(row, known_at_ms=known_at_ms)
            for row in rows
            if known_at_ms is None or row.requested_at_ms <= known_at_ms
        ]

    def _read_endings(
        self, column: Column[Any], keys: Sequence[int]
    ) -> dict[int, list[EndApproval]]:
        found: dict[int, list[EndApproval]] = {}
        for part in chunk_values(keys):
            rows = self._connection.execute(
                select(limit_ending, column.label("of"))
                .where(column.in_(part))
                .order_by(limit_ending.c.id)
            )
            for row in rows:
                if _happened(row.approved_at_ms, self._known_at_ms):
                    found.setdefault(row.of, []).append(_ending(row))
        return found

    def _is_known(self, row: Row[Any]) -> bool:
        return self._known_at_ms is None or row.entered_at_ms <= self._known_at_ms


def _entry(row: Row[Any], *, known_at_ms: int | None) -> LimitEntry:
    is_approved = _happened(row.approved_at_ms, known_at_ms)
    is_ended = _happened(row.ended_at_ms, known_at_ms)
    return LimitEntry(
        entry_id=row.id,
        kind=LimitKind(row.kind),
        customer_id=row.customer_id,
        currency=row.currency,
        amount_minor=row.amount_minor,
        first_on=row.first_on,
        last_on=row.last_on,
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at_ms=row.requested_at_ms,
        approved_by=row.approved_by if is_approved else None,
        approved_on=row.approved_on if is_approved else None,
        approved_at_ms=row.approved_at_ms if is_approved else None,
        ended_by=row.ended_by if is_ended else None,
        ended_on=row.ended_on if is_ended else None,
        ended_at_ms=row.ended_at_ms if is_ended else None,
        end_reason=row.end_reason if is_ended else None,
    )


def _ending(row: Row[Any]) -> EndApproval:
    return EndApproval(
        approval=Approval(person=row.person, holder_person=row.holder_person, role=Role(row.role)),
        name=row.name,
        reason=row.reason,
        approved_at_ms=row.approved_at_ms,
        round=row.round,
    )


def _stop(row: Row[Any], *, known_at_ms: int | None) -> Stop:
    is_ended = _happened(row.ended_at_ms, known_at_ms)
    return Stop(
        stop_id=row.id,
        customer_id=row.customer_id,
        reason=row.reason,
        first_on=row.first_on,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        ended_by=row.ended_by if is_ended else None,
        ended_on=row.ended_on if is_ended else None,
        ended_at_ms=row.ended_at_ms if is_ended else None,
        end_reason=row.end_reason if is_ended else None,
    )


def _happened(at_ms: int | None, known_at_ms: int | None) -> bool:
    return at_ms is not None and (known_at_ms is None or at_ms <= known_at_ms)
