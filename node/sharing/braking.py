"""This member's own word on a consent: the brake, and the end of a consent, signed and logged.

A brake (pause, resume, revoke) takes effect here at once, with its log entry; the consumer and the
hub's list are told after that, until they have it. Of a consent that this member vouches for as its
consumer it states a withdrawal the same way, and provider and hub are told. That a consent has
expired, is used up or is replaced follows from what is held; it is stated once, so that the log
says when it ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch, Decided, Placement
from node.core.errors import NodeError, RejectedError
from node.core.writer import Writer
from node.sharing.batching import ExchangeBatch
from node.sharing.changes import TellChange, tell_nobody
from node.sharing.consents import (
    ConsentNotHeldError,
    StaleStatusError,
    check_parties,
    decide_status,
)
from node.sharing.notices import NoticeService
from node.sharing.peers import PeerUnreachableError, StatementSender
from node.sharing.registry import RegistryHolder
from node.sharing.rounds import decide_all, send_by_peer
from node.sharing.sealing import Sealer
from node.sharing.store import HeldConsent
from node.sharing.store.grants import GrantStore
from node.sharing.store.notices import NOTICE_DONE, NOTICE_OPEN, NOTICE_REFUSED, Notice, NoticeStore
from node.sharing.store.pending import PendingStore
from protocol.consent import (
    Consent,
    ConsentState,
    ConsentStatus,
    StatusSigner,
    find_end,
    may_sign,
    read_held_consent,
    window_start,
)
from protocol.limits import JTI_BYTES

STATUS = "status"  # a notice that carries a statement, not a message
STATUS_CONFLICT, STATUS_OK = 409, 200
GRANTS_AT_ONCE = 500
_log = structlog.get_logger()


class VoucherOnlyEndsError(RejectedError):
    """The consumer that vouches for a consent neither pauses nor resumes it."""

    code = "voucher-only-ends"


def note_status(
    batch: Batch, name: bytes, *, peer: str, signer: StatusSigner, draw: Callable[[int], bytes]
) -> None:
    """Note in the writer's transaction that a signer's newest status is to be brought to a peer."""
    NoticeStore(batch.connection).add(
        Notice(
            jti=draw(JTI_BYTES),
            op=STATUS,
            peer=peer,
            about=name,
            consent=name,
            reason=signer.value,
            tries=0,
            next_at_ms=batch.now_ms,
            state=NOTICE_OPEN,
        )
    )


class BrakeService:
    """States changes of consents that this node answers under."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        sealer: Sealer,
        clock: Clock,
        peers: StatementSender,
        notices: NoticeService,
        hub_url: str,
        tell_change: TellChange = tell_nobody,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._sealer = sealer
        self._clock = clock
        self._peers = peers
        self._notices = notices
        self._hub_url = hub_url
        self._tell_change = tell_change

    async def state(self, consent: bytes, state: ConsentState, *, reason: str) -> HeldConsent:
        """Pause, resume or end a consent as its provider; or end one as its vouching consumer.

        Raises:
            ConsentNotHeldError: No such consent is held here.
            WrongProviderError: It names another provider.
            VoucherOnlyEndsError: As its consumer this member may only say that it is withdrawn.
            StaleStatusError: It is in that state already, or its state is final.
        """
        return await self._writer.submit_async(
            lambda batch: self._decide(batch, consent, state, reason=reason, is_told=True)
        )

    async def state_ends(self) -> int:
        """State once of each consent that it has ended, and return of how many."""
        count, after = 0, b""
        while True:
            names, ended = await asyncio.to_thread(self._list_ended, after)
            if not names:
                break
            count += sum(await decide_all(ended, lambda name: self._end(name, stated=None)))
            after = names[-1]
        replaced = await asyncio.to_thread(self._list_unsaid_replaced)
        return count + sum(
            await decide_all(replaced, lambda name: self._end(name, stated=ConsentState.REPLACED))
        )

    async def send_statuses(self) -> int:
        """Bring brakes to consumers and to the hub, and return how many have arrived."""
        due = await asyncio.to_thread(self._notices.list_open_of, STATUS)
        return await send_by_peer(
            due,
            find_peer=lambda notice: notice.peer,
            send=self._try_bring,
            put_off=self._notices.put_off,
        )

    async def _try_bring(self, notice: Notice) -> bool:
        try:
            return await self._bring(notice)
        except NodeError as err:
            _log.warning("status_not_brought", peer=notice.peer, code=err.code)
            await self._notices.put_off(notice)
            if isinstance(err, PeerUnreachableError):
                raise
            return False

    def _list_ended(self, after: bytes) -> tuple[list[bytes], list[bytes]]:
        """Return the next open consents, and which of them may have ended by themselves."""
        now_s = self._clock.now_ms() // 1_000
        with self._database.read() as uow:
            grants = GrantStore(uow.connection)
            names = grants.list_open_grants(
                provider=self._sealer.member_id, after=after, limit=GRANTS_AT_ONCE
            )
            # Uses only rise and time goes on: what cannot have ended is not looked at further.
            ended = [name for name in names if grants.may_have_ended(name, now_s=now_s)]
        return names, ended

    def _list_unsaid_replaced(self) -> list[bytes]:
        with self._database.read() as uow:
            return GrantStore(uow.connection).list_unsaid_replaced(
                provider=self._sealer.member_id, limit=GRANTS_AT_ONCE
            )

    async def _end(self, name: bytes, *, stated: ConsentState | None) -> bool:
        try:
            return await self._writer.submit_async(
                lambda batch: self._decide_end(batch, name, stated=stated)
            )
        except StaleStatusError as err:  # Somebody has ended it meanwhile; the others are stated.
            _log.info("end_not_stated", code=err.code)
            return False

    def _decide_end(
        self, batch: Batch, name: bytes, *, stated: ConsentState | None
    ) -> Decided[bool]:
        held = ExchangeBatch.of(batch).find_consent(name)
        if held is None:
            return Decided(entry=None, finish=lambda _placement: False)
        now_s = batch.now_ms // 1_000
        consent = read_held_consent(held.token)
        standing = held.standing(window_start_s=window_start(consent.frequency, now_s=now_s))
        state = stated or find_end(consent, standing=standing, now_s=now_s)
        # An answer that waits to be fetched may still be withdrawn, and a final state cannot be.
        waits = state is ConsentState.EXHAUSTED and PendingStore(batch.connection).has_of(name)
        if state is None or waits:
            return Decided(entry=None, finish=lambda _placement: False)
        decided = self._decide(batch, name, state, reason="ended", is_told=False)

        def finish(placement: Placement | None) -> bool:
            decided.finish(placement)
            return True

        return Decided(entry=decided.entry, finish=finish)

    def _decide(
        self, batch: Batch, name: bytes, state: ConsentState, *, reason: str, is_told: bool
    ) -> Decided[HeldConsent]:
        grants = GrantStore(batch.connection)
        token = grants.find_token(name)
        if token is None:
            raise ConsentNotHeldError("no such consent is held here")
        consent = read_held_consent(token)
        signer = self._get_signer(consent)
        if not may_sign(signer, state):
            raise VoucherOnlyEndsError("who vouches for a consent only says that it is withdrawn")
        status = ConsentStatus(
            consent=name,
            seq=grants.count_statuses(name, signer=signer.value) + 1,
            state=state,
            iat=batch.now_ms // 1_000,
            by=signer.value,
            reason=reason,
        )
        decided = decide_status(
            batch, self._sealer.sign_status(status), status, tell_change=self._tell_change
        )
        if is_told:
            other = consent.provider if signer is StatusSigner.CONSUMER else consent.consumer
            for peer in (other, self._registry.newest.hub):
                note_status(batch, name, peer=peer, signer=signer, draw=self._sealer.random_bytes)
        return decided

    def _get_signer(self, consent: Consent) -> StatusSigner:
        if consent.evidence is not None and consent.consumer == self._sealer.member_id:
            return StatusSigner.CONSUMER
        check_parties(consent, provider=self._sealer.member_id)
        return StatusSigner.PROVIDER

    async def _bring(self, notice: Notice) -> bool:
        """Bring the newest status; one that came before it is brought with it."""
        registry = self._registry.newest
        with self._database.read() as uow:
            grants, name = GrantStore(uow.connection), notice.about or b""
            consent = read_held_consent(grants.find_token(name) or "")
            # One that was noted before signers were named is our own.
            signer = self._get_signer(consent).value if notice.reason is None else notice.reason
            token = grants.get_newest_status(name, signer=signer)
        member = registry.find_member(notice.peer)
        if notice.peer == registry.hub:
            reply = await self._peers.report_status(self._hub_url, token)
        elif member is None:
            self._settle(notice, NOTICE_REFUSED)
            return False
        else:
            reply = await self._peers.send_status(member.endpoints["v1"], token)
        if reply.status not in {STATUS_OK, STATUS_CONFLICT}:  # 409: it has ended there already.
            _log.warning("status_refused", peer=notice.peer, status=reply.status)
            await self._notices.put_off(notice)
            return False
        self._settle(notice, NOTICE_DONE)
        return True

    def _settle(self, notice: Notice, state: str) -> None:
        with self._database.write() as uow:
            NoticeStore(uow.connection).settle(notice.jti, state=state)
