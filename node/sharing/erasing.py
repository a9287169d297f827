"""Erasure at the consumer: the life of what peers told, and the signed word that it is gone.

Body and salt go together with everything that was derived from the values, the mark and the log
entry, in one transaction of the writer; the database overwrites what it deletes. The provider is
told afterwards, by a message that is repeated until it is acknowledged. The question goes with its
answer; with a withdrawal go all questions asked under the consent, and its delivery, which holds
the subject's id and salt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import takewhile
from types import MappingProxyType

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.decision import Batch, Decided
from node.core.errors import ConflictError, NotFoundError
from node.core.writer import Writer
from node.sharing.changes import SummaryChange, SummaryEvent, TellChange, tell_nobody
from node.sharing.notices import keep_notice
from node.sharing.outgoing import Sent
from node.sharing.retention import erase_asked
from node.sharing.rounds import decide_all
from node.sharing.rules_life import LEGAL, REVOKED_GRACE_S, LifeEnd, get_life_end
from node.sharing.sealing import Content
from node.sharing.sending import Courier
from node.sharing.store import HeldConsent, SharingStore
from node.sharing.store.asked import AskedMessage, AskedStore, Withdrawal
from node.sharing.store.attestations import AttestationStore, Attested
from node.sharing.store.due import DueStore
from node.sharing.store.grants import GrantStore, KeptSummary
from protocol.consent import read_held_consent
from protocol.encoding import decode_b64u, encode_b64u
from protocol.entry import ErasedEntry, format_entry
from protocol.jws import split_compact
from protocol.limits import ERASED_MESSAGES_MAX, HASH_BYTES
from protocol.message import parse_envelope
from schemas.exchange import PollBody
from schemas.notices import ERASE_CONTENT_TYPE, EraseBody

SUMMARIES_A_ROUND_MAX = 1_000
WITHDRAWALS_AT_ONCE = 64
REQUESTED = "request"
REVOKED = "revoked"
_CURSOR = "withdrawals"
_EVENTS: Mapping[str, SummaryEvent] = MappingProxyType(
    {
        "data-life": SummaryEvent.EXPIRED,
        REVOKED: SummaryEvent.REVOKED,
        "corrected": SummaryEvent.SUPERSEDED,
        REQUESTED: SummaryEvent.ERASED,
    }
)

EraseDerived = Callable[[UnitOfWork, bytes], int]
"""Removes in the same transaction the values that were derived from a message."""


class LegalHoldError(ConflictError):
    """The consent's own basis is a legal duty to keep what was received."""

    code = "legal-hold"


class GrantNotHeldError(NotFoundError):
    """No such consent is held here."""

    code = "consent-not-held"


