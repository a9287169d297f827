"""What becomes of promises, defaults and merges when records go and relations are closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.records.archiving import CustomerArchivedError
from node.records.customers import CustomerService
from node.records.horizon import RecordsGoneError
from node.records.rules_ageing import AgeingBase
from node.records.rules_default import EvidenceClass
from node.records.undertakings import DefaultService, NewPromise, PromiseService
from tests.support.ledgers import OLDEST, TODAY, House

SETTLED = date(2021, 3, 15)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def promises(house: House) -> PromiseService:
    return PromiseService(database=house.database, clock=house.clock, business_date=TODAY)


@pytest.fixture
def customers(house: House) -> CustomerService:
    return CustomerService(database=house.database, clock=house.clock, business_date=TODAY)


def promise(promises: PromiseService, customer_id: int, *items: int) -> int:
    made = NewPromise(
        customer_id=customer_id,
        item_ids=items,
        amount_minor=100,
        promised_on=date(2021, 2, 2),
        due_on=date(2021, 3, 1),
    )
    return promises.enter(made, by="li")


def settle(house: House, number: str = "R1") -> int:
    (key,) = house.invoice(number, (date(2021, 2, 1), 300), on=date(2021, 1, 1))
    house.credit(f"P-{number}", 300, on=SETTLED, allocate=OLDEST)
    return key


def test_a_promise_goes_with_the_first_of_its_items(house: House, promises: PromiseService) -> None:
    old = settle(house)
    (young,) = house.invoice("R2", (date(2026, 2, 1), 500))
    promise(promises, house.customer_id, old, young)
    promise(promises, house.customer_id, young)

    assert house.lifecycle.expire(by="zhang").items == 2

    (left,) = promises.report(house.customer_id, as_of=TODAY).promises
    assert left.promise.amount_minor == 100
    assert house.ledger.tell_item(young).open_minor == 500


def test_nothing_is_promised_or_proposed_in_a_closed_relation(
    house: House, promises: PromiseService
) -> None:
    key = settle(house)
    house.lifecycle.archive(house.customer_id, reason="sold", by="li")
    defaults = DefaultService(database=house.database, clock=house.clock, business_date=TODAY)

    with pytest.raises(CustomerArchivedError):
        promise(promises, house.customer_id, key)
    with pytest.raises(CustomerArchivedError):
        defaults.propose(
            house.customer_id,
            evidence_class=EvidenceClass.COURT,
            on=SETTLED,
            document_sha256_hex="ab" * 32,
            by="li",
        )


def test_a_merge_in_a_closed_relation_is_not_taken_back(
    house: House, customers: CustomerService
) -> None:
    other = house.add_customer("C2")
    customers.merge(other, into_id=house.customer_id, reason="one", by="li")
    house.lifecycle.archive(house.customer_id, reason="sold", by="li")

    with pytest.raises(CustomerArchivedError):
        customers.unmerge(other, reason="two", by="li")


def test_after_a_merge_is_taken_back_both_are_looked_through_and_both_know_what_is_gone(
    house: House, customers: CustomerService
) -> None:
    other = house.add_customer("C2")
    settle(house)
    customers.merge(other, into_id=house.customer_id, reason="one", by="li")
    assert house.lifecycle.expire(by="zhang").items == 2
    customers.unmerge(other, reason="two", by="li")

    for key in (house.customer_id, other):
        with pytest.raises(RecordsGoneError):
            house.records.ageing(key, base=AgeingBase.DUE, as_of=date(2021, 2, 1))


def test_a_customer_that_was_merged_once_is_looked_through_again(
    house: House, customers: CustomerService
) -> None:
    other = house.add_customer("C2")
    customers.merge(other, into_id=house.customer_id, reason="one", by="li")
    customers.unmerge(other, reason="two", by="li")
    house.customer_id, first = other, house.customer_id
    settle(house)

    assert house.lifecycle.expire(by="zhang").items == 2
    assert first != other
