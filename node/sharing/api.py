"""Operator's API of the room: hold and deliver consents, ask, see what left and what came."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Header
from pydantic import Field

from node.core.errors import NotFoundError
from node.core.http.models import ApiModel
from node.sharing.asking import AskingService
from node.sharing.fan_out import FAN_OUT_MAX, FanOut
from node.sharing.outgoing import Ask, Outcome
from node.sharing.retention import Retention
from node.sharing.service import ConsentService
from node.sharing.settling import Doubt, SettlingService, WouldBe
from node.sharing.store import HeldConsent
from node.sharing.upkeep import Upkeep
from protocol.encoding import decode_b64u, encode_b64u
from protocol.limits import CONSENTS_PER_MESSAGE_MAX, HASH_BYTES, JTI_BYTES
from protocol.manifest import FanOutManifest
from schemas.exchange import DeliveredConsent
from schemas.summary import Section, Summary
from schemas.wire import Hash, MemberId

DEADLINE_S = 20


class HoldRequest(ApiModel):
    """Consents that a subject gave to this member."""

    consents: Annotated[
        list[DeliveredConsent], Field(min_length=1, max_length=CONSENTS_PER_MESSAGE_MAX)
    ]


class ConsentView(ApiModel):
    """A consent as held here."""

    consent: Hash
    subject: str
    consumer: MemberId
    provider: MemberId
    state: str
    seq: int
    uses: int
    exp: int
    delivered: bool
    evidence: str | None = None
    """SHA-256 of the paper that the consumer vouches for; null where the subject has signed."""


class AskRequest(ApiModel):
    """Questions under consents, one a provider, asked at once."""

    consents: Annotated[list[Hash], Field(min_length=1, max_length=FAN_OUT_MAX)]
    purpose: Annotated[str, Field(min_length=1, max_length=8)]
    metrics: Annotated[list[Section], Field(min_length=1, max_length=len(Section))]
    last_months: Literal[3, 12] = 12
    deferred: bool = False
    """Whether a provider may answer later; the node then polls for the answer."""


class HoldMessageRequest(ApiModel):
    """Why a message's body is kept longer."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class OutcomeView(ApiModel):
    """What came of one question."""

    id: str
    peer: str
    status: str
    detail: str
    message: str
    answer: str
    summary: Summary | None = None


class BatchItemView(ApiModel):
    """What came under one consent of a batch."""

    consent: Hash
    subject: str
    code: str
    summary: Summary | None = None


class BatchView(ApiModel):
    """What came of a batch: of the message, and under each consent."""

    id: str
    peer: str
    status: str
    detail: str
    message: str
    answer: str
    items: list[BatchItemView]


class ManifestItemView(ApiModel):
    """One question of a fan-out."""

    peer: MemberId
    consent: Hash
    outcome: str
    message: str
    answer: str


class ManifestView(ApiModel):
    """A fan-out's manifest, and the signed statement itself."""

    id: str
    iat: int
    deadline: int
    purpose: str
    items: list[ManifestItemView]
    token: str


class AsksView(ApiModel):
    """What came of questions put at once, in their order."""

    manifest: ManifestView
    outcomes: list[OutcomeView]


class DoubtView(ApiModel):
    """A message of ours without a reply; ``would_be``: what sending it again would do."""

    id: str
    peer: MemberId
    op: str
    subject: str
    at_ms: int
    would_be: WouldBe


class SettledView(ApiModel):
    """What came of sending a message again."""

    id: str
    peer: MemberId
    op: str
    status: str


class ExchangeView(ApiModel):
    """One exchange for people."""

    peer: str
    op: str
    code: str
    at_ms: int
    subject: str = ""
    uses: int = 0


class CountView(ApiModel):
    """How many."""

    count: int


def build_sharing_router(
    *,
    consents: ConsentService,
    asking: AskingService,
    fan_out: FanOut,
    settling: SettlingService,
    retention: Retention,
    upkeep: Upkeep,
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["sharing"])
    _add_consent_routes(router, consents=consents, asking=asking, upkeep=upkeep)
    _add_keeping_routes(router, retention=retention)
    _add_doubt_routes(router, settling=settling, upkeep=upkeep)
    _add_ask_routes(router, asking=asking, fan_out=fan_out, upkeep=upkeep)
    _add_view_routes(router, consents=consents)
    _add_round_routes(router, upkeep=upkeep)
    return router


