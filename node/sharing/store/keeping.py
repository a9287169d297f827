"""SQL of how long bodies stay."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from node.sharing.store.grants import SUMMARY_OPERATIONS
from node.sharing.store.notices import NOTICE_OPEN
from node.sharing.tables import (
    exchange_in,
    exchange_out,
    legal_hold,
    notice,
    payload,
    received_summary,
)

# Their bodies are hashes alone, and prove what somebody else did.
KEPT_OPERATIONS = ("receipt", "erase")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMessage:
    """A push or correction that this node sent, with its body."""

    seq: int
    xid: bytes
    peer: str
    msg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptExchange:
    """An exchange that was answered here."""

    seq: int
    at_ms: int
    xid: bytes
    peer: str
    op: str
    msg: bytes
    ans: bytes


class KeepingStore:
    """One transaction's view of what is kept."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_exchanges(self, *, after_seq: int, limit: int) -> list[KeptExchange]:
        """Return what was answered here, in the order of the log."""
        query = (
            select(
                exchange_in.c.seq,
                exchange_in.c.at_ms,
                exchange_in.c.jti,
                exchange_in.c.peer,
                exchange_in.c.op,
                exchange_in.c.msg,
                exchange_in.c.ans,
            )
            .where(exchange_in.c.seq > after_seq)
            .order_by(exchange_in.c.seq)
            .limit(limit)
        )
        return [
            KeptExchange(
                seq=row.seq,
                at_ms=row.at_ms,
                xid=row.jti,
                peer=row.peer,
                op=row.op,
                msg=row.msg,
                ans=row.ans,
            )
            for row in self._connection.execute(query)
        ]

    def list_bodies(self, kept: KeptExchange) -> list[bytes]:
        """Return the messages of an exchange whose bodies are there and may go some day.

        What was received under a consent has its life from that, not from the exchange.
        """
        if kept.op in KEPT_OPERATIONS:
            return []
        received = select(received_summary.c.msg).where(received_summary.c.msg == payload.c.msg)
        query = select(payload.c.msg).where(
            payload.c.msg.in_((kept.msg, kept.ans)), ~received.exists()
        )
        held = {bytes(msg) for msg in self._connection.execute(query).scalars()}
        return [msg for msg in (kept.msg, kept.ans) if msg in held]

    def list_told(self, *, after_seq: int, before_ms: int, limit: int) -> list[ToldMessage]:
        """Return what was told before a time and still has its body, in the order of the log.

        What is on its way is sent as the same bytes, and what is held is kept: neither is in it.
        """
        waiting = select(notice.c.jti).where(
            notice.c.jti == exchange_out.c.jti, notice.c.state == NOTICE_OPEN
        )
        held = select(legal_hold.c.msg).where(
            legal_hold.c.msg.in_((exchange_out.c.msg, exchange_out.c.ans))
        )
        query = (
            select(exchange_out.c.seq, exchange_out.c.jti, exchange_out.c.peer, exchange_out.c.msg)
            .join(payload, payload.c.msg == exchange_out.c.msg)
            .where(
                exchange_out.c.seq > after_seq,
                exchange_out.c.op.in_(SUMMARY_OPERATIONS),
                exchange_out.c.at_ms < before_ms,
                ~waiting.exists(),
                ~held.exists(),
            )
            .order_by(exchange_out.c.seq)
            .limit(limit)
        )
        return [
            ToldMessage(seq=row.seq, xid=bytes(row.jti), peer=row.peer, msg=bytes(row.msg))
            for row in self._connection.execute(query)
        ]

    def is_told(self, msg: bytes) -> bool:
        """Tell whether this node sent a push or correction of this name."""
        query = select(exchange_out.c.msg).where(
            exchange_out.c.msg == msg, exchange_out.c.op.in_(SUMMARY_OPERATIONS)
        )
        return self._connection.execute(query.limit(1)).one_or_none() is not None

    def is_held(self, *msgs: bytes | None) -> bool:
        """Tell whether somebody named a legal basis to keep one of these messages."""
        named = [msg for msg in msgs if msg is not None]
        query = select(legal_hold.c.msg).where(legal_hold.c.msg.in_(named))
        return self._connection.execute(query.limit(1)).one_or_none() is not None

    def find_seq(self, msg: bytes) -> int | None:
        """Return where in the log a message or answer of this name stands."""
        for column in (exchange_in.c.ans, exchange_in.c.msg):
            query = select(exchange_in.c.seq).where(column == msg).limit(1)
            found = self._connection.execute(query).scalar_one_or_none()
            if found is not None:
                return int(found)
        return None

    def add_hold(self, msg: bytes, *, reason: str, at_ms: int) -> None:
        """Hold a message; a newer reason takes the place of an older one."""
        self.remove_hold(msg)
        self._connection.execute(insert(legal_hold).values(msg=msg, reason=reason, at_ms=at_ms))

    def remove_hold(self, msg: bytes) -> bool:
        """Hold a message no longer; False where it was not held."""
        query = delete(legal_hold).where(legal_hold.c.msg == msg)
        return self._connection.execute(query).rowcount == 1
