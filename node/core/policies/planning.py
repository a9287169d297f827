"""Activations for a later day: approved now, active by themselves from that business day on.

One of a kind is planned at a time, and none of the kind is activated meanwhile: what somebody has
looked at in the preview is then the change that comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from node.core.clock import Clock
from node.core.database import Database
from node.core.policies.entering import (
    Entry,
    check_entry,
    check_none_planned,
    check_previewed,
    get_active,
    get_record,
    make_active,
)
from node.core.policies.errors import PolicyDayError, PolicyNotPlannedError
from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyEvent, PolicyRecord
from node.core.policies.rules_states import PolicyState, check_step
from node.core.policies.store import PolicyStore

PLANNED_DAYS_MAX = 366
ACTIVATED, WITHDRAWN = "activated", "withdrawn"
BY_ITSELF = "the day has come"


class PolicyPlanning:
    """One public method, one transaction, one commit."""

    def __init__(
        self, *, database: Database, clock: Clock, kinds: Mapping[str, PolicyKind]
    ) -> None:
        """``kinds`` are those that the rooms register."""
        self._database = database
        self._clock = clock
        self._kinds = kinds

    def plan(
        self, version_id: int, *, effective_from: date, entry: Entry, today: date
    ) -> PolicyRecord:
        """Have an approved version become the active one of its kind on a day to come.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyDayError: The day is not to come, or more than a year away.
            PolicyStateError: It is not approved, or is active.
            PolicyPlannedError: A version of its kind is planned.
            PolicyNotPreviewedError: Nobody has looked at what it changes beside the active one, as
                of a day of the last month.
        """
        check_entry(entry)
        if not today < effective_from <= today + timedelta(days=PLANNED_DAYS_MAX):
            raise PolicyDayError(f"a day after {today}, within {PLANNED_DAYS_MAX} days")
        with self._database.write() as uow:
            store = PolicyStore(uow.connection)
            record = get_record(store, version_id)
            kind = record.name.kind
            check_step(record.state, PolicyState.ACTIVE, origin=record.origin)
            check_none_planned(store, kind)
            former = get_active(store, kind)
            check_previewed(store, self._kinds[kind], record, former, today=today)
            plan = PolicyEvent(
                state=PolicyState.ACTIVE,
                text_id=record.text.text_id,
                actor=entry.actor,
                entered_at_ms=self._clock.now_ms(),
                reason=entry.reason,
                effective_from=effective_from,
            )
            store.append_plan(record, plan)
            return get_record(store, version_id)

    def withdraw(self, version_id: int, *, entry: Entry) -> PolicyRecord:
        """Have a version not become active by itself; it stays approved.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyNotPlannedError: It is not planned.
        """
        check_entry(entry)
        with self._database.write() as uow:
            store = PolicyStore(uow.connection)
            record = get_record(store, version_id)
            if record.plan is None:
                raise PolicyNotPlannedError(f"{record.name.label} is not planned")
            store.end_plan(
                record.plan.plan_id,
                outcome=WITHDRAWN,
                by=entry.actor.name,
                reason=entry.reason,
                at_ms=self._clock.now_ms(),
            )
            return get_record(store, version_id)

    def list_planned(self) -> list[PolicyRecord]:
        """Return the versions that are to become active, in the order of their days."""
        with self._database.read() as uow:
            return PolicyStore(uow.connection).list_planned()

    def activate_due(self, *, today: date) -> int:
        """Make active whatever was planned for a day that has come; return how many versions.

        They are active in the name of who planned them, from the planned day on.
        """
        with self._database.read() as uow:
            if not PolicyStore(uow.connection).list_planned(until=today):
                return 0
        with self._database.write() as uow:
            store = PolicyStore(uow.connection)
            due = store.list_planned(until=today)
            for record in due:
                self._activate(store, record)
        return len(due)

    def _activate(self, store: PolicyStore, record: PolicyRecord) -> None:
        plan = record.plan
        if plan is None:
            return
        now_ms = self._clock.now_ms()
        make_active(
            store,
            record,
            entry=Entry(actor=plan.actor, reason=plan.reason),
            at_ms=now_ms,
            today=plan.effective_from,
        )
        store.end_plan(
            plan.plan_id, outcome=ACTIVATED, by=plan.actor.name, reason=BY_ITSELF, at_ms=now_ms
        )
