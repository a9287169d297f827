"""Checking orders: the worked cases of docs/formulas.md, and what users of others complain of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.decision.errors import DutyConflictError
from node.decision.rules_proposal import Outcome
from node.records.rules_ledger import ItemKind
from node.risk.checks.parameters import CheckRules
from node.risk.checks.rules_check import CheckPoint
from node.risk.errors import (
    LimitStateError,
    OrderKeyReusedError,
    OrderNotFoundError,
    OrderStateError,
    ReleaseDutyError,
    StoppedError,
)
from node.risk.limits.rules_limits import LimitKind, LimitState
from node.risk.limits.service import NewLimit
from node.risk.orders.rules_order import OrderEvent
from node.risk.rules_finding import Against, Finding, RiskStatus
from tests.support.ledgers import OLDEST, TODAY
from tests.support.risk import Watch, add_rate, build_watch, owe, pass_days, rules_of

DUE = date(2026, 6, 1)
DELIVERY, INVOICE, QUOTE = CheckPoint.DELIVERY, CheckPoint.INVOICE, CheckPoint.QUOTE
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = build_watch(tmp_path)
    yield watch
    watch.house.database.dispose()


def test_exposure_of_each_stage_and_an_order_beyond_the_limit_is_held(watch: Watch) -> None:
    owe(watch)

    quote = watch.ask("S0", 1, point=QUOTE)
    answer = watch.ask("S1", 160_000_00)

    figures = answer["figures"]
    stages = ("ordered_minor", "delivered_minor", "invoiced_minor", "bill_minor", "total_minor")
    assert [figures["exposure"][name] for name in stages] == [
        0, 80_000_00, 420_000_00, 150_000_00, 650_000_00,
    ]  # fmt: skip
    assert quote["figures"]["usage_permille"] == 813  # 81.25 %, rounded up
    assert (figures["after_minor"], figures["usage_permille"]) == (810_000_00, 1013)
    assert (answer["status"], answer["may_proceed"], answer["state"]) == ("hold", False, "held")
    assert rules_of(answer)["R1"] == "hold"


def test_ninety_percent_rule_leaves_room_of_4000(watch: Watch) -> None:
    watch.rules[0] = CheckRules(usage=RiskStatus.HOLD)
    watch.give_limit(10_000_00)
    watch.house.invoice("R1", (DUE, 5_000_00))

    held = watch.ask("S1", 4_500_00)
    passed = watch.ask("S2", 3_999_00)

    assert held["figures"]["room_before_watch_minor"] == 4_000_00
    assert (held["status"], held["state"]) == ("hold", "held")
    assert (passed["status"], passed["state"]) == ("ok", "open")


def test_endorsed_bill_counts_until_it_matures_and_a_dishonoured_one_is_an_invoice(
    watch: Watch,
) -> None:
    watch.house.invoice("R1", (DUE, 150_000_00))
    bill_id = watch.house.bill("B1", 150_000_00, on=date(2026, 3, 1), matures_on=date(2026, 3, 20))
    before = watch.expose(as_of=date(2026, 3, 5))
    watch.house.ledger.pass_on_bill(
        bill_id, kind=ItemKind.BILL_ENDORSED, on=date(2026, 3, 10), by="li"
    )

    passed = watch.expose(as_of=date(2026, 3, 20))
    matured = watch.expose(as_of=date(2026, 3, 21))
    watch.house.ledger.dishonour_bill(bill_id, on=date(2026, 3, 25), by="li")
    back = watch.expose(as_of=date(2026, 3, 25))

    assert (before.bill_minor, before.bill_passed_minor) == (150_000_00, 0)
    assert (passed.bill_minor, passed.bill_passed_minor) == (150_000_00, 150_000_00)
    assert matured.total_minor == 0
    assert (back.bill_minor, back.invoiced_minor) == (0, 150_000_00)


def test_zero_is_prepayment_and_none_is_not_assessed(watch: Watch) -> None:
    unknown = watch.ask("S1", 100_00)
    watch.give_limit(0, outcome=Outcome.PREPAY)
    prepay = watch.ask("S2", 100_00)
    watch.house.credit("P1", 100_00, on=TODAY)
    paid = watch.ask("S3", 100_00, prepaid_minor=100_00)

    assert rules_of(unknown) == {"not-assessed": "hold"}
    assert unknown["figures"]["limit"] is None
    assert rules_of(prepay) == {"prepay": "hold"}
    assert (paid["status"], paid["prepaid_here_minor"]) == ("ok", 100_00)


def test_prepaid_part_of_a_held_order_is_delivered_and_no_more(watch: Watch) -> None:
    watch.give_limit(0, outcome=Outcome.PREPAY)
    watch.house.credit("P1", 40_00, on=TODAY)
    held = watch.ask("S1", 100_00, prepaid_minor=40_00)

    part = watch.ask("S1", 40_00, point=DELIVERY)
    watch.deliver("D1", held["order"], 40_00)
    again = watch.ask("S1", 40_00, point=DELIVERY)

    assert (held["status"], held["prepaid_here_minor"]) == ("hold", 40_00)
    assert (part["may_proceed"], part["state"]) == (True, "held")
    assert not again["may_proceed"]


def test_temporary_limit_takes_the_place_and_falls_back_by_itself(watch: Watch) -> None:
    watch.give_limit(100_00)
    new = NewLimit(
        kind=LimitKind.TEMPORARY,
        customer_id=watch.house.customer_id,
        currency="CNY",
        amount_minor=300_00,
        first_on=TODAY,
        last_on=TODAY,
        reason="season",
    )
    entry = watch.risk.limits.request(new, by="Zhang")
    waiting = watch.ask("S0", 200_00, point=QUOTE)
    with pytest.raises(ReleaseDutyError):
        watch.risk.limits.approve(entry.entry_id, actor=watch.be("zhang", Role.CREDIT_MANAGER))
    with pytest.raises(DutyConflictError):
        watch.risk.limits.approve(entry.entry_id, actor=watch.be("op", Role.OPERATOR))
    watch.risk.limits.approve(entry.entry_id, actor=watch.be("Li", Role.CREDIT_MANAGER))
    during = watch.ask("S1", 200_00)
    pass_days(watch, TOMORROW)
    after = watch.ask("S2", 1_00)

    assert not waiting["may_proceed"]
    assert (during["status"], during["figures"]["limit"]["kind"]) == ("ok", "temporary")
    assert during["figures"]["limit"]["fallback_minor"] == 100_00
    assert (after["status"], after["figures"]["limit"]["kind"]) == ("hold", "permanent")
    (kept,) = watch.risk.limits.view(watch.house.customer_id).entries
    assert kept.state_on(TOMORROW) is LimitState.LAPSED
    with pytest.raises(LimitStateError):
        watch.risk.limits.end(entry.entry_id, reason="x", actor=watch.be("Li", Role.CFO))


def test_limit_lowered_below_exposure_holds_new_orders_alone(watch: Watch) -> None:
    watch.give_limit(100_00)
    watch.ask("S1", 90_00)
    watch.give_limit(50_00, on=TODAY)

    new = watch.ask("S2", 1_00)
    delivery = watch.ask("S1", 90_00, point=DELIVERY)
    smaller = watch.ask("S1", 80_00)
    larger = watch.ask("S1", 95_00)

    assert rules_of(new) == {"R1": "hold"}
    assert (rules_of(delivery), delivery["may_proceed"]) == ({"R1": "watch"}, True)
    assert (smaller["may_proceed"], smaller["state"]) == (True, "open")
    assert (larger["may_proceed"], larger["state"]) == (False, "held")


def test_expired_limit_is_still_measured_and_holds(watch: Watch) -> None:
    watch.give_limit(100_00, valid_until=date(2026, 3, 30))

    answer = watch.ask("S1", 95_00)

    assert rules_of(answer) == {"R2": "watch", "R6-limit": "hold"}
    assert answer["figures"]["limit"]["is_expired"]


def test_stop_is_sticky_and_no_release_passes_it(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 10_00)["order"]
    stop = watch.risk.limits.stop(watch.house.customer_id, reason="fraud", by="Zhang")

    stopped = watch.ask("S2", 1_00)
    delivery = watch.ask("S1", 10_00, point=DELIVERY)
    with pytest.raises(StoppedError):
        watch.release(order_id, watch.be("Li", Role.CREDIT_MANAGER))
    with pytest.raises(DutyConflictError):
        watch.risk.limits.end_stop(stop.stop_id, reason="x", actor=watch.be("op", Role.OPERATOR))
    watch.give_limit(10_000_00, on=TODAY)
    still = watch.ask("S3", 1_00, point=QUOTE)
    watch.risk.limits.end_stop(
        stop.stop_id, reason="cleared", actor=watch.be("Li", Role.CREDIT_MANAGER)
    )
    after = watch.ask("S2", 1_00)

    assert [one["status"] for one in (stopped, delivery, still)] == ["stop"] * 3
    assert not delivery["may_proceed"]
    assert (after["status"], after["state"]) == ("ok", "open")


def test_quote_informs_and_enters_nothing(watch: Watch) -> None:
    watch.give_limit(100_00)

    answer = watch.ask("S1", 90_00, point=QUOTE)

    assert (answer["status"], answer["order"]) == ("watch", None)
    assert watch.risk.orders.list_of(watch.house.customer_id) == []


def test_invoice_is_told_and_never_blocked(watch: Watch) -> None:
    watch.give_limit(100_00)
    watch.house.invoice("R1", (DUE, 500_00))
    watch.risk.limits.stop(watch.house.customer_id, reason="late", by="Zhang")

    answer = watch.ask("S1", 90_00, point=INVOICE)

    assert (answer["status"], answer["may_proceed"]) == ("stop", True)
    assert rules_of(answer)["R1"] == "hold"


def test_delivery_is_checked_again_and_needs_its_order(watch: Watch) -> None:
    standing: list[Finding] = []
    watch.risk.checks._find_against = lambda _uow, _key, _on, _held: Against(
        findings=tuple(standing)
    )
    watch.give_limit(100_00)
    watch.ask("S1", 50_00)
    first = watch.ask("S1", 50_00, point=DELIVERY)
    standing.append(Finding(rule="R3", status=RiskStatus.HOLD, values={"days": 40}))

    second = watch.ask("S1", 50_00, point=DELIVERY)

    assert (first["may_proceed"], second["may_proceed"]) == (True, False)
    assert second["state"] == "open"
    with pytest.raises(OrderNotFoundError):
        watch.ask("S9", 1, point=DELIVERY)
    with pytest.raises(OrderStateError):
        watch.ask("S1", 1, point=DELIVERY, currency="EUR")
    assert [one.order.number for one in watch.risk.releases.list_held()] == ["S1"]


def test_closing_orders_and_reopening_them_does_not_pass_the_limit(watch: Watch) -> None:
    watch.give_limit(100_00)
    first = watch.ask("S1", 90_00)["order"]
    watch.risk.orders.end(first, OrderEvent.CLOSED, reason="room", by="Sun")
    second = watch.ask("S2", 90_00)

    reopened = watch.ask("S1", 90_00)

    assert second["may_proceed"]
    assert (reopened["may_proceed"], reopened["state"]) == (False, "held")
    assert watch.expose().ordered_minor == 90_00


def test_copy_amendment_and_other_currency_are_new_checks(watch: Watch) -> None:
    add_rate(watch, 8 * 10**9)
    watch.give_limit(100_00)
    watch.ask("S1", 60_00)

    copy = watch.ask("S2", 60_00, copied_from="S1")
    other = watch.ask("S1", 60_00, currency="EUR")
    back = watch.ask("S1", 60_00)

    assert (copy["state"], other["state"], back["state"]) == ("held", "held", "open")
    copied = watch.risk.orders.get(copy["order"])[-1]
    assert copied.copied_from == back["order"]


def test_order_far_above_those_before_is_watched_and_a_first_one_is_not(watch: Watch) -> None:
    watch.give_limit(10_000_00)

    first = watch.ask("S1", 1_000_00)
    twice = watch.ask("S2", 2_000_00)
    more = watch.ask("S3", 4_001_00)

    assert (rules_of(first), rules_of(twice)) == ({}, {})
    assert rules_of(more) == {"R8": "watch"}


def test_payment_frees_the_limit_at_once_and_clears_what_was_held(watch: Watch) -> None:
    watch.give_limit(100_00)
    watch.house.invoice("R1", (DUE, 90_00))
    held = watch.ask("S1", 50_00)
    watch.house.credit("P1", 90_00, on=TODAY, allocate=OLDEST)

    again = watch.ask("S1", 50_00)

    assert (held["state"], again["state"]) == ("held", "open")
    events = [one.event for one in watch.risk.orders.get(again["order"])]
    assert events == [OrderEvent.CREATED, OrderEvent.CLEARED]


def test_same_key_is_the_same_answer_whatever_happened_since(watch: Watch) -> None:
    watch.give_limit(100_000_00)
    first = watch.ask("S1", 60_000_00, key="k")
    watch.house.invoice("R1", (DUE, 90_000_00))

    assert watch.ask("S1", 60_000_00, key="k") == first
    with pytest.raises(OrderKeyReusedError):
        watch.ask("S1", 61_000_00, key="k")
    assert watch.ask("S2", 1, key="k")["number"] == "S2"
