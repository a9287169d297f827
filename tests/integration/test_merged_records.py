"""What goes to, and comes from, a customer that turned out to be another one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event, update

from node.records.customers import CustomerService, GroupInvalidError
from node.records.errors import MergeInvalidError
from node.records.tables import customer
from tests.support.ledgers import OLDEST, TODAY, House

BY = "li"
JANUARY = date(2026, 1, 31)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def customers(house: House) -> CustomerService:
    return CustomerService(database=house.database, clock=house.clock, business_date=TODAY)


@pytest.fixture
def merged_id(house: House, customers: CustomerService) -> int:
    other = house.add_customer("C2")
    house.invoice("A1", (JANUARY, 500))
    customers.merge(other, into_id=house.customer_id, reason="one", by=BY)
    return other


def test_a_credit_under_the_old_key_pays_for_what_the_other_one_owes(
    house: House, merged_id: int
) -> None:
    key = house.credit("P1", 200, on=JANUARY, customer_id=merged_id, allocate=OLDEST)

    story = house.ledger.tell_item(key)
    assert (story.item.customer_id, story.open_minor) == (house.customer_id, 0)
    assert house.age() == {"31-60": 300}


def test_a_bill_under_the_old_key_is_received_and_comes_back(house: House, merged_id: int) -> None:
    staying, house.customer_id = house.customer_id, merged_id
    bill = house.bill("W1", 500, on=JANUARY, matures_on=date(2026, 8, 1))
    house.customer_id = staying
    assert house.age() == {"not_due": 500}

    house.ledger.dishonour_bill(bill, on=date(2026, 3, 1), by=BY)

    assert house.age() == {"31-60": 500}


def test_the_old_key_reads_what_stays_and_as_known_before_what_was(
    house: House, customers: CustomerService
) -> None:
    other, staying = house.add_customer("C2"), house.customer_id
    house.customer_id = other
    house.invoice("B1", (JANUARY, 700))
    house.clock.advance_s(60)
    before_ms = house.clock.now_ms()
    house.clock.advance_s(60)
    customers.merge(other, into_id=staying, reason="one", by=BY)

    (line,) = house.ledger.list_open(other, as_of=TODAY)
    assert (line.customer_id, line.open_minor) == (staying, 700)
    assert [one.customer_id for one in house.ledger.list_named(other, "B1")] == [staying]
    turnover = house.records.turnover(as_of=TODAY, currency="CNY", customer_id=other)
    assert turnover.receivable_minor == 700
    (now,) = house.records.ageing(other, as_of=TODAY)
    (then,) = house.records.ageing(other, as_of=TODAY, known_at_ms=before_ms)
    assert now.balance_minor == then.balance_minor == 700
    assert house.records.ageing(staying, as_of=TODAY, known_at_ms=before_ms) == []
    (line,) = house.ledger.list_open(other, as_of=TODAY, known_at_ms=before_ms)
    assert line.customer_id == other
    named = house.records.get_named_customer("sim:C2", known_at_ms=before_ms)
    assert named.customer_id == other
    assert house.records.get_named_customer("sim:C2").customer_id == staying


def test_a_merge_takes_as_many_statements_for_many_items_as_for_few(
    house: House, customers: CustomerService
) -> None:
    # The node answers nobody while it writes.
    counts = []
    staying = house.customer_id
    for name, items in (("C2", 3), ("C3", 40)):
        house.customer_id = house.add_customer(name)
        for number in range(items):
            house.invoice(f"{name}-{number}", (JANUARY, 500))
            house.credit(f"{name}-P{number}", 500, on=JANUARY, allocate=OLDEST)
        statements: list[str] = []

        def note(*arguments: object, into: list[str] = statements) -> None:
            into.append(str(arguments[2]))

        event.listen(house.database.engine, "before_cursor_execute", note)
        customers.merge(house.customer_id, into_id=staying, reason="one", by=BY)
        event.remove(house.database.engine, "before_cursor_execute", note)
        counts.append(len(statements))

    assert counts[0] == counts[1]
    assert house.records.compare_behaviour() == []


def test_a_company_is_not_merged_with_a_person(house: House, customers: CustomerService) -> None:
    person = house.add_customer("C2")
    with house.database.write() as uow:
        uow.connection.execute(
            update(customer).where(customer.c.id == person).values(kind="person")
        )

    for one, other in ((person, house.customer_id), (house.customer_id, person)):
        with pytest.raises(MergeInvalidError, match="kind"):
            customers.merge(one, into_id=other, reason="one", by=BY)


def test_a_group_is_never_deeper_than_can_be_shown(
    house: House, customers: CustomerService
) -> None:
    lower = [house.add_customer(f"L{number}") for number in range(12)]
    upper = [house.add_customer(f"U{number}") for number in range(12)]
    for chain in (lower, upper):
        for child, parent in pairwise(chain):
            customers.set_parent(child, parent_id=parent, by=BY)

    with pytest.raises(GroupInvalidError, match="levels"):
        customers.set_parent(lower[-1], parent_id=upper[0], by=BY)
    customers.set_parent(lower[-1], parent_id=upper[4], by=BY)

    assert len(customers.get_card(lower[0]).group) == 20
