"""SQL of answers that come later: those we owe, and those we wait for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from node.core.fields import has_text
from node.sharing.store.grants import DISCLOSED_CODES
from node.sharing.tables import (
    awaited_answer,
    consent,
    exchange_in,
    exchange_out,
    payload,
    pending_answer,
)
from protocol.message import ACCEPTED
from protocol.problems import NoAnswerError
from schemas.summary import Section

CODE_ACCEPTED = "accepted"
_FINAL_CODES = (*DISCLOSED_CODES, NoAnswerError.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAnswer:
    """A question accepted here; ``code`` is ``accepted`` until its answer is made."""

    msg: bytes
    peer: str
    consent: bytes
    purpose: str
    metrics: tuple[Section, ...]
    last_months: int
    code: str
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedAnswer:
    """A question of ours that was accepted, and how often it was polled for."""

    jti: bytes
    msg: bytes
    peer: str
    consent: bytes | None
    subject: str
    polls: int
    poll: bytes | None
    """The newest poll's id."""
    is_poll_open: bool
    poll_sent_at_ms: int
    """When that was made; 0 where there is none."""


class PendingStore:
    """One transaction's view of answers that come later."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    # --- answers that we owe

    def add(self, pending: PendingAnswer, *, at_ms: int) -> None:
        """Keep a question that was accepted."""
        self._connection.execute(
            insert(pending_answer).values(
                msg=pending.msg,
                peer=pending.peer,
                consent=pending.consent,
                purpose=pending.purpose,
                metrics=json.dumps([metric.value for metric in pending.metrics]),
                last_months=pending.last_months,
                code=pending.code,
                body=pending.body,
                at_ms=at_ms,
            )
        )

    def find(self, msg: bytes) -> PendingAnswer | None:
        """Return a question that was accepted."""
        query = select(pending_answer).where(pending_answer.c.msg == msg)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read_pending(row)

    def has_of(self, consent_hash: bytes) -> bool:
        """Tell whether a question accepted under a consent is held."""
        query = select(pending_answer.c.msg).where(pending_answer.c.consent == consent_hash)
        return self._connection.execute(query.limit(1)).scalar_one_or_none() is not None

    def list_unanswered(self, *, limit: int) -> list[bytes]:
        """Return questions whose answer is not made yet, the oldest first."""
        query = (
            select(pending_answer.c.msg)
            .where(pending_answer.c.code == CODE_ACCEPTED)
            .order_by(pending_answer.c.at_ms)
            .limit(limit)
        )
        return [bytes(msg) for msg in self._connection.execute(query).scalars()]

    def answer(self, msg: bytes, *, code: str, body: bytes | None) -> None:
        """Keep what a question is answered with."""
        self._connection.execute(
            update(pending_answer).where(pending_answer.c.msg == msg).values(code=code, body=body)
        )

    def list_made(self, subject: str) -> list[tuple[bytes, bytes]]:
        """Return questions about a subject whose summary is made, with that."""
        query = (
            select(pending_answer.c.msg, pending_answer.c.body)
            .join(consent, consent.c.hash == pending_answer.c.consent)
            .where(
                has_text(self._connection, consent.c.subject, subject),
                pending_answer.c.body.is_not(None),
            )
        )
        return [(bytes(row.msg), bytes(row.body)) for row in self._connection.execute(query)]

    def list_settled_polls(self, answers: Sequence[bytes]) -> list[bytes]:
        """Return the bodies of the polls that brought these answers, where they are final."""
        query = (
            select(payload.c.body)
            .join(exchange_in, exchange_in.c.msg == payload.c.msg)
            .where(
                exchange_in.c.ans.in_(answers),
                exchange_in.c.op == "poll",
                exchange_in.c.code.in_(_FINAL_CODES),
            )
        )
        return [bytes(body) for body in self._connection.execute(query).scalars()]

    def forget(self, msg: bytes) -> None:
        """Forget a question: its asker has the answer."""
        self._connection.execute(delete(pending_answer).where(pending_answer.c.msg == msg))

    def forget_pending(self, *, before_ms: int) -> None:
        """Forget questions accepted before this."""
        self._connection.execute(delete(pending_answer).where(pending_answer.c.at_ms < before_ms))

    # --- answers that we wait for

    def put_off(self, jti: bytes, *, msg: bytes, poll_at_ms: int) -> None:
        """Wait for the answer of a question, and poll for it from then on."""
        changed = self._connection.execute(
            update(awaited_answer)
            .where(awaited_answer.c.jti == jti)
            .values(poll_at_ms=poll_at_ms, polls=awaited_answer.c.polls + 1)
        ).rowcount
        if not changed:
            self._connection.execute(
                insert(awaited_answer).values(jti=jti, msg=msg, poll_at_ms=poll_at_ms, polls=0)
            )

    def list_due(self, *, now_ms: int, limit: int) -> list[AwaitedAnswer]:
        """Return questions to poll for now, the longest due first."""
        asked, polled = exchange_out.alias("asked"), exchange_out.alias("polled")
        query = (
            select(
                awaited_answer,
                asked.c.peer,
                asked.c.consent,
                asked.c.subject,
                polled.c.ans.label("polled"),
                polled.c.at_ms.label("poll_sent_at_ms"),
            )
            .join(asked, asked.c.jti == awaited_answer.c.jti)
            .outerjoin(polled, polled.c.jti == awaited_answer.c.poll)
            .where(awaited_answer.c.poll_at_ms <= now_ms)
            .order_by(awaited_answer.c.poll_at_ms)
            .limit(limit)
        )
        return [
            AwaitedAnswer(
                jti=row.jti,
                msg=row.msg,
                peer=row.peer,
                consent=row.consent,
                subject=row.subject,
                polls=row.polls,
                poll=row.poll,
                is_poll_open=row.poll is not None and row.polled is None,
                poll_sent_at_ms=row.poll_sent_at_ms or 0,
            )
            for row in self._connection.execute(query)
        ]

    def note_poll(self, jti: bytes, *, poll: bytes, poll_at_ms: int) -> None:
        """Note which message polls for a question now, and when the next may."""
        self._connection.execute(
            update(awaited_answer)
            .where(awaited_answer.c.jti == jti)
            .values(poll=poll, poll_at_ms=poll_at_ms)
        )

    def find_asked(self, msg: bytes) -> bytes | None:
        """Return the id of the question of this name that an answer is awaited of."""
        query = select(awaited_answer.c.jti).where(awaited_answer.c.msg == msg)
        return self._connection.execute(query).scalar_one_or_none()

    def end_waiting(self, jti: bytes, *, code: str) -> None:
        """Wait no longer: this is what came of the question."""
        self._connection.execute(delete(awaited_answer).where(awaited_answer.c.jti == jti))
        self._connection.execute(
            update(exchange_out)
            .where(exchange_out.c.jti == jti, exchange_out.c.code == ACCEPTED)
            .values(code=code)
        )


def _read_pending(row: Row[Any]) -> PendingAnswer:
    return PendingAnswer(
        msg=row.msg,
        peer=row.peer,
        consent=row.consent,
        purpose=row.purpose,
        metrics=tuple(map(Section, json.loads(row.metrics))),
        last_months=row.last_months,
        code=row.code,
        body=row.body,
    )
