"""What this node tells without being asked, carried until it is acknowledged.

A message is logged and kept with its notice in one transaction; what follows can be repeated after
any crash, since it sends the same bytes and the receiver decides once. Where they expired on the
way, an ``erase`` is said again in a new message and a ``correct`` is decided again, since what may
be told is judged when it is told; a ``push`` is not, since each counts a use. What was refused for
another reason, or tried for a week, stays as it is, for people to see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch, Decided, Placement
from node.core.errors import NodeError
from node.core.writer import Writer
from node.sharing.outgoing import Sent
from node.sharing.peers import PeerUnreachableError
from node.sharing.rounds import decide_all, send_by_peer
from node.sharing.sealing import Content
from node.sharing.sending import Courier
from node.sharing.store import SharingStore
from node.sharing.store.attestations import AttestationStore
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
from schemas.notices import CorrectBody

NOTICES_A_ROUND_MAX = 100
BACK_OFF_FIRST_S = 5
BACK_OFF_S_MAX = 3_600
BACK_OFF_DOUBLINGS_MAX = 10
MESSAGE_OPS = ("push", "correct", "erase")
TRIES_MAX = 176  # about a week
_log = structlog.get_logger()


def keep_notice(
    batch: Batch,
    decided: Decided[Sent],
    *,
    op: str,
    peer: str,
    about: bytes | None,
    tries: int = 0,
    wait_s: int = 0,
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
                "tries": tries,
                "next_at_ms": batch.now_ms + wait_s * 1_000,
                "state": NOTICE_OPEN,
            },
        )
        return sent

    return Decided(entry=decided.entry, finish=finish)


def get_back_off_s(jti: bytes, *, tries: int) -> int:
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
        expired = await asyncio.to_thread(
            self._list, lambda store: store.list_expired(limit=NOTICES_A_ROUND_MAX)
        )
        await decide_all(
            expired,
            lambda notice: self._writer.submit_async(partial(self._decide_again, old=notice)),
        )
        now_ms = self._clock.now_ms()
        due = await asyncio.to_thread(
            self._list,
            lambda store: store.list_due(
                state=NOTICE_OPEN, now_ms=now_ms, limit=NOTICES_A_ROUND_MAX, ops=MESSAGE_OPS
            ),
        )
        return await send_by_peer(
            due, find_peer=lambda notice: notice.peer, send=self._send, put_off=self.put_off
        )

    async def _send(self, notice: Notice) -> bool:
        """Send one; where the reply did not settle it, wait longer each time."""
        try:
            outcome = await self._courier.settle(notice.jti)
        except (NodeError, ProtocolError) as err:
            _log.warning("notice_not_sent", op=notice.op, peer=notice.peer, code=err.code)
            await self.put_off(notice)
            if isinstance(err, PeerUnreachableError):
                raise
            return False
        if outcome.status != "200":
            _log.warning("notice_refused", op=notice.op, peer=notice.peer, code=outcome.status)
            await self.put_off(notice)  # Changes nothing unless it is still open, as after haste.
        return outcome.status == "200"

    async def put_off(self, notice: Notice) -> None:
        """Try again later, at most for a week."""

        def decide(batch: Batch) -> Decided[None]:
            self.decide_put_off(batch, notice)
            return Decided(entry=None, finish=lambda _placement: None)

        await self._writer.submit_async(decide)

    def decide_put_off(self, batch: Batch, notice: Notice) -> None:
        """Do so within a decision."""
        _put_off(NoticeStore(batch.connection), notice, now_ms=batch.now_ms)

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
        nothing: Decided[Sent | None] = Decided(entry=None, finish=lambda _placement: None)
        outgoing = SharingStore(batch.connection).find_outgoing(old.jti)
        tries = old.tries + 1
        is_over = tries >= TRIES_MAX or outgoing is None or outgoing.request is None
        store = NoticeStore(batch.connection)
        store.settle(old.jti, state=NOTICE_GIVEN_UP if is_over else NOTICE_RENEWED)
        if is_over or outgoing is None or outgoing.request is None:
            return nothing
        envelope = parse_envelope(split_compact(outgoing.request.env).payload)
        # Refused as expired in its time: the clocks differ, and haste would not mend that.
        is_early = batch.now_ms // 1_000 < envelope.exp
        wait_s = get_back_off_s(old.jti, tries=old.tries) if is_early else 0
        jti = self._courier.draw_jti()
        if old.op == "correct":
            # What may be told now is decided now: a withdrawal may have come since.
            store.add(
                Notice(
                    jti=jti,
                    op=old.op,
                    peer=old.peer,
                    about=old.about,
                    consent=outgoing.consent,
                    reason=CorrectBody.from_bytes(outgoing.request.body).reason,
                    tries=tries,
                    next_at_ms=batch.now_ms + wait_s * 1_000,
                    state=NOTICE_DUE,
                )
            )
            return nothing
        content = Content(
            op=old.op,
            body=outgoing.request.body,
            content_type=envelope.bct,
            consents=envelope.consents,
        )
        decided = self._courier.decide_send(batch, content, peer=old.peer, jti=jti)
        AttestationStore(batch.connection).renew_attestation(old.jti, jti)
        kept = keep_notice(
            batch, decided, op=old.op, peer=old.peer, about=old.about, tries=tries, wait_s=wait_s
        )
        return Decided(entry=kept.entry, finish=kept.finish)


def _put_off(store: NoticeStore, notice: Notice, *, now_ms: int) -> None:
    tries = notice.tries + 1
    state = notice.state if tries < TRIES_MAX else NOTICE_GIVEN_UP
    wait_ms = get_back_off_s(notice.jti, tries=notice.tries) * 1_000
    store.put_off(notice.jti, tries=tries, next_at_ms=now_ms + wait_ms, state=state)
