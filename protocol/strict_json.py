"""The JSON subset of everything signed: ASCII member names, no duplicates, no null, no fractions.

Integers lie within ±(2^53-1). In it ``json.dumps`` with sorted keys is RFC 8785 byte for byte
(docs/protocol/json.md), so that a document has one spelling. Verifiers hash stored bytes and never
re-serialise; ``parse_canonical`` refuses bytes with another spelling, which ends duplicate members
and differences between parsers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from protocol.errors import MalformedError
from protocol.limits import JSON_DEPTH_MAX, JSON_INTEGER_MAX

JsonValue: TypeAlias = "str | int | bool | list[JsonValue] | dict[str, JsonValue]"
JsonObject: TypeAlias = "dict[str, JsonValue]"

_INTEGER_CHARACTERS_MAX = 17  # sign and 16 digits; converting longer ones takes quadratic time
_INNERMOST = re.compile(r"\[\]|\{\}")
_NO_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[^"\[\]{}]+', re.DOTALL)

_type_of: Callable[[object], type[object]] = type  # for the checkers: what it returns is known


def parse_json(raw: bytes) -> JsonValue:
    """Parse one document of the subset.

    Raises:
        MalformedError: Not UTF-8, not JSON, or outside the subset.
    """
    try:
        text = raw.decode("utf-8")
        _check_depth(text)
        value = _DECODER.decode(text)
    except (UnicodeDecodeError, json.JSONDecodeError) as err:
        raise MalformedError("not JSON in UTF-8") from err
    if not _is_plain(text):
        _check_values(value)
    return value  # type: ignore[no-any-return]  # decode is untyped; the decoder's hooks saw it


def parse_object(raw: bytes) -> JsonObject:
    """Parse a document whose root is an object.

    Raises:
        MalformedError: As ``parse_json``, or the root is something else.
    """
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise MalformedError("the document is not an object")
    return value


def parse_canonical(raw: bytes) -> JsonObject:
    """Parse an object and refuse every spelling but the canonical one.

    Raises:
        MalformedError: As ``parse_object``, or re-encoding gives other bytes.
    """
    value = parse_object(raw)
    if canonical_json(value) != raw:
        raise MalformedError("the document is not in canonical form")
    return value


def canonical_json(value: JsonValue) -> bytes:
    """Encode a value of the subset as RFC 8785 would.

    Member names are ASCII, so that code point order is its UTF-16 order.

    Raises:
        MalformedError: The value is outside the subset: our own mistake, caught before signing.
    """
    _check_values(value)
    return _ENCODER.encode(value).encode("utf-8")


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedError("a member occurs twice")
    return value


def _refuse_number(_text: str) -> NoReturn:
    raise MalformedError("a number that is no integer")


def _parse_integer(text: str) -> int:
    if len(text) <= _INTEGER_CHARACTERS_MAX and text != "-0":
        value = int(text)
        if -JSON_INTEGER_MAX <= value <= JSON_INTEGER_MAX:
            return value
    raise MalformedError("an integer outside ±(2^53-1)")


def _is_plain(text: str) -> bool:
    # No string of such a text is foreign and no value null; the decoder's hooks refuse the rest.
    return text.isascii() and "\\u" not in text and "null" not in text


def _check_depth(text: str) -> None:
    # The parser recurses: bound the nesting before it does. Every pass takes the innermost pairs
    # away, so what is left after the last one was nested deeper, or is no JSON.
    if text.count("[") + text.count("{") <= JSON_DEPTH_MAX:
        return
    brackets = _NO_BRACKETS.sub("", text)
    for _ in range(JSON_DEPTH_MAX):
        brackets = _INNERMOST.sub("", brackets)
    if brackets:
        raise MalformedError(f"nested deeper than {JSON_DEPTH_MAX}, or brackets that do not match")


def _check_values(root: object) -> None:
    level: list[Any] = [root]
    for _ in range(JSON_DEPTH_MAX + 1):
        containers = _check_level(level)
        if not containers:
            return
        level = _open_containers(containers)
    raise MalformedError(f"nested deeper than {JSON_DEPTH_MAX}")


def _check_level(level: list[Any]) -> list[Any]:
    # On the path of every message: exact types, and no call for what most values are.
    containers: list[Any] = []
    for value in level:
        kind = _type_of(value)
        if kind is str:
            if not value.isascii():
                _check_text(value)
        elif kind is int:
            if not -JSON_INTEGER_MAX <= value <= JSON_INTEGER_MAX:
                raise MalformedError("an integer outside ±(2^53-1)")
        elif kind is dict or kind is list:
            containers.append(value)
        elif kind is not bool:
            raise MalformedError(f"a value of type {kind.__name__}")
    return containers


def _open_containers(containers: list[Any]) -> list[Any]:
    level: list[Any] = []
    for container in containers:
        if _type_of(container) is dict:
            for name in container:
                if type(name) is not str or not name.isascii():
                    raise MalformedError("a member name that is not ASCII")
            level.extend(container.values())
        else:
            level.extend(container)
    return level


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as err:
        raise MalformedError("a lone surrogate in a string") from err


_DECODER = json.JSONDecoder(
    object_pairs_hook=_build_object,
    parse_float=_refuse_number,
    parse_int=_parse_integer,
    parse_constant=_refuse_number,
)
# Cycles need no check of their own: _check_values has bounded the depth.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
)
