"""Signing in and what a session may do with itself.

A name that does not exist, one without a password, one that is locked and a wrong password are
answered alike, after the same work: one comparison at each cost at which passwords are kept. Under
each name and from each address failures are counted; who has failed too often waits, ever longer,
and nobody is locked out: with a device that an account has signed in with, and from an address from
which it has come before, failures are counted apart, so that a stranger who guesses does not make
its owner wait (OWASP Authentication Cheat Sheet, device cookies).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.people.accounts.admission import Admission
from node.core.people.accounts.attempts import Attempts, Key, Knocker, record_act
from node.core.people.accounts.codes import build_code_key, take_code
from node.core.people.accounts.errors import (
    AccountNotFoundError,
    RoleNotHeldError,
    SignInRefusedError,
)
from node.core.people.accounts.passwords import PasswordCost, PasswordHasher
from node.core.people.accounts.records import AccountRecord, AccountState, SessionRecord
from node.core.people.accounts.rules_delay import (
    ADDRESS_FREE,
    NAME_FREE,
    build_key,
    parse_address,
)
from node.core.people.accounts.sessions import KEPT_MS, Rights, Sessions, SignedIn
from node.core.people.accounts.store import AccountStore, SessionStore
from node.core.people.service import Principal, Role, SessionFacts

AWAITS_CODE = "awaits-code"
LOGIN_FORM = re.compile(r"[a-z0-9][a-z0-9._@-]{2,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What somebody signs in with, and from where; ``former`` is the cookie that came along."""

    login: str
    password: str = field(repr=False)
    address: str
    former: str = field(default="", repr=False)
    device: str = ""
    """Of a device with which this login has signed in before, proven by whoever hands it on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Whose login it is, under what its failures are counted, and what a password is kept at."""

    account: AccountRecord | None
    keys: list[Key]
    by_cost: dict[PasswordCost, str] = field(repr=False)
    """One kept password of each cost."""


