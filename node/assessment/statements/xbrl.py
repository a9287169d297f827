"""An XBRL instance as facts: contexts, units and items, each with its place in the file.

What a stranger wrote: document types and entities are refused, nothing is fetched, bytes, depth and
elements are bounded. Schemas and linkbases are not read. Inline XBRL is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from node.assessment.statements.errors import StatementFileError

XBRL_BYTES_MAX = 16 * 2**20
DEPTH_MAX = 32
ELEMENTS_MAX = 300_000
TEXT_CHARS_MAX = 200  # of a value that may be a number; longer ones are notes
INSTANCE = "http://www.xbrl.org/2003/instance"
DIMENSIONS = "http://xbrl.org/2006/xbrldi"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_ROOT = f"{{{INSTANCE}}}xbrl"
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9:.]{1,16}))?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_FEED_BYTES = 65_536


@dataclass(slots=True, kw_only=True)
class Context:
    """Of whom and of when a fact is; an instant has no begin."""

    entity: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    has_dimensions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One item: namespace and name of its element, its value as text, and where it stands."""

    namespace: str
    name: str
    context: str
    unit: str
    decimals: str
    text: str
    line: int
    column: int


@dataclass(slots=True, kw_only=True)
class Instance:
    """A whole instance; a unit is its one measure, empty where it is a quotient."""

    contexts: dict[str, Context] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)


def parse_instance(raw: bytes) -> Instance:
    """Read an instance.

    Raises:
        StatementFileError: It is too large, hostile, not well formed, or no XBRL instance.
    """
    if len(raw) > XBRL_BYTES_MAX:
        raise StatementFileError(f"more than {XBRL_BYTES_MAX // 2**20} MiB")
    target = _Target()
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
    return target.instance


class _Target:
    """Takes the parser's events; only what stands where XBRL has it is looked at."""

    def __init__(self) -> None:
        self.instance = Instance()
        self._parser: object = None
        self._path: list[str] = []
        self._count = 0
        self._text: list[str] = []
        self._chars = 0
        self._context = Context()
        self._context_id = self._unit_id = ""
        self._measures: list[str] = []
        self._fact: tuple[dict[str, str], int, int] | None = None

    def follow(self, parser: object) -> None:
        """Remember the parser whose place is that of each fact."""
        self._parser = parser

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the begin of an element."""
        self._path.append(tag)
        self._count += 1
        if len(self._path) > DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise StatementFileError(
                f"more than {ELEMENTS_MAX} elements, or deeper than {DEPTH_MAX}"
            )
        if self._path[0] != _ROOT:
            raise StatementFileError("no XBRL instance: its root is another element")
        self._text, self._chars = [], 0
        space, name = _split(tag)
        if len(self._path) == 2:  # noqa: PLR2004  below the root
            self._start_top(space, name, attributes)
        elif space == DIMENSIONS or name in {"segment", "scenario"}:
            self._context.has_dimensions = True

    def data(self, text: str) -> None:
        """Take a piece of text."""
        self._chars += len(text)
        if self._chars <= TEXT_CHARS_MAX:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        text = "".join(self._text).strip() if self._chars <= TEXT_CHARS_MAX else ""
        space, name = _split(tag)
        self._path.pop()
        if space == INSTANCE:
            self._end_part(name, text)
        elif len(self._path) == 1 and self._fact is not None:
            self._end_fact(space, name, text)

    def close(self) -> None:
        """Take the end of the file."""

    def _start_top(self, space: str, name: str, attributes: dict[str, str]) -> None:
        self._fact = None
        if space == INSTANCE and name == "context":
            self._context, self._context_id = Context(), attributes.get("id", "")
        elif space == INSTANCE and name == "unit":
            self._unit_id, self._measures = attributes.get("id", ""), []
        elif "contextRef" in attributes and attributes.get(_NIL) not in {"true", "1"}:
            line = int(getattr(self._parser, "CurrentLineNumber", 0))
            column = int(getattr(self._parser, "CurrentColumnNumber", 0)) + 1
            self._fact = (attributes, line, column)

    def _end_part(self, name: str, text: str) -> None:
        match name:
            case "identifier":
                self._context.entity = text
            case "startDate":
                self._context.starts_on = _read_day(text, is_end=False)
            case "endDate" | "instant":
                self._context.ends_on = _read_day(text, is_end=True)
            case "measure":
                self._measures.append(text)
            case "divide":
                self._measures.append("")
            case "context":
                self.instance.contexts[self._context_id] = self._context
            case "unit":
                is_plain = len(self._measures) == 1
                self.instance.units[self._unit_id] = self._measures[0] if is_plain else ""
            case _:
                pass

    def _end_fact(self, space: str, name: str, text: str) -> None:
        if self._fact is None or "unitRef" not in self._fact[0]:
            return  # A text, no number.
        attributes, line, column = self._fact
        self.instance.facts.append(
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


def _split(tag: str) -> tuple[str, str]:
    space, _, name = tag.rpartition("}")
    return space.removeprefix("{"), name


def _read_day(text: str, *, is_end: bool) -> date:
    """Read a day; a moment of midnight at an end is the end of the day before.

    Raises:
        StatementFileError: It is none.
    """
    written = _MOMENT.fullmatch(text)
    try:
        found = date.fromisoformat("" if written is None else written[1])
    except ValueError as err:
        raise StatementFileError(f"no date: {text[:32]}") from err
    is_midnight = written is not None and (written[2] or "").startswith("00:00:00")
    return found - timedelta(days=1) if is_end and is_midnight else found
