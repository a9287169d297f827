"""SQL of requests for a consent, and of subjects' sessions and challenges."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from node.core.database import is_key_of
from node.core.fields import has_text
from node.sharing.subjects.record import ConsentRequest, RequestState, SubjectSession
from node.sharing.subjects.rules_terms import ConsentTerms, format_terms, parse_terms
from node.sharing.subjects.tables import (
    consent_request,
    consent_request_answer,
    subject_challenge,
    subject_session,
)

AnyRow = Row[*tuple[Any, ...]]


class SubjectStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def add_request(
        self, terms: ConsentTerms, *, code_hash: bytes, expires_at_ms: int, by: str, at_ms: int
    ) -> int:
        """Insert an open request and return its number."""
        result = self._connection.execute(
            insert(consent_request).values(
                subject=str(terms.subject),
                terms=format_terms(terms).decode("utf-8"),
                state=RequestState.OPEN.value,
                code_hash=code_hash,
                expires_at_ms=expires_at_ms,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )
        (number,) = result.inserted_primary_key or (0,)
        return int(number)

    def find_request(self, request_id: int) -> ConsentRequest | None:
        """Return a request."""
        if not is_key_of(consent_request.c.id, request_id):
            return None
        return self._find(consent_request.c.id == request_id)

    def find_by_code(self, code_hash: bytes) -> ConsentRequest | None:
        """Return the request that a code opens."""
        return self._find(consent_request.c.code_hash == code_hash)

    def list_requests(self, subject: str, *, limit: int) -> list[ConsentRequest]:
        """Return the requests of a subject, the newest first."""
        query = (
            select(consent_request)
            .where(has_text(self._connection, consent_request.c.subject, subject))
            .order_by(consent_request.c.id.desc())
            .limit(limit)
        )
        return [self._read(row) for row in self._connection.execute(query).all()]

    def set_code(self, request_id: int, *, code_hash: bytes | None) -> None:
        """Put another code in the place of a request's, or none."""
        self._connection.execute(
            update(consent_request)
            .where(consent_request.c.id == request_id)
            .values(code_hash=code_hash)
        )

    def mark_opened(self, request_id: int, *, code_hash: bytes, at_ms: int) -> bool:
        """Use a code up; False where another has just done so."""
        result = self._connection.execute(
            update(consent_request)
            .where(consent_request.c.id == request_id, consent_request.c.code_hash == code_hash)
            .values(code_hash=None, opened_at_ms=at_ms)
        )
        return result.rowcount == 1

    def end_request(self, request_id: int, *, state: RequestState, at_ms: int) -> bool:
        """End an open request; False where it has ended already."""
        result = self._connection.execute(
            update(consent_request)
            .where(
                consent_request.c.id == request_id,
                consent_request.c.state == RequestState.OPEN.value,
            )
            .values(state=state.value, code_hash=None, ended_at_ms=at_ms)
        )
        return result.rowcount == 1

    def add_answer(self, request_id: int, *, consent: bytes) -> None:
        """Note a consent that was signed on a request."""
        self._connection.execute(
            insert(consent_request_answer).values(request_id=request_id, consent=consent)
        )

    def add_session(self, session_hash: bytes, session: SubjectSession) -> None:
        """Insert a session."""
        self._connection.execute(
            insert(subject_session).values(
                hash=session_hash,
                subject=session.subject,
                request_id=session.request_id,
                kid=session.kid,
                expires_at_ms=session.expires_at_ms,
            )
        )

    def find_session(self, session_hash: bytes) -> SubjectSession | None:
        """Return a session, over or not."""
        query = select(subject_session).where(subject_session.c.hash == session_hash)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return SubjectSession(
            subject=row.subject,
            request_id=row.request_id,
            kid=row.kid,
            expires_at_ms=row.expires_at_ms,
        )

    def end_session(self, session_hash: bytes) -> None:
        """Forget a session."""
        self._connection.execute(
            delete(subject_session).where(subject_session.c.hash == session_hash)
        )

    def end_sessions_of(self, request_id: int) -> None:
        """Forget the sessions that a request's code has opened."""
        self._connection.execute(
            delete(subject_session).where(subject_session.c.request_id == request_id)
        )

    def add_challenge(self, challenge_hash: bytes, *, expires_at_ms: int) -> None:
        """Insert a challenge."""
        self._connection.execute(
            insert(subject_challenge).values(hash=challenge_hash, expires_at_ms=expires_at_ms)
        )

    def take_challenge(self, challenge_hash: bytes, *, now_ms: int) -> bool:
        """Use a challenge up; False where it is none, was used, or its time is over."""
        result = self._connection.execute(
            delete(subject_challenge).where(
                subject_challenge.c.hash == challenge_hash,
                subject_challenge.c.expires_at_ms > now_ms,
            )
        )
        return result.rowcount == 1

    def forget_old(self, *, before_ms: int) -> None:
        """Forget sessions and challenges whose time is over."""
        for table in (subject_session, subject_challenge):
            self._connection.execute(delete(table).where(table.c.expires_at_ms <= before_ms))

    def _find(self, condition: ColumnElement[bool]) -> ConsentRequest | None:
        row = self._connection.execute(select(consent_request).where(condition)).one_or_none()
        return None if row is None else self._read(row)

    def _read(self, row: AnyRow) -> ConsentRequest:
        query = select(consent_request_answer.c.consent).where(
            consent_request_answer.c.request_id == row.id
        )
        return ConsentRequest(
            request_id=row.id,
            subject=row.subject,
            terms=parse_terms(row.terms.encode("utf-8")),
            state=RequestState(row.state),
            has_code=row.code_hash is not None,
            expires_at_ms=row.expires_at_ms,
            entered_by=row.entered_by,
            entered_at_ms=row.entered_at_ms,
            opened_at_ms=row.opened_at_ms,
            ended_at_ms=row.ended_at_ms,
            consents=tuple(bytes(one) for one in self._connection.execute(query).scalars()),
        )
