"""Deputies: named for some days, and ended; never changed otherwise."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select, update

from node.core.database import is_key_of
from node.core.people.service import Role
from node.decision.rules_state import Deputy
from node.decision.tables import decision_deputy
from node.records.store.rows import insert_row


class DeputyStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(
        self,
        *,
        role: Role,
        holder: tuple[str, str],
        deputy: tuple[str, str],
        first_on: date,
        last_on: date,
        at_ms: int,
    ) -> int:
        """Keep who stands in for whom; each is a name and the person that it is of."""
        return insert_row(
            self._connection,
            decision_deputy,
            role=role,
            holder=holder[0],
            holder_person=holder[1],
            deputy=deputy[0],
            deputy_person=deputy[1],
            first_on=first_on,
            last_on=last_on,
            entered_at_ms=at_ms,
        )

    def end(self, deputy_id: int, *, by: str, at_ms: int) -> None:
        """Keep that somebody stands in no longer."""
        self._connection.execute(
            update(decision_deputy)
            .where(decision_deputy.c.id == deputy_id, decision_deputy.c.ended_at_ms.is_(None))
            .values(ended_by=by, ended_at_ms=at_ms)
        )

    def find(self, deputy_id: int) -> Deputy | None:
        """Return who stands in, by its key."""
        if not is_key_of(decision_deputy.c.id, deputy_id):
            return None
        query = select(decision_deputy).where(decision_deputy.c.id == deputy_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _deputy(row)

    def list_of(self, person: str, *, on: date) -> list[Deputy]:
        """Return for whom a person stands in on a day."""
        rows = self._connection.execute(
            select(decision_deputy)
            .where(
                decision_deputy.c.deputy_person == person,
                decision_deputy.c.ended_at_ms.is_(None),
                decision_deputy.c.first_on <= on,
                decision_deputy.c.last_on >= on,
            )
            .order_by(decision_deputy.c.id)
        )
        return [_deputy(row) for row in rows]

    def list_newest(self, *, limit: int) -> list[Deputy]:
        """Return who stands or stood in for whom, the newest first."""
        rows = self._connection.execute(
            select(decision_deputy).order_by(decision_deputy.c.id.desc()).limit(limit)
        )
        return [_deputy(row) for row in rows]


def _deputy(row: Row[Any]) -> Deputy:
    return Deputy(
        deputy_id=row.id,
        role=Role(row.role),
        holder=row.holder,
        holder_person=row.holder_person,
        deputy=row.deputy,
        deputy_person=row.deputy_person,
        first_on=row.first_on,
        last_on=row.last_on,
        entered_at_ms=row.entered_at_ms,
        ended_by=row.ended_by,
        ended_at_ms=row.ended_at_ms,
    )
