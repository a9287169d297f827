"""Which members belong together: companies of one group, as the operator states it."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.errors import IdentifierError
from protocol.identifiers import parse_member_id

GROUPS_MAX = 100
MEMBERS_MAX = 100  # of one group


def parse_member_groups(text: str) -> Mapping[str, str]:
    """Read groups, ``;`` between them, blanks between members; return each member's group.

    A group is named by its first member in the order of the alphabet.

    Raises:
        ValueError: A name is none of a member, a member stands twice, or a group has one member.
    """
    groups: dict[str, str] = {}
    parts = [part.split() for part in text.split(";") if part.strip()]
    if len(parts) > GROUPS_MAX:
        raise ValueError(f"more than {GROUPS_MAX} groups")
    for members in parts:
        if not 1 < len(members) <= MEMBERS_MAX:
            raise ValueError(f"a group has 2 to {MEMBERS_MAX} members")
        for member in members:
            if _parse(member) in groups:
                raise ValueError(f"{member} stands twice")
            groups[member] = min(members)
    return groups


def _parse(member: str) -> str:
    try:
        return parse_member_id(member)
    except IdentifierError as err:
        raise ValueError(err.detail) from err
