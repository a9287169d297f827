"""An inline XBRL document (XHTML with ``ix:nonFraction``) as facts: formats, scale, sign.

A figure's text is read as its format says and in no other way: a format that is not in the table
here makes its figure a fault and not a guess. Texts are not read; where one goes on elsewhere, only
the chain is checked. Fractions and tuples are not read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from node.assessment.statements.errors import StatementFileError
from node.assessment.statements.xbrl_parts import (
    INSTANCE,
    TEXT_CHARS_MAX,
    Fact,
    Instance,
    Oddity,
    PartsReader,
    find_place,
    is_nil,
    split_name,
)

XHTML_ROOT = "{http://www.w3.org/1999/xhtml}html"
INLINE = frozenset({"http://www.xbrl.org/2013/inlineXBRL", "http://www.xbrl.org/2008/inlineXBRL"})
INLINE_DEPTH_MAX = 128
INLINE_ELEMENTS_MAX = 1_000_000
CHAINS_MAX = 20_000  # texts that go on elsewhere
SCALE_MAX = 15
_FORMATS = re.compile(
    r"http://www\.xbrl\.org/(?:inlineXBRL/transformation/[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|2008/inlineXBRL/transformation)"
)
_SCALE = re.compile(r"-?[0-9]{1,2}")
_POINT = frozenset({"numdotdecimal", "num-dot-decimal", "numcommadot", "numspacedot"})
_COMMA = frozenset({"numcommadecimal", "num-comma-decimal", "numdotcomma", "numspacecomma"})
_DASH = frozenset({"zerodash", "numdash"})
_ZERO = frozenset({"fixed-zero"})
_DASHES = re.compile("[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_SPACES = re.compile(r"[\s\u00a0\u2009\u202f]+")
_PLAIN = re.compile(r"[0-9]{1,24}(?:\.[0-9]{1,12})?")
_GROUPED_POINT = re.compile(r"[0-9]{1,24}(?:,[0-9]{2,4}){0,8}(?:\.[0-9]{1,12})?")
_GROUPED_COMMA = re.compile(r"[0-9]{1,24}(?:\.[0-9]{2,4}){0,8}(?:,[0-9]{1,12})?")


@dataclass(slots=True, kw_only=True)
class _Open:
    """A figure whose end has not come."""

    attributes: dict[str, str]
    namespace: str
    name: str
    format: tuple[str, str]
    line: int
    column: int
    text: list[str] = field(default_factory=list)
    chars: int = 0


class InlineTarget:
    """Takes the events of an inline document."""

    def __init__(self, instance: Instance) -> None:
        """Fill an instance."""
        self._instance = instance
        self._parts = PartsReader(instance)
        self._parser: object = None
        self._prefixes: defaultdict[str, list[str]] = defaultdict(list)
        self._depth = self._count = self._excluded = 0
        self._text: list[str] = []
        self._chars = 0
        self._open: list[_Open | None] = []
        self._chains: dict[str, tuple[str, int, int]] = {}
        self._continued: set[str] = set()
        self._other_targets = 0
        self._is_inline = False

    def follow(self, parser: object) -> None:
        """Remember the parser whose place is that of each fact."""
        self._parser = parser

    def start_ns(self, prefix: str, uri: str) -> None:
        """Take a prefix."""
        self._prefixes[prefix or ""].append(uri)

    def end_ns(self, prefix: str) -> None:
        """Take that a prefix holds no longer."""
        self._prefixes[prefix or ""].pop()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the begin of an element.

        Raises:
            StatementFileError: There are too many, or they are too deep.
        """
        self._depth += 1
        self._count += 1
        if self._depth > INLINE_DEPTH_MAX or self._count > INLINE_ELEMENTS_MAX:
            raise StatementFileError(
                f"more than {INLINE_ELEMENTS_MAX} elements, or deeper than {INLINE_DEPTH_MAX}"
            )
        self._text, self._chars = [], 0
        space, name = split_name(tag)
        if space in INLINE:
            self._start_inline(name, attributes)
        else:
            self._parts.start(space, name, attributes)

    def data(self, text: str) -> None:
        """Take a piece of text, which is of every figure that is open."""
        self._chars += len(text)
        if self._chars <= TEXT_CHARS_MAX:
            self._text.append(text)
        if self._excluded:
            return
        for one in self._open:
            if one is not None:
                one.chars += len(text)
                if one.chars <= TEXT_CHARS_MAX:
                    one.text.append(text)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        text = "".join(self._text).strip() if self._chars <= TEXT_CHARS_MAX else ""
        space, name = split_name(tag)
        self._depth -= 1
        if space == INSTANCE:
            self._parts.end(name, text)
        elif space in INLINE and name == "nonFraction":
            self._end_figure(self._open.pop())
        elif space in INLINE and name == "exclude":
            self._excluded -= 1

    def finish(self) -> None:
        """Check what can be checked at the end of the file only.

        Raises:
            StatementFileError: It is a page without any inline XBRL.
        """
        if not self._is_inline:
            raise StatementFileError("a page without inline XBRL")
        for place, (following, line, column) in self._chains.items():
            if following not in self._continued:
                self._note("continuation", place or following, line, column)
        for place in self._find_circles():
            _, line, column = self._chains[place]
            self._note("continuation", place, line, column)
        if self._other_targets:
            self._note("other-target", str(self._other_targets))

    def _start_inline(self, name: str, attributes: dict[str, str]) -> None:
        self._is_inline = True
        if name == "exclude":
            self._excluded += 1
        if name == "continuation":
            self._continued.add(attributes.get("id", ""))
        if name in {"continuation", "nonNumeric", "footnote"} and "continuedAt" in attributes:
            if len(self._chains) >= CHAINS_MAX:
                raise StatementFileError(f"more than {CHAINS_MAX} texts go on elsewhere")
            key = attributes.get("id", "") or f"{attributes.get('name', '')} {len(self._chains)}"
            self._chains[key] = (attributes["continuedAt"], *find_place(self._parser))
        if name == "nonFraction":
            self._open.append(self._start_figure(attributes))

    def _start_figure(self, attributes: dict[str, str]) -> _Open | None:
        if "target" in attributes:
            self._other_targets += 1
            return None
        if is_nil(attributes):
            return None
        line, column = find_place(self._parser)
        namespace, name = self._resolve(attributes.get("name", ""))
        return _Open(
            attributes=attributes,
            namespace=namespace,
            name=name,
            format=self._resolve(attributes.get("format", "")),
            line=line,
            column=column,
        )

    def _resolve(self, text: str) -> tuple[str, str]:
        """Return namespace and name of what a prefix names, an empty namespace where none holds."""
        prefix, colon, name = text.partition(":")
        held = self._prefixes.get(prefix) if colon else None
        return (held[-1] if held else "", name if colon else text)

    def _end_figure(self, found: _Open | None) -> None:
        if found is None:
            return
        attributes = found.attributes
        text = "".join(found.text) if found.chars <= TEXT_CHARS_MAX else ""
        value, fault, remark = read_figure(
            text,
            form=found.format,
            scale=attributes.get("scale", "0"),
            sign=attributes.get("sign", ""),
        )
        self._instance.facts.append(
            Fact(
                namespace=found.namespace,
                name=found.name,
                context=attributes.get("contextRef", ""),
                unit=attributes.get("unitRef", ""),
                decimals=attributes.get("decimals", "INF"),
                text=value,
                line=found.line,
                column=found.column,
                fault=fault,
                remark=remark,
            )
        )

    def _find_circles(self) -> list[str]:
        """Return the texts from which one comes to the same text again; each is looked at once."""
        circles: list[str] = []
        done: set[str] = set()
        for first in self._chains:
            trail: list[str] = []
            place = first
            while place in self._chains and place not in done:
                done.add(place)
                trail.append(place)
                place = self._chains[place][0]
            if place in trail:
                circles.append(place)
        return circles

    def _note(
        self, code: str, detail: str, line: int | None = None, column: int | None = None
    ) -> None:
        self._instance.oddities.append(
            Oddity(code=code, detail=detail[:64], line=line, column=column)
        )


