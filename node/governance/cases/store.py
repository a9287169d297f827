"""All SQL of objections and complaints."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, update

from node.core.database import is_key_of
from node.governance.cases.record import (
    CaseChannel,
    CaseEvent,
    CaseRecord,
    Target,
    TargetKind,
)
from node.governance.cases.rules_case import (
    ANSWERED_AFTER,
    UNDECIDED,
    CaseKind,
    CaseState,
    CaseStep,
    RootCause,
)
from node.governance.cases.tables import governance_case, governance_case_event
from node.records.rules_retention import EndReason
from node.records.store.keeping import KeptKind
from node.records.store.rows import insert_row

_case = governance_case
_event = governance_case_event

KEPT = KeptKind(
    name="case",
    reason=EndReason.SETTLED,
    ended=select(
        _case.c.id.label("key"),
        _case.c.customer_id,
        _case.c.closed_on.label("ended_on"),
        _case.c.id.label("label"),
    ).where(_case.c.state.in_([CaseState.CLOSED.value, CaseState.WITHDRAWN.value])),
    customer_id=_case.c.customer_id,
    ended_on=_case.c.closed_on,
    rows=(
        (_event, _event.c.case_id.in_),
        (_case, _case.c.id.in_),
    ),
)
"""A case that is closed goes with the records' terms; one of nobody whom we know stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are asked for."""

    states: Collection[CaseState] = ()
    kinds: Collection[CaseKind] = ()
    customer_ids: Collection[int] = ()
    received_from: date | None = None
    received_until: date | None = None
    late_on: date | None = None
    """Those alone of which something is owed since before this day."""


class CaseStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, record: CaseRecord) -> int:
        """Keep a case; return its key."""
        return insert_row(self._connection, _case, **_list_values(record))

    def save(self, record: CaseRecord) -> None:
        """Keep how far a case is."""
        self._connection.execute(
            update(_case).where(_case.c.id == record.case_id).values(**_list_values(record))
        )

    def append_event(self, case_id: int, event: CaseEvent) -> None:
        """Keep a step."""
        self._connection.execute(
            insert(_event).values(
                case_id=case_id,
                seq=event.seq,
                round=event.round,
                step=event.step,
                happened_on=event.happened_on,
                code=event.code,
                text=event.text,
                document_sha256_hex=event.document_sha256_hex,
                answers=event.answers,
                entered_by=event.by,
                entered_at_ms=event.at_ms,
            )
        )

    def find(self, case_id: int) -> CaseRecord | None:
        """Return a case by its key."""
        if not is_key_of(_case.c.id, case_id):
            return None
        row = self._connection.execute(select(_case).where(_case.c.id == case_id)).one_or_none()
        return None if row is None else _read_case(row)

    def list_events(self, case_id: int) -> list[CaseEvent]:
        """Return the steps of a case in their order."""
        rows = self._connection.execute(
            select(_event).where(_event.c.case_id == case_id).order_by(_event.c.seq)
        )
        return [_read_event(row) for row in rows]

    def list_cases(
        self, chosen: CaseFilter, *, before: int | None = None, limit: int
    ) -> list[CaseRecord]:
        """Return cases, the newest first; older than ``before`` where given."""
        query = select(_case).order_by(_case.c.id.desc()).limit(limit)
        if before is not None and is_key_of(_case.c.id, before):
            query = query.where(_case.c.id < before)
        if chosen.states:
            query = query.where(_case.c.state.in_(chosen.states))
        if chosen.kinds:
            query = query.where(_case.c.kind.in_(chosen.kinds))
        if chosen.customer_ids:
            query = query.where(_case.c.customer_id.in_(chosen.customer_ids))
        if chosen.received_from is not None:
            query = query.where(_case.c.received_on >= chosen.received_from)
        if chosen.received_until is not None:
            query = query.where(_case.c.received_on <= chosen.received_until)
        if chosen.late_on is not None:
            query = query.where(_is_late(chosen.late_on))
        return [_read_case(row) for row in self._connection.execute(query)]

    def list_silent(self, *, today: date, limit: int) -> list[CaseRecord]:
        """Return the objections that were not decided until their last day, the oldest first."""
        rows = self._connection.execute(
            select(_case)
            .where(
                _case.c.kind == CaseKind.OBJECTION,
                _case.c.state.in_([CaseState.MARKED, CaseState.ASKED]),
                _case.c.due_on < today,
            )
            .order_by(_case.c.due_on, _case.c.id)
            .limit(limit)
        )
        return [_read_case(row) for row in rows]

    def list_uncorrected(self, *, limit: int) -> list[CaseRecord]:
        """Return the cases of which past receivers are still to be told, the oldest first."""
        rows = self._connection.execute(
            select(_case)
            .where(
                _case.c.state.in_([CaseState.UPHELD, CaseState.SUPPRESSED]),
                _case.c.target_kind.in_([TargetKind.FACT, TargetKind.DISPUTE]),
                _case.c.corrected_on.is_(None),
            )
            .order_by(_case.c.id)
            .limit(limit)
        )
        return [_read_case(row) for row in rows]

    def has_open(self, *, objection_id: int, kind: TargetKind, but: int) -> bool:
        """Tell whether an open case other than ``but`` drives an objection or dispute."""
        found = self._connection.execute(
            select(_case.c.id)
            .where(
                _case.c.target_kind == kind,
                _case.c.objection_id == objection_id,
                _case.c.state != CaseState.CLOSED,
                _case.c.id != but,
            )
            .limit(1)
        )
        return found.scalar_one_or_none() is not None


