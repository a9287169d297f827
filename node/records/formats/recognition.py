"""Telling by its content what a file is, and reading it."""

from __future__ import annotations

import re
from enum import StrEnum
from xml.etree.ElementTree import Element

from node.records.formats.camt import is_camt, read_camt
from node.records.formats.errors import DocumentFormError, DocumentUnknownError, FieldError
from node.records.formats.fapiao import extract_fapiao, is_fapiao, read_fapiao
from node.records.formats.mt940 import is_mt940, read_mt940
from node.records.formats.statement import StatementFile
from node.records.formats.trade import TradeDocument
from node.records.formats.ubl import is_ubl, read_ubl
from node.records.formats.xml import parse_xml
from node.records.importing.text import is_archive

_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[?!A-Za-z_]")
_UTF16_XML = (b"\xff\xfe<\x00", b"\xfe\xff\x00<")


class DocumentFormat(StrEnum):
    """A format of documents, beside tables of rows."""

    UBL = "ubl"
    CAMT = "camt"
    MT940 = "mt940"
    FAPIAO = "fapiao"
    OFD = "ofd"


def is_document(head: bytes) -> bool:
    """Tell by its beginning whether a text is XML or MT940, rather than a table."""
    return _XML.match(head) is not None or head.startswith(_UTF16_XML) or is_mt940(head)


def read_document(
    raw: bytes, *, expected: DocumentFormat | None
) -> tuple[DocumentFormat, TradeDocument | StatementFile | FieldError]:
    """Read a document of the format that it has, which must be the expected one if that is named.

    Of an invoice that is not whole, what is wrong with it is returned.

    Raises:
        DocumentFileError: It cannot be read, or is of another format.
    """
    if is_archive(raw):
        _check_expected(DocumentFormat.OFD, expected)
        return DocumentFormat.OFD, _read(extract_fapiao(raw), DocumentFormat.FAPIAO)
    if is_mt940(raw) or expected is DocumentFormat.MT940:
        _check_expected(DocumentFormat.MT940, expected)
        return DocumentFormat.MT940, read_mt940(raw)
    root = parse_xml(raw)
    form = _recognise(root)
    _check_expected(form, expected)
    return form, _read(root, form)


def _read(root: Element, form: DocumentFormat) -> TradeDocument | StatementFile | FieldError:
    try:
        match form:
            case DocumentFormat.UBL:
                return read_ubl(root)
            case DocumentFormat.CAMT:
                return read_camt(root)
            case _:
                return read_fapiao(root)
    except FieldError as err:
        return err


def _recognise(root: Element) -> DocumentFormat:
    if is_ubl(root):
        return DocumentFormat.UBL
    if is_camt(root):
        return DocumentFormat.CAMT
    if is_fapiao(root):
        return DocumentFormat.FAPIAO
    raise DocumentUnknownError("neither UBL nor camt.053/.054 nor a digital invoice")


def _check_expected(found: DocumentFormat, expected: DocumentFormat | None) -> None:
    if expected not in {None, found}:
        raise DocumentFormError(f"the file is {found}, not {expected}")
