"""The page of the whole portfolio."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.people.areas import Area
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.page_access import Reaching
from node.web.pages import Sight
from node.web.portfolio_page import PORTFOLIO_PATH, read_portfolio_page
from node.web.texts import Texts


def build_portfolio_routes(
    local: LocalNode, *, render: Render, page: BuildRoute
) -> list[BaseRoute]:
    """Return the route of the page."""

    async def show(request: Request) -> Response:
        texts = Texts(choose_language(request))
        found = await run_in_threadpool(
            lambda: read_portfolio_page(
                local, texts, dict(request.query_params), sight=find_sight(request)
            )
        )
        return await render(request, "portfolio.html", page=found)

    return [page("GET", PORTFOLIO_PATH, show)]


def find_sight(request: Request) -> Sight:
    """Return how much of customers who is signed in may see."""
    reaching = Reaching(viewer=request.state.viewer)
    return Sight(
        has_ratings=reaching.reads(Area.CREDIT),
        has_peers=reaching.reads(Area.PEERS),
        has_persons=reaching.reads(Area.PERSONS),
    )
