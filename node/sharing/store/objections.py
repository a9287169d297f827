"""SQL of objections to summaries that were received."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Connection, and_, func, insert, select, update

from node.core.database import is_key_of
from node.sharing.store.exchanging import AnyRow
from node.sharing.store.received import UPHELD
from node.sharing.tables import received_summary, summary_objection


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryObjection:
    """An objection; without an outcome it is open."""

    msg: bytes
    item: int
    raised_by: str
    raised_on: date
    entered_by: str
    entered_at_ms: int
    id: int | None = None
    outcome: str | None = None
    ended_by: str | None = None
    ended_at_ms: int | None = None


class ObjectionStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def find_subject(self, msg: bytes, *, item: int) -> str | None:
        """Return whom a summary that was received is about."""
        query = select(received_summary.c.subject).where(
            received_summary.c.msg == msg, received_summary.c.item == item
        )
        return self._connection.execute(query).scalar_one_or_none()

    def find_standing(self, msg: bytes, *, item: int) -> SummaryObjection | None:
        """Return the objection that is open or was upheld."""
        query = select(summary_objection).where(
            summary_objection.c.msg == msg,
            summary_objection.c.item == item,
            func.coalesce(summary_objection.c.outcome, UPHELD) == UPHELD,
        )
        row = self._connection.execute(query.limit(1)).one_or_none()
        return None if row is None else _read(row)

    def list_of_subject(self, subject: str) -> list[SummaryObjection]:
        """Return the objections to summaries on a subject, the newest first."""
        query = (
            select(summary_objection)
            .join(
                received_summary,
                and_(
                    received_summary.c.msg == summary_objection.c.msg,
                    received_summary.c.item == summary_objection.c.item,
                ),
            )
            .where(received_summary.c.subject == subject)
            .order_by(summary_objection.c.id.desc())
        )
        return [_read(row) for row in self._connection.execute(query)]

    def append(self, objection: SummaryObjection) -> int:
        """Keep an objection; return its key."""
        values = {name: value for name, value in asdict(objection).items() if name != "id"}
        made = insert(summary_objection).values(**values).returning(summary_objection.c.id)
        return int(self._connection.execute(made).scalar_one())

    def find_open(self, objection_id: int) -> SummaryObjection | None:
        """Return an objection that has not ended."""
        if not is_key_of(summary_objection.c.id, objection_id):
            return None
        query = select(summary_objection).where(
            summary_objection.c.id == objection_id, summary_objection.c.outcome.is_(None)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read(row)

    def end(self, objection_id: int, *, outcome: str, by: str, at_ms: int) -> None:
        """Write how an objection ended."""
        self._connection.execute(
            update(summary_objection)
            .where(summary_objection.c.id == objection_id)
            .values(outcome=outcome, ended_by=by, ended_at_ms=at_ms)
        )

    def list_objections(self, *, limit: int) -> list[SummaryObjection]:
        """Return objections, the newest first."""
        query = select(summary_objection).order_by(summary_objection.c.id.desc()).limit(limit)
        return [_read(row) for row in self._connection.execute(query)]


def _read(row: AnyRow) -> SummaryObjection:
    return SummaryObjection(
        id=row.id,
        msg=bytes(row.msg),
        item=row.item,
        raised_by=row.raised_by,
        raised_on=row.raised_on,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        outcome=row.outcome,
        ended_by=row.ended_by,
        ended_at_ms=row.ended_at_ms,
    )
