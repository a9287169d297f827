"""Kinds of policies whose files ship in a folder of a room and say their own id and version."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources.abc import Traversable
from typing import Protocol

from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyName


class NamedBody(Protocol):
    """What a file says of its name."""

    @property
    def id(self) -> str:
        """Which policy it is a version of."""
        ...

    @property
    def version(self) -> int:
        """The how many-th."""
        ...


class ParsedPolicy(Protocol):
    """A file as a room has read it."""

    @property
    def body(self) -> NamedBody:
        """What it says."""
        ...


def build_shipped_kind(
    name: str,
    folder: Traversable,
    *,
    parse: Callable[[bytes], ParsedPolicy],
    first: str,
    has_preview: bool = False,
) -> PolicyKind:
    """Return what is registered of a kind: every JSON file of ``folder`` ships, the oldest first.

    ``parse`` reads a file whole, or raises ``PolicyFaultyError``; ``first`` is the label of the
    preset that a new node begins with.
    """

    def parse_name(raw: bytes) -> PolicyName:
        body = parse(raw).body
        return PolicyName(kind=name, policy_id=body.id, version=body.version)

    def order(raw: bytes) -> tuple[int, str]:
        named = parse_name(raw)
        return named.version, named.policy_id

    found = [one.read_bytes() for one in folder.iterdir() if one.name.endswith(".json")]
    return PolicyKind(
        name=name,
        parse=parse_name,
        presets=sorted(found, key=order),
        first=first,
        has_preview=has_preview,
    )
