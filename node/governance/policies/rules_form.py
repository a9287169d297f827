"""A policy as fields that are edited, and fields as a policy again. Pure.

Every number, text and choice is a field, named by its place; the steps of a table are one field,
``0: 20.0; 50: 16.5``, so that steps can be added and taken away. What names a version or factor
is no field. The whole is checked by the room's parser.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from node.core.policies.errors import PolicyFault
from node.governance.policies.rules_units import (
    AT,
    Place,
    find_key,
    format_number,
    parse_number,
)
from protocol.strict_json import JsonObject, JsonValue

FIELDS_MAX = 2_000
_FIXED = frozenset({"kind", "id", "version", "formula"})
_STEP_MEMBERS = 2
_SPLIT = re.compile(r"[;\n\uff1b]")
_WORDS = re.compile(r"[,\s\uff0c]+")


class FieldKind(StrEnum):
    """How a field is typed."""

    NUMBER = "number"
    TEXT = "text"
    FLAG = "flag"
    STEPS = "steps"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyField:
    """One field: where it stands, and what it says now."""

    place: Place
    kind: FieldKind
    value: str

    @property
    def name(self) -> str:
        """Its name in a form: ``factors.1.steps``."""
        return ".".join(str(part) for part in self.place)

    @property
    def group(self) -> Place:
        """What it is shown with: one factor, one grade, one top member."""
        has_list = len(self.place) > 1 and isinstance(self.place[1], int)
        return self.place[:2] if has_list else self.place[:1]


def list_fields(document: JsonObject) -> tuple[PolicyField, ...]:
    """Return the fields of a policy in the order of its file."""
    found: list[PolicyField] = []
    waiting: list[tuple[Place, JsonValue]] = [((), document)]
    while waiting and len(found) < FIELDS_MAX:
        place, value = waiting.pop()
        field = _build_field(place, value)
        if field is not None:
            found.append(field)
        else:
            waiting.extend(reversed(list(_list_inner(place, value))))
    return tuple(found)


def apply_fields(
    document: JsonObject, typed: Mapping[str, str]
) -> tuple[JsonObject, tuple[PolicyFault, ...]]:
    """Return the policy with what was typed, and what could not be read."""
    changed = copy.deepcopy(document)
    faults: list[PolicyFault] = []
    for field in list_fields(document):
        if field.name not in typed:
            continue
        value = _read(field, typed[field.name], _get(document, field.place))
        if value is None:
            faults.append(PolicyFault(place=field.place, message=f"not a {field.kind.value}"))
        else:
            _set(changed, field.place, value)
    return changed, tuple(faults)


def find_field(document: JsonObject, path: str) -> PolicyField | None:
    """Return the field that a person names: ``factors.dbt.steps``, ``grades.BBB.from_deci``."""
    named = {_name_by_keys(document, field.place): field for field in list_fields(document)}
    by_place = {field.name: field for field in list_fields(document)}
    return named.get(path) or by_place.get(path)


def find_owner(fields: Mapping[str, PolicyField], fault: PolicyFault) -> str:
    """Return the name of the field that a fault is shown at; empty: at the whole form."""
    for length in range(len(fault.place), 0, -1):
        name = ".".join(str(part) for part in fault.place[:length])
        if name in fields:
            return name
    return next((name for name, one in fields.items() if one.group == fault.place), "")


def _build_field(place: Place, value: JsonValue) -> PolicyField | None:
    match value:
        case bool():
            return PolicyField(place=place, kind=FieldKind.FLAG, value="yes" if value else "no")
        case int():
            return PolicyField(
                place=place, kind=FieldKind.NUMBER, value=format_number(value, place)
            )
        case str():
            return PolicyField(place=place, kind=FieldKind.TEXT, value=value)
        case list() if _is_steps(value):
            return PolicyField(place=place, kind=FieldKind.STEPS, value=_write_steps(value, place))
        case list() if all(isinstance(one, str) for one in value):
            words = ", ".join(str(one) for one in value)
            return PolicyField(place=place, kind=FieldKind.WORDS, value=words)
        case _:
            return None


def _list_inner(place: Place, value: JsonValue) -> Iterator[tuple[Place, JsonValue]]:
    if isinstance(value, dict):
        yield from (((*place, name), one) for name, one in value.items() if name not in _FIXED)
    elif isinstance(value, list):
        yield from (((*place, number), one) for number, one in enumerate(value))


def _is_steps(value: list[JsonValue]) -> bool:
    return bool(value) and all(
        isinstance(one, dict)
        and len(one) == _STEP_MEMBERS
        and AT in one
        and all(type(number) is int for number in one.values())
        for one in value
    )


def _write_steps(value: list[Any], place: Place) -> str:
    member = _step_member(value)
    return "; ".join(f"{one[AT]}: {format_number(one[member], (*place, member))}" for one in value)


def _step_member(value: list[Any]) -> str:
    (member,) = set(value[0]) - {AT}
    return str(member)


def _read(field: PolicyField, text: str, former: JsonValue) -> JsonValue | None:
    match field.kind:
        case FieldKind.NUMBER:
            return parse_number(text, field.place)
        case FieldKind.FLAG:
            return {"yes": True, "no": False}.get(text)
        case FieldKind.TEXT:
            return text.strip() or None
        case FieldKind.WORDS:
            return [word for word in _WORDS.split(text.strip()) if word]
        case FieldKind.STEPS:
            return _read_steps(text, field.place, former if isinstance(former, list) else [])


def _read_steps(text: str, place: Place, former: list[Any]) -> JsonValue | None:
    member = _step_member(former)
    steps: list[JsonValue] = []
    for line in filter(None, (part.strip() for part in _SPLIT.split(text))):
        left, _, right = line.replace("\uff1a", ":").partition(":")
        at = parse_number(left, (AT,))
        value = parse_number(right, (*place, member))
        if at is None or value is None:
            return None
        steps.append({AT: at, member: value})
    return steps or None


def _get(document: JsonObject, place: Place) -> JsonValue:
    found: Any = document
    for part in place:
        found = found[part]
    return found  # type: ignore[no-any-return]  # the place is one of the document's own


def _set(document: JsonObject, place: Place, value: JsonValue) -> None:
    inner: Any = document
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value


def _name_by_keys(document: JsonObject, place: Place) -> str:
    names: list[str] = []
    found: Any = document
    for part in place:
        key = find_key(found) if isinstance(found, list) else None
        names.append(str(part) if key is None else str(found[part][key]))
        found = found[part]
    return ".".join(names)