def _add_consent_routes(
    router: APIRouter, *, consents: ConsentService, asking: AskingService, upkeep: Upkeep
) -> None:
    @router.post("/consents", status_code=201)
    async def hold_consents(body: HoldRequest) -> list[ConsentView]:
        """Take in consents, all or none; holding one again changes nothing."""
        held = await asyncio.to_thread(consents.hold, body.consents)
        return [_view_consent(one) for one in held]

    @router.get("/consents")
    async def list_consents(subject: str | None = None) -> list[ConsentView]:
        """List consents, the newest first."""
        held = await asyncio.to_thread(lambda: consents.list_consents(subject=subject))
        return [_view_consent(one) for one in held]

    @router.post("/consents/{consent}/deliver")
    async def deliver_consent(consent: Hash) -> OutcomeView:
        """Hand a consent to its provider; delivering it again changes nothing."""
        upkeep.check_exchanging()
        held = await asyncio.to_thread(consents.find, decode_b64u(consent, bytes_exact=HASH_BYTES))
        if held is None:
            raise NotFoundError("no such consent is held here")
        return _view_outcome(await asking.deliver(held))


def _add_ask_routes(
    router: APIRouter, *, asking: AskingService, fan_out: FanOut, upkeep: Upkeep
) -> None:
    @router.post("/asks")
    async def ask(
        body: AskRequest,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=128)] = None,
    ) -> AsksView:
        """Ask each consent's provider, in parallel, within a deadline.

        The same Idempotency-Key with the same body is the same questions; with another, 409.
        """
        upkeep.check_exchanging()
        made = await fan_out.ask_all(_read_asks(body), deadline_s=DEADLINE_S, key=idempotency_key)
        return AsksView(
            manifest=_view_manifest(made.manifest, token=made.token),
            outcomes=[_view_outcome(one) for one in made.outcomes],
        )

    @router.post("/asks/batch")
    async def ask_batch(
        body: AskRequest,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=128)] = None,
    ) -> BatchView:
        """Ask one provider under up to a hundred consents, in one message."""
        upkeep.check_exchanging()
        made = await fan_out.ask_batch(_read_asks(body), key=idempotency_key)
        return BatchView(
            **_view_outcome(made).model_dump(exclude={"summary"}),
            items=[
                BatchItemView(
                    consent=encode_b64u(item.consent),
                    subject=item.subject,
                    code=item.code,
                    summary=item.summary,
                )
                for item in made.items
            ],
        )

    @router.get("/manifests/{manifest_id}")
    async def get_manifest(manifest_id: str) -> ManifestView:
        """Show what came of questions put at once, as this member signed it."""
        manifest, token = await asyncio.to_thread(
            fan_out.get_manifest, decode_b64u(manifest_id, bytes_exact=JTI_BYTES)
        )
        return _view_manifest(manifest, token=token)

    @router.post("/asks/{ask_id}/settle")
    async def settle(ask_id: str) -> OutcomeView:
        """Send the same bytes again: the provider repeats its stored answer, counted once."""
        upkeep.check_exchanging()
        return _view_outcome(await asking.settle(decode_b64u(ask_id, bytes_exact=JTI_BYTES)))


def _add_keeping_routes(router: APIRouter, *, retention: Retention) -> None:
    @router.post("/messages/{message}/hold")
    async def hold_message(message: Hash, body: HoldMessageRequest) -> CountView:
        """Keep a message's body beyond its time, on a legal basis that is named."""
        msg = decode_b64u(message, bytes_exact=HASH_BYTES)
        await asyncio.to_thread(lambda: retention.hold(msg, reason=body.reason))
        return CountView(count=1)

    @router.post("/messages/{message}/release")
    async def release_message(message: Hash) -> CountView:
        """Let a message's body be erased in its time again."""
        await asyncio.to_thread(retention.release, decode_b64u(message, bytes_exact=HASH_BYTES))
        return CountView(count=1)


