"""The page of customers who are to be assessed anew."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.assessment.renewal.store import Renewal
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.web.handlers import BuildRoute, Render
from node.web.page_access import Reaching

RENEWALS_PATH = "/console/renewals"
ROWS_PER_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalsPage:
    """Who waits, as far as the role may see."""

    lines: tuple[Renewal, ...]
    hidden: int
    """Of natural persons, who are left out."""
    has_persons: bool
    has_peers: bool
    next_after: int | None


def build_renewal_routes(local: LocalNode, *, render: Render, page: BuildRoute) -> list[BaseRoute]:
    """Return the route of the page."""

    async def show(request: Request) -> Response:
        viewer: Principal = request.state.viewer
        after = parse_key(request.query_params.get("after", "")) or 0
        renewals = await run_in_threadpool(read_renewals, local, viewer, after=after)
        await run_in_threadpool(_record, local, viewer, renewals)
        return await render(request, "renewals.html", page=renewals)

    return [page("GET", RENEWALS_PATH, show)]


def read_renewals(local: LocalNode, viewer: Principal, *, after: int) -> RenewalsPage:
    """Read a page of the queue."""
    reaching = Reaching(viewer=viewer)
    has_peers, sees_persons = reaching.reads(Area.PEERS), reaching.reads(Area.PERSONS)
    found = local.renewals.list_open(shows_peers=has_peers, limit=ROWS_PER_PAGE, after=after)
    persons = local.portfolio.list_persons(among=[one.customer_id for one in found])
    shown = [one for one in found if sees_persons or one.customer_id not in persons]
    return RenewalsPage(
        lines=tuple(shown),
        hidden=len(found) - len(shown),
        has_persons=sees_persons and bool(persons),
        has_peers=has_peers,
        next_after=found[-1].renewal_id if len(found) == ROWS_PER_PAGE else None,
    )


def _record(local: LocalNode, viewer: Principal, page: RenewalsPage) -> None:
    areas = [Area.CREDIT]
    if page.has_peers and page.lines:
        areas.append(Area.PEERS)
    if page.has_persons:
        areas.append(Area.PERSONS)
    for area in areas:
        check_access(local.people, viewer, Access(area=area, target=RENEWALS_PATH))
