"""API of the access log: looks as JSON or CSV, and the extract for a subject."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from node.assessment.policy_file import Language
from node.governance.looks.service import LISTED_MAX, LookFilter, LookService
from node.governance.looks.view import build_extract_object, build_look_object, write_looks
from node.records.api import CustomerId, Day, QueryKey
from node.records.errors import check_report_day
from node.records.tables import NAME_CHARS_MAX

Limit = Annotated[int, Query(ge=1, le=LISTED_MAX)]
Person = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]


def build_looks_router(looks: LookService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["governance"])

    @router.get("/accesses")
    async def list_looks(
        *,
        customer: QueryKey = None,
        person: Person | None = None,
        first: Day | None = None,
        last: Day | None = None,
        limit: Limit = 1_000,
    ) -> list[dict[str, Any]]:
        """List looks, the newest first: of a customer, by a person, from one day to another."""
        chosen = choose_looks(customer=customer, person=person, first=first, last=last)
        found = await asyncio.to_thread(lambda: looks.list_looks(chosen, limit=limit))
        return [build_look_object(one) for one in found]

    @router.get("/accesses.csv")
    async def export_looks(
        *,
        customer: QueryKey = None,
        person: Person | None = None,
        first: Day | None = None,
        last: Day | None = None,
    ) -> Response:
        """Return the same as CSV."""
        chosen = choose_looks(customer=customer, person=person, first=first, last=last)

        def write() -> str:
            file = io.StringIO()
            write_looks(file, looks.list_looks(chosen))
            return file.getvalue()

        return Response(
            await asyncio.to_thread(write),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="accesses.csv"'},
        )

    @router.get("/customers/{customer_id}/accesses")
    async def extract(customer_id: CustomerId, language: Language = Language.EN) -> dict[str, Any]:
        """Return what a customer who asks is handed: who looked, who was told, its cases."""
        found = await asyncio.to_thread(looks.extract, customer_id)
        return build_extract_object(found, language=language)

    return router


def choose_looks(
    *, customer: int | None, person: str | None, first: date | None, last: date | None
) -> LookFilter:
    """Return the filter of whole days in UTC, the last one included.

    Raises:
        ReportInvalidError: A day is of another time.
    """
    for day in (first, last):
        if day is not None:
            check_report_day(day)
    return LookFilter(
        customer_id=customer,
        person=person,
        from_ms=None if first is None else _start_of(first),
        to_ms=None if last is None else _start_of(last + timedelta(days=1)),
    )


def _start_of(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000