def _add_doubt_routes(router: APIRouter, *, settling: SettlingService, upkeep: Upkeep) -> None:
    @router.get("/asks/open")
    async def list_open() -> list[DoubtView]:
        """List messages of ours without a reply, the oldest first."""
        return [_view_doubt(one) for one in await asyncio.to_thread(settling.list_doubts)]

    @router.post("/asks/open/settle")
    async def settle_all() -> list[SettledView]:
        """Send the same bytes of each message in doubt again."""
        upkeep.check_exchanging()
        return [
            SettledView(id=encode_b64u(ask.jti), peer=ask.peer, op=ask.op, status=outcome.status)
            for ask, outcome in await settling.settle_all()
        ]

    @router.post("/asks/{ask_id}/give-up")
    async def give_up(ask_id: str) -> CountView:
        """Wait no longer for a reply; what comes later is still logged."""
        await settling.give_up(decode_b64u(ask_id, bytes_exact=JTI_BYTES))
        return CountView(count=1)


def _add_view_routes(router: APIRouter, *, consents: ConsentService) -> None:
    @router.get("/exchanges/out")
    async def list_outgoing(subject: str | None = None) -> list[ExchangeView]:
        """List our questions, the newest first."""
        rows = await asyncio.to_thread(lambda: consents.list_outgoing(subject=subject))
        return [
            ExchangeView(
                peer=row.peer, op=row.op, code=row.code, at_ms=row.at_ms, subject=row.subject
            )
            for row in rows
        ]

    @router.get("/exchanges/in")
    async def list_incoming() -> list[ExchangeView]:
        """List our answers, the newest first: what left, to whom."""
        rows = await asyncio.to_thread(consents.list_incoming)
        return [
            ExchangeView(peer=row.peer, op=row.op, code=row.code, at_ms=row.at_ms, uses=row.uses)
            for row in rows
        ]


def _add_round_routes(router: APIRouter, *, upkeep: Upkeep) -> None:
    @router.post("/receipts")
    async def send_receipts() -> CountView:
        """Send the receipts that are due now."""
        return CountView(count=await upkeep.send_receipts())

    @router.post("/witness")
    async def get_cosigned() -> CountView:
        """Have the hub cosign the log now; the count is the size cosigned."""
        return CountView(count=(await upkeep.get_cosigned()).size)


def _read_asks(body: AskRequest) -> list[Ask]:
    return [
        Ask(
            consent=decode_b64u(consent, bytes_exact=HASH_BYTES),
            purpose=body.purpose,
            metrics=tuple(body.metrics),
            last_months=body.last_months,
            takes_deferred=body.deferred,
        )
        for consent in body.consents
    ]


def _view_consent(held: HeldConsent) -> ConsentView:
    return ConsentView(
        consent=encode_b64u(held.hash),
        subject=held.subject,
        consumer=held.consumer,
        provider=held.provider,
        state=held.state.value,
        seq=held.seq,
        uses=held.uses,
        exp=held.exp,
        delivered=held.delivered,
        evidence=None if held.evidence is None else held.evidence.hex(),
    )


def _view_outcome(outcome: Outcome) -> OutcomeView:
    return OutcomeView(
        id=encode_b64u(outcome.jti),
        peer=outcome.peer,
        status=outcome.status,
        detail=outcome.detail,
        message=encode_b64u(outcome.msg),
        answer="" if outcome.ans is None else encode_b64u(outcome.ans),
        summary=outcome.summary,
    )


def _view_manifest(manifest: FanOutManifest, *, token: str) -> ManifestView:
    return ManifestView(
        id=encode_b64u(manifest.id),
        iat=manifest.iat,
        deadline=manifest.deadline,
        purpose=manifest.purpose,
        items=[
            ManifestItemView(
                peer=item.peer,
                consent=encode_b64u(item.consent),
                outcome=item.outcome,
                message="" if item.msg is None else encode_b64u(item.msg),
                answer="" if item.ans is None else encode_b64u(item.ans),
            )
            for item in manifest.items
        ],
        token=token,
    )


def _view_doubt(doubt: Doubt) -> DoubtView:
    ask = doubt.ask
    return DoubtView(
        id=encode_b64u(ask.jti),
        peer=ask.peer,
        op=ask.op,
        subject=ask.subject,
        at_ms=ask.at_ms,
        would_be=doubt.would_be,
    )
