"""Procedures and confirmations as they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.core.people.service import Role
from node.governance.people import Holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One version of a procedure, and for whom it is."""

    version_id: int
    slug: str
    version: int
    title: str
    text: str | None
    document_sha256_hex: str | None
    roles: frozenset[Role]
    published_on: date
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """That a person has read a version."""

    version_id: int
    person: str
    name: str
    who: str
    role: Role
    confirmed_on: date
    confirmed_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who has confirmed the newest version of a procedure, of those for whom it is."""

    procedure: Procedure
    confirmed: tuple[Confirmation, ...]
    """Of those who hold a role that it names now."""
    missing: tuple[Holder, ...]

    @property
    def percent(self) -> int | None:
        """How many of a hundred have confirmed it, rounded down; None where it is for nobody."""
        count = len(self.confirmed) + len(self.missing)
        return None if count == 0 else len(self.confirmed) * 100 // count
