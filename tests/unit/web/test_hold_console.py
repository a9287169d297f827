"""Pages of held orders: what each role sees and does, and what is refused and stays typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.risk.orders.rules_order import OrderState
from tests.support.console_people import Desk, close_desk, open_desk, read
from tests.support.risk_pages import find_key, give_limit, invoice, order

QUEUE = "/console/orders"


@contextmanager
def open_furnished(home: Path, closed: Path) -> Iterator[Desk]:
    """A customer with a limit of 5,000, who owes 4,500, not due, and orders 2,000."""
    desk = open_desk(home, like=closed)
    give_limit(desk.node, desk.customer_id, 500_000)
    invoice(desk.node, desk.customer_id, "R1", 450_000, due_on=date(2026, 7, 15))
    order(desk.node, desk.customer_id, "SO-1", 200_000)
    yield desk
    close_desk(desk)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, closed: Path) -> Iterator[Desk]:
    """A desk at which nothing is entered."""
    with open_furnished(tmp_path_factory.mktemp("still") / "home", closed) as desk:
        yield desk


@pytest.fixture
def desk(tmp_path: Path, closed: Path) -> Iterator[Desk]:
    with open_furnished(tmp_path / "home", closed) as desk:
        yield desk


def step(desk: Desk, name: str, **typed: str) -> tuple[int, str]:
    """Send a form of the order's page as a browser does."""
    key = find_key(read(desk, f"{QUEUE}/1"))
    answer = desk.send(f"{QUEUE}/1/{name}", {"key": key} | typed)
    return answer.status_code, str(answer.text)


def state(desk: Desk) -> OrderState:
    return desk.node.local.risk.orders.get(1)[-1].state


def test_the_queue_tells_why_by_how_much_since_when_and_who_releases(still: Desk) -> None:
    still.sign_in(Role.CREDIT_MANAGER)

    page = read(still, QUEUE)

    assert "the exposure of 6,500.00 EUR is over the limit of 5,000.00 EUR" in page
    assert "EUR\N{NO-BREAK SPACE}1,500.00" in page
    assert "2026-06-30 12:00" in page
    assert "0 of " in page
    assert "敞口 6,500.00 EUR 超过额度 5,000.00 EUR" in read(still, QUEUE, "zh")


def test_sales_sees_kinds_of_reasons_and_asks_and_does_not_release(desk: Desk) -> None:
    desk.sign_in(Role.SALES, "Sun")
    for path in (QUEUE, f"{QUEUE}/1"):
        page = read(desk, path)
        assert "over the limit" in page
        for figure in ("6,500.00", "5,000.00", "1,500.00"):
            assert figure not in page, (path, figure)
    assert f'action="{QUEUE}/1/release"' not in read(desk, f"{QUEUE}/1")

    status, _ = step(desk, "ask", reason="they pay on Monday")

    assert status == 303
    assert "they pay on Monday" in read(desk, f"{QUEUE}/1")
    form = {"reason_code": "one-off", "reason": "x", "days": "5"}
    assert step(desk, "release", **form)[0] == 403
    assert state(desk) is OrderState.HELD


def test_a_release_is_bound_to_the_order_and_given_by_somebody_else(desk: Desk) -> None:
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    form = {"reason_code": "one-off", "reason": "agreed with <them>", "days": "7"}
    assert step(desk, "ask", reason="please")[0] == 303
    page = read(desk, f"{QUEUE}/1")
    assert "somebody else releases it" in page
    assert "5.0 % more" in page
    status, page = step(desk, "release", **form)
    assert (status, "does not approve it" in page) == (403, True)
    assert "agreed with &lt;them&gt;" in page
    assert state(desk) is OrderState.HELD

    desk.sign_in(Role.CREDIT_MANAGER, "Wang")
    assert step(desk, "release", **form)[0] == 303
    assert state(desk) is OrderState.HELD  # without a rate of the euro it is of the last tier
    assert "1 of 2 given" in read(desk, QUEUE)
    desk.sign_in(Role.CFO, "Qian")
    assert step(desk, "release", **form)[0] == 303

    (release,) = desk.node.local.risk.releases.get(1).releases
    assert (release.amount_minor, release.expires_on) == (200_000, date(2026, 7, 7))
    assert state(desk) is OrderState.OPEN
    assert "SO-1" not in read(desk, QUEUE)
    assert "released on 2026-06-30, until 2026-07-07" in read(desk, f"{QUEUE}/1")


