"""Who holds which role by a token that is in force, by person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.core.database import UnitOfWork
from node.core.people.names import fold_name
from node.core.people.service import Role
from node.core.people.store import PeopleStore, TokenRecord

TOKENS_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A person: names that are one by their letters and digits, with all its roles."""

    person: str
    name: str
    roles: frozenset[Role]


def list_holders(uow: UnitOfWork, *, now_ms: int) -> list[Holder]:
    """Return who holds a role now, by name; the newest spelling stands."""
    tokens = PeopleStore(uow.connection).list_tokens(limit=TOKENS_MAX)
    return group_holders(
        one for one in tokens if one.revoked_at_ms is None and one.expires_at_ms > now_ms
    )


def group_holders(tokens: Iterable[TokenRecord]) -> list[Holder]:
    """Return the persons of some tokens, which come newest first."""
    names: dict[str, str] = {}
    roles: dict[str, set[Role]] = {}
    for one in tokens:
        person = fold_name(one.name)
        names.setdefault(person, one.name)
        roles.setdefault(person, set()).add(Role(one.role))
    return [
        Holder(person=person, name=names[person], roles=frozenset(roles[person]))
        for person in sorted(names, key=lambda key: names[key])
    ]
