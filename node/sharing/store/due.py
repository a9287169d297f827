"""SQL of what falls due after an exchange: receipts that have not come, replies that are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, text, update

from node.sharing.store.exchanging import CODE_OPEN
from node.sharing.tables import (
    exchange_in,
    exchange_out,
    payload,
    receipt_in,
    round_cursor,
    unacked_answer,
)
from protocol.receipt import ACKNOWLEDGED_OPERATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """An answer of ours, and whether its receipt is there or awaited at all."""

    seq: int
    at_ms: int
    xid: bytes
    peer: str
    ans: bytes
    is_settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAsk:
    """A message of ours without a reply."""

    jti: bytes
    msg: bytes
    peer: str
    op: str
    subject: str
    at_ms: int
    seq: int
    is_erased: bool


class DueStore:
    """One transaction's view of what falls due."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def get_cursor(self, name: str) -> int:
        """Return how far a round has come along the log, -1 before its first step."""
        query = select(round_cursor.c.seq).where(round_cursor.c.name == name)
        found = self._connection.execute(query).scalar_one_or_none()
        return -1 if found is None else int(found)

    def move_cursor(self, name: str, *, seq: int) -> None:
        """Note how far a round has come; it only goes on."""
        self._connection.execute(_UPSERT_CURSOR, {"name": name, "seq": seq})

    def put_back_cursor(self, name: str, *, seq: int) -> None:
        """Have a round look again at what comes after ``seq``."""
        self._connection.execute(
            update(round_cursor)
            .where(round_cursor.c.name == name, round_cursor.c.seq > seq)
            .values(seq=seq)
        )

    # --- receipts of our answers

    def list_answers(self, *, after_seq: int, limit: int) -> list[GivenAnswer]:
        """Return answers in the order of the log."""
        query = (
            select(
                exchange_in.c.seq,
                exchange_in.c.at_ms,
                exchange_in.c.jti,
                exchange_in.c.peer,
                exchange_in.c.ans,
                exchange_in.c.op,
                receipt_in.c.ans.label("received"),
            )
            .outerjoin(receipt_in, receipt_in.c.ans == exchange_in.c.ans)
            .where(exchange_in.c.seq > after_seq)
            .order_by(exchange_in.c.seq)
            .limit(limit)
        )
        return [
            GivenAnswer(
                seq=row.seq,
                at_ms=row.at_ms,
                xid=row.jti,
                peer=row.peer,
                ans=row.ans,
                is_settled=row.received is not None or row.op not in ACKNOWLEDGED_OPERATIONS,
            )
            for row in self._connection.execute(query)
        ]

    def list_known_answers(self, answers: Sequence[bytes], *, peer: str) -> list[bytes]:
        """Return which of these answers we gave to the peer."""
        query = select(exchange_in.c.ans).where(
            exchange_in.c.peer == peer, exchange_in.c.ans.in_(answers)
        )
        return [bytes(ans) for ans in self._connection.execute(query).scalars()]

    def add_receipts(self, answers: Sequence[bytes], *, peer: str, msg: bytes) -> None:
        """Keep that a peer acknowledged these answers; a second receipt for one changes nothing."""
        held = set(
            self._connection.execute(
                select(receipt_in.c.ans).where(receipt_in.c.ans.in_(answers))
            ).scalars()
        )
        rows = [
            {"ans": answer, "peer": peer, "msg": msg} for answer in answers if answer not in held
        ]
        if rows:
            self._connection.execute(insert(receipt_in), rows)

    def is_acknowledged(self, ans: bytes) -> bool:
        """Tell whether a receipt covers an answer of ours."""
        query = select(receipt_in.c.ans).where(receipt_in.c.ans == ans)
        return self._connection.execute(query).one_or_none() is not None

    def add_unacked(self, answer: GivenAnswer, *, at_ms: int) -> bool:
        """Note that an answer has no receipt; False where that is noted already."""
        held = select(unacked_answer.c.ans).where(unacked_answer.c.ans == answer.ans)
        if self._connection.execute(held).one_or_none() is not None:
            return False
        self._connection.execute(
            insert(unacked_answer).values(
                ans=answer.ans, xid=answer.xid, peer=answer.peer, at_ms=at_ms
            )
        )
        return True

    def count_unacked(self) -> int:
        """Return how many answers are logged as unacked and still have no receipt."""
        query = (
            select(func.count())
            .select_from(unacked_answer)
            .outerjoin(receipt_in, receipt_in.c.ans == unacked_answer.c.ans)
            .where(receipt_in.c.ans.is_(None))
        )
        return int(self._connection.execute(query).scalar_one())

    # --- replies to our messages

    def list_open(self, *, op: str | None = None, limit: int) -> list[OpenAsk]:
        """Return messages of ours that have no reply, the oldest first."""
        query = (
            select(
                exchange_out.c.jti,
                exchange_out.c.msg,
                exchange_out.c.peer,
                exchange_out.c.op,
                exchange_out.c.subject,
                exchange_out.c.at_ms,
                exchange_out.c.seq,
                payload.c.msg.label("kept"),
            )
            .outerjoin(payload, payload.c.msg == exchange_out.c.msg)
            .where(exchange_out.c.code == CODE_OPEN)
            .order_by(exchange_out.c.seq)
            .limit(limit)
        )
        if op is not None:
            query = query.where(exchange_out.c.op == op)
        return [
            OpenAsk(
                jti=row.jti,
                msg=row.msg,
                peer=row.peer,
                op=row.op,
                subject=row.subject,
                at_ms=row.at_ms,
                seq=row.seq,
                is_erased=row.kept is None,
            )
            for row in self._connection.execute(query)
        ]

    def forget_receipt(self, receipt_jti: bytes) -> None:
        """Note that a receipt did not come to anything: its answers await one again."""
        self._connection.execute(
            update(exchange_out).where(exchange_out.c.receipt == receipt_jti).values(receipt=None)
        )


_UPSERT_CURSOR = text(
    "INSERT INTO round_cursor (name, seq) VALUES (:name, :seq) "
    "ON CONFLICT (name) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > round_cursor.seq"
)
