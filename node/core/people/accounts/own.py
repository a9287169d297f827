"""What a person does with its own account: its password and its second factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.people.accounts.admission import Admission
from node.core.people.accounts.attempts import SECOND_MS, Attempts, Key, Knocker, record_act
from node.core.people.accounts.codes import (
    RECOVERY_BYTES,
    RECOVERY_CODES,
    build_code_key,
    format_recovery,
    hash_recovery,
    take_code,
)
from node.core.people.accounts.errors import (
    AccountNotFoundError,
    CodeInvalidError,
    FactorStateError,
    SignInRefusedError,
)
from node.core.people.accounts.passwords import PasswordHasher, check_password
from node.core.people.accounts.records import AccountRecord, AccountState, SessionRecord
from node.core.people.accounts.rules_delay import NAME_FREE, build_key
from node.core.people.accounts.service import CODE_BYTES, CODE_PREFIX
from node.core.people.accounts.sessions import Sessions, SignedIn
from node.core.people.accounts.sign_in import SignInService, get_facts
from node.core.people.accounts.store import AccountStore, SessionStore
from node.core.people.accounts.totp import SECRET_BYTES, build_uri, find_step, format_secret
from node.core.people.service import Principal, SessionFacts
from protocol.encoding import decode_b64u, sha256
from protocol.errors import MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFactor:
    """A second factor that waits for its first code; the secret is shown this once."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorAdded:
    """A second factor that is confirmed: recovery codes, shown once, and the new session."""

    recovery_codes: tuple[str, ...] = field(repr=False)
    session: SignedIn


