"""API of periodic review: the calendar, the figures, actions, the report."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.responses import HTMLResponse, Response

from node.assessment.policy_file import Language
from node.governance.reviews.report import build_review_page
from node.governance.reviews.rules_review import EVERY_MONTHS_MAX, MONTHS_MAX, ReviewSubject
from node.governance.reviews.service import ReviewCalendar, build_pack_object
from node.governance.reviews.view import (
    build_action_object,
    build_review_object,
    build_story_object,
    put_in_words,
)
from node.records.api import Day, Entry, Key, PathKey, Reason
from node.records.tables import NAME_CHARS_MAX

Months = Annotated[int, Field(strict=True, ge=1, le=MONTHS_MAX)]
EveryMonths = Annotated[int, Field(strict=True, ge=1, le=EVERY_MONTHS_MAX)]


PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


class ReviewBody(Entry):
    """What is reviewed when, over how many months, how often."""

    subject: ReviewSubject
    due_on: Day
    months: Months = 12
    every_months: EveryMonths | None = None


class HoldingBody(Entry):
    """What a review found, and as of which day its figures are."""

    finding: Reason
    as_of: Day | None = None


class ActionBody(Entry):
    """What somebody is to do by a day."""

    text: Reason
    owner: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
    due_on: Day
    review: Key | None = None


class DoneBody(Entry):
    """With what effect an action was done."""

    effect: Reason


def build_reviews_router(
    reviews: ReviewCalendar, *, house: str, route_class: type[APIRoute] = APIRoute
) -> APIRouter:
    """Return the routes; ``house`` stands on the report."""
    router = APIRouter(tags=["governance"], route_class=route_class)
    _add_reading(router, reviews, house=house)
    _add_entering(router, reviews)
    return router


def _add_reading(router: APIRouter, reviews: ReviewCalendar, *, house: str) -> None:
    @router.get("/reviews")
    async def list_reviews(language: Language = Language.EN) -> list[dict[str, Any]]:
        """List reviews: those to be held by their day, then those held."""
        found = await asyncio.to_thread(reviews.list_reviews)
        today = reviews.today()
        return [build_review_object(one, today=today, language=language) for one in found]

    @router.get("/reviews/{review_id}")
    async def get_review(review_id: PathKey, language: Language = Language.EN) -> dict[str, Any]:
        """Return a review with its figures and actions."""
        story = await asyncio.to_thread(reviews.get, review_id)
        return build_story_object(story, today=reviews.today(), language=language)

    @router.get("/reviews/{review_id}/report")
    async def print_review(review_id: PathKey, language: Language = Language.EN) -> Response:
        """Return a review as one page of HTML to print and keep."""
        story = await asyncio.to_thread(reviews.get, review_id)
        shown = build_story_object(story, today=reviews.today(), language=language)
        page = build_review_page(shown, house=house, language=language)
        return HTMLResponse(page, headers=PAGE_HEADERS)

    @router.get("/review-figures")
    async def read_pack(
        as_of: Day | None = None,
        months: Annotated[int, Query(ge=1, le=MONTHS_MAX)] = 12,
        language: Language = Language.EN,
    ) -> dict[str, Any]:
        """Return the figures of so many months up to a day."""
        day = as_of or reviews.today()
        pack = await asyncio.to_thread(lambda: reviews.read_pack(as_of=day, months=months))
        return put_in_words(build_pack_object(pack), language=language)

    @router.get("/review-actions")
    async def list_actions() -> list[dict[str, Any]]:
        """List actions, the open ones first."""
        found = await asyncio.to_thread(reviews.list_actions)
        today = reviews.today()
        return [build_action_object(one, today=today) for one in found]


def _add_entering(router: APIRouter, reviews: ReviewCalendar) -> None:
    @router.post("/reviews", status_code=201)
    async def plan(body: ReviewBody) -> dict[str, Any]:
        """Enter a review that is due on a day."""
        found = await asyncio.to_thread(
            lambda: reviews.plan(
                subject=body.subject,
                due_on=body.due_on,
                months=body.months,
                every_months=body.every_months,
                by=body.by,
            )
        )
        return build_review_object(found, today=reviews.today(), language=Language.EN)

    @router.post("/reviews/{review_id}/holding")
    async def hold(review_id: PathKey, body: HoldingBody) -> dict[str, Any]:
        """Enter that a review was held; its figures are kept with it."""
        story = await asyncio.to_thread(
            lambda: reviews.hold(review_id, finding=body.finding, as_of=body.as_of, by=body.by)
        )
        return build_story_object(story, today=reviews.today(), language=Language.EN)

    @router.post("/review-actions", status_code=201)
    async def add_action(body: ActionBody) -> dict[str, Any]:
        """Enter what somebody is to do by a day."""
        found = await asyncio.to_thread(
            lambda: reviews.add_action(
                text=body.text,
                owner=body.owner,
                due_on=body.due_on,
                review_id=body.review,
                by=body.by,
            )
        )
        return build_action_object(found, today=reviews.today())

    @router.post("/review-actions/{review_action_id}/completion")
    async def finish_action(review_action_id: PathKey, body: DoneBody) -> dict[str, Any]:
        """Enter that an action was done, and with what effect."""
        found = await asyncio.to_thread(
            lambda: reviews.finish_action(review_action_id, effect=body.effect, by=body.by)
        )
        return build_action_object(found, today=reviews.today())
