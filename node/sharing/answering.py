"""Answer a peer's message: checks in the order of docs/protocol/exchange.md §3, one log entry.

Checks 1 to 3 and the pure half of 6 to 8 run before the writer's lock; a failure of the latter is
carried into the decision, where replay (4) and rate (5) come first. The decision runs in the
writer's transaction; the reply leaves after its commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import Database
from node.core.errors import ConflictError
from node.core.writer import Batch, Decided, NextBatchError, Placement, Writer
from node.sharing.batching import ExchangeBatch
from node.sharing.consents import ConsentVerdicts, check_parties, hold_consent, take_consent
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.quota import TokenBuckets
from node.sharing.registry import RegistryHolder
from node.sharing.releases import Disclosures, Question
from node.sharing.sealing import Content, Draft, Sealer, build_answer, build_problem
from node.sharing.store import INSERT_INCOMING, INSERT_PAYLOAD, SharingStore
from protocol.checkpoint import Checkpoint
from protocol.consent import Use, check_use, hash_consent, window_start
from protocol.encoding import decode_b64u, encode_b64u
from protocol.entry import ExchangeEntry, format_entry
from protocol.errors import ProtocolError, SchemaError
from protocol.exchange import CHECKS, check_content, open_request
from protocol.identifiers import parse_subject_id
from protocol.limits import HASH_BYTES, MESSAGE_BYTES_MAX
from protocol.message import ANSWERED, Envelope, WireMessage, parse_message
from protocol.problems import (
    PROBLEMS,
    ConsentMissingError,
    NoAnswerError,
    QuotaError,
    ReplayMismatchError,
)
from protocol.receipt import RECEIPT_CONTENT_TYPE, parse_receipt
from protocol.registry import Registry
from schemas.exchange import (
    CONSENT_HELD_CONTENT_TYPE,
    CONSENT_PUT_CONTENT_TYPE,
    QUERY_CONTENT_TYPE,
    RECEIPT_HELD_CONTENT_TYPE,
    SUMMARY_CONTENT_TYPE,
    ConsentHeldBody,
    ConsentPutBody,
    HeldConsent,
    QueryBody,
    ReceiptHeldBody,
)

RETRY_AFTER_S = 1
_CONTENT_TYPES = {
    "query": QUERY_CONTENT_TYPE,
    "consent.put": CONSENT_PUT_CONTENT_TYPE,
    "receipt": RECEIPT_CONTENT_TYPE,
}
# An artefact or a body inside a signed message may break any rule: what is no code of a signed
# refusal is `schema`.
_SIGNED_CODES = frozenset(code for check in CHECKS if check.signed for code in check.codes)
_Body = QueryBody | ConsentPutBody | tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back: HTTP status and the message."""

    status: int
    message: WireMessage
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A request after checks 1 to 3, with what the checks off the lock found."""

    message: WireMessage
    envelope: Envelope
    msg_hash: bytes
    registry: Registry
    head: Checkpoint | None
    body: _Body | None
    failure: ProtocolError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What a decision says: content, log code, uses counted and the consent used."""

    content: Content
    code: str
    uses: int = 0
    consent: bytes | None = None


