"""Operator's API over objections to summaries that peers have told us."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from node.core.database import ID_MAX
from node.core.http.models import ApiModel
from node.records.api import Entry
from node.sharing.objections import ObjectionOutcome, RaisedBy, SummaryObjections
from protocol.encoding import decode_b64u, encode_b64u
from protocol.limits import CONSENTS_PER_MESSAGE_MAX, HASH_BYTES
from schemas.wire import Hash

ObjectionId = Annotated[int, Path(ge=1, le=ID_MAX)]


class ObjectionBody(Entry):
    """Who objects to a summary; of a batch, to which."""

    raised_by: RaisedBy
    item: Annotated[int, Field(strict=True, ge=0, lt=CONSENTS_PER_MESSAGE_MAX)] = 0


class ObjectionEndBody(Entry):
    """How an objection ended."""

    outcome: ObjectionOutcome


class ObjectionKey(ApiModel):
    """The key of an objection."""

    id: int


class ObjectionView(ApiModel):
    """An objection; without an outcome it is open."""

    id: int
    message: Hash
    item: int
    raised_by: RaisedBy
    raised_on: str
    entered_by: str
    entered_at_ms: int
    outcome: ObjectionOutcome | None
    ended_by: str | None
    ended_at_ms: int | None


def build_objections_router(objections: SummaryObjections) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["exchange"])

    @router.post("/received-summaries/{message}/objections")
    async def enter_objection(message: Hash, body: ObjectionBody) -> ObjectionKey:
        """Mark a received summary as disputed: from now on it feeds no assessment."""
        msg = decode_b64u(message, bytes_exact=HASH_BYTES)
        key = await asyncio.to_thread(
            lambda: objections.enter(msg, raised_by=body.raised_by, by=body.by, item=body.item)
        )
        return ObjectionKey(id=key)

    @router.post("/received-objections/{summary_objection_id}/end")
    async def end_objection(
        summary_objection_id: ObjectionId, body: ObjectionEndBody
    ) -> ObjectionKey:
        """Enter how an objection ended, as another person than who entered it."""
        await asyncio.to_thread(
            lambda: objections.end(summary_objection_id, outcome=body.outcome, by=body.by)
        )
        return ObjectionKey(id=summary_objection_id)

    @router.get("/received-objections")
    async def list_objections() -> list[ObjectionView]:
        """List objections to received summaries, the newest first."""
        return [
            ObjectionView(
                id=one.id or 0,
                message=encode_b64u(one.msg),
                item=one.item,
                raised_by=RaisedBy(one.raised_by),
                raised_on=one.raised_on.isoformat(),
                entered_by=one.entered_by,
                entered_at_ms=one.entered_at_ms,
                outcome=None if one.outcome is None else ObjectionOutcome(one.outcome),
                ended_by=one.ended_by,
                ended_at_ms=one.ended_at_ms,
            )
            for one in await asyncio.to_thread(objections.list_objections)
        ]

    return router
