"""Who holds which role now: by a token that is in force, or by an account that is active."""

from __future__ import annotations

from dataclasses import dataclass

from node.core.database import UnitOfWork
from node.core.people.accounts.records import AccountState
from node.core.people.accounts.store import AccountStore
from node.core.people.names import fold_name
from node.core.people.service import Role
from node.core.people.store import PeopleStore

TOKENS_MAX = 100_000
ACCOUNTS_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """That a person holds a role; ``who`` is how the token or account stands in the access log."""

    person: str
    """Its name by its letters and digits, as four eyes compare it."""
    name: str
    role: Role
    who: str


def list_held(uow: UnitOfWork, *, now_ms: int) -> list[Held]:
    """Return who holds which role now, the newest tokens first, then accounts."""
    found = [
        one
        for one in PeopleStore(uow.connection).list_tokens(limit=TOKENS_MAX)
        if one.revoked_at_ms is None and one.expires_at_ms > now_ms
    ]
    by_token = [
        Held(
            person=fold_name(one.name),
            name=one.name,
            role=Role(one.role),
            who=f"token-{one.token_id}",
        )
        for one in found
    ]
    by_account = [
        Held(person=fold_name(one.name), name=one.name, role=role, who=one.who)
        for one in AccountStore(uow.connection).list_all(limit=ACCOUNTS_MAX)
        if one.state is AccountState.ACTIVE
        for role in one.roles
    ]
    return by_token + by_account
