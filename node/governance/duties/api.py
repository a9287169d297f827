"""API of the report on duties."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter

from node.assessment.policy_file import Language
from node.governance.duties.service import DutiesService
from node.governance.duties.view import build_duties_object


def build_duties_router(duties: DutiesService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["governance"])

    @router.get("/duties")
    async def report(language: Language = Language.EN) -> dict[str, Any]:
        """Return roles, tiers, deputies, and whose roles or acts stand against each other."""
        found = await asyncio.to_thread(duties.report)
        return build_duties_object(found, language=language)

    return router
