"""API of procedures: published, read, confirmed, and who has not confirmed yet."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.requests import Request

from node.core.database import INTEGER_MAX
from node.core.http.models import ApiModel
from node.core.people.service import Principal, Role
from node.governance.training.service import NewProcedure, TrainingService
from node.governance.training.tables import SLUG_CHARS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX
from node.governance.training.view import (
    build_confirmation_object,
    build_procedure_object,
    build_standing_object,
)
from node.records.api import Entry, Sha256Hex
from node.records.tables import NAME_CHARS_MAX

Slug = Annotated[str, Path(min_length=1, max_length=SLUG_CHARS_MAX)]
Version = Annotated[int, Field(strict=True, ge=1, le=INTEGER_MAX)]


class ProcedureBody(Entry):
    """The next version of a procedure."""

    name: Annotated[str, Field(min_length=1, max_length=SLUG_CHARS_MAX)]
    title: Annotated[str, Field(min_length=1, max_length=TITLE_CHARS_MAX)]
    text: Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)] | None = None
    document_sha256_hex: Sha256Hex | None = None
    roles: frozenset[Role]


class ConfirmationBody(ApiModel):
    """Which version was read."""

    version: Version


def build_training_router(
    training: TrainingService, *, route_class: type[APIRoute] = APIRoute
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["governance"], route_class=route_class)

    @router.get("/procedures")
    async def list_procedures() -> list[dict[str, Any]]:
        """List the newest version of each procedure, without its text."""
        found = await asyncio.to_thread(training.list_procedures)
        return [build_procedure_object(one, has_text=False) for one in found]

    @router.get("/procedures/{procedure}")
    async def get_procedure(
        procedure: Slug, version: Annotated[int | None, Query(ge=1, le=INTEGER_MAX)] = None
    ) -> dict[str, Any]:
        """Return a version of a procedure, or the newest, with its text."""
        found = await asyncio.to_thread(lambda: training.get(procedure, version=version))
        return build_procedure_object(found, has_text=True)

    @router.post("/procedures", status_code=201)
    async def publish(body: ProcedureBody) -> dict[str, Any]:
        """Enter the next version of a procedure: everybody for whom it is reads it anew."""
        new = NewProcedure(
            slug=body.name,
            title=body.title,
            text=body.text,
            document_sha256_hex=body.document_sha256_hex,
            roles=body.roles,
        )
        found = await asyncio.to_thread(lambda: training.publish(new, by=body.by))
        return build_procedure_object(found, has_text=False)

    @router.post("/procedures/{procedure}/confirmations")
    async def confirm(request: Request, procedure: Slug, body: ConfirmationBody) -> dict[str, Any]:
        """Confirm that one has read the newest version, with one's own token."""
        viewer: Principal = request.state.viewer
        found = await asyncio.to_thread(
            lambda: training.confirm(procedure, version=body.version, actor=viewer)
        )
        return build_confirmation_object(found)

    @router.get("/training")
    async def list_standings() -> list[dict[str, Any]]:
        """List who has confirmed the newest version of each procedure, and who has not."""
        found = await asyncio.to_thread(training.list_standings)
        return [build_standing_object(one) for one in found]

    @router.get("/training/persons")
    async def list_of_person(
        name: Annotated[str, Query(min_length=1, max_length=NAME_CHARS_MAX)],
    ) -> list[dict[str, Any]]:
        """List what a person has confirmed, and when."""
        found = await asyncio.to_thread(training.list_of_person, name)
        return [
            {
                "procedure": build_procedure_object(procedure, has_text=False),
                **build_confirmation_object(confirmation),
            }
            for procedure, confirmation in found
        ]

    return router
