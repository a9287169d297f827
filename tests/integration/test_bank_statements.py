"""Bank statements into a real ledger: matched with a reason, reported where not."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from node.records.documents import DocumentOptions, Fate, read_payers
from node.records.importing.errors import OptionInvalidError
from tests.support.documents import BUYER, Balances, Detail, Entry, camt, mt940, ubl
from tests.support.importing import BANK, count_rows, list_reasons, pay, sum_open, take
from tests.support.ledgers import House
from tests.support.stores import FAILURE, fail_inserts


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


def test_a_payment_that_names_a_document_pays_for_it(house: House) -> None:
    take(house, ubl("RE-2026-17", "100.00"))
    take(house, ubl("RE-2026-18", "100.00"))
    report = pay(house, Detail(documents=("RE-2026-18",)))
    again = pay(house, Detail(documents=("RE-2026-18",)))

    assert list_reasons(report, Fate.ENTERED) == [("named", "names RE-2026-18; customer by named")]
    assert (again.imported, again.rows_known) == (False, 1)
    assert sum_open(house) == {"RE-2026-17": 10000}


def test_a_creditor_reference_counts_if_its_check_digit_is_right(house: House) -> None:
    take(house, ubl("539007547034", "100.00"))
    wrong = pay(house, Detail(references=("RF19539007547034",)))
    right = pay(house, Detail(references=("RF18 5390 0754 7034",)))

    assert not wrong.imported
    assert wrong.oddities == {"creditor-reference-invalid": 1}
    assert list_reasons(right, Fate.ENTERED)[0][0] == "named"


def test_numbers_in_text_pay_where_they_add_up_to_the_payment(house: House) -> None:
    for number, amount in (("RE-2026-17", "60.00"), ("RE-2026-18", "40.00")):
        take(house, ubl(number, amount))
    short = pay(house, Detail(text="Rechnung RE-2026-17 und RE-2026-18"), amount="99.00")
    full = pay(house, Detail(text="货款RE-2026-17/RE-2026-18"))

    assert [one.what for one in short.outcomes] == ["unmatched"]
    assert "--payers" in short.outcomes[0].reason
    assert list_reasons(full, Fate.ENTERED)[0][0] == "named-in-text"
    assert sum_open(house) == {}


def test_banks_write_numbers_in_their_own_case(house: House) -> None:
    take(house, ubl("RE-2026-17", "60.00"))
    take(house, ubl("re-2026-18", "70.00"))

    assert pay(house, Detail(text="rechnung re-2026-17"), amount="60.00").imported
    assert pay(house, Detail(text="RECHNUNG RE-2026-18"), amount="70.00").imported


def test_a_number_inside_a_longer_one_is_no_document(house: House) -> None:
    take(house, ubl("2026-17", "100.00"))
    for words in ("RE-2026-17", "2026-170", "2026-17-3", "X2026-17"):
        report = pay(house, Detail(text=words))
        assert not report.imported, words

    assert pay(house, Detail(text="Nr. 2026-17.")).imported


def test_one_exact_amount_pays_where_the_payer_is_known(house: House) -> None:
    for number, amount in (("RE-2026-17", "60.00"), ("RE-2026-18", "40.00"), ("R-19", "40.00")):
        take(house, ubl(number, amount))
    payers = (
        f"payer,customer\nDE02 1203 0000 0000 2020 51,lei:{BUYER}\nQIMING,lei:{BUYER}\n".encode()
    )
    by_account = pay(house, Detail(account="DE02120300000000202051"), amount="60.00", payers=payers)
    ambiguous = pay(house, Detail(name="Qiming"), amount="40.00", payers=payers)
    unknown = pay(house, Detail(name="示例启明"), amount="40.00")

    assert list_reasons(by_account, Fate.ENTERED) == [
        ("exact-amount", "only RE-2026-17 has just this amount open; customer by payers")
    ]
    assert list_reasons(ambiguous, Fate.ENTERED)[0][0] == "unapplied"
    assert "2 items" in list_reasons(ambiguous, Fate.ENTERED)[0][1]
    assert [one.what for one in unknown.outcomes] == ["unmatched"]
    assert sum_open(house) == {"RE-2026-18": 4000, "R-19": 4000}


def test_documents_of_two_customers_are_not_decided_between(house: House) -> None:
    house.invoice("RE-2026-17", (date(2026, 2, 4), 10000))
    take(house, ubl("RE-2026-17"))
    report = pay(house, Detail(documents=("RE-2026-17",)))

    assert not report.imported
    assert "several customers" in report.rejects[0].reason


def test_a_batch_is_its_payments_and_later_its_sum_is_known(house: House) -> None:
    take(house, ubl("RE-2026-17", "60.00"))
    take(house, ubl("RE-2026-18", "40.00"))
    details = (
        Detail(amount="60.00", documents=("RE-2026-17",)),
        Detail(amount="40.00", documents=("RE-2026-18",)),
    )
    notified = take(
        house,
        camt(
            Entry(amount="100.00", details=details, reference="B1"),
            message=("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
        ),
        BANK,
    )
    stated = take(house, camt(Entry(amount="100.00", reference="B1")), BANK)

    assert (notified.rows_read, notified.payments_added) == (2, 2)
    assert (stated.imported, stated.rows_known) == (False, 1)
    assert sum_open(house) == {}


def test_what_is_unmatched_is_entered_once_the_payer_is_known(house: House) -> None:
    take(house, ubl("RE-2026-17", "60.00"))
    details = (
        Detail(amount="60.00", documents=("RE-2026-17",)),
        Detail(amount="40.00", name="Qiming"),
    )
    file = camt(Entry(amount="100.00", details=details, reference="B1"))
    first = take(house, file, BANK)
    payers = read_payers(f"payer,customer\nQiming,lei:{BUYER}\n".encode())
    second = take(house, file, DocumentOptions(source="bank", payers=payers))

    assert (first.rows_used, first.rows_rejected) == (1, 1)
    assert first.rejects[0].column == "unmatched 2"
    assert (second.rows_known, second.rows_used) == (1, 1)


def test_a_sum_is_known_where_only_a_later_part_of_it_is_here(house: House) -> None:
    take(house, ubl("RE-2026-17", "60.00"))
    details = (
        Detail(amount="40.00", name="Qiming"),
        Detail(amount="60.00", documents=("RE-2026-17",)),
    )
    take(house, camt(Entry(amount="100.00", details=details, reference="B1")), BANK)
    stated = take(house, camt(Entry(amount="100.00", reference="B1")), BANK)

    assert (stated.rows_known, stated.rows_read) == (1, 1)


def test_a_reference_that_a_bank_uses_again_is_reported(house: House) -> None:
    take(house, ubl("RE-2026-17", "60.00"))
    named = (Detail(documents=("RE-2026-17",)),)
    take(house, camt(Entry(amount="10.00", details=named, reference="R")), BANK)
    for changed in (
        Entry(amount="11.00", details=named, reference="R"),
        Entry(amount="10.00", details=named, reference="R", day="2026-03-10"),
    ):
        report = take(house, camt(changed), BANK)
        assert [reject.column for reject in report.rejects] == ["reference"]
    twice = Entry(amount="10.00", details=named, reference="R")
    both = take(house, camt(twice, twice), BANK)

    assert (both.rows_known, both.payments_added) == (1, 1)


def test_a_document_that_is_paid_within_the_file_is_open_no_more(house: House) -> None:
    take(house, ubl("RE-2026-17", "60.00"))
    named = (Detail(documents=("RE-2026-17",)),)
    report = take(
        house,
        camt(
            Entry(amount="60.00", details=named, reference="1"),
            Entry(amount="60.00", details=named, reference="2"),
        ),
        BANK,
    )

    assert [one.what for one in report.outcomes] == ["named", "unmatched"]


def test_statements_that_overlap_bring_nothing_twice(house: House) -> None:
    payers = read_payers(f"payer,customer\nQiming,lei:{BUYER}\n".encode())
    options = DocumentOptions(source="bank", payers=payers)
    take(house, ubl("RE-2026-17", "60.00"))
    same = Entry(amount="20.00", details=(Detail(name="Qiming", text="rate"),))
    other = Entry(amount="21.00", details=(Detail(name="Qiming", text="rate"),))
    first = take(house, camt(same, same), options)
    second = take(house, camt(same, same, other), options)

    assert first.payments_added == 2
    assert (second.rows_known, second.payments_added) == (2, 1)


def test_what_is_no_credit_is_reported_and_not_entered(house: House) -> None:
    report = take(
        house,
        camt(
            Entry(amount="5.00", mark="DBIT"),
            Entry(amount="6.00", status="PDNG"),
            Entry(amount="7.00", mark="CRDT", reversal=True),
            Entry(amount="8.00", mark="DBIT", reversal=True),
        ),
        BANK,
    )

    assert not report.imported
    assert report.left_out == {
        "debit": 1, "not-booked": 1, "debit-reversed": 1, "credit-reversed": 1,
    }  # fmt: skip


def test_money_that_went_back_is_reported_with_the_payment_that_it_was(house: House) -> None:
    take(house, ubl("RE-2026-17"))
    pay(house, Detail(documents=("RE-2026-17",)))
    report = take(house, camt(Entry(amount="100.00", mark="DBIT", reversal=True)), BANK)

    assert [reject.column for reject in report.rejects] == ["credit-reversed"]
    assert "2026-02-10" in report.rejects[0].reason
    assert "ledger cancel" in report.rejects[0].reason


def test_balances_that_do_not_add_up_are_said(house: House) -> None:
    take(house, ubl("RE-2026-17"))
    entry = Entry(amount="100.00", details=(Detail(documents=("RE-2026-17",)),))
    wrong = take(house, camt(entry, balances=Balances(opening="1.00", closing="100.00")), BANK)

    assert wrong.imported
    assert wrong.oddities == {"balance-differs": 1}


def test_an_mt940_of_a_german_bank_is_matched(house: House) -> None:
    take(house, ubl("RE-2026-17", "100.00"))
    file = mt940(
        ":61:2602100210CR100,00NTRFNONREF//BANK1",
        ":86:166?00SEPA-UEBERWEISUNG?20EREF+NOTPROVIDED?21SVWZ+Rechnung Nr. RE-2026-1",
        "?227?30COBADEFF?31DE02120300000000202051?32Qiming",
        opening="10,00",
        closing="110,00",
    )
    report = take(house, file, BANK)
    again = take(house, file, BANK)

    assert report.oddities == {}
    assert list_reasons(report, Fate.ENTERED)[0][0] == "named-in-text"
    assert (again.imported, again.rows_known) == (False, 1)


def test_a_trial_and_a_strict_import_leave_nothing(house: House) -> None:
    take(house, ubl("RE-2026-17"))
    rows = count_rows(house)
    good = Entry(amount="100.00", details=(Detail(documents=("RE-2026-17",)),))
    file = camt(good, Entry(amount="1.00"))
    trial = take(house, file, DocumentOptions(source="bank", trial=True))
    strict = take(house, file, DocumentOptions(source="bank", strict=True))

    assert (trial.imported, trial.payments_added) == (False, 1)
    assert (strict.imported, strict.rows_rejected, strict.payments_added) == (False, 1, 0)
    assert [one.fate for one in strict.outcomes] == [Fate.REJECTED]
    assert {one.item_id for one in trial.outcomes} == {None}
    assert count_rows(house) == rows


def test_a_cancelled_payment_is_not_imported_again(house: House) -> None:
    take(house, ubl("RE-2026-17"))
    file = camt(Entry(amount="100.00", details=(Detail(documents=("RE-2026-17",)),)))
    take(house, file, BANK)
    with house.database.read() as uow:
        item = uow.connection.execute(
            text("SELECT id FROM ledger_item WHERE kind = 'payment'")
        ).scalar_one()
    house.ledger.cancel_item(item, reason="went back", by="zhang")
    report = take(house, file, BANK)

    assert report.left_out == {"entered-and-cancelled": 1}
    assert sum_open(house) == {"RE-2026-17": 10000}


def test_a_statement_needs_the_name_of_its_bank(house: House) -> None:
    with pytest.raises(OptionInvalidError, match="--source"):
        take(house, camt())


def test_the_record_of_the_import_counts_what_it_brought(house: House) -> None:
    take(house, ubl("RE-2026-17"))
    pay(house, Detail(documents=("RE-2026-17",)))
    with house.database.read() as uow:
        rows = uow.connection.execute(
            text("SELECT source, profile, invoices_added, payments_added FROM source_import")
        ).all()
        named = uow.connection.execute(
            text("SELECT count(*) FROM ledger_item WHERE import_id IS NOT NULL")
        ).scalar_one()

    assert [tuple(row) for row in rows] == [("ubl", "ubl", 1, 0), ("bank", "camt", 0, 1)]
    assert named == 2


@pytest.mark.parametrize("table", ["source_import", "ledger_item", "allocation", "behaviour_month"])
def test_a_failure_at_any_table_leaves_nothing(house: House, table: str) -> None:
    take(house, ubl("RE-2026-17"))
    rows = count_rows(house)
    with house.database.write() as uow:
        fail_inserts(uow.connection, table)
    file = camt(Entry(amount="100.00", details=(Detail(documents=("RE-2026-17",)),)))

    with pytest.raises(IntegrityError, match=FAILURE):
        take(house, file, BANK)

    assert count_rows(house) == rows
