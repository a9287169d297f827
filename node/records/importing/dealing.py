"""Dealing one supplier's invoices to pseudo-members: a simulated membership on real records."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from node.records.importing.errors import OptionInvalidError

MEMBERS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """The share of pseudo-member ``index`` (from 0) of ``members``."""

    index: int
    members: int

    def __post_init__(self) -> None:
        if not 1 <= self.members <= MEMBERS_MAX or not 0 <= self.index < self.members:
            raise OptionInvalidError(f"a deal is one of 1 to {MEMBERS_MAX} members")


def member_of(document_no: str, *, members: int) -> int:
    """Return the pseudo-member (from 0) that a document is dealt to, by SHA-256 of its number."""
    digest = hashlib.sha256(document_no.encode()).digest()
    return int.from_bytes(digest[:8], "big") % members


def parse_deal(text: str) -> Deal:
    """Read ``2/5``: the second of five members.

    Raises:
        OptionInvalidError: The text is not of that form.
    """
    position, _, members = text.partition("/")
    if not (position.isascii() and position.isdigit() and members.isascii() and members.isdigit()):
        raise OptionInvalidError("a deal is written 2/5")
    return Deal(index=int(position) - 1, members=int(members))
