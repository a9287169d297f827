"""SQL of notices: messages and statuses that this node sends by itself until they have arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.sharing.tables import exchange_out, notice

NOTICE_OPEN = "open"
NOTICE_DUE = "due"  # decided on, and its message not made yet
NOTICE_DONE = "done"
NOTICE_REFUSED = "refused"
NOTICE_RENEWED = "renewed"  # its bytes expired; another message says the same
NOTICE_GIVEN_UP = "given-up"
NOTICE_NEEDLESS = "needless"  # what was told before is what would be told now
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message that this node sends by itself, and how far it has come."""

    jti: bytes
    op: str
    peer: str
    about: bytes | None
    consent: bytes | None
    reason: str | None
    tries: int
    next_at_ms: int
    state: str


class NoticeStore:
    """One transaction's view of the notices."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def add(self, made: Notice) -> None:
        """Keep a message until it is acknowledged."""
        self._connection.execute(
            insert(notice).values(
                jti=made.jti,
                op=made.op,
                peer=made.peer,
                about=made.about,
                consent=made.consent,
                reason=made.reason,
                tries=made.tries,
                next_at_ms=made.next_at_ms,
                state=made.state,
            )
        )

    def list_due(self, *, state: str, now_ms: int, limit: int, ops: Sequence[str]) -> list[Notice]:
        """Return notices of some kinds to work on now."""
        query = (
            select(notice)
            .where(notice.c.state == state, notice.c.next_at_ms <= now_ms, notice.c.op.in_(ops))
            .order_by(notice.c.next_at_ms)
            .limit(limit)
        )
        return [_read_notice(row) for row in self._connection.execute(query)]

    def list_expired(self, *, limit: int) -> list[Notice]:
        """Return notices that were refused because their bytes had expired."""
        query = (
            select(notice)
            .join(exchange_out, exchange_out.c.jti == notice.c.jti)
            .where(
                notice.c.state == NOTICE_REFUSED,
                notice.c.op.in_(("correct", "erase")),
                exchange_out.c.code == "expired",
            )
            .limit(limit)
        )
        return [_read_notice(row) for row in self._connection.execute(query)]

    def list_newest(self, *, op: str | None = None, limit: int) -> list[Notice]:
        """Return notices, those to be worked on last first."""
        query = select(notice).order_by(notice.c.next_at_ms.desc()).limit(limit)
        if op is not None:
            query = query.where(notice.c.op == op)
        return [_read_notice(row) for row in self._connection.execute(query)]

    def find(self, jti: bytes) -> Notice | None:
        """Return a notice."""
        row = self._connection.execute(select(notice).where(notice.c.jti == jti)).one_or_none()
        return None if row is None else _read_notice(row)

    def has(self, *, op: str, about: bytes, states: Sequence[str]) -> bool:
        """Tell whether something is on its way."""
        query = select(notice.c.jti).where(
            notice.c.about == about, notice.c.op == op, notice.c.state.in_(states)
        )
        return self._connection.execute(query.limit(1)).scalar_one_or_none() is not None

    def is_on_its_way(self, msg: bytes) -> bool:
        """Tell whether a message of ours is still being sent."""
        query = (
            select(notice.c.jti)
            .join(exchange_out, exchange_out.c.jti == notice.c.jti)
            .where(exchange_out.c.msg == msg, notice.c.state == NOTICE_OPEN)
        )
        return self._connection.execute(query.limit(1)).scalar_one_or_none() is not None

    def has_correction(self, about: bytes, *, consent_hash: bytes) -> bool:
        """Tell whether what was told under a consent is being put right, or has been."""
        query = select(notice.c.jti).where(
            notice.c.about == about,
            notice.c.op == "correct",
            notice.c.consent == consent_hash,
            notice.c.state.in_((NOTICE_DUE, NOTICE_OPEN, NOTICE_DONE)),
        )
        return self._connection.execute(query.limit(1)).scalar_one_or_none() is not None

    def settle(self, jti: bytes, *, state: str) -> None:
        """Say what has become of a notice; of another message nothing changes."""
        self._connection.execute(update(notice).where(notice.c.jti == jti).values(state=state))

    def put_off(self, jti: bytes, *, tries: int, next_at_ms: int, state: str) -> None:
        """Try again later, or no more."""
        self._connection.execute(
            update(notice)
            .where(notice.c.jti == jti, notice.c.state.in_((NOTICE_OPEN, NOTICE_DUE)))
            .values(tries=tries, next_at_ms=next_at_ms, state=state)
        )


def _read_notice(row: AnyRow) -> Notice:
    return Notice(
        jti=bytes(row.jti),
        op=row.op,
        peer=row.peer,
        about=None if row.about is None else bytes(row.about),
        consent=None if row.consent is None else bytes(row.consent),
        reason=row.reason,
        tries=row.tries,
        next_at_ms=row.next_at_ms,
        state=row.state,
    )


INSERT_NOTICE = insert(notice)
