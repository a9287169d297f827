"""A merge that was wrong is taken back: what it moved returns, what was entered since stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from node.core.database import Database
from node.core.errors import NodeError
from node.core.migrations import build_config, upgrade_database
from node.records.customers import CustomerService, MergeNotFoundError
from node.records.errors import MergeInvalidError
from node.records.ledger import Correction, ItemNotFoundError
from node.records.rules_ledger import ItemKind
from tests.support.ledgers import OLDEST, TODAY, House
from tests.support.stores import store_url

BY = "li"
JANUARY = date(2026, 1, 31)
MARCH = date(2026, 3, 1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def customers(house: House) -> CustomerService:
    return CustomerService(database=house.database, clock=house.clock, business_date=TODAY)


@pytest.fixture
def other(house: House) -> int:
    """A second customer that owes the document B1, of 700."""
    staying, house.customer_id = house.customer_id, house.add_customer("C2")
    house.invoice("B1", (JANUARY, 700))
    other, house.customer_id = house.customer_id, staying
    return other


def merge(house: House, customers: CustomerService, other: int) -> None:
    house.clock.advance_s(60)
    customers.merge(other, into_id=house.customer_id, reason="one", by=BY)
    house.clock.advance_s(60)


def find(house: House, customer_id: int, number: str) -> int:
    """Return the key of the item of a document that counts."""
    lines = house.ledger.list_named(customer_id, number)
    return lines[0].item_id


def balance(house: House, customer_id: int, *, known_at_ms: int | None = None) -> int:
    ageings = house.records.ageing(customer_id, as_of=TODAY, known_at_ms=known_at_ms)
    for one in ageings:
        assert sum(one.buckets.values()) - one.unapplied_minor == one.balance_minor
    return sum(one.balance_minor for one in ageings)


def test_what_the_merge_moved_goes_back_and_what_came_since_stays(
    house: House, customers: CustomerService, other: int
) -> None:
    house.invoice("A1", (JANUARY, 500))
    merge(house, customers, other)
    house.ledger.correct_item(
        find(house, house.customer_id, "B1"),
        Correction(reason="price", amount_minor=650),
        by=BY,
    )
    house.invoice("A2", (JANUARY, 30))
    house.clock.advance_s(60)
    merged_at_ms = house.clock.now_ms()
    house.clock.advance_s(60)

    done = customers.unmerge(other, reason="two companies", by="zhao")

    assert (done.items, done.unapplied) == (1, 0)
    assert (balance(house, other), balance(house, house.customer_id)) == (650, 530)
    assert balance(house, house.customer_id, known_at_ms=merged_at_ms) == 1_180
    assert balance(house, other, known_at_ms=merged_at_ms) == 1_180
    assert house.records.get_named_customer("sim:C2").customer_id == other
    assert house.records.count_customers() == 2
    assert house.records.compare_behaviour() == []
    (row,) = customers.get_card(other).taken_back
    assert (row.ended_by, row.end_reason) == ("zhao", "two companies")
    assert customers.get_card(house.customer_id).merged == ()
    with pytest.raises(MergeNotFoundError):
        customers.unmerge(other, reason="again", by=BY)
    merge(house, customers, other)
    assert balance(house, house.customer_id) == 1_180


def test_a_payment_entered_since_stays_and_pays_no_more_for_what_goes(
    house: House, customers: CustomerService, other: int
) -> None:
    merge(house, customers, other)
    house.credit("P1", 700, on=JANUARY, allocate=OLDEST)

    assert customers.unmerge(other, reason="two", by=BY).unapplied == 1

    assert (balance(house, other), balance(house, house.customer_id)) == (700, -700)
    assert house.age() == {"unapplied": 700}


def test_an_item_that_is_named_goes_along_and_what_is_applied_stays_applied(
    house: House, customers: CustomerService, other: int
) -> None:
    merge(house, customers, other)
    key = house.credit("P1", 600, on=JANUARY, allocate=OLDEST)

    done = customers.unmerge(other, reason="two", by=BY, also=[key])

    assert (done.items, done.unapplied) == (2, 0)
    assert (balance(house, other), balance(house, house.customer_id)) == (100, 0)
    merge(house, customers, other)
    with pytest.raises(ItemNotFoundError):
        customers.unmerge(other, reason="two", by=BY, also=[key])


def test_what_became_of_a_bill_goes_with_the_bill(house: House, customers: CustomerService) -> None:
    staying, house.customer_id = house.customer_id, house.add_customer("C2")
    other = house.customer_id
    house.invoice("B1", (JANUARY, 500))
    house.bill("W1", 500, on=JANUARY, matures_on=date(2026, 8, 1))
    house.customer_id = staying
    merge(house, customers, other)
    bill = next(
        line.item_id
        for line in house.ledger.list_named(staying, "W1")
        if line.kind is ItemKind.BILL
    )
    house.ledger.pass_on_bill(bill, kind=ItemKind.BILL_ENDORSED, on=MARCH, by=BY)
    house.ledger.dishonour_bill(bill, on=date(2026, 3, 15), by=BY)

    customers.unmerge(other, reason="two", by=BY)

    assert (balance(house, other), balance(house, staying)) == (500, 0)
    assert (
        house.records.ageing(staying, as_of=TODAY)[0].unapplied_minor == 0
        if (house.records.ageing(staying, as_of=TODAY))
        else True
    )
    kinds = {line.kind for line in house.ledger.list_named(other, "W1")}
    assert kinds >= {ItemKind.BILL, ItemKind.RECOURSE, ItemKind.BILL_ENDORSED}


def test_a_write_off_goes_with_what_it_writes_off_and_one_of_both_is_in_the_way(
    house: House, customers: CustomerService, other: int
) -> None:
    house.invoice("A1", (JANUARY, 500))
    merge(house, customers, other)
    keys = [find(house, house.customer_id, number) for number in ("A1", "B1")]
    both = house.ledger.write_off(keys, reference="W1", on=MARCH, by=BY)

    with pytest.raises(MergeInvalidError, match="reinstate"):
        customers.unmerge(other, reason="two", by=BY)
    house.ledger.reverse_write_off(both, amount_minor=1_200, reference="R1", on=MARCH, by=BY)
    assert balance(house, house.customer_id) == 1_200

    customers.unmerge(other, reason="two", by=BY)
    assert (balance(house, other), balance(house, house.customer_id)) == (700, 500)
    assert house.records.compare_behaviour() == []


def test_a_write_off_and_what_is_owed_again_of_it_go_along(
    house: House, customers: CustomerService, other: int
) -> None:
    merge(house, customers, other)
    key = house.ledger.write_off(
        [find(house, house.customer_id, "B1")], reference="W1", on=MARCH, by=BY
    )
    house.ledger.reverse_write_off(key, amount_minor=200, reference="R1", on=MARCH, by=BY)

    customers.unmerge(other, reason="two", by=BY)

    assert (balance(house, other), balance(house, house.customer_id)) == (200, 0)


def test_a_later_merge_is_taken_back_first(
    house: House, customers: CustomerService, other: int
) -> None:
    third = house.add_customer("C3")
    merge(house, customers, other)
    customers.merge(house.customer_id, into_id=third, reason="one", by=BY)

    with pytest.raises(MergeInvalidError, match="first"):
        customers.unmerge(other, reason="two", by=BY)
    customers.unmerge(house.customer_id, reason="two", by=BY)
    customers.unmerge(other, reason="two", by=BY)

    assert [balance(house, one) for one in (other, house.customer_id, third)] == [700, 0, 0]


def test_the_group_that_the_merge_ended_is_entered_again_where_it_still_can_be(
    house: House, customers: CustomerService, other: int
) -> None:
    parent, child, taken = (house.add_customer(name) for name in ("P", "K", "T"))
    customers.set_parent(other, parent_id=parent, by=BY)
    customers.set_parent(child, parent_id=other, by=BY)
    customers.set_parent(taken, parent_id=other, by=BY)
    merge(house, customers, other)
    customers.set_parent(taken, parent_id=house.customer_id, by=BY)

    customers.unmerge(other, reason="two", by=BY)

    assert [one.customer_id for one in customers.get_card(other).group] == [parent, other, child]
    group = customers.get_card(house.customer_id).group
    assert [one.customer_id for one in group] == [house.customer_id, taken]


def test_only_a_merged_customer_is_found_by_its_own_name(
    house: House, customers: CustomerService, other: int
) -> None:
    merge(house, customers, other)

    assert [customers.find_merged(text) for text in ("sim:C2", str(other))] == [other, other]
    for text_ in ("sim:C1", "sim:none", "a\nb", "x", str(house.customer_id)):
        with pytest.raises(MergeNotFoundError):
            customers.find_merged(text_)
    for reason, by in (("", BY), ("two", "")):
        with pytest.raises(NodeError):
            customers.unmerge(other, reason=reason, by=by)


def test_merges_of_before_keep_through_the_migration_and_back(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    command.upgrade(build_config(database), "0027")
    with database.write() as uow:
        for key in (1, 2):
            uow.connection.execute(
                text("INSERT INTO customer VALUES (:key, 'sim', :key, 'x', 'CN', 'company', 7)"),
                {"key": key},
            )
        uow.connection.execute(text("INSERT INTO customer_merge VALUES (2, 1, 'one', 'li', 9)"))

    upgrade_database(database)
    with database.read() as uow:
        (row,) = uow.connection.execute(text("SELECT * FROM customer_merge"))
        assert tuple(row) == (1, 2, 1, "one", "li", 9, None, None, None)
    command.downgrade(build_config(database), "0027")
    with database.read() as uow:
        (row,) = uow.connection.execute(text("SELECT * FROM customer_merge"))
        assert tuple(row) == (2, 1, "one", "li", 9)
    database.dispose()
