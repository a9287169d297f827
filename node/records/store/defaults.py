"""Reading and appending defaults, what a second person says of them, and how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, select

from node.core.database import is_key_of
from node.records.rules_default import (
    Decision,
    DecisionOutcome,
    Default,
    DefaultEnd,
    EndOutcome,
    EvidenceClass,
)
from node.records.store.rows import insert_row, is_among
from node.records.store.visibility import is_known
from node.records.tables import default_decision, default_end, default_event

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row


class DefaultStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_defaults(
        self, customer_ids: Sequence[int], *, known_at_ms: int | None = None
    ) -> list[Default]:
        """Return every default of some customers, proposed and rejected ones too, by its day.

        With ``known_at_ms`` as they were known at that moment.
        """
        return self._list(
            and_(
                is_among(default_event.c.customer_id, customer_ids),
                is_known(known_at_ms, default_event),
            ),
            known_at_ms=known_at_ms,
        )

    def find_default(self, default_id: int) -> Default | None:
        """Return the default with this key."""
        if not is_key_of(default_event.c.id, default_id):
            return None
        found = self._list(default_event.c.id == default_id)
        return found[0] if found else None

    def _list(
        self, condition: ColumnElement[bool], *, known_at_ms: int | None = None
    ) -> list[Default]:
        rows = self._connection.execute(
            select(
                default_event,
                default_decision.c.outcome.label("decided"),
                default_decision.c.reason,
                default_decision.c.entered_by.label("decided_by"),
                default_decision.c.entered_at_ms.label("decided_at_ms"),
                default_end.c.outcome.label("ended"),
                default_end.c.ended_on,
                default_end.c.entered_by.label("ended_by"),
                default_end.c.entered_at_ms.label("ended_at_ms"),
            )
            .select_from(
                default_event.outerjoin(
                    default_decision,
                    and_(
                        default_decision.c.default_id == default_event.c.id,
                        is_known(known_at_ms, default_decision),
                    ),
                ).outerjoin(
                    default_end,
                    and_(
                        default_end.c.default_id == default_event.c.id,
                        is_known(known_at_ms, default_end),
                    ),
                )
            )
            .where(condition)
            .order_by(default_event.c.happened_on, default_event.c.id)
        )
        return [_default(row) for row in rows]

    def append_default(
        self,
        *,
        customer_id: int,
        evidence_class: EvidenceClass,
        happened_on: date,
        document_sha256_hex: str,
        by: str,
        at_ms: int,
    ) -> int:
        """Append a default as proposed and return its key."""
        return insert_row(
            self._connection,
            default_event,
            customer_id=customer_id,
            evidence_class=evidence_class,
            happened_on=happened_on,
            document_sha256_hex=document_sha256_hex,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def append_decision(
        self, default_id: int, *, outcome: DecisionOutcome, reason: str, by: str, at_ms: int
    ) -> None:
        """Append what the second person says."""
        self._connection.execute(
            insert(default_decision).values(
                default_id=default_id,
                outcome=outcome,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )

    def append_end(
        self, default_id: int, *, outcome: EndOutcome, on: date, by: str, at_ms: int
    ) -> None:
        """Append how a default ended."""
        self._connection.execute(
            insert(default_end).values(
                default_id=default_id,
                outcome=outcome,
                ended_on=on,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )


def _default(row: Row[Any]) -> Default:
    decision = end = None
    if row.decided is not None:
        decision = Decision(
            outcome=DecisionOutcome(row.decided),
            reason=row.reason,
            entered_by=row.decided_by,
            entered_at_ms=row.decided_at_ms,
        )
    if row.ended is not None:
        end = DefaultEnd(
            outcome=EndOutcome(row.ended),
            ended_on=row.ended_on,
            entered_by=row.ended_by,
            entered_at_ms=row.ended_at_ms,
        )
    return Default(
        default_id=row.id,
        customer_id=row.customer_id,
        evidence_class=EvidenceClass(row.evidence_class),
        happened_on=row.happened_on,
        document_sha256_hex=row.document_sha256_hex,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        decision=decision,
        end=end,
    )
