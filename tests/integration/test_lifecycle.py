"""What becomes of records: due, held, gone, closed; on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.bootstrap.home import init_home, open_database
from node.bootstrap.local import build_local_node
from node.core.config import build_settings
from node.records.archiving import CustomerArchivedError
from node.records.barring import TombstoneSecretError
from node.records.due import DueStory
from node.records.horizon import RecordsGoneError
from node.records.ledger import (
    Correction,
    ItemInvalidError,
    ItemNotFoundError,
    LedgerService,
    NewDebit,
    Remittance,
    Term,
)
from node.records.ledger.errors import RecordGoneError
from node.records.lifecycle import ArchiveStateError, HoldNotFoundError
from node.records.rules_ledger import DisputeCause, DisputeOutcome, ItemKind
from node.records.rules_retention import EndReason
from node.records.store.life_tables import tombstone
from node.records.store.stories import StoryStore, Tombstone
from node.records.tombstones import SECRET_FILE_NAME
from tests.support.ledgers import OLDEST, TODAY, House

SETTLED = date(2021, 3, 15)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


def settle(house: House, number: str = "R1", *, on: date = SETTLED, minor: int = 300) -> int:
    """Enter an invoice of 2021 that was paid on a day; return its key."""
    (key,) = house.invoice(number, (date(2021, 2, 1), minor), on=date(2021, 1, 1))
    house.credit(f"P-{number}", minor, on=on, allocate=OLDEST)
    return key


def test_a_lost_secret_is_not_made_anew_once_records_are_gone(tmp_path: Path) -> None:
    settings = build_settings(home=tmp_path / "home", member_id="beta.example")
    init_home(settings, key_names=())
    build_local_node(settings).close()
    database = open_database(settings)
    with database.write() as uow:
        gone = Tombstone(name_hash_hex="ab" * 32, reason="expired", gone_on=TODAY)
        StoryStore(uow.connection).add_tombstones([gone], policy="retention-1", by="li", at_ms=1)
    database.dispose()
    (settings.home / SECRET_FILE_NAME).unlink()

    node = build_local_node(settings)
    key = node.records.add_customer(scheme="sim", value="A1", name="Hongda").customer_id
    debit = NewDebit(
        customer_id=key,
        kind=ItemKind.INVOICE,
        document_no="R1",
        happened_on=SETTLED,
        currency="CNY",
        terms=(Term(due_on=SETTLED, amount_minor=1),),
    )
    with pytest.raises(TombstoneSecretError):
        node.ledger.enter_debit(debit, by="li")
    assert not (settings.home / SECRET_FILE_NAME).exists()
    node.close()


def list_due(house: House, as_of: date = TODAY) -> list[DueStory]:
    return list(house.lifecycle.iterate_due(as_of=as_of))


def test_settled_on_15_march_2021_it_is_due_on_15_march_2026_and_not_a_day_before(
    house: House,
) -> None:
    settle(house)

    assert list_due(house, date(2026, 3, 14)) == []
    (due,) = list_due(house, date(2026, 3, 15))
    assert (due.ended_on, due.expires_on) == (SETTLED, date(2026, 3, 15))
    assert (due.reason, due.items, due.documents) == (EndReason.SETTLED, 2, ("R1", "P-R1"))


def test_what_is_due_goes_whole_and_leaves_hashes_alone(house: House) -> None:
    key = settle(house)
    (younger,) = house.invoice("R2", (date(2026, 2, 1), 500))

    expired = house.lifecycle.expire(by="zhang")

    assert (expired.customers, expired.stories, expired.items) == (1, 1, 2)
    with pytest.raises(ItemNotFoundError):
        house.ledger.tell_item(key)
    assert house.ledger.tell_item(younger).open_minor == 500
    assert house.age() == {"31-60": 500}
    assert house.records.compare_behaviour() == []
    with house.database.read() as uow:
        rows = uow.connection.execute(tombstone.select()).all()
    assert len(rows) == 2
    assert "R1" not in str(rows)
    assert house.lifecycle.expire(by="zhang").items == 0


def test_what_is_not_over_stays(house: House) -> None:
    settle(house, "R0", on=date(2021, 4, 1))
    house.invoice("R1", (date(2015, 1, 31), 300), on=date(2015, 1, 1))
    (disputed,) = house.invoice("R2", (date(2015, 1, 31), 300), on=date(2015, 1, 1))
    house.credit("P2", 300, on=date(2015, 2, 1))
    house.ledger.open_dispute(
        disputed, amount_minor=10, cause=DisputeCause.QUALITY, on=date(2015, 2, 1), by="li"
    )

    assert house.lifecycle.expire(by="zhang").items == 0


def test_a_payment_of_an_old_and_an_open_invoice_ties_them_together(house: House) -> None:
    settle(house)
    house.invoice("R2", (date(2021, 2, 28), 300), on=date(2021, 1, 15))
    house.credit("P2", 100, on=SETTLED, allocate=OLDEST)

    expired = house.lifecycle.expire(by="zhang")

    assert (expired.stories, expired.items) == (1, 2)
    assert sum(house.age().values()) == 200


def test_a_dispute_moves_the_end(house: House) -> None:
    key = settle(house)
    dispute = house.ledger.open_dispute(
        key, amount_minor=10, cause=DisputeCause.PRICE, on=date(2021, 3, 1), by="li"
    )
    assert list_due(house) == []

    house.ledger.close_dispute(
        dispute, outcome=DisputeOutcome.REJECTED, reason="as ordered", on=date(2021, 6, 30), by="li"
    )

    assert list_due(house, date(2026, 6, 29)) == []
    assert [due.ended_on for due in list_due(house, date(2026, 6, 30))] == [date(2021, 6, 30)]


def test_a_write_off_ends_with_its_recovery_or_when_it_is_given_up(house: House) -> None:
    keys = house.invoice("R1", (date(2021, 1, 31), 300), on=date(2021, 1, 1))
    write_off = house.ledger.write_off(keys, reference="W1", on=date(2021, 2, 1), by="chen")
    assert list_due(house) == []

    house.lifecycle.give_up(write_off, on=date(2021, 3, 1), reason="bankrupt", by="chen")

    (due,) = list_due(house)
    assert (due.reason, due.ended_on) == (EndReason.GIVEN_UP, date(2021, 3, 1))
    with pytest.raises(ItemInvalidError):
        house.lifecycle.give_up(write_off, on=date(2021, 3, 1), reason="bankrupt", by="chen")
    with pytest.raises(ItemNotFoundError):
        house.lifecycle.give_up(keys[0], on=date(2021, 3, 1), reason="bankrupt", by="chen")
    assert house.lifecycle.expire(by="zhang").items == 2


def test_a_recovered_write_off_ends_with_the_payment(house: House) -> None:
    keys = house.invoice("R1", (date(2021, 1, 31), 300), on=date(2021, 1, 1))
    write_off = house.ledger.write_off(keys, reference="W1", on=date(2021, 1, 5), by="chen")
    house.ledger.reverse_write_off(
        write_off, amount_minor=300, reference="V1", on=date(2021, 2, 1), by="chen"
    )
    house.credit("P1", 300, on=date(2021, 3, 1), allocate=OLDEST)

    (due,) = list_due(house)

    assert (due.reason, due.ended_on) == (EndReason.SETTLED, date(2021, 3, 1))


def test_all_versions_of_what_was_corrected_go_together(house: House) -> None:
    key = settle(house)
    house.ledger.correct_item(key, Correction(reason="typing error", amount_minor=200), by="zhao")
    assert list_due(house) == []  # 100 of the payment is unapplied now.

    house.invoice("R3", (date(2021, 2, 1), 100), on=date(2021, 1, 2))
    payment = house.ledger.list_open(house.customer_id, as_of=TODAY)[-1].item_id
    house.ledger.apply_credit(payment, allocate=OLDEST, on=SETTLED, by="li")

    (due,) = list_due(house)
    assert (due.items, due.ended_on) == (4, SETTLED)
    assert house.lifecycle.expire(by="zhang").items == 4


def test_a_bill_goes_with_what_it_paid_once_it_is_paid(house: House) -> None:
    house.invoice("R1", (date(2021, 2, 1), 100), on=date(2021, 1, 1))
    house.bill("B1", 100, on=date(2021, 1, 10), matures_on=date(2021, 3, 10))
    assert list_due(house) == []

    house.credit("P1", 100, on=date(2021, 3, 10), allocate=Remittance(documents=(("B1", None),)))

    (due,) = list_due(house)
    assert (due.items, due.ended_on) == (4, date(2021, 3, 10))


def test_a_hold_beats_expiry_until_it_ends(house: House) -> None:
    settle(house)
    hold = house.lifecycle.hold(house.customer_id, basis="case 12/2026", by="wang")

    assert house.lifecycle.expire(by="zhang").held == 1
    assert [due.held_by for due in list_due(house)] == [hold]
    house.lifecycle.release(hold, reason="judgment", by="wang")
    assert house.lifecycle.expire(by="zhang").items == 2
    with pytest.raises(HoldNotFoundError):
        house.lifecycle.release(hold, reason="judgment", by="wang")
    (ended,) = house.lifecycle.get_card(house.customer_id).holds
    assert (ended.ended_by, ended.end_reason) == ("wang", "judgment")


def test_a_hold_on_an_item_keeps_its_story_alone(house: House) -> None:
    first = settle(house, "R1")
    settle(house, "R2", minor=700)
    house.lifecycle.hold(house.customer_id, item_id=first, basis="tax audit", by="wang")

    expired = house.lifecycle.expire(by="zhang")

    assert (expired.stories, expired.held) == (1, 1)
    assert house.ledger.tell_item(first).open_minor == 0


def test_a_hold_ends_by_its_day_and_begins_on_one(house: House) -> None:
    settle(house)
    house.lifecycle.hold(
        house.customer_id,
        basis="audit",
        begins_on=date(2026, 1, 1),
        ends_on=date(2026, 3, 30),
        by="wang",
    )
    house.lifecycle.hold(house.customer_id, basis="audit", begins_on=date(2026, 4, 1), by="wang")

    assert [due.held_by is None for due in list_due(house, date(2026, 3, 30))] == [False]
    assert [due.held_by for due in list_due(house)] == [None]


@pytest.mark.parametrize(
    "wrong",
    [{"basis": " "}, {"basis": "x", "ends_on": date(2026, 1, 1)}],
    ids=["no basis", "ends before it begins"],
)
def test_a_hold_that_makes_no_sense_is_refused(house: House, wrong: dict[str, object]) -> None:
    with pytest.raises(ItemInvalidError):
        house.lifecycle.hold(house.customer_id, by="wang", **wrong)  # type: ignore[arg-type]  # as given
    with pytest.raises(ItemNotFoundError):
        house.lifecycle.hold(house.customer_id, item_id=99, basis="x", by="wang")


def test_what_is_gone_is_not_entered_again(house: House) -> None:
    settle(house)
    house.lifecycle.expire(by="zhang")

    with pytest.raises(RecordGoneError, match="expired on 2026-03-31"):
        settle(house)
    assert list_due(house) == []
    with pytest.raises(RecordGoneError):
        house.credit("P-R1", 5, on=SETTLED)


def test_without_the_secret_nothing_is_entered_past_a_tombstone(house: House) -> None:
    settle(house)
    house.lifecycle.expire(by="zhang")
    house.ledger = LedgerService(database=house.database, clock=house.clock, business_date=TODAY)

    with pytest.raises(TombstoneSecretError):
        settle(house)


def test_a_report_of_before_says_that_records_are_gone(house: House) -> None:
    settle(house)
    known_at_ms = house.clock.now_ms() - 1
    house.lifecycle.expire(by="zhang")

    assert house.age(SETTLED) == {}
    for as_of, known in ((date(2021, 3, 14), None), (TODAY, known_at_ms)):
        with pytest.raises(RecordsGoneError):
            house.age(as_of, known_at_ms=known)
        with pytest.raises(RecordsGoneError):
            house.ledger.list_open(house.customer_id, as_of=as_of, known_at_ms=known)
    with pytest.raises(RecordsGoneError):
        house.records.turnover(as_of=date(2021, 5, 1), currency="CNY", months=3)
    house.records.turnover(as_of=date(2021, 6, 30), currency="CNY", months=3)


def test_the_relation_stays_as_old_as_it_is(house: House) -> None:
    settle(house)
    house.invoice("R2", (date(2026, 1, 31), 500), on=date(2026, 1, 1))
    house.lifecycle.expire(by="zhang")

    window = house.records.monthly_trend(house.customer_id, as_of=TODAY)

    assert window is not None
    assert window.first_sale_on == date(2021, 1, 1)
    assert house.records.monthly_trend(house.customer_id, as_of=date(2021, 4, 10)) is None


def test_a_merged_customer_takes_its_gone_days_along(house: House) -> None:
    settle(house)
    other = house.add_customer("C2")
    house.lifecycle.expire(by="zhang")
    house.customers.merge(house.customer_id, into_id=other, reason="one company", by="zhao")

    with pytest.raises(RecordsGoneError):
        house.records.ageing(other, as_of=date(2021, 3, 14))


def test_what_was_merged_goes_in_all_its_versions(house: House) -> None:
    settle(house)
    other = house.add_customer("C2")
    house.customers.merge(house.customer_id, into_id=other, reason="one company", by="zhao")

    expired = house.lifecycle.expire(by="zhang")

    assert (expired.customers, expired.stories, expired.items) == (1, 1, 4)
    assert house.records.compare_behaviour() == []


def test_what_was_cancelled_goes_five_years_after_that(house: House) -> None:
    (key,) = house.invoice("R1", (date(2021, 2, 1), 300), on=date(2021, 1, 1))
    house.ledger.cancel_item(key, reason="entered twice", by="zhao")

    assert list_due(house) == []
    (due,) = list_due(house, date(2031, 12, 31))
    assert due.reason is EndReason.CANCELLED


def test_an_archived_customer_is_read_and_nothing_is_entered(house: House) -> None:
    key = settle(house, on=date(2021, 4, 1))
    house.lifecycle.archive(house.customer_id, reason="relation ended", by="wang")

    assert house.age() == {}
    assert house.lifecycle.get_card(house.customer_id).is_archived
    with pytest.raises(CustomerArchivedError):
        house.invoice("R2", (date(2026, 2, 1), 500))
    with pytest.raises(CustomerArchivedError):
        house.ledger.cancel_item(key, reason="wrong", by="zhao")
    with pytest.raises(CustomerArchivedError):
        house.ledger.open_dispute(key, amount_minor=1, cause=DisputeCause.PRICE, on=TODAY, by="li")
    with pytest.raises(CustomerArchivedError):
        house.records.record_adverse_event(
            house.customer_id,
            kind="legal",
            happened_on=TODAY,
            settled_on=None,
            evidence_sha256_hex="a" * 64,
        )
    with pytest.raises(ArchiveStateError):
        house.lifecycle.archive(house.customer_id, reason="again", by="wang")

    house.lifecycle.reopen(house.customer_id, reason="new order", by="wang")
    house.invoice("R2", (date(2026, 2, 1), 500))

    with pytest.raises(ArchiveStateError):
        house.lifecycle.reopen(house.customer_id, reason="again", by="wang")
    (row,) = house.lifecycle.get_card(house.customer_id).archives
    assert (row.reason, row.end_reason) == ("relation ended", "new order")


def test_an_archived_customer_is_neither_merged_nor_added_to(house: House) -> None:
    other = house.add_customer("C2")
    house.lifecycle.archive(other, reason="relation ended", by="wang")

    with pytest.raises(CustomerArchivedError):
        house.customers.merge(house.customer_id, into_id=other, reason="one", by="zhao")
    with pytest.raises(CustomerArchivedError):
        house.customers.add_identifier(other, scheme="sim", value="C3", by="zhao")


def test_a_credit_without_a_debit_stays(house: House) -> None:
    house.credit("P1", 300, on=date(2015, 1, 1), kind=ItemKind.PAYMENT)

    assert list_due(house) == []
