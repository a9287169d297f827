"""Invoices and credit notes into a real ledger: entered once, their customer certain."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from node.records.commands import records_app
from node.records.customers import CustomerService
from node.records.documents import DocumentOptions, parse_customer
from tests.support.documents import (
    BUYER,
    Detail,
    Entry,
    Fapiao,
    camt,
    credits_invoice,
    mt940,
    ubl,
)
from tests.support.importing import BANK, count_rows, list_open, pay, sum_open, take
from tests.support.ledgers import TODAY, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


def test_an_invoice_is_entered_with_its_customer_and_again_changes_nothing(house: House) -> None:
    first = take(house, ubl("RE-2026-17"))
    rows = count_rows(house)
    again = take(house, ubl("RE-2026-17"))

    assert (first.imported, first.invoices_added, first.customers_added) == (True, 1, 1)
    assert (again.imported, again.rows_known, count_rows(house)) == (False, 1, rows)
    customer = house.records.find_customer(scheme="lei", value=BUYER)
    assert customer is not None
    assert (customer.name, customer.country) == ("示例启明", "CN")


def test_the_same_invoice_with_another_amount_is_rejected(house: House) -> None:
    take(house, ubl("RE-2026-17"))
    report = take(house, ubl("RE-2026-17", "100.01"))

    assert not report.imported
    assert [reject.column for reject in report.rejects] == ["ID"]
    assert "other values" in report.rejects[0].reason


def test_a_customer_is_found_by_any_of_its_identifiers(house: House) -> None:
    house.records.add_customer(scheme="eu.vat", value="BE0000000295", name="Another", country="BE")
    vat = (
        "<cac:PartyTaxScheme><cbc:CompanyID>BE0000000295</cbc:CompanyID><cac:TaxScheme>"
        "<cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"
    )
    own = "<cac:PartyIdentification><cbc:ID>10202</cbc:ID></cac:PartyIdentification>"
    report = take(house, ubl("RE-2026-17", buyer=own + vat))

    assert report.customers_added == 0
    assert report.outcomes[0].customer == "eu.vat:BE0000000295"


def test_identifiers_of_two_customers_are_not_decided_between(house: House) -> None:
    house.records.add_customer(scheme="customer.no", value="10202", name="One")
    house.records.add_customer(scheme="lei", value=BUYER, name="Other")
    both = (
        "<cac:PartyIdentification><cbc:ID>10202</cbc:ID></cac:PartyIdentification>"
        f'<cac:PartyIdentification><cbc:ID schemeID="0199">{BUYER}</cbc:ID>'
        "</cac:PartyIdentification>"
    )
    refused = take(house, ubl("RE-2026-17", buyer=both))
    chosen = take(
        house,
        ubl("RE-2026-17", buyer=both),
        DocumentOptions(customer=parse_customer("customer.no:10202")),
    )

    assert [reject.column for reject in refused.rejects] == ["buyer"]
    assert chosen.outcomes[0].customer == "customer.no:10202"


def test_a_customer_that_was_merged_is_the_one_that_stays(house: House) -> None:
    take(house, ubl("RE-2026-17"))
    pay(house, Detail(documents=("RE-2026-17",)), amount="60.00")
    merged = house.records.find_customer(scheme="lei", value=BUYER)
    assert merged is not None
    customers = CustomerService(database=house.database, clock=house.clock, business_date=TODAY)
    customers.merge(merged.customer_id, into_id=house.customer_id, reason="one company", by="zhang")
    again = take(house, ubl("RE-2026-17"))
    paid_again = pay(house, Detail(documents=("RE-2026-17",)), amount="60.00")
    rest = take(
        house, camt(Entry(amount="40.00", details=(Detail(documents=("RE-2026-17",)),))), BANK
    )

    assert (again.rows_known, paid_again.rows_known) == (1, 1)
    assert rest.outcomes[0].customer == "sim:C1"
    assert sum_open(house) == {}


def test_a_buyer_without_an_identifier_is_asked_for(house: House) -> None:
    report = take(house, ubl("RE-2026-17", buyer=""))

    assert "--customer" in report.rejects[0].reason


def test_a_due_date_that_is_absent_is_the_terms_or_the_day_of_issue(house: House) -> None:
    bare = take(house, ubl("RE-2026-17", due=None))
    termed = take(house, ubl("RE-2026-18", due=None), DocumentOptions(terms_days=30))

    assert bare.oddities == {"due-date-absent": 1}
    assert termed.oddities == {}
    with house.database.read() as uow:
        due = uow.connection.execute(text("SELECT due_on FROM ledger_item ORDER BY id")).scalars()
        assert [str(day) for day in due] == ["2026-01-05", "2026-02-04"]


def test_instalments_are_lines_of_one_document(house: House) -> None:
    terms = "".join(
        f"<cac:PaymentTerms><cbc:PaymentDueDate>{due}</cbc:PaymentDueDate>"
        f'<cbc:Amount currencyID="CNY">{amount}</cbc:Amount></cac:PaymentTerms>'
        for due, amount in (("2026-03-01", "60.00"), ("2026-04-01", "40.00"))
    )
    report = take(house, ubl("RE-2026-17", due=None, more=terms))
    again = take(house, ubl("RE-2026-17", due=None, more=terms))
    as_one = take(house, ubl("RE-2026-17"))
    pay(house, Detail(documents=("RE-2026-17",)), amount="70.00")

    assert (report.invoices_added, again.rows_known) == (1, 1)
    assert [reject.column for reject in as_one.rejects] == ["ID"]
    assert list_open(house) == [("RE-2026-17", 3000)]


def test_a_credit_note_is_applied_to_the_invoice_that_it_names(house: House) -> None:
    take(house, ubl("RE-2026-17", "100.00"))
    note = ubl("GS-1", "30.00", kind="CreditNote", due=None, more=credits_invoice("RE-2026-17"))
    report = take(house, note)
    again = take(house, note)
    unnamed = take(house, ubl("GS-2", "5.00", kind="CreditNote", due=None))
    lost = take(
        house, ubl("GS-3", "5.00", kind="CreditNote", due=None, more=credits_invoice("RE-0"))
    )

    assert (report.credit_notes_added, again.rows_known) == (1, 1)
    assert report.outcomes[0].reason == "names RE-2026-17"
    assert unnamed.outcomes[0].reason.startswith("it names no invoice")
    assert lost.outcomes[0].reason.startswith("the invoice that it credits is not open")
    assert None not in {one.outcomes[0].item_id for one in (report, unnamed, lost)}
    assert unnamed.oddities == {"credited-invoice-not-named": 1}
    assert lost.oddities == {"credited-invoice-not-open": 1}
    assert sum_open(house) == {"RE-2026-17": 7000}


def test_a_fapiao_is_entered_and_its_red_letter_credits_it(house: House) -> None:
    blue = Fapiao()
    red = Fapiao(
        number="26442000000000000025",
        total="-113.00",
        net="-100.00",
        tax="-13.00",
        flag="N",
        remark=f"被红冲蓝字数电发票号码：{blue.number} 红字发票信息确认单编号：1",  # noqa: RUF001  as it is written
    )
    first = take(house, blue.write())
    second = take(house, red.write())

    assert first.outcomes[0].customer == "cn.uscc:91350100M000100Y43"
    assert first.oddities == {"due-date-absent": 1}
    assert (second.credit_notes_added, second.oddities) == (1, {})
    assert sum_open(house) == {}


def test_the_public_samples_are_imported_whole(house: House, shared_dir: Path) -> None:
    reports = {
        path.name: take(house, path.read_bytes(), BANK)
        for path in sorted((shared_dir / "data" / "xml").iterdir())
    }
    rows = count_rows(house)
    again = {
        path.name: take(house, path.read_bytes(), BANK)
        for path in sorted((shared_dir / "data" / "xml").iterdir())
    }

    invoices = [one for name, one in reports.items() if name.startswith("en16931")]
    assert len(invoices) == 5
    assert all(one.imported and one.rows_rejected == 0 for one in invoices)
    statements = [one for name, one in reports.items() if name.startswith("camt")]
    assert [(one.rows_read, one.left_out) for one in statements] == [(3, {"debit": 1}), (1, {})]
    assert {reject.column for one in statements for reject in one.rejects} == {
        "unmatched", "Amt/@Ccy",
    }  # fmt: skip
    assert count_rows(house) == rows
    assert not any(one.imported for one in again.values())


@pytest.fixture
def node(house: House) -> SimpleNamespace:
    return SimpleNamespace(records=house.records)


def run(node: SimpleNamespace, *arguments: str) -> Result:
    return CliRunner().invoke(records_app, ["import", *arguments], obj=node)


def test_the_command_tells_the_format_by_the_content(node: SimpleNamespace, tmp_path: Path) -> None:
    invoice, statement, payers = (tmp_path / name for name in ("one.xml", "day.sta", "payers.csv"))
    invoice.write_bytes(ubl("RE-2026-17"))
    statement.write_bytes(gzip.compress(mt940(":61:260210C100,00NTRFNONREF", ":86:RE-2026-17",
        closing="100,00")))  # fmt: skip
    payers.write_text(f"payer,customer\nQiming,lei:{BUYER}\n")
    report = tmp_path / "rejects.csv"
    options = ("--source", "bank", "--payers", str(payers), "--reject-report", str(report))

    assert run(node, str(invoice), "--dry-run").exit_code == 0
    assert run(node, str(invoice)).exit_code == 0
    assert run(node, str(invoice)).exit_code == 4
    without = run(node, str(statement))
    assert (without.exit_code, "--source" in without.output) == (4, True)
    done = run(node, str(statement), *options)
    assert done.exit_code == 0, done.output
    assert "row 1 100.00 CNY of lei:" in done.output
    assert re.search(r"entered as item \d+, named-in-text", done.output)
    assert report.read_text().splitlines() == ["row,column,reason"]


def test_the_command_reports_what_is_rejected(
    node: SimpleNamespace, house: House, tmp_path: Path
) -> None:
    take(house, ubl("RE-2026-17"))
    statement, report = tmp_path / "day.xml", tmp_path / "rejects.csv"
    named = Entry(amount="100.00", details=(Detail(documents=("RE-2026-17",)),))
    statement.write_bytes(camt(named, Entry(amount="1.00")))
    done = run(node, str(statement), "--source", "bank", "--reject-report", str(report))

    assert done.exit_code == 3
    assert report.read_text().splitlines()[1].startswith("2,unmatched,no open document is named")


def test_the_command_refuses_what_it_cannot_read(node: SimpleNamespace, tmp_path: Path) -> None:
    other, table = tmp_path / "other.xml", tmp_path / "table.csv"
    other.write_text("<html/>")
    table.write_text("a,b\n1,2\n")

    assert "document-unknown" in run(node, str(other)).output
    assert "import-profile-unknown" in run(node, str(table)).output
    assert "document-form" in run(node, str(table), "--format", "ubl").output
    assert run(node, str(tmp_path / "missing.xml")).exit_code == 4
    assert run(node, str(table), "--terms", "30").exit_code == 2
    assert run(node, str(other), "--terms", "-1").exit_code == 4
