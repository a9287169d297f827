"""The daily run over a real store: found once it is told once, found again it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.assessment.policy_file import Language
from node.records.rules_ledger import AllocationMethod
from node.records.undertakings import NewPromise, PromiseService
from node.risk.alerts.errors import AlertNotFoundError
from node.risk.alerts.rules_alert import AlertOutcome
from node.risk.daily import service
from node.risk.daily.service import (
    RiskLookBackError,
    RiskRunLostError,
    RiskRunStoppedError,
    RiskRunUnderWayError,
)
from node.risk.facts.records import PeerChange
from node.risk.monitoring.view import build_judgement_object
from node.risk.plans.rules_plan import ActionState, Money
from node.risk.plans.service import ActionInvalidError, ActionSelection
from node.risk.plans.store import NewAction
from node.risk.policies.policy import PlanKind
from node.risk.rules_finding import RiskStatus
from node.risk.signals.service import NewSignal, SignalInvalidError, SignalNotFoundError
from node.risk.watch.service import NoClosedActionError, WatchNotFoundError
from node.risk.watch.store import AlreadyWatchedError
from tests.support.ledgers import TODAY
from tests.support.risks import Watchtower
from tests.unit.risk.builders import BODY


@pytest.fixture
def tower(tmp_path: Path) -> Iterator[Watchtower]:
    tower = Watchtower(tmp_path)
    yield tower
    tower.close()


def promise(tower: Watchtower, item: int, due_on: date, *, minor: int = 1_000) -> int:
    service = PromiseService(
        database=tower.house.database, clock=tower.house.clock, business_date=TODAY
    )
    new = NewPromise(
        customer_id=tower.house.customer_id,
        item_ids=(item,),
        amount_minor=minor,
        promised_on=min(due_on, TODAY),
        due_on=due_on,
    )
    return service.enter(new, by="li")


def test_what_is_overdue_is_told_once_and_changes_nothing_a_second_time(
    tower: Watchtower,
) -> None:
    key = tower.house.customer_id
    tower.house.invoice("A1", (TODAY - timedelta(days=20), 500_000))

    first = tower.run()
    told = tower.list_changes(first)
    again = tower.run()

    assert ("status", "R3:CNY", "ok", "hold") in told
    assert ("alert-opened", "R3:CNY", "", "hold") in told
    assert ("alert-opened", "R4:CNY", "", "watch") in told
    assert ("watch-entered", "R3:CNY", "", "") in told
    assert (first.judged, first.changes) == (1, len(told))
    assert (again.judged, again.changes) == (1, 0)
    assert tower.find_status(key) is RiskStatus.HOLD


def test_two_broken_promises_hold_and_one_is_a_signal(tower: Watchtower) -> None:
    key = tower.house.customer_id
    (item,) = tower.house.invoice("A1", (TODAY + timedelta(days=60), 500_000))
    promise(tower, item, TODAY - timedelta(days=30))
    tower.run()
    assert tower.list_causes(key) == {"signal:broken-promise": "open"}
    assert tower.find_status(key) is RiskStatus.OK

    promise(tower, item, TODAY - timedelta(days=10))
    run = tower.run()

    assert tower.list_causes(key) == {"signal:broken-promise": "open", "R12": "open"}
    assert tower.find_status(key) is RiskStatus.HOLD
    assert ("alert-worsened", "signal:broken-promise", "ok", "ok") in tower.list_changes(run)


def pay_all(tower: Watchtower, minor: int, on: date) -> None:
    tower.house.credit(f"P{on}", minor, on=on, allocate=AllocationMethod.OLDEST_FIRST)


def close(tower: Watchtower, cause: str) -> None:
    alerts = tower.monitoring.alerts
    (one,) = [each for each in alerts.list_of(tower.house.customer_id, shows_peers=True)
              if each.cause == cause]  # fmt: skip
    alerts.close(
        one.alert_id,
        outcome=AlertOutcome.EXPLAINED,
        reason="called",
        by="li",
        shows_peers=True,
    )


def test_a_closed_alert_opens_again_when_it_gets_worse_or_comes_back(tower: Watchtower) -> None:
    tower.house.invoice("A1", (TODAY - timedelta(days=20), 500_000))
    tower.run()
    close(tower, "R3:CNY")

    tower.run(TODAY + timedelta(days=1))
    assert tower.list_causes(tower.house.customer_id)["R3:CNY"] == "closed"
    later = tower.run(TODAY + timedelta(days=15))  # more than thirty days overdue by now
    assert ("alert-reopened", "R3:CNY", "hold", "hold") in tower.list_changes(later)
    again = tower.run(TODAY + timedelta(days=16))
    assert again.changes == 0

    pay_all(tower, 500_000, TODAY)
    paid = tower.run(TODAY + timedelta(days=17))
    assert ("alert-ceased", "R3:CNY", "hold", "") in tower.list_changes(paid)
    assert ("status", "", "hold", "ok") in tower.list_changes(paid)
    tower.house.invoice("A2", (TODAY, 500_000))
    back = tower.run(TODAY + timedelta(days=18))
    assert ("alert-reopened", "R3:CNY", "hold", "hold") in tower.list_changes(back)
    history = tower.monitoring.alerts.list_of(tower.house.customer_id, shows_peers=True)
    (alert,) = [one for one in history if one.cause == "R3:CNY"]
    events = tower.monitoring.alerts.list_events(alert.alert_id, shows_peers=True)
    kinds = ["opened", "closed", "reopened", "ceased", "reopened"]
    assert [one.kind.value for one in events] == kinds


def test_one_leaves_the_watch_list_by_two_clean_quarters_or_a_closed_action(
    tower: Watchtower,
) -> None:
    key = tower.house.customer_id
    tower.house.invoice("A1", (TODAY - timedelta(days=20), 500_000))
    tower.run()
    (watched,) = tower.monitoring.watch.list_watched()
    assert watched.review_on == TODAY + timedelta(days=14)
    with pytest.raises(NoClosedActionError):
        tower.monitoring.watch.leave(watched.watch_id, reason="paid", by="li")

    pay_all(tower, 500_000, TODAY)
    tower.run(TODAY)
    before = tower.run(date(2026, 9, 29))
    assert before.changes == 0
    left = tower.run(date(2026, 9, 30))
    assert ("watch-left", "clean", "", "") in tower.list_changes(left)
    assert tower.monitoring.watch.list_watched() == []

    watch_id = tower.monitoring.watch.enter(key, reason="rumours", by="li")
    with pytest.raises(AlreadyWatchedError):
        tower.monitoring.watch.enter(key, reason="again", by="li")
    next_on = tower.monitoring.watch.review(watch_id, reason="nothing new", by="li")
    assert next_on == date(2026, 10, 14)
    action = tower.monitoring.actions.enter(
        NewAction(customer_id=key, kind=PlanKind.CALL, owner="wu", due_on=TODAY, note="ask"),
        by="li",
    )
    tower.monitoring.actions.close(action, ActionState.DONE, outcome="all is well", by="wu")
    tower.monitoring.watch.leave(watch_id, reason="all is well", by="li")
    first, *_ = tower.monitoring.watch.list_histories(key)
    assert [one.kind.value for one in first.events] == ["entered", "reviewed", "left"]
    with pytest.raises(WatchNotFoundError):
        tower.monitoring.watch.review(watch_id, reason="too late", by="li")


def test_who_left_by_an_action_does_not_come_back_for_what_still_stands(
    tower: Watchtower,
) -> None:
    """D365: a hold that is released and set again each night."""
    key = tower.house.customer_id
    tower.house.invoice("A1", (TODAY - timedelta(days=20), 500_000))
    tower.run()
    (watched,) = tower.monitoring.watch.list_watched()
    action = tower.monitoring.actions.enter(
        NewAction(customer_id=key, kind=PlanKind.RECONCILE, owner="wu", due_on=TODAY, note="ask"),
        by="li",
    )
    tower.monitoring.actions.close(
        action,
        ActionState.DONE,
        outcome="agreed",
        by="wu",
        money=Money(currency="CNY", saved_minor=500_000),
    )
    tower.monitoring.watch.leave(watched.watch_id, reason="agreed", by="li")

    assert tower.run(TODAY + timedelta(days=1)).changes == 0
    worse = tower.run(TODAY + timedelta(days=15))
    assert ("watch-entered", "R3:CNY", "", "") in tower.list_changes(worse)


@pytest.mark.parametrize(("days", "is_valid"), [(0, True), (2, True), (3, False), (-1, False)])
def test_a_call_is_made_within_two_days(
    tower: Watchtower,
    days: int,
    is_valid: bool,  # noqa: FBT001  a column of a table
) -> None:
    new = NewAction(
        customer_id=tower.house.customer_id,
        kind=PlanKind.CALL,
        owner="wu",
        due_on=TODAY,
        note="ask",
    )
    actions = tower.monitoring.actions
    if is_valid:
        actions.enter(new, by="li", due_on=TODAY + timedelta(days=days))
    else:
        with pytest.raises(ActionInvalidError):
            actions.enter(new, by="li", due_on=TODAY + timedelta(days=days))
    assert len(actions.list_actions()) == int(is_valid)


def test_an_overdue_action_is_told_one_level_up_once(tower: Watchtower) -> None:
    new = NewAction(
        customer_id=tower.house.customer_id,
        kind=PlanKind.CALL,
        owner="wu",
        due_on=TODAY,
        note="ask",
    )
    action = tower.monitoring.actions.enter(new, by="li")
    assert tower.run(TODAY + timedelta(days=2)).changes == 0  # its last day

    late = tower.run(TODAY + timedelta(days=3))

    due = (TODAY + timedelta(days=2)).isoformat()
    assert tower.list_changes(late) == [
        ("action-escalated", f"action:{action}", due, "credit-manager")
    ]
    assert tower.run(TODAY + timedelta(days=4)).changes == 0
    (listed,) = tower.monitoring.actions.list_actions(ActionSelection(is_overdue=True))
    assert listed.escalated_to == "credit-manager"
    tower.monitoring.actions.hand_over(action, owner="qian", reason="wu is away", by="li")
    record, events = tower.monitoring.actions.get(action)
    assert (record.owner, len(events)) == ("qian", 3)


def test_an_instalment_that_is_not_paid_holds_until_the_plan_is_closed(tower: Watchtower) -> None:
    key = tower.house.customer_id
    (item,) = tower.house.invoice("A1", (TODAY + timedelta(days=60), 500_000))
    first = promise(tower, item, TODAY + timedelta(days=3))
    new = NewAction(
        customer_id=key, kind=PlanKind.PAYMENT_PLAN, owner="wu", due_on=TODAY, note="two parts"
    )
    with pytest.raises(ActionInvalidError):
        tower.monitoring.actions.enter(new, by="li")
    with pytest.raises(ActionInvalidError):
        tower.monitoring.actions.enter(replace(new, promises=(first, 999)), by="li")
    action = tower.monitoring.actions.enter(replace(new, promises=(first,)), by="li")
    tower.run(TODAY + timedelta(days=3))
    assert tower.find_status(key) is RiskStatus.OK

    tower.run(TODAY + timedelta(days=4))
    assert tower.find_status(key) is RiskStatus.HOLD
    tower.monitoring.actions.close(action, ActionState.FAILED, outcome="not paid", by="wu")
    tower.run(TODAY + timedelta(days=5))
    assert tower.find_status(key) is RiskStatus.OK


def test_a_group_member_on_hold_is_told_whatever_the_order_of_the_customers(
    tower: Watchtower,
) -> None:
    late = tower.house.customer_id
    before, after = late, tower.house.add_customer("C2")
    third = tower.house.add_customer("C3")
    for child, parent in ((before, after), (third, after)):
        tower.house.customers.set_parent(child, parent_id=parent, by="li")
    tower.house.invoice("A1", (TODAY - timedelta(days=20), 500_000))

    run = tower.run()

    assert tower.find_status(late) is RiskStatus.HOLD
    assert [tower.find_status(key) for key in (after, third)] == [RiskStatus.WATCH] * 2
    assert tower.run().changes == 0
    judged = tower.monitoring.runs.judge(third)
    (found,) = next(one for one in judged.judged if one.rule == "R13").found
    assert found.evidence == (f"customer:{late}",)
    assert run.judged == 3


def test_a_run_that_was_killed_goes_on_and_one_of_another_policy_begins_anew(
    tower: Watchtower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STRETCH_CUSTOMERS", 1)
    for number in range(2, 5):
        other = tower.house.add_customer(f"C{number}")
        tower.house.invoice(f"A{number}", (TODAY, 500_000), customer_id=other)
    day = TODAY + timedelta(days=9)
    runs = tower.build(day).runs
    with pytest.raises(RiskRunStoppedError):
        runs.run(by="li", should_stop=lambda: True)
    (stopped,) = runs.list_runs()
    assert (runs.state_of(stopped).value, stopped.judged) == ("interrupted", 1)

    whole = tower.run(day)
    assert (whole.run_id, whole.judged, whole.resumed) == (stopped.run_id, 4, 1)
    statuses = tower.monitoring.runs.count_statuses(shows_peers=True)
    assert statuses == {RiskStatus.HOLD: 3}

    with pytest.raises(RiskRunStoppedError):
        tower.build(day).runs.run(by="li", should_stop=lambda: True)
    tower.change_policy(rules=BODY.rules)
    anew = tower.run(day)
    assert (anew.judged, anew.resumed) == (4, 0)
    states = [tower.monitoring.runs.state_of(one).value for one in runs.list_runs()]
    assert states == ["finished", "abandoned", "finished"]


def test_a_second_run_beside_one_is_refused_and_a_lease_that_is_over_is_taken(
    tower: Watchtower,
) -> None:
    held = tower.monitoring.runs._begin(TODAY, by="li")
    with pytest.raises(RiskRunUnderWayError):
        tower.run()

    tower.house.clock.advance_s(31)
    whole = tower.run()

    assert (whole.run_id, whole.resumed) == (held.run_id, 1)
    with pytest.raises(RiskRunLostError):
        tower.monitoring.runs._finish(held, 0)


def test_days_go_forward_only_and_the_schedule_runs_once_a_day(tower: Watchtower) -> None:
    assert tower.monitoring.runs.run_daily() is True
    assert tower.monitoring.runs.run_daily() is False
    with pytest.raises(RiskLookBackError):
        tower.run(TODAY - timedelta(days=1))


def test_what_peers_have_told_is_for_those_who_may_see_it(tower: Watchtower) -> None:
    key = tower.house.customer_id
    tower.house.invoice("A1", (TODAY + timedelta(days=60), 500_000))
    tower.peers = {key: (PeerChange(ref="m1", received_on=TODAY, is_worse=True, index_drop=12),)}
    run = tower.run()

    runs = tower.monitoring.runs
    assert runs.count_statuses(shows_peers=True) == {RiskStatus.WATCH: 1}
    assert runs.count_statuses(shows_peers=False) == {RiskStatus.OK: 1}
    assert runs.list_changes(run_id=run.run_id, shows_peers=False) == []
    assert {one[0] for one in tower.list_changes(run)} == {
        "status-peers", "alert-opened", "watch-entered",
    }  # fmt: skip
    assert tower.monitoring.alerts.list_alerts(shows_peers=False) == []
    (one, *_) = tower.monitoring.alerts.list_alerts(shows_peers=True)
    with pytest.raises(AlertNotFoundError):
        tower.monitoring.alerts.close(
            one.alert_id,
            outcome=AlertOutcome.ACTED,
            reason="x",
            by="li",
            shows_peers=False,
        )
    judgement = runs.judge(key)
    shown = json.dumps(build_judgement_object(judgement, language=Language.EN, shows_peers=False))
    assert "m1" not in shown
    assert '"status": "ok"' in shown


def test_signals_are_entered_by_hand_and_taken_back(tower: Watchtower) -> None:
    key = tower.house.customer_id
    signals = tower.monitoring.signals
    new = NewSignal(customer_id=key, signal="no-answer", happened_on=TODAY, note="rang thrice")
    for bad in ("drift", "unheard-of"):
        with pytest.raises(SignalInvalidError):
            signals.enter(replace(new, signal=bad), by="li")
    with pytest.raises(SignalInvalidError):
        signals.enter(replace(new, happened_on=TODAY + timedelta(days=1)), by="li")
    entry = signals.enter(new, by="li")
    signals.enter(replace(new, signal="new-bank"), by="li")
    tower.run()
    assert tower.find_status(key) is RiskStatus.WATCH

    signals.end(entry, reason="they were away", by="li")
    tower.run()

    assert tower.find_status(key) is RiskStatus.OK
    assert tower.list_causes(key)[f"signal:no-answer:{entry}"] == "closed"
    with pytest.raises(SignalNotFoundError):
        signals.end(entry, reason="again", by="li")


def test_what_was_told_of_a_merged_record_is_its_successors(tower: Watchtower) -> None:
    old, new = tower.house.customer_id, tower.house.add_customer("C2")
    tower.house.invoice("A1", (TODAY - timedelta(days=20), 500_000))
    tower.run()
    tower.house.customers.merge(old, into_id=new, reason="one", by="li")

    tower.run()

    assert tower.list_causes(old) == {"R3:CNY": "closed", "R4:CNY": "closed"}
    assert tower.list_causes(new) == {"R3:CNY": "open", "R4:CNY": "open"}
    assert tower.find_status(new) is RiskStatus.HOLD


def test_the_facts_are_of_the_day_that_is_asked_for(tower: Watchtower) -> None:
    tower.house.invoice("A1", (TODAY - timedelta(days=20), 500_000))
    pay_all(tower, 500_000, TODAY - timedelta(days=1))
    runs, key = tower.monitoring.runs, tower.house.customer_id

    assert runs.judge(key).status is RiskStatus.OK
    assert runs.judge(key, as_of=TODAY - timedelta(days=2)).status is RiskStatus.HOLD
    assert runs.judge(key, as_of=TODAY - timedelta(days=20)).status is RiskStatus.OK
