"""What the ledger refuses at its edges: keys, days, amounts and texts that no store holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.records.errors import CustomerNotFoundError, ReportInvalidError
from node.records.ledger import ItemInvalidError, ItemNotFoundError
from node.records.rules_ledger import AllocationError, DisputeCause, DisputeOutcome
from tests.support.ledgers import OLDEST, TODAY, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


def test_a_key_that_no_store_holds_is_not_found(house: House) -> None:
    (item,) = house.invoice("R1", (date(2026, 1, 31), 100))

    for debit, credit in ((item, 10**30), (10**30, item)):
        with pytest.raises(ItemNotFoundError):
            house.ledger.take_back(debit_id=debit, credit_id=credit, on=TODAY, by="li")


def test_nothing_is_taken_back_before_it_was_applied(house: House) -> None:
    first, second = house.invoice("R1", (date(2026, 1, 31), 100)) + house.invoice(
        "R2", (date(2026, 1, 31), 100)
    )
    payment = house.credit("P1", 100, on=date(2026, 1, 2))
    other = house.credit("P2", 100, on=date(2026, 1, 2))
    for debit, credit, day in ((first, other, 3), (second, payment, 3), (first, payment, 20)):
        house.ledger.apply_by_hand(
            debit_id=debit, credit_id=credit, amount_minor=50, on=date(2026, 1, day), by="li"
        )

    with pytest.raises(AllocationError, match="taken back"):
        house.ledger.take_back(debit_id=first, credit_id=payment, on=date(2026, 1, 10), by="li")


def test_an_amount_is_as_large_as_an_import_takes(house: House) -> None:
    # Days of delay times the amount are summed in 64 bits.
    largest = 10**13
    house.invoice("R1", (date(1990, 1, 31), largest), on=date(1990, 1, 1))
    house.credit("P1", largest, on=date(2026, 3, 1), allocate=OLDEST)
    assert house.records.compare_behaviour() == []

    with pytest.raises(ItemInvalidError, match="10\\^13"):
        house.invoice("R2", (date(1990, 1, 31), largest + 1), on=date(1990, 1, 1))


@pytest.mark.parametrize("text", ["", " ", "a\x00b", "\x1b[2J", "\udcff", "x" * 501])
def test_who_enters_it_and_why_are_texts_that_can_be_kept_and_shown(
    house: House, text: str
) -> None:
    (item,) = house.invoice("R1", (date(2026, 1, 31), 100))

    with pytest.raises(ItemInvalidError):
        house.ledger.cancel_item(item, reason="entered twice", by=text)
    with pytest.raises(ItemInvalidError):
        house.ledger.cancel_item(item, reason=text, by="zhao")


@pytest.mark.parametrize("number", ["\x00", "\udcff", "\x1b[2J"])
def test_what_cannot_be_a_name_is_not_found(house: House, number: str) -> None:
    assert house.ledger.list_named(house.customer_id, number) == []
    with pytest.raises(CustomerNotFoundError):
        house.records.get_named_customer(f"sim:{number}")


@pytest.mark.parametrize("as_of", [date(1, 1, 1), date(1989, 12, 31), date.max])
def test_a_report_is_of_a_day_that_records_can_be_of(house: House, as_of: date) -> None:
    with pytest.raises(ReportInvalidError):
        house.records.turnover(as_of=as_of, currency="CNY")
    with pytest.raises(ReportInvalidError):
        house.records.ageing(house.customer_id, as_of=as_of)
    with pytest.raises(ReportInvalidError):
        house.ledger.list_open(house.customer_id, as_of=as_of)


@pytest.mark.parametrize("on", [date(1989, 12, 31), date.max])
def test_what_happens_to_an_item_is_of_a_day_that_records_can_be_of(house: House, on: date) -> None:
    (item,) = house.invoice("R1", (date(2026, 1, 31), 100))
    payment = house.credit("P1", 100, on=date(2026, 1, 2))
    dispute = house.ledger.open_dispute(
        item, amount_minor=5, cause=DisputeCause.PRICE, on=date(2026, 1, 3), by="li"
    )

    with pytest.raises((ItemInvalidError, AllocationError)):
        house.ledger.apply_by_hand(
            debit_id=item, credit_id=payment, amount_minor=50, on=on, by="li"
        )
    with pytest.raises(ItemInvalidError):
        house.ledger.open_dispute(item, amount_minor=5, cause=DisputeCause.PRICE, on=on, by="li")
    with pytest.raises(ItemInvalidError):
        house.ledger.close_dispute(
            dispute, outcome=DisputeOutcome.UPHELD, reason="x", on=on, by="li"
        )
