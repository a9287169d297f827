"""API of overrides, of what became of them, and of the back-test by grade."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request

from node.assessment.policy_file import Language
from node.core.database import ID_MAX
from node.core.http.pages import fill_page
from node.core.people.service import Principal
from node.rating.applied_view import build_criteria_object
from node.rating.backtest.service import BacktestService
from node.rating.backtest.view import build_backtest_object, build_override_report_object
from node.rating.overrides.reading import JudgedOverride
from node.rating.overrides.service import PAGE_MAX, OverrideService
from node.rating.overrides.view import build_override_object
from node.rating.rated_view import build_rated_object
from node.rating.runs.api import sees_peers
from node.rating.service import RatingNotFoundError, RatingService
from node.records.api import CustomerId, Day, Entry, PathKey, QueryKey, Reason


class GivenBody(Entry):
    """Another grade than the rating's, by a reason of the policy and in words."""

    grade: Annotated[str, Field(pattern="^[A-Z]{1,4}[+-]?$")]
    reason_code: Annotated[str, Field(min_length=1, max_length=32)]
    reason: Reason
    expires_on: Day | None = None


class StepBody(Entry):
    """Why."""

    reason: Reason


class CommentBody(Entry):
    """What is to stand beside an approval."""

    comment: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideFaces:
    """The services; ``find_hidden`` returns the persons among customers whom to leave out."""

    rating: RatingService
    overrides: OverrideService
    backtests: BacktestService
    find_hidden: Callable[[Request, Iterable[int]], frozenset[int]]
    sees_peers: Callable[[Request], bool]
    """Tells whether what rests on peers' words may be shown, and records that it is."""

    def show(
        self, request: Request, judged: JudgedOverride, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return an override as the caller may see it."""
        return build_override_object(
            judged,
            policy=self.overrides.find_policy(),
            language=language,
            has_peers=not judged.is_by_peers or self.sees_peers(request),
        )


def build_overrides_router(faces: OverrideFaces) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["rating overrides"])
    _add_reads(router, faces)
    _add_lists(router, faces)
    _add_steps(router, faces)
    _add_reports(router, faces)
    return router


def _add_reads(router: APIRouter, faces: OverrideFaces) -> None:
    @router.get("/customers/{customer_id}/rating")
    async def get_rating(
        request: Request, customer_id: CustomerId, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return the newest rating: what lowered its grade, and what a person has given instead.

        A role that may not see what peers have said gets the grade without them.
        """

        def read() -> dict[str, Any]:
            rating = faces.rating.find_latest(customer_id)
            if rating is None:
                raise RatingNotFoundError("not rated yet")
            scale = faces.rating.find_scale(rating.scale.sha256_b64u)
            override = faces.overrides.list_in_force([rating]).get(rating.rating_id)
            is_by_peers = rating.grade_own != rating.grade_with_peers
            with_peers = faces.sees_peers(request) if is_by_peers else sees_peers(request)
            return build_rated_object(rating, override, with_peers=with_peers) | {
                "criteria": build_criteria_object(rating, scale, with_peers=with_peers),
                "override": None
                if override is None
                else faces.show(request, faces.overrides.get(override.override_id), language),
            }

        return await asyncio.to_thread(read)


def _add_lists(router: APIRouter, faces: OverrideFaces) -> None:
    @router.get("/rating-overrides")
    async def list_overrides(
        request: Request,
        *,
        customer: QueryKey = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        before: Annotated[int | None, Query(ge=1, le=ID_MAX)] = None,
        language: Language = Language.EN,
    ) -> list[dict[str, Any]]:
        """List overrides as they are today, the newest first.

        ``before`` is the last one of the page before.
        """

        def leave_out(found: list[JudgedOverride]) -> list[JudgedOverride]:
            hidden = faces.find_hidden(request, [one.override.customer_id for one in found])
            return [one for one in found if one.override.customer_id not in hidden]

        def read_rows(at: int | None, count: int) -> list[JudgedOverride]:
            return faces.overrides.list_overrides(customer_id=customer, before=at, limit=count)

        def read() -> list[dict[str, Any]]:
            shown = fill_page(
                read_rows,
                leave_out,
                cursor=lambda one: one.override.override_id,
                start=before,
                limit=limit,
            )
            return [faces.show(request, one, language) for one in shown]

        return await asyncio.to_thread(read)

    @router.get("/rating-overrides/{override_id}")
    async def get_override(
        request: Request, override_id: PathKey, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return an override with every step."""
        judged = await asyncio.to_thread(faces.overrides.get, override_id)
        return await asyncio.to_thread(faces.show, request, judged, language)


def _add_steps(router: APIRouter, faces: OverrideFaces) -> None:
    @router.post("/customers/{customer_id}/rating-overrides", status_code=201)
    async def give(request: Request, customer_id: CustomerId, body: GivenBody) -> dict[str, Any]:
        """Give another grade than the rating's; one that raises it waits for a second person."""
        actor: Principal = request.state.viewer

        def enter() -> dict[str, Any]:
            judged = faces.overrides.give(
                customer_id,
                grade=body.grade,
                reason_code=body.reason_code,
                reason=body.reason,
                expires_on=body.expires_on,
                actor=actor,
            )
            return faces.show(request, judged)

        return await asyncio.to_thread(enter)

    async def take(request: Request, step: Callable[[Principal], JudgedOverride]) -> dict[str, Any]:
        actor: Principal = request.state.viewer
        return await asyncio.to_thread(lambda: faces.show(request, step(actor)))

    @router.post("/rating-overrides/{override_id}/approval")
    async def approve(request: Request, override_id: PathKey, body: CommentBody) -> dict[str, Any]:
        """Approve an override that another person has proposed."""
        return await take(
            request,
            lambda actor: faces.overrides.approve(override_id, comment=body.comment, actor=actor),
        )

    @router.post("/rating-overrides/{override_id}/rejection")
    async def reject(request: Request, override_id: PathKey, body: StepBody) -> dict[str, Any]:
        """Reject an override that another person has proposed."""
        return await take(
            request,
            lambda actor: faces.overrides.reject(override_id, reason=body.reason, actor=actor),
        )

    @router.post("/rating-overrides/{override_id}/withdrawal")
    async def withdraw(request: Request, override_id: PathKey, body: StepBody) -> dict[str, Any]:
        """Withdraw an override: the grade of the rating holds again; two withdraw what lowers.

        ``waits_for`` is how many persons have still to do so.
        """
        return await take(
            request,
            lambda actor: faces.overrides.withdraw(override_id, reason=body.reason, actor=actor),
        )


def _add_reports(router: APIRouter, faces: OverrideFaces) -> None:
    @router.get("/rating-override-report")
    async def read_report(language: Language = Language.EN) -> dict[str, Any]:
        """Return how many grades persons gave, why, and what became of them beside the others."""
        report = await asyncio.to_thread(faces.backtests.read_overrides)
        return build_override_report_object(
            report, policy=faces.overrides.find_policy(), language=language
        )

    @router.get("/rating-backtest")
    async def read_backtest(language: Language = Language.EN) -> dict[str, Any]:
        """Return by grade what was stated and what happened within twelve months."""
        found = await asyncio.to_thread(faces.backtests.read_backtest)
        return build_backtest_object(found, language=language)