class ErasureService:
    """Erases what is due, and tells providers."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        courier: Courier,
        clock: Clock,
        erase_derived: EraseDerived,
        tell_change: TellChange = tell_nobody,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._courier = courier
        self._clock = clock
        self._erase_derived = erase_derived
        self._tell_change = tell_change

    async def erase_due(self) -> int:
        """Erase every body whose time has come, tell the providers, and return how many went."""
        await asyncio.to_thread(self._plan)
        due = await asyncio.to_thread(self._list_due)
        count = await self._erase(dict(due))
        await self._follow_withdrawals()
        await self._tell()
        return count

    async def erase_consent(self, consent_hash: bytes) -> int:
        """Erase at the subject's request what was received under a consent; return how many.

        What was asked under it goes too, and the consent's own delivery.

        Raises:
            GrantNotHeldError: No such consent is held here.
            LegalHoldError: The consent's own basis is a legal duty; the text names it.
        """
        with self._database.read() as uow:
            held = SharingStore(uow.connection).find_consent(consent_hash)
            if held is None:
                raise GrantNotHeldError("no such consent is held here")
            consent = read_held_consent(held.token)
            if consent.basis == LEGAL:
                raise LegalHoldError(f"kept on a legal basis: {consent.basis_ref}")
            kept = GrantStore(uow.connection).list_kept_under(consent_hash)
        count = await self._erase(dict.fromkeys(kept, REQUESTED))
        await self._erase_asked(await asyncio.to_thread(self._list_asked, held), basis=REQUESTED)
        await self._tell()
        return count

    def list_attested(self, *, limit: int) -> list[Attested]:
        """Return which of our own answers peers say to have erased."""
        with self._database.read() as uow:
            return AttestationStore(uow.connection).list_attested(limit=limit)

    def _plan(self) -> None:
        """Write for what has come, or was withdrawn, when it goes."""
        with self._database.write() as uow:
            store = GrantStore(uow.connection)
            for kept in store.list_unplanned(limit=SUMMARIES_A_ROUND_MAX):
                end = _get_end(kept)
                store.plan_erasure(kept.msg, kept.consent, at_s=end.at_s, basis=end.basis)

    def _list_due(self) -> list[tuple[bytes, str]]:
        now_s = self._clock.now_ms() // 1_000
        with self._database.read() as uow:
            return GrantStore(uow.connection).list_to_erase(
                now_s=now_s, limit=SUMMARIES_A_ROUND_MAX
            )

    async def _erase(self, due: dict[bytes, str]) -> int:
        erased = await decide_all(
            list(due.items()),
            lambda one: self._writer.submit_async(
                partial(self._decide_erasure, msg=one[0], basis=one[1])
            ),
        )
        if any(erased):
            await asyncio.to_thread(self._database.overwrite_deleted)
        return sum(erased)

    def _decide_erasure(self, batch: Batch, msg: bytes, *, basis: str) -> Decided[bool]:
        store = GrantStore(batch.connection)
        provider = store.find_provider(msg)
        xid = None if provider is None else store.find_xid(msg, provider=provider)
        if provider is None or xid is None or not store.is_kept(msg):
            return Decided(entry=None, finish=lambda _placement: False)
        store.mark_erased(msg, basis=basis, at_ms=batch.now_ms)
        self._erase_derived(batch.uow, msg)
        for subject in store.list_subjects(msg):
            change = SummaryChange(
                event=_EVENTS.get(basis, SummaryEvent.ERASED),
                msgs=(msg,),
                subject=subject,
                at_ms=batch.now_ms,
            )
            self._tell_change(batch.uow, change)
        msgs: tuple[bytes, ...] = (msg,)
        if (question := _find_question(AskedStore(batch.connection), msg)) is not None:
            SharingStore(batch.connection).erase_payload(question)
            msgs = (msg, question)
        entry = ErasedEntry(at_ms=batch.now_ms, xid=xid, peer=provider, basis=basis, msgs=msgs)
        return Decided(entry=format_entry(entry), finish=lambda _placement: True)

    async def _follow_withdrawals(self) -> None:
        """Erase what was asked under consents whose withdrawal is a day old, each once."""
        for withdrawal in await asyncio.to_thread(self._list_withdrawals):
            asked = await asyncio.to_thread(self._list_asked_before, withdrawal)
            await self._erase_asked(asked, basis=REVOKED)
            # Only now: what a stop cuts short is looked at again, and what is gone stays gone.
            await self._writer.submit_async(partial(_move_on, number=withdrawal.id))

    def _list_withdrawals(self) -> list[Withdrawal]:
        before_ms = self._clock.now_ms() - REVOKED_GRACE_S * 1_000
        with self._database.read() as uow:
            found = AskedStore(uow.connection).list_withdrawals(
                after_id=DueStore(uow.connection).get_cursor(_CURSOR), limit=WITHDRAWALS_AT_ONCE
            )
        return list(takewhile(lambda one: one.taken_at_ms <= before_ms, found))

    def _list_asked_before(self, withdrawal: Withdrawal) -> list[AskedMessage]:
        with self._database.read() as uow:
            held = SharingStore(uow.connection).find_consent(withdrawal.consent)
        if held is None or read_held_consent(held.token).basis == LEGAL:
            return []
        return self._list_asked(held)

    def _list_asked(self, held: HeldConsent) -> list[AskedMessage]:
        """Return what was asked under a consent, alone or in a batch, and its deliveries."""
        with self._database.read() as uow:
            store = AskedStore(uow.connection)
            batches = [
                asked
                for asked, env in store.iterate_batches(held.provider)
                if held.hash in parse_envelope(split_compact(env).payload).consents
            ]
            return [*store.list_asked_under(held.hash), *batches]

    async def _erase_asked(self, asked: Sequence[AskedMessage], *, basis: str) -> None:
        erased = await decide_all(
            asked,
            lambda one: self._writer.submit_async(partial(erase_asked, asked=one, basis=basis)),
        )
        if any(erased):
            await asyncio.to_thread(self._database.overwrite_deleted)

    async def _tell(self) -> None:
        """Make the messages that tell providers; a later round sends them."""
        await decide_all(
            await asyncio.to_thread(self._list_to_attest),
            lambda one: self._writer.submit_async(
                partial(self._decide_attestation, provider=one[0], basis=one[1])
            ),
        )

    def _list_to_attest(self) -> list[tuple[str, str]]:
        with self._database.read() as uow:
            return AttestationStore(uow.connection).list_to_attest()

    def _decide_attestation(
        self, batch: Batch, provider: str, *, basis: str
    ) -> Decided[Sent | None]:
        store = AttestationStore(batch.connection)
        msgs = store.list_unattested(provider, basis=basis, limit=ERASED_MESSAGES_MAX)
        if not msgs:
            return Decided(entry=None, finish=lambda _placement: None)
        body = EraseBody.from_object(
            {
                "v": 1,
                "kind": "erase",
                "basis": basis,
                "answers": [encode_b64u(msg) for msg in msgs],
            }
        )
        content = Content(op="erase", body=body.to_bytes(), content_type=ERASE_CONTENT_TYPE)
        jti = self._courier.draw_jti()
        store.mark_attested(msgs, jti=jti)
        decided = self._courier.decide_send(batch, content, peer=provider, jti=jti)
        kept = keep_notice(batch, decided, op="erase", peer=provider, about=None)
        return Decided(entry=kept.entry, finish=kept.finish)


def _find_question(store: AskedStore, ans: bytes) -> bytes | None:
    """Return the question that an answer is of, whether it came at once or was polled for."""
    polled = store.find_polled(ans)
    if polled is None:
        return store.find_question(ans)
    body, consent = polled
    asked = decode_b64u(PollBody.from_bytes(body).request, bytes_exact=HASH_BYTES)
    return asked if store.has_question(asked, consent=consent) else None


def _move_on(batch: Batch, *, number: int) -> Decided[None]:
    DueStore(batch.connection).move_cursor(_CURSOR, seq=number)
    return Decided(entry=None, finish=lambda _placement: None)


def _get_end(kept: KeptSummary) -> LifeEnd:
    if kept.token is None:  # Without its consent nothing allows to keep it.
        return LifeEnd(at_s=0, basis=REQUESTED)
    revoked_s = None if kept.revoked_at_ms is None else kept.revoked_at_ms // 1_000
    return get_life_end(
        read_held_consent(kept.token),
        received_s=kept.received_at_ms // 1_000,
        revoked_s=revoked_s,
    )
