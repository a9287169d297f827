"""A message of ours on its way: seal and log it, send it, verify the reply, log the response.

What is particular to an operation stands in ``node.sharing.replies``; what is asked, and when, is
the business of the services that use this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch, Decided, Decision, Placement
from node.core.errors import NotFoundError, RejectedError
from node.core.turnstile import Turnstile
from node.core.writer import Writer
from node.sharing.batching import ExchangeBatch
from node.sharing.clock_watch import ClockWatch
from node.sharing.outgoing import (
    Item,
    Outcome,
    Sent,
    Verified,
    explain_unsigned,
    restore,
    store_request,
    store_response,
)
from node.sharing.peers import MessageSender
from node.sharing.registry import RegistryHolder
from node.sharing.replies import conclude, read_reply
from node.sharing.sealing import Content, Sealer
from node.sharing.store import SharingStore
from protocol.entry import RequestEntry, ResponseEntry, format_entry
from protocol.errors import ProtocolError
from protocol.exchange import open_reply
from protocol.jws import split_compact
from protocol.limits import ANSWER_BYTES_MAX, JTI_BYTES
from protocol.message import POSITIVE_STATES, Envelope, parse_envelope, parse_message
from protocol.problems import QuotaError
from schemas.exchange import ProblemBody

NO_PURPOSE = "-"
FRESH_S = 5


class AskNotFoundError(NotFoundError):
    """No message of this id was sent, or its body is erased."""

    code = "ask-not-found"


class PeerNotMemberError(RejectedError):
    """The registry has no such active member."""

    code = "peer-not-member"


class Courier:
    """Carries this member's messages and their replies, each logged."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        sealer: Sealer,
        clock: Clock,
        peers: MessageSender,
        business_date: Callable[[], date],
        ahead_s: int,
        clock_watch: ClockWatch | None = None,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._sealer = sealer
        self._clock = clock
        self._peers = peers
        self._business_date = business_date
        self._ahead_s = ahead_s
        self._clock_watch = clock_watch
        self._turnstile = Turnstile()

    async def dispatch(self, decide: Decision[Sent]) -> Outcome:
        """Have a message decided and logged, then send it.

        Raises:
            UnavailableError: The peer does not answer, or refuses unsigned; the message stays open.
        """
        return await self.send(await self._writer.submit_async(decide))

    async def settle(self, jti: bytes) -> Outcome:
        """Send the same bytes again and take the stored answer.

        Raises:
            AskNotFoundError: Nothing of this id was sent, or its body is erased.
            UnavailableError: The provider still does not answer.
        """
        with self._database.read() as uow:
            store = SharingStore(uow.connection)
            outgoing = store.find_outgoing(jti)
            if outgoing is None or outgoing.request is None:
                raise AskNotFoundError("no message of this id can be sent again")
            sent = restore(outgoing, outgoing.request, find_subject=store.find_subject)
        return await self.send(sent)

    def recall(self, jti: bytes) -> Outcome | None:
        """Return what is known of a message of ours, None where none has this id.

        Its status is ``open`` without a reply.
        """
        with self._database.read() as uow:
            store = SharingStore(uow.connection)
            outgoing = store.find_outgoing(jti)
            if outgoing is None:
                return None
            reply = store.find_reply(jti)
            outcome = Outcome(
                jti=jti,
                peer=outgoing.peer,
                status=outgoing.code,
                msg=outgoing.msg,
                ans=outgoing.ans,
                repeated=True,
            )
            if outgoing.request is None or reply is None:
                return outcome
            sent = restore(outgoing, outgoing.request, find_subject=store.find_subject)
        items, detail = _read_body(
            sent, parse_envelope(split_compact(reply.env).payload), body=reply.body
        )
        return replace(outcome, items=items, detail=detail)

    async def send(self, sent: Sent) -> Outcome:
        """Send what is logged, verify the reply and log it.

        Raises:
            PeerNotMemberError: The receiver is not in the registry.
            UnavailableError: It does not answer, or its reply does not verify.
        """
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

    def draw_jti(self) -> bytes:
        """Return a new message id, for whoever has to know it before the message is made."""
        return self._sealer.random_bytes(JTI_BYTES)

    def decide_send(
        self,
        batch: Batch,
        content: Content,
        *,
        peer: str,
        consent: bytes | None = None,
        subject: str = "",
        subjects: tuple[str, ...] = (),
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
            position = 0 if placement is None else placement.position
            sent = Sent(
                jti=jti,
                envelope=draft.envelope,
                message=draft.complete(inclusion),
                msg_hash=draft.msg_hash,
                consent=consent,
                subject=subject,
                subjects=subjects,
            )
            store_request(batch, sent, draft, position=position)
            return sent

        return Decided(entry=entry, finish=finish)

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
        items, detail = _read_body(sent, envelope, body=reply.body)
        self._note_time(sent, signed_at_s=envelope.iat)
        return Verified(envelope=envelope, message=reply, head=head, items=items, detail=detail)

    def _note_time(self, sent: Sent, *, signed_at_s: int) -> None:
        # A message sent again may have an answer of long ago: that tells nothing of a clock.
        now_s = self._clock.now_ms() // 1000
        if self._clock_watch is not None and now_s - sent.envelope.iat <= FRESH_S:
            self._clock_watch.note(sent.envelope.aud, signed_at_s=signed_at_s, now_s=now_s)

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
            items=verified.items,
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
        # A second, different reply is logged too: it is evidence against the peer. It is not taken
        # in: nothing follows from it, and no body stays that no row would ever have erased.
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
        received_on = self._business_date()
        if is_first:
            conclude(batch, store, sent, verified)

        def finish(_placement: Placement | None) -> Outcome:
            if is_first:
                store_response(batch, verified, received_on)
            return outcome

        return Decided(entry=entry, finish=finish)


def _read_body(sent: Sent, envelope: Envelope, *, body: bytes) -> tuple[tuple[Item, ...], str]:
    """Return the summaries in a reply, or the text of a refusal.

    Raises:
        ProtocolError: The body breaks its schema or is on somebody else.
    """
    if envelope.st in POSITIVE_STATES:
        return read_reply(sent, envelope, body), ""
    return (), ProblemBody.from_bytes(body).detail
