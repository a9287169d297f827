"""A promise to pay is judged by what is applied to its items, and comes out again as known then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.records.api_undertakings import build_undertakings_router
from node.records.customers import CustomerService
from node.records.errors import CustomerNotFoundError, ReportInvalidError
from node.records.ledger import Correction, ItemNotFoundError
from node.records.rules_ledger import ItemKind
from node.records.undertakings import (
    DefaultService,
    NewPromise,
    PromiseInvalidError,
    PromiseNotFoundError,
    PromiseService,
)
from tests.support.ledgers import OLDEST, TODAY, House
from tests.support.places import call, check

MADE, DUE = date(2026, 3, 2), date(2026, 3, 27)
LONG_AGO = date(2026, 1, 5)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def promises(house: House) -> PromiseService:
    return PromiseService(database=house.database, clock=house.clock, business_date=TODAY)


def enter(
    house: House, promises: PromiseService, *item_ids: int, minor: int = 1_000, due: date = DUE
) -> int:
    promise = NewPromise(
        customer_id=house.customer_id,
        item_ids=item_ids,
        amount_minor=minor,
        promised_on=MADE,
        due_on=due,
    )
    return promises.enter(promise, by="li")


def judge(
    promises: PromiseService,
    customer_id: int,
    *,
    as_of: date = TODAY,
    known_at_ms: int | None = None,
) -> list[tuple[str, int]]:
    report = promises.report(customer_id, as_of=as_of, known_at_ms=known_at_ms)
    return [(one.state.value, one.kept_minor) for one in report.promises]


def test_what_pays_for_its_items_keeps_it_and_what_pays_for_others_does_not(
    house: House, promises: PromiseService
) -> None:
    (other,) = house.invoice("A0", (date(2026, 1, 10), 300), on=LONG_AGO)
    (item,) = house.invoice("A1", (date(2026, 1, 20), 1_000), on=LONG_AGO)
    enter(house, promises, item)
    house.credit("P1", 500, on=date(2026, 3, 10), allocate=OLDEST)  # 300 go to the older one
    house.credit("N1", 100, on=date(2026, 3, 11), kind=ItemKind.CREDIT_NOTE, allocate=OLDEST)
    assert judge(promises, house.customer_id) == [("partly-kept", 200)]
    assert judge(promises, house.customer_id, as_of=DUE) == [("open", 200)]
    assert judge(promises, house.customer_id, as_of=MADE - timedelta(days=1)) == []
    enter(house, promises, other, minor=300)
    assert judge(promises, house.customer_id)[1] == ("kept", 300)


def test_a_correction_and_a_merge_move_it_along_and_what_was_known_comes_out_again(
    house: House, promises: PromiseService
) -> None:
    (item,) = house.invoice("A1", (date(2026, 1, 20), 1_000), on=LONG_AGO)
    enter(house, promises, item)
    house.clock.advance_s(60)
    first_ms = house.clock.now_ms()
    house.clock.advance_s(60)
    house.credit("P1", 1_000, on=date(2026, 3, 20), allocate=OLDEST)
    house.ledger.correct_item(item, Correction(reason="x", due_on=date(2026, 2, 1)), by="li")
    other, old = house.add_customer("C2"), house.customer_id
    customers = CustomerService(database=house.database, clock=house.clock, business_date=TODAY)
    house.clock.advance_s(60)
    customers.merge(old, into_id=other, reason="one", by="li")

    assert judge(promises, other) == [("kept", 1_000)]
    assert judge(promises, old, known_at_ms=first_ms) == [("broken", 0)]
    assert judge(promises, other, known_at_ms=first_ms) == []
    customers.unmerge(old, reason="two", by="li")
    assert judge(promises, other) == []
    assert judge(promises, old) == [("kept", 1_000)]


def test_a_bill_that_comes_back_has_kept_nothing(house: House, promises: PromiseService) -> None:
    (item,) = house.invoice("A1", (date(2026, 1, 20), 1_000), on=LONG_AGO)
    enter(house, promises, item)
    bill = house.bill("W1", 1_000, on=date(2026, 3, 20), matures_on=date(2026, 3, 29))
    house.ledger.dishonour_bill(bill, on=date(2026, 3, 30), by="li")

    assert judge(promises, house.customer_id, as_of=date(2026, 3, 29)) == [("kept", 1_000)]
    assert judge(promises, house.customer_id) == [("broken", 0)]
    assert promises.report(house.customer_id, as_of=TODAY).broken == 1


def test_one_that_is_withdrawn_is_not_counted_and_was_known_before(
    house: House, promises: PromiseService
) -> None:
    (item,) = house.invoice("A1", (date(2026, 1, 20), 1_000), on=LONG_AGO)
    key = enter(house, promises, item)
    before_ms = house.clock.now_ms()
    house.clock.advance_s(60)

    promises.withdraw(key, reason="typed wrong", by="wang")

    assert judge(promises, house.customer_id) == [("withdrawn", 0)]
    assert judge(promises, house.customer_id, known_at_ms=before_ms) == [("broken", 0)]
    assert promises.report(house.customer_id, as_of=TODAY).broken == 0
    for unknown in (key, 0, 99, 1 << 70):
        with pytest.raises(PromiseNotFoundError):
            promises.withdraw(unknown, reason="x", by="wang")


def test_what_makes_no_sense_is_refused(house: House, promises: PromiseService) -> None:
    (item,) = house.invoice("A1", (date(2026, 1, 20), 1_000), on=LONG_AGO)
    credit = house.credit("P1", 10, on=LONG_AGO)
    own, house.customer_id = house.customer_id, house.add_customer("C2")
    (foreign,) = house.invoice("B1", (date(2026, 1, 20), 1_000), on=LONG_AGO)
    house.customer_id = own
    for ids, minor, due in (
        ((), 10, DUE),
        (tuple(range(1, 200)), 10, DUE),
        ((foreign,), 10, DUE),
        ((item, foreign), 10, DUE),
        ((credit,), 10, DUE),
        ((item,), 0, DUE),
        ((item, item), 1_001, DUE),
        ((item,), 10, MADE - timedelta(days=1)),
    ):
        with pytest.raises(PromiseInvalidError):
            enter(house, promises, *ids, minor=minor, due=due)
    house.ledger.cancel_item(item, reason="x", by="li")
    for gone in (item, 99):
        with pytest.raises(ItemNotFoundError):
            enter(house, promises, gone)
    with pytest.raises(CustomerNotFoundError):
        promises.report(99, as_of=TODAY)
    with pytest.raises(ReportInvalidError):
        promises.report(own, as_of=date(9999, 1, 1))


def test_the_commands_do_the_same(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    check(call("init", "--home", home, "--member-id", "acme.example"))
    check(call("--home", home, "customer", "add", "sim:A", "A"))

    def run(*arguments: str) -> str:
        return check(call("--home", home, "ledger", *arguments))

    day, by = "2026-03-02", ("--by", "li")
    run("invoice", "1", "A1", "--currency", "CNY", "--due", "2026-01-20=10", "--on", day, *by)
    due = ("--due", "2026-03-27")
    run("promise", "enter", "1", "10.00", *due, "--item", "1", "--on", day, *by)
    run("promise", "enter", "1", "5", *due, "--item", "1", "--on", day, *by)
    run("promise", "withdraw", "2", "--reason", "typed wrong", *by)
    shown = run("promise", "list", "1", "--as-of", "2026-03-31")
    assert "broken" in shown
    assert "withdrawn" in shown
    assert "broken in the last 365 days: 1" in shown
    report = json.loads(run("promise", "list", "1", "--as-of", "2026-03-27", "--json"))
    assert [one["state"] for one in report["promises"]] == ["open", "withdrawn"]


def test_an_erp_enters_and_reads_them(house: House, promises: PromiseService) -> None:
    (item,) = house.invoice("A1", (date(2026, 1, 20), 1_000), on=LONG_AGO)
    defaults = DefaultService(database=house.database, clock=house.clock, business_date=TODAY)
    app = FastAPI(exception_handlers={NodeError: handle_error})
    app.include_router(build_undertakings_router(defaults, promises, today=lambda: TODAY))
    http = TestClient(app)
    path = f"/customers/{house.customer_id}/promises"
    body = {
        "by": "li",
        "items": [item],
        "amount_minor": 500,
        "promised_on": "2026-03-02",
        "due_on": "2026-03-27",
    }

    key = http.post(path, json=body).json()["id"]
    assert http.get(path).json()["broken"] == 1
    assert http.get(path, params={"as_of": "2026-03-27"}).json()["broken"] == 0
    end = {"by": "li", "reason": "new plan"}
    assert http.post(f"/promises/{key}/withdrawal", json=end).status_code == 204
    assert http.post(f"/promises/{key}/withdrawal", json=end).status_code == 404
    assert http.post(path, json=body | {"amount_minor": 5_000}).json()["code"] == "promise-invalid"