def test_what_was_changed_since_it_was_looked_at_is_not_released(desk: Desk) -> None:
    desk.sign_in(Role.CREDIT_MANAGER, "Wang")
    form = {"reason_code": "one-off", "reason": "agreed", "days": "7", "version": "1"}
    assert 'name="version" value="1"' in read(desk, f"{QUEUE}/1")
    order(desk.node, desk.customer_id, "SO-1", 20_000_000, key="amended")

    status, page = step(desk, "release", **form)

    assert (status, "changed meanwhile" in page) == (409, True)
    assert desk.node.local.risk.releases.get(1).releases == ()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason_code": "nonsense"}, "Choose one of them."),
        ({"reason": ""}, "This is needed."),
        ({"days": ""}, "This is needed."),
        ({"days": "31"}, "whole number"),
        ({"days": "0"}, "breaks a rule"),
    ],
)
def test_a_wrong_release_is_shown_again_with_what_was_typed(
    still: Desk, typed: dict[str, str], said: str
) -> None:
    still.sign_in(Role.CREDIT_MANAGER, "Wang")
    form = {"reason_code": "paid", "reason": "their <bank> says", "days": "9"} | typed

    status, page = step(still, "release", **form)

    assert status == 422
    assert said in page
    if form["reason"]:
        assert "their &lt;bank&gt; says" in page
    assert f'value="{form["days"]}"' in page
    assert state(still) is OrderState.HELD
    assert still.node.local.risk.releases.get(1).releases == ()


def test_an_order_is_rejected_with_a_reason_and_only_once(desk: Desk) -> None:
    desk.sign_in(Role.SALES, "Sun")
    assert step(desk, "reject", reason="")[0] == 422
    key = find_key(read(desk, f"{QUEUE}/1"))
    form = {"key": key, "reason": "customer withdrew"}

    first, second = (desk.send(f"{QUEUE}/1/reject", form) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert state(desk) is OrderState.CANCELLED
    assert "customer withdrew" in read(desk, f"{QUEUE}/1")
    late = desk.send(f"{QUEUE}/1/ask", {"key": key, "reason": "once more"})
    assert late.status_code == 409


def test_an_order_that_passes_when_it_is_checked_again_is_held_no_longer(desk: Desk) -> None:
    desk.sign_in(Role.SALES, "Sun")
    assert step(desk, "recheck")[0] == 303
    assert state(desk) is OrderState.HELD
    give_limit(desk.node, desk.customer_id, 900_000)

    assert step(desk, "recheck")[0] == 303

    assert state(desk) is OrderState.OPEN
    assert "SO-1" not in read(desk, QUEUE)


def test_who_only_reads_orders_is_offered_no_step(still: Desk) -> None:
    still.sign_in(Role.COLLECTOR)

    page = read(still, f"{QUEUE}/1")

    assert f'action="{QUEUE}/1/' not in page
    assert still.send(f"{QUEUE}/1/ask", {"reason": "x"}).status_code == 403


def test_a_form_of_before_a_restart_enters_nothing_and_stays_typed(still: Desk) -> None:
    still.sign_in(Role.SALES, "Sun")

    answer = still.send(f"{QUEUE}/1/ask", {"key": "1.x.y", "reason": "kept <words>"})

    assert answer.status_code == 409
    assert "kept &lt;words&gt;" in answer.text
    assert still.node.local.risk.releases.get(1).requests == ()


def test_an_order_of_a_natural_person_is_left_out_for_whom_persons_are_not(desk: Desk) -> None:
    with desk.node.local.database.write() as uow:
        uow.connection.execute(customer.update().values(kind=PERSON_KIND))
    desk.sign_in(Role.SALES)
    assert "SO-1" not in read(desk, QUEUE)
    assert desk.client.get(f"{QUEUE}/1").status_code == 403
    desk.sign_in(Role.COLLECTOR)
    assert "SO-1" in read(desk, QUEUE)
