"""Operator's API over the queue of assessments to renew."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request

from node.assessment.renewal.service import RENEWALS_PAGE_MAX
from node.assessment.renewal.store import Renewal, RenewalCause
from node.bootstrap.local import LocalNode
from node.core.database import ID_MAX
from node.core.http.models import ApiModel
from node.core.people.areas import Access, Area, check_access, may_access
from node.core.people.service import Principal
from node.web.authorisation import see_persons


class RenewalView(ApiModel):
    """A customer who is to be assessed anew, for one cause."""

    id: int
    customer: int
    subject: str
    name: str
    cause: RenewalCause
    message: str | None
    entered_at_ms: int
    is_hidden: bool
    """Whether it is a natural person whom the caller's role may not see."""


def build_renewals_router(local: LocalNode) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["assessment"])

    @router.get("/assessments/renewals")
    async def list_renewals(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=RENEWALS_PAGE_MAX)] = 100,
        after: Annotated[int, Query(ge=0, le=ID_MAX)] = 0,
    ) -> list[RenewalView]:
        """List who is to be assessed anew, in the order of entry.

        A role that may not see what peers have said hears of our own defaults only.
        """
        viewer: Principal = request.state.viewer
        access = Access(area=Area.PEERS, target=request.url.path)
        shows_peers = may_access(viewer, access)
        if shows_peers:
            await asyncio.to_thread(check_access, local.people, viewer, access)
        found = await asyncio.to_thread(
            lambda: local.renewals.list_open(shows_peers=shows_peers, limit=limit, after=after)
        )
        hidden = await asyncio.to_thread(
            local.portfolio.list_persons, among=[one.customer_id for one in found]
        )
        if hidden:
            is_shown = await asyncio.to_thread(see_persons, local.people, request)
            hidden = frozenset() if is_shown else hidden
        return [_view(one, is_hidden=one.customer_id in hidden) for one in found]

    return router


def _view(one: Renewal, *, is_hidden: bool) -> RenewalView:
    return RenewalView(
        id=one.renewal_id,
        customer=one.customer_id,
        subject="" if is_hidden else one.subject_id,
        name="" if is_hidden else one.name,
        cause=one.cause,
        message=one.ref,
        entered_at_ms=one.entered_at_ms,
        is_hidden=is_hidden,
    )
