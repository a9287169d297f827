"""Operator's API of adverse facts: notices to their subject, objections, how an event ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from node.core.http.models import ApiModel
from node.records.adverse import (
    DueNotice,
    FactNotFoundError,
    FactStanding,
    NewNotice,
    NoticeService,
)
from node.records.adverse.letters import Letter
from node.records.api import (
    CustomerId,
    Day,
    Entry,
    KeyView,
    KnownAt,
    PathKey,
    Reason,
    Reference,
    Sha256Hex,
)
from node.records.rules_adverse import FactKey, NoticeChannel, ObjectionResult
from node.records.tables import NAME_CHARS_MAX

DUE_MAX = 1_000
CONTACT_CHARS_MAX = 200
FactName = Annotated[str, Path(pattern="^(event|default)-[1-9][0-9]{0,8}$")]
Text = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Contact = Annotated[str, Query(min_length=1, max_length=CONTACT_CHARS_MAX)]


class NoticeBody(Entry):
    """That the subject was told: when, how, and what shows it."""

    sent_on: Day
    channel: NoticeChannel
    reference: Reference | None = None
    document_sha256_hex: Sha256Hex | None = None


class NoticeWithdrawalBody(Entry):
    """Why a notice is taken back."""

    reason: Reason


class ObjectionBody(Entry):
    """Who objects to a fact, and when."""

    objector: Text
    on: Day


class ObjectionEndBody(Entry):
    """What came of an objection."""

    result: ObjectionResult
    reason: Reason
    on: Day


class SettlementBody(Entry):
    """On which day an adverse event was settled."""

    on: Day


class FactView(ApiModel):
    """An adverse fact, its name, and whether it may be shared."""

    key: str
    standing: FactStanding


def build_notices_router(
    notices: NoticeService, *, sender: str, today: Callable[[], date]
) -> APIRouter:
    """Return the routes; ``sender`` signs letters, ``today`` tells the node's business date."""
    router = APIRouter(tags=["notices"])
    _add_reading(router, notices, sender=sender, today=today)
    _add_saying(router, notices)
    _add_ends(router, notices)
    return router


def _add_reading(
    router: APIRouter, notices: NoticeService, *, sender: str, today: Callable[[], date]
) -> None:
    @router.get("/subject-notices/due")
    async def list_due(
        as_of: Day | None = None,
        limit: Annotated[int, Query(ge=1, le=DUE_MAX)] = 100,
    ) -> list[DueNotice]:
        """Return the adverse facts of which the subject was not told yet."""

        def read() -> list[DueNotice]:
            return list(islice(notices.iterate_due(as_of=as_of or today()), limit))

        return await asyncio.to_thread(read)

    @router.get("/customers/{customer_id}/adverse-facts")
    async def list_facts(
        customer_id: CustomerId, as_of: Day | None = None, known_at_ms: KnownAt = None
    ) -> list[FactView]:
        """Return the adverse facts of a customer, shareable or why not, as of a day."""
        found = await asyncio.to_thread(
            notices.list_facts, customer_id, as_of=as_of or today(), known_at_ms=known_at_ms
        )
        return [FactView(key=str(one.fact.key), standing=one) for one in found]

    @router.get("/adverse-facts/{fact}/letter")
    async def read_letter(fact: FactName, contact: Contact, sent_on: Day | None = None) -> Letter:
        """Return the text of a notice, Chinese and English."""
        return await asyncio.to_thread(
            notices.write_letter, _read(fact), sender=sender, contact=contact, sent_on=sent_on
        )


def _add_saying(router: APIRouter, notices: NoticeService) -> None:
    @router.post("/adverse-facts/{fact}/notices", status_code=201)
    async def record_notice(fact: FactName, body: NoticeBody) -> KeyView:
        """Record that the subject was told of a fact."""
        notice = NewNotice(
            sent_on=body.sent_on,
            channel=body.channel,
            reference=body.reference,
            document_sha256_hex=body.document_sha256_hex,
        )
        key = await asyncio.to_thread(notices.record_notice, _read(fact), notice, by=body.by)
        return KeyView(id=key)

    @router.post("/adverse-facts/{fact}/objections", status_code=201)
    async def enter_objection(fact: FactName, body: ObjectionBody) -> KeyView:
        """Enter that somebody objects: the fact is held back at once."""
        key = await asyncio.to_thread(
            notices.enter_objection, _read(fact), objector=body.objector, on=body.on, by=body.by
        )
        return KeyView(id=key)

    @router.post("/adverse-events/{event_id}/settlement", status_code=204)
    async def settle_event(event_id: PathKey, body: SettlementBody) -> None:
        """Enter on which day an adverse event was settled."""
        await asyncio.to_thread(notices.settle, event_id, on=body.on, by=body.by)


def _add_ends(router: APIRouter, notices: NoticeService) -> None:
    @router.post("/subject-notices/{notice_id}/withdrawal", status_code=204)
    async def withdraw_notice(notice_id: PathKey, body: NoticeWithdrawalBody) -> None:
        """Take back a notice that was recorded wrong."""
        await asyncio.to_thread(notices.withdraw_notice, notice_id, reason=body.reason, by=body.by)

    @router.post("/objections/{objection_id}/end", status_code=204)
    async def close_objection(objection_id: PathKey, body: ObjectionEndBody) -> None:
        """Enter what came of an objection."""
        await asyncio.to_thread(
            notices.close_objection,
            objection_id,
            result=body.result,
            reason=body.reason,
            on=body.on,
            by=body.by,
        )


def _read(fact: str) -> FactKey:
    key = FactKey.parse(fact)
    if key is None:
        raise FactNotFoundError(f"there is no adverse fact {fact}")
    return key
