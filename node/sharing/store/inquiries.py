"""SQL of inquiries: what a person asked several providers at once, and what came of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from node.core.fields import has_text
from node.sharing.tables import exchange_out, inquiry, inquiry_ask


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInquiryAsk:
    """One question that is about to be put: under which consent, to whom, by which id."""

    consent: bytes
    provider: str
    jti: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryRow:
    """An inquiry; ``ended_at_ms`` is None while it is on its way."""

    inquiry_id: int
    subject: str
    purpose: str
    begun_by: str
    begun_at_ms: int
    deadline_at_ms: int
    ended_at_ms: int | None
    manifest: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryAskRow:
    """One question of an inquiry, with its message and reply as far as they are here."""

    item: int
    consent: bytes
    provider: str
    jti: bytes
    outcome: str | None
    msg: bytes | None
    code: str | None
    seq: int | None
    ans: bytes | None
    answered_at_ms: int | None


class InquiryStore:
    """One transaction's view of inquiries."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def add(
        self,
        asks: Sequence[NewInquiryAsk],
        *,
        subject: str,
        purpose: str,
        by: str,
        at_ms: int,
        deadline_at_ms: int,
    ) -> int:
        """Keep a new inquiry, its questions in order; return its number."""
        added = insert(inquiry).values(
            subject=subject,
            purpose=purpose,
            begun_by=by,
            begun_at_ms=at_ms,
            deadline_at_ms=deadline_at_ms,
        )
        inquiry_id = int(self._connection.execute(added.returning(inquiry.c.id)).scalar_one())
        self._connection.execute(
            insert(inquiry_ask),
            [
                {
                    "inquiry_id": inquiry_id,
                    "item": item,
                    "consent": ask.consent,
                    "provider": ask.provider,
                    "jti": ask.jti,
                }
                for item, ask in enumerate(asks)
            ],
        )
        return inquiry_id

    def find(self, inquiry_id: int) -> InquiryRow | None:
        """Return one."""
        query = select(inquiry).where(inquiry.c.id == inquiry_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read(row)

    def list_of(self, subject: str, *, limit: int) -> list[InquiryRow]:
        """Return the inquiries about a subject, the newest first."""
        query = (
            select(inquiry)
            .where(has_text(self._connection, inquiry.c.subject, subject))
            .order_by(inquiry.c.id.desc())
            .limit(limit)
        )
        return [_read(row) for row in self._connection.execute(query)]

    def list_open(self, *, limit: int) -> list[int]:
        """Return the inquiries that have not ended, the oldest first."""
        query = (
            select(inquiry.c.id)
            .where(inquiry.c.ended_at_ms.is_(None))
            .order_by(inquiry.c.id)
            .limit(limit)
        )
        return [int(one) for one in self._connection.execute(query).scalars()]

    def list_asks(self, inquiry_id: int) -> list[InquiryAskRow]:
        """Return the questions of an inquiry in their order."""
        query = (
            select(
                inquiry_ask,
                exchange_out.c.msg,
                exchange_out.c.code,
                exchange_out.c.seq,
                exchange_out.c.ans,
                exchange_out.c.answered_at_ms,
            )
            .outerjoin(exchange_out, exchange_out.c.jti == inquiry_ask.c.jti)
            .where(inquiry_ask.c.inquiry_id == inquiry_id)
            .order_by(inquiry_ask.c.item)
        )
        return [
            InquiryAskRow(
                item=row.item,
                consent=bytes(row.consent),
                provider=row.provider,
                jti=bytes(row.jti),
                outcome=row.outcome,
                msg=None if row.msg is None else bytes(row.msg),
                code=row.code,
                seq=row.seq,
                ans=None if row.ans is None else bytes(row.ans),
                answered_at_ms=row.answered_at_ms,
            )
            for row in self._connection.execute(query)
        ]

    def find_answer(self, jti: bytes) -> tuple[str, str] | None:
        """Return envelope and inclusion proof of the reply to a message, if it has one."""
        query = select(exchange_out.c.answer_env, exchange_out.c.answer_inclusion).where(
            exchange_out.c.jti == jti, exchange_out.c.answer_env.is_not(None)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row.answer_env, row.answer_inclusion)

    def note_outcome(self, inquiry_id: int, item: int, *, outcome: str, at_ms: int) -> None:
        """Keep what came of a question."""
        self._connection.execute(
            update(inquiry_ask)
            .where(inquiry_ask.c.inquiry_id == inquiry_id, inquiry_ask.c.item == item)
            .values(outcome=outcome, outcome_at_ms=at_ms)
        )

    def set_deadline(self, inquiry_id: int, *, at_ms: int) -> None:
        """Give an inquiry that is taken up again its new deadline."""
        self._connection.execute(
            update(inquiry).where(inquiry.c.id == inquiry_id).values(deadline_at_ms=at_ms)
        )

    def end(self, inquiry_id: int, *, at_ms: int, manifest: bytes | None) -> None:
        """Keep that nothing more is waited for, and under which manifest."""
        self._connection.execute(
            update(inquiry)
            .where(inquiry.c.id == inquiry_id)
            .values(ended_at_ms=at_ms, manifest=manifest)
        )

    def forget(self, *, before_ms: int) -> None:
        """Forget the inquiries that ended before a time."""
        old = select(inquiry.c.id).where(inquiry.c.ended_at_ms < before_ms)
        self._connection.execute(delete(inquiry_ask).where(inquiry_ask.c.inquiry_id.in_(old)))
        self._connection.execute(delete(inquiry).where(inquiry.c.ended_at_ms < before_ms))


def _read(row: Row[*tuple[Any, ...]]) -> InquiryRow:
    return InquiryRow(
        inquiry_id=row.id,
        subject=row.subject,
        purpose=row.purpose,
        begun_by=row.begun_by,
        begun_at_ms=row.begun_at_ms,
        deadline_at_ms=row.deadline_at_ms,
        ended_at_ms=row.ended_at_ms,
        manifest=None if row.manifest is None else bytes(row.manifest),
    )