class OwnAccount:
    """The use cases of an account's own person."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        hasher: PasswordHasher,
        sessions: Sessions,
        sign_in: SignInService,
        admission: Admission,
        issuer: str,
    ) -> None:
        """Take the ports; ``issuer`` is how an app names this node."""
        self._admission = admission
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes
        self._hasher = hasher
        self._sessions = sessions
        self._sign_in = sign_in
        self._issuer = issuer
        self._attempts = Attempts(database=database, clock=clock)

    def find_invited(self, code: str) -> AccountRecord:
        """Return the account that a one-time code is for.

        Raises:
            CodeInvalidError: It is none, was used, or its time is over.
        """
        with self._database.read() as uow:
            return self._get_invited(uow, code)

    def accept(self, code: str, password: str) -> AccountRecord:
        """Set a password by a one-time code, which is used by that; the account is active then.

        Raises:
            CodeInvalidError: The code is none, was used, or its time is over.
            PasswordUnfitError: The password is too short, too long or a name.
            SignInBusyError: Too many passwords are worked on at this moment.
        """
        found = self.find_invited(code)
        check_password(password, login=found.login, name=found.name)
        with self._admission.enter(is_known=True):  # By the code: nobody guesses that.
            kept = self._hasher.hash(password)  # Before the transaction: it takes its time.
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            account = self._get_invited(uow, code)
            AccountStore(uow.connection).change(
                account.account_id,
                state=AccountState.ACTIVE.value,
                password=kept,
                code_hash=None,
                code_expires_at_ms=None,
            )
            SessionStore(uow.connection).end_all(account.account_id, at_ms=now_ms)
            knocker = Knocker(who=account.who, name=account.name, target="password by code")
            record_act(uow, knocker, what="own-account", at_ms=now_ms)
        return account

    def change_password(self, principal: Principal, *, former: str, password: str) -> SignedIn:
        """Set another password; all other sessions end, and this one has another secret.

        Raises:
            AccountNotFoundError: A token has none, or the account is not active any more.
            SignInBusyError: Too many passwords are worked on at this moment.
            SignInRefusedError: The former password is wrong, or the session is over.
            SignInTooSoonError: After so many failures one waits.
            PasswordUnfitError: The new one is too short, too long or a name.
        """
        with self._admission.enter(is_known=True):
            account = self._check_former(principal, former)
            check_password(password, login=account.login, name=account.name)
            kept = self._hasher.hash(password)
        facts, now_ms = get_facts(principal), self._clock.now_ms()
        with self._database.write() as uow:
            session = self._get_unchanged(uow, facts, account)
            AccountStore(uow.connection).change(account.account_id, password=kept)
            SessionStore(uow.connection).end_all(
                account.account_id, at_ms=now_ms, but=session.session_id
            )
            self._record(uow, principal, "password")
            return self._sign_in.rotate(
                uow,
                session,
                factor_at_ms=session.factor_at_ms,
                began_at_ms=session.created_at_ms,
                role=session.role,
            )

    def begin_factor(self, principal: Principal, *, password: str) -> NewFactor:
        """Make the secret of a second factor; its first code confirms it.

        Raises:
            AccountNotFoundError: A token has none, or the account is not active any more.
            FactorStateError: There is one already.
            SignInBusyError: Too many passwords are worked on at this moment.
            SignInRefusedError: The password is wrong, or the session is over.
            SignInTooSoonError: After so many failures one waits.
        """
        with self._admission.enter(is_known=True):
            account = self._check_former(principal, password)
        secret, now_ms = self._random_bytes(SECRET_BYTES), self._clock.now_ms()
        with self._database.write() as uow:
            self._get_unchanged(uow, get_facts(principal), account)
            store = AccountStore(uow.connection)
            before = store.find_factor(account.account_id)
            if before is not None and before.confirmed_at_ms is not None:
                raise FactorStateError("this account has a second factor: remove it first")
            store.put_factor(account.account_id, secret, at_ms=now_ms)
            self._record(uow, principal, "factor begun")
        return NewFactor(
            secret=format_secret(secret),
            uri=build_uri(secret, login=account.login, issuer=self._issuer),
        )

    def confirm_factor(self, principal: Principal, code: str) -> FactorAdded:
        """Confirm a second factor by its first code; the session goes on under another secret.

        Raises:
            AccountNotFoundError: A token has no account.
            FactorStateError: None is begun, or it is confirmed already.
            SignInRefusedError: The code is wrong, or the session is over.
            SignInTooSoonError: After so many failures one waits.
        """
        facts, keys = self._begin_code(principal)
        codes, now_ms = self._draw_recovery(), self._clock.now_ms()
        is_right = False
        with self._database.write() as uow:
            store = AccountStore(uow.connection)
            factor = store.find_factor(facts.account_id)
            if factor is None or factor.confirmed_at_ms is not None:
                raise FactorStateError("no second factor waits to be confirmed")
            session = self._sessions.find_open_within(uow, facts)
            step = find_step(
                factor.secret, code, now_s=now_ms // SECOND_MS, after_step=factor.last_step
            )
            if session is not None and step is not None:
                is_right = store.use_step(facts.account_id, step)
            if is_right and session is not None:
                store.confirm_factor(facts.account_id, at_ms=now_ms)
                store.put_recovery(facts.account_id, map(hash_recovery, codes))
                self._attempts.succeed(uow, keys)
                SessionStore(uow.connection).end_all(
                    facts.account_id, at_ms=now_ms, but=facts.session_id
                )
                self._record(uow, principal, "factor confirmed")
                rotated = self._sign_in.rotate(
                    uow,
                    session,
                    factor_at_ms=now_ms,
                    began_at_ms=session.created_at_ms,
                    role=session.role,
                )
                return FactorAdded(recovery_codes=codes, session=rotated)
        raise SignInRefusedError("this code is none of this moment")

    def renew_recovery(self, principal: Principal, code: str) -> tuple[str, ...]:
        """Return new recovery codes in the place of all before.

        Raises:
            AccountNotFoundError: A token has no account.
            SignInRefusedError: The code is wrong, or the session is over.
            SignInTooSoonError: After so many failures one waits.
        """
        codes = self._draw_recovery()
        with self._taking_code(principal, code) as (uow, session):
            hashes = map(hash_recovery, codes)
            AccountStore(uow.connection).put_recovery(session.account_id, hashes)
            self._record(uow, principal, "recovery codes")
        return codes

    def remove_factor(self, principal: Principal, code: str) -> SignedIn:
        """Remove one's second factor: all other sessions end, and this one has another secret.

        Who approves then does so no more.

        Raises:
            AccountNotFoundError: A token has no account.
            SignInRefusedError: The code is wrong, or the session is over.
            SignInTooSoonError: After so many failures one waits.
        """
        now_ms = self._clock.now_ms()
        with self._taking_code(principal, code) as (uow, session):
            AccountStore(uow.connection).remove_factor(session.account_id)
            SessionStore(uow.connection).end_all(
                session.account_id, at_ms=now_ms, but=session.session_id
            )
            self._record(uow, principal, "factor removed")
            return self._sign_in.rotate(
                uow,
                session,
                factor_at_ms=None,
                began_at_ms=session.created_at_ms,
                role=session.role,
            )

    def count_recovery(self, principal: Principal) -> int:
        """Return how many recovery codes are left.

        Raises:
            AccountNotFoundError: A token has no account.
        """
        with self._database.read() as uow:
            return AccountStore(uow.connection).count_recovery(get_facts(principal).account_id)

    @contextmanager
    def _taking_code(
        self, principal: Principal, code: str
    ) -> Iterator[tuple[UnitOfWork, SessionRecord]]:
        """Open the transaction of what a right code of a session that is still open allows."""
        facts, keys = self._begin_code(principal)
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            session = self._sessions.find_open_within(uow, facts)
            if session is None or not take_code(uow, facts.account_id, code, now_ms=now_ms):
                raise SignInRefusedError("this code is none of this moment, or was used")
            self._attempts.succeed(uow, keys)
            yield uow, session

    def _begin_code(self, principal: Principal) -> tuple[SessionFacts, list[Key]]:
        facts = get_facts(principal)
        keys = [build_code_key(facts)]
        self._attempts.begin(keys, knocker=_tell_knocker(principal, "code"))
        return facts, keys

    def _check_former(self, principal: Principal, password: str) -> AccountRecord:
        """Return the account of a session whose password this is; wrong ones make it wait."""
        facts = get_facts(principal)
        keys = [Key(key=build_key("own", str(facts.account_id)), free=NAME_FREE)]
        self._attempts.begin(keys, knocker=_tell_knocker(principal, "password"))
        with self._database.read() as uow:
            account = AccountStore(uow.connection).find(facts.account_id)
        if account is None or account.state is not AccountState.ACTIVE:
            raise AccountNotFoundError("there is no such account")
        if not self._hasher.is_match(account.password or "", password):
            raise SignInRefusedError("this is not the password")
        with self._database.write() as uow:
            self._attempts.succeed(uow, keys)
        return account

    def _get_unchanged(
        self, uow: UnitOfWork, facts: SessionFacts, account: AccountRecord
    ) -> SessionRecord:
        """Return a session that is open, of an account as it was when the password was looked at.

        Raises:
            SignInRefusedError: One of them is over or changed.
        """
        session = self._sessions.find_open_within(uow, facts)
        if session is None or AccountStore(uow.connection).find(facts.account_id) != account:
            raise SignInRefusedError("this session is over")
        return session

    def _get_invited(self, uow: UnitOfWork, code: str) -> AccountRecord:
        found = AccountStore(uow.connection).find_by_code(_hash_code(code))
        now_ms = self._clock.now_ms()
        is_open = (
            found is not None
            and found.state is AccountState.INVITED
            and found.code_expires_at_ms is not None
            and found.code_expires_at_ms > now_ms
        )
        if found is None or not is_open:
            raise CodeInvalidError("this code is none, was used, or its time is over")
        return found

    def _draw_recovery(self) -> tuple[str, ...]:
        return tuple(
            format_recovery(self._random_bytes(RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)
        )

    def _record(self, uow: UnitOfWork, principal: Principal, target: str) -> None:
        knocker = _tell_knocker(principal, target)
        record_act(uow, knocker, what="own-account", at_ms=self._clock.now_ms())


def _hash_code(code: str) -> bytes:
    text = code.strip()
    if not text.startswith(CODE_PREFIX):
        raise CodeInvalidError("this code is none, was used, or its time is over")
    try:
        return sha256(decode_b64u(text.removeprefix(CODE_PREFIX), bytes_exact=CODE_BYTES))
    except MalformedError as err:
        raise CodeInvalidError("this code is none, was used, or its time is over") from err


def _tell_knocker(principal: Principal, target: str) -> Knocker:
    return Knocker(who=principal.who, name=principal.name, target=target)
