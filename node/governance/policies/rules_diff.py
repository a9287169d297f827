"""What two versions of a policy say differently, member by member. Pure.

Elements of a list are told apart by ``id``, ``grade`` or ``at`` where all have it, else by their
place. Kind, id and number of the versions are no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node.governance.policies.rules_units import AT, find_key
from protocol.strict_json import JsonObject, JsonValue

NAMING = frozenset({"kind", "id", "version"})
CHANGES_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One step into a document: a member, and which element of it where it is a list."""

    member: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference; None where a side has no such member."""

    parts: tuple[Part, ...]
    before: JsonValue | None
    after: JsonValue | None

    @property
    def path(self) -> str:
        """Write where it is: ``factors.dbt.steps.300.points_deci``."""
        return ".".join(f"{one.member}.{one.key}" if one.key else one.member for one in self.parts)


def list_changes(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """Return every difference, in the order of the new version, then what is gone."""
    changes: list[Change] = []
    # A stack, not recursion: how deep a document is, is its author's.
    waiting: list[tuple[tuple[Part, ...], JsonValue | None, JsonValue | None]] = [
        ((), _strip(before), _strip(after))
    ]
    while waiting and len(changes) < CHANGES_MAX:
        parts, left, right = waiting.pop()
        if left == right:
            continue
        pairs = list(_pair(parts, left, right))
        if pairs:
            waiting.extend(reversed(pairs))
        else:
            changes.append(Change(parts=parts, before=left, after=right))
    return tuple(changes)


def _strip(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in NAMING}


def _pair(
    parts: tuple[Part, ...], left: JsonValue | None, right: JsonValue | None
) -> Iterator[tuple[tuple[Part, ...], JsonValue | None, JsonValue | None]]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in {**right, **left}:
            yield (*parts, Part(member=name)), left.get(name), right.get(name)
    elif isinstance(left, list) and isinstance(right, list) and parts and _has_objects(left, right):
        key = find_key(left)
        key = key if key == find_key(right) else None
        sides = _index(left, key), _index(right, key)
        names = list({**sides[1], **sides[0]})
        if key == AT:  # one that went and one that came stand side by side
            names.sort(key=int)
        for name in names:
            inner = (*parts[:-1], Part(member=parts[-1].member, key=name))
            yield inner, sides[0].get(name), sides[1].get(name)


def _has_objects(left: Sequence[JsonValue], right: Sequence[JsonValue]) -> bool:
    return all(isinstance(one, dict) for one in (*left, *right))


def _index(items: Sequence[JsonValue], key: str | None) -> dict[str, JsonValue]:
    if key is None:
        return {str(number): one for number, one in enumerate(items, start=1)}
    return {str(one[key]): one for one in items if isinstance(one, dict)}
