"""Operator's API of what becomes of records: due, held, closed. Deleting is the command's alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from node.records.api import CustomerId, Day, Entry, Key, KeyView, PathKey, Reason
from node.records.due import DueStory
from node.records.lifecycle import LifeCard, LifecycleService
from node.records.store.holding import LegalHold
from node.records.store.life_tables import BASIS_CHARS_MAX

DUE_MAX = 1_000


class HoldBody(Entry):
    """What is held, on which basis and how long; without an item all of the customer."""

    basis: Annotated[str, Field(min_length=1, max_length=BASIS_CHARS_MAX)]
    item: Key | None = None
    begins_on: Day | None = None
    ends_on: Day | None = None


class EndBody(Entry):
    """Why something ends."""

    reason: Reason


class ClosingBody(Entry):
    """Why and from which day on a relation or a write-off is closed."""

    reason: Reason
    on: Day | None = None


def build_life_router(life: LifecycleService, *, today: Callable[[], date]) -> APIRouter:
    """Return the routes; ``today`` tells the node's business date."""
    router = APIRouter(tags=["lifecycle"])
    _add_reading(router, life, today=today)
    _add_holding(router, life)
    _add_closing(router, life, today=today)
    return router


def _add_reading(router: APIRouter, life: LifecycleService, *, today: Callable[[], date]) -> None:
    @router.get("/records/due")
    async def list_due(
        as_of: Day | None = None,
        limit: Annotated[int, Query(ge=1, le=DUE_MAX)] = 100,
    ) -> list[DueStory]:
        """Return what is due to go on a day, what a hold keeps among it."""

        def read() -> list[DueStory]:
            return list(islice(life.iterate_due(as_of=as_of or today()), limit))

        return await asyncio.to_thread(read)

    @router.get("/records/holds")
    async def list_holds() -> list[LegalHold]:
        """Return every hold, ended ones among them."""
        return await asyncio.to_thread(life.list_holds)

    @router.get("/customers/{customer_id}/life")
    async def read_card(customer_id: CustomerId) -> LifeCard:
        """Return what is held of a customer, and whether its relation is closed."""
        return await asyncio.to_thread(life.get_card, customer_id)


def _add_holding(router: APIRouter, life: LifecycleService) -> None:
    @router.post("/customers/{customer_id}/holds", status_code=201)
    async def hold(customer_id: CustomerId, body: HoldBody) -> KeyView:
        """Keep a customer's records beyond their time, or those of one item."""
        key = await asyncio.to_thread(
            life.hold,
            customer_id,
            item_id=body.item,
            basis=body.basis,
            begins_on=body.begins_on,
            ends_on=body.ends_on,
            by=body.by,
        )
        return KeyView(id=key)

    @router.post("/records/holds/{hold_id}/release", status_code=204)
    async def release(hold_id: PathKey, body: EndBody) -> None:
        """End a hold."""
        await asyncio.to_thread(life.release, hold_id, reason=body.reason, by=body.by)


def _add_closing(router: APIRouter, life: LifecycleService, *, today: Callable[[], date]) -> None:
    @router.post("/customers/{customer_id}/archive", status_code=204)
    async def archive(customer_id: CustomerId, body: ClosingBody) -> None:
        """Close the relation with a customer."""
        await asyncio.to_thread(
            life.archive, customer_id, on=body.on, reason=body.reason, by=body.by
        )

    @router.post("/customers/{customer_id}/reopen", status_code=204)
    async def reopen(customer_id: CustomerId, body: EndBody) -> None:
        """Reopen a relation that was closed."""
        await asyncio.to_thread(life.reopen, customer_id, reason=body.reason, by=body.by)

    @router.post("/items/{item_id}/give-up", status_code=204)
    async def give_up(item_id: PathKey, body: ClosingBody) -> None:
        """Enter that a write-off is not pursued any more."""
        await asyncio.to_thread(
            life.give_up, item_id, on=body.on or today(), reason=body.reason, by=body.by
        )
