"""Pages of provisions: runs, matrix, movement, who is behind a run, customers apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from tests.support.console_people import Desk, close_desk, open_desk, read
from tests.support.risk_pages import find_key, invoice

RUNS = "/console/provisions"
APART = "/console/provisions-apart"


@contextmanager
def open_furnished(home: Path, closed: Path) -> Iterator[Desk]:
    """Two customers with odd amounts in three buckets, provided for in May and in June."""
    desk = open_desk(home, like=closed)
    other = desk.node.local.records.add_customer(scheme="sim", value="C2", name="B", country="DE")
    for number, (key, minor, due_on) in enumerate(
        (
            (desk.customer_id, 300_033, date(2026, 4, 15)),
            (desk.customer_id, 150_017, date(2026, 6, 10)),
            (other.customer_id, 70_007, date(2026, 4, 20)),
            (other.customer_id, 99_999, date(2026, 7, 20)),
        )
    ):
        invoice(desk.node, key, f"R{number}", minor, due_on=due_on)
    desk.node.local.losses.provisions.run(by="Zhang", as_of=date(2026, 5, 31))
    desk.node.local.losses.provisions.run(by="Zhang")
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


def send(desk: Desk, path: str, **typed: str) -> tuple[int, str]:
    answer = desk.send(path, {"key": find_key(read(desk, RUNS))} | typed)
    return answer.status_code, str(answer.text)


def test_customers_add_up_to_the_lines_of_a_run(still: Desk) -> None:
    losses = still.node.local.losses
    run = losses.provisions.get_run(2)

    shares = losses.explainer.list_largest(2, limit=10)

    assert [one.customer_id for one in shares] == [1, 2]
    assert sum(one.balance_minor for one in shares) == run.content.balance_minor
    for line in run.content.lines:
        parts = [
            each for one in shares for each in one.lines if each.line.upto_days == line.upto_days
        ]
        assert sum(one.balance_minor for one in parts) == line.balance_minor
        off = sum(one.allowance_minor for one in parts) - line.allowance_minor
        assert abs(off) <= len(parts)  # each customer is rounded by itself
    assert losses.explainer.explain(2, 2) == shares[1]


def test_a_run_shows_its_matrix_stages_and_movement(still: Desk) -> None:
    still.sign_in(Role.ANALYST)
    run = still.node.local.losses.provisions.get_run(2).content

    page = read(still, f"{RUNS}/2")

    assert f"{run.balance_minor // 100:,}.{run.balance_minor % 100:02}" in page
    assert "61-90" in page
    assert "chart-usage" in page
    movement = page.partition('id="movement"')[2]
    assert f'href="{RUNS}/1">2026-05-31' in movement
    assert "准备变动表" in read(still, f"{RUNS}/2", "zh")
    first = read(still, f"{RUNS}/1")
    assert "2026-05-31" in first
    csv = still.client.get(f"{RUNS}/2/movement.csv")
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert csv.text.splitlines()[0].startswith("line,currency,amount")


def test_a_movement_that_cannot_be_told_is_said_and_the_run_is_shown(still: Desk) -> None:
    still.sign_in(Role.ANALYST)

    for query, said in (
        ({"currency": "USD"}, "There is no rate of that day."),
        ({"opening": "2"}, "A day, share or reason is wrong."),
        ({"opening": "99"}, "There is no such run."),
    ):
        page = read(still, f"{RUNS}/2", **query)
        assert said in page, query
        assert "61-90" in page


def test_a_customers_page_shows_its_buckets_and_rates(still: Desk) -> None:
    still.sign_in(Role.ANALYST)

    page = read(still, f"{RUNS}/2/customers/1")

    for words in ("Hongda", "61-90", "3,000.33", "1-30", "1,500.17"):
        assert words in page, words
    assert "999.99" not in page
    assert still.client.get(f"{RUNS}/2/customers/99").status_code == 404
    assert still.client.get(f"{RUNS}/9/customers/1").status_code == 404


def test_a_run_is_started_for_a_day_and_a_wrong_day_stays_typed(desk: Desk) -> None:
    provisions = desk.node.local.losses.provisions
    desk.sign_in(Role.ANALYST, "Zhang")
    for day in ("2026-07-01", "once"):
        status, page = send(desk, RUNS, as_of=day)
        assert (status, f'value="{day}"' in page) == (422, True)

    assert send(desk, RUNS, as_of="2026-06-15")[0] == 303

    assert provisions.list_runs()[0].content.as_of == date(2026, 6, 15)
    assert send(desk, RUNS, as_of="2026-06-15")[0] == 303
    assert len(provisions.list_runs()) == 3  # with nothing new it is the same run


def test_a_customer_is_set_apart_and_put_back(desk: Desk) -> None:
    form = {"customer": "sim:C2", "rate": "62,5", "from_on": "", "reason": "its <bank> left"}
    desk.sign_in(Role.ANALYST, "Zhang")
    for typed, said in (
        ({"customer": "sim:NOBODY"}, "There is no such customer."),
        ({"rate": "101"}, "A share is 0 to 100"),
        ({"rate": "many"}, "A share is 0 to 100"),
        ({"from_on": "2026-07-01"}, "A day, share or reason is wrong."),
        ({"reason": ""}, "This is needed."),
    ):
        status, page = send(desk, APART, **form | typed)
        assert (status, said in page) == (422, True), typed
        assert f'value="{(form | typed)["customer"]}"' in page
    assert send(desk, APART, **form)[0] == 303
    (entry,) = desk.node.local.losses.provisions.list_apart()
    assert (entry.customer_id, entry.rate_ppm) == (2, 625_000)
    page = read(desk, RUNS)
    assert "62.5 %" in page
    assert "its &lt;bank&gt; left" in page
    assert send(desk, APART, **form)[0] == 409
    assert send(desk, RUNS, as_of="2026-06-30")[0] == 303
    assert "looked at apart" in read(desk, f"{RUNS}/3")

    assert send(desk, f"{APART}/1/end", reason="")[0] == 422
    assert send(desk, f"{APART}/1/end", reason="paid")[0] == 303

    assert desk.node.local.losses.provisions.list_apart()[0].ended_by == "Zhang"


def test_who_does_not_reach_credit_sees_nothing_of_it(still: Desk) -> None:
    for role in (Role.SALES, Role.COLLECTOR):
        still.sign_in(role)
        for path in (RUNS, f"{RUNS}/1", f"{RUNS}/1/movement.csv", f"{RUNS}/1/customers"):
            assert still.client.get(path).status_code == 403, path
        for path in (RUNS, APART, f"{APART}/1/end"):
            assert still.send(path, {"reason": "x"}).status_code == 403, path


def test_a_natural_person_is_in_the_sums_and_not_named(desk: Desk) -> None:
    with desk.node.local.database.write() as uow:
        rows = customer.update().where(customer.c.id == 2).values(kind=PERSON_KIND, name="Frau B")
        uow.connection.execute(rows)
    desk.sign_in(Role.ANALYST)

    page = read(desk, f"{RUNS}/2/customers")

    assert "Frau B" not in page
    assert "Hongda" in page
    assert desk.client.get(f"{RUNS}/2/customers/2").status_code == 403
    form = {"customer": "2", "rate": "50", "reason": "x"}
    status, page = send(desk, APART, **form)
    assert (status, "There is no such customer." in page) == (422, True)
