"""API of runs, movements and reviews: runs are begun and looked at, all else is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request

from node.core.database import ID_MAX
from node.core.people.areas import Access, Area, may_access
from node.core.people.service import Principal
from node.rating.rules_movement import Movement
from node.rating.rules_run import RunState
from node.rating.runs.desk import RunDesk, RunJob
from node.rating.runs.movements import MovementService, Selection
from node.rating.runs.reviews import UNTIL_DAYS, ReviewService
from node.rating.runs.service import RunService
from node.rating.runs.view import (
    build_comparison_object,
    build_moved_object,
    build_reviews_object,
    build_run_object,
)
from node.records.api import Day, Entry


class RunBody(Entry):
    """As of which day the portfolio is rated; the business date, without one."""

    as_of: Day | None = None


RunId = Annotated[int, Path(ge=1, le=ID_MAX)]
SideText = Annotated[
    str | None, Query(max_length=32, description="A day (2026-10-31) or a run (run-7).")
]
GradeText = Annotated[str | None, Query(max_length=5, description="Empty: without a rating.")]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=ID_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFaces:
    """The services, and what tells who may be seen."""

    runs: RunService
    desk: RunDesk
    movements: MovementService
    reviews: ReviewService
    today: Callable[[], date]
    list_persons: Callable[[Sequence[int]], frozenset[int]]
    sees_persons: Callable[[Request], bool]

    def find_hidden(self, request: Request, customer_ids: Sequence[int]) -> frozenset[int]:
        """Return the natural persons among some customers, unless the caller may see them."""
        persons = self.list_persons(customer_ids)
        return frozenset() if not persons or self.sees_persons(request) else persons


def build_runs_router(faces: RunFaces) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["rating runs"])
    _add_runs(router, faces)
    _add_movements(router, faces)
    _add_reviews(router, faces)
    return router


def sees_peers(request: Request) -> bool:
    """Tell whether the caller may see what peers have said, and what it changed."""
    viewer: Principal = request.state.viewer
    return may_access(viewer, Access(area=Area.PEERS, target=""))


def _add_runs(router: APIRouter, faces: RunFaces) -> None:
    @router.get("/rating-runs")
    async def list_runs(request: Request, limit: Limit = 50) -> list[dict[str, Any]]:
        """List runs over the portfolio with their states, the newest first."""
        reports = await asyncio.to_thread(lambda: faces.runs.list_runs(limit=limit))
        shown = sees_peers(request)
        return [build_run_object(one, with_peers=shown) for one in reports]

    @router.get("/rating-runs/{run_id}")
    async def get_run(request: Request, run_id: RunId) -> dict[str, Any]:
        """Return one run with how many customers it gave each grade."""
        job = _find_at_work(faces.desk, run_id)  # before the store: it may end in between
        report = await asyncio.to_thread(faces.runs.get_report, run_id)
        shown = build_run_object(report, with_peers=sees_peers(request))
        if job is None or report.state is not RunState.RUNNING:
            return shown
        return shown | {"progress": _count(job)}

    @router.post("/rating-runs", status_code=202)
    async def begin_run(body: RunBody) -> dict[str, Any]:
        """Begin a run, or go on with an interrupted one; GET of the run tells how far it is.

        One at a time: while one of the same day is at work here it is that one, else 409.
        """
        job = await faces.desk.start(as_of=body.as_of or faces.today(), by=body.by)
        return {"run": job.run_id, "state": "running", "progress": _count(job)}


def _find_at_work(desk: RunDesk, run_id: int) -> RunJob | None:
    job = desk.find()
    return job if job is not None and job.run_id == run_id and job.is_running else None


def _count(job: RunJob) -> dict[str, int]:
    return {"done": job.done, "total": job.total}


def _add_movements(router: APIRouter, faces: RunFaces) -> None:
    @router.get("/rating-movements")
    async def compare(
        request: Request, before: SideText = None, after: SideText = None
    ) -> dict[str, Any]:
        """Compare two runs or two days: movements and migration matrix.

        Without sides, the last finished run with the one before it. A role that may not see what
        peers have said gets the grades without them.
        """
        shown = sees_peers(request)
        found = await asyncio.to_thread(
            lambda: faces.movements.compare(before=before, after=after, with_peers=shown)
        )
        return build_comparison_object(found)

    @router.get("/rating-movements/customers")
    async def list_moved(
        request: Request,
        *,
        before: SideText = None,
        after: SideText = None,
        movement: Movement | None = None,
        grade_before: GradeText = None,
        grade_after: GradeText = None,
        after_customer: After = 0,
        limit: Limit = 100,
    ) -> list[dict[str, Any]]:
        """List the customers of one movement or cell; ``after_customer`` is the last one before."""
        chosen = Selection(movement=movement, grade_before=grade_before, grade_after=grade_after)
        shown = sees_peers(request)
        moved = await asyncio.to_thread(
            lambda: faces.movements.list_customers(
                before=before,
                after=after,
                selection=chosen,
                with_peers=shown,
                after_id=after_customer,
                limit=limit,
            )
        )
        hidden = await asyncio.to_thread(
            faces.find_hidden, request, [one.customer_id for one in moved]
        )
        return [build_moved_object(one, is_hidden=one.customer_id in hidden) for one in moved]


def _add_reviews(router: APIRouter, faces: RunFaces) -> None:
    @router.get("/rating-reviews")
    async def list_reviews(request: Request, until: date | None = None) -> dict[str, Any]:
        """Return who is expired, unrated, due or brought forward today, and due until a day."""
        today = faces.today()
        last = until or today + timedelta(days=UNTIL_DAYS)
        shown = sees_peers(request)
        reviews = await asyncio.to_thread(
            lambda: faces.reviews.list_reviews(today=today, until=last, shows_peers=shown)
        )
        hidden = await asyncio.to_thread(
            faces.find_hidden, request, [one.row.customer_id for one in reviews]
        )
        return build_reviews_object(
            reviews, today=today, until=last, hidden=hidden, with_peers=shown
        )
