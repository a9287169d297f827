"""Reading XML that a stranger wrote: no types, no entities, nothing fetched, everything bounded.

docs/decisions/0035: defusedxml refuses a document type declaration before anything in it is used,
so no entity can be declared, and depth and number of elements are counted while they are read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from node.records.formats.errors import (
    DocumentFormError,
    DocumentHostileError,
    DocumentTooLargeError,
    FieldError,
)

XML_BYTES_MAX = 16 * 2**20
DEPTH_MAX = 64
ELEMENTS_MAX = 500_000
# Python's parser knows no encoding of several bytes but UTF-8 and UTF-16.
_CHINESE = re.compile(
    rb"""(<\?xml[^>]{0,80}encoding=["'])(?:gbk|gb2312|gb18030)(["'])""", re.IGNORECASE
)


def parse_xml(raw: bytes) -> Element:
    """Return the root of a document.

    Raises:
        DocumentTooLargeError: It has too many bytes or elements, or they stand too deep.
        DocumentHostileError: It declares a document type or entities.
        DocumentFormError: It is not well formed, or not in the encoding that it says.
    """
    if len(raw) > XML_BYTES_MAX:
        raise DocumentTooLargeError(f"more than {XML_BYTES_MAX // 2**20} MiB of XML")
    root: Element | None = None
    depth = count = 0
    try:
        events = iterparse(io.BytesIO(_recode(raw)), ("start", "end"), forbid_dtd=True)
        for event, element in events:
            if event == "end":
                depth -= 1
                continue
            depth += 1
            count += 1
            if depth > DEPTH_MAX or count > ELEMENTS_MAX:
                raise DocumentTooLargeError(
                    f"more than {ELEMENTS_MAX} elements, or deeper than {DEPTH_MAX}"
                )
            root = element if root is None else root
    except DefusedXmlException as err:
        raise DocumentHostileError("the XML declares a document type or entities") from err
    except (ParseError, ValueError, LookupError) as err:
        raise DocumentFormError("the XML is not well formed, or not in its encoding") from err
    if root is None:
        raise DocumentFormError("the XML has no element")
    return root


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """Return an element's namespace, or nothing."""
    return element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""


def children(element: Element, name: str) -> Iterator[Element]:
    """Yield the children of a local name."""
    for child in element:
        if local_name(child) == name:
            yield child


def find_all(element: Element, path: str) -> Iterator[Element]:
    """Yield what stands at a path of local names (``Ustrd`` or ``RmtInf/Ustrd``)."""
    name, _, rest = path.partition("/")
    for child in children(element, name):
        if rest:
            yield from find_all(child, rest)
        else:
            yield child


def find(element: Element, path: str) -> Element | None:
    """Return the first that stands at a path."""
    return next(find_all(element, path), None)


def text_at(element: Element, path: str) -> str:
    """Return the text of the first at a path that has any, without space around it, or nothing."""
    for one in find_all(element, path):
        if text := (one.text or "").strip():
            return text
    return ""


def require_text(element: Element, path: str) -> str:
    """Return the text of the first at a path that has any.

    Raises:
        FieldError: There is none.
    """
    text = text_at(element, path)
    if not text:
        raise FieldError(field=path, reason="missing or empty")
    return text


def _recode(raw: bytes) -> bytes:
    """Return the bytes as UTF-8 where they say that they are a Chinese encoding."""
    if not (declared := _CHINESE.match(raw[:200])):
        return raw
    try:
        text = raw[declared.end() :].decode("gb18030")
    except UnicodeDecodeError as err:
        raise DocumentFormError("the XML is not in the encoding that it says") from err
    return declared[1] + b"utf-8" + declared[2] + text.encode()
