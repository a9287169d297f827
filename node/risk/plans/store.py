"""SQL of actions: rows move with their last event; events are appended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.core.database import ID_MAX, is_key_of
from node.core.errors import ConflictError
from node.records.store.rows import chunk_values, insert_row, is_among
from node.risk.plans.rules_plan import ActionEventKind, ActionState, Money
from node.risk.plans.tables import risk_action, risk_action_event, risk_action_promise
from node.risk.policies.policy import PlanKind


class ActionClosedError(ConflictError):
    """The action is closed, or something happened to it meanwhile."""

    code = "risk-action-closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """An action as it stands."""

    action_id: int
    customer_id: int
    alert_id: int | None
    kind: PlanKind
    owner: str
    due_on: date
    state: ActionState
    escalated_to: str | None
    note: str
    entered_on: date
    closed_on: date | None
    outcome: str | None
    money: Money | None
    last_seq: int
    promises: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAction:
    """An action before it is kept."""

    customer_id: int
    kind: PlanKind
    owner: str
    due_on: date
    note: str
    alert_id: int | None = None
    promises: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent:
    """What happened to an action."""

    seq: int
    kind: ActionEventKind
    happened_on: date
    text: str
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep:
    """A step: what, on which day, by whom, in words."""

    kind: ActionEventKind
    on: date
    text: str
    by: str
    at_ms: int


class ActionStore:
    """Reads and moves actions on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, new: NewAction, *, step: ActionStep) -> int:
        """Keep an action and return its key."""
        action_id = insert_row(
            self._connection,
            risk_action,
            customer_id=new.customer_id,
            alert_id=new.alert_id,
            kind=new.kind.value,
            owner=new.owner,
            due_on=new.due_on,
            state=ActionState.OPEN.value,
            note=new.note,
            entered_on=step.on,
            last_seq=0,
        )
        if new.promises:
            rows = [{"action_id": action_id, "promise_id": one} for one in new.promises]
            self._connection.execute(insert(risk_action_promise), rows)
        self._append(action_id, 0, step)
        return action_id

    def find(self, action_id: int) -> ActionRecord | None:
        """Return the action with this key."""
        if not is_key_of(risk_action.c.id, action_id):
            return None
        return next(iter(self._read(risk_action.c.id == action_id)), None)

    def list_actions(
        self,
        *,
        states: Collection[ActionState],
        after: int = 0,
        limit: int,
        due_before: date | None = None,
        owner: str | None = None,
    ) -> list[ActionRecord]:
        """Return actions in the order of entry; with a day, those due before it."""
        conditions = [
            risk_action.c.state.in_([one.value for one in states]),
            risk_action.c.id > min(after, ID_MAX),
        ]
        if due_before is not None:
            conditions.append(risk_action.c.due_on < due_before)
        if owner is not None:
            conditions.append(risk_action.c.owner == owner)
        return self._read(*conditions, limit=limit)

    def list_of(self, customer_ids: Sequence[int]) -> list[ActionRecord]:
        """Return every action about some customers, in the order of entry."""
        return [
            one
            for part in chunk_values(customer_ids)
            for one in self._read(is_among(risk_action.c.customer_id, part))
        ]

    def list_late(self, *, as_of: date, after: int, limit: int) -> list[ActionRecord]:
        """Return open actions that are overdue and of which nobody above has heard."""
        return self._read(
            risk_action.c.state == ActionState.OPEN.value,
            risk_action.c.due_on < as_of,
            risk_action.c.escalated_to.is_(None),
            risk_action.c.id > after,
            limit=limit,
        )

    def list_plans(self, customer_ids: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
        """Return of each customer the promises of its open plans of payment: action, promise."""
        plans: dict[int, list[tuple[int, int]]] = {}
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(
                    risk_action.c.customer_id,
                    risk_action_promise.c.action_id,
                    risk_action_promise.c.promise_id,
                )
                .join(risk_action, risk_action.c.id == risk_action_promise.c.action_id)
                .where(
                    is_among(risk_action.c.customer_id, part),
                    risk_action.c.state == ActionState.OPEN.value,
                )
                .order_by(risk_action_promise.c.action_id, risk_action_promise.c.promise_id)
            )
            for key, action_id, promise_id in rows:
                plans.setdefault(key, []).append((action_id, promise_id))
        return plans

    def list_events(self, action_id: int) -> list[ActionEvent]:
        """Return what happened to an action."""
        rows = self._connection.execute(
            select(risk_action_event)
            .where(risk_action_event.c.action_id == action_id)
            .order_by(risk_action_event.c.seq)
        )
        return [
            ActionEvent(
                seq=row.seq,
                kind=ActionEventKind(row.kind),
                happened_on=row.happened_on,
                text=row.text,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
            )
            for row in rows
        ]

    def hand_over(self, record: ActionRecord, *, owner: str, step: ActionStep) -> None:
        """Give an action another owner.

        Raises:
            ActionClosedError: It is closed, or something happened to it meanwhile.
        """
        self._move(record, step, owner=owner)

    def escalate(self, record: ActionRecord, *, role: str, step: ActionStep) -> None:
        """Have a role hear of an action that is overdue.

        Raises:
            ActionClosedError: It is closed, or something happened to it meanwhile.
        """
        self._move(record, step, escalated_to=role)

    def close(
        self, record: ActionRecord, state: ActionState, *, money: Money | None, step: ActionStep
    ) -> None:
        """Close an action with what came of it.

        Raises:
            ActionClosedError: It is closed, or something happened to it meanwhile.
        """
        self._move(
            record,
            step,
            state=state.value,
            closed_on=step.on,
            outcome=step.text,
            currency=None if money is None else money.currency,
            saved_minor=None if money is None else money.saved_minor,
            lost_minor=None if money is None else money.lost_minor,
        )

    def _move(self, record: ActionRecord, step: ActionStep, **values: object) -> None:
        moved = self._connection.execute(
            update(risk_action)
            .where(
                risk_action.c.id == record.action_id,
                risk_action.c.last_seq == record.last_seq,
                risk_action.c.state == ActionState.OPEN.value,
            )
            .values(last_seq=record.last_seq + 1, **values)
        )
        if moved.rowcount != 1:
            raise ActionClosedError(f"action {record.action_id} was closed or changed meanwhile")
        self._append(record.action_id, record.last_seq + 1, step)

    def _append(self, action_id: int, seq: int, step: ActionStep) -> None:
        self._connection.execute(
            insert(risk_action_event).values(
                action_id=action_id,
                seq=seq,
                kind=step.kind.value,
                happened_on=step.on,
                text=step.text,
                entered_by=step.by,
                entered_at_ms=step.at_ms,
            )
        )

    def _read(self, *conditions: Any, limit: int | None = None) -> list[ActionRecord]:  # noqa: ANN401
        query = select(risk_action).where(*conditions).order_by(risk_action.c.id)
        rows = self._connection.execute(query if limit is None else query.limit(limit)).all()
        promises: dict[int, list[int]] = {}
        for part in chunk_values([row.id for row in rows]):
            named = self._connection.execute(
                select(risk_action_promise)
                .where(is_among(risk_action_promise.c.action_id, part))
                .order_by(risk_action_promise.c.promise_id)
            )
            for action_id, promise_id in named:
                promises.setdefault(action_id, []).append(promise_id)
        return [_record(row, promises.get(row.id, [])) for row in rows]


def _record(row: Row[Any], promises: Sequence[int]) -> ActionRecord:
    money = None
    if row.currency is not None:
        money = Money(currency=row.currency, saved_minor=row.saved_minor, lost_minor=row.lost_minor)
    return ActionRecord(
        action_id=row.id,
        customer_id=row.customer_id,
        alert_id=row.alert_id,
        kind=PlanKind(row.kind),
        owner=row.owner,
        due_on=row.due_on,
        state=ActionState(row.state),
        escalated_to=row.escalated_to,
        note=row.note,
        entered_on=row.entered_on,
        closed_on=row.closed_on,
        outcome=row.outcome,
        money=money,
        last_seq=row.last_seq,
        promises=tuple(promises),
    )
