"""Operator's API over records, assessment and rating."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse, Response

from node.assessment.looks import has_peers, record_look
from node.assessment.policy_file import Language
from node.assessment.report import build_object
from node.bootstrap.local import LocalNode
from node.core.database import ID_MAX
from node.core.errors import NotFoundError
from node.core.http.models import ApiModel
from node.core.people.service import OPERATOR_PRINCIPAL

CUSTOMERS_PAGE_MAX = 500
CustomerId = Annotated[int, Path(ge=1, le=ID_MAX)]


class CustomerView(ApiModel):
    """A customer as listed."""

    id: int
    subject: str
    name: str
    country: str


class RatingView(ApiModel):
    """A customer's newest rating."""

    customer: int
    grade_own: str
    grade_with_peers: str
    as_of: str
    valid_until: str


def build_portfolio_router(local: LocalNode) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["portfolio"])

    @router.get("/customers")
    async def list_customers(
        limit: int = 100, after: Annotated[int, Query(ge=0, le=ID_MAX)] = 0
    ) -> list[CustomerView]:
        """List customers; ``after`` is the last id of the page before."""
        rows = await asyncio.to_thread(
            lambda: local.records.list_customers(
                limit=min(max(limit, 1), CUSTOMERS_PAGE_MAX), after=after
            )
        )
        return [
            CustomerView(
                id=row.customer_id, subject=row.subject_id, name=row.name, country=row.country
            )
            for row in rows
        ]

    @router.get("/customers/{customer_id}/assessment")
    async def get_assessment(customer_id: CustomerId, language: Language = Language.EN) -> Response:
        """Return the newest assessment without and with peers, every point explained."""
        pair = await asyncio.to_thread(local.assessment.find_latest, customer_id)
        if pair is None:
            raise NotFoundError("not assessed yet")
        if has_peers(pair):
            await asyncio.to_thread(
                record_look, local.people, OPERATOR_PRINCIPAL, customer_id=customer_id
            )
        policy = local.assessment.get_policy(pair.with_peers.assessment.policy)
        return JSONResponse(build_object(pair, policy=policy, language=language))

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
        )

    return router
