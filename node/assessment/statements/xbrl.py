"""An XBRL instance, or an inline document, as facts, each with its place in the file.

What a stranger wrote: document types and entities are refused, nothing is fetched, bytes, depth and
elements are bounded. Schemas and linkbases are not read.
"""

from __future__ import annotations

from typing import Protocol
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from node.assessment.statements.errors import StatementFileError
from node.assessment.statements.inline_xbrl import XHTML_ROOT, InlineTarget
from node.assessment.statements.xbrl_parts import (
    INSTANCE,
    TEXT_CHARS_MAX,
    XBRL_BYTES_MAX,
    Context,
    Fact,
    Instance,
    PartsReader,
    find_place,
    is_nil,
    split_name,
)

__all__ = ["XBRL_BYTES_MAX", "Context", "Fact", "Instance", "parse_instance"]

DEPTH_MAX = 32
ELEMENTS_MAX = 300_000
_ROOT = f"{{{INSTANCE}}}xbrl"
_FEED_BYTES = 65_536


class _Target(Protocol):
    """Takes the events of one form of file."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def data(self, text: str) -> None: ...

    def end(self, tag: str) -> None: ...


def parse_instance(raw: bytes) -> Instance:
    """Read an instance or an inline document, told apart by its root.

    Raises:
        StatementFileError: It is too large, hostile, not well formed, or neither of the two.
    """
    if len(raw) > XBRL_BYTES_MAX:
        raise StatementFileError(f"more than {XBRL_BYTES_MAX // 2**20} MiB")
    target = _Router()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    target.follow(parser.parser)
    try:
        for start in range(0, len(raw), _FEED_BYTES):
            parser.feed(raw[start : start + _FEED_BYTES])
        parser.close()
    except DefusedXmlException as err:
        raise StatementFileError("the XML declares a document type or entities") from err
    except ParseError as err:
        line, column = err.position
        raise StatementFileError(f"line {line}, column {column}: not well-formed XML") from err
    except (ValueError, LookupError) as err:
        raise StatementFileError("the XML is not in the encoding that it says") from err
    return target.finish()


class _Router:
    """Hands the events to the reader of the form that the root has."""

    def __init__(self) -> None:
        self._instance = Instance()
        self._parser: object = None
        self._inner: _Target | None = None
        self._inline = InlineTarget(self._instance)

    def follow(self, parser: object) -> None:
        """Remember the parser whose place is that of each fact."""
        self._parser = parser
        self._inline.follow(parser)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the begin of an element."""
        if self._inner is None:
            self._inner = self._choose(tag)
        self._inner.start(tag, attributes)

    def data(self, text: str) -> None:
        """Take a piece of text."""
        if self._inner is not None:
            self._inner.data(text)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        if self._inner is not None:
            self._inner.end(tag)

    def start_ns(self, prefix: str, uri: str) -> None:
        """Take a prefix: inline documents name elements and formats by it."""
        self._inline.start_ns(prefix, uri)

    def end_ns(self, prefix: str) -> None:
        """Take that a prefix holds no longer."""
        self._inline.end_ns(prefix)

    def close(self) -> None:
        """Take the end of the file."""

    def finish(self) -> Instance:
        """Return what was read."""
        if self._inner is self._inline:
            self._inline.finish()
        return self._instance

    def _choose(self, tag: str) -> _Target:
        if tag == _ROOT:
            return _InstanceTarget(self._instance, parser=self._parser)
        if tag == XHTML_ROOT:
            return self._inline
        raise StatementFileError("no XBRL instance or inline document: its root is another element")


class _InstanceTarget:
    """Takes the events of an instance; only what stands where XBRL has it is looked at."""

    def __init__(self, instance: Instance, *, parser: object) -> None:
        self._instance = instance
        self._parts = PartsReader(instance)
        self._parser = parser
        self._depth = self._count = 0
        self._text: list[str] = []
        self._chars = 0
        self._fact: tuple[dict[str, str], int, int] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise StatementFileError(
                f"more than {ELEMENTS_MAX} elements, or deeper than {DEPTH_MAX}"
            )
        self._text, self._chars = [], 0
        space, name = split_name(tag)
        self._parts.start(space, name, attributes)
        if self._depth == 2:  # noqa: PLR2004  below the root
            is_fact = space != INSTANCE and "contextRef" in attributes and not is_nil(attributes)
            self._fact = (attributes, *find_place(self._parser)) if is_fact else None

    def data(self, text: str) -> None:
        self._chars += len(text)
        if self._chars <= TEXT_CHARS_MAX:
            self._text.append(text)

    def end(self, tag: str) -> None:
        text = "".join(self._text).strip() if self._chars <= TEXT_CHARS_MAX else ""
        space, name = split_name(tag)
        self._depth -= 1
        if space == INSTANCE:
            self._parts.end(name, text)
        elif self._depth == 1 and self._fact is not None:
            self._end_fact(space, name, text)

    def _end_fact(self, space: str, name: str, text: str) -> None:
        if self._fact is None or "unitRef" not in self._fact[0]:
            return  # A text, no number.
        attributes, line, column = self._fact
        self._instance.facts.append(
            Fact(
                namespace=space,
                name=name,
                context=attributes["contextRef"],
                unit=attributes["unitRef"],
                decimals=attributes.get("decimals", "INF"),
                text=text,
                line=line,
                column=column,
            )
        )
