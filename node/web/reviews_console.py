"""Pages of periodic reviews: the calendar, one review with its figures, actions; their forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import NotFoundError
from node.core.people.areas import Access, Area, check_access
from node.governance.reviews.rules_review import EVERY_MONTHS_MAX, MONTHS_MAX, ReviewSubject
from node.governance.reviews.view import (
    build_action_object,
    build_review_object,
    build_story_object,
)
from node.governance.reviews.wording import say_review
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.step_forms import NOTHING_SENT, Enter, Sent, StepForms, get_viewer
from node.web.typed import Typed

REVIEWS_PATH = "/console/reviews"
REVIEW_PATH = f"{REVIEWS_PATH}/{{review_id}}"
DONE_PATH = "/console/review-actions/{review_action_id}/done"
MONTHS_FIRST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsPage:
    """Reviews and actions, with their forms."""

    reviews: tuple[dict[str, Any], ...]
    actions: tuple[dict[str, Any], ...]
    subjects: tuple[tuple[str, str], ...]
    months_first: int
    today: str
    sent: Sent
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """One review."""

    review: dict[str, Any]
    today: str
    sent: Sent
    key: str


def build_reviews_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, steps: StepForms
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Reviews(local, render=render, steps=steps)
    return [
        page("GET", REVIEWS_PATH, desk.list_reviews),
        page("GET", REVIEW_PATH, desk.show),
        page("POST", REVIEWS_PATH, steps.build("plan", read=desk.read_plan, show=desk.sent_list)),
        page("POST", DONE_PATH, steps.build("done", read=desk.read_done, show=desk.sent_list)),
        page(
            "POST",
            f"{REVIEW_PATH}/hold",
            steps.build("hold", read=desk.read_holding, show=desk.sent_one),
        ),
        page(
            "POST",
            f"{REVIEW_PATH}/actions",
            steps.build("action", read=desk.read_action, show=desk.sent_one),
        ),
    ]


class _Reviews:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, steps: StepForms) -> None:
        self._local = local
        self._calendar = local.governance.reviews
        self._render = render
        self._steps = steps

    async def list_reviews(self, request: Request) -> Response:
        """Show the calendar of reviews, and actions."""
        return await self.sent_list(request, NOTHING_SENT)

    async def sent_list(self, request: Request, sent: Sent) -> Response:
        """Show reviews and actions, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_list, request, sent)
        return await self._render(request, "reviews.html", status=sent.status, page=shown)

    async def show(self, request: Request) -> Response:
        """Show a review with its figures and actions, to be printed too."""
        return await self.sent_one(request, NOTHING_SENT)

    async def sent_one(self, request: Request, sent: Sent) -> Response:
        """Show a review, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_one, request, sent)
        return await self._render(request, "review.html", status=sent.status, page=shown)

    def read_plan(self, request: Request, typed: Typed) -> Enter:
        """Read what is reviewed when."""
        by = get_viewer(request).name
        subject = ReviewSubject(typed.choice("subject", [one.value for one in ReviewSubject]))
        due_on, months = typed.day("due_on"), typed.find_days("months", days_max=MONTHS_MAX)
        every_months = typed.find_days("every_months", days_max=EVERY_MONTHS_MAX)
        if months is None:
            typed.refuse("months", "typed.empty")

        def enter() -> str:
            planned = self._calendar.plan(
                subject=subject,
                due_on=due_on,
                months=months or 0,
                every_months=every_months,
                by=by,
            )
            return f"{REVIEWS_PATH}/{planned.review_id}"

        return enter

    def read_holding(self, request: Request, typed: Typed) -> Enter:
        """Read what a review found."""
        review_id, by = _parse(request, "review_id"), get_viewer(request).name
        finding = typed.text("finding", chars_max=REASON_CHARS_MAX)
        as_of = typed.find_day("as_of")

        def enter() -> str:
            self._calendar.hold(review_id, finding=finding, as_of=as_of, by=by)
            return f"{REVIEWS_PATH}/{review_id}"

        return enter

    def read_action(self, request: Request, typed: Typed) -> Enter:
        """Read what somebody is to do by a day."""
        review_id, by = _parse(request, "review_id"), get_viewer(request).name
        text = typed.text("text", chars_max=REASON_CHARS_MAX)
        owner = typed.text("owner", chars_max=NAME_CHARS_MAX)
        due_on = typed.day("due_on")

        def enter() -> str:
            self._calendar.add_action(
                text=text, owner=owner, due_on=due_on, review_id=review_id, by=by
            )
            return f"{REVIEWS_PATH}/{review_id}"

        return enter

    def read_done(self, request: Request, typed: Typed) -> Enter:
        """Read with what effect an action was done."""
        action_id, by = _parse(request, "review_action_id"), get_viewer(request).name
        effect = typed.text("effect", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._calendar.finish_action(action_id, effect=effect, by=by)
            return REVIEWS_PATH

        return enter

    def _read_list(self, request: Request, sent: Sent) -> ReviewsPage:
        calendar, language = self._calendar, choose_language(request)
        self._record(request)
        today = calendar.today()
        return ReviewsPage(
            reviews=tuple(
                build_review_object(one, today=today, language=language)
                for one in calendar.list_reviews()
            ),
            actions=tuple(build_action_object(one, today=today) for one in calendar.list_actions()),
            subjects=tuple(
                (one.value, say_review("subject", one.value, language)) for one in ReviewSubject
            ),
            months_first=MONTHS_FIRST,
            today=today.isoformat(),
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _read_one(self, request: Request, sent: Sent) -> ReviewPage:
        story, language = self._calendar.get(_parse(request, "review_id")), choose_language(request)
        self._record(request)
        today = self._calendar.today()
        return ReviewPage(
            review=build_story_object(story, today=today, language=language),
            today=today.isoformat(),
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _record(self, request: Request) -> None:
        access = Access(area=Area.GOVERNANCE, target=request.url.path)
        check_access(self._local.people, get_viewer(request), access)


def _parse(request: Request, name: str) -> int:
    key = parse_key(request.path_params[name])
    if key is None:
        raise NotFoundError("there is no such page")
    return key
