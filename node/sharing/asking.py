"""Ask peers: questions under consents, consents handed over, receipts.

An ask in doubt (no reply in time) stays open; ``settle`` sends the same bytes again, and the peer
repeats its stored answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.core.database import Database
from node.core.decision import Batch, Decided, NextBatchError
from node.core.errors import ForbiddenError, RejectedError
from node.core.writer import Writer
from node.sharing.batching import ExchangeBatch
from node.sharing.consents import ConsentVerdicts
from node.sharing.outgoing import Ask, Outcome, Sent, restore
from node.sharing.registry import RegistryHolder
from node.sharing.sealing import Content, Sealer
from node.sharing.sending import Courier
from node.sharing.store import HeldConsent, SharingStore
from node.sharing.store.due import DueStore, OpenAsk
from protocol.consent import Use, check_use, window_start
from protocol.encoding import encode_b64u
from protocol.limits import JTI_BYTES
from protocol.problems import ConsentMissingError
from protocol.receipt import ANSWERS_PER_RECEIPT_MAX, RECEIPT_CONTENT_TYPE, format_receipt
from schemas.exchange import (
    CONSENT_PUT_CONTENT_TYPE,
    QUERY_BATCH_CONTENT_TYPE,
    QUERY_CONTENT_TYPE,
    ConsentPutBody,
    DeliveredConsent,
    QueryBatchBody,
    QueryBody,
)

OPEN_RECEIPTS_MAX = 256


class BatchProvidersError(RejectedError):
    """The consents of a batch name several providers."""

    code = "batch-providers"


class PersonAskedError(ForbiddenError):
    """By our own records it is about a natural person or sole trader."""

    code = "person-asked"


class AskingService:
    """Asks other members."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        sealer: Sealer,
        courier: Courier,
        verdicts: ConsentVerdicts,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._sealer = sealer
        self._courier = courier
        self._verdicts = verdicts

    async def ask(self, ask: Ask) -> Outcome:
        """Ask one provider.

        Raises:
            PeerProblemError: The consent does not cover the question: nothing is sent.
            PersonAskedError: By our records it is about a natural person: nothing is sent.
            UnavailableError: The provider does not answer, or refuses unsigned; the ask stays open.
        """
        return await self._courier.dispatch(lambda batch: self._decide_query(batch, ask))

    async def ask_batch(self, asks: Sequence[Ask]) -> Outcome:
        """Ask one provider under several consents in one message; the first names its id.

        Raises:
            PeerProblemError: A consent does not cover its question: nothing is sent.
            PersonAskedError: By our records one is about a natural person: nothing is sent.
            BatchProvidersError: The consents name several providers.
            UnavailableError: The provider does not answer, or refuses unsigned; the ask stays open.
        """
        return await self._courier.dispatch(lambda batch: self._decide_batch(batch, asks))

    async def deliver(self, held: HeldConsent) -> Outcome:
        """Hand a consent to the provider that it names; delivering it again changes nothing.

        Raises:
            PersonAskedError: By our records it is of a natural person.
            UnavailableError: The provider does not answer.
        """
        body = ConsentPutBody(
            v=1,
            kind="consent-put",
            consents=[
                DeliveredConsent(
                    token=held.token, subject=held.subject, salt=encode_b64u(held.salt)
                )
            ],
        )
        content = Content(
            op="consent.put",
            body=body.to_bytes(),
            content_type=CONSENT_PUT_CONTENT_TYPE,
            consents=(held.hash,),
        )

        def decide(batch: Batch) -> Decided[Sent]:
            _check_no_person(batch, held)
            return self._courier.decide_send(
                batch, content, peer=held.provider, consent=held.hash, subject=held.subject
            )

        return await self._courier.dispatch(decide)

    async def settle(self, jti: bytes) -> Outcome:
        """Send the same bytes again and take the stored answer.

        Raises:
            AskNotFoundError: Nothing of this id was sent, or its body is erased.
            UnavailableError: The provider still does not answer.
        """
        return await self._courier.settle(jti)

    async def acknowledge(self, peer: str) -> Outcome | None:
        """Send one receipt for every answer of a peer that has none yet.

        Raises:
            UnavailableError: The peer does not answer; the receipt stays open.
        """
        sent = await self._writer.submit_async(lambda batch: self._decide_receipt(batch, peer))
        return None if sent is None else await self._courier.send(sent)

    def list_peers_to_acknowledge(self) -> list[str]:
        """Return peers whose answers await a receipt."""
        with self._database.read() as uow:
            return SharingStore(uow.connection).list_peers_to_acknowledge()

    def list_open_receipts(self) -> list[OpenAsk]:
        """Return receipts of ours that got no reply."""
        with self._database.read() as uow:
            return DueStore(uow.connection).list_open(op="receipt", limit=OPEN_RECEIPTS_MAX)

    def _decide_query(self, batch: Batch, ask: Ask) -> Decided[Sent]:
        """Check the consent on our own side too, then log and seal the question."""
        if (sent := self._find_sent(batch, ask.jti, may_exist=ask.may_exist)) is not None:
            return Decided(entry=None, finish=lambda _placement: sent)
        held = self._check(batch, ask)
        body = QueryBody.from_object(
            {
                "v": 1,
                "kind": "query",
                "consent": encode_b64u(ask.consent),
                "purpose": ask.purpose,
                "metrics": [metric.value for metric in ask.metrics],
                "last_months": ask.last_months,
                **({"deferred": True} if ask.takes_deferred else {}),
            }
        )
        content = Content(
            op="query",
            body=body.to_bytes(),
            content_type=QUERY_CONTENT_TYPE,
            consents=(ask.consent,),
        )
        return self._courier.decide_send(
            batch,
            content,
            peer=held.provider,
            consent=ask.consent,
            subject=held.subject,
            purpose=ask.purpose,
            jti=ask.jti,
        )

    def _decide_batch(self, batch: Batch, asks: Sequence[Ask]) -> Decided[Sent]:
        """Check every consent on our own side, then log and seal one message."""
        first = asks[0]
        if (sent := self._find_sent(batch, first.jti, may_exist=first.may_exist)) is not None:
            return Decided(entry=None, finish=lambda _placement: sent)
        held = [self._check(batch, ask) for ask in asks]
        if len({one.provider for one in held}) != 1:
            raise BatchProvidersError("a batch goes to one provider")
        body = QueryBatchBody.from_object(
            {
                "v": 1,
                "kind": "query-batch",
                "purpose": first.purpose,
                "items": [
                    {
                        "consent": encode_b64u(ask.consent),
                        "metrics": [metric.value for metric in ask.metrics],
                        "last_months": ask.last_months,
                    }
                    for ask in asks
                ],
            }
        )
        content = Content(
            op="query",
            body=body.to_bytes(),
            content_type=QUERY_BATCH_CONTENT_TYPE,
            consents=tuple(ask.consent for ask in asks),
        )
        return self._courier.decide_send(
            batch,
            content,
            peer=held[0].provider,
            subjects=tuple(one.subject for one in held),
            purpose=first.purpose,
            jti=first.jti,
        )

    def _check(self, batch: Batch, ask: Ask) -> HeldConsent:
        """Make check 9 on our own copy: the second checker."""
        now_s = batch.now_ms // 1000
        held = ExchangeBatch.of(batch).find_consent(ask.consent)
        if held is None:
            raise ConsentMissingError("no such consent is held here")
        _check_no_person(batch, held)
        consent = self._verdicts.verify(held.token, registry=self._registry.newest)
        check_use(
            consent,
            use=Use(
                consumer=self._sealer.member_id,
                provider=consent.provider,
                purpose=ask.purpose,
                op="query",
                metrics=[metric.value for metric in ask.metrics],
                last_months=ask.last_months,
            ),
            # The provider counts; what it has counted is its truth, so uses are not checked here.
            standing=held.standing(window_start_s=window_start(consent.frequency, now_s=now_s)),
            now_s=now_s,
        )
        return held

    def _find_sent(self, batch: Batch, jti: bytes | None, *, may_exist: bool) -> Sent | None:
        """Return the question if it was logged before: it is sent again, not asked anew."""
        if not may_exist or jti is None:
            return None
        if jti in batch.taken:
            raise NextBatchError
        batch.taken.add(jti)
        store = SharingStore(batch.connection)
        outgoing = store.find_outgoing(jti)
        if outgoing is None or outgoing.request is None:
            return None
        return restore(outgoing, outgoing.request, find_subject=store.find_subject)

    def _decide_receipt(self, batch: Batch, peer: str) -> Decided[Sent | None]:
        store = SharingStore(batch.connection)
        answers = store.list_unacknowledged(peer, limit=ANSWERS_PER_RECEIPT_MAX)
        if not answers:
            return Decided(entry=None, finish=lambda _placement: None)
        content = Content(
            op="receipt", body=format_receipt(answers), content_type=RECEIPT_CONTENT_TYPE
        )
        jti = self._sealer.random_bytes(JTI_BYTES)
        store.mark_acknowledged(answers, receipt=jti)
        decided = self._courier.decide_send(batch, content, peer=peer, jti=jti)
        return Decided(entry=decided.entry, finish=decided.finish)


def _check_no_person(batch: Batch, held: HeldConsent) -> None:
    """Check that nobody is told that we deal with a natural person, under whatever number."""
    if ExchangeBatch.of(batch).is_person(held.subject):
        raise PersonAskedError("by our records this is a natural person: nobody is asked or told")
