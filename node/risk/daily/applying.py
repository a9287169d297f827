"""Write what a run has found of a stretch: alerts, watch list, where customers stand.

All of it in the caller's transaction, and only what is new: the same findings written twice change
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from node.core.database import UnitOfWork
from node.records.store import RecordsStore
from node.risk.alerts.rules_alert import (
    AlertEventKind,
    Cause,
    decide_event,
)
from node.risk.alerts.store import BY_ITSELF, AlertRecord, AlertStore, Stamp
from node.risk.daily.rules_change import Change, ChangeKind, Standing, list_status_changes
from node.risk.daily.store import DailyStore, StatusRow
from node.risk.daily.verdicts import Verdict
from node.risk.plans.rules_plan import ActionEventKind
from node.risk.plans.store import ActionStep, ActionStore
from node.risk.policies.policy import RiskPolicy
from node.risk.rules_finding import RiskStatus
from node.risk.watch.rules_watch import is_clean
from node.risk.watch.store import WatchRecord, WatchStep, WatchStore

LATE_PART = 500

_CHANGES = {
    AlertEventKind.OPENED: ChangeKind.ALERT_OPENED,
    AlertEventKind.WORSENED: ChangeKind.ALERT_WORSENED,
    AlertEventKind.REOPENED: ChangeKind.ALERT_REOPENED,
    AlertEventKind.CEASED: ChangeKind.ALERT_CEASED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """The run that writes: its day, its policy, its moment."""

    run_id: int
    policy: RiskPolicy
    as_of: date
    at_ms: int

    @property
    def stamp(self) -> Stamp:
        """By what an alert was found."""
        return Stamp(
            policy=self.policy.label,
            policy_sha256_b64u=self.policy.sha256_b64u,
            as_of=self.as_of,
            at_ms=self.at_ms,
        )

    def build_step(self, reason: str) -> WatchStep:
        """Return a step on the watch list that the run takes."""
        return WatchStep(on=self.as_of, reason=reason, by=BY_ITSELF, at_ms=self.at_ms)


def apply_verdicts(uow: UnitOfWork, verdicts: Sequence[Verdict], writing: Writing) -> list[Change]:
    """Write what is new of some customers and return it as changes."""
    keys = [one.customer_id for one in verdicts]
    store = DailyStore(uow.connection)
    statuses = store.list_statuses(keys)
    merged = RecordsStore(uow.connection).list_ids_of(keys)
    alerts = AlertStore(uow.connection).list_of([key for ids in merged.values() for key in ids])
    by_customer: dict[int, list[AlertRecord]] = {}
    for alert in alerts:
        by_customer.setdefault(alert.customer_id, []).append(alert)
    watched = WatchStore(uow.connection).list_standing(keys)
    changes: list[Change] = []
    rows: list[StatusRow] = []
    for one in verdicts:
        held = [alert for key in merged[one.customer_id] for alert in by_customer.get(key, ())]
        told = _tell(uow, one, held, writing)
        changes += told.changes
        changes += _watch(uow, one, watched.get(one.customer_id), told.entering, writing)
        row = one.row
        before = statuses.get(one.customer_id)
        standing = Standing() if before is None else before.standing
        changes += list_status_changes(one.customer_id, standing, row.standing, cause=one.worst)
        if before != row and (before is not None or row.found_json != "[]" or row.points_milli):
            rows.append(row)
    found = [one for one in verdicts if one.status.severity >= RiskStatus.WATCH.severity]
    staying = [watched[one.customer_id] for one in found if one.customer_id in watched]
    stale = [one.watch_id for one in staying if one.last_found_on != writing.as_of]
    WatchStore(uow.connection).mark_found(stale, on=writing.as_of)
    store.keep_statuses(rows, run_id=writing.run_id)
    store.append_changes(changes, run_id=writing.run_id)
    return changes


def escalate_late(uow: UnitOfWork, writing: Writing) -> list[Change]:
    """Have the level above hear of each action that is overdue, once."""
    store, changes, after = ActionStore(uow.connection), list[Change](), 0
    role = writing.policy.body.plans.escalates_to.value
    while late := store.list_late(as_of=writing.as_of, after=after, limit=LATE_PART):
        for one in late:
            step = ActionStep(
                kind=ActionEventKind.ESCALATED,
                on=writing.as_of,
                text=f"due {one.due_on.isoformat()}",
                by=BY_ITSELF,
                at_ms=writing.at_ms,
            )
            store.escalate(one, role=role, step=step)
            changes.append(
                Change(
                    customer_id=one.customer_id,
                    kind=ChangeKind.ACTION_ESCALATED,
                    cause=f"action:{one.action_id}",
                    before=one.due_on.isoformat(),
                    after=role,
                )
            )
        after = late[-1].action_id
    DailyStore(uow.connection).append_changes(changes, run_id=writing.run_id)
    return changes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What has become of a customer's alerts, and what puts it on the watch list."""

    changes: list[Change]
    entering: list[Cause]


