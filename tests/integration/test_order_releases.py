"""Releases of held orders: by whom, of what, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.decision.errors import DutyConflictError, NoAuthorityError
from node.records.papers import NewEvent
from node.records.rules_papers import EventKind, PaperKind
from node.risk.checks.rules_check import CheckPoint
from node.risk.errors import (
    ReleaseDutyError,
    RiskInvalidError,
)
from node.risk.orders.rules_order import OrderEvent
from node.risk.orders.service import Taking
from node.risk.rules_finding import Against, Finding, RiskStatus
from tests.support.ledgers import TODAY
from tests.support.risk import Watch, build_watch, pass_days

DUE = date(2026, 6, 1)
DELIVERY, INVOICE, QUOTE = CheckPoint.DELIVERY, CheckPoint.INVOICE, CheckPoint.QUOTE
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = build_watch(tmp_path)
    yield watch
    watch.house.database.dispose()


def test_release_binds_to_the_order_its_amount_and_its_days(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 200_00, by="Sun")["order"]
    watch.release(order_id, watch.be("Li", Role.CREDIT_MANAGER), days=10)

    assert watch.expose().ordered_minor == 200_00
    same = watch.ask("S1", 210_00)  # 5 % more
    copy = watch.ask("S2", 200_00, copied_from="S1")
    assert (same["state"], copy["state"]) == ("open", "held")
    pass_days(watch, TODAY + timedelta(days=10))
    assert watch.ask("S1", 210_00, point=DELIVERY)["may_proceed"]
    more = watch.ask("S1", 211_00)
    assert (more["may_proceed"], more["state"]) == (False, "held")
    pass_days(watch, TODAY + timedelta(days=11))
    assert not watch.ask("S1", 210_00)["may_proceed"]


def test_released_order_is_not_held_again_at_delivery_for_some_days(watch: Watch) -> None:
    standing: list[Finding] = []
    watch.risk.checks._find_against = lambda _uow, _key, _on, _held: Against(
        findings=tuple(standing)
    )
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 200_00)["order"]
    watch.release(order_id, watch.be("Li", Role.CREDIT_MANAGER))
    standing.append(Finding(rule="R3", status=RiskStatus.HOLD, values={"days": 40}))

    fresh = watch.ask("S1", 200_00, point=DELIVERY, delivery="D1")
    pass_days(watch, TODAY + timedelta(days=6))
    later = watch.ask("S1", 200_00, point=DELIVERY, delivery="D1")

    assert fresh["may_proceed"]
    assert not later["may_proceed"]
    assert {one["rule"]: one["is_excused"] for one in later["reasons"]} == {
        "R1": True, "R3": False,
    }  # fmt: skip


def test_release_excuses_from_no_stop_that_the_daily_run_finds_later(watch: Watch) -> None:
    standing: list[Finding] = []
    watch.risk.checks._find_against = lambda _uow, _key, _on, _held: Against(
        findings=tuple(standing)
    )
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 200_00)["order"]
    watch.release(order_id, watch.be("Li", Role.CREDIT_MANAGER))
    standing.append(Finding(rule="R5", status=RiskStatus.STOP, values={}))

    found = watch.ask("S1", 200_00, point=DELIVERY)

    assert (found["status"], found["may_proceed"]) == ("stop", False)


def test_release_does_not_outlive_a_reopening(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 200_00)["order"]
    watch.release(order_id, watch.be("Li", Role.CREDIT_MANAGER))
    watch.risk.orders.end(order_id, OrderEvent.CANCELLED, reason="x", by="Sun")

    assert watch.ask("S1", 200_00)["state"] == "held"


def test_who_asks_does_not_release_and_amounts_have_their_tiers(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 600_000_00, by="Wu")["order"]
    watch.risk.releases.ask(order_id, reason="please", by="Li")

    for name, role, error in (
        ("op", Role.OPERATOR, DutyConflictError),
        ("Sun", Role.SALES, DutyConflictError),
        ("Zhang", Role.ANALYST, NoAuthorityError),
        ("Zhou", Role.CREDIT_MANAGER, NoAuthorityError),
        ("wu", Role.CFO, ReleaseDutyError),
        ("Li", Role.CFO, ReleaseDutyError),
    ):
        with pytest.raises(error):
            watch.release(order_id, watch.be(name, role))
    released = watch.release(order_id, watch.be("Qian", Role.CFO))

    assert released.order.state.value == "open"
    assert released.releases[0].reason_code == "one-off"


def test_two_persons_release_what_is_above_every_tier(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 3_000_000_00)["order"]

    first = watch.release(order_id, watch.be("Qian", Role.CFO))
    with pytest.raises(ReleaseDutyError):
        watch.release(order_id, watch.be("Qian", Role.CFO))
    assert (first.order.state.value, watch.expose().ordered_minor) == ("held", 0)
    second = watch.release(order_id, watch.be("Li", Role.CREDIT_MANAGER))

    assert second.order.state.value == "open"
    assert {name for _, name in second.releases[0].approvals} == {"Qian", "Li"}


@pytest.mark.parametrize(
    ("code", "days"), [("because", 5), ("one-off", 31), ("one-off", 0)], ids=str
)
def test_release_has_a_known_reason_and_few_days(watch: Watch, code: str, days: int) -> None:
    order_id = watch.ask("S1", 1_00)["order"]

    with pytest.raises(RiskInvalidError):
        watch.release(order_id, watch.be("Li", Role.CREDIT_MANAGER), code=code, days=days)


def test_only_what_a_delivery_is_for_takes_off_an_order(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 90_00)["order"]
    paper_id = watch.deliver("D1", order_id, 50_00)
    other = watch.house.add_customer("C2")
    strange = watch.desk.papers.enter(
        PaperKind.DELIVERY, "D2", watch.desk.content(10_00, customer_id=other), by="li"
    )

    for taking in (
        Taking(amount_minor=1, paper_id=paper_id),
        Taking(amount_minor=1, paper_id=strange),
        Taking(amount_minor=1, item_id=999),
        Taking(amount_minor=1),
    ):
        with pytest.raises(RiskInvalidError):
            watch.risk.orders.take(order_id, taking, by="erp")
    returned = NewEvent(kind=EventKind.RETURNED, on=TODAY, amount_minor=5_00, reason="x")
    watch.desk.papers.add_event(paper_id, returned, by="li")
    assert (watch.expose().ordered_minor, watch.expose().delivered_minor) == (40_00, 45_00)
