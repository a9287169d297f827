"""Ask a peer: log the request, send it, verify the reply, log the response.

An ask in doubt (no reply in time) stays open; ``settle`` sends the same bytes again, and the peer
repeats its stored answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch, Decided, Placement
from node.core.errors import NodeError, NotFoundError, RejectedError
from node.core.turnstile import Turnstile
from node.core.writer import Writer
from node.sharing.batching import ExchangeBatch
from node.sharing.consents import ConsentVerdicts
from node.sharing.outgoing import (
    Ask,
    Outcome,
    Sent,
    Verified,
    build_failure,
    explain_unsigned,
    restore,
    store_request,
    store_response,
)
from node.sharing.peers import MessageSender
from node.sharing.registry import RegistryHolder
from node.sharing.sealing import Content, Sealer
from node.sharing.store import (
    HeldConsent,
    SharingStore,
)
from protocol.consent import Use, check_use, window_start
from protocol.encoding import encode_b64u
from protocol.entry import RequestEntry, ResponseEntry, format_entry
from protocol.errors import ProtocolError, SchemaError
from protocol.exchange import open_reply
from protocol.limits import ANSWER_BYTES_MAX, JTI_BYTES
from protocol.message import ANSWERED, parse_message
from protocol.problems import ConsentMissingError, QuotaError
from protocol.receipt import ANSWERS_PER_RECEIPT_MAX, RECEIPT_CONTENT_TYPE, format_receipt
from schemas.exchange import (
    CONSENT_PUT_CONTENT_TYPE,
    QUERY_CONTENT_TYPE,
    ConsentHeldBody,
    ConsentPutBody,
    DeliveredConsent,
    ProblemBody,
    QueryBody,
    ReceiptHeldBody,
)
from schemas.summary import Summary

NO_PURPOSE = "-"
FAN_OUT_MAX = 100


class AskNotFoundError(NotFoundError):
    """No message of this id was sent, or its body is erased."""

    code = "ask-not-found"


class PeerNotMemberError(RejectedError):
    """The registry has no such active member."""

    code = "peer-not-member"


class AskingService:
    """Asks other members."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        sealer: Sealer,
        clock: Clock,
        verdicts: ConsentVerdicts,
        peers: MessageSender,
        business_date: Callable[[], date],
        ahead_s: int,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._sealer = sealer
        self._clock = clock
        self._verdicts = verdicts
        self._peers = peers
        self._business_date = business_date
        self._ahead_s = ahead_s
        self._turnstile = Turnstile()

    async def ask(self, ask: Ask) -> Outcome:
        """Ask one provider.

        Raises:
            PeerProblemError: The consent does not cover the question: nothing is sent.
            UnavailableError: The provider does not answer, or refuses unsigned; the ask stays open.
        """
        sent = await self._writer.submit_async(lambda batch: self._decide_query(batch, ask))
        return await self._send(sent)

    async def fan_out(self, asks: list[Ask], *, deadline_s: float) -> list[Outcome]:
        """Ask several providers at once; one that misses the deadline is ``timeout``, still open.

        Raises:
            RejectedError: More than a hundred.
        """
        if len(asks) > FAN_OUT_MAX:
            raise RejectedError(f"at most {FAN_OUT_MAX} questions at once")
        return list(await asyncio.gather(*(self._ask_within(ask, deadline_s) for ask in asks)))

    async def deliver(self, held: HeldConsent) -> Outcome:
        """Hand a consent to the provider that it names; delivering it again changes nothing.

        Raises:
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
        sent = await self._writer.submit_async(
            lambda batch: self._decide_send(
                batch, content, peer=held.provider, consent=held.hash, subject=held.subject
            )
        )
        return await self._send(sent)

    async def settle(self, jti: bytes) -> Outcome:
        """Send the same bytes again and take the stored answer.

        Raises:
            AskNotFoundError: Nothing of this id was sent, or its body is erased.
            UnavailableError: The provider still does not answer.
        """
        with self._database.read() as uow:
            outgoing = SharingStore(uow.connection).find_outgoing(jti)
        if outgoing is None or outgoing.request is None:
            raise AskNotFoundError("no message of this id can be sent again")
        return await self._send(restore(outgoing, outgoing.request))

    async def acknowledge(self, peer: str) -> Outcome | None:
        """Send one receipt for every answer of a peer that has none yet.

        Raises:
            UnavailableError: The peer does not answer; the receipt stays open.
        """
        sent = await self._writer.submit_async(lambda batch: self._decide_receipt(batch, peer))
        return None if sent is None else await self._send(sent)

    def list_peers_to_acknowledge(self) -> list[str]:
        """Return peers whose answers await a receipt."""
        with self._database.read() as uow:
            return SharingStore(uow.connection).list_peers_to_acknowledge()

    async def _ask_within(self, ask: Ask, deadline_s: float) -> Outcome:
        try:
            return await asyncio.wait_for(self.ask(ask), timeout=deadline_s)
        except TimeoutError:
            return build_failure("timeout", "no answer by the deadline")
        except (NodeError, ProtocolError) as err:
            return build_failure(err.code, err.detail)

    async def _send(self, sent: Sent) -> Outcome:
        """Send what is logged, verify the reply and log it."""
        member = self._registry.newest.find_member(sent.envelope.aud)
        if member is None:
            raise PeerNotMemberError(f"{sent.envelope.aud} is not in the registry")
        http = await self._peers.send_message(member.endpoints["v1"], sent.message.to_bytes())
        async with self._turnstile:
            try:
                verified = self._verify(sent, http.body)
            except ProtocolError as err:
                raise explain_unsigned(http.status, http.body, err) from err
            return await self._writer.submit_async(
                lambda batch: self._decide_response(batch, sent, verified)
            )

    def _verify(self, sent: Sent, raw: bytes) -> Verified:
        reply = parse_message(raw, bytes_max=ANSWER_BYTES_MAX * 2)
        envelope, head = open_reply(
            reply,
            request=sent.envelope,
            request_hash=sent.msg_hash,
            registry=self._registry.newest,
            find_registry=self._registry.find,
            now_s=self._clock.now_ms() // 1000,
            ahead_s=self._ahead_s,
        )
        summary, detail = None, ""
        if envelope.st != ANSWERED:
            detail = ProblemBody.from_bytes(reply.body).detail
        else:
            summary = _read_answer(sent, reply.body)
        return Verified(envelope=envelope, message=reply, head=head, summary=summary, detail=detail)

    def _decide_query(self, batch: Batch, ask: Ask) -> Decided[Sent]:
        """Check the consent on our own side too, then log and seal the question."""
        now_s = batch.now_ms // 1000
        held = ExchangeBatch.of(batch).find_consent(ask.consent)
        if held is None:
            raise ConsentMissingError("no such consent is held here")
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
        body = QueryBody.from_object(
            {
                "v": 1,
                "kind": "query",
                "consent": encode_b64u(ask.consent),
                "purpose": ask.purpose,
                "metrics": [metric.value for metric in ask.metrics],
                "last_months": ask.last_months,
            }
        )
        content = Content(
            op="query",
            body=body.to_bytes(),
            content_type=QUERY_CONTENT_TYPE,
            consents=(ask.consent,),
        )
        return self._decide_send(
            batch,
            content,
            peer=held.provider,
            consent=ask.consent,
            subject=held.subject,
            purpose=ask.purpose,
        )

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
        decided = self._decide_send(batch, content, peer=peer, consent=None, subject="", jti=jti)
        return Decided(entry=decided.entry, finish=decided.finish)

    def _decide_send(
        self,
        batch: Batch,
        content: Content,
        *,
        peer: str,
        consent: bytes | None,
        subject: str,
        purpose: str = NO_PURPOSE,
        jti: bytes | None = None,
    ) -> Decided[Sent]:
        """Seal a message of ours and make its log entry; it may leave after the commit."""
        jti = jti or self._sealer.random_bytes(JTI_BYTES)
        draft = self._sealer.seal(
            content,
            audience=peer,
            jti=jti,
            n=ExchangeBatch.of(batch).next_counter(peer),
            head=batch.head,
            registry=self._registry.reference,
            now_s=batch.now_ms // 1000,
        )
        entry = format_entry(
            RequestEntry(
                at_ms=batch.now_ms,
                xid=jti,
                peer=peer,
                n=draft.envelope.n,
                op=content.op,
                msg=draft.msg_hash,
                purpose=purpose,
                consents=content.consents,
            )
        )

        def finish(placement: Placement | None) -> Sent:
            inclusion = "" if placement is None else placement.inclusion
            index = 0 if placement is None else placement.index
            sent = Sent(
                jti=jti,
                envelope=draft.envelope,
                message=draft.complete(inclusion),
                msg_hash=draft.msg_hash,
                consent=consent,
                subject=subject,
            )
            store_request(batch, sent, draft, index=index)
            return sent

        return Decided(entry=entry, finish=finish)

    def _decide_response(self, batch: Batch, sent: Sent, verified: Verified) -> Decided[Outcome]:
        """Log a verified reply once; the same reply again is reported as repeated."""
        store = SharingStore(batch.connection)
        envelope, ans = verified.envelope, verified.message.msg_hash
        outcome = Outcome(
            jti=sent.jti,
            peer=envelope.iss,
            status=envelope.st or "",
            msg=sent.msg_hash,
            ans=ans,
            summary=verified.summary,
            detail=verified.detail,
        )
        if envelope.st == QuotaError.code or verified.head is None:
            # Asked too fast: the ask stays open, and the same bytes may be sent again.
            return Decided(entry=None, finish=lambda _placement: outcome)
        is_first = store.close_outgoing(
            {
                "of": sent.jti,
                "ans": ans,
                "code": envelope.st,
                "answer_env": verified.message.env,
                "answer_inclusion": verified.message.inclusion,
                "answered_at_ms": batch.now_ms,
            }
        )
        if not is_first:
            earlier = store.find_outgoing(sent.jti)
            if earlier is not None and earlier.ans == ans:
                repeated = replace(outcome, repeated=True)
                return Decided(entry=None, finish=lambda _placement: repeated)
        # A second, different reply is logged too: it is evidence against the peer.
        entry = format_entry(
            ResponseEntry(
                at_ms=batch.now_ms,
                xid=sent.jti,
                peer=envelope.iss,
                peer_n=envelope.n,
                msg=sent.msg_hash,
                ans=ans,
                code=envelope.st or "",
                head=envelope.head,
            )
        )
        ExchangeBatch.of(batch).note_head(
            envelope.iss,
            size=verified.head.size,
            checkpoint=verified.message.inclusion.partition("\n\n")[2],
        )
        if sent.envelope.op == "consent.put" and sent.consent and envelope.st == ANSWERED:
            ExchangeBatch.of(batch).forget_consent(sent.consent)
            store.mark_delivered(sent.consent)
        batch_rows = (batch, sent, verified, self._business_date())

        def finish(_placement: Placement | None) -> Outcome:
            store_response(*batch_rows)
            return outcome

        return Decided(entry=entry, finish=finish)


def _read_answer(sent: Sent, raw: bytes) -> Summary | None:
    """Read the body of a positive answer; that to a query is a summary on the subject asked about.

    Raises:
        SchemaError: The body breaks its schema or is on somebody else.
    """
    match sent.envelope.op:
        case "query":
            summary = Summary.from_bytes(raw)
            if summary.subject != sent.subject:
                raise SchemaError("summary.subject: not the subject asked about")
            return summary
        case "consent.put":
            ConsentHeldBody.from_bytes(raw)
        case _:
            ReceiptHeldBody.from_bytes(raw)
    return None
