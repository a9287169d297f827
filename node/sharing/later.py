"""Answers that come later: a provider makes those it owes, a consumer polls for those it awaits."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch, Decided
from node.core.errors import NodeError
from node.core.writer import Writer
from node.sharing.batching import ExchangeBatch
from node.sharing.operations import Ports
from node.sharing.outgoing import Outcome, Sent
from node.sharing.peers import PeerUnreachableError
from node.sharing.registry import RegistryHolder
from node.sharing.releases import Disclosed, Question
from node.sharing.rounds import send_by_peer
from node.sharing.sealing import Content, Sealer
from node.sharing.sending import Courier
from node.sharing.store.pending import CODE_ACCEPTED, AwaitedAnswer, PendingAnswer, PendingStore
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.identifiers import parse_subject_id
from protocol.limits import JTI_BYTES
from protocol.problems import NoAnswerError
from schemas.exchange import POLL_CONTENT_TYPE, PollBody

ANSWERS_AT_ONCE = 100
POLLS_AT_ONCE = 100
POLL_AGAIN_S = 60  # where a poll got no reply
POLL_AGAIN_S_MAX = 3_600
_log = structlog.get_logger()


class LaterAnswers:
    """Makes answers owed, and polls for answers awaited."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        clock: Clock,
        sealer: Sealer,
        courier: Courier,
        ports: Ports,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._clock = clock
        self._sealer = sealer
        self._courier = courier
        self._ports = ports

    async def make_answers(self) -> int:
        """Make the answers owed; return how many. They leave when they are polled for."""
        names = await asyncio.to_thread(self._list_unanswered)
        for name in names:
            await self._writer.submit_async(partial(self._decide, name=name))
        return len(names)

    async def poll(self) -> int:
        """Poll for the answers due; return how many polls got a reply."""
        due = await asyncio.to_thread(self._list_due)
        return await send_by_peer(
            due,
            find_peer=lambda awaited: awaited.peer,
            send=self._try_poll,
            put_off=self._put_off,
        )

    def _list_unanswered(self) -> list[bytes]:
        with self._database.read() as uow:
            return PendingStore(uow.connection).list_unanswered(limit=ANSWERS_AT_ONCE)

    def _list_due(self) -> list[AwaitedAnswer]:
        with self._database.read() as uow:
            return PendingStore(uow.connection).list_due(
                now_ms=self._clock.now_ms(), limit=POLLS_AT_ONCE
            )

    def _decide(self, batch: Batch, *, name: bytes) -> Decided[None]:
        """Make check 10 of a question whose use is counted."""
        store = PendingStore(batch.connection)
        pending = store.find(name)
        if pending is not None and pending.code == CODE_ACCEPTED:
            disclosed = self._disclose(batch, pending)
            if disclosed is None:
                store.answer(name, code=NoAnswerError.code, body=None)
            else:
                store.answer(name, code=disclosed.tier, body=disclosed.body)
        return Decided(entry=None, finish=lambda _placement: None)

    def _disclose(self, batch: Batch, pending: PendingAnswer) -> Disclosed | None:
        held = ExchangeBatch.of(batch).find_consent(pending.consent)
        if held is None:
            return None
        try:
            consent = self._ports.verdicts.verify(held.token, registry=self._registry.newest)
        except ProtocolError as err:  # The poll's check 9 says so; the other questions go on.
            _log.info("answer_not_made", code=err.code)
            return None
        return self._ports.disclosures.disclose(
            batch,
            Question(
                subject=parse_subject_id(held.subject),
                last_months=pending.last_months,
                metrics=frozenset(pending.metrics),
                business_date=self._ports.business_date(),
                policy=self._ports.policy,
                k_min=consent.k_min,
            ),
        )

    async def _try_poll(self, awaited: AwaitedAnswer) -> bool:
        try:
            await self._poll(awaited)
        except (NodeError, ProtocolError) as err:
            _log.warning("poll_not_answered", peer=awaited.peer, code=err.code)
            await self._put_off(awaited)
            if isinstance(err, PeerUnreachableError):
                raise
            return False
        return True

    async def _put_off(self, awaited: AwaitedAnswer) -> None:
        """Send the same poll later: the longer it has had no reply, the more rarely."""
        if not awaited.is_poll_open:  # A new one has its time already, if it was made.
            return
        await self._writer.submit_async(lambda batch: _decide_put_off(batch, awaited))

    async def _poll(self, awaited: AwaitedAnswer) -> Outcome:
        # A poll without a reply is sent again as it was, until it has expired.
        if awaited.is_poll_open and awaited.poll is not None:
            return await self._courier.settle(awaited.poll)
        return await self._courier.dispatch(lambda batch: self._decide_poll(batch, awaited))

    def _decide_poll(self, batch: Batch, awaited: AwaitedAnswer) -> Decided[Sent]:
        body = PollBody(v=1, kind="poll", request=encode_b64u(awaited.msg))
        jti = self._sealer.random_bytes(JTI_BYTES)
        PendingStore(batch.connection).note_poll(
            awaited.jti, poll=jti, poll_at_ms=batch.now_ms + POLL_AGAIN_S * 1000
        )
        return self._courier.decide_send(
            batch,
            Content(op="poll", body=body.to_bytes(), content_type=POLL_CONTENT_TYPE),
            peer=awaited.peer,
            consent=awaited.consent,
            subject=awaited.subject,
            jti=jti,
        )


def _decide_put_off(batch: Batch, awaited: AwaitedAnswer) -> Decided[None]:
    age_s = (batch.now_ms - awaited.poll_sent_at_ms) // 1000
    wait_s = min(max(age_s, POLL_AGAIN_S), POLL_AGAIN_S_MAX)
    if awaited.poll is not None:
        PendingStore(batch.connection).note_poll(
            awaited.jti, poll=awaited.poll, poll_at_ms=batch.now_ms + wait_s * 1000
        )
    return Decided(entry=None, finish=lambda _placement: None)