class AnsweringService:
    """Decides on peers' messages."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        sealer: Sealer,
        clock: Clock,
        verdicts: ConsentVerdicts,
        buckets: TokenBuckets,
        policy: DisclosurePolicy,
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
        self._buckets = buckets
        self._policy = policy
        self._business_date = business_date
        self._ahead_s = ahead_s
        self._disclosures = Disclosures()

    async def answer(self, raw: bytes) -> Reply:
        """Check a message off the lock, have it decided, and return the reply after the commit.

        Raises:
            ProtocolError: A check of 1 to 3 failed: the answer is unsigned.
            UnavailableError: The node does not exchange now.
        """
        opened = self._open(raw)
        if not self._buckets.has_token(opened.envelope.iss, now_ms=self._clock.now_ms()):
            return await self._answer_over_quota(opened)
        return await self._writer.submit_async(lambda batch: self._decide(batch, opened))

    def _open(self, raw: bytes) -> _Opened:
        now_s = self._clock.now_ms() // 1000
        message = parse_message(raw, bytes_max=MESSAGE_BYTES_MAX)
        registry = self._registry.newest
        envelope = open_request(
            message, registry=registry, audience=self._sealer.member_id, now_s=now_s
        )
        head: Checkpoint | None = None
        body: _Body | None = None
        failure: ProtocolError | None = None
        try:
            head = check_content(
                message,
                envelope,
                registry=registry,
                find_registry=self._registry.find,
                now_s=now_s,
                ahead_s=self._ahead_s,
            )
            body = _parse_body(envelope, message.body)
        except ProtocolError as err:
            failure = err
        return _Opened(
            message=message,
            envelope=envelope,
            msg_hash=message.msg_hash,
            registry=registry,
            head=head,
            body=body,
            failure=failure,
        )

    async def _answer_over_quota(self, opened: _Opened) -> Reply:
        # Check 4 comes first: a stored answer is repeated however fast it is asked for.
        with self._database.read() as uow:
            earlier = SharingStore(uow.connection).find_answer(
                opened.envelope.iss, opened.envelope.jti
            )
        now_ms = self._clock.now_ms()
        if earlier is not None or self._buckets.is_first_refusal(
            opened.envelope.iss, now_ms=now_ms
        ):
            return await self._writer.submit_async(
                lambda batch: self._decide(batch, opened, over_quota=True)
            )
        draft = self._sealer.seal(
            _quota_problem(),
            audience=opened.envelope.iss,
            jti=opened.envelope.jti,
            n=0,  # not counted: this refusal is not logged
            head=self._writer.state.head,
            registry=self._registry.reference,
            now_s=now_ms // 1000,
            req=opened.msg_hash,
        )
        return _build_reply(draft.complete(""), code=QuotaError.code)

    def _decide(self, batch: Batch, opened: _Opened, *, over_quota: bool = False) -> Decided[Reply]:
        """Decide inside the writer's transaction."""
        envelope = opened.envelope
        store = SharingStore(batch.connection)
        key = (envelope.iss, envelope.jti)
        if key in batch.taken:
            raise NextBatchError
        earlier = store.find_answer(envelope.iss, envelope.jti)
        if earlier is not None and earlier.msg == opened.msg_hash:
            reply = _build_reply(earlier.message, code=earlier.code)
            return Decided(entry=None, finish=lambda _placement: reply)
        if earlier is not None:
            failure: ProtocolError = ReplayMismatchError("this message id was used before")
            verdict = _refuse(failure, envelope)
        else:
            verdict = self._judge(store, batch, opened, over_quota=over_quota)
        return self._seal(batch, opened, verdict, is_repeat=earlier is not None, key=key)

    def _judge(
        self, store: SharingStore, batch: Batch, opened: _Opened, *, over_quota: bool
    ) -> _Verdict:
        if over_quota:
            return _Verdict(content=_quota_problem(), code=QuotaError.code)
        if opened.failure is not None or opened.body is None:
            return _refuse(opened.failure or SchemaError("no body"), opened.envelope)
        try:
            match opened.body:
                case QueryBody():
                    return self._answer_query(batch, opened, opened.body)
                case ConsentPutBody():
                    return self._take_consents(store, batch, opened, opened.body)
                case _:
                    return _take_receipt(store, opened, opened.body)
        except ProtocolError as err:
            return _refuse(err, opened.envelope)

    def _answer_query(self, batch: Batch, opened: _Opened, query: QueryBody) -> _Verdict:
        """Make checks 9 and 10 and count the use."""
        now_s = batch.now_ms // 1000
        consent_hash = decode_b64u(query.consent, bytes_exact=HASH_BYTES)
        shared = ExchangeBatch.of(batch)
        held = shared.find_consent(consent_hash)
        if held is None:
            raise ConsentMissingError("no such consent is held here")
        consent = self._verdicts.verify(held.token, registry=opened.registry)
        window_start_s = window_start(consent.frequency, now_s=now_s)
        check_use(
            consent,
            use=Use(
                consumer=opened.envelope.iss,
                provider=self._sealer.member_id,
                purpose=query.purpose,
                op="query",
                metrics=[metric.value for metric in query.metrics],
                last_months=query.last_months,
            ),
            standing=held.standing(window_start_s=window_start_s),
            now_s=now_s,
        )
        shared.count_use(held, window_start_s=window_start_s)
        disclosed = self._disclosures.disclose(
            batch,
            Question(
                subject=parse_subject_id(held.subject),
                last_months=query.last_months,
                metrics=frozenset(query.metrics),
                business_date=self._business_date(),
                policy=self._policy,
            ),
        )
        if disclosed is None:
            problem = build_problem(NoAnswerError.code, detail="", consents=(consent_hash,))
            return _Verdict(content=problem, code=NoAnswerError.code, uses=1, consent=consent_hash)
        answer = build_answer(
            disclosed.body, content_type=SUMMARY_CONTENT_TYPE, consents=(consent_hash,)
        )
        return _Verdict(content=answer, code=disclosed.tier, uses=1, consent=consent_hash)

    def _take_consents(
        self, store: SharingStore, batch: Batch, opened: _Opened, body: ConsentPutBody
    ) -> _Verdict:
        taken = [
            take_consent(delivered, verdicts=self._verdicts, registry=opened.registry)
            for delivered in body.consents
        ]
        for _, consent in taken:
            check_parties(consent, consumer=opened.envelope.iss, provider=self._sealer.member_id)
        shared = ExchangeBatch.of(batch)
        for delivered, consent in taken:
            for touched in (delivered.hash, consent.replaces):
                if touched is not None:
                    shared.forget_consent(touched)
        held = [
            hold_consent(store, delivered, consent, at_ms=batch.now_ms)
            for delivered, consent in taken
        ]
        reply = ConsentHeldBody(
            v=1,
            kind="consent-held",
            consents=[
                HeldConsent(consent=encode_b64u(one.hash), state=one.state.value, seq=one.seq)
                for one in held
            ],
        )
        hashes = tuple(one.hash for one in held)
        return _Verdict(
            content=build_answer(
                reply.to_bytes(), content_type=CONSENT_HELD_CONTENT_TYPE, consents=hashes
            ),
            code="held",
        )

    def _seal(
        self,
        batch: Batch,
        opened: _Opened,
        verdict: _Verdict,
        *,
        is_repeat: bool,
        key: tuple[str, bytes],
    ) -> Decided[Reply]:
        """Sign the reply, make its log entry, and store both once the entry is proven."""
        envelope, shared = opened.envelope, ExchangeBatch.of(batch)
        draft = self._sealer.seal(
            verdict.content,
            audience=envelope.iss,
            jti=envelope.jti,
            n=shared.next_counter(envelope.iss),
            head=batch.head,
            registry=self._registry.reference,
            now_s=batch.now_ms // 1000,
            req=opened.msg_hash,
        )
        entry = format_entry(
            ExchangeEntry(
                at_ms=batch.now_ms,
                xid=envelope.jti,
                peer=envelope.iss,
                peer_n=envelope.n,
                n=draft.envelope.n,
                op=envelope.op,
                msg=opened.msg_hash,
                ans=draft.msg_hash,
                code=verdict.code,
                use=verdict.uses,
                consents=verdict.content.consents,
                head=envelope.head,
            )
        )
        if opened.head is not None:
            shared.note_head(
                envelope.iss, size=opened.head.size, checkpoint=_note_of(opened.message)
            )
        batch.taken.add(key)

        def finish(placement: Placement | None) -> Reply:
            if placement is None:
                raise ConflictError("an exchange has a log entry")
            reply = draft.complete(placement.inclusion)
            # A refusal for haste is not the answer to this message: asked again later it is
            # decided.
            if not is_repeat and verdict.code != QuotaError.code:
                _store_exchange(batch, opened, draft, verdict, placement)
            return _build_reply(reply, code=verdict.code)

        return Decided(entry=entry, finish=finish)


