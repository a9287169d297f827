"""Tokens for people who may look, and the log of each look.

A token is 32 random bytes and is shown once; its SHA-256 is stored. A look by an auditor, and every
opening of a body by anybody, is one transaction with its row in the access log: where the row
cannot be written, nothing is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hmac import compare_digest
from typing import TypeVar

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import (
    ForbiddenError,
    NodeError,
    NotAuthenticatedError,
    NotFoundError,
    RejectedError,
)
from node.core.people.store import AccessRecord, PeopleStore, TokenRecord
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.errors import MalformedError, ProtocolError

TOKEN_BYTES = 32
TOKEN_PREFIX = "cxa_"  # noqa: S105  what a scanner for leaked secrets can look for
TOKEN_LIFE_S_MAX = 366 * 86_400
NAME_CHARACTERS_MAX = 120
TARGET_CHARACTERS_MAX = 300
TOKENS_LISTED_MAX = 200
ACCESSES_PAGE_MAX = 200
ACCESSES_AT_ONCE = 1_000
DAY_MS = 86_400_000
REFUSAL_PAUSE_MS = 60_000
OUTCOME_OK = "ok"
OPERATOR = "operator"
ACCOUNT_PREFIX = "account-"
_LIFE = re.compile(r"^([1-9][0-9]{0,4})([hd])$")
_UNIT_S = {"h": 3_600, "d": 86_400}
T = TypeVar("T")


class Role(StrEnum):
    """What a person is here for."""

    OPERATOR = "operator"
    CREDIT_MANAGER = "credit-manager"
    ANALYST = "analyst"
    CFO = "cfo"
    COLLECTOR = "collector"
    STEWARD = "steward"
    SALES = "sales"
    AUDITOR = "auditor"


class Scope(StrEnum):
    """What a token may see beyond hashes, codes and envelopes."""

    BODIES = "bodies"
    SUBJECTS = "subjects"


class TokenExpiredError(NotAuthenticatedError):
    """The token's time is over."""

    code = "token-expired"


class TokenRevokedError(NotAuthenticatedError):
    """The token was revoked."""

    code = "token-revoked"


class TokenInvalidError(RejectedError):
    """A token of this kind is not made: its name, life or limits are wrong."""

    code = "token-invalid"


class TokenNotFoundError(NotFoundError):
    """There is no token of this number that is not revoked."""

    code = "token-not-found"


