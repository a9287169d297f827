"""Pages of exposure, limits and stops: figures, forms, four eyes, and what stays typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.risk.limits.rules_limits import LimitState
from tests.support.console_people import Desk, close_desk, open_desk, read
from tests.support.risk_pages import ask_limit, find_key, give_limit, invoice, order

ASKED = {
    "kind": "temporary",
    "amount": "9,000.00",
    "currency": "eur",
    "first_on": "2026-06-01",
    "last_on": "2026-08-31",
    "reason": "the <summer>",
}


@contextmanager
def open_furnished(home: Path, closed: Path) -> Iterator[Desk]:
    """A customer with a limit of 5,000, who owes 4,500 and has 400 on order."""
    desk = open_desk(home, like=closed)
    give_limit(desk.node, desk.customer_id, 500_000)
    invoice(desk.node, desk.customer_id, "R1", 450_000, due_on=date(2026, 7, 15))
    order(desk.node, desk.customer_id, "SO-1", 40_000)
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


def page_of(desk: Desk) -> str:
    return f"{desk.home}/limits"


def send(desk: Desk, path: str, **typed: str) -> tuple[int, str]:
    key = find_key(read(desk, page_of(desk)))
    answer = desk.send(path, {"key": key} | typed)
    return answer.status_code, str(answer.text)


def entries(desk: Desk) -> dict[int, LimitState]:
    view = desk.node.local.risk.limits.view(desk.customer_id)
    return {one.entry_id: one.state_on(view.as_of) for one in view.entries}


def test_the_page_shows_parts_total_limit_and_how_much_of_it_is_used(still: Desk) -> None:
    still.sign_in(Role.ANALYST)

    page = read(still, page_of(still))

    for words in ("400.00", "4,500.00", "4,900.00", "5,000.00", "98.0 %", "chart-usage"):
        assert words in page, words
    assert "98.0 %" in read(still, page_of(still), "zh")
    early = read(still, page_of(still), as_of="2026-06-14")
    assert "4,900.00" not in early  # the invoice is of the 15th, the order of the 30th
    assert "as of 2026-06-14" in early


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"as_of": "2026-02-30"}, "There is no report of this day."),
        ({"as_of": "1850-01-01"}, "There is no report of this day."),
        ({"currency": "E1"}, "three capitals"),
    ],
)
def test_a_day_or_currency_that_is_none_is_said(
    still: Desk, query: dict[str, str], said: str
) -> None:
    still.sign_in(Role.ANALYST)

    assert said in read(still, page_of(still), **query)


def test_the_group_is_added_up_against_its_cap(desk: Desk) -> None:
    local = desk.node.local
    child = local.records.add_customer(scheme="sim", value="C2", name="Hongda Süd", country="DE")
    local.customers.set_parent(child.customer_id, parent_id=desk.customer_id, by="x")
    invoice(desk.node, child.customer_id, "R2", 100_000, due_on=date(2026, 7, 15))
    desk.sign_in(Role.ANALYST)

    page = read(desk, page_of(desk))

    assert "Exposure to the group" in page
    assert "5,900.00" in page
    assert f'href="/console/customers/{child.customer_id}/limits">Hongda Süd' in page
    assert "The group has no cap." in page


def test_a_limit_is_asked_for_by_one_and_approved_by_others(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST, "Zhang")
    assert send(desk, page_of(desk), **ASKED)[0] == 303
    assert entries(desk) == {1: LimitState.REQUESTED}
    assert "Hongda" in read(desk, "/console/limits")
    status, page = send(desk, "/console/limits/1/approve")
    assert (status, "does not approve it" in page) == (403, True)

    for role, name in ((Role.CREDIT_MANAGER, "Wang"), (Role.CFO, "Qian")):
        assert entries(desk) == {1: LimitState.REQUESTED}
        desk.sign_in(role, name)
        assert send(desk, "/console/limits/1/approve")[0] == 303

    assert entries(desk) == {1: LimitState.IN_FORCE}
    page = read(desk, page_of(desk))
    assert "9,000.00" in page
    assert "then again EUR\N{NO-BREAK SPACE}5,000.00" in page
    assert "the &lt;summer&gt;" in page
    assert "No limit waits" in read(desk, "/console/limits")


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"amount": ""}, 422, "This is needed."),
        ({"amount": "1.234"}, 422, "1.234"),
        ({"currency": "E"}, 422, "three letters"),
        ({"first_on": "soon"}, 422, "A day is written"),
        ({"last_on": ""}, 422, "This is needed."),
        ({"last_on": "2026-05-01"}, 422, "breaks a rule"),
        ({"kind": "permanent"}, 422, "Choose one of them."),
        ({"reason": ""}, 422, "This is needed."),
    ],
)
def test_a_wrong_request_is_shown_again_with_what_was_typed(
    still: Desk, typed: dict[str, str], status: int, said: str
) -> None:
    still.sign_in(Role.ANALYST, "Zhang")
    form = ASKED | typed

    found, page = send(still, page_of(still), **form)

    assert found == status
    assert said in page
    for name in ("amount", "currency", "first_on"):
        assert f'value="{form[name]}"' in page, name
    if form["reason"]:
        assert "the &lt;summer&gt;" in page
    assert entries(still) == {}


def test_a_limit_of_nothing_means_prepayment(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST, "Zhang")

    assert send(desk, page_of(desk), **ASKED | {"amount": "0"})[0] == 303

    (entry,) = desk.node.local.risk.limits.view(desk.customer_id).entries
    assert entry.amount_minor == 0


def test_a_request_is_withdrawn_and_sent_twice_it_is_one(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST, "Zhang")
    key = find_key(read(desk, page_of(desk)))
    for _ in range(2):
        assert desk.send(page_of(desk), {"key": key} | ASKED).status_code == 303
    assert len(entries(desk)) == 1

    assert send(desk, "/console/limits/1/end", reason="")[0] == 422
    assert send(desk, "/console/limits/1/end", reason="not needed")[0] == 303

    assert entries(desk) == {1: LimitState.ENDED}
    assert send(desk, "/console/limits/1/end", reason="again")[0] == 409


def test_a_stop_is_entered_by_one_and_ended_by_others(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST, "Zhang")
    assert send(desk, f"{desk.home}/stop", reason="")[0] == 422
    assert send(desk, f"{desk.home}/stop", reason="bank <rumours>")[0] == 303
    page = read(desk, page_of(desk))
    assert "Stopped since 2026-06-30 by Zhang: bank &lt;rumours&gt;" in page
    assert send(desk, "/console/stops/1/end", reason="I was wrong")[0] == 403

    for role, name in ((Role.CREDIT_MANAGER, "Wang"), (Role.CFO, "Qian")):
        desk.sign_in(role, name)
        assert send(desk, "/console/stops/1/end", reason="they paid")[0] == 303

    assert "Stopped since" not in read(desk, page_of(desk))


def test_who_does_not_reach_credit_sees_neither_page_nor_queue(desk: Desk) -> None:
    ask_limit(desk.node, desk.customer_id, 900_000)
    for role in (Role.SALES, Role.COLLECTOR, Role.STEWARD):
        desk.sign_in(role)
        for path in (page_of(desk), "/console/limits"):
            assert desk.client.get(path).status_code == 403, (role, path)
        for path in (page_of(desk), f"{desk.home}/stop", "/console/limits/1/approve"):
            assert desk.send(path, ASKED).status_code == 403, (role, path)
    assert entries(desk) == {1: LimitState.REQUESTED}


def test_what_is_not_there_is_not_found(still: Desk) -> None:
    still.sign_in(Role.CREDIT_MANAGER)
    for path in ("/console/limits/99/approve", "/console/limits/x/end", "/console/stops/9/end"):
        assert still.send(path, {"reason": "x"}).status_code == 404, path
