from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from node.records.formats.errors import FieldError
from node.records.formats.recognition import DocumentFormat, read_document
from node.records.formats.statement import StatementFile
from node.records.formats.trade import DocumentKind, DocumentOddity, PartyId, TradeDocument
from node.records.formats.ubl import read_ubl
from node.records.formats.xml import parse_xml
from tests.support.documents import BUYER, credits_invoice, ubl

OK_TOTALS = (
    '<cbc:TaxExclusiveAmount currencyID="CNY">100.00</cbc:TaxExclusiveAmount>'
    '<cbc:TaxInclusiveAmount currencyID="CNY">113.00</cbc:TaxInclusiveAmount>'
    '<cbc:PrepaidAmount currencyID="CNY">13.00</cbc:PrepaidAmount>'
)
TAX = '<cac:TaxTotal><cbc:TaxAmount currencyID="CNY">{}</cbc:TaxAmount></cac:TaxTotal>'
EUR_TAX = '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">1.00</cbc:TaxAmount></cac:TaxTotal>'


def read(raw: bytes) -> TradeDocument:
    return read_ubl(parse_xml(raw))


def test_an_invoice_says_what_is_owed_by_whom_and_when() -> None:
    document = read(ubl(" RE 2026\n 17 ", "1234.5"))

    assert document.kind is DocumentKind.INVOICE
    assert document.number == "RE 2026 17"
    assert (document.issued_on, document.due_on) == (date(2026, 1, 5), date(2026, 2, 4))
    assert (document.amount_minor, document.currency) == (123450, "CNY")
    assert document.buyer.identifiers == (PartyId(scheme="lei", value=BUYER),)
    assert document.oddities == ()


def test_a_credit_note_names_what_it_credits() -> None:
    document = read(
        ubl("GS-1", kind="CreditNote", more=credits_invoice("A") + credits_invoice("B"))
    )

    assert (document.kind, document.references) == (DocumentKind.CREDIT_NOTE, ("A", "B"))
    assert document.due_on is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("380", DocumentKind.INVOICE),
        ("381", DocumentKind.CREDIT_NOTE),
        ("384", DocumentKind.INVOICE),
        ("396", DocumentKind.CREDIT_NOTE),
    ],
)
def test_the_type_of_an_invoice_may_make_it_a_credit_note(code: str, kind: DocumentKind) -> None:
    more = f"<cbc:InvoiceTypeCode>{code}</cbc:InvoiceTypeCode>"

    assert read(ubl("A", more=more)).kind is kind


@pytest.mark.parametrize(
    ("more", "due_on", "oddities"),
    [
        ("", None, [DocumentOddity.DUE_ABSENT]),
        (
            "<cac:PaymentMeans><cbc:PaymentDueDate>2026-03-01</cbc:PaymentDueDate></cac:PaymentMeans>",
            date(2026, 3, 1),
            [],
        ),
        (
            "<cac:PaymentTerms><cbc:Note>Zahlbar binnen 30 Tagen</cbc:Note></cac:PaymentTerms>",
            date(2026, 2, 4),
            [DocumentOddity.DUE_FROM_NOTE],
        ),
        (
            "<cac:PaymentTerms><cbc:Note>2 % within 2 days</cbc:Note></cac:PaymentTerms>",
            None,
            [DocumentOddity.DUE_ABSENT],
        ),
        (
            "<cac:PaymentTerms><cbc:Note>10 days or 30 days</cbc:Note></cac:PaymentTerms>",
            None,
            [DocumentOddity.DUE_ABSENT],
        ),
    ],
    ids=["absent", "payment-means", "note", "note-with-discount", "note-with-two"],
)
def test_a_due_date_is_looked_for_and_never_guessed(
    more: str, due_on: date | None, oddities: list[DocumentOddity]
) -> None:
    document = read(ubl("A", due=None, more=more))

    assert (document.due_on, list(document.oddities)) == (due_on, oddities)


TERM = (
    "<cac:PaymentTerms><cbc:PaymentDueDate>{}</cbc:PaymentDueDate>"
    '<cbc:Amount currencyID="CNY">{}</cbc:Amount></cac:PaymentTerms>'
)


def test_instalments_are_read_if_they_add_up() -> None:
    first, second = TERM.format("2026-03-01", "60.00"), TERM.format("2026-04-01", "40.00")
    whole = read(ubl("A", due=None, more=first + second))
    short = read(ubl("A", due=None, more=first + second.replace("40", "39")))
    single = read(ubl("A", due=None, more=first))

    assert [(one.due_on, one.amount_minor) for one in whole.instalments] == [
        (date(2026, 3, 1), 6000), (date(2026, 4, 1), 4000),
    ]  # fmt: skip
    assert (whole.due_on, whole.oddities) == (date(2026, 4, 1), ())
    assert (short.instalments, short.due_on) == ((), date(2026, 4, 1))
    assert short.oddities == (DocumentOddity.INSTALMENTS_DIFFER,)
    assert (single.instalments, single.due_on) == ((), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("totals", "more", "oddities"),
    [
        (OK_TOTALS, TAX.format("13.00"), {DocumentOddity.PREPAID}),
        (OK_TOTALS, EUR_TAX + TAX.format("13.00"), {DocumentOddity.PREPAID}),
        (OK_TOTALS, TAX.format("12.00"), {DocumentOddity.PREPAID, DocumentOddity.TOTALS_DIFFER}),
        (
            OK_TOTALS.replace("113", "114"),
            "",
            {DocumentOddity.PREPAID, DocumentOddity.TOTALS_DIFFER},
        ),
    ],
    ids=["they-add-up", "tax-in-another-currency-beside", "tax-differs", "payable-differs"],
)
def test_totals_that_do_not_add_up_are_said(
    totals: str, more: str, oddities: set[DocumentOddity]
) -> None:
    assert set(read(ubl("A", totals=totals, more=more)).oddities) == oddities


