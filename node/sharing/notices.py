"""What this node tells without being asked, carried until it is acknowledged.

A message is logged and kept with its notice in one transaction; what follows can be repeated after
any crash, since it sends the same bytes and the receiver decides once. Where they expired on the
way, ``correct`` and ``erase`` are said again in a new message; a ``push`` is not, since each counts
a use. What was refused for another reason, or tried for a week, stays as it is, for people to see.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch, Decided, Placement
from node.core.errors import NodeError
from node.core.writer import Writer
from node.sharing.outgoing import Sent
from node.sharing.sealing import Content
from node.sharing.sending import Courier
from node.sharing.store import SharingStore
from node.sharing.store.grants import GrantStore
from node.sharing.store.notices import (
    INSERT_NOTICE,
    NOTICE_DUE,
    NOTICE_GIVEN_UP,
    NOTICE_OPEN,
    NOTICE_RENEWED,
    Notice,
    NoticeStore,
)
from protocol.errors import ProtocolError
from protocol.jws import split_compact
from protocol.message import parse_envelope

NOTICES_A_ROUND_MAX = 100
BACK_OFF_FIRST_S = 5
BACK_OFF_S_MAX = 3_600
BACK_OFF_DOUBLINGS_MAX = 10
MESSAGE_OPS = ("push", "correct", "erase")
TRIES_MAX = 176  # about a week
_log = structlog.get_logger()


def keep_notice(
    batch: Batch, decided: Decided[Sent], *, op: str, peer: str, about: bytes | None
) -> Decided[Sent]:
    """Keep a notice of a message together with the message itself."""

    def finish(placement: Placement | None) -> Sent:
        sent = decided.finish(placement)
        batch.insert_later(
            INSERT_NOTICE,
            {
                "jti": sent.jti,
                "op": op,
                "peer": peer,
                "about": about,
                "consent": None,
                "reason": None,
                "tries": 0,
                "next_at_ms": batch.now_ms,
                "state": NOTICE_OPEN,
            },
        )
        return sent

    return Decided(entry=decided.entry, finish=finish)


def find_back_off_s(jti: bytes, *, tries: int) -> int:
    """Return how long to wait after so many tries: doubling, bounded, and not all at once."""
    wait_s = min(BACK_OFF_FIRST_S << min(tries, BACK_OFF_DOUBLINGS_MAX), BACK_OFF_S_MAX)
    return wait_s + wait_s * jti[0] // 1_024  # up to a quarter more, by the message's own name


class NoticeService:
    """Sends what is due, and sends it again."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        courier: Courier,
        clock: Clock,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._courier = courier
        self._clock = clock

    async def send_due(self) -> int:
        """Say again what has expired, send what is due, and return how many were acknowledged."""
        for notice in self._list(lambda store: store.list_expired(limit=NOTICES_A_ROUND_MAX)):
            await self._writer.submit_async(partial(self._decide_again, old=notice))
        now_ms = self._clock.now_ms()
        due = self._list(
            lambda store: store.list_due(
                state=NOTICE_OPEN, now_ms=now_ms, limit=NOTICES_A_ROUND_MAX, ops=MESSAGE_OPS
            )
        )
        return sum([await self._send(notice) for notice in due])

    async def _send(self, notice: Notice) -> bool:
        """Send one; where the reply did not settle it, wait longer each time."""
        try:
            outcome = await self._courier.settle(notice.jti)
        except (NodeError, ProtocolError) as err:
            _log.warning("notice_not_sent", op=notice.op, peer=notice.peer, code=err.code)
            self.put_off(notice)
            return False
        if outcome.status != "200":
            _log.warning("notice_refused", op=notice.op, peer=notice.peer, code=outcome.status)
            self.put_off(notice)  # Changes nothing unless it is still open, as after haste.
        return outcome.status == "200"

    def put_off(self, notice: Notice) -> None:
        """Try again later, at most for a week."""
        tries = notice.tries + 1
        state = notice.state if tries < TRIES_MAX else NOTICE_GIVEN_UP
        wait_ms = find_back_off_s(notice.jti, tries=notice.tries) * 1_000
        with self._database.write() as uow:
            NoticeStore(uow.connection).put_off(
                notice.jti, tries=tries, next_at_ms=self._clock.now_ms() + wait_ms, state=state
            )

    def list_notices(self, *, op: str | None = None, limit: int = 100) -> list[Notice]:
        """Return notices for people."""
        return self._list(lambda store: store.list_newest(op=op, limit=limit))

    def list_open_of(self, op: str) -> list[Notice]:
        """Return the open notices of one kind that are due."""
        now_ms = self._clock.now_ms()
        return self._list(
            lambda store: store.list_due(
                state=NOTICE_OPEN, now_ms=now_ms, limit=NOTICES_A_ROUND_MAX, ops=(op,)
            )
        )

    def list_due(self) -> list[Notice]:
        """Return notices whose message is not made yet."""
        now_ms = self._clock.now_ms()
        return self._list(
            lambda store: store.list_due(
                state=NOTICE_DUE, now_ms=now_ms, limit=NOTICES_A_ROUND_MAX, ops=MESSAGE_OPS
            )
        )

    def _list(self, read: Callable[[NoticeStore], list[Notice]]) -> list[Notice]:
        with self._database.read() as uow:
            return read(NoticeStore(uow.connection))

    def _decide_again(self, batch: Batch, old: Notice) -> Decided[Sent | None]:
        """Say in a new message what expired on its way."""
        grants = GrantStore(batch.connection)
        outgoing = SharingStore(batch.connection).find_outgoing(old.jti)
        NoticeStore(batch.connection).settle(old.jti, state=NOTICE_RENEWED)
        if outgoing is None or outgoing.request is None:
            return Decided(entry=None, finish=lambda _placement: None)
        envelope = parse_envelope(split_compact(outgoing.request.env).payload)
        jti = self._courier.draw_jti()
        content = Content(
            op=old.op,
            body=outgoing.request.body,
            content_type=envelope.bct,
            consents=envelope.consents,
        )
        decided = self._courier.decide_send(
            batch,
            content,
            peer=old.peer,
            consent=outgoing.consent,
            subject=outgoing.subject,
            jti=jti,
        )
        grants.renew_attestation(old.jti, jti)
        kept = keep_notice(batch, decided, op=old.op, peer=old.peer, about=old.about)
        return Decided(entry=kept.entry, finish=kept.finish)