class OutOfScopeError(ForbiddenError):
    """The token does not reach this far."""

    code = "out-of-scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """The session of an account by which somebody is here."""

    account_id: int
    session_id: int
    login: str
    roles: tuple[Role, ...]
    """All that the account holds; it acts in one of them at a time."""
    has_factor: bool
    factor_at_ms: int | None
    """When a code of the second factor was last given in this session."""
    awaits_code: bool
    """Whether the code is still asked for: such a session opens no page but that."""
    csrf: str = field(repr=False)
    """What each form of this session carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who looks, and how far."""

    who: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    peer: str = ""
    from_ms: int | None = None
    to_ms: int | None = None
    token_id: int = 0
    token_hash: bytes = field(default=b"", repr=False)
    session: SessionFacts | None = None
    """Of an account; none where a token is used."""

    @property
    def is_limited(self) -> bool:
        """Whether only some peers or times may be seen."""
        return bool(self.peer) or self.from_ms is not None or self.to_ms is not None

    def has_scope(self, scope: Scope) -> bool:
        """Tell whether a scope was given."""
        return scope in self.scopes

    def reaches_time(self, at_ms: int) -> bool:
        """Tell whether this moment may be seen."""
        is_early = self.from_ms is not None and at_ms < self.from_ms
        return not (is_early or (self.to_ms is not None and at_ms >= self.to_ms))

    def reaches_peer(self, *peers: str) -> bool:
        """Tell whether what concerns these members may be seen."""
        return not self.peer or self.peer in peers

    def check_scope(self, scope: Scope) -> None:
        """Check that a scope was given.

        Raises:
            OutOfScopeError: It was not.
        """
        if not self.has_scope(scope):
            raise OutOfScopeError(f"this needs a token with the scope {scope.value}")

    def check_reach(self, *peers: str, at_ms: int) -> None:
        """Check that something of these members and this moment may be seen.

        Raises:
            OutOfScopeError: It may not.
        """
        if not (self.reaches_peer(*peers) and self.reaches_time(at_ms)):
            raise OutOfScopeError("this token is for another member or another time")


OPERATOR_PRINCIPAL = Principal(
    who=OPERATOR, name=OPERATOR, role=Role.OPERATOR, scopes=frozenset(Scope)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token just made; ``token`` is shown to its holder and kept nowhere."""

    token_id: int
    token: str = field(repr=False)
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What somebody is about to see; ``scope`` is the one it needs, if any."""

    what: str
    target: str
    scope: Scope | None = None


class PeopleService:
    """Makes, lists, revokes and recognises tokens; records looks."""

    def __init__(
        self, *, database: Database, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes
        self._refused_at_ms: dict[int, int] = {}  # by token: bounded by the tokens made

    def create_token(
        self,
        *,
        role: Role,
        name: str,
        life_s: int,
        scopes: frozenset[Scope] = frozenset(),
        peer: str = "",
        from_ms: int | None = None,
        to_ms: int | None = None,
    ) -> NewToken:
        """Make a token.

        Raises:
            TokenInvalidError: Name, life or limits are wrong, or it is for the operator; scopes and
                limits are an auditor's alone.
        """
        if role is Role.OPERATOR:
            raise TokenInvalidError("the operator's token is the file api_token")
        is_limited = bool(scopes or peer) or from_ms is not None or to_ms is not None
        if is_limited and role is not Role.AUDITOR:
            raise TokenInvalidError("scopes, a member and days limit an auditor's token alone")
        if not name.isprintable() or not 0 < len(name.strip()) <= NAME_CHARACTERS_MAX:
            raise TokenInvalidError(f"a name of 1 to {NAME_CHARACTERS_MAX} printable characters")
        if not 0 < life_s <= TOKEN_LIFE_S_MAX:
            raise TokenInvalidError(f"a life of at most {TOKEN_LIFE_S_MAX} s")
        if from_ms is not None and to_ms is not None and from_ms >= to_ms:
            raise TokenInvalidError("the time that it may see is empty")
        secret = self._random_bytes(TOKEN_BYTES)
        now_ms = self._clock.now_ms()
        record = TokenRecord(
            token_id=0,
            hash=sha256(secret),
            person_id=None,
            role=role.value,
            name=name.strip(),
            scopes=tuple(sorted(scope.value for scope in scopes)),
            peer=peer,
            from_ms=from_ms,
            to_ms=to_ms,
            created_at_ms=now_ms,
            expires_at_ms=now_ms + life_s * 1000,
            revoked_at_ms=None,
        )
        with self._database.write() as uow:
            store = PeopleStore(uow.connection)
            person_id = store.bind_person(record.name, at_ms=now_ms)
            token_id = store.add_token(replace(record, person_id=person_id))
        token = f"{TOKEN_PREFIX}{encode_b64u(secret)}"
        return NewToken(token_id=token_id, token=token, expires_at_ms=record.expires_at_ms)

    def list_tokens(self) -> list[TokenRecord]:
        """Return tokens, the newest first."""
        with self._database.read() as uow:
            return PeopleStore(uow.connection).list_tokens(limit=TOKENS_LISTED_MAX)

    def revoke_token(self, token_id: int) -> None:
        """Revoke a token at once; sessions that it bought end with it.

        Raises:
            TokenNotFoundError: None of this number is in force.
        """
        with self._database.write() as uow:
            if not PeopleStore(uow.connection).revoke_token(token_id, at_ms=self._clock.now_ms()):
                raise TokenNotFoundError(f"no token {token_id} is in force")

    def get_principal(self, token: str) -> Principal:
        """Return whose token this is.

        Raises:
            NotAuthenticatedError: It is none of ours.
            TokenExpiredError: Its time is over.
            TokenRevokedError: It was revoked.
        """
        token_hash = sha256(_parse_token(token))
        with self._database.read() as uow:
            record = PeopleStore(uow.connection).find_token(token_hash)
        if record is None or not compare_digest(record.hash, token_hash):
            raise NotAuthenticatedError("a valid token is needed")
        return self.admit(record)

    def find_token(self, token_id: int) -> TokenRecord | None:
        """Return a token's record."""
        with self._database.read() as uow:
            return PeopleStore(uow.connection).find_token_by_id(token_id)

    def look(self, principal: Principal, look: Look, read: Callable[[UnitOfWork], T]) -> T:
        """Read something and record the look; a refusal is recorded too.

        What was read is returned only after the row is committed.

        Raises:
            NodeError: What ``read`` refuses; its code is the outcome recorded.
            ProtocolError: Likewise.
        """
        try:
            with self._database.read() as uow:
                found = read(uow)
        except (NodeError, ProtocolError) as err:
            self.record(principal, look, outcome=err.code)
            raise
        self.record(principal, look)
        return found

    def record(self, principal: Principal, look: Look, *, outcome: str = OUTCOME_OK) -> None:
        """Record a look that is made elsewhere, before it is shown."""
        with self._database.write() as uow:
            PeopleStore(uow.connection).add_access(
                AccessRecord(
                    access_id=0,
                    at_ms=self._clock.now_ms(),
                    who=principal.who,
                    name=principal.name,
                    what=look.what,
                    # An address may hold what PostgreSQL takes in no text.
                    target=look.target[:TARGET_CHARACTERS_MAX].replace("\x00", "\ufffd"),
                    scope=_name_scope(principal, look),
                    outcome=outcome,
                )
            )

    def list_accesses(
        self, *, before: int | None = None, limit: int = ACCESSES_PAGE_MAX, who: str | None = None
    ) -> list[AccessRecord]:
        """Return looks, the newest first; of one person where that is named."""
        with self._database.read() as uow:
            return PeopleStore(uow.connection).list_accesses(
                before=before, limit=min(limit, ACCESSES_PAGE_MAX), who=who
            )

    def erase_old_accesses(self, *, keep_days: int) -> int:
        """Erase looks whose time is over, and return how many."""
        before_ms = self._clock.now_ms() - keep_days * DAY_MS
        count = 0
        while True:
            with self._database.write() as uow:  # A step at a time: others wait to write.
                erased = PeopleStore(uow.connection).erase_accesses(
                    before_ms=before_ms, limit=ACCESSES_AT_ONCE
                )
            count += erased
            if erased < ACCESSES_AT_ONCE:
                return count

    def admit(self, record: TokenRecord) -> Principal:
        """Return the holder of a token that is in force.

        Raises:
            TokenExpiredError: Its time is over.
            TokenRevokedError: It was revoked.
        """
        principal = _read_principal(record)
        failure: NotAuthenticatedError | None = None
        if record.revoked_at_ms is not None:
            failure = TokenRevokedError("this token was revoked")
        elif record.expires_at_ms <= self._clock.now_ms():
            failure = TokenExpiredError("this token's time is over")
        if failure is None:
            return principal
        self._record_refusal(principal, failure)
        raise failure

    def _record_refusal(self, principal: Principal, failure: NotAuthenticatedError) -> None:
        # Once a minute: who holds a dead token must not fill the disk with it.
        now_ms = self._clock.now_ms()
        last_ms = self._refused_at_ms.get(principal.token_id)
        if last_ms is None or now_ms - last_ms >= REFUSAL_PAUSE_MS:
            self._refused_at_ms[principal.token_id] = now_ms
            self.record(principal, Look(what="sign-in", target=""), outcome=failure.code)