def _store_exchange(
    batch: Batch, opened: _Opened, draft: Draft, verdict: _Verdict, placement: Placement
) -> None:
    batch.insert_later(
        INSERT_INCOMING,
        {
            "peer": opened.envelope.iss,
            "jti": opened.envelope.jti,
            "msg": opened.msg_hash,
            "ans": draft.msg_hash,
            "op": opened.envelope.op,
            "code": verdict.code,
            "uses": verdict.uses,
            "consent": verdict.consent,
            "request_env": opened.message.env,
            "request_inclusion": opened.message.inclusion,
            "answer_env": draft.env,
            "answer_inclusion": placement.inclusion,
            "seq": placement.index,
            "at_ms": batch.now_ms,
        },
    )
    for msg, body, salt in (
        (opened.msg_hash, opened.message.body, opened.message.salt),
        (draft.msg_hash, draft.body, draft.salt),
    ):
        batch.insert_later(INSERT_PAYLOAD, {"msg": msg, "body": body, "salt": salt})


def _parse_body(envelope: Envelope, raw: bytes) -> _Body:
    """Read the body of an operation that is answered here (check 8).

    Raises:
        SchemaError: The body breaks its schema or is not what the envelope says, or the operation
        is not answered here. MalformedError: The body is not JSON of the subset.
    """
    if envelope.bct != _CONTENT_TYPES.get(envelope.op):
        raise SchemaError(f"env.bct: not the type of a body of {envelope.op}")
    body: _Body
    match envelope.op:
        case "query":
            body = QueryBody.from_bytes(raw)
            concerned = [decode_b64u(body.consent, bytes_exact=HASH_BYTES)]
        case "consent.put":
            body = ConsentPutBody.from_bytes(raw)
            concerned = [hash_consent(delivered.token) for delivered in body.consents]
        case _:
            body, concerned = parse_receipt(raw), []
    if envelope.consents != tuple(concerned):
        raise SchemaError("env.consents: not the consents of the body")
    return body


def _take_receipt(store: SharingStore, opened: _Opened, answers: tuple[bytes, ...]) -> _Verdict:
    known = store.count_known_answers(answers, peer=opened.envelope.iss)
    store.add_receipts(known, peer=opened.envelope.iss, msg=opened.msg_hash)
    body = ReceiptHeldBody(v=1, kind="receipt-held", answers=len(known))
    return _Verdict(
        content=build_answer(body.to_bytes(), content_type=RECEIPT_HELD_CONTENT_TYPE),
        code="receipt",
    )


def _refuse(error: ProtocolError, envelope: Envelope) -> _Verdict:
    code = error.code if error.code in _SIGNED_CODES else SchemaError.code
    return _Verdict(
        content=build_problem(code, detail=error.detail, consents=envelope.consents), code=code
    )


def _quota_problem() -> Content:
    return build_problem(QuotaError.code, detail="ask more slowly", retry_after_s=RETRY_AFTER_S)


def _build_reply(message: WireMessage, *, code: str) -> Reply:
    status = PROBLEMS[code].status if code in PROBLEMS else int(ANSWERED)
    return Reply(status=status, message=message, code=code)


def _note_of(message: WireMessage) -> str:
    # The proof was verified off the lock; the signed checkpoint is all that follows its empty line.
    return message.inclusion.partition("\n\n")[2]
