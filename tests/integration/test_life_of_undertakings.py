"""What becomes of promises, defaults and merges when records go and relations are closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.records.archiving import CustomerArchivedError
from node.records.customers import CustomerService
from node.records.horizon import RecordsGoneError
from node.records.ledger import NewDebit, Term
from node.records.ledger.errors import RecordGoneError
from node.records.rules_ageing import AgeingBase
from node.records.rules_default import EvidenceClass
from node.records.rules_ledger import ItemKind
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


def test_what_was_promised_together_goes_together_and_the_promise_with_it(
    house: House, promises: PromiseService
) -> None:
    first, second = settle(house), settle(house, "R2")
    promise(promises, house.customer_id, first, second)
    (due,) = house.lifecycle.iterate_due(as_of=TODAY)
    assert due.items == 4

    assert house.lifecycle.expire(by="zhang").items == 4

    assert promises.report(house.customer_id, as_of=TODAY).promises == ()


def test_a_promise_for_what_is_open_keeps_what_it_was_given_for_as_well(
    house: House, promises: PromiseService
) -> None:
    old = settle(house)
    (young,) = house.invoice("R2", (date(2026, 2, 1), 500))
    promise(promises, house.customer_id, old, young)

    assert house.lifecycle.expire(by="zhang").items == 0

    assert len(promises.report(house.customer_id, as_of=TODAY).promises) == 1


def test_a_hold_on_who_was_merged_keeps_what_came_after_too(
    house: House, customers: CustomerService
) -> None:
    other = house.add_customer("C2")
    house.lifecycle.hold(other, basis="case 1", by="li")
    customers.merge(other, into_id=house.customer_id, reason="one", by="li")
    settle(house)

    expired = house.lifecycle.expire(by="zhang")

    assert (expired.items, expired.held) == (0, 1)


def test_what_expired_does_not_come_back_as_an_opening_balance_or_in_other_letters(
    house: House,
) -> None:
    settle(house, "r1")
    assert house.lifecycle.expire(by="zhang").items == 2

    for kind, number in ((ItemKind.OPENING, "r1"), (ItemKind.INVOICE, "R1")):
        debit = NewDebit(
            customer_id=house.customer_id,
            kind=kind,
            document_no=number,
            happened_on=date(2026, 1, 1),
            currency="CNY",
            terms=(Term(due_on=date(2026, 2, 1), amount_minor=300),),
        )
        with pytest.raises(RecordGoneError):
            house.ledger.enter_debit(debit, by="li")


def test_tied_stories_are_told_once_and_of_whom_they_are(
    house: House, customers: CustomerService
) -> None:
    other = house.add_customer("C2")
    settle(house)
    customers.merge(house.customer_id, into_id=other, reason="one", by="li")
    customers.unmerge(house.customer_id, reason="two", by="li")
    house.customer_id, first = other, house.customer_id
    settle(house, "R2")

    due = list(house.lifecycle.iterate_due(as_of=TODAY))

    assert sorted((one.customer_id, one.documents[0]) for one in due) == [
        (first, "R1"),
        (other, "R2"),
    ]


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
