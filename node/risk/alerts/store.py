"""SQL of alerts: rows move with their last event; events are appended."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.core.database import ID_MAX, is_key_of
from node.records.store.rows import chunk_values, insert_row, is_among_param
from node.risk.alerts.rules_alert import (
    AlertEventKind,
    AlertOutcome,
    AlertState,
    Cause,
    Told,
)
from node.risk.alerts.tables import risk_alert, risk_alert_event
from node.risk.rules.judged import Source
from node.risk.rules_finding import RiskStatus

BY_ITSELF = "node"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """An alert as it stands; ``values`` and ``evidence`` as they were last told."""

    alert_id: int
    customer_id: int
    cause: str
    rule: str
    source: Source
    told: Told
    opened_on: date
    last_seq: int
    values: Mapping[str, int | str]
    evidence: tuple[str, ...]
    policy: str
    policy_sha256_b64u: str

    @property
    def is_of_peers(self) -> bool:
        """Whether it is for those alone who see what peers have said."""
        return self.source is Source.PEERS


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """What happened to an alert."""

    seq: int
    kind: AlertEventKind
    happened_on: date
    status: RiskStatus
    level: int
    outcome: AlertOutcome | None
    reason: str | None
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """By which policy, on which business day, and when."""

    policy: str
    policy_sha256_b64u: str
    as_of: date
    at_ms: int


_OF_CUSTOMERS = (
    select(risk_alert)
    .where(is_among_param(risk_alert.c.customer_id, "customer_ids"))
    .order_by(risk_alert.c.id)
)


class AlertStore:
    """Reads and moves alerts on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_of(self, customer_ids: Sequence[int]) -> list[AlertRecord]:
        """Return every alert of some customers, closed ones too."""
        found: list[AlertRecord] = []
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(_OF_CUSTOMERS, {"customer_ids": part})
            found += [_record(row) for row in rows]
        return found

    def list_alerts(
        self,
        *,
        states: Collection[AlertState],
        shows_peers: bool,
        limit: int,
        after: int = 0,
        statuses: Collection[RiskStatus] | None = None,
    ) -> list[AlertRecord]:
        """Return alerts in the order of their keys."""
        query = (
            select(risk_alert)
            .where(
                risk_alert.c.state.in_([one.value for one in states]),
                risk_alert.c.id > min(after, ID_MAX),
            )
            .order_by(risk_alert.c.id)
            .limit(limit)
        )
        if not shows_peers:
            query = query.where(risk_alert.c.source != Source.PEERS.value)
        if statuses is not None:
            query = query.where(risk_alert.c.status.in_([one.value for one in statuses]))
        return [_record(row) for row in self._connection.execute(query)]

    def find(self, alert_id: int) -> AlertRecord | None:
        """Return the alert with this key."""
        if not is_key_of(risk_alert.c.id, alert_id):
            return None
        row = self._connection.execute(
            select(risk_alert).where(risk_alert.c.id == alert_id)
        ).one_or_none()
        return None if row is None else _record(row)

    def list_events(self, alert_id: int) -> list[AlertEvent]:
        """Return what happened to an alert, in its order."""
        rows = self._connection.execute(
            select(risk_alert_event)
            .where(risk_alert_event.c.alert_id == alert_id)
            .order_by(risk_alert_event.c.seq)
        )
        return [_event(row) for row in rows]

    def open_new(self, customer_id: int, found: Cause, stamp: Stamp) -> int:
        """Open an alert for a cause that has none, and return its key."""
        alert_id = insert_row(
            self._connection,
            risk_alert,
            customer_id=customer_id,
            cause=found.cause,
            rule=found.rule,
            source=found.source.value,
            state=AlertState.OPEN.value,
            is_standing=True,
            status=found.status.value,
            level=found.level,
            opened_on=stamp.as_of,
            last_seq=0,
            said_json=_say(found),
            policy=stamp.policy,
            policy_sha256_b64u=stamp.policy_sha256_b64u,
        )
        self._append(alert_id, 0, AlertEventKind.OPENED, found.status, found.level, stamp=stamp)
        return alert_id

    def tell_again(
        self, record: AlertRecord, found: Cause, kind: AlertEventKind, stamp: Stamp
    ) -> None:
        """Append that a cause got worse or is back, and have the alert open with it."""
        opened_on = record.opened_on if kind is AlertEventKind.WORSENED else stamp.as_of
        self._move(
            record,
            state=AlertState.OPEN.value,
            is_standing=True,
            status=found.status.value,
            level=found.level,
            source=found.source.value,
            opened_on=opened_on,
            said_json=_say(found),
            policy=stamp.policy,
            policy_sha256_b64u=stamp.policy_sha256_b64u,
        )
        seq = record.last_seq + 1
        self._append(record.alert_id, seq, kind, found.status, found.level, stamp=stamp)

    def cease(self, record: AlertRecord, stamp: Stamp) -> None:
        """Append that a cause was found no longer: nobody has to look at it any more."""
        self._move(record, state=AlertState.CLOSED.value, is_standing=False)
        self._append(
            record.alert_id,
            record.last_seq + 1,
            AlertEventKind.CEASED,
            record.told.status,
            record.told.level,
            stamp=stamp,
        )

    def close(
        self,
        record: AlertRecord,
        *,
        outcome: AlertOutcome,
        reason: str,
        by: str,
        on: date,
        at_ms: int,
    ) -> bool:
        """Append that a person has closed an alert; False where another was first."""
        is_ours = self._move(record, state=AlertState.CLOSED.value)
        if is_ours:
            self._connection.execute(
                insert(risk_alert_event).values(
                    alert_id=record.alert_id,
                    seq=record.last_seq + 1,
                    kind=AlertEventKind.CLOSED.value,
                    happened_on=on,
                    status=record.told.status.value,
                    level=record.told.level,
                    outcome=outcome.value,
                    reason=reason,
                    entered_by=by,
                    entered_at_ms=at_ms,
                )
            )
        return is_ours

    def _move(self, record: AlertRecord, **values: object) -> bool:
        moved = self._connection.execute(
            update(risk_alert)
            .where(risk_alert.c.id == record.alert_id, risk_alert.c.last_seq == record.last_seq)
            .values(last_seq=record.last_seq + 1, **values)
        )
        return moved.rowcount == 1

    def _append(
        self,
        alert_id: int,
        seq: int,
        kind: AlertEventKind,
        status: RiskStatus,
        level: int,
        *,
        stamp: Stamp,
    ) -> None:
        self._connection.execute(
            insert(risk_alert_event).values(
                alert_id=alert_id,
                seq=seq,
                kind=kind.value,
                happened_on=stamp.as_of,
                status=status.value,
                level=level,
                entered_by=BY_ITSELF,
                entered_at_ms=stamp.at_ms,
            )
        )


def _say(found: Cause) -> str:
    said = {"values": dict(found.values), "evidence": list(found.evidence)}
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def _record(row: Row[Any]) -> AlertRecord:
    said = json.loads(row.said_json)
    return AlertRecord(
        alert_id=row.id,
        customer_id=row.customer_id,
        cause=row.cause,
        rule=row.rule,
        source=Source(row.source),
        told=Told(
            state=AlertState(row.state),
            is_standing=row.is_standing,
            status=RiskStatus(row.status),
            level=row.level,
        ),
        opened_on=row.opened_on,
        last_seq=row.last_seq,
        values=said["values"],
        evidence=tuple(said["evidence"]),
        policy=row.policy,
        policy_sha256_b64u=row.policy_sha256_b64u,
    )


def _event(row: Row[Any]) -> AlertEvent:
    return AlertEvent(
        seq=row.seq,
        kind=AlertEventKind(row.kind),
        happened_on=row.happened_on,
        status=RiskStatus(row.status),
        level=row.level,
        outcome=None if row.outcome is None else AlertOutcome(row.outcome),
        reason=row.reason,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )
