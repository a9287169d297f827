"""Operator's API over records, assessment and rating."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.assessment.looks import has_peers, record_look
from node.assessment.policy_file import Language
from node.assessment.report import build_object
from node.bootstrap.local import LocalNode
from node.core.database import ID_MAX
from node.core.errors import NotFoundError
from node.core.http.models import ApiModel
from node.core.people.areas import Access, Area, may_access
from node.core.people.service import Principal
from node.records.api import CustomerId
from node.records.store import CustomerRecord
from node.web.authorisation import see_persons

CUSTOMERS_PAGE_MAX = 500


class CustomerView(ApiModel):
    """A customer as listed."""

    id: int
    subject: str
    name: str
    country: str
    is_hidden: bool
    """Whether it is a natural person whom the caller's role may not see."""


class RatingView(ApiModel):
    """A customer's newest rating."""

    customer: int
    grade_own: str
    grade_with_peers: str
    as_of: str
    valid_until: str
    state: str
    """``valid``, ``expired``, ``unrated`` or ``later``, on the node's business date."""


def _view_customer(row: CustomerRecord, *, is_hidden: bool) -> CustomerView:
    return CustomerView(
        id=row.customer_id,
        subject="" if is_hidden else row.subject_id,
        name="" if is_hidden else row.name,
        country=row.country,
        is_hidden=is_hidden,
    )


def build_portfolio_router(local: LocalNode) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["portfolio"])

    @router.get("/customers")
    async def list_customers(
        request: Request, limit: int = 100, after: Annotated[int, Query(ge=0, le=ID_MAX)] = 0
    ) -> list[CustomerView]:
        """List customers; ``after`` is the last id of the page before."""
        rows = await asyncio.to_thread(
            lambda: local.records.list_customers(
                limit=min(max(limit, 1), CUSTOMERS_PAGE_MAX), after=after
            )
        )
        hidden = await asyncio.to_thread(
            local.portfolio.list_persons, among=[row.customer_id for row in rows]
        )
        if hidden:
            is_shown = await asyncio.to_thread(see_persons, local.people, request)
            hidden = frozenset() if is_shown else hidden
        return [_view_customer(row, is_hidden=row.customer_id in hidden) for row in rows]

    @router.get("/customers/{customer_id}/assessment")
    async def get_assessment(
        request: Request, customer_id: CustomerId, language: Language = Language.EN
    ) -> Response:
        """Return the newest assessment without and with peers, every point explained.

        A role that may not see what peers have said gets the one without them twice.
        """
        pair = await asyncio.to_thread(local.assessment.find_latest, customer_id)
        if pair is None:
            raise NotFoundError("not assessed yet")
        viewer: Principal = request.state.viewer
        if has_peers(pair) and may_access(viewer, Access(area=Area.PEERS, target="")):
            await asyncio.to_thread(
                record_look, local.people, viewer, customer_id=customer_id, has_peers=True
            )
            effects = await asyncio.to_thread(
                local.assessment.explain_peers, pair.with_peers.assessment_id
            )
        else:
            pair, effects = pair.without_peers, None
        policy = await asyncio.to_thread(
            local.assessment.get_policy, pair.with_peers.assessment.policy
        )
        shown = build_object(pair, policy=policy, language=language, effects=effects)
        return JSONResponse(shown)

    @router.post("/customers/{customer_id}/ratings")
    async def rate(customer_id: CustomerId) -> RatingView:
        """Assess and rate a customer on the node's business date."""
        rated = await asyncio.to_thread(
            lambda: local.rating.rate_customer(customer_id, as_of=local.business_date())
        )
        rating = rated.rating
        return RatingView(
            customer=customer_id,
            grade_own=rating.grade_own,
            grade_with_peers=rating.grade_with_peers,
            as_of=rating.as_of.isoformat(),
            valid_until=rating.valid_until.isoformat() if rating.valid_until else "",
            state=rating.state_on(local.business_date()).value,
        )

    return router
