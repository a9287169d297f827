"""Dunning from the ledger: runs propose, a person releases, levels follow items through changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.records.ledger import Chosen
from node.records.rules_ledger import DisputeCause, DisputeOutcome
from node.records.undertakings import NewPromise, PromiseService
from node.risk.dunning.errors import (
    DunningInvalidError,
    DunningRunLostError,
    LetterNotFoundError,
    LetterOutdatedError,
    LetterStateError,
)
from node.risk.dunning.policy import parse_dunning_policy
from node.risk.dunning.rules_letter import LetterState
from node.risk.dunning.store import LetterStore
from node.risk.rules_finding import RiskStatus
from tests.support.ledgers import OLDEST, TODAY
from tests.support.reminding import SHIPPED, Reminding, later


@pytest.fixture
def reminding(tmp_path: Path) -> Iterator[Reminding]:
    found = Reminding(tmp_path)
    yield found
    found.tower.close()


def test_a_run_proposes_one_letter_a_customer_and_a_second_one_changes_nothing(
    reminding: Reminding,
) -> None:
    other = reminding.house.add_customer("C2")
    reminding.house.invoice("A1", (date(2026, 3, 2), 60_000), (date(2026, 3, 20), 40_000))
    reminding.house.invoice("B1", (date(2026, 3, 20), 30_000), customer_id=other)
    reminding.house.credit("P1", 5_000, on=date(2026, 3, 25))

    run = reminding.run()
    again = reminding.run()

    assert (run.customers, run.proposed, run.withdrawn, run.state) == (2, 2, 0, "finished")
    assert (again.proposed, again.withdrawn) == (0, 0)
    first, second = reminding.list()
    assert [one.asked_minor for one in first.content.lines] == [60_000, 40_000]
    assert (first.content.sums[0].unapplied_minor, first.content.sums[0].total_minor) == (
        5_000,
        95_000,
    )
    assert second.content.customer_id == other
    assert {first.state, second.state} == {LetterState.PROPOSED}


def test_levels_rise_through_the_waiting_times_and_fall_away_with_payment(
    reminding: Reminding,
) -> None:
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))
    assert reminding.read_levels(TODAY) is None
    sent = reminding.send()
    assert (sent.content.level, sent.sent_on, sent.pay_by_on) == (1, TODAY, later(10))
    assert reminding.run(later(13)).proposed == 0
    assert reminding.send(later(14)).content.level == 2
    assert reminding.send(later(29)).content.level == 3
    assert reminding.run(later(90)).proposed == 0

    key = reminding.house.customer_id
    assert reminding.read_levels(later(13)) == {key: 1}
    assert reminding.read_levels(later(90)) == {key: 3}
    reminding.house.credit("P1", 40_000, on=TODAY, allocate=OLDEST)
    assert reminding.read_levels(later(90)) == {}


def test_r5_is_computable_once_there_was_a_run_and_holds_from_level_three(
    reminding: Reminding,
) -> None:
    tower, key = reminding.tower, reminding.house.customer_id
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))

    def judge(day: date) -> tuple[str, RiskStatus]:
        found = tower.build(day).runs.judge(key)
        (rule,) = [one for one in found.judged if one.rule == "R5"]
        return rule.outcome.value, found.status

    assert judge(TODAY)[0] == "not-computable"
    reminding.send()
    assert judge(TODAY)[0] == "passed"
    reminding.send(later(14))
    reminding.send(later(29))
    assert judge(later(29)) == ("found", RiskStatus.HOLD)


def test_a_promise_stops_and_a_broken_one_raises_the_level_at_once(reminding: Reminding) -> None:
    (item,) = reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))
    reminding.send()
    promises = PromiseService(
        database=reminding.house.database, clock=reminding.house.clock, business_date=TODAY
    )
    promises.enter(
        NewPromise(
            customer_id=reminding.house.customer_id,
            item_ids=(item,),
            amount_minor=40_000,
            promised_on=TODAY,
            due_on=later(1),
        ),
        by="li",
    )
    assert reminding.run(later(1)).proposed == 0
    sent = reminding.send(later(2))
    assert (sent.content.level, sent.content.lines[0].reason.value) == (2, "promise-broken")
    judged = reminding.tower.build(later(2)).runs.judge(reminding.house.customer_id)
    assert "broken-promise" in {one.hit.signal for one in judged.signals}
    assert reminding.run(later(3)).proposed == 0
    assert reminding.run(later(2 + 14)).proposed == 0  # level 3 comes by days past due
    assert reminding.send(later(29)).content.level == 3


def test_a_dispute_of_the_ledger_stops_its_item_until_it_is_closed(reminding: Reminding) -> None:
    ledger = reminding.house.ledger
    first, _ = reminding.house.invoice(
        "A1", (date(2026, 3, 2), 60_000), (date(2026, 3, 20), 40_000)
    )
    dispute = ledger.open_dispute(
        first, amount_minor=1_000, cause=DisputeCause.QUALITY, on=TODAY, by="li"
    )
    reminding.run()
    (letter,) = reminding.list()
    assert [(one.reason.value, one.asked_minor) for one in letter.content.lines] == [
        ("rose", 40_000),
        ("disputed", 0),
    ]

    ledger.close_dispute(
        dispute, outcome=DisputeOutcome.REJECTED, reason="paid in full", on=TODAY, by="li"
    )

    with pytest.raises(LetterOutdatedError):
        reminding.service.release(letter.letter_id, by="wang")
    assert reminding.send().content.sums[0].asked_minor == 100_000


def test_a_letter_is_not_released_when_something_changed_and_the_next_run_replaces_it(
    reminding: Reminding,
) -> None:
    reminding.house.invoice("A1", (date(2026, 3, 2), 60_000), (date(2026, 3, 20), 40_000))
    reminding.run()
    (letter,) = reminding.list()
    reminding.house.credit("P1", 60_000, on=TODAY, allocate=OLDEST)

    with pytest.raises(LetterOutdatedError):
        reminding.service.release(letter.letter_id, by="wang")

    assert reminding.list()[0].state is LetterState.PROPOSED
    run = reminding.run()
    assert (run.proposed, run.withdrawn) == (1, 1)
    old, new = reminding.list()
    assert (old.state, new.content.sums[0].asked_minor) == (LetterState.WITHDRAWN, 40_000)


def test_a_hold_stops_until_its_day_and_withdraws_what_waits(reminding: Reminding) -> None:
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))
    reminding.run()
    (letter,) = reminding.list()
    hold = reminding.service.hold(
        reminding.house.customer_id, until_on=later(5), reason="talks", by="wang"
    )
    with pytest.raises(LetterOutdatedError):
        reminding.service.release(letter.letter_id, by="wang")

    run = reminding.run(later(5))
    assert (run.held, run.withdrawn, run.proposed) == (1, 1, 0)
    assert [one.hold_id for one in reminding.service.list_holds()] == [hold]
    assert reminding.run(later(6)).proposed == 1
    with pytest.raises(DunningInvalidError):
        reminding.service.hold(1, until_on=later(5), reason="late", by="wang")
    with pytest.raises(LetterNotFoundError):
        reminding.service.end_hold(99, reason="none", by="wang")


def test_ending_a_hold_lets_the_next_run_write(reminding: Reminding) -> None:
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))
    key = reminding.house.customer_id
    hold = reminding.service.hold(key, until_on=later(60), reason="talks", by="wang")
    assert reminding.run().proposed == 0

    reminding.service.end_hold(hold, reason="talks failed", by="wang")

    assert reminding.run().proposed == 1


def test_a_withdrawn_letter_reminded_nobody_but_past_days_stay(reminding: Reminding) -> None:
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))
    sent = reminding.send()
    service = reminding.service = reminding.open(later(2))

    service.withdraw(sent.letter_id, reason="wrong address", by="wang")

    assert reminding.read_levels(later(2)) == {}
    assert reminding.read_levels(later(1)) == {reminding.house.customer_id: 1}
    assert reminding.send(later(3)).content.level == 1
    with pytest.raises(LetterStateError):
        service.answer(sent.letter_id, text="paid", by="wang")


def test_an_answered_letter_counts_and_has_its_history(reminding: Reminding) -> None:
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))
    sent = reminding.send()

    answered = reminding.service.answer(sent.letter_id, text="will pay on Friday", by="wang")

    assert answered.state is LetterState.ANSWERED
    view = reminding.service.get_letter(sent.letter_id)
    assert [(one.kind.value, one.by) for one in view.events] == [
        ("proposed", "li"),
        ("released", "wang"),
        ("answered", "wang"),
    ]
    assert reminding.read_levels(TODAY) == {reminding.house.customer_id: 1}


def test_a_level_follows_its_item_through_a_merge(reminding: Reminding) -> None:
    house = reminding.house
    other = house.add_customer("C2")
    house.invoice("A1", (date(2026, 3, 20), 40_000))
    reminding.send()

    house.customers.merge(house.customer_id, into_id=other, reason="the same", by="chen")

    with house.database.read() as uow:
        levels = LetterStore(uow.connection).list_levels([house.customer_id, other], as_of=TODAY)
    assert levels == {other: 1}
    assert reminding.send(later(14)).content.level == 2


def test_what_a_letter_did_not_ask_for_gives_no_level(reminding: Reminding) -> None:
    house = reminding.house
    first, second = house.invoice("A1", (date(2026, 3, 2), 60_000), (date(2026, 3, 20), 40_000))
    early = reminding.send()
    house.ledger.open_dispute(
        first, amount_minor=60_000, cause=DisputeCause.QUALITY, on=TODAY, by="li"
    )
    late = reminding.send(later(14))
    assert [(one.item_id, one.asked_minor > 0, one.level) for one in late.content.lines] == [
        (second, True, 2),
        (first, False, 1),
    ]
    house.credit("P1", 40_000, on=TODAY, allocate=Chosen(items=((second, None),)))

    reminding.service.withdraw(early.letter_id, reason="wrong address", by="wang")

    assert reminding.read_levels(later(14)) == {}


def test_a_run_that_was_stopped_is_gone_on_with_and_another_policy_abandons_it(
    reminding: Reminding,
) -> None:
    reminding.stretch_customers = 1
    reminding.service = reminding.open(TODAY)
    other = reminding.house.add_customer("C2")
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))
    reminding.house.invoice("B1", (date(2026, 3, 20), 30_000), customer_id=other)
    stopped = reminding.service.run(by="li", should_stop=lambda: True)
    assert (stopped.state, stopped.proposed) == ("running", 1)

    done = reminding.run()

    assert (done.run_id, done.state, done.proposed) == (stopped.run_id, "finished", 2)
    assert len(reminding.list()) == 2
    half = reminding.service.run(by="li", should_stop=lambda: True)
    changed = json.dumps({**SHIPPED, "version": 3}).encode()
    reminding.policy = parse_dunning_policy(changed)
    run = reminding.run()
    assert (run.run_id > half.run_id, run.proposed, run.withdrawn) == (True, 2, 2)
    assert reminding.service.get_run(half.run_id).state == "abandoned"


def test_a_run_that_another_goes_on_with_is_lost_to_it(reminding: Reminding) -> None:
    reminding.stretch_customers = 1
    other = reminding.house.add_customer("C2")
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))
    reminding.house.invoice("B1", (date(2026, 3, 20), 30_000), customer_id=other)

    def goes_on() -> bool:
        """Another process takes the run over, behind the first stretch."""
        assert reminding.run().state == "finished"
        return False

    with pytest.raises(DunningRunLostError):
        reminding.open(TODAY).run(by="li", should_stop=goes_on)

    assert len(reminding.list()) == 2


def test_the_daily_run_is_once_a_day_and_days_go_forward(reminding: Reminding) -> None:
    reminding.house.invoice("A1", (date(2026, 3, 20), 40_000))

    assert [reminding.service.run_daily(), reminding.service.run_daily()] == [True, False]
    with pytest.raises(DunningInvalidError):
        reminding.service.run(by="li", as_of=TODAY - timedelta(days=1))
    with pytest.raises(DunningInvalidError):
        reminding.service.run(by="li", as_of=later(1))
