"""What an XBRL file consists of, and the reading of its contexts and units.

An instance and an inline document write these in the same elements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from node.assessment.statements.errors import StatementFileError

XBRL_BYTES_MAX = 16 * 2**20
TEXT_CHARS_MAX = 200  # of a value that may be a number; longer ones are notes
INSTANCE = "http://www.xbrl.org/2003/instance"
DIMENSIONS = "http://xbrl.org/2006/xbrldi"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9:.]{1,16}))?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)


@dataclass(slots=True, kw_only=True)
class Context:
    """Of whom and of when a fact is; an instant has no begin."""

    entity: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    has_dimensions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One item: namespace and name of its element, its value as text, and where it stands.

    ``fault`` names the finding that it is where its text could not be made a value.
    """

    namespace: str
    name: str
    context: str
    unit: str
    decimals: str
    text: str
    line: int
    column: int
    fault: str = ""
    remark: str = ""
    """What the fault is about: a format, a scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something of the whole file that is said beside its facts."""

    code: str
    detail: str
    line: int | None = None
    column: int | None = None


@dataclass(slots=True, kw_only=True)
class Instance:
    """A whole file; a unit is its one measure, empty where it is a quotient.

    ``doubled`` are contexts that stand twice and say different things.
    """

    contexts: dict[str, Context] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    doubled: set[str] = field(default_factory=set)
    oddities: list[Oddity] = field(default_factory=list)


class PartsReader:
    """Reads contexts and units from a parser's events, wherever they stand."""

    def __init__(self, instance: Instance) -> None:
        """Fill an instance."""
        self._instance = instance
        self._context = Context()
        self._context_id = self._unit_id = ""
        self._measures: list[str] = []

    def start(self, space: str, name: str, attributes: dict[str, str]) -> None:
        """Take the begin of an element."""
        if space == INSTANCE and name == "context":
            self._context, self._context_id = Context(), attributes.get("id", "")
        elif space == INSTANCE and name == "unit":
            self._unit_id, self._measures = attributes.get("id", ""), []
        elif space == DIMENSIONS or (space == INSTANCE and name in {"segment", "scenario"}):
            self._context.has_dimensions = True

    def end(self, name: str, text: str) -> None:
        """Take the end of an element of the instance's namespace.

        Raises:
            StatementFileError: It holds a day that is none.
        """
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
                self._keep_context()
            case "unit":
                is_plain = len(self._measures) == 1
                self._instance.units[self._unit_id] = self._measures[0] if is_plain else ""
            case _:
                pass

    def _keep_context(self) -> None:
        there = self._instance.contexts.get(self._context_id)
        if there is not None and there != self._context:
            self._instance.doubled.add(self._context_id)
        self._instance.contexts[self._context_id] = self._context


def split_name(tag: str) -> tuple[str, str]:
    """Return the namespace and the name of an element as the parser writes it."""
    space, _, name = tag.rpartition("}")
    return space.removeprefix("{"), name


def is_nil(attributes: dict[str, str]) -> bool:
    """Tell whether an element says that it has no value."""
    return attributes.get(_NIL) in {"true", "1"}


def find_place(parser: object) -> tuple[int, int]:
    """Return the line and column at which a parser is."""
    line = int(getattr(parser, "CurrentLineNumber", 0))
    return line, int(getattr(parser, "CurrentColumnNumber", 0)) + 1


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
