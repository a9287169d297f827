from datetime import date
from pathlib import Path

import pytest

from node.records.formats.camt import read_camt
from node.records.formats.errors import DocumentFormError, DocumentTooLargeError
from node.records.formats.mt940 import LINE_CHARS_MAX, is_mt940, read_mt940
from node.records.formats.statement import (
    Entry,
    EntryKind,
    NamedDocument,
    Payment,
    StatementFile,
    StatementOddity,
)
from node.records.formats.xml import parse_xml
from tests.support import documents
from tests.support.documents import Balances, Detail, camt, mt940

VERSIONS = [f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{number:02}" for number in (2, 4, 8, 14)]
FULL = Detail(
    text="Rechnung 17",
    references=("RF18539007547034",),
    documents=("RE-17",),
    name="Qiming  Trading",
    account="DE02 1203 0000 0000 2020 51",
)


def read(raw: bytes) -> StatementFile:
    return read_camt(parse_xml(raw))


def read_entry(entry: documents.Entry) -> Entry:
    (statement,) = read(camt(entry)).statements
    (found,) = statement.entries
    return found


@pytest.mark.parametrize("namespace", VERSIONS)
def test_an_entry_of_any_version_says_who_paid_what_for_what(namespace: str) -> None:
    raw = camt(
        documents.Entry(amount="1234.5", details=(FULL,), reference="B1"), namespace=namespace
    )
    (statement,) = read(raw).statements
    (entry,) = statement.entries

    assert (statement.account, statement.number) == ("DE89370400440532013000", "S1")
    assert (entry.kind, entry.is_booked) == (EntryKind.CREDIT, True)
    assert (entry.amount_minor, entry.currency, entry.reference) == (123450, "CNY", "B1")
    assert (entry.booked_on, entry.valued_on) == (date(2026, 2, 10), date(2026, 2, 10))
    assert entry.payments == (
        Payment(
            line=0,
            amount_minor=123450,
            payer_name="Qiming Trading",
            payer_account="DE02120300000000202051",
            creditor_references=("RF18539007547034",),
            documents=(NamedDocument(number="RE-17"),),
            text="Rechnung 17",
        ),
    )


@pytest.mark.parametrize(
    ("mark", "reversal", "kind"),
    [
        ("CRDT", False, EntryKind.CREDIT),
        ("DBIT", False, EntryKind.DEBIT),
        ("CRDT", True, EntryKind.DEBIT_REVERSED),
        ("DBIT", True, EntryKind.CREDIT_REVERSED),
    ],
)
def test_the_direction_of_an_entry_counts_its_reversal(
    *, mark: str, reversal: bool, kind: EntryKind
) -> None:
    assert read_entry(documents.Entry(amount="1.00", mark=mark, reversal=reversal)).kind is kind


def test_a_return_is_money_that_goes_back() -> None:
    back = Detail(more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")

    entry = read_entry(documents.Entry(amount="1.00", mark="DBIT", details=(back,)))
    assert entry.kind is EntryKind.CREDIT_REVERSED


def test_a_batch_is_its_transactions_if_they_add_up() -> None:
    parts = (Detail(amount="60.00", name="A"), Detail(amount="40.00", name="B"))
    whole = read_entry(documents.Entry(amount="100.00", details=parts))
    short = read_entry(documents.Entry(amount="99.00", details=parts))

    assert [(one.line, one.amount_minor) for one in whole.payments] == [(1, 6000), (2, 4000)]
    assert [(one.line, one.amount_minor, one.payer_name) for one in short.payments] == [
        (0, 9900, "")
    ]
    assert short.oddities == (StatementOddity.BATCH_SUM_DIFFERS,)


def test_a_single_transaction_of_another_amount_is_said() -> None:
    entry = read_entry(documents.Entry(amount="100.00", details=(Detail(amount="0.00"),)))

    assert entry.payments[0].amount_minor == 10000
    assert entry.oddities == (StatementOddity.DETAIL_AMOUNT_DIFFERS,)


def test_a_remitted_amount_and_a_deducted_credit_note_are_read() -> None:
    structured = (
        "<RmtInf><Strd><RfrdDocInf><Tp><CdOrPrtry><Cd>{}</Cd></CdOrPrtry></Tp><Nb>A1</Nb>"
        '</RfrdDocInf><RfrdDocAmt><RmtdAmt Ccy="{}">12.30</RmtdAmt></RfrdDocAmt></Strd></RmtInf>'
    )
    paid, deducted, foreign = (
        read_entry(
            documents.Entry(amount="20.00", details=(Detail(more=structured.format(code, money)),))
        ).payments[0]
        for code, money in (("CINV", "CNY"), ("CREN", "CNY"), ("CINV", "EUR"))
    )

    assert paid.documents == (NamedDocument(number="A1", amount_minor=1230),)
    assert (paid.credits_named, deducted.credits_named) == (False, True)
    assert foreign.documents == (NamedDocument(number="A1"),)


@pytest.mark.parametrize(
    ("opening", "closing", "oddities"),
    [("10.00", "107.00", ()), ("10.00", "108.00", (StatementOddity.BALANCE_DIFFERS,))],
    ids=["adds-up", "differs"],
)
def test_the_balances_are_held_against_the_booked_entries(
    opening: str, closing: str, oddities: tuple[StatementOddity, ...]
) -> None:
    raw = camt(
        documents.Entry(amount="100.00"),
        documents.Entry(amount="3.00", mark="DBIT"),
        documents.Entry(amount="50.00", status="PDNG"),
        balances=Balances(opening=opening, closing=closing),
    )

    assert read(raw).statements[0].oddities == oddities


BAD_ENTRIES = {
    "amount": ('<Amt Ccy="CNY">1.00</Amt>', "", "Amt"),
    "negative": (">1.00<", ">-1.00<", "Amt"),
    "decimals": (">1.00<", ">1.005<", "Amt"),
    "currency": ('Ccy="CNY"', 'Ccy="??"', "Amt/@Ccy"),
    "direction": ("CRDT", "BOTH", "CdtDbtInd"),
    "status": ("<Sts><Cd>BOOK</Cd></Sts>", "", "Sts"),
    "date": ("<BookgDt><Dt>2026-02-10", "<BookgDt><Dt>2026-13-10", "BookgDt"),
}


@pytest.mark.parametrize(("old", "new", "field"), BAD_ENTRIES.values(), ids=BAD_ENTRIES)
def test_an_entry_that_cannot_be_read_leaves_the_others(old: str, new: str, field: str) -> None:
    bad = documents.Entry(amount="1.00").write("CNY").replace(old, new)
    file = read(camt(documents.Entry(amount="2.00"), more=bad))

    assert [(one.row, one.field) for one in file.rejects] == [(2, field)]
    assert [one.amount_minor for one in file.statements[0].entries] == [200]
    assert file.payment_count == 2


def test_the_public_sample_adds_up_and_says_what_is_odd(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "xml"
    business = read((folder / "camt053pkg_business_sample_camt.053.001.04.xml").read_bytes())
    template = read((folder / "camt053pkg_statement.xml").read_bytes())

    (statement,) = business.statements
    assert statement.oddities == ()
    assert [(one.kind, one.amount_minor) for one in statement.entries] == [
        (EntryKind.CREDIT, 10567850), (EntryKind.DEBIT, 20000000), (EntryKind.CREDIT, 3000000),
    ]  # fmt: skip
    assert statement.entries[0].oddities == (StatementOddity.DETAIL_AMOUNT_DIFFERS,)
    assert [(one.row, one.field) for one in template.rejects] == [(1, "Amt/@Ccy")]


def read_one(*lines: str) -> Entry:
    (statement,) = read_mt940(mt940(*lines)).statements
    (entry,) = statement.entries
    return entry


def test_an_mt940_entry_has_its_dates_mark_amount_and_references() -> None:
    entry = read_one(":61:2512310102C1234,5NTRFRE-17//BANK-1", "/OCMT/EUR1,00/", ":86:Rechnung 17")

    assert (entry.valued_on, entry.booked_on) == (date(2025, 12, 31), date(2026, 1, 2))
    assert (entry.kind, entry.amount_minor, entry.reference) == (EntryKind.CREDIT, 123450, "BANK-1")
    assert entry.payments[0].text == "Rechnung 17"
    assert entry.payments[0].end_to_end == "RE-17"


@pytest.mark.parametrize(
    ("mark", "kind", "is_booked"),
    [
        ("C", EntryKind.CREDIT, True),
        ("CR", EntryKind.CREDIT, True),
        ("D", EntryKind.DEBIT, True),
        ("DR", EntryKind.DEBIT, True),
        ("RC", EntryKind.CREDIT_REVERSED, True),
        ("RD", EntryKind.DEBIT_REVERSED, True),
        ("EC", EntryKind.CREDIT, False),
    ],
)
def test_the_mark_of_an_mt940_entry_is_its_direction(
    *, mark: str, kind: EntryKind, is_booked: bool
) -> None:
    entry = read_one(f":61:260210{mark}1,NMSCNONREF")

    assert (entry.kind, entry.is_booked, entry.amount_minor) == (kind, is_booked, 100)


def test_the_structured_information_of_german_banks_is_read() -> None:
    entry = read_one(
        ":61:2602100210CR100,00N166NONREF",
        ":86:166?00SEPA-UEBERWEISUNG?109310?20EREF+E2E-4711?21SVWZ+Rechnung Nr. RE-2026-1",
        "?227 vom 5.1.?30COBADEFF?31DE02120300000000202051?32Muster Nord",
        "hafen?33 GmbH?34166",
    )

    assert entry.payments == (
        Payment(
            line=0,
            amount_minor=10000,
            payer_name="Muster Nordhafen GmbH",
            payer_account="DE02120300000000202051",
            end_to_end="E2E-4711",
            text="Rechnung Nr. RE-2026-17 vom 5.1.",
        ),
    )


def test_several_messages_with_blocks_around_them_are_read() -> None:
    inner = mt940(":61:260210C1,00NTRFNONREF", opening="1,00", closing="2,00").decode()
    block = "{1:F01BANKDEFFA0000000000}{2:I940BANKDEFFN}{4:\r\n" + inner.replace("\r\n-", "\r\n-}")
    raw = (block + block).encode()
    file = read_mt940(raw)

    assert is_mt940(raw)
    assert [one.oddities for one in file.statements] == [(), ()]
    assert [entry.row for one in file.statements for entry in one.entries] == [1, 2]


def test_the_balances_of_an_mt940_are_held_against_its_entries() -> None:
    lines = (":61:260210C5,00NTRFNONREF", ":61:260210D2,00NTRFNONREF")
    right = read_mt940(mt940(*lines, opening="1,00", closing="4,00"))
    wrong = read_mt940(mt940(*lines, opening="1,00", closing="5,00"))

    assert right.statements[0].oddities == ()
    assert wrong.statements[0].oddities == (StatementOddity.BALANCE_DIFFERS,)


WHOLE = mt940(":61:260210C5,00NTRFNONREF", ":86:RE-17", opening="1,00", closing="6,00")


@pytest.mark.parametrize("lines", range(1, 6))
def test_an_mt940_that_is_cut_off_is_refused(lines: int) -> None:
    kept = b"\r\n".join(WHOLE.split(b"\r\n")[: lines + 1])

    with pytest.raises(DocumentFormError):
        read_mt940(kept)


BAD_MT940 = {
    "empty": b"",
    "binary": WHOLE + b"\x00",
    "other-currency": WHOLE.replace(b":62F:C260210CNY", b":62F:C260210EUR"),
    "no-account": WHOLE.replace(b":25:", b":26:"),
    "entry-before-balance": WHOLE.replace(b":60F:", b":60X:"),
    "balance": WHOLE.replace(b":60F:C", b":60F:X"),
    "decimals": WHOLE.replace(b"CNY1,00", b"CNY1,005"),
}


@pytest.mark.parametrize("raw", BAD_MT940.values(), ids=BAD_MT940)
def test_an_mt940_that_is_no_statement_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentFormError):
        read_mt940(raw)


def test_an_mt940_beyond_a_limit_is_refused() -> None:
    with pytest.raises(DocumentTooLargeError):
        read_mt940(mt940(":86:" + "x" * LINE_CHARS_MAX))


@pytest.mark.parametrize(
    "line",
    ["260230C5,00NTRFNONREF", "2602100230C5,00NTRFNONREF", "260210X5,00NTRF", "260210C5,005NTRFX"],
    ids=["value-date", "entry-date", "mark", "decimals"],
)
def test_an_mt940_entry_that_cannot_be_read_leaves_the_others(line: str) -> None:
    file = read_mt940(mt940(f":61:{line}", ":86:RE-17", ":61:260210C5,00NTRFNONREF"))

    assert [(one.row, one.field) for one in file.rejects] == [(1, "61")]
    assert [(one.row, one.payments[0].text) for one in file.statements[0].entries] == [(2, "")]
    assert file.statements[0].oddities == ()


def test_umlauts_of_old_statements_are_read() -> None:
    raw = mt940(":61:260210C5,00NTRFNONREF", ":86:Müller").decode().encode("cp1252")

    assert read_mt940(raw).statements[0].entries[0].payments[0].text == "Müller"
