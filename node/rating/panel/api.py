"""API of the panel."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.assessment.looks import has_peers, record_look
from node.assessment.policy_file import Language
from node.core.errors import NotFoundError
from node.core.people.areas import Access, Area, may_access
from node.core.people.service import PeopleService, Principal
from node.rating.panel.service import PanelService
from node.rating.panel.view import build_panel_object
from node.records.api import CustomerId


def build_panel_router(panels: PanelService, *, people: PeopleService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["portfolio"])

    @router.get("/customers/{customer_id}/panel")
    async def get_panel(
        request: Request, customer_id: CustomerId, language: Language = Language.EN
    ) -> Response:
        """Return what each model says beside the newest assessment; nothing is averaged.

        A role that may not see what peers have said gets the panel without them.
        """
        viewer: Principal = request.state.viewer
        shows_peers = may_access(viewer, Access(area=Area.PEERS, target=""))
        panel = await asyncio.to_thread(
            lambda: panels.find_latest(customer_id, shows_peers=shows_peers)
        )
        if panel is None:
            raise NotFoundError("not assessed yet")
        if has_peers(panel.pair):
            await asyncio.to_thread(
                record_look, people, viewer, customer_id=customer_id, has_peers=True
            )
        return JSONResponse(build_panel_object(panel, language=language))

    return router
