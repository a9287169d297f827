"""The auditor's API: read only, for the operator's token and for tokens made by ``token create``.

A page ends with ``next`` where there may be more: hand it back as the cursor. Envelopes, hashes and
codes are always here; bodies and subjects need their scope and are asked for by name.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from node.core.errors import ForbiddenError, InvariantError
from node.core.people.service import Principal, Role
from node.sharing.audit_api.models import (
    AccessModel,
    AccessPage,
    ConsentDetail,
    ConsentPage,
    EntryPage,
    ExchangeDetail,
    ExchangePage,
    HeadModel,
    PeerModel,
    ProvenEntryModel,
    StatusPage,
    text_of,
    view_consent,
    view_copy,
    view_entry,
    view_exchange,
    view_head,
    view_status,
)
from node.sharing.auditing import PAGE_MAX, AuditService, BundleFile
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import MalformedError
from protocol.limits import HASH_BYTES, TREE_SIZE_MAX
from schemas.wire import Hash

TAR_MEDIA_TYPE = "application/x-tar"
_CURSOR = re.compile(r"^([0-9]{1,16})\.([0-9]{1,16})$")
Index = Annotated[int, Query(ge=0, le=TREE_SIZE_MAX)]
LogNumber = int | None
"""In the path; the log that is written where it is not there."""
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]


class CursorError(MalformedError):
    """A cursor is not one that this API gave out."""

    code = "cursor-invalid"


def build_audit_router(
    *,
    auditing: AuditService,
    viewer: Callable[[Request], Principal],
    health: Callable[[], dict[str, object]],
) -> APIRouter:
    """Return the routes; ``viewer`` says who asks or raises."""

    def enter(request: Request) -> None:
        who = viewer(request)
        if who.role not in {Role.OPERATOR, Role.AUDITOR}:
            raise ForbiddenError("an auditor's token is needed")
        request.state.viewer = who

    router = APIRouter(prefix="/audit", tags=["audit"], dependencies=[Depends(enter)])
    _add_log_routes(router, auditing)
    _add_exchange_routes(router, auditing)
    _add_consent_routes(router, auditing)
    _add_access_routes(router, auditing)
    _add_export_route(router, auditing)

    @router.get("/health")
    async def get_health(request: Request) -> dict[str, object]:
        """Say what works: log, witness, registry."""
        await asyncio.to_thread(auditing.record_look, _who_of(request), "health")
        return health()

    return router


def _add_log_routes(router: APIRouter, auditing: AuditService) -> None:
    @router.get("/logs")
    async def list_logs(request: Request) -> list[HeadModel]:
        """Return the head of each of this node's logs, the oldest log first."""
        heads = await asyncio.to_thread(auditing.list_logs, _who_of(request))
        return [view_head(head) for head in heads]

    @router.get("/log")
    @router.get("/logs/{log}")
    async def get_head(request: Request, log: LogNumber = None) -> HeadModel:
        """Return a log's head and the newest that the hub has cosigned."""
        return view_head(
            await asyncio.to_thread(lambda: auditing.get_head(_who_of(request), log=log))
        )

    @router.get("/log/entries")
    @router.get("/logs/{log}/entries")
    async def list_entries(
        request: Request, log: LogNumber = None, first: Index = 0, limit: Limit = 100
    ) -> EntryPage:
        """Return consecutive entries."""
        views = await asyncio.to_thread(
            lambda: auditing.list_entries(_who_of(request), first=first, limit=limit, log=log)
        )
        more = first + len(views) if len(views) == limit else None
        return EntryPage(entries=[view_entry(view) for view in views], next=more)

    @router.get("/log/entries/{index}")
    @router.get("/logs/{log}/entries/{index}")
    async def get_entry(request: Request, index: int, log: LogNumber = None) -> ProvenEntryModel:
        """Return an entry with its proof under the log's newest head."""
        proven = await asyncio.to_thread(
            lambda: auditing.get_entry(_who_of(request), index, log=log)
        )
        return ProvenEntryModel(
            index=index,
            leaf=encode_b64u(proven.view.leaf),
            entry=text_of(proven.view.raw) or "",
            proof=proven.proof,
        )


