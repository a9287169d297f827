"""Operator's API of what is recorded of a customer beside its open items: defaults, promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from node.core.http.models import ApiModel
from node.records.api import (
    CustomerId,
    Day,
    Entry,
    Key,
    KeyView,
    KnownAt,
    Minor,
    PathKey,
    Reason,
    Sha256Hex,
)
from node.records.rules_default import (
    DecisionOutcome,
    Default,
    DefaultState,
    EndOutcome,
    EvidenceClass,
)
from node.records.undertakings import DefaultService, NewPromise, PromiseService
from node.records.undertakings.promises import PROMISE_ITEMS_MAX, PromiseReport


class DefaultBody(Entry):
    """A default as one person proposes it."""

    evidence: EvidenceClass
    on: Day
    document_sha256_hex: Sha256Hex


class DecisionBody(Entry):
    """What the second person says."""

    outcome: DecisionOutcome
    reason: Reason


class DefaultEndBody(Entry):
    """How a default ended."""

    outcome: EndOutcome
    on: Day


class PromiseBody(Entry):
    """What a customer has promised to pay for some items by a day."""

    items: Annotated[list[Key], Field(min_length=1, max_length=PROMISE_ITEMS_MAX)]
    amount_minor: Minor
    promised_on: Day
    due_on: Day


class WithdrawalBody(Entry):
    """Why a promise stands no longer."""

    reason: Reason


class DefaultView(ApiModel):
    """A default and what it is now."""

    state: DefaultState
    default: Default


def build_undertakings_router(
    defaults: DefaultService, promises: PromiseService, *, today: Callable[[], date]
) -> APIRouter:
    """Return the routes; ``today`` tells the node's business date."""
    router = APIRouter(tags=["undertakings"])
    _add_defaults(router, defaults)
    _add_promises(router, promises, today=today)
    return router


def _add_defaults(router: APIRouter, defaults: DefaultService) -> None:
    @router.get("/customers/{customer_id}/defaults")
    async def list_defaults(customer_id: CustomerId) -> list[DefaultView]:
        """Return the defaults of a customer, proposed and rejected ones too."""
        found = await asyncio.to_thread(defaults.list_defaults, customer_id)
        return [DefaultView(state=one.state, default=one) for one in found]

    @router.post("/customers/{customer_id}/defaults", status_code=201)
    async def propose_default(customer_id: CustomerId, body: DefaultBody) -> KeyView:
        """Propose a default; it counts once another person confirms it."""
        key = await asyncio.to_thread(
            defaults.propose,
            customer_id,
            evidence_class=body.evidence,
            on=body.on,
            document_sha256_hex=body.document_sha256_hex,
            by=body.by,
        )
        return KeyView(id=key)

    @router.post("/defaults/{default_id}/decision", status_code=204)
    async def decide_default(default_id: PathKey, body: DecisionBody) -> None:
        """Confirm or reject a default."""
        await asyncio.to_thread(
            defaults.decide, default_id, outcome=body.outcome, reason=body.reason, by=body.by
        )

    @router.post("/defaults/{default_id}/end", status_code=204)
    async def end_default(default_id: PathKey, body: DefaultEndBody) -> None:
        """Enter how a confirmed default ended."""
        await asyncio.to_thread(
            defaults.end, default_id, outcome=body.outcome, on=body.on, by=body.by
        )


def _add_promises(
    router: APIRouter, promises: PromiseService, *, today: Callable[[], date]
) -> None:
    @router.get("/customers/{customer_id}/promises")
    async def read_promises(
        customer_id: CustomerId, as_of: Day | None = None, known_at_ms: KnownAt = None
    ) -> PromiseReport:
        """Return what a customer has promised, and what came of it as the payments say."""
        return await asyncio.to_thread(
            promises.report, customer_id, as_of=as_of or today(), known_at_ms=known_at_ms
        )

    @router.post("/customers/{customer_id}/promises", status_code=201)
    async def enter_promise(customer_id: CustomerId, body: PromiseBody) -> KeyView:
        """Enter what a customer has promised to pay by a day."""
        promise = NewPromise(
            customer_id=customer_id,
            item_ids=tuple(body.items),
            amount_minor=body.amount_minor,
            promised_on=body.promised_on,
            due_on=body.due_on,
        )
        return KeyView(id=await asyncio.to_thread(promises.enter, promise, by=body.by))

    @router.post("/promises/{promise_id}/withdrawal", status_code=204)
    async def withdraw_promise(promise_id: PathKey, body: WithdrawalBody) -> None:
        """Enter that a promise stands no longer."""
        await asyncio.to_thread(promises.withdraw, promise_id, reason=body.reason, by=body.by)
