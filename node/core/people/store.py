"""All SQL of people: who they are, tokens, access log. Nothing here changes an access row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from node.core.database import is_key_of
from node.core.people.names import fold_name
from node.core.people.tables import access_log, access_token, person


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """One token as it is kept: its hash, never itself."""

    token_id: int
    hash: bytes
    person_id: int | None
    """Whose it is; none where its name has no letter or digit, which is nobody's."""
    role: str
    name: str
    scopes: tuple[str, ...]
    peer: str
    from_ms: int | None
    to_ms: int | None
    created_at_ms: int
    expires_at_ms: int
    revoked_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecord:
    """One look: who, when, what, under which scope, with what outcome."""

    access_id: int
    at_ms: int
    who: str
    name: str
    what: str
    target: str
    scope: str
    outcome: str


class PeopleStore:
    """One transaction's view of tokens and access log."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def bind_person(self, name: str, *, at_ms: int) -> int | None:
        """Return whose name this is, entered if it is new; None where it is nobody's.

        Two names of the same letters and digits are one person's.
        """
        folded = fold_name(name)
        if not folded:
            return None
        query = select(person.c.id).where(person.c.folded == folded)
        found = self._connection.execute(query).scalar_one_or_none()
        if found is not None:
            return int(found)
        result = self._connection.execute(
            insert(person).values(name=name, folded=folded, created_at_ms=at_ms)
        )
        (number,) = result.inserted_primary_key or (0,)
        return int(number)

    def add_token(self, record: TokenRecord) -> int:
        """Insert a token and return its number."""
        result = self._connection.execute(
            insert(access_token).values(
                hash=record.hash,
                person_id=record.person_id,
                role=record.role,
                name=record.name,
                scopes=" ".join(record.scopes),
                peer=record.peer,
                from_ms=record.from_ms,
                to_ms=record.to_ms,
                created_at_ms=record.created_at_ms,
                expires_at_ms=record.expires_at_ms,
                revoked_at_ms=record.revoked_at_ms,
            )
        )
        (number,) = result.inserted_primary_key or (0,)
        return int(number)

    def find_token(self, token_hash: bytes) -> TokenRecord | None:
        """Return a token by its hash."""
        query = select(access_token).where(access_token.c.hash == token_hash)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read_token(row)

    def find_token_by_id(self, token_id: int) -> TokenRecord | None:
        """Return a token by its number."""
        if not is_key_of(access_token.c.id, token_id):
            return None
        query = select(access_token).where(access_token.c.id == token_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read_token(row)

    def list_tokens(self, *, limit: int) -> list[TokenRecord]:
        """Return tokens, the newest first."""
        query = select(access_token).order_by(access_token.c.id.desc()).limit(limit)
        return [_read_token(row) for row in self._connection.execute(query)]

    def revoke_token(self, token_id: int, *, at_ms: int) -> bool:
        """Revoke a token that is not revoked yet; False where there is none."""
        if not is_key_of(access_token.c.id, token_id):
            return False
        query = (
            update(access_token)
            .where(access_token.c.id == token_id, access_token.c.revoked_at_ms.is_(None))
            .values(revoked_at_ms=at_ms)
        )
        return self._connection.execute(query).rowcount == 1

    def add_access(self, record: AccessRecord) -> None:
        """Append one look."""
        self._connection.execute(
            insert(access_log).values(
                at_ms=record.at_ms,
                who=record.who,
                name=record.name,
                what=record.what,
                target=record.target,
                scope=record.scope,
                outcome=record.outcome,
            )
        )

    def list_accesses(
        self,
        *,
        before: int | None,
        limit: int,
        who: str | None = None,
        from_ms: int | None = None,
        to_ms: int | None = None,
    ) -> list[AccessRecord]:
        """Return looks, the newest first; older than ``before``, of ``who`` where given.

        With ``from_ms`` and ``to_ms`` those of a time, its end not included.
        """
        query = select(access_log).order_by(access_log.c.id.desc()).limit(limit)
        if before is not None and is_key_of(access_log.c.id, before):
            query = query.where(access_log.c.id < before)
        if who is not None:
            query = query.where(access_log.c.who == who)
        if from_ms is not None:
            query = query.where(access_log.c.at_ms >= from_ms)
        if to_ms is not None:
            query = query.where(access_log.c.at_ms < to_ms)
        return [_read_access(row) for row in self._connection.execute(query)]

    def erase_accesses(self, *, before_ms: int, limit: int) -> int:
        """Delete the oldest looks before a moment; return how many."""
        old = (
            select(access_log.c.id)
            .where(access_log.c.at_ms < before_ms)
            .order_by(access_log.c.at_ms)
            .limit(limit)
        )
        return self._connection.execute(
            delete(access_log).where(access_log.c.id.in_(old.scalar_subquery()))
        ).rowcount


def _read_token(row: Row[Any]) -> TokenRecord:
    scopes: Sequence[str] = row.scopes.split()
    return TokenRecord(
        token_id=row.id,
        hash=bytes(row.hash),
        person_id=row.person_id,
        role=row.role,
        name=row.name,
        scopes=tuple(scopes),
        peer=row.peer,
        from_ms=row.from_ms,
        to_ms=row.to_ms,
        created_at_ms=row.created_at_ms,
        expires_at_ms=row.expires_at_ms,
        revoked_at_ms=row.revoked_at_ms,
    )


def _read_access(row: Row[Any]) -> AccessRecord:
    return AccessRecord(
        access_id=row.id,
        at_ms=row.at_ms,
        who=row.who,
        name=row.name,
        what=row.what,
        target=row.target,
        scope=row.scope,
        outcome=row.outcome,
    )
