"""All SQL of accounts: accounts, second factors, sessions, waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from node.core.database import is_key_of
from node.core.people.accounts.records import (
    AccountRecord,
    AccountState,
    DelayRecord,
    FactorRecord,
    SessionRecord,
)
from node.core.people.accounts.tables import (
    account,
    account_factor,
    account_recovery,
    account_session,
    sign_in_delay,
)
from node.core.people.accounts.totp import SECRET_BYTES
from node.core.people.service import Role
from node.core.people.tables import person
from protocol.encoding import decode_b64u, encode_b64u


class AccountStore:
    """One transaction's view of accounts and their second factors."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def add(
        self,
        *,
        person_id: int,
        login: str,
        roles: Sequence[Role],
        code_hash: bytes,
        code_expires_at_ms: int,
        at_ms: int,
    ) -> int:
        """Insert an invited account and return its number."""
        result = self._connection.execute(
            insert(account).values(
                person_id=person_id,
                login=login,
                state=AccountState.INVITED.value,
                roles=_format_roles(roles),
                code_hash=code_hash,
                code_expires_at_ms=code_expires_at_ms,
                created_at_ms=at_ms,
            )
        )
        (number,) = result.inserted_primary_key or (0,)
        return int(number)

    def find(self, account_id: int) -> AccountRecord | None:
        """Return an account by its number."""
        if not is_key_of(account.c.id, account_id):
            return None
        return self._find(_ACCOUNTS.where(account.c.id == account_id))

    def find_by_login(self, login: str) -> AccountRecord | None:
        """Return an account by its login."""
        return self._find(_ACCOUNTS.where(account.c.login == login))

    def find_by_code(self, code_hash: bytes) -> AccountRecord | None:
        """Return the account that a one-time code is for."""
        return self._find(_ACCOUNTS.where(account.c.code_hash == code_hash))

    def find_of_person(self, person_id: int) -> AccountRecord | None:
        """Return the account of a person that has not ended."""
        query = _ACCOUNTS.where(account.c.person_id == person_id, account.c.ended_at_ms.is_(None))
        return self._find(query)

    def list_all(self, *, limit: int) -> list[AccountRecord]:
        """Return accounts, the newest first."""
        query = _ACCOUNTS.order_by(account.c.id.desc()).limit(limit)
        return [_read_account(row) for row in self._connection.execute(query)]

    def list_passwords(self) -> list[str]:
        """Return what is kept of every password."""
        query = select(account.c.password).where(account.c.password.is_not(None))
        return list(self._connection.execute(query).scalars())

    def change(self, account_id: int, **values: object) -> None:
        """Change columns of an account."""
        self._connection.execute(update(account).where(account.c.id == account_id).values(values))

    def set_roles(self, account_id: int, roles: Sequence[Role]) -> None:
        """Give an account other roles."""
        self.change(account_id, roles=_format_roles(roles))

    def find_factor(self, account_id: int) -> FactorRecord | None:
        """Return an account's second factor, confirmed or not."""
        query = select(account_factor).where(account_factor.c.account_id == account_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return FactorRecord(
            account_id=row.account_id,
            secret=decode_b64u(row.secret, bytes_exact=SECRET_BYTES),
            last_step=row.last_step,
            confirmed_at_ms=row.confirmed_at_ms,
        )

    def put_factor(self, account_id: int, secret: bytes, *, at_ms: int) -> None:
        """Keep a new secret in the place of one that was never confirmed."""
        self.remove_factor(account_id)
        self._connection.execute(
            insert(account_factor).values(
                account_id=account_id,
                secret=encode_b64u(secret),
                last_step=0,
                created_at_ms=at_ms,
            )
        )

    def confirm_factor(self, account_id: int, *, at_ms: int) -> None:
        """Note that the first code was right."""
        self._connection.execute(
            update(account_factor)
            .where(account_factor.c.account_id == account_id)
            .values(confirmed_at_ms=at_ms)
        )

    def use_step(self, account_id: int, step: int) -> bool:
        """Take a time step; False where it, or a later one, was taken: each opens once."""
        query = (
            update(account_factor)
            .where(account_factor.c.account_id == account_id, account_factor.c.last_step < step)
            .values(last_step=step)
        )
        return self._connection.execute(query).rowcount == 1

    def remove_factor(self, account_id: int) -> None:
        """Remove a second factor and its recovery codes."""
        for table in (account_recovery, account_factor):
            self._connection.execute(delete(table).where(table.c.account_id == account_id))

    def put_recovery(self, account_id: int, hashes: Iterable[bytes]) -> None:
        """Keep new recovery codes in the place of all before."""
        self._connection.execute(
            delete(account_recovery).where(account_recovery.c.account_id == account_id)
        )
        rows = [{"account_id": account_id, "hash": one} for one in hashes]
        self._connection.execute(insert(account_recovery), rows)

    def use_recovery(self, account_id: int, code_hash: bytes, *, at_ms: int) -> bool:
        """Use a recovery code; False where there is none such, or it is used."""
        query = (
            update(account_recovery)
            .where(
                account_recovery.c.account_id == account_id,
                account_recovery.c.hash == code_hash,
                account_recovery.c.used_at_ms.is_(None),
            )
            .values(used_at_ms=at_ms)
        )
        return self._connection.execute(query).rowcount == 1

    def count_recovery(self, account_id: int) -> int:
        """Return how many recovery codes are left."""
        query = select(account_recovery.c.hash).where(
            account_recovery.c.account_id == account_id, account_recovery.c.used_at_ms.is_(None)
        )
        return len(self._connection.execute(query).all())

    def _find(self, query: Select[Any]) -> AccountRecord | None:
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read_account(row)


class SessionStore:
    """One transaction's view of sessions and of what slows guessing."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def add(
        self,
        *,
        session_hash: bytes,
        account_id: int,
        role: Role,
        address: str,
        awaits_code: bool,
        factor_at_ms: int | None,
        created_at_ms: int,
        seen_at_ms: int,
    ) -> int:
        """Insert a session and return its number."""
        result = self._connection.execute(
            insert(account_session).values(
                hash=session_hash,
                account_id=account_id,
                role=role.value,
                address=address,
                awaits_code=awaits_code,
                factor_at_ms=factor_at_ms,
                created_at_ms=created_at_ms,
                seen_at_ms=seen_at_ms,
            )
        )
        (number,) = result.inserted_primary_key or (0,)
        return int(number)

    def find(self, session_hash: bytes) -> SessionRecord | None:
        """Return a session by its hash."""
        query = select(account_session).where(account_session.c.hash == session_hash)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read_session(row)

    def find_open(self, session_id: int, *, account_id: int) -> SessionRecord | None:
        """Return a session of an account that was not ended."""
        if not is_key_of(account_session.c.id, session_id):
            return None
        query = select(account_session).where(
            account_session.c.id == session_id,
            account_session.c.account_id == account_id,
            account_session.c.ended_at_ms.is_(None),
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read_session(row)

    def list_open(self, account_id: int, *, limit: int) -> list[SessionRecord]:
        """Return an account's sessions that were not ended, the newest first."""
        query = (
            select(account_session)
            .where(
                account_session.c.account_id == account_id,
                account_session.c.ended_at_ms.is_(None),
            )
            .order_by(account_session.c.id.desc())
            .limit(limit)
        )
        return [_read_session(row) for row in self._connection.execute(query)]

    def touch(self, session_id: int, *, at_ms: int) -> None:
        """Note that a session was used."""
        self._connection.execute(
            update(account_session)
            .where(account_session.c.id == session_id)
            .values(seen_at_ms=at_ms)
        )

    def end(self, session_id: int, *, account_id: int, at_ms: int) -> bool:
        """End a session of an account; False where it has none such that is open."""
        if not is_key_of(account_session.c.id, session_id):
            return False
        query = (
            update(account_session)
            .where(
                account_session.c.id == session_id,
                account_session.c.account_id == account_id,
                account_session.c.ended_at_ms.is_(None),
            )
            .values(ended_at_ms=at_ms)
        )
        return self._connection.execute(query).rowcount == 1

    def end_all(self, account_id: int, *, at_ms: int, but: int = 0) -> int:
        """End every session of an account but perhaps one; return how many."""
        query = (
            update(account_session)
            .where(
                account_session.c.account_id == account_id,
                account_session.c.id != but,
                account_session.c.ended_at_ms.is_(None),
            )
            .values(ended_at_ms=at_ms)
        )
        return self._connection.execute(query).rowcount

    def has_come_from(self, account_id: int, address: str, *, since_ms: int) -> bool:
        """Tell whether an account has signed in from an address since a moment."""
        query = (
            select(account_session.c.id)
            .where(
                account_session.c.account_id == account_id,
                account_session.c.address == address,
                account_session.c.awaits_code.is_(False),
                account_session.c.created_at_ms >= since_ms,
            )
            .limit(1)
        )
        return self._connection.execute(query).first() is not None

    def erase_old(self, *, before_ms: int) -> None:
        """Delete sessions that began before a moment, and so have ended long ago."""
        self._connection.execute(
            delete(account_session).where(account_session.c.created_at_ms < before_ms)
        )

    def find_delays(self, keys: Sequence[str]) -> dict[str, DelayRecord]:
        """Return what has failed under some keys."""
        query = select(sign_in_delay).where(sign_in_delay.c.key.in_(keys))
        return {
            row.key: DelayRecord(
                key=row.key, failures=row.failures, next_at_ms=row.next_at_ms, is_told=row.is_told
            )
            for row in self._connection.execute(query)
        }

    def put_delay(self, record: DelayRecord, *, at_ms: int) -> None:
        """Keep what has failed under a key."""
        values = {
            "failures": record.failures,
            "next_at_ms": record.next_at_ms,
            "is_told": record.is_told,
            "last_at_ms": at_ms,
        }
        changed = self._connection.execute(
            update(sign_in_delay).where(sign_in_delay.c.key == record.key).values(values)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(sign_in_delay).values(key=record.key, **values))

    def forget_delay(self, key: str) -> None:
        """Forget what has failed under a key."""
        self._connection.execute(delete(sign_in_delay).where(sign_in_delay.c.key == key))

    def forget_old_delays(self, *, before_ms: int) -> None:
        """Forget what failed last before a moment."""
        self._connection.execute(
            delete(sign_in_delay).where(sign_in_delay.c.last_at_ms < before_ms)
        )


_ACCOUNTS = (
    select(account, person.c.name, account_factor.c.confirmed_at_ms.label("factor_confirmed"))
    .join(person, person.c.id == account.c.person_id)
    .outerjoin(account_factor, account_factor.c.account_id == account.c.id)
)


def _format_roles(roles: Sequence[Role]) -> str:
    return " ".join(role.value for role in roles)


def _read_account(row: Row[Any]) -> AccountRecord:
    return AccountRecord(
        account_id=row.id,
        person_id=row.person_id,
        name=row.name,
        login=row.login,
        state=AccountState(row.state),
        roles=tuple(Role(one) for one in row.roles.split()),
        password=row.password,
        code_hash=None if row.code_hash is None else bytes(row.code_hash),
        code_expires_at_ms=row.code_expires_at_ms,
        created_at_ms=row.created_at_ms,
        has_factor=row.factor_confirmed is not None,
    )


def _read_session(row: Row[Any]) -> SessionRecord:
    return SessionRecord(
        session_id=row.id,
        account_id=row.account_id,
        role=Role(row.role),
        address=row.address,
        awaits_code=row.awaits_code,
        factor_at_ms=row.factor_at_ms,
        created_at_ms=row.created_at_ms,
        seen_at_ms=row.seen_at_ms,
        ended_at_ms=row.ended_at_ms,
    )
