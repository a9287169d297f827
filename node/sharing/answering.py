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
from node.core.decision import Batch, Decided, NextBatchError, Placement
from node.core.errors import ConflictError
from node.core.turnstile import Turnstile
from node.core.writer import Writer
from node.sharing.batching import ExchangeBatch
from node.sharing.changes import TellChange, tell_nobody
from node.sharing.consents import ConsentVerdicts
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.incoming import note_of, open_incoming, store_exchange
from node.sharing.operations import SIGNED_CODES, Case, Opened, Ports, Verdict
from node.sharing.quota import TokenBuckets
from node.sharing.registry import RegistryHolder
from node.sharing.releases import Disclosures
from node.sharing.sealing import Content, Sealer, build_problem
from node.sharing.store import SharingStore
from node.sharing.store.pending import CODE_ACCEPTED
from protocol.entry import ExchangeEntry, format_entry
from protocol.errors import ProtocolError, SchemaError
from protocol.message import ACCEPTED, ANSWERED, Envelope, WireMessage
from protocol.problems import PROBLEMS, QuotaError, ReplayMismatchError

RETRY_AFTER_S = 1
_POSITIVE = {CODE_ACCEPTED: int(ACCEPTED)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back: HTTP status and the message."""

    status: int
    message: WireMessage
    code: str


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
        defers: bool = False,
        accepts_unkeyed: bool = False,
        tell_change: TellChange = tell_nobody,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._sealer = sealer
        self._clock = clock
        self._buckets = buckets
        self._ahead_s = ahead_s
        self._ports = Ports(
            member_id=sealer.member_id,
            verdicts=verdicts,
            disclosures=Disclosures(),
            policy=policy,
            business_date=business_date,
            defers=defers,
            accepts_unkeyed=accepts_unkeyed,
            tell_change=tell_change,
        )
        self._turnstile = Turnstile()

    @property
    def ports(self) -> Ports:
        """Return what decisions may need of this node; a later answer needs the same."""
        return self._ports

    async def answer(self, raw: bytes) -> Reply:
        """Check a message off the lock, have it decided, and return the reply after the commit.

        Raises:
            ProtocolError: A check of 1 to 3 failed: the answer is unsigned.
            UnavailableError: The node does not exchange now.
        """
        async with self._turnstile:
            return await self._answer(raw)

    async def _answer(self, raw: bytes) -> Reply:
        opened = open_incoming(
            raw,
            registry=self._registry,
            audience=self._sealer.member_id,
            now_s=self._clock.now_ms() // 1000,
            ahead_s=self._ahead_s,
        )
        if not self._buckets.take_token(opened.envelope.iss, now_ms=self._clock.now_ms()):
            return await self._answer_over_quota(opened)
        return await self._writer.submit_async(lambda batch: self._decide(batch, opened))

    async def _answer_over_quota(self, opened: Opened) -> Reply:
        # Check 4 comes first: a stored answer is repeated however fast it is asked for.
        with self._database.read() as uow:
            earlier = SharingStore(uow.connection).find_answer(
                opened.envelope.iss, opened.envelope.jti
            )
        now_ms = self._clock.now_ms()
        if earlier is not None or self._buckets.note_refusal(opened.envelope.iss, now_ms=now_ms):
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

    def _decide(self, batch: Batch, opened: Opened, *, over_quota: bool = False) -> Decided[Reply]:
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
        self, store: SharingStore, batch: Batch, opened: Opened, *, over_quota: bool
    ) -> Verdict:
        if over_quota:
            return Verdict(content=_quota_problem(), code=QuotaError.code)
        if opened.failure is not None or opened.decide is None:
            return _refuse(opened.failure or SchemaError("no body"), opened.envelope)
        case = Case(ports=self._ports, batch=batch, store=store, opened=opened)
        try:
            return opened.decide(case)
        except ProtocolError as err:
            return _refuse(err, opened.envelope)

    def _seal(
        self,
        batch: Batch,
        opened: Opened,
        verdict: Verdict,
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
                codes=verdict.codes,
            )
        )
        if opened.head is not None:
            shared.note_head(
                envelope.iss, size=opened.head.size, checkpoint=note_of(opened.message)
            )
        batch.taken.add(key)

        def finish(placement: Placement | None) -> Reply:
            if placement is None:
                raise ConflictError("an exchange has a log entry")
            reply = draft.complete(placement.inclusion)
            # A refusal for haste is not the answer to this message: asked again later it is
            # decided.
            if not is_repeat and verdict.code != QuotaError.code:
                store_exchange(batch, opened, draft, verdict, placement)
            return _build_reply(reply, code=verdict.code)

        return Decided(entry=entry, finish=finish)


def _refuse(error: ProtocolError, envelope: Envelope) -> Verdict:
    code = error.code if error.code in SIGNED_CODES else SchemaError.code
    return Verdict(
        content=build_problem(code, detail=error.detail, consents=envelope.consents), code=code
    )


def _quota_problem() -> Content:
    return build_problem(QuotaError.code, detail="ask more slowly", retry_after_s=RETRY_AFTER_S)


def _build_reply(message: WireMessage, *, code: str) -> Reply:
    status = PROBLEMS[code].status if code in PROBLEMS else _POSITIVE.get(code, int(ANSWERED))
    return Reply(status=status, message=message, code=code)
