"""Who holds which role now, by person: a person's tokens and its account are one."""

from __future__ import annotations

from dataclasses import dataclass

from node.core.database import UnitOfWork
from node.core.people.holding import list_held
from node.core.people.service import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A person: names that are one by their letters and digits, with all its roles."""

    person: str
    name: str
    roles: frozenset[Role]


def list_holders(uow: UnitOfWork, *, now_ms: int) -> list[Holder]:
    """Return who holds a role now, by name; the newest spelling stands."""
    names: dict[str, str] = {}
    roles: dict[str, set[Role]] = {}
    for one in list_held(uow, now_ms=now_ms):
        names.setdefault(one.person, one.name)
        roles.setdefault(one.person, set()).add(one.role)
    return [
        Holder(person=person, name=names[person], roles=frozenset(roles[person]))
        for person in sorted(names, key=lambda key: names[key])
    ]
