"""Documents into a real ledger: entered once, matched with a reason, reported where not."""

import gzip
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner, Result

from node.records.commands import records_app
from node.records.documents import (
    DocumentOptions,
    DocumentReport,
    Fate,
    parse_customer,
    read_payers,
)
from node.records.importing.errors import OptionInvalidError
from tests.support.documents import (
    BUYER,
    Balances,
    Detail,
    Entry,
    Fapiao,
    camt,
    credits_invoice,
    mt940,
    ubl,
)
from tests.support.ledgers import House
from tests.support.stores import FAILURE, fail_inserts

BANK = DocumentOptions(source="bank")
TABLES = ("customer", "source_import", "ledger_item", "allocation", "behaviour_month")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def count_rows(house: House) -> dict[str, int]:
    with house.database.read() as uow:
        return {
            table: uow.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  our own names
            for table in TABLES
        }


def take(house: House, file: bytes, options: DocumentOptions | None = None) -> DocumentReport:
    return house.records.import_documents(file, options or DocumentOptions())


def pay(
    house: House, *details: Detail, amount: str = "100.00", payers: bytes = b""
) -> DocumentReport:
    options = BANK
    if payers:
        options = DocumentOptions(source="bank", payers=read_payers(payers))
    return take(house, camt(Entry(amount=amount, details=details)), options)


def list_reasons(report: DocumentReport, fate: Fate) -> list[tuple[str, str]]:
    return [(one.what, one.reason) for one in report.outcomes if one.fate is fate]


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
    assert (strict.imported, strict.rows_rejected) == (False, 1)
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
    assert "entered as item 2, named-in-text" in done.output
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


def sum_open(house: House) -> dict[str, int]:
    with house.database.read() as uow:
        rows = uow.connection.execute(
            text(
                "SELECT i.document_no, i.amount_minor - (SELECT coalesce(sum(a.amount_minor), 0)"
                " FROM allocation a WHERE a.debit_id = i.id) AS open_minor"
                " FROM ledger_item i WHERE i.amount_minor > 0"
            )
        ).all()
    return {number: int(minor) for number, minor in rows if minor}
