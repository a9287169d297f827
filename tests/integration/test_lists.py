"""Lists of SAP, Kingdee and Yonyou: guessed by their presets, imported with their credits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.records.importing import ImportReport, parse_control_totals, parse_mapping
from node.records.importing.clearing import NOT_EVEN
from node.records.importing.credits import CANCELLED, CHANGED, PAID_BEFORE
from node.records.importing.errors import OptionInvalidError
from node.records.importing.guessing import guess_mapping
from node.records.importing.mapping import MappedProfile
from node.records.importing.presets import Preset
from tests.support.ledgers import House
from tests.support.lists import (
    KINGDEE_RECEIPTS,
    KINGDEE_RECEIVABLES,
    SAP_ENGLISH,
    SAP_HEADER,
    SAP_LIST,
    SAP_TITLE,
    YONYOU_RECEIVABLES,
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


def map_list(raw: bytes, preset: Preset, **constants: str) -> MappedProfile:
    guess = guess_mapping(raw, preset=preset)
    for name, value in constants.items():
        guess = guess.fix(name, value)
    return parse_mapping(guess.to_toml(preset.value), what="guess")


def sap(*rows: str) -> bytes:
    return (SAP_TITLE + SAP_HEADER + "".join(row + "\r\n" for row in rows)).encode("cp1252")


def take(house: House, raw: bytes, *, is_opening: bool = False) -> ImportReport:
    mapping = map_list(raw, Preset.SAP_FBL5N, country="DE")
    report = house.records.import_file(raw, profile=mapping, is_opening=is_opening)
    out = report.rows_known + report.rows_rejected + report.rows_duplicate
    if report.imported:
        assert report.rows_read == out + sum(report.excluded.values()) + report.rows_used
    return report


def balance(house: House, value: str, scheme: str = "sap") -> dict[str, int]:
    customer = house.records.find_customer(scheme=scheme, value=value)
    assert customer is not None
    ageings = house.records.ageing(customer.customer_id, as_of=date(2026, 3, 31))
    return {one.currency: one.balance_minor for one in ageings}


def test_a_sap_list_is_imported_with_what_was_cleared_together(house: House) -> None:
    report = take(house, SAP_LIST)

    assert report.encoding == "cp1252"
    assert (report.invoices_added, report.payments_added, report.credit_notes_added) == (5, 3, 1)
    assert report.excluded == {"total-row": 1, "bill-of-exchange": 1, "left-out-by-mapping": 1}
    assert report.oddities == {"paid-by-clearing-alone": 1}
    assert [(one.row, one.reason) for one in report.rejects] == [(15, NOT_EVEN), (16, NOT_EVEN)]
    assert (balance(house, "4711"), balance(house, "4712")) == ({"EUR": 45_000}, {"EUR": 200_000})
    assert not house.records.compare_behaviour()


def test_a_sap_list_again_changes_nothing(house: House) -> None:
    take(house, SAP_LIST)

    again = take(house, SAP_LIST)

    assert (again.imported, again.rows_known, again.rows_rejected) == (False, 8, 2)


def test_what_is_cleared_later_is_applied_then(house: House) -> None:
    open_rows = (
        "1;R1;RV;02.01.2026;01.02.2026;100,00;EUR;;;;",
        "1;Z1;DZ;04.02.2026;;100,00-;EUR;;;;",
    )
    take(house, sap(*open_rows))
    customer = house.records.find_customer(scheme="sap", value="1")
    assert customer is not None
    (before,) = house.records.ageing(customer.customer_id, as_of=date(2026, 3, 31))

    cleared = [row.replace("EUR;;", "EUR;10.02.2026;C1") for row in open_rows]
    report = take(house, sap(*cleared))

    (after,) = house.records.ageing(customer.customer_id, as_of=date(2026, 3, 31))
    assert (before.unapplied_minor, after.unapplied_minor) == (10_000, 0)
    assert (report.imported, report.invoices_added, report.payments_added) == (True, 0, 0)
    assert take(house, sap(*cleared)).imported is False


def test_a_payment_that_comes_after_its_clearing_was_taken_is_not_counted_twice(
    house: House,
) -> None:
    invoice = "1;R1;RV;02.01.2026;01.02.2026;100,00;EUR;10.02.2026;C1;;"
    assert take(house, sap(invoice)).payments_added == 1

    report = take(house, sap(invoice, "1;Z1;DZ;04.02.2026;;100,00-;EUR;10.02.2026;C1;;"))

    assert [one.reason for one in report.rejects] == [PAID_BEFORE]
    assert balance(house, "1") == {"EUR": 0}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1;Z1;DZ;04.02.2026;;90,00-;EUR;;;;", CHANGED),
        ("1;Z1;DZ;04.02.2026;;90,00;EUR;;;;", "a credit that adds to the debt"),
        ("1;Z1;DZ;04.02.2026;;0,00;EUR;;;;", "zero"),
        ("1;Z1;XX;04.02.2026;;90,00-;EUR;;;;", "a document type that the mapping does not know"),
        ("1;Z1;;04.02.2026;;90,00-;EUR;;;;", "empty"),
    ],
)
def test_a_credit_that_is_not_right_is_rejected(house: House, row: str, said: str) -> None:
    first = "1;Z1;DZ;04.02.2026;;100,00-;EUR;;;;"
    mapping = map_list(SAP_LIST, Preset.SAP_FBL5N, country="DE")
    house.records.import_file(sap(first), profile=mapping)

    report = house.records.import_file(sap(row), profile=mapping)

    assert [one.reason for one in report.rejects] == [said]


def test_rows_of_one_credit_are_one_or_are_told_apart(house: House) -> None:
    row = "1;Z1;DZ;04.02.2026;;100,00-;EUR;;;;"

    report = take(house, sap(row, row, row.replace("100", "90")))

    assert (report.payments_added, report.rows_duplicate) == (1, 1)
    assert [one.reason for one in report.rejects] == [
        "row 5 has the same document and line with other values"
    ]


def test_a_credit_that_was_cancelled_here_does_not_come_back(house: House) -> None:
    row = "1;Z1;DZ;04.02.2026;;100,00-;EUR;;;;"
    take(house, sap(row))
    customer = house.records.find_customer(scheme="sap", value="1")
    assert customer is not None
    (line,) = house.ledger.list_named(customer.customer_id, "Z1")
    house.ledger.cancel_item(line.item_id, reason="not ours", by="li")

    report = take(house, sap(row))

    assert [one.reason for one in report.rejects] == [CANCELLED]


def test_an_opening_item_that_is_partly_paid_is_rejected(house: House) -> None:
    raw = (
        b"customer no,document no,date,due date,currency,amount,payment date,paid amount\n"
        b"K1,R1,2026-01-01,2026-02-01,EUR,100.00,2026-02-02,40.00\n"
    )
    mapping = parse_mapping(guess_mapping(raw).to_toml("erp"), what="guess")

    report = house.records.import_file(raw, profile=mapping, is_opening=True)

    assert [one.reason for one in report.rejects] == [
        "partly paid: an opening balance is what is open"
    ]


def test_a_credit_cleared_with_what_is_not_there_is_left_out(house: House) -> None:
    report = take(house, sap("1;Z1;DZ;04.02.2026;;100,00-;EUR;05.02.2026;C1;;"))

    assert (report.imported, report.excluded) == (False, {"credit-cleared-outside-the-file": 1})


def test_an_opening_balance_is_what_is_open_with_its_own_dates(house: House) -> None:
    report = take(house, SAP_LIST, is_opening=True)

    assert report.excluded["not-open"] == 7
    assert (report.invoices_added, report.payments_added) == (2, 1)
    assert {(one.customer, one.open_minor) for one in report.balances} == {
        ("sap:4711", 45_000),
        ("sap:4712", 200_000),
    }
    customer = house.records.find_customer(scheme="sap", value="4711")
    assert customer is not None
    (ageing,) = house.records.ageing(customer.customer_id, as_of=date(2026, 4, 30))
    assert ageing.unapplied_minor == 5_000
    assert take(house, SAP_LIST, is_opening=True).imported is False


def test_a_control_total_that_differs_keeps_all_out(house: House) -> None:
    mapping = map_list(SAP_LIST, Preset.SAP_FBL5N, country="DE")

    refused = house.records.import_file(
        SAP_LIST,
        profile=mapping,
        is_opening=True,
        control_totals=parse_control_totals(["EUR=2450.01"]),
    )
    other = house.records.import_file(
        SAP_LIST, profile=mapping, is_opening=True, control_totals=parse_control_totals(["USD=1"])
    )
    taken = house.records.import_file(
        SAP_LIST,
        profile=mapping,
        is_opening=True,
        control_totals=parse_control_totals(["EUR=2450.00"]),
    )

    assert refused.refusal == "2,450.00 EUR in the file, 2,450.01 by the control total"
    assert "no control total for EUR" in other.refusal
    assert (refused.imported, other.imported, taken.imported) == (False, False, True)


@pytest.mark.parametrize(
    "texts", [["EUR"], ["EUR=x"], ["eur=1"], ["EUR=1", "EUR=2"], ["EUR=1.001"]]
)
def test_a_control_total_is_written_in_one_way(texts: list[str]) -> None:
    with pytest.raises(OptionInvalidError):
        parse_control_totals(texts)


def test_a_control_total_may_be_a_debt_to_customers() -> None:
    assert parse_control_totals(["EUR=-1.50"]) == {"EUR": -150}


def test_an_english_sap_list_is_known_by_its_words(house: House) -> None:
    report = take(house, SAP_ENGLISH)

    assert (report.invoices_added, report.payments_added, report.rows_rejected) == (1, 1, 0)


def test_kingdees_lists_are_read_one_after_the_other(house: House) -> None:
    receivables = map_list(KINGDEE_RECEIVABLES, Preset.KINGDEE)
    receipts = guess_mapping(KINGDEE_RECEIPTS, preset=Preset.KINGDEE).fix("kind", "payment")
    receipts = receipts.set_form("credit_sign", "positive")

    first = house.records.import_file(KINGDEE_RECEIVABLES, profile=receivables, source="kingdee")
    second = house.records.import_file(
        KINGDEE_RECEIPTS,
        profile=parse_mapping(receipts.to_toml("receipts"), what="receipts"),
        source="kingdee",
    )

    assert (first.encoding, first.invoices_added, first.credit_notes_added) == ("gb18030", 2, 1)
    assert first.excluded == {"total-row": 1}
    assert (second.payments_added, second.rows_rejected) == (1, 0)
    assert balance(house, "CUST0001", "kingdee") == {"CNY": 450_000}
    assert balance(house, "CUST0002", "kingdee") == {"USD": 30_000}


def test_yonyous_list_is_read(house: House) -> None:
    mapping = map_list(YONYOU_RECEIVABLES, Preset.YONYOU)

    report = house.records.import_file(YONYOU_RECEIVABLES, profile=mapping)

    assert (report.invoices_added, report.rows_rejected) == (1, 0)
    assert report.excluded == {"total-row": 1, "note-row": 1}


def test_a_dry_run_of_a_list_leaves_nothing(house: House) -> None:
    mapping = map_list(SAP_LIST, Preset.SAP_FBL5N, country="DE")

    trial = house.records.import_file(SAP_LIST, profile=mapping, dry_run=True)

    done = house.records.import_file(SAP_LIST, profile=mapping)
    assert dataclasses.asdict(trial) == dataclasses.asdict(done)
