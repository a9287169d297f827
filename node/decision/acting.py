"""One use case of decisions at work: its transaction, its day, and the steps that it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from node.core.database import UnitOfWork
from node.core.errors import InvariantError
from node.decision.applying import answer_application
from node.decision.duties import Roll, read_roll
from node.decision.errors import (
    DecisionNotFoundError,
    DecisionOpenError,
    DecisionStateError,
    NotApprovedError,
)
from node.decision.policy import Tier
from node.decision.record import DecisionEvent, DecisionRecord
from node.decision.rules_state import DecisionState, EventKind, find_next_state, is_approved
from node.decision.store import DecisionStore
from node.records.ledger.posting import get_customer
from node.records.store import RecordsStore

BY_ITSELF = "node"


@dataclass(slots=True, kw_only=True)
class Acting:
    """Steps within the caller's transaction, each checked against the states."""

    uow: UnitOfWork
    today: date
    now_ms: int
    _roll: Roll | None = field(default=None, init=False)

    @property
    def roll(self) -> Roll:
        """Who holds which role now."""
        if self._roll is None:
            self._roll = read_roll(self.uow, now_ms=self.now_ms)
        return self._roll

    @property
    def store(self) -> DecisionStore:
        """Decisions, with the steps of this use case among them."""
        return DecisionStore(self.uow.connection)

    def get(self, decision_id: int) -> DecisionRecord:
        """Return a decision; one that is past its last day is marked as expired first.

        Raises:
            DecisionNotFoundError: There is none with this key.
        """
        record = self.store.find(decision_id)
        if record is None:
            raise DecisionNotFoundError(f"there is no decision {decision_id}")
        is_past = record.state_on(self.today) is not record.state
        return self.expire(record) if is_past else record

    def check(self, record: DecisionRecord, kind: EventKind) -> None:
        """Check that a step is possible.

        Raises:
            DecisionStateError: Not in the state that the decision is in.
        """
        if find_next_state(record.state, kind) is None:
            raise DecisionStateError(f"decision {record.decision_id} is {record.state}")

    def step(
        self,
        record: DecisionRecord,
        kind: EventKind,
        *,
        by: str,
        reason: str | None = None,
        approved_by: str | None = None,
    ) -> DecisionRecord:
        """Take a step and return the decision after it.

        Raises:
            DecisionStateError: It is not possible in this state, or somebody else was first.
        """
        first = kind is EventKind.PROPOSED and record.last_seq == 0
        state = record.state if first else find_next_state(record.state, kind)
        if state is None:
            raise DecisionStateError(f"decision {record.decision_id} is {record.state}")
        event = DecisionEvent(
            seq=record.last_seq + 1,
            kind=kind,
            happened_on=self.today,
            entered_by=by,
            entered_at_ms=self.now_ms,
            reason=reason,
        )
        self.store.append_event(record.decision_id, event, state=state, approved_by=approved_by)
        answer_application(
            self.uow,
            record.applied,
            customer_id=record.customer_id,
            decision_id=record.decision_id,
            kind=kind,
            by=by,
            on=self.today,
            at_ms=self.now_ms,
        )
        after = self.store.find(record.decision_id)
        if after is None:
            raise InvariantError("a decision that has just taken a step is not there")
        return after

    def activate(
        self,
        record: DecisionRecord,
        *,
        approved_by: str,
        tier: Tier | None = None,
        is_automatic: bool = False,
    ) -> DecisionRecord:
        """Let a decision hold, in the place of the one that held.

        Raises:
            NotApprovedError: Not everybody whom its amount asks for has approved this round.
        """
        if not is_automatic and (tier is None or not is_approved(record.given, tier=tier)):
            raise NotApprovedError("not everybody whom the amount asks for has approved")
        record = self.step(record, EventKind.APPROVED, by=approved_by, approved_by=approved_by)
        for former in self.store.find_active(self._list_ids(record.customer_id)):
            if former.state_on(self.today) is DecisionState.ACTIVE:
                reason = f"decision {record.decision_id}"
                self.step(former, EventKind.SUPERSEDED, by=approved_by, reason=reason)
            else:
                self.expire(former)
        return self.step(record, EventKind.ACTIVE, by=approved_by)

    def expire(self, record: DecisionRecord) -> DecisionRecord:
        """Mark a decision that is past its last day."""
        return self.step(record, EventKind.EXPIRED, by=BY_ITSELF)

    def settle_open(self, customer_id: int) -> None:
        """Check that nothing waits for a customer, under any record that it turned out to be.

        Raises:
            DecisionOpenError: Something does.
        """
        found = self.store.find_open(self._list_ids(customer_id))
        if found is not None:
            raise DecisionOpenError(
                f"decision {found.decision_id} is {found.state}: decide or withdraw it first"
            )

    def _list_ids(self, customer_id: int) -> list[int]:
        key = get_customer(self.uow, customer_id).customer_id
        return RecordsStore(self.uow.connection).list_ids(key)
