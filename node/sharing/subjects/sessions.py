"""Sessions of subjects: the browser holds a secret, the store its hash."""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest, digest

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.sharing.subjects.errors import SubjectSessionError
from node.sharing.subjects.record import SubjectSession
from node.sharing.subjects.store import SubjectStore
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.errors import MalformedError

SECRET_BYTES = 32
_CSRF_DOMAIN = b"chengxin/subject-csrf/v1\n"


class SubjectSessions:
    """Begins, finds and ends sessions."""

    def __init__(
        self, *, database: Database, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes

    def begin(self, uow: UnitOfWork, session: SubjectSession) -> str:
        """Begin a session within the caller's transaction; return the browser's secret."""
        secret = self._random_bytes(SECRET_BYTES)
        store = SubjectStore(uow.connection)
        store.forget_old(before_ms=self._clock.now_ms())
        store.add_session(sha256(secret), session)
        return encode_b64u(secret)

    def find(self, cookie: str) -> SubjectSession | None:
        """Return the session of a secret, None where there is none that is in force."""
        secret = _parse(cookie)
        if secret is None:
            return None
        with self._database.read() as uow:
            found = SubjectStore(uow.connection).find_session(sha256(secret))
        if found is None or found.expires_at_ms <= self._clock.now_ms():
            return None
        return SubjectSession(
            subject=found.subject,
            request_id=found.request_id,
            kid=found.kid,
            expires_at_ms=found.expires_at_ms,
            csrf=encode_b64u(digest(secret, _CSRF_DOMAIN, "sha256")),
        )

    def end(self, cookie: str) -> None:
        """Forget a session."""
        secret = _parse(cookie)
        if secret is not None:
            with self._database.write() as uow:
                SubjectStore(uow.connection).end_session(sha256(secret))


def check_csrf(session: SubjectSession, given: str) -> None:
    """Check that a form carries the sign that only this session has.

    Raises:
        SubjectSessionError: It does not.
    """
    if not compare_digest(session.csrf.encode("ascii"), given.encode("utf-8")):
        raise SubjectSessionError("the form does not carry the sign of this session")


def _parse(cookie: str) -> bytes | None:
    try:
        return decode_b64u(cookie, bytes_exact=SECRET_BYTES)
    except MalformedError:
        return None
