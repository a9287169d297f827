"""The ledger's use cases with their figures, on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.records.errors import CustomerNotFoundError
from node.records.ledger import (
    Correction,
    DisputeNotFoundError,
    ItemExistsError,
    ItemInvalidError,
    ItemNotFoundError,
    NewDebit,
    Remittance,
    Term,
)
from node.records.rules_ledger import (
    AllocationError,
    AllocationMethod,
    DisputeCause,
    DisputeOutcome,
    ItemKind,
)
from node.records.windows import month_of
from tests.support.ledgers import OLDEST, TODAY, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


def test_a_receipt_pays_the_oldest_instalments_first(house: House) -> None:
    # docs/formulas.md, ageing: 900 in three terms, 450 received.
    house.invoice(
        "R1", (date(2026, 1, 31), 300), (date(2026, 2, 28), 300), (date(2026, 3, 31), 300)
    )
    house.credit("P1", 450, on=date(2026, 3, 1), allocate=OLDEST)

    assert house.age() == {"31-60": 150, "not_due": 300}
    assert house.age(date(2026, 2, 28)) == {"1-30": 300, "not_due": 600}
    assert house.records.compare_behaviour() == []


def test_what_is_more_than_owed_stays_unapplied_and_is_applied_later(house: House) -> None:
    house.invoice("R1", (date(2026, 1, 31), 300))
    payment = house.credit("P1", 500, on=date(2026, 2, 1), allocate=OLDEST)
    house.invoice("R2", (date(2026, 2, 28), 400), on=date(2026, 2, 10))

    assert house.age() == {"31-60": 400, "unapplied": 200}
    house.ledger.apply_credit(payment, allocate=OLDEST, on=date(2026, 3, 20), by="li")

    assert house.age() == {"31-60": 200}
    assert house.age(date(2026, 3, 19)) == {"1-30": 400, "unapplied": 200}


def test_a_payment_of_just_what_is_open_of_one_item_finds_it(house: House) -> None:
    house.invoice("R1", (date(2026, 1, 31), 300))
    house.invoice("R2", (date(2026, 2, 28), 200))
    house.invoice("R3", (date(2026, 3, 31), 200))

    house.credit("P1", 300, on=date(2026, 3, 1), allocate=AllocationMethod.EXACT)
    house.credit("P2", 200, on=date(2026, 3, 1), allocate=AllocationMethod.EXACT)

    assert house.age() == {"31-60": 200, "not_due": 200, "unapplied": 200}


def test_a_remittance_pays_what_the_payer_names(house: House) -> None:
    house.invoice("R1", (date(2026, 1, 31), 300))
    house.invoice("R2", (date(2026, 2, 28), 200))
    advice = Remittance(documents=(("R2", None), ("R1", 100)))

    house.credit("P1", 350, on=date(2026, 3, 1), allocate=advice)

    assert house.age() == {"31-60": 200, "unapplied": 50}


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        pytest.param((("R9", None),), "R9 is not open", id="unknown"),
        pytest.param((("R1", None), ("R1", None)), "named twice", id="twice"),
        pytest.param((("R1", 301),), "not so much", id="more than open"),
        pytest.param((("R1", 0),), "not so much", id="nothing"),
        pytest.param((("R1", 300), ("R2", 200)), "not so much", id="more than paid"),
        pytest.param((("R3", 5),), "several open lines", id="ambiguous"),
    ],
)
def test_a_remittance_that_does_not_fit_is_refused_whole(
    house: House, documents: tuple[tuple[str, int | None], ...], reason: str
) -> None:
    house.invoice("R1", (date(2026, 1, 31), 300))
    house.invoice("R2", (date(2026, 2, 28), 200))
    house.invoice("R3", (date(2026, 3, 31), 5), (date(2026, 4, 30), 5))
    before = house.age()

    with pytest.raises(AllocationError, match=reason):
        house.credit("P1", 400, on=date(2026, 3, 1), allocate=Remittance(documents=documents))

    assert house.age() == before


def test_a_credit_note_makes_an_invoice_smaller_and_pays_nothing(house: House) -> None:
    house.invoice("R1", (date(2026, 1, 31), 1_000))
    house.credit("G1", 400, on=date(2026, 2, 10), kind=ItemKind.CREDIT_NOTE, allocate=OLDEST)
    house.credit("P1", 600, on=date(2026, 2, 12), allocate=OLDEST)

    trend = house.records.monthly_trend(house.customer_id, as_of=TODAY)

    assert house.age() == {}
    assert trend is not None
    (month,) = trend.months
    assert (month.invoice_count, month.amount_minor, month.paid_minor) == (1, 600, 600)


def test_an_invoice_credited_whole_says_nothing(house: House) -> None:
    house.invoice("R1", (date(2026, 1, 31), 1_000))
    house.credit("G1", 1_000, on=date(2026, 2, 10), kind=ItemKind.CREDIT_NOTE, allocate=OLDEST)

    trend = house.records.monthly_trend(house.customer_id, as_of=TODAY)

    assert trend is not None
    assert trend.months == ()
    assert house.records.compare_behaviour() == []


def test_a_bill_pays_from_the_day_it_comes_and_is_owed_until_it_is_paid(house: House) -> None:
    house.invoice("R1", (date(2026, 1, 31), 1_000))
    house.bill("B1", 1_000, on=date(2026, 2, 2), matures_on=date(2026, 5, 4))

    assert house.age() == {"not_due": 1_000}
    house.credit("P1", 1_000, on=date(2026, 3, 30), allocate=OLDEST)
    assert house.age() == {}
    trend = house.records.monthly_trend(house.customer_id, as_of=TODAY)
    assert trend is not None
    (month,) = trend.months
    assert (month.month, month.paid_minor) == (month_of(date(2026, 2, 2)), 1_000)


def test_a_bill_that_is_dishonoured_is_invoices_again(house: House) -> None:
    (invoice,) = house.invoice("R1", (date(2026, 1, 31), 1_000))
    bill = house.bill("B1", 1_000, on=date(2026, 2, 2), matures_on=date(2026, 3, 2))

    house.ledger.dishonour_bill(bill, on=date(2026, 3, 3), by="wang")

    assert house.age(date(2026, 3, 2)) == {"not_due": 1_000}
    assert house.age() == {"31-60": 1_000}
    house.credit("P1", 1_000, on=date(2026, 3, 20), allocate=Remittance(documents=(("R1", None),)))
    assert house.age() == {}
    with pytest.raises(ItemInvalidError, match="paid or dishonoured"):
        house.ledger.dishonour_bill(bill, on=date(2026, 3, 4), by="wang")
    assert invoice


@pytest.mark.parametrize("kind", [ItemKind.BILL_ENDORSED, ItemKind.BILL_DISCOUNTED])
def test_a_bill_passed_on_is_owed_no_more_unless_it_comes_back(
    house: House, kind: ItemKind
) -> None:
    house.invoice("R1", (date(2026, 1, 31), 1_000))
    bill = house.bill("B1", 1_000, on=date(2026, 2, 2), matures_on=date(2026, 3, 2))
    house.ledger.pass_on_bill(bill, kind=kind, on=date(2026, 2, 10), by="wang")

    assert house.age() == {}
    with pytest.raises(ItemInvalidError, match="passed on"):
        house.ledger.pass_on_bill(bill, kind=kind, on=date(2026, 2, 11), by="wang")

    house.ledger.dishonour_bill(bill, on=date(2026, 3, 3), by="wang")

    assert house.age(date(2026, 3, 2)) == {}
    assert house.age() == {"31-60": 1_000}


def test_what_is_written_off_is_owed_no_more_and_still_not_paid(house: House) -> None:
    (first,) = house.invoice("R1", (date(2025, 11, 3), 1_000), on=date(2025, 10, 1))
    house.credit("P1", 300, on=date(2025, 12, 1), allocate=OLDEST)
    loss = house.ledger.write_off([first], reference="W1", on=date(2026, 2, 1), by="chen")

    assert house.age() == {}
    trend = house.records.monthly_trend(house.customer_id, as_of=TODAY)
    assert trend is not None
    assert trend.months[0].delay_counts[-1] == 1  # unpaid

    house.ledger.reverse_write_off(
        loss, amount_minor=200, reference="W1-1", on=date(2026, 3, 1), by="chen"
    )
    house.credit("P2", 200, on=date(2026, 3, 2), allocate=OLDEST)

    assert house.age(date(2026, 3, 1)) == {"91-120": 200}
    assert house.age() == {}
    with pytest.raises(AllocationError, match="not so much"):
        house.ledger.reverse_write_off(
            loss, amount_minor=501, reference="W1-2", on=date(2026, 3, 3), by="chen"
        )


def test_what_is_recovered_is_owed_again_and_paid_by_one_entry_or_not_at_all(
    house: House,
) -> None:
    (first,) = house.invoice("R1", (date(2025, 11, 3), 1_000), on=date(2025, 10, 1))
    (second,) = house.invoice("R2", (date(2025, 12, 3), 400), on=date(2025, 10, 1))
    day = date(2026, 2, 1)
    loss = house.ledger.write_off([first, second], reference="W1", on=day, by="chen")
    house.credit("P1", 1, on=day)

    payment = house.ledger.recover(
        loss, amount_minor=700, payment_no="P9", on=date(2026, 3, 1), by="chen"
    )

    assert house.age() == {"unapplied": 1}
    paid = {row.other_id: row.amount_minor for row in house.ledger.tell_item(payment).applied}
    assert sum(paid.values()) == 700
    assert set(paid) <= {first, second}
    with pytest.raises(ItemExistsError):
        house.ledger.recover(
            loss, amount_minor=100, payment_no="P1", on=date(2026, 3, 2), by="chen"
        )
    with pytest.raises(AllocationError):
        house.ledger.recover(
            loss, amount_minor=701, payment_no="P10", on=date(2026, 3, 2), by="chen"
        )
    assert house.age() == {"unapplied": 1}


def test_a_past_report_changes_only_by_a_correction_and_comes_out_as_it_was_known(
    house: House,
) -> None:
    (wrong,) = house.invoice("R1", (date(2026, 1, 31), 1_000))
    house.credit("P1", 1_000, on=date(2026, 2, 2), allocate=OLDEST)
    house.clock.advance_s(60)
    known_at_ms = house.clock.now_ms()
    reported = house.age(date(2026, 2, 1), known_at_ms=known_at_ms)
    house.clock.advance_s(60)

    right = house.ledger.correct_item(
        wrong, Correction(reason="price list of last year", amount_minor=900), by="zhao"
    )

    assert reported == {"1-30": 1_000}
    assert house.age(date(2026, 2, 1)) == {"1-30": 900}
    assert house.age() == {"unapplied": 100}
    assert house.age(date(2026, 2, 1), known_at_ms=known_at_ms) == reported
    with pytest.raises(ItemNotFoundError):
        house.ledger.correct_item(wrong, Correction(reason="again", amount_minor=1), by="zhao")
    house.ledger.correct_item(
        right, Correction(reason="moved", due_on=date(2026, 3, 31)), by="zhao"
    )
    assert house.records.compare_behaviour() == []


@pytest.mark.parametrize("payment_first", [True, False], ids=["payment-first", "invoice-first"])
def test_what_is_applied_stays_so_when_both_sides_are_corrected(
    house: House, *, payment_first: bool
) -> None:
    (invoice,) = house.invoice("R1", (date(2026, 1, 31), 1_000))
    payment = house.credit("P1", 900, on=date(2026, 2, 2), allocate=OLDEST)
    house.ledger.take_back(debit_id=invoice, credit_id=payment, on=date(2026, 2, 5), by="li")
    house.ledger.apply_credit(payment, allocate=OLDEST, on=date(2026, 2, 7), by="li")
    first, second = (payment, invoice) if payment_first else (invoice, payment)

    house.ledger.correct_item(first, Correction(reason="one", amount_minor=900), by="zhao")
    house.ledger.correct_item(second, Correction(reason="other", amount_minor=900), by="zhao")

    assert house.age() == {}
    assert house.age(date(2026, 2, 6)) == {"1-30": 900, "unapplied": 900}
    assert house.age(date(2026, 2, 4)) == {}
    assert house.records.compare_behaviour() == []


def test_an_item_of_the_wrong_customer_goes_to_the_right_one_without_its_payments(
    house: House,
) -> None:
    (item,) = house.invoice("R1", (date(2026, 1, 31), 1_000))
    house.credit("P1", 400, on=date(2026, 2, 2), allocate=OLDEST)
    other = house.add_customer("C2")

    house.ledger.correct_item(
        item, Correction(reason="wrong customer", customer_id=other), by="zhao"
    )

    assert house.age() == {"unapplied": 400}
    (moved,) = house.records.ageing(other, as_of=TODAY)
    assert moved.balance_minor == 1_000
    assert house.records.compare_behaviour() == []


def test_what_is_cancelled_is_gone_and_its_payment_unapplied(house: House) -> None:
    (item,) = house.invoice("R1", (date(2026, 1, 31), 1_000))
    payment = house.credit("P1", 400, on=date(2026, 2, 2), allocate=OLDEST)

    house.ledger.cancel_item(item, reason="entered twice", by="zhao")
    assert house.age() == {"unapplied": 400}
    house.ledger.cancel_item(payment, reason="another account", by="zhao")
    assert house.age() == {}


def test_a_dispute_is_its_own_column_until_it_ends(house: House) -> None:
    (item,) = house.invoice("R1", (date(2026, 1, 31), 1_000))
    dispute = house.ledger.open_dispute(
        item, amount_minor=300, cause=DisputeCause.QUANTITY, on=date(2026, 2, 5), by="sun"
    )

    assert house.age(date(2026, 2, 4)) == {"1-30": 1_000}
    assert house.age() == {"31-60": 1_000, "disputed": 300}
    with pytest.raises(ItemInvalidError, match="undisputed"):
        house.ledger.open_dispute(
            item, amount_minor=701, cause=DisputeCause.PRICE, on=date(2026, 2, 6), by="sun"
        )

    house.ledger.close_dispute(
        dispute,
        outcome=DisputeOutcome.REJECTED,
        reason="signed delivery note",
        on=date(2026, 2, 20),
        by="sun",
    )

    assert house.age() == {"31-60": 1_000}
    assert house.age(date(2026, 2, 19)) == {"1-30": 1_000, "disputed": 300}
    with pytest.raises(DisputeNotFoundError):
        house.ledger.close_dispute(
            dispute, outcome=DisputeOutcome.UPHELD, reason="x", on=date(2026, 2, 21), by="sun"
        )


def test_a_dispute_moves_with_the_correction_of_its_item(house: House) -> None:
    (item,) = house.invoice("R1", (date(2026, 1, 31), 1_000))
    house.ledger.open_dispute(
        item, amount_minor=800, cause=DisputeCause.QUANTITY, on=date(2026, 2, 5), by="sun"
    )

    house.ledger.correct_item(item, Correction(reason="quantity", amount_minor=500), by="zhao")

    assert house.age() == {"31-60": 500, "disputed": 500}


def test_a_document_is_entered_once_for_each_source(house: House) -> None:
    house.invoice("R1", (date(2026, 1, 31), 1_000))

    with pytest.raises(ItemExistsError, match="R1"):
        house.invoice("R1", (date(2026, 1, 31), 1_000))

    assert house.age() == {"31-60": 1_000}


def test_a_document_is_entered_whole_or_not_at_all(house: House) -> None:
    with pytest.raises(ItemInvalidError, match="more than nothing"):
        house.invoice("R1", (date(2026, 1, 31), 1_000), (date(2026, 2, 28), 0))

    assert house.age() == {}


@pytest.mark.parametrize(
    ("credit", "on", "reason"),
    [
        pytest.param("P1", date(2026, 1, 15), "before both items", id="too early"),
        pytest.param("P1", date(2026, 2, 2), "more would be applied", id="too much"),
        pytest.param("P2", date(2026, 2, 2), "two currencies", id="currency"),
        pytest.param("P3", date(2026, 2, 2), "two customers", id="customer"),
    ],
)
def test_what_does_not_belong_together_is_not_applied(
    house: House, credit: str, on: date, reason: str
) -> None:
    (debit,) = house.invoice("R1", (date(2026, 1, 31), 300))
    entered = {
        "P1": house.credit("P1", 350, on=date(2026, 2, 1)),
        "P2": house.credit("P2", 350, on=date(2026, 2, 1), currency="EUR"),
        "P3": house.credit("P3", 350, on=date(2026, 2, 1), customer_id=house.add_customer("C2")),
    }

    with pytest.raises(AllocationError, match=reason):
        house.ledger.apply_by_hand(
            debit_id=debit, credit_id=entered[credit], amount_minor=301, on=on, by="li"
        )


def test_between_two_dates_nothing_is_applied_twice(house: House) -> None:
    (debit,) = house.invoice("R1", (date(2026, 1, 31), 300))
    first = house.credit("P1", 300, on=date(2026, 2, 1), allocate=OLDEST)
    house.ledger.take_back(debit_id=debit, credit_id=first, on=date(2026, 2, 20), by="li")
    second = house.credit("P2", 300, on=date(2026, 2, 1))

    with pytest.raises(AllocationError, match="on 2026-02-10"):
        house.ledger.apply_by_hand(
            debit_id=debit, credit_id=second, amount_minor=300, on=date(2026, 2, 10), by="li"
        )
    house.ledger.apply_by_hand(
        debit_id=debit, credit_id=second, amount_minor=300, on=date(2026, 2, 20), by="li"
    )

    assert house.age() == {"unapplied": 300}


def test_who_enters_it_is_named_and_the_customer_is_there(house: House) -> None:
    with pytest.raises(ItemInvalidError, match="named"):
        house.ledger.cancel_item(1, reason="x", by=" ")
    with pytest.raises(CustomerNotFoundError):
        house.credit("P1", 5, on=TODAY, customer_id=99)
    with pytest.raises(ItemNotFoundError):
        house.ledger.cancel_item(99, reason="x", by="li")


@pytest.mark.parametrize("kind", [ItemKind.BILL, ItemKind.WRITE_OFF, ItemKind.RECOURSE])
def test_what_comes_with_an_event_is_not_entered_by_itself(house: House, kind: ItemKind) -> None:
    with pytest.raises(ItemInvalidError, match="by itself"):
        house.credit("X1", 5, on=TODAY, kind=kind)


@pytest.mark.parametrize(
    ("currency", "on", "due", "reason"),
    [
        pytest.param("yuan", TODAY, TODAY, "currency", id="currency"),
        pytest.param("CNY", date(1, 1, 1), TODAY, "a day is within", id="long ago"),
        pytest.param("CNY", TODAY, date.max, "a day is within", id="far ahead"),
    ],
)
def test_what_is_no_currency_or_day_is_refused(
    house: House, currency: str, on: date, due: date, reason: str
) -> None:
    with pytest.raises(ItemInvalidError, match=reason):
        house.ledger.enter_debit(
            NewDebit(
                customer_id=house.customer_id,
                kind=ItemKind.INVOICE,
                document_no="R1",
                happened_on=on,
                currency=currency,
                terms=(Term(due_on=due, amount_minor=5),),
            ),
            by="zhang",
        )


def test_turnover_is_worked_out_from_the_ledger_of_one_customer_or_of_all(house: House) -> None:
    # True DSO, docs/formulas.md: 30 of 100 at 20 d, 24 of 80 at 50 d, 9 of 90 at 80 d.
    for on, sold, paid in (
        (date(2026, 3, 11), 100, 70),
        (date(2026, 2, 9), 80, 56),
        (date(2026, 1, 10), 90, 81),
    ):
        number = on.isoformat()
        house.invoice(f"R{number}", (on + timedelta(days=30), sold), on=on)
        house.credit(
            f"P{number}", paid, on=on, allocate=Remittance(documents=((f"R{number}", None),))
        )

    one = house.records.turnover(as_of=TODAY, currency="CNY", customer_id=house.customer_id)
    all_of_them = house.records.turnover(as_of=TODAY, currency="CNY")

    assert one == all_of_them
    assert (one.first, one.receivable_minor, one.credit_sales_minor) == (
        date(2026, 1, 1),
        63,
        270,
    )
    assert one.not_due_minor == 30  # due on 2026-04-10
    assert one.true_dso_milli == 29_000
    assert one.dso_milli == 21_000  # 63 of 270 in 90 days
    assert one.best_possible_dso_milli == 10_000
    assert one.average_days_delinquent_milli == 11_000
    assert one.countback is not None
    assert one.countback.days_milli == 19_530  # 63 of 100 in 31 days
    assert one.collection_index_centipercent == 4_500  # 27 of 60
    other = house.records.turnover(
        as_of=TODAY, currency="CNY", customer_id=house.add_customer("C2")
    )
    assert (other.dso_milli, other.collection_index_centipercent) == (None, None)
    with pytest.raises(CustomerNotFoundError):
        house.records.turnover(as_of=TODAY, currency="CNY", customer_id=99)


def test_returns_are_no_sales(house: House) -> None:
    house.invoice("R1", (date(2026, 3, 31), 1_000), on=date(2026, 3, 1))
    house.credit("G1", 400, on=date(2026, 3, 2), kind=ItemKind.CREDIT_NOTE, allocate=OLDEST)

    figures = house.records.turnover(as_of=TODAY, currency="CNY", months=1)

    assert (figures.credit_sales_minor, figures.receivable_minor) == (600, 600)
    assert figures.dso_milli == 31_000
