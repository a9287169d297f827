"""API of provisions: runs, their movement, and customers who are looked at apart.

Lines name customers by their numbers alone, and natural persons to nobody who may not see them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from node.assessment.policy_file import Language
from node.core.database import ID_MAX
from node.core.http.access import FindHidden
from node.records.api import Currency, Day, Entry, Key, PathKey, QueryKey, Reason
from node.risk.losses.api_charges import add_charges
from node.risk.losses.api_dunning import add_dunning
from node.risk.losses.api_portfolio import add_portfolio, add_register, add_stress
from node.risk.losses.room import Losses
from node.risk.losses.view_provision import (
    build_movement_object,
    build_run_object,
    build_specific_object,
    format_movement_csv,
)
from node.risk.provisions.policy import PPM
from node.risk.provisions.service import RUNS_PAGE_MAX
from node.risk.provisions.store import ProvisionRun


class RunBody(Entry):
    """As of which day; without one, the business date."""

    as_of: Day | None = None


class ApartBody(Entry):
    """Who is looked at apart, and what of the balance is taken as lost, in millionths."""

    customer: Key
    rate_ppm: Annotated[int, Field(strict=True, ge=0, le=PPM)]
    reason: Reason
    from_on: Day | None = None


class EndBody(Entry):
    """Why."""

    reason: Reason


def build_losses_router(
    losses: Losses, *, find_hidden: FindHidden, route_class: type[APIRoute] = APIRoute
) -> APIRouter:
    """Return the routes; ``find_hidden`` returns those among customers who may not be shown."""
    router = APIRouter(tags=["risk"], route_class=route_class)
    _add_runs(router, losses, find_hidden)
    _add_apart(router, losses, find_hidden)
    add_dunning(
        router, losses.dunning, losses.charges, find_hidden=find_hidden, sender=losses.sender
    )
    add_charges(router, losses.charges, find_hidden=find_hidden)
    add_portfolio(router, losses.portfolio, find_hidden=find_hidden)
    add_stress(router, losses.stress, find_hidden=find_hidden)
    add_register(router, losses.register, find_hidden=find_hidden)
    return router


def _add_runs(router: APIRouter, losses: Losses, find_hidden: FindHidden) -> None:
    provisions = losses.provisions

    def show(
        request: Request, runs: Sequence[ProvisionRun], language: Language
    ) -> list[dict[str, Any]]:
        named = {line.customer_id for run in runs for line in run.content.lines}
        hidden = find_hidden(request, [one for one in named if one is not None])
        return [build_run_object(one, language=language, hidden=hidden) for one in runs]

    @router.post("/provision-runs", status_code=201)
    async def run(
        request: Request, body: RunBody, language: Language = Language.EN
    ) -> list[dict[str, Any]]:
        """Provide for what is open on a day, by currency; with nothing new it is the same run."""
        return await asyncio.to_thread(
            lambda: show(request, provisions.run(by=body.by, as_of=body.as_of), language)
        )

    @router.get("/provision-runs")
    async def list_runs(
        request: Request,
        *,
        currency: Currency | None = None,
        limit: Annotated[int, Query(ge=1, le=RUNS_PAGE_MAX)] = 50,
        before: Annotated[int | None, Query(ge=1, le=ID_MAX)] = None,
        language: Language = Language.EN,
    ) -> list[dict[str, Any]]:
        """List runs, the newest first; ``before`` is the last id of the page before."""
        return await asyncio.to_thread(
            lambda: show(
                request,
                provisions.list_runs(currency=currency, limit=limit, before=before),
                language,
            )
        )

    @router.get("/provision-runs/{run_id}")
    async def get_run(
        request: Request, run_id: PathKey, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return a run with its lines."""
        (shown,) = await asyncio.to_thread(
            lambda: show(request, [provisions.get_run(run_id)], language)
        )
        return shown

    @router.get("/provision-runs/{run_id}/movement")
    async def report_movement(
        run_id: PathKey,
        *,
        opening: QueryKey = None,
        currency: Currency | None = None,
        language: Language = Language.EN,
    ) -> dict[str, Any]:
        """Return how the allowance has moved up to a run."""
        report = await asyncio.to_thread(
            lambda: provisions.report_movement(run_id, opening_id=opening, currency=currency)
        )
        return build_movement_object(report, language=language)

    @router.get("/provision-runs/{run_id}/movement.csv")
    async def send_movement(
        run_id: PathKey, *, opening: QueryKey = None, currency: Currency | None = None
    ) -> PlainTextResponse:
        """Return the movement as the auditor's file."""
        report = await asyncio.to_thread(
            lambda: provisions.report_movement(run_id, opening_id=opening, currency=currency)
        )
        return PlainTextResponse(format_movement_csv(report), media_type="text/csv; charset=utf-8")


def _add_apart(router: APIRouter, losses: Losses, find_hidden: FindHidden) -> None:
    provisions = losses.provisions

    @router.get("/provisions-apart")
    async def list_apart(request: Request) -> list[dict[str, Any]]:
        """List who is or was looked at apart, but natural persons who may not be seen."""

        def read() -> list[dict[str, Any]]:
            found = provisions.list_apart()
            hidden = find_hidden(request, [one.customer_id for one in found])
            return [build_specific_object(one) for one in found if one.customer_id not in hidden]

        return await asyncio.to_thread(read)

    @router.post("/provisions-apart", status_code=201)
    async def set_apart(body: ApartBody) -> dict[str, int]:
        """Take a customer out of the pool."""
        entry_id = await asyncio.to_thread(
            lambda: provisions.set_apart(
                body.customer,
                rate_ppm=body.rate_ppm,
                reason=body.reason,
                by=body.by,
                from_on=body.from_on,
            )
        )
        return {"id": entry_id}

    @router.post("/provisions-apart/{apart_id}/end")
    async def end_apart(apart_id: PathKey, body: EndBody) -> dict[str, int]:
        """Put a customer back into the pool from today on."""
        await asyncio.to_thread(
            lambda: provisions.end_apart(apart_id, reason=body.reason, by=body.by)
        )
        return {"id": apart_id}
