"""Sessions of accounts: the browser holds a secret, the store its hash.

A session has a new secret whenever its rights change (sign-in, code, another role, new password):
who has put a secret into a browser, or has read one before, has nothing of it. It ends by itself
after a time without use, and after a day's work in any case; with its account at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hmac import compare_digest, digest

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import UnavailableError
from node.core.people.accounts.records import AccountRecord, AccountState, SessionRecord
from node.core.people.accounts.store import AccountStore, SessionStore
from node.core.people.service import Principal, Role, SessionFacts
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.errors import MalformedError

SECRET_BYTES = 32
COOKIE_PREFIX = "s1."
TOUCH_MS = 60_000  # how often a use is written down
CODE_LIFE_MS = 300_000  # within which the code follows the password
SESSIONS_MAX = 1_000
KEPT_MS = 30 * 86_400_000  # of a session that is over: from where an account has come before
_CSRF_DOMAIN = b"chengxin/csrf/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLife:
    """How long a session lives."""

    idle_ms: int
    whole_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session just begun; ``cookie`` is for the browser and is kept nowhere."""

    cookie: str = field(repr=False)
    role: Role
    awaits_code: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a new session opens."""

    role: Role
    address: str
    awaits_code: bool = False
    factor_at_ms: int | None = None
    began_at_ms: int | None = None
    """When the first of the sessions began in whose place it is; now, without one."""


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        life: SessionLife,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes
        self._life = life

    def begin(self, uow: UnitOfWork, account: AccountRecord, rights: Rights) -> SignedIn:
        """Begin a session within the caller's transaction."""
        secret, now_ms = self._random_bytes(SECRET_BYTES), self._clock.now_ms()
        store = SessionStore(uow.connection)
        store.erase_old(before_ms=now_ms - KEPT_MS)
        store.add(
            session_hash=sha256(secret),
            account_id=account.account_id,
            role=rights.role,
            address=rights.address,
            awaits_code=rights.awaits_code,
            factor_at_ms=rights.factor_at_ms,
            created_at_ms=now_ms if rights.began_at_ms is None else rights.began_at_ms,
            seen_at_ms=now_ms,
        )
        cookie = f"{COOKIE_PREFIX}{encode_b64u(secret)}"
        return SignedIn(cookie=cookie, role=rights.role, awaits_code=rights.awaits_code)

    def find(self, cookie: str) -> Principal | None:
        """Return who holds a session that is in force, and note that it was used."""
        secret = _parse_cookie(cookie)
        if secret is None:
            return None
        now_ms = self._clock.now_ms()
        with self._database.read() as uow:
            session = SessionStore(uow.connection).find(sha256(secret))
            if session is None or not self._is_alive(session, now_ms=now_ms):
                return None
            account = AccountStore(uow.connection).find(session.account_id)
        if account is None or account.state is not AccountState.ACTIVE:
            return None
        if not account.is_holding(session.role):
            return None
        if now_ms - session.seen_at_ms >= TOUCH_MS:
            # A page that only reads is not held up by whoever writes: the next one notes it.
            with suppress(UnavailableError), self._database.write_if_free() as uow:
                SessionStore(uow.connection).touch(session.session_id, at_ms=now_ms)
        return _build_principal(account, session, secret)

    def find_within(self, uow: UnitOfWork, cookie: str) -> SessionRecord | None:
        """Return the session of a cookie, alive or not, within the caller's transaction."""
        secret = _parse_cookie(cookie)
        return None if secret is None else SessionStore(uow.connection).find(sha256(secret))

    def find_open_within(self, uow: UnitOfWork, facts: SessionFacts) -> SessionRecord | None:
        """Return a session if it is still open and alive, within the caller's transaction."""
        account_id, session_id = facts.account_id, facts.session_id
        found = SessionStore(uow.connection).find_open(session_id, account_id=account_id)
        is_alive = found is not None and self._is_alive(found, now_ms=self._clock.now_ms())
        return found if is_alive else None

    def list_alive(self, uow: UnitOfWork, account_id: int) -> list[SessionRecord]:
        """Return the sessions of an account that are in force, the newest first."""
        now_ms = self._clock.now_ms()
        found = SessionStore(uow.connection).list_open(account_id, limit=SESSIONS_MAX)
        return [one for one in found if self._is_alive(one, now_ms=now_ms)]

    def _is_alive(self, session: SessionRecord, *, now_ms: int) -> bool:
        if session.ended_at_ms is not None:
            return False
        if session.awaits_code and now_ms - session.created_at_ms >= CODE_LIFE_MS:
            return False
        is_idle = now_ms - session.seen_at_ms >= self._life.idle_ms
        return not is_idle and now_ms - session.created_at_ms < self._life.whole_ms


def is_csrf_of(session: SessionFacts, given: str) -> bool:
    """Tell whether a form carries the sign of a session."""
    return compare_digest(given.encode("utf-8"), session.csrf.encode("ascii"))


def _parse_cookie(cookie: str) -> bytes | None:
    if not cookie.startswith(COOKIE_PREFIX):
        return None
    try:
        return decode_b64u(cookie.removeprefix(COOKIE_PREFIX), bytes_exact=SECRET_BYTES)
    except MalformedError:
        return None


def _build_principal(account: AccountRecord, session: SessionRecord, secret: bytes) -> Principal:
    return Principal(
        who=account.who,
        name=account.name,
        role=session.role,
        scopes=frozenset(),
        session=SessionFacts(
            account_id=account.account_id,
            session_id=session.session_id,
            login=account.login,
            roles=account.roles,
            has_factor=account.has_factor,
            factor_at_ms=session.factor_at_ms,
            awaits_code=session.awaits_code,
            # Keyed with what the browser alone holds: a thief of the database cannot make it.
            csrf=encode_b64u(digest(secret, _CSRF_DOMAIN, "sha256")),
        ),
    )
