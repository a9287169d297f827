"""One exposure: each thing once, as of any day, by currency and group."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.decision.evidence import read_exposure
from node.records.rules_ledger import DisputeCause
from node.risk.checks.parameters import CheckRules
from node.risk.checks.rules_check import CheckPoint
from node.risk.errors import RiskInvalidError
from node.risk.exposure.rules_exposure import ExposureRules
from node.risk.limits.rules_limits import LimitKind
from node.risk.limits.service import NewLimit
from node.risk.orders.rules_order import OrderEvent
from node.risk.orders.service import Taking
from tests.support.ledgers import TODAY
from tests.support.risk import Watch, add_rate, build_watch, owe, pass_days, rules_of

DUE = date(2026, 6, 1)
DELIVERY, INVOICE, QUOTE = CheckPoint.DELIVERY, CheckPoint.INVOICE, CheckPoint.QUOTE
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = build_watch(tmp_path)
    yield watch
    watch.house.database.dispose()


def test_stages_move_and_the_sum_does_not(watch: Watch) -> None:
    watch.give_limit(100_000_00)
    order_id = watch.ask("S1", 60_000_00)["order"]
    stages = [watch.expose()]
    paper_id = watch.deliver("D1", order_id, 25_000_00)
    stages.append(watch.expose())
    (item_id,) = watch.house.invoice("R1", (DUE, 25_000_00), on=TODAY)
    # The ERP names the order on the invoice too: the delivery has taken it off already.
    watch.risk.orders.take(order_id, Taking(amount_minor=25_000_00, item_id=item_id), by="erp")
    watch.desk.papers.add_invoice(paper_id, item_id, by="li")
    stages.append(watch.expose())

    assert [(one.ordered_minor, one.delivered_minor, one.invoiced_minor) for one in stages] == [
        (60_000_00, 0, 0), (35_000_00, 25_000_00, 0), (35_000_00, 0, 25_000_00),
    ]  # fmt: skip
    assert {one.total_minor for one in stages} == {60_000_00}
    answer = watch.ask("S1", 60_000_00)
    assert answer["figures"]["after_minor"] == 60_000_00


def test_an_invoice_from_before_the_order_takes_nothing_off(watch: Watch) -> None:
    watch.give_limit(100_000_00)
    order_id = watch.ask("S1", 60_000_00)["order"]
    (item_id,) = watch.house.invoice("R0", (DUE, 60_000_00), on=TODAY - timedelta(days=1))

    with pytest.raises(RiskInvalidError):
        watch.risk.orders.take(order_id, Taking(amount_minor=60_000_00, item_id=item_id), by="sun")

    assert watch.expose().ordered_minor == 60_000_00


def test_invoice_without_a_delivery_takes_off_and_a_cancelled_one_gives_back(watch: Watch) -> None:
    watch.give_limit(100_000_00)
    order_id = watch.ask("S1", 60_000_00)["order"]
    (item_id,) = watch.house.invoice("R1", (DUE, 40_000_00), on=TODAY)
    watch.risk.orders.take(order_id, Taking(amount_minor=40_000_00, item_id=item_id), by="erp")
    taken = watch.expose()
    watch.house.ledger.cancel_item(item_id, reason="wrong", by="li")
    back = watch.expose()

    assert (taken.ordered_minor, taken.invoiced_minor) == (20_000_00, 40_000_00)
    assert (back.ordered_minor, back.invoiced_minor) == (60_000_00, 0)


def test_order_that_is_checked_again_is_not_counted_twice(watch: Watch) -> None:
    watch.give_limit(100_000_00)

    first = watch.ask("S1", 60_000_00)
    again = watch.ask("S1", 60_000_00)

    assert first["figures"]["after_minor"] == again["figures"]["after_minor"] == 60_000_00
    assert again["may_proceed"]


def test_exposure_of_a_day_past_comes_out_again(watch: Watch) -> None:
    watch.give_limit(100_000_00, on=date(2026, 1, 1))
    pass_days(watch, date(2026, 2, 1))
    order_id = watch.ask("S1", 60_000_00)["order"]
    february = watch.expose(as_of=date(2026, 2, 1))
    known_at_ms = watch.house.clock.now_ms()
    watch.house.clock.advance_s(1)
    pass_days(watch, TODAY)
    watch.ask("S1", 20_000_00)
    watch.risk.orders.end(order_id, OrderEvent.CLOSED, reason="done", by="li")
    watch.give_limit(30_000_00, on=TODAY)

    assert watch.expose().ordered_minor == 0
    assert watch.expose(as_of=date(2026, 2, 1)) == february
    assert watch.expose(as_of=TODAY, known_at_ms=known_at_ms).ordered_minor == 60_000_00
    assert watch.expose(as_of=date(2026, 1, 31)).total_minor == 0
    then = watch.risk.limits.view(watch.house.customer_id, as_of=date(2026, 2, 1)).holding
    now = watch.risk.limits.view(watch.house.customer_id).holding
    assert (then and then.limit_minor, now and now.limit_minor) == (100_000_00, 30_000_00)


def test_decision_and_risk_see_one_exposure_apart_from_orders(watch: Watch) -> None:
    owe(watch)
    watch.ask("S1", 10_000_00)
    exposure = watch.expose()
    with watch.house.database.read() as uow:
        decided = read_exposure(uow, watch.house.customer_id, currency="CNY", as_of=TODAY)

    assert exposure.total_minor - exposure.ordered_minor == decided
    assert exposure.ordered_minor == 10_000_00


def test_disputed_part_is_in_or_out_and_credit_stands_apart(watch: Watch) -> None:
    (item_id,) = watch.house.invoice("R1", (DUE, 100_00))
    watch.house.ledger.open_dispute(
        item_id, amount_minor=30_00, on=date(2026, 3, 1), cause=DisputeCause.QUALITY, by="li"
    )
    watch.house.credit("P1", 20_00, on=date(2026, 3, 2))

    counted = watch.expose()
    without = watch.expose(counts_disputed=False)

    assert (counted.total_minor, counted.disputed_minor, counted.unapplied_minor) == (
        100_00, 30_00, 20_00,
    )  # fmt: skip
    assert (without.total_minor, without.disputed_minor) == (70_00, 30_00)


def test_insured_and_guaranteed_parts_stand_apart_and_orders_are_uncovered(watch: Watch) -> None:
    watch.give_limit(1_000_00)
    watch.house.invoice("R1", (DUE, 100_00), on=date(2026, 3, 1))
    watch.desk.guarantee("G1", 20_00)
    watch.desk.insure("V1", 50_00)
    watch.ask("S1", 10_00)

    exposure = watch.expose()

    assert (exposure.guaranteed_minor, exposure.insured_minor) == (20_00, 45_00)
    assert exposure.uncovered_minor == 110_00 - 20_00 - 45_00


def test_currency_without_a_rate_is_named_not_guessed_and_holds(watch: Watch) -> None:
    watch.give_limit(100_000_00)

    held = watch.ask("S1", 1_000_00, currency="EUR")
    add_rate(watch, 8 * 10**9)
    passed = watch.ask("S1", 1_000_00, currency="EUR")
    far = watch.expose(as_of=TODAY + timedelta(days=30))

    assert rules_of(held) == {"no-rate": "hold"}
    assert held["figures"]["asked_minor"] is None
    assert (passed["status"], passed["state"]) == ("ok", "open")
    assert passed["figures"]["after_minor"] == 8_000_00
    assert [(one.currency, one.ordered_minor) for one in far.parts] == [("EUR", 1_000_00)]


def test_bulk_order_counts_by_its_horizon(watch: Watch) -> None:
    rules = ExposureRules(order_horizon_days=30, beyond_permille=100, order_permille=1_000)
    watch.rules[0] = CheckRules(exposure=rules)
    watch.give_limit(1_000_000_00)
    watch.ask("S1", 10_000_00, deliver_on=TODAY + timedelta(days=30))
    watch.ask("S2", 10_000_00, deliver_on=TODAY + timedelta(days=31))

    assert watch.expose().ordered_minor == 11_000_00


def test_groups_exposure_and_cap_bound_every_member(watch: Watch) -> None:
    other = watch.house.add_customer("C2")
    watch.house.customers.set_parent(other, parent_id=watch.house.customer_id, by="li")
    watch.give_limit(100_000_00)
    watch.give_limit(100_000_00, customer_id=other)
    entry = watch.risk.limits.request(
        NewLimit(
            kind=LimitKind.GROUP_CAP,
            customer_id=watch.house.customer_id,
            currency="CNY",
            amount_minor=120_000_00,
            first_on=TODAY,
            last_on=None,
            reason="together",
        ),
        by="Zhang",
    )
    before = watch.ask("S0", 80_000_00, customer_id=other, point=QUOTE)
    watch.risk.limits.approve(entry.entry_id, actor=watch.be("Li", Role.CREDIT_MANAGER))
    watch.ask("S1", 70_000_00)

    held = watch.ask("S2", 60_000_00, customer_id=other)

    assert "R1-group" not in rules_of(before)
    assert rules_of(held) == {"R1-group": "hold"}
    assert watch.expose(is_group=True).total_minor == 70_000_00
    assert watch.expose(is_group=True, customer_id=other).members == (
        watch.house.customer_id, other,
    )  # fmt: skip
