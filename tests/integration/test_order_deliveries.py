"""Deliveries of an order: together they never go for more than the order, or for more money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.decision.errors import DutyConflictError
from node.decision.rules_proposal import Outcome
from node.risk.checks.rules_check import CheckPoint
from node.risk.checks.store import CheckStore
from node.risk.errors import (
    OrderKeyReusedError,
    OrderNotFoundError,
    OrderStateError,
    RiskInvalidError,
)
from node.risk.orders.rules_order import OrderEvent
from tests.support.ledgers import TODAY
from tests.support.risk import Watch, build_watch, rules_of

DELIVERY = CheckPoint.DELIVERY


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = build_watch(tmp_path)
    yield watch
    watch.house.database.dispose()


@dataclass(frozen=True, kw_only=True)
class Step:
    """A delivery that is asked for or entered, and whether it may go."""

    minor: int
    goes: bool = True
    name: str | None = None
    is_entered: bool = False


GONE = {
    "all of it at once": [Step(minor=100_00), Step(minor=1, goes=False)],
    "in parts": [Step(minor=60_00), Step(minor=40_00), Step(minor=1, goes=False)],
    "more than is left": [Step(minor=60_00), Step(minor=50_00, goes=False), Step(minor=40_00)],
    "a part that is entered too": [
        Step(minor=60_00, name="D1"),
        Step(minor=60_00, name="D1", is_entered=True),
        Step(minor=40_00),
        Step(minor=1, goes=False),
    ],
    "entered without a name": [
        Step(minor=60_00),
        Step(minor=60_00, name="D1", is_entered=True),
        Step(minor=40_00),
        Step(minor=1, goes=False),
    ],
    "one entered that was never asked for": [
        Step(minor=60_00, name="D1", is_entered=True),
        Step(minor=40_00),
        Step(minor=1, goes=False),
    ],
    "less is entered than went": [
        Step(minor=60_00, name="D1"),
        Step(minor=50_00, name="D1", is_entered=True),
        Step(minor=50_00),
        Step(minor=1, goes=False),
    ],
    "asked for again by its name": [
        Step(minor=60_00, name="D1"),
        Step(minor=60_00, name="D1"),
        Step(minor=40_00, name="D2"),
        Step(minor=70_00, name="D1", goes=False),
        Step(minor=1, name="D3", goes=False),
    ],
    "one that did not go": [
        Step(minor=100_00, name="D1"),
        Step(minor=0, name="D1"),
        Step(minor=100_00, name="D2"),
        Step(minor=1, goes=False),
    ],
}


@pytest.mark.parametrize("steps", GONE.values(), ids=GONE)
def test_deliveries_of_an_order_never_go_for_more_than_the_order(
    watch: Watch, steps: list[Step]
) -> None:
    watch.give_limit(1_000_00)  # room enough: what is beyond the order is held all the same
    order_id = watch.ask("S1", 100_00)["order"]

    for step in steps:
        watch.house.clock.advance_s(1)
        if step.is_entered:
            watch.deliver(step.name or "", order_id, step.minor)
            continue
        answer = watch.ask("S1", step.minor, point=DELIVERY, delivery=step.name)
        assert answer["may_proceed"] is step.goes, step
        assert step.goes or rules_of(answer)["beyond-order"] == "hold"


def end(watch: Watch, order_id: int, event: OrderEvent) -> None:
    watch.risk.orders.end(order_id, event, reason="room", by="Sun")


@pytest.mark.parametrize("event", [OrderEvent.CLOSED, OrderEvent.CANCELLED])
def test_what_was_let_through_counts_after_its_order_has_ended_until_it_is_entered(
    watch: Watch, event: OrderEvent
) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 100_00)["order"]
    for name, minor in (("D1", 50_00), ("D2", 40_00)):
        assert watch.ask("S1", minor, point=DELIVERY, delivery=name)["may_proceed"]
    before = watch.house.clock.now_ms()
    watch.house.clock.advance_s(1)

    end(watch, order_id, event)

    assert watch.expose().ordered_minor == 90_00  # what nobody lets through any more is gone
    assert not watch.ask("S2", 20_00)["may_proceed"]
    watch.house.clock.advance_s(1)
    watch.deliver("D1", order_id, 50_00)
    exposed = watch.expose()
    assert (exposed.ordered_minor, exposed.delivered_minor) == (40_00, 50_00)
    watch.deliver("D2", order_id, 40_00)
    assert (watch.expose().ordered_minor, watch.expose().total_minor) == (0, 90_00)
    assert watch.expose(known_at_ms=before).ordered_minor == 100_00


def test_without_a_number_what_is_entered_takes_its_place(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 100_00)["order"]
    watch.ask("S1", 60_00, point=DELIVERY)
    watch.house.clock.advance_s(1)
    end(watch, order_id, OrderEvent.CLOSED)

    watch.deliver("D1", order_id, 45_00)

    assert watch.expose().ordered_minor == 15_00


def test_a_person_with_a_reason_says_that_a_delivery_did_not_go(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 100_00)["order"]
    watch.ask("S1", 90_00, point=DELIVERY, delivery="D1")
    end(watch, order_id, OrderEvent.CLOSED)
    li, orders = watch.be("Li", Role.CREDIT_MANAGER), watch.risk.orders
    refused = (
        (watch.be("op", Role.OPERATOR), "D1", DutyConflictError),
        (li, "D9", OrderNotFoundError),
    )
    for actor, name, error in refused:
        with pytest.raises(error):
            orders.cancel_delivery(order_id, name, reason="the lorry came back", actor=actor)
    assert watch.expose().total_minor == 90_00

    cancelled = orders.cancel_delivery(order_id, "D1", reason="the lorry came back", actor=li)

    assert watch.expose().total_minor == 0
    (kept,) = cancelled.passed
    assert (kept.amount_minor, kept.reason, kept.entered_by) == (0, "the lorry came back", "Li")
    with pytest.raises(OrderNotFoundError):  # once is enough
        orders.cancel_delivery(order_id, "D1", reason="again", actor=li)


def test_a_smaller_or_a_held_order_hides_nothing_that_went(watch: Watch) -> None:
    watch.give_limit(100_00)
    watch.ask("S1", 80_00)
    watch.ask("S1", 80_00, point=DELIVERY, delivery="D1")

    assert watch.ask("S1", 10_00)["state"] == "open"
    assert watch.expose().ordered_minor == 80_00
    assert not watch.ask("S2", 30_00)["may_proceed"]
    assert watch.ask("S1", 900_00)["state"] == "held"
    assert watch.expose().ordered_minor == 80_00


def test_an_order_of_which_something_went_stays_with_its_customer(watch: Watch) -> None:
    other = watch.house.add_customer("C2")
    for key in (watch.house.customer_id, other):
        watch.give_limit(100_00, customer_id=key)
    watch.ask("S1", 80_00)
    watch.ask("S1", 80_00, point=DELIVERY, delivery="D1")

    with pytest.raises(OrderStateError):
        watch.ask("S1", 80_00, customer_id=other)

    assert watch.expose().ordered_minor == 80_00


def test_same_key_of_a_delivery_counts_once(watch: Watch) -> None:
    watch.give_limit(1_000_00)
    watch.ask("S1", 100_00)
    first = watch.ask("S1", 50_00, point=DELIVERY, key="d")

    assert watch.ask("S1", 50_00, point=DELIVERY, key="d") == first
    assert watch.ask("S1", 50_00, point=DELIVERY)["may_proceed"]
    assert not watch.ask("S1", 50_00, point=DELIVERY)["may_proceed"]


def test_prepaid_part_of_a_held_order_goes_once(watch: Watch) -> None:
    watch.give_limit(0, outcome=Outcome.PREPAY)
    watch.house.credit("P1", 40_00, on=TODAY)
    watch.ask("S1", 100_00, prepaid_minor=40_00)

    parts = [watch.ask("S1", 20_00, point=DELIVERY)["may_proceed"] for _ in range(3)]

    assert parts == [True, True, False]


def test_only_a_delivery_has_a_name_and_only_a_named_one_does_not_go(watch: Watch) -> None:
    watch.give_limit(100_00)
    watch.ask("S1", 10_00)

    for point, amount_minor, delivery in (
        (CheckPoint.ORDER, 10_00, "D1"),
        (DELIVERY, 0, None),
        (DELIVERY, 1, "D\0"),
        (DELIVERY, 1, ""),
    ):
        with pytest.raises(RiskInvalidError):
            watch.ask("S1", amount_minor, point=point, delivery=delivery)


@pytest.mark.parametrize(
    ("here_minor", "state"), [(0, "held"), (50_00, "held"), (900_00, "open")], ids=str
)
def test_amended_to_a_prepaid_sum_that_is_not_here_is_a_new_check(
    watch: Watch, here_minor: int, state: str
) -> None:
    watch.give_limit(100_00)
    watch.ask("S1", 90_00)
    if here_minor:
        watch.house.credit("P1", here_minor, on=TODAY)

    amended = watch.ask("S1", 990_00, prepaid_minor=900_00)

    assert (amended["state"], amended["may_proceed"]) == (state, state == "open")


def test_checking_again_asks_what_was_asked_last_of_the_order_as_it_stands(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = int(watch.ask("SO-1", 80_00, deliver_on=TODAY, prepaid_minor=10_00)["order"])
    watch.risk.limits.stop(watch.house.customer_id, reason="rumours", by="li")
    refused = watch.ask("SO-1", 60_00, point=DELIVERY, delivery="D1")
    watch.ask("SO-1", 50_00)  # amended since: the content that stands is asked about, no other

    order = watch.risk.checks.recheck(order_id, key="again", by="sun")

    assert not refused["may_proceed"]
    assert (order["point"], order["amount_minor"]) == (CheckPoint.ORDER, 50_00)
    assert watch.risk.orders.get(order_id)[-1].content.amount_minor == 50_00
    watch.ask("SO-1", 40_00, point=DELIVERY, delivery="D2")
    delivery = watch.risk.checks.recheck(order_id, key="once more", by="sun")
    assert delivery["point"] == CheckPoint.DELIVERY
    with watch.house.database.read() as uow:
        newest = CheckStore(uow.connection).list_newest([order_id])[order_id]
    assert (newest.delivery, newest.delivered_minor) == ("D2", 40_00)
    assert watch.risk.checks.recheck(order_id, key="once more", by="sun") == delivery
    with pytest.raises(OrderKeyReusedError):
        watch.risk.checks.recheck(order_id, key="again", by="sun")