def parse_life(text: str) -> int:
    """Return the seconds of a life like ``30d`` or ``12h``.

    Raises:
        TokenInvalidError: It is neither days nor hours.
    """
    match = _LIFE.match(text)
    if match is None:
        raise TokenInvalidError("a life is a number of days or hours: 30d, 12h")
    return int(match[1]) * _UNIT_S[match[2]]


def _parse_token(token: str) -> bytes:
    if not token.startswith(TOKEN_PREFIX):
        raise NotAuthenticatedError("a valid token is needed")
    try:
        return decode_b64u(token.removeprefix(TOKEN_PREFIX), bytes_exact=TOKEN_BYTES)
    except MalformedError as err:
        raise NotAuthenticatedError("a valid token is needed") from err


def is_account(who: str) -> bool:
    """Tell whether a row of the access log is of an account, and so says its role as scope."""
    return who.startswith(ACCOUNT_PREFIX)


def _name_scope(principal: Principal, look: Look) -> str:
    if look.scope is not None:
        return look.scope.value
    return "" if principal.session is None else principal.role.value


def _read_principal(record: TokenRecord) -> Principal:
    return Principal(
        who=f"token-{record.token_id}",
        name=record.name,
        role=Role(record.role),
        scopes=frozenset(Scope(scope) for scope in record.scopes),
        peer=record.peer,
        from_ms=record.from_ms,
        to_ms=record.to_ms,
        token_id=record.token_id,
        token_hash=record.hash,
    )