def _tell(
    uow: UnitOfWork, verdict: Verdict, held: Sequence[AlertRecord], writing: Writing
) -> _Told:
    store, stamp = AlertStore(uow.connection), writing.stamp
    customer_id = verdict.customer_id
    causes = {one.cause: one for one in verdict.causes}
    # What was told of a record that was merged into this one is this one's to tell.
    own = {one.cause: one for one in held if one.customer_id == customer_id}
    merged = [one for one in held if one.customer_id != customer_id]
    changes: list[Change] = []
    entering: list[Cause] = []
    for cause, found in causes.items():
        record = own.get(cause)
        kind = decide_event(None if record is None else record.told, found)
        if kind is None:
            continue
        if record is None:
            store.open_new(customer_id, found, stamp)
        else:
            store.tell_again(record, found, kind, stamp)
        changes.append(
            Change(
                customer_id=customer_id,
                kind=_CHANGES[kind],
                cause=cause,
                before="" if record is None else record.told.status.value,
                after=found.status.value,
                is_of_peers=found.is_of_peers,
            )
        )
        if found.status.severity >= RiskStatus.WATCH.severity:
            entering.append(found)
    for record in [*(one for key, one in own.items() if key not in causes), *merged]:
        if decide_event(record.told, None) is not None:
            store.cease(record, stamp)
            changes.append(
                Change(
                    customer_id=customer_id,
                    kind=ChangeKind.ALERT_CEASED,
                    cause=record.cause,
                    before=record.told.status.value,
                    is_of_peers=record.is_of_peers,
                )
            )
    return _Told(changes=changes, entering=entering)


def _watch(
    uow: UnitOfWork,
    verdict: Verdict,
    record: WatchRecord | None,
    entering: Sequence[Cause],
    writing: Writing,
) -> list[Change]:
    store, terms = WatchStore(uow.connection), writing.policy.body.watch
    if record is None:
        if not entering:
            return []
        # Our own reason goes before a peer's, which not everybody may see; then the worst one.
        first = min(entering, key=lambda one: (one.is_of_peers, -one.status.severity))
        store.enter(
            verdict.customer_id,
            cause=first.cause,
            is_of_peers=first.is_of_peers,
            review_on=writing.as_of + timedelta(days=terms.review_days),
            step=writing.build_step(first.cause),
        )
        return [
            Change(
                customer_id=verdict.customer_id,
                kind=ChangeKind.WATCH_ENTERED,
                cause=first.cause,
                is_of_peers=first.is_of_peers,
            )
        ]
    if verdict.status.severity >= RiskStatus.WATCH.severity or not is_clean(
        record.last_found_on, quarters=terms.clean_quarters, as_of=writing.as_of
    ):
        return []
    store.leave(record, step=writing.build_step("clean"))
    return [
        Change(
            customer_id=verdict.customer_id,
            kind=ChangeKind.WATCH_LEFT,
            cause="clean",
            is_of_peers=record.is_of_peers,
        )
    ]
