"""Administering accounts: who has one, in which roles, and how it ends.

The administrator never knows a password: an account begins, and is set back, with a one-time code
that is handed to its person and expires. A change of any account stands in the access log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.people.accounts.attempts import Knocker, record_act
from node.core.people.accounts.errors import (
    AccountExistsError,
    AccountInvalidError,
    AccountNotFoundError,
    AccountStateError,
)
from node.core.people.accounts.records import AccountRecord, AccountState
from node.core.people.accounts.sign_in import LOGIN_FORM
from node.core.people.accounts.store import AccountStore, SessionStore
from node.core.people.service import (
    NAME_CHARACTERS_MAX,
    OPERATOR_PRINCIPAL,
    Principal,
    Role,
)
from node.core.people.store import PeopleStore
from protocol.encoding import encode_b64u, sha256

CODE_BYTES = 32
CODE_PREFIX = "cxi_"
ACCOUNTS_LISTED_MAX = 1_000
HOUR_MS = 3_600_000
NOT_FOR_ACCOUNTS = frozenset({Role.OPERATOR, Role.AUDITOR})
"""The operator runs the machine and is no person; an auditor's limits are of its token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """A one-time code, for the account's person; it is shown once and kept nowhere."""

    account_id: int
    code: str = field(repr=False)
    expires_at_ms: int


class AccountService:
    """The use cases of whoever administers accounts."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        invitation_hours: int,
    ) -> None:
        """Take the ports; a code's life is in hours."""
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes
        self._code_life_ms = invitation_hours * HOUR_MS

    def invite(
        self,
        *,
        login: str,
        name: str,
        roles: Sequence[Role],
        by: Principal = OPERATOR_PRINCIPAL,
    ) -> NewCode:
        """Make an account for a person and return the code that opens it.

        Raises:
            AccountInvalidError: Login, name or roles are none that an account has.
            AccountExistsError: The login is taken, or the person has an account.
        """
        login, held = login.strip().casefold(), check_roles(roles)
        if not LOGIN_FORM.fullmatch(login):
            raise AccountInvalidError("a login has 3 to 64 of a-z, 0-9 and . _ @ -")
        if not name.isprintable() or not 0 < len(name.strip()) <= NAME_CHARACTERS_MAX:
            raise AccountInvalidError(f"a name of 1 to {NAME_CHARACTERS_MAX} printable characters")
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            store = AccountStore(uow.connection)
            if store.find_by_login(login) is not None:
                raise AccountExistsError(f"the login {login} is taken")
            person_id = PeopleStore(uow.connection).bind_person(name.strip(), at_ms=now_ms)
            if person_id is None:
                raise AccountInvalidError("a name has letters")
            if (other := store.find_of_person(person_id)) is not None:
                raise AccountExistsError(f"{other.name} has the account {other.login}")
            code, code_hash = self._draw_code()
            account_id = store.add(
                person_id=person_id,
                login=login,
                roles=held,
                code_hash=code_hash,
                code_expires_at_ms=now_ms + self._code_life_ms,
                at_ms=now_ms,
            )
            self._record(uow, by, account_id, "invite")
        return NewCode(account_id=account_id, code=code, expires_at_ms=now_ms + self._code_life_ms)

    def reset(self, account_id: int, *, by: Principal = OPERATOR_PRINCIPAL) -> NewCode:
        """Take an account's password away and return a code for a new one; its sessions end.

        Raises:
            AccountNotFoundError: There is none such.
            AccountStateError: It is locked or ended.
        """
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            self._get(uow, account_id, AccountState.ACTIVE, AccountState.INVITED)
            code, code_hash = self._draw_code()
            AccountStore(uow.connection).change(
                account_id,
                state=AccountState.INVITED.value,
                password=None,
                code_hash=code_hash,
                code_expires_at_ms=now_ms + self._code_life_ms,
            )
            self._end_sessions(uow, account_id)
            self._record(uow, by, account_id, "reset")
        return NewCode(account_id=account_id, code=code, expires_at_ms=now_ms + self._code_life_ms)

    def lock(self, account_id: int, *, by: Principal = OPERATOR_PRINCIPAL) -> None:
        """Let an account open nothing until it is unlocked; its sessions and its code end.

        Raises:
            AccountNotFoundError: There is none such.
            AccountStateError: It is locked or ended.
        """
        with self._database.write() as uow:
            self._get(uow, account_id, AccountState.ACTIVE, AccountState.INVITED)
            AccountStore(uow.connection).change(
                account_id,
                state=AccountState.LOCKED.value,
                code_hash=None,  # Or unlocking would bring back a link that lies about since.
                code_expires_at_ms=None,
            )
            self._end_sessions(uow, account_id)
            self._record(uow, by, account_id, "lock")

    def unlock(self, account_id: int, *, by: Principal = OPERATOR_PRINCIPAL) -> None:
        """Let a locked account be what it was; one that had no password needs another code.

        Raises:
            AccountNotFoundError: There is none such.
            AccountStateError: It is not locked.
        """
        with self._database.write() as uow:
            found = self._get(uow, account_id, AccountState.LOCKED)
            state = AccountState.INVITED if found.password is None else AccountState.ACTIVE
            AccountStore(uow.connection).change(account_id, state=state.value)
            self._record(uow, by, account_id, "unlock")

    def end(self, account_id: int, *, by: Principal = OPERATOR_PRINCIPAL) -> None:
        """End an account for good, with its sessions, password, code and second factor.

        Raises:
            AccountNotFoundError: There is none such.
            AccountStateError: It has ended.
        """
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            self._get(
                uow, account_id, AccountState.ACTIVE, AccountState.INVITED, AccountState.LOCKED
            )
            store = AccountStore(uow.connection)
            store.change(
                account_id,
                state=AccountState.ENDED.value,
                password=None,
                code_hash=None,
                code_expires_at_ms=None,
                ended_at_ms=now_ms,
            )
            store.remove_factor(account_id)
            self._end_sessions(uow, account_id)
            self._record(uow, by, account_id, "end")

    def set_roles(
        self, account_id: int, roles: Sequence[Role], *, by: Principal = OPERATOR_PRINCIPAL
    ) -> None:
        """Give an account other roles; its sessions end, so that none has a role of before.

        Raises:
            AccountNotFoundError: There is none such.
            AccountStateError: It has ended.
            AccountInvalidError: The roles are none that an account has.
        """
        held = check_roles(roles)
        with self._database.write() as uow:
            self._get(
                uow, account_id, AccountState.ACTIVE, AccountState.INVITED, AccountState.LOCKED
            )
            AccountStore(uow.connection).set_roles(account_id, held)
            self._end_sessions(uow, account_id)
            self._record(uow, by, account_id, "roles")

    def reset_factor(self, account_id: int, *, by: Principal = OPERATOR_PRINCIPAL) -> None:
        """Take a second factor away whose person has lost it; its sessions end.

        Raises:
            AccountNotFoundError: There is none such.
            AccountStateError: It has ended.
        """
        with self._database.write() as uow:
            self._get(
                uow, account_id, AccountState.ACTIVE, AccountState.INVITED, AccountState.LOCKED
            )
            AccountStore(uow.connection).remove_factor(account_id)
            self._end_sessions(uow, account_id)
            self._record(uow, by, account_id, "factor")

    def list_accounts(self) -> list[AccountRecord]:
        """Return accounts, the newest first."""
        with self._database.read() as uow:
            return AccountStore(uow.connection).list_all(limit=ACCOUNTS_LISTED_MAX)

    def find_by_login(self, login: str) -> AccountRecord | None:
        """Return an account by its login."""
        with self._database.read() as uow:
            return AccountStore(uow.connection).find_by_login(login.strip().casefold())

    def _get(self, uow: UnitOfWork, account_id: int, *states: AccountState) -> AccountRecord:
        found = AccountStore(uow.connection).find(account_id)
        if found is None:
            raise AccountNotFoundError(f"there is no account {account_id}")
        if found.state not in states:
            raise AccountStateError(f"the account {found.login} is {found.state}")
        return found

    def _end_sessions(self, uow: UnitOfWork, account_id: int) -> None:
        SessionStore(uow.connection).end_all(account_id, at_ms=self._clock.now_ms())

    def _draw_code(self) -> tuple[str, bytes]:
        secret = self._random_bytes(CODE_BYTES)
        return f"{CODE_PREFIX}{encode_b64u(secret)}", sha256(secret)

    def _record(self, uow: UnitOfWork, by: Principal, account_id: int, step: str) -> None:
        knocker = Knocker(who=by.who, name=by.name, target=f"account {account_id} {step}")
        record_act(uow, knocker, what="enter-accounts", at_ms=self._clock.now_ms())


def check_roles(roles: Sequence[Role]) -> tuple[Role, ...]:
    """Return the roles of an account, each once; the first is the one in which it signs in.

    Raises:
        AccountInvalidError: There is none, or one that no account has.
    """
    held = tuple(dict.fromkeys(roles))
    if not held or NOT_FOR_ACCOUNTS.intersection(held):
        raise AccountInvalidError("an account has roles, and not operator or auditor")
    return held