PAYABLE = "LegalMonetaryTotal/PayableAmount"
PARTY = "AccountingCustomerParty/Party"
REGISTERED = "<cac:PartyLegalEntity><cbc:CompanyID>{}</cbc:CompanyID></cac:PartyLegalEntity>"
BAD = {
    "no-number": (ubl(""), "ID"),
    "long-number": (ubl("x" * 65), "ID"),
    "german-date": (ubl("A", issued="05.01.2026"), "IssueDate"),
    "no-such-day": (ubl("A", issued="2026-02-30"), "IssueDate"),
    "old": (ubl("A", issued="1926-02-03"), "IssueDate"),
    "currency": (ubl("A", currency="cny"), "DocumentCurrencyCode"),
    "pro-forma": (
        ubl("A", more="<cbc:InvoiceTypeCode>325</cbc:InvoiceTypeCode>"),
        "InvoiceTypeCode",
    ),
    "zero": (ubl("A", "0.00"), PAYABLE),
    "negative": (ubl("A", "-1.00"), PAYABLE),
    "below-the-minor-unit": (ubl("A", "1.001"), PAYABLE),
    "comma": (ubl("A", "1,00"), PAYABLE),
    "exponent": (ubl("A", "1e3"), PAYABLE),
    "nan": (ubl("A", "NaN"), PAYABLE),
    "huge": (ubl("A", "99999999999999.00"), PAYABLE),
    "no-payable": (ubl("A").replace(b"PayableAmount", b"Other"), PAYABLE),
    "other-currency": (ubl("A").replace(b'ID="CNY"', b'ID="EUR"'), PAYABLE),
    "no-name": (ubl("A").replace("示例启明".encode(), b""), f"{PARTY}/PartyLegalEntity"),
    "no-buyer": (ubl("A").replace(b"AccountingCustomerParty", b"Other"), PARTY),
    "person": (ubl("A", buyer=REGISTERED.format("11010519491231002X")), "buyer"),
}


@pytest.mark.parametrize(("raw", "field"), BAD.values(), ids=BAD)
def test_a_document_that_is_not_whole_says_which_field(raw: bytes, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        read(raw)

    assert caught.value.field == field


ENDPOINT = '<cbc:EndpointID schemeID="{}">{}</cbc:EndpointID>'
LISTED = '<cac:PartyIdentification><cbc:ID schemeID="{}">{}</cbc:ID></cac:PartyIdentification>'
TAXED = (
    "<cac:PartyTaxScheme><cbc:CompanyID>{}</cbc:CompanyID><cac:TaxScheme><cbc:ID>{}</cbc:ID>"
    "</cac:TaxScheme></cac:PartyTaxScheme>"
)
BUYERS = {
    "gln": (LISTED.format("0088", "5790000436057"), [("icd.0088", "5790000436057")]),
    "own-number": (LISTED.format("", "018 / 7"), [("customer.no", "018/7")]),
    "mail": (ENDPOINT.format("EM", "a@example.org"), []),
    "list-of-vat": (ENDPOINT.format("9930", "DE136695976"), [("de.vat", "136695976")]),
    "register": (ENDPOINT.format("0192", "988077917"), [("no.orgnr", "988077917")]),
    "norway": (TAXED.format("NO988077917MVA", "VAT"), [("no.orgnr", "988077917")]),
    "checked-first": (
        TAXED.format("NO987654321MVA", "VAT") + ENDPOINT.format("9925", "BE0000000295"),
        [("eu.vat", "BE0000000295"), ("vat", "NO987654321MVA")],
    ),
    "no-vat": (TAXED.format("1", "GST"), []),
}


@pytest.mark.parametrize(("buyer", "identifiers"), BUYERS.values(), ids=BUYERS)
def test_a_buyer_is_known_by_scheme_and_value(
    buyer: str, identifiers: list[tuple[str, str]]
) -> None:
    found = read(ubl("A", buyer=buyer)).buyer.identifiers

    assert [(one.scheme, one.value) for one in found] == identifiers


def test_the_public_samples_are_read_with_their_oddities(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "xml"
    found: Counter[str] = Counter()
    documents: dict[str, tuple[str, int, str]] = {}
    for path in sorted(folder.iterdir()):
        form, content = read_document(path.read_bytes(), expected=None)
        if isinstance(content, TradeDocument):
            assert form is DocumentFormat.UBL
            found.update(content.oddities)
            documents[path.name] = (content.number, content.amount_minor, content.currency)
        else:
            assert isinstance(content, StatementFile)
            assert form is DocumentFormat.CAMT

    assert documents == {
        "en16931_BIS3_Invoice_positive.XML": ("12345", 78217943, "DKK"),
        "en16931_ubl-tc434-creditnote1.xml": ("018304 / 28865", 10011, "EUR"),
        "en16931_ubl-tc434-example1.xml": ("12115118", 25033, "EUR"),
        "en16931_ubl-tc434-example2.xml": ("TOSL108", 80178, "NOK"),
        "en16931_ubl-tc434-example4.xml": ("TOSL110", 467500, "DKK"),
    }
    assert found == {
        "buyer-identifier-unchecked": 4, "credited-invoice-not-named": 1, "partly-prepaid": 1,
    }  # fmt: skip