def read_figure(text: str, *, form: tuple[str, str], scale: str, sign: str) -> tuple[str, str, str]:
    """Return a figure as XBRL writes it; or an empty text, what is wrong and with what."""
    plain = _SPACES.sub("", text)
    digits, fault = _read_digits(plain, form)
    if fault:
        return "", fault, form[1] if fault == "fact-format" else plain[:32]
    if not _SCALE.fullmatch(scale) or abs(int(scale)) > SCALE_MAX:
        return "", "fact-scale", scale[:16]
    if sign not in {"", "-"}:
        return "", "fact-sign", sign[:16]
    amount = Decimal(digits).scaleb(int(scale))
    return f"{-amount if sign and amount else amount:f}", "", ""


def _read_digits(plain: str, form: tuple[str, str]) -> tuple[str, str]:
    """Return the plain digits of a text; or nothing, and what is wrong."""
    registry, name = form
    if not name:
        return (plain, "") if _PLAIN.fullmatch(plain) else ("", "fact-number")
    if not _FORMATS.fullmatch(registry):
        return "", "fact-format"
    if name in _POINT:
        is_figure = _GROUPED_POINT.fullmatch(plain) is not None
        return (plain.replace(",", ""), "") if is_figure else ("", "fact-number")
    if name in _COMMA:
        is_figure = _GROUPED_COMMA.fullmatch(plain) is not None
        turned = plain.replace(".", "").replace(",", ".")
        return (turned, "") if is_figure else ("", "fact-number")
    if name in _DASH:
        return ("0", "") if _DASHES.fullmatch(plain) else ("", "fact-number")
    return ("0", "") if name in _ZERO else ("", "fact-format")
