"""API of the registry of models; training and decisions are commands."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse, Response

from node.assessment.policy_file import Language
from node.core.database import ID_MAX
from node.rating.models.registry import ModelService
from node.rating.models.view import build_model_object, build_summary_object

ModelId = Annotated[int, Path(ge=1, le=ID_MAX)]
Before = Annotated[int | None, Query(ge=1, le=ID_MAX)]


def build_models_router(models: ModelService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["models"])

    @router.get("/models")
    async def list_models(
        limit: int = 50, before: Before = None, language: Language = Language.EN
    ) -> Response:
        """List models, the newest first; ``before`` is the last id of the page before."""
        records = await asyncio.to_thread(lambda: models.list_models(limit=limit, before=before))
        return JSONResponse([build_summary_object(one, language=language) for one in records])

    @router.get("/models/{model_id}")
    async def get_model(model_id: ModelId, language: Language = Language.EN) -> Response:
        """Return a model: every bin with its points, the report on later rows, its life."""
        record = await asyncio.to_thread(models.get, model_id)
        return JSONResponse(build_model_object(record, language=language))

    return router
