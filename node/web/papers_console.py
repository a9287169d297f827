"""The page of a customer's contracts, deliveries, guarantees and insurances, and what is covered.

It reads. What is entered goes by command or API, which say by whom.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.records.papers import COVERS, DeliveryReport, PaperState
from node.records.rules_cover import CoverReport
from node.records.rules_papers import DeliveryState, Deviation, DeviationKind, PaperKind
from node.records.store import CustomerRecord
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, Render
from node.web.ledger_console import View, read_view
from node.web.wording import say_money

LINES_SHOWN_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationLine:
    """In what an invoice is not as agreed."""

    deviation: Deviation
    agreed: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PapersPage:
    """What the page shows."""

    customer: CustomerRecord
    view: View
    cover: CoverReport
    contracts: tuple[PaperState, ...]
    covers: tuple[PaperState, ...]
    deliveries: DeliveryReport
    lines: tuple[DeliveryState, ...]
    """Deliveries of which something is left first, and the newest first."""
    deviations: tuple[DeviationLine, ...]
    lines_max: int = LINES_SHOWN_MAX


def build_papers_routes(local: LocalNode, *, render: Render, page: BuildRoute) -> list[BaseRoute]:
    """Return the page's route."""

    async def show(request: Request) -> Response:
        """Show the papers of a customer."""
        customer_id = parse_customer_id(request.path_params["customer_id"])
        view = read_view(request, today=local.business_date())
        papers = await run_in_threadpool(lambda: read_papers(local, customer_id, view=view))
        viewer: Principal = request.state.viewer
        access = Access(area=Area.CREDIT, target=request.url.path)
        await run_in_threadpool(check_access, local.people, viewer, access)
        return await render(request, "papers.html", page=papers)

    return [page("GET", "/console/customers/{customer_id}/papers", show)]


def read_papers(local: LocalNode, customer_id: int, *, view: View) -> PapersPage:
    """Read the papers of one customer.

    Raises:
        CustomerNotFoundError: There is none with this key.
        RecordsGoneError: Some of then have expired.
    """
    as_of, known_at_ms = view.as_of, view.known_at_ms
    reports = local.paper_reports
    states = reports.list_papers(
        customer_id,
        as_of=as_of,
        kinds={PaperKind.CONTRACT, *COVERS},
        known_at_ms=known_at_ms,
    )
    delivered = reports.list_delivered(customer_id, as_of=as_of, known_at_ms=known_at_ms)
    newest = sorted(
        delivered.deliveries,
        key=lambda one: (one.left_minor > 0, one.delivery.content.begins_on),
        reverse=True,
    )
    return PapersPage(
        customer=local.records.get_customer(customer_id, known_at_ms=known_at_ms),
        view=view,
        cover=reports.compute_cover(customer_id, as_of=as_of, known_at_ms=known_at_ms),
        contracts=tuple(one for one in states if one.paper.kind is PaperKind.CONTRACT),
        covers=tuple(one for one in states if one.paper.kind in COVERS),
        deliveries=delivered,
        lines=tuple(newest[:LINES_SHOWN_MAX]),
        deviations=tuple(
            _say_deviation(one)
            for one in reports.compare_terms(customer_id, as_of=as_of, known_at_ms=known_at_ms)
        ),
    )


def _say_deviation(one: Deviation) -> DeviationLine:
    agreed, found = one.agreed, one.found
    if one.kind is DeviationKind.OVER:
        agreed, found = (say_money(int(minor), one.currency) for minor in (agreed, found))
    return DeviationLine(deviation=one, agreed=agreed, found=found)
