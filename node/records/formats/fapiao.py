"""Fully digitalised Chinese invoices (数电发票): the XML, alone or inside an OFD archive.

The element names are those of invoices of the tax administration's platform as several public
readers take them; there is no public schema. A red-letter invoice (红字) has negative amounts or is
flagged, and names the blue one in its remark. The document says nothing of when it falls due.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from typing import BinaryIO
from xml.etree.ElementTree import Element

from node.records.formats.errors import (
    DocumentFormError,
    DocumentTooLargeError,
    DocumentUnknownError,
    FieldError,
)
from node.records.formats.fields import read_amount, read_date, read_text
from node.records.formats.parties import is_checked
from node.records.formats.trade import (
    Buyer,
    DocumentKind,
    DocumentOddity,
    PartyId,
    TradeDocument,
)
from node.records.formats.xml import XML_BYTES_MAX, find, local_name, parse_xml, text_at
from node.records.tables import NAME_CHARS_MAX
from protocol.errors import IdentifierError
from protocol.identifiers import NaturalPersonIdError, normalise_subject_id

CURRENCY = "CNY"
OFD_ENTRY = "OFD.xml"
OFD_ENTRIES_MAX = 1000
OFD_XML_MAX = 100  # entries that are opened to look for the invoice
OFD_UNPACKED_BYTES_MAX = 4 * XML_BYTES_MAX
# What zipfile raises of bytes that it does not expect; a locked entry is a RuntimeError.
_BAD_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)
_PACKED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_NUMBER = re.compile(r"[0-9]{20}")
_BLUE = re.compile(r"被红冲蓝字数电(?:发)?票号码[:\uff1a]\s*([0-9]{20})(?![0-9])")
_TAX_CODE = re.compile(r"[0-9A-Z]{15,20}")
_FLAG = "Header/InherentLabel/InIssuType/LabelCode"  # Y: a blue invoice
_TOTAL = "EInvoiceData/BasicInformation/TotalTax-includedAmount"


def is_fapiao(root: Element) -> bool:
    """Tell whether a document is a digital invoice."""
    return local_name(root) == "EInvoice" and find(root, "EInvoiceData") is not None


def read_fapiao(root: Element) -> TradeDocument:
    """Read a digital invoice, blue or red.

    Raises:
        FieldError: A field without which nothing is owed is missing or wrong.
    """
    number = text_at(root, "TaxSupervisionInfo/InvoiceNumber") or text_at(root, "Header/EIid")
    if not _NUMBER.fullmatch(number):
        raise FieldError(
            field="TaxSupervisionInfo/InvoiceNumber", reason="not a number of 20 digits"
        )
    issued = text_at(root, "TaxSupervisionInfo/IssueTime") or text_at(
        root, "EInvoiceData/BasicInformation/RequestTime"
    )
    amount_minor = read_amount(text_at(root, _TOTAL), currency=CURRENCY, field=_TOTAL)
    if amount_minor == 0:
        raise FieldError(field=_TOTAL, reason="nothing is payable")
    oddities: list[DocumentOddity] = []
    if not _has_consistent_totals(root, amount_minor=amount_minor):
        oddities.append(DocumentOddity.TOTALS_DIFFER)
    is_red = amount_minor < 0
    if text_at(root, _FLAG) == ("Y" if is_red else "N"):
        raise FieldError(field=_FLAG, reason="blue or red, and the sign of the total, differ")
    references = _read_references(root) if is_red else ()
    if not is_red:
        oddities.append(DocumentOddity.DUE_ABSENT)
    elif not references:
        oddities.append(DocumentOddity.REFERENCE_ABSENT)
    buyer = _read_buyer(root)
    if buyer.identifiers and not is_checked(buyer.identifiers[0]):
        oddities.append(DocumentOddity.BUYER_ID_UNCHECKED)
    return TradeDocument(
        kind=DocumentKind.CREDIT_NOTE if is_red else DocumentKind.INVOICE,
        number=number,
        issued_on=read_date(issued, field="TaxSupervisionInfo/IssueTime"),
        due_on=None,
        currency=CURRENCY,
        amount_minor=abs(amount_minor),
        buyer=buyer,
        references=references,
        oddities=tuple(oddities),
    )


def is_ofd(stream: BinaryIO) -> bool:
    """Tell whether a zip archive is an OFD document, by the entry that each has."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return OFD_ENTRY in archive.namelist()
    except _BAD_ARCHIVE:
        return False