def _add_exchange_routes(router: APIRouter, auditing: AuditService) -> None:
    @router.get("/exchanges")
    async def list_exchanges(
        request: Request,
        side: Literal["in", "out"] = "in",
        before: str | None = None,
        limit: Limit = 100,
    ) -> ExchangePage:
        """Return what was answered here, or asked from here, the newest first."""
        cursor = None if before is None else _parse_cursor(before)
        rows = await asyncio.to_thread(
            lambda: auditing.list_exchanges(_who_of(request), side=side, before=cursor, limit=limit)
        )
        more = f"{rows[-1].at_ms}.{rows[-1].position}" if len(rows) == limit else None
        return ExchangePage(exchanges=[view_exchange(row) for row in rows], next=more)

    @router.get("/exchanges/{index}")
    @router.get("/logs/{log}/exchanges/{index}")
    async def get_exchange(
        request: Request, index: int, *, log: LogNumber = None, bodies: bool = False
    ) -> ExchangeDetail:
        """Return both messages of the exchange that a log entry belongs to."""
        found = await asyncio.to_thread(
            lambda: auditing.get_exchange(_who_of(request), index, with_bodies=bodies, log=log)
        )
        return ExchangeDetail(
            exchange=view_exchange(found.row),
            request=view_copy(found.request),
            answer=None if found.answer is None else view_copy(found.answer),
        )

    @router.get("/peers")
    async def list_peers(request: Request) -> list[PeerModel]:
        """Return counters, heads and sums of each peer."""
        rows = await asyncio.to_thread(auditing.list_peers, _who_of(request))
        return [
            PeerModel(
                peer=row.peer,
                n=row.n,
                head_size=row.head_size,
                answered=row.answered,
                uses=row.uses,
                asked=row.asked,
                open=row.open,
            )
            for row in rows
        ]


def _add_consent_routes(router: APIRouter, auditing: AuditService) -> None:
    @router.get("/consents")
    async def list_consents(
        request: Request,
        after: Hash | None = None,
        limit: Limit = 100,
        *,
        subjects: bool = False,
    ) -> ConsentPage:
        """Return consents in the order of their hashes."""
        cursor = b"" if after is None else decode_b64u(after, bytes_exact=HASH_BYTES)
        rows = await asyncio.to_thread(
            lambda: auditing.list_consents(
                _who_of(request), after=cursor, limit=limit, with_subjects=subjects
            )
        )
        more = encode_b64u(rows[-1].hash) if len(rows) == limit else None
        return ConsentPage(consents=[view_consent(row) for row in rows], next=more)

    @router.get("/consents/{consent}")
    async def get_consent(
        request: Request, consent: Hash, *, subjects: bool = False
    ) -> ConsentDetail:
        """Return a consent with its signed changes and the answers given under it."""
        name = decode_b64u(consent, bytes_exact=HASH_BYTES)
        found = await asyncio.to_thread(
            lambda: auditing.get_consent(_who_of(request), name, with_subject=subjects)
        )
        return ConsentDetail(
            consent=view_consent(found.row),
            statuses=[view_status(one) for one in found.statuses],
            uses=[view_exchange(one) for one in found.uses],
        )

    @router.get("/statuses")
    async def list_statuses(request: Request, after: Index = 0, limit: Limit = 100) -> StatusPage:
        """Return signed changes of state in the order in which they were taken."""
        rows = await asyncio.to_thread(
            lambda: auditing.list_statuses(_who_of(request), after=after, limit=limit)
        )
        more = rows[-1].status_id if len(rows) == limit else None
        return StatusPage(statuses=[view_status(one) for one in rows], next=more)


def _add_access_routes(router: APIRouter, auditing: AuditService) -> None:
    @router.get("/access")
    async def list_accesses(
        request: Request,
        before: Annotated[int | None, Query(ge=1, le=TREE_SIZE_MAX)] = None,
        limit: Limit = 100,
    ) -> AccessPage:
        """Return who looked at what, the newest first."""
        rows = await asyncio.to_thread(
            lambda: auditing.list_accesses(_who_of(request), before=before, limit=limit)
        )
        more = rows[-1].access_id if len(rows) == limit else None
        accesses = [
            AccessModel(
                id=row.access_id,
                at_ms=row.at_ms,
                who=row.who,
                name=row.name,
                what=row.what,
                target=row.target,
                scope=row.scope,
                outcome=row.outcome,
            )
            for row in rows
        ]
        return AccessPage(accesses=accesses, next=more)


def _add_export_route(router: APIRouter, auditing: AuditService) -> None:
    @router.get("/export", response_class=FileResponse)
    async def export(request: Request, *, redacted: bool = True) -> FileResponse:
        """Return this node's bundle as a tar file, up to the newest head that is cosigned."""
        return await send_bundle(auditing, _who_of(request), redacted=redacted)


async def send_bundle(auditing: AuditService, who: Principal, *, redacted: bool) -> FileResponse:
    """Make a bundle, send it, and take its files away again.

    Raises:
        NodeError: It may not be had, or cannot be made now.
    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="chengxin-export-"))
    try:
        made: BundleFile = await asyncio.to_thread(
            lambda: auditing.export(who, folder=folder, redacted=redacted)
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        made.path,
        media_type=TAR_MEDIA_TYPE,
        filename=made.path.name,
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


def _who_of(request: Request) -> Principal:
    """Return who asks, as the router's dependency has found."""
    viewer = request.state.viewer
    if not isinstance(viewer, Principal):
        raise InvariantError("a route of the auditor's API without its dependency")
    return viewer


def _parse_cursor(text: str) -> tuple[int, int]:
    match = _CURSOR.match(text)
    if match is None:
        raise CursorError("this is no cursor of this list")
    return int(match[1]), int(match[2])
