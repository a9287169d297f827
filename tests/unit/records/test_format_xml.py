import zipfile

import pytest

from node.records.formats.errors import (
    DocumentFileError,
    DocumentFormError,
    DocumentHostileError,
    DocumentTooLargeError,
    DocumentUnknownError,
    FieldError,
)
from node.records.formats.fapiao import OFD_ENTRIES_MAX
from node.records.formats.recognition import (
    DocumentFormat,
    is_document,
    read_document,
)
from node.records.formats.trade import DocumentKind, DocumentOddity, TradeDocument
from node.records.formats.xml import DEPTH_MAX, ELEMENTS_MAX, XML_BYTES_MAX, parse_xml
from node.records.importing.text import is_archive
from tests.support.documents import Fapiao, camt, mt940, ubl
from tests.support.documents import pack_archive as pack

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><Invoice>&c;</Invoice>"""
HOSTILE = {
    "entities-in-entities": LAUGHS,
    "file-of-the-machine": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "other-machine": b'<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd"><a/>',
    "parameter-entity": b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://192.0.2.1/x"> %x;]><a/>',
    "plain-declaration": b"<!DOCTYPE html><a/>",
}
BROKEN = {
    "nothing": b"",
    "cut-off": ubl("A")[:-20],
    "two-roots": b"<a/><b/>",
    "undeclared-entity": b"<a>&x;</a>",
    "not-in-its-encoding": '<?xml version="1.0" encoding="UTF-8"?><a>ä</a>'.encode("cp1252"),
    "encoding-unknown": b'<?xml version="1.0" encoding="klingon"?><a/>',
    "chinese-cut-off": '<?xml version="1.0" encoding="GBK"?><a>票</a>'.encode("gbk")[:-5],
    "bytes": bytes(range(256)),
    "control-character": b"<a>\x01</a>",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_xml_that_declares_anything_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentHostileError):
        parse_xml(raw)


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_xml_that_is_broken_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentFormError):
        parse_xml(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"<a>" * (DEPTH_MAX + 1) + b"</a>" * (DEPTH_MAX + 1),
        b"<a>" + b"<b/>" * ELEMENTS_MAX + b"</a>",
        b"<a>" + b" " * XML_BYTES_MAX + b"</a>",
    ],
    ids=["deep", "many", "long"],
)
def test_xml_beyond_a_limit_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentTooLargeError):
        parse_xml(raw)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "gb18030"])
def test_xml_is_read_in_the_encoding_that_it_says(encoding: str) -> None:
    text = "诚信" if encoding in {"utf-8", "utf-16", "gb18030"} else "Müller"
    raw = f'<?xml version="1.0" encoding="{encoding}"?><a>{text}</a>'.encode(encoding)

    assert parse_xml(raw).text == text
    assert is_document(raw)


@pytest.mark.parametrize("name", ["html", "Document", "EInvoice", "Invoice"])
def test_xml_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(DocumentUnknownError):
        read_document(f"<{name}/>".encode(), expected=None)


def test_what_a_file_is_is_told_by_its_beginning() -> None:
    tables = (b"a,b\n1,2\n", b"", b"Konto;Betrag\n", b"\xff\xfea\x00")

    assert not any(is_document(raw) for raw in tables)
    assert all(is_document(raw) for raw in (ubl("A"), camt(), mt940(), b"\xef\xbb\xbf <a/>"))
    assert is_archive(pack({"OFD.xml": b"<a/>"}))


def test_a_file_of_another_format_than_named_is_refused() -> None:
    for raw in (ubl("A"), mt940(), pack({"OFD.xml": Fapiao().write()})):
        with pytest.raises(DocumentFormError, match="not camt"):
            read_document(raw, expected=DocumentFormat.CAMT)


def read_fapiao(raw: bytes) -> TradeDocument:
    _, content = read_document(raw, expected=None)
    if isinstance(content, FieldError):
        raise content
    assert isinstance(content, TradeDocument)
    return content


def test_a_blue_fapiao_is_an_invoice_without_a_due_date() -> None:
    document = read_fapiao(Fapiao().write())

    assert (document.kind, document.amount_minor, document.currency) == (
        DocumentKind.INVOICE, 11300, "CNY",
    )  # fmt: skip
    assert document.due_on is None
    assert document.oddities == (DocumentOddity.DUE_ABSENT,)


def test_a_red_fapiao_names_the_blue_one() -> None:
    red = Fapiao(
        total="-113.00", net="-100.00", tax="-13.00", flag="N",
        remark="被红冲蓝字数电票号码:26442000000000000033 红字发票信息确认单编号:442",
    )  # fmt: skip
    two = red.remark + "被红冲蓝字数电票号码:26442000000000000034"

    assert read_fapiao(red.write()).references == ("26442000000000000033",)
    assert read_fapiao(red.write().replace(red.remark.encode(), two.encode())).references == ()
    assert read_fapiao(red.write()).kind is DocumentKind.CREDIT_NOTE


BAD_FAPIAO = {
    "number": (Fapiao(number="12345678"), "TaxSupervisionInfo/InvoiceNumber"),
    "zero": (Fapiao(total="0.00"), "EInvoiceData/BasicInformation/TotalTax-includedAmount"),
    "no-amount": (Fapiao(total=""), "EInvoiceData/BasicInformation/TotalTax-includedAmount"),
    "blue-and-negative": (Fapiao(total="-113.00"), "Header/InherentLabel/InIssuType/LabelCode"),
    "red-and-positive": (Fapiao(flag="N"), "Header/InherentLabel/InIssuType/LabelCode"),
    "person": (Fapiao(buyer="11010519491231002X"), "EInvoiceData/BuyerInformation/BuyerIdNum"),
    "no-tax-code": (Fapiao(buyer="示例"), "EInvoiceData/BuyerInformation/BuyerIdNum"),
}


@pytest.mark.parametrize(("invoice", "field"), BAD_FAPIAO.values(), ids=BAD_FAPIAO)
def test_a_fapiao_that_is_not_whole_says_which_field(invoice: Fapiao, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        read_fapiao(invoice.write())

    assert caught.value.field == field


def test_the_oddities_of_a_fapiao_are_said() -> None:
    document = read_fapiao(Fapiao(tax="12.00", buyer="440301999999999").write())

    assert set(document.oddities) == {
        DocumentOddity.DUE_ABSENT,
        DocumentOddity.TOTALS_DIFFER,
        DocumentOddity.BUYER_ID_UNCHECKED,
    }
    assert document.buyer.identifiers[0].scheme == "cn.tax"


def test_an_ofd_is_read_where_the_invoice_is_inside() -> None:
    raw = pack({"OFD.xml": b"<a/>", "Doc_0/original_invoice.xml": Fapiao().write()})

    assert read_fapiao(raw).number == Fapiao().number


BAD_OFD: dict[str, tuple[bytes, type[DocumentFileError]]] = {
    "picture-only": (pack({"OFD.xml": b"<a/>"}), DocumentUnknownError),
    "cut-off": (pack({"OFD.xml": Fapiao().write()})[:-30], DocumentFormError),
    "damaged": (
        pack({"OFD.xml": Fapiao().write()}).replace(b"OFD.xml", b"OFD.xm2", 1),
        DocumentFormError,
    ),
    "bomb": (pack({"OFD.xml": b" " * (XML_BYTES_MAX + 1)}), DocumentTooLargeError),
    "many": (pack({f"{n}.xml": b"" for n in range(OFD_ENTRIES_MAX + 1)}), DocumentTooLargeError),
    "other-method": (
        pack({"a.xml": Fapiao().write()}, method=zipfile.ZIP_LZMA),
        DocumentFormError,
    ),
    "seek-before-the-start": (
        pack({"OFD.xml": b"<a/>", "b.xml": Fapiao().write()})[:200]
        + pack({"OFD.xml": b"<a/>", "b.xml": Fapiao().write()})[300:],
        DocumentFormError,
    ),
    "hostile": (pack({"a.xml": LAUGHS + b"EInvoiceData"}), DocumentHostileError),
}


@pytest.mark.parametrize(("raw", "error"), BAD_OFD.values(), ids=BAD_OFD)
def test_an_ofd_that_is_bad_is_refused(raw: bytes, error: type[DocumentFileError]) -> None:
    with pytest.raises(error):
        read_document(raw, expected=None)