class SignInService:
    """The use cases of signing in."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        hasher: PasswordHasher,
        sessions: Sessions,
        admission: Admission,
    ) -> None:
        """Take the ports."""
        self._admission = admission
        self._database = database
        self._clock = clock
        self._hasher = hasher
        self._sessions = sessions
        self._attempts = Attempts(database=database, clock=clock)

    def sign_in(self, given: Credentials) -> SignedIn:
        """Trade name and password for a session; one that came along ends.

        Three transactions: the attempt counts before the password is looked at, and no
        transaction is open while that takes its time.

        Raises:
            SignInBusyError: Too many sign in at this moment.
            SignInRefusedError: They open no account.
            SignInTooSoonError: After so many failures one waits.
        """
        with self._admission.enter(is_known=bool(given.device)):
            return self._sign_in(given)

    def _sign_in(self, given: Credentials) -> SignedIn:
        address = parse_address(given.address)
        found = self._find(parse_login(given.login), address, device=given.device)
        account, keys = found.account, found.keys
        target = f"console from {address}"
        knocker = Knocker(target=target)
        if account is not None:
            knocker = Knocker(who=account.who, name=account.name, target=target)
        self._attempts.begin(keys, knocker=knocker)
        is_right = self._check_password(found, given.password)
        renewed = None
        if is_right and account is not None and self._hasher.is_outdated(account.password or ""):
            renewed = self._hasher.hash(given.password)
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            fresh = (
                None if account is None else AccountStore(uow.connection).find(account.account_id)
            )
            if is_right and account is not None and fresh == account:
                self._attempts.succeed(uow, keys)
                if renewed is not None:
                    AccountStore(uow.connection).change(account.account_id, password=renewed)
                return self._enter(uow, account, address=address, given=given, knocker=knocker)
            record_act(uow, knocker, what="sign-in", at_ms=now_ms, outcome=SignInRefusedError.code)
        raise SignInRefusedError("name and password open no account")

    def give_code(self, principal: Principal, code: str, *, device: str = "") -> SignedIn:
        """Take a code of the second factor; the session goes on under another secret.

        ``device`` is one with which the account has signed in before.

        Raises:
            AccountNotFoundError: A token has no account.
            SignInRefusedError: The code is wrong, was used, or the session is over.
            SignInTooSoonError: After so many failures one waits.
        """
        facts = get_facts(principal)
        knocker = Knocker(who=principal.who, name=principal.name, target="code")
        key = build_code_key(facts, device=device)
        self._attempts.begin([key], knocker=knocker)
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            session = self._sessions.find_open_within(uow, facts)
            if session is not None and take_code(uow, facts.account_id, code, now_ms=now_ms):
                self._attempts.succeed(uow, [key])
                record_act(uow, knocker, what="sign-in", at_ms=now_ms)
                began_at_ms = None if session.awaits_code else session.created_at_ms
                return self.rotate(
                    uow, session, factor_at_ms=now_ms, began_at_ms=began_at_ms, role=session.role
                )
            record_act(uow, knocker, what="sign-in", at_ms=now_ms, outcome=SignInRefusedError.code)
        raise SignInRefusedError("this code is none of this moment, or was used")

    def switch_role(self, principal: Principal, role: Role) -> SignedIn:
        """Act in another role of the account, under another secret.

        Raises:
            AccountNotFoundError: A token has no account.
            RoleNotHeldError: The account does not hold it.
            SignInRefusedError: The session is over.
        """
        facts, now_ms = get_facts(principal), self._clock.now_ms()
        if role not in facts.roles:
            raise RoleNotHeldError(f"this account is not {role}")
        knocker = Knocker(who=principal.who, name=principal.name, target=f"role {role}")
        with self._database.write() as uow:
            session = self._get(uow, facts)
            record_act(uow, knocker, what="sign-in", at_ms=now_ms)
            return self.rotate(
                uow,
                session,
                factor_at_ms=session.factor_at_ms,
                began_at_ms=session.created_at_ms,
                role=role,
            )

    def rotate(
        self,
        uow: UnitOfWork,
        session: SessionRecord,
        *,
        factor_at_ms: int | None,
        began_at_ms: int | None,
        role: Role,
    ) -> SignedIn:
        """Put a session under another secret in the place of one, within a transaction.

        Raises:
            AccountNotFoundError: There is no account of it any more.
        """
        account = AccountStore(uow.connection).find(session.account_id)
        if account is None:
            raise AccountNotFoundError("there is no such account")
        SessionStore(uow.connection).end(
            session.session_id, account_id=session.account_id, at_ms=self._clock.now_ms()
        )
        rights = Rights(
            role=role,
            address=session.address,
            factor_at_ms=factor_at_ms,
            began_at_ms=began_at_ms,
        )
        return self._sessions.begin(uow, account, rights)

    def find(self, cookie: str) -> Principal | None:
        """Return who holds a session that is in force."""
        return self._sessions.find(cookie)

    def end_brought(self, cookie: str) -> None:
        """End the session of a cookie that another sign-in replaces, if it is one of an account."""
        with self._database.write() as uow:
            self._end_former(uow, cookie)

    def list_sessions(self, principal: Principal) -> list[SessionRecord]:
        """Return the sessions of one's own account that are in force, the newest first.

        Raises:
            AccountNotFoundError: A token has no account.
        """
        with self._database.read() as uow:
            return self._sessions.list_alive(uow, get_facts(principal).account_id)

    def end_session(self, principal: Principal, session_id: int) -> None:
        """End a session of one's own account.

        Raises:
            AccountNotFoundError: There is none such that is open, or a token is used.
        """
        account_id, now_ms = get_facts(principal).account_id, self._clock.now_ms()
        with self._database.write() as uow:
            store = SessionStore(uow.connection)
            if not store.end(session_id, account_id=account_id, at_ms=now_ms):
                raise AccountNotFoundError(f"session {session_id} is none of this account")

    def end_others(self, principal: Principal) -> int:
        """End every session of one's own account but this one; return how many.

        Raises:
            AccountNotFoundError: A token has no account.
        """
        facts = get_facts(principal)
        with self._database.write() as uow:
            return SessionStore(uow.connection).end_all(
                facts.account_id, at_ms=self._clock.now_ms(), but=facts.session_id
            )

    def _find(self, login: str, address: str, *, device: str) -> _Found:
        with self._database.read() as uow:
            store = AccountStore(uow.connection)
            account, kept = store.find_by_login(login), store.list_passwords()
            is_known = account is not None and SessionStore(uow.connection).has_come_from(
                account.account_id, address, since_ms=self._clock.now_ms() - KEPT_MS
            )
        if device:
            # Nor does it wait for what else has come from its address: a whole office may.
            keys = [Key(key=build_key("device", login, device), free=NAME_FREE)]
        else:
            name = build_key("known", login, address) if is_known else build_key("name", login)
            keys = [
                Key(key=name, free=NAME_FREE),
                Key(key=build_key("address", address), free=ADDRESS_FREE, is_forgiven=False),
            ]
        by_cost = {self._hasher.read_cost(one): one for one in kept}
        return _Found(account=account, keys=keys, by_cost=by_cost)

    def _check_password(self, found: _Found, password: str) -> bool:
        """Tell whether it is the account's password, after the same work whoever is asked for.

        Costs that were raised hold from each account's next sign-in on: an account that has not
        come since would be told from none by the time that its own password takes.
        """
        account, compared, own = found.account, dict(found.by_cost), None
        if account is not None and account.state is AccountState.ACTIVE:
            own = account.password
        if own is not None:
            compared[self._hasher.read_cost(own)] = own
        matching = [one for one in compared.values() if self._hasher.is_match(one, password)]
        if not compared:
            self._hasher.hash(password)  # Nobody has one yet.
        return own is not None and own in matching

    def _enter(
        self,
        uow: UnitOfWork,
        account: AccountRecord,
        *,
        address: str,
        given: Credentials,
        knocker: Knocker,
    ) -> SignedIn:
        now_ms = self._clock.now_ms()
        self._end_former(uow, given.former)
        outcome = AWAITS_CODE if account.has_factor else "ok"
        record_act(uow, knocker, what="sign-in", at_ms=now_ms, outcome=outcome)
        rights = Rights(role=account.roles[0], address=address, awaits_code=account.has_factor)
        return self._sessions.begin(uow, account, rights)

    def _end_former(self, uow: UnitOfWork, cookie: str) -> None:
        former = self._sessions.find_within(uow, cookie)
        if former is not None:
            SessionStore(uow.connection).end(
                former.session_id, account_id=former.account_id, at_ms=self._clock.now_ms()
            )

    def _get(self, uow: UnitOfWork, facts: SessionFacts) -> SessionRecord:
        found = self._sessions.find_open_within(uow, facts)
        if found is None:
            raise SignInRefusedError("this session is over")
        return found


def parse_login(text: str) -> str:
    """Return a login as it is kept; what cannot be one is nobody's."""
    login = text.strip().casefold()
    return login if LOGIN_FORM.fullmatch(login) else ""


def get_facts(principal: Principal) -> SessionFacts:
    """Return the session of an account.

    Raises:
        AccountNotFoundError: A token is used: it has no account here.
    """
    if principal.session is None:
        raise AccountNotFoundError("a token has no account")
    return principal.session