def extract_fapiao(raw: bytes) -> Element:
    """Return the root of the invoice inside an OFD archive.

    Raises:
        DocumentFormError: The archive is damaged, locked, or packed in another way.
        DocumentTooLargeError: It has too many entries, or they unpack to too much.
        DocumentUnknownError: There is no XML invoice in it: an OFD may hold only its picture.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return _find_invoice(archive)
    except _BAD_ARCHIVE as err:
        raise DocumentFormError("the OFD archive is damaged or locked") from err


def _find_invoice(archive: zipfile.ZipFile) -> Element:
    entries = archive.infolist()
    if len(entries) > OFD_ENTRIES_MAX:
        raise DocumentTooLargeError(f"more than {OFD_ENTRIES_MAX} entries in the OFD archive")
    candidates = [entry for entry in entries if entry.filename.lower().endswith(".xml")]
    unpacked_bytes = 0
    for entry in candidates[:OFD_XML_MAX]:
        if entry.compress_type not in _PACKED:
            raise DocumentFormError("the OFD archive is packed in a way that is not its own")
        with archive.open(entry) as file:
            # What the archive says of its sizes may be wrong: no more than this is unpacked.
            part = file.read(XML_BYTES_MAX + 1)
        unpacked_bytes += len(part)
        if len(part) > XML_BYTES_MAX or unpacked_bytes > OFD_UNPACKED_BYTES_MAX:
            raise DocumentTooLargeError("the OFD archive unpacks to too much")
        if b"EInvoiceData" not in part:
            continue
        root = parse_xml(part)
        if is_fapiao(root):
            return root
    raise DocumentUnknownError("the OFD holds no XML of the invoice: ask for the XML file")


def _has_consistent_totals(root: Element, *, amount_minor: int) -> bool:
    parts = []
    for name in ("TotalAmWithoutTax", "TotalTaxAm"):
        path = f"EInvoiceData/BasicInformation/{name}"
        if not (text := text_at(root, path)):
            return True
        parts.append(read_amount(text, currency=CURRENCY, field=path))
    return sum(parts) == amount_minor


def _read_references(root: Element) -> tuple[str, ...]:
    remarks = [one.text or "" for one in root.iter() if local_name(one) == "Remark"]
    found = {number for remark in remarks for number in _BLUE.findall(remark)}
    return tuple(found) if len(found) == 1 else ()


def _read_buyer(root: Element) -> Buyer:
    path = "EInvoiceData/BuyerInformation"
    name = read_text(
        text_at(root, f"{path}/BuyerName"), chars_max=NAME_CHARS_MAX, field=f"{path}/BuyerName"
    )
    code = text_at(root, f"{path}/BuyerIdNum").upper()
    identifiers: tuple[PartyId, ...] = ()
    if code:
        identifiers = (_read_code(code, field=f"{path}/BuyerIdNum"),)
    return Buyer(name=name, country="CN", identifiers=identifiers)


def _read_code(code: str, *, field: str) -> PartyId:
    try:
        subject = normalise_subject_id(scheme="cn.uscc", value=code)
    except NaturalPersonIdError as err:
        raise FieldError(field=field, reason="a natural person or sole trader") from err
    except IdentifierError as err:
        if not _TAX_CODE.fullmatch(code):
            raise FieldError(field=field, reason="not a tax code") from err
        return PartyId(scheme="cn.tax", value=code)
    return PartyId(scheme=subject.scheme, value=subject.value)