def _list_values(record: CaseRecord) -> dict[str, object]:
    return {
        "kind": record.kind,
        "customer_id": record.customer_id,
        "complainant": record.complainant,
        "about": record.about,
        "text": record.text,
        "channel": record.channel,
        "target_kind": None if record.target is None else record.target.kind,
        "target_ref": None if record.target is None else record.target.ref,
        "objection_id": record.objection_id,
        "state": record.state,
        "result": record.result,
        "root_cause": record.root_cause,
        "round": record.round,
        "received_on": record.received_on,
        "opened_on": record.opened_on,
        "mark_by": record.mark_by,
        "due_on": record.due_on,
        "answered_on": record.answered_on,
        "corrected_on": record.corrected_on,
        "closed_on": record.closed_on,
        "last_seq": record.last_seq,
        "entered_by": record.entered_by,
        "entered_at_ms": record.entered_at_ms,
    }


def _read_case(row: Row[Any]) -> CaseRecord:
    target = None
    if row.target_kind is not None:
        target = Target(kind=TargetKind(row.target_kind), ref=row.target_ref)
    return CaseRecord(
        case_id=row.id,
        kind=CaseKind(row.kind),
        customer_id=row.customer_id,
        complainant=row.complainant,
        about=row.about,
        text=row.text,
        channel=CaseChannel(row.channel),
        target=target,
        objection_id=row.objection_id,
        state=CaseState(row.state),
        result=None if row.result is None else CaseState(row.result),
        root_cause=None if row.root_cause is None else RootCause(row.root_cause),
        round=row.round,
        received_on=row.received_on,
        opened_on=row.opened_on,
        mark_by=row.mark_by,
        due_on=row.due_on,
        answered_on=row.answered_on,
        corrected_on=row.corrected_on,
        closed_on=row.closed_on,
        last_seq=row.last_seq,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )


def _read_event(row: Row[Any]) -> CaseEvent:
    return CaseEvent(
        seq=row.seq,
        round=row.round,
        step=CaseStep(row.step),
        happened_on=row.happened_on,
        text=row.text,
        by=row.entered_by,
        at_ms=row.entered_at_ms,
        code=row.code,
        document_sha256_hex=row.document_sha256_hex,
        answers=row.answers,
    )


def _is_late(today: date) -> ColumnElement[bool]:
    """Say in SQL what ``rules_case.is_late`` says of a case."""
    is_owed = or_(
        _case.c.state.in_(UNDECIDED),
        and_(_case.c.state.in_(ANSWERED_AFTER), _case.c.answered_on.is_(None)),
    )
    return or_(
        and_(_case.c.state == CaseState.RECEIVED, _case.c.mark_by < today),
        and_(is_owed, _case.c.due_on < today),
    )
