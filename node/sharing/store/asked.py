"""SQL of what this node asked and handed over: its own questions and deliveries of consents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from node.sharing.tables import consent_status, exchange_out, payload, received_summary
from protocol.consent import ConsentState

QUERY = "query"
ASKED_OPERATIONS = (QUERY, "consent.put")
POLL = "poll"
BATCHES_A_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMessage:
    """A question of ours or a consent that we handed over, and its reply if it has one."""

    seq: int
    at_ms: int
    xid: bytes
    peer: str
    msg: bytes
    ans: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A consent's withdrawal as it was taken in here."""

    id: int
    consent: bytes
    taken_at_ms: int


class AskedStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_asked(self, *, after_seq: int, limit: int) -> list[AskedMessage]:
        """Return what was asked and handed over, in the order of the log."""
        query = (
            _SELECT.where(exchange_out.c.seq > after_seq, exchange_out.c.op.in_(ASKED_OPERATIONS))
            .order_by(exchange_out.c.seq)
            .limit(limit)
        )
        return [_read(row) for row in self._connection.execute(query)]

    def list_asked_under(self, consent_hash: bytes) -> list[AskedMessage]:
        """Return what was asked under one consent alone, and the deliveries of it."""
        query = _SELECT.where(
            exchange_out.c.consent == consent_hash, exchange_out.c.op.in_(ASKED_OPERATIONS)
        )
        return [_read(row) for row in self._connection.execute(query)]

    def iterate_batches(self, peer: str) -> Iterator[tuple[AskedMessage, str]]:
        """Return each batch of questions to a peer that has its body, with its envelope.

        A batch is asked under many consents; its envelope names them.
        """
        after_seq = -1
        while True:
            query = (
                _SELECT.add_columns(exchange_out.c.request_env)
                .join(payload, payload.c.msg == exchange_out.c.msg)
                .where(
                    exchange_out.c.seq > after_seq,
                    exchange_out.c.peer == peer,
                    exchange_out.c.op == QUERY,
                    exchange_out.c.consent.is_(None),
                )
                .order_by(exchange_out.c.seq)
                .limit(BATCHES_A_PAGE)
            )
            rows = self._connection.execute(query).all()
            for row in rows:
                yield _read(row), row.request_env
            if len(rows) < BATCHES_A_PAGE:
                return
            after_seq = rows[-1].seq

    def list_bodies(self, asked: AskedMessage) -> list[bytes]:
        """Return which of the message and its reply have their bodies and may go by themselves.

        A reply that holds summaries has its life from their consents.
        """
        named = [msg for msg in (asked.msg, asked.ans) if msg is not None]
        received = select(received_summary.c.msg).where(received_summary.c.msg == payload.c.msg)
        query = select(payload.c.msg).where(payload.c.msg.in_(named), ~received.exists())
        held = {bytes(msg) for msg in self._connection.execute(query).scalars()}
        return [msg for msg in named if msg in held]

    def find_asked(self, msg: bytes) -> AskedMessage | None:
        """Return the question or delivery of this name, or that has the reply of this name."""
        query = _SELECT.where(
            or_(exchange_out.c.msg == msg, exchange_out.c.ans == msg),
            exchange_out.c.op.in_(ASKED_OPERATIONS),
        )
        row = self._connection.execute(query.limit(1)).one_or_none()
        return None if row is None else _read(row)

    def get_newest(self, asked: AskedMessage) -> AskedMessage:
        """Return the same message as it stands now, with its reply if one has come."""
        row = self._connection.execute(_SELECT.where(exchange_out.c.jti == asked.xid)).one()
        return _read(row)

    def find_polled(self, ans: bytes) -> tuple[bytes, bytes | None] | None:
        """Return body and consent of the poll that brought an answer, if one did and is here."""
        query = (
            select(payload.c.body, exchange_out.c.consent)
            .join(exchange_out, exchange_out.c.msg == payload.c.msg)
            .where(exchange_out.c.ans == ans, exchange_out.c.op == POLL)
        )
        row = self._connection.execute(query.limit(1)).one_or_none()
        return None if row is None else (row.body, row.consent)

    def has_question(self, msg: bytes, *, consent: bytes | None) -> bool:
        """Tell whether a question of this name was asked under a consent, and its body is here."""
        query = (
            select(exchange_out.c.msg)
            .join(payload, payload.c.msg == exchange_out.c.msg)
            .where(exchange_out.c.consent == consent, exchange_out.c.msg == msg)
        )
        return self._connection.execute(query.limit(1)).one_or_none() is not None

    def find_question(self, ans: bytes) -> bytes | None:
        """Return the question that an answer is the reply to, where its body is here."""
        query = (
            select(exchange_out.c.msg)
            .join(payload, payload.c.msg == exchange_out.c.msg)
            .where(exchange_out.c.ans == ans, exchange_out.c.op == QUERY)
        )
        found = self._connection.execute(query.limit(1)).scalar_one_or_none()
        return None if found is None else bytes(found)

    def list_withdrawals(self, *, after_id: int, limit: int) -> list[Withdrawal]:
        """Return withdrawals in the order in which they were taken in."""
        query = (
            select(consent_status.c.id, consent_status.c.consent, consent_status.c.taken_at_ms)
            .where(
                consent_status.c.id > after_id,
                consent_status.c.state == ConsentState.REVOKED.value,
            )
            .order_by(consent_status.c.id)
            .limit(limit)
        )
        return [
            Withdrawal(id=row.id, consent=bytes(row.consent), taken_at_ms=row.taken_at_ms)
            for row in self._connection.execute(query)
        ]


def _read(row: Row[*tuple[Any, ...]]) -> AskedMessage:
    return AskedMessage(
        seq=row.seq,
        at_ms=row.at_ms,
        xid=bytes(row.jti),
        peer=row.peer,
        msg=bytes(row.msg),
        ans=None if row.ans is None else bytes(row.ans),
    )


_SELECT = select(
    exchange_out.c.seq,
    exchange_out.c.at_ms,
    exchange_out.c.jti,
    exchange_out.c.peer,
    exchange_out.c.msg,
    exchange_out.c.ans,
)
