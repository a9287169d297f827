"""API of policies: read them with their differences, draft, edit, propose, decide, make active."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.assessment.policy_file import POLICY_BYTES_MAX, Language
from node.core.database import INTEGER_MAX
from node.core.errors import NotFoundError
from node.core.http.access import FindHidden, SeesPeers
from node.core.http.models import ApiModel
from node.core.people.service import Principal
from node.core.policies.entering import Entry
from node.core.policies.planning import PolicyPlanning
from node.core.policies.records import PolicyPreview, PolicyRecord
from node.core.policies.rules_states import Actor
from node.core.policies.service import PolicyService
from node.core.policies.tables import PERSON_CHARS_MAX, REASON_CHARS_MAX
from node.governance.policies.desk import PreviewDesk
from node.governance.policies.view import (
    build_difference,
    build_policy_object,
    build_preview_object,
    build_summary_object,
    find_base,
    list_named,
    list_of_peers,
    read_document,
)
from node.records.api import Day

VersionId = Annotated[int, Path(ge=1, le=INTEGER_MAX)]
Key = Annotated[int, Field(strict=True, ge=1, le=INTEGER_MAX)]
Content = Annotated[str, Field(min_length=2, max_length=POLICY_BYTES_MAX)]
Sha256 = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$")]


class EntryBody(ApiModel):
    """By whom, and why."""

    by: Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]

    def build(self, request: Request) -> Entry:
        """Return who takes the step: the person named, with the token that came."""
        viewer: Principal = request.state.viewer
        return Entry(actor=Actor(who=viewer.who, name=self.by), reason=self.reason)


class DraftBody(EntryBody):
    """A file, or a version of which the draft begins as a copy."""

    content: Content | None = None
    base: Key | None = None

    @model_validator(mode="after")
    def _check_either(self) -> DraftBody:
        if (self.content is None) is (self.base is None):
            raise ValueError("content or base")
        return self


class TextBody(EntryBody):
    """The next text of a draft, and which one its writer has seen."""

    content: Content
    seen_sha256: Sha256


class SeenBody(EntryBody):
    """Which text was seen."""

    seen_sha256: Sha256


class DecisionBody(SeenBody):
    """Whether what was seen is approved."""

    approved: Annotated[bool, Field(strict=True)]


class ActivationBody(EntryBody):
    """Why a version becomes active, and from which later day on, if not now."""

    effective_from: Day | None = None


class TrialBody(EntryBody):
    """As of which day the portfolio is looked at; the business date where none is given."""

    reason: str = "preview"
    as_of: Day | None = None


def build_policies_router(
    policies: PolicyService,
    planning: PolicyPlanning,
    desk: PreviewDesk,
    *,
    today: Callable[[], date],
    find_hidden: FindHidden,
    sees_peers: SeesPeers,
) -> APIRouter:
    """Return the routes.

    ``find_hidden`` returns the persons among customers who may not be shown; ``sees_peers`` tells
    whether those may be of whom peers have told.
    """
    router = APIRouter(tags=["policies"])
    _add_reading(router, policies)
    _add_comparing(router, policies)
    _add_previews(router, policies, desk, find_hidden=find_hidden, sees_peers=sees_peers)
    _add_writing(router, policies)
    _add_steps(router, policies, planning, today=today)

    @router.post("/policies/{version_id}/preview", status_code=202)
    async def start_preview(request: Request, version_id: VersionId, body: TrialBody) -> Response:
        """Begin to try a version on the portfolio; GET tells how far it is, and the result."""
        await asyncio.to_thread(policies.get, version_id)
        actor = body.build(request).actor
        job = desk.start(version_id, as_of=body.as_of or today(), actor=actor)
        shown = {"state": "running", "done": job.done, "total": job.total}
        return JSONResponse(shown, status_code=202)

    return router


def _read_policy(policies: PolicyService, version_id: int) -> dict[str, object]:
    record = policies.get(version_id)
    document = read_document(policies, record)
    return build_policy_object(record, document=document, preview=policies.find_preview(version_id))


async def _answer(take: Callable[[], PolicyRecord], *, status: int = 200) -> Response:
    record = await asyncio.to_thread(take)
    return JSONResponse(build_summary_object(record), status_code=status)


def _add_reading(router: APIRouter, policies: PolicyService) -> None:
    @router.get("/policies")
    async def list_policies(
        kind: Annotated[str | None, Query(max_length=32)] = None,
        limit: int = 100,
        before: Annotated[int | None, Query(ge=1, le=INTEGER_MAX)] = None,
    ) -> Response:
        """List versions, the newest first; ``before`` is the last id of the page before."""
        records = await asyncio.to_thread(
            lambda: policies.list_versions(kind=kind, limit=limit, before=before)
        )
        return JSONResponse([build_summary_object(one) for one in records])

    @router.get("/policies/{version_id}")
    async def get_policy(version_id: VersionId) -> Response:
        """Return a version: what it says, who wrote, proposed, decided and activated it."""
        return JSONResponse(await asyncio.to_thread(_read_policy, policies, version_id))


async def _show_preview(
    policies: PolicyService,
    desk: PreviewDesk,
    version_id: int,
    *,
    hide: Callable[[PolicyPreview], frozenset[int]],
) -> Response:
    job = desk.find(version_id)
    if job is not None and job.is_running:
        return JSONResponse({"state": "running", "done": job.done, "total": job.total})
    if job is not None and job.failure is not None:
        raise job.failure
    found = await asyncio.to_thread(policies.find_preview, version_id)
    if found is None:
        raise NotFoundError("not previewed yet")
    hidden = await asyncio.to_thread(hide, found)
    return JSONResponse({"state": "done", **build_preview_object(found, hidden=hidden)})


def _add_comparing(router: APIRouter, policies: PolicyService) -> None:
    @router.get("/policies/{version_id}/text")
    async def get_text(version_id: VersionId) -> Response:
        """Return the exact bytes that the hash names."""

        def read() -> bytes:
            return policies.get_content(policies.get(version_id).text.text_id)

        return Response(await asyncio.to_thread(read), media_type="application/json")

    @router.get("/policies/{version_id}/difference")
    async def get_difference(
        version_id: VersionId,
        base: Annotated[int | None, Query(ge=1, le=INTEGER_MAX)] = None,
        language: Language = Language.EN,
    ) -> Response:
        """Return what a version says differently than another, or than what it was made from."""

        def read() -> dict[str, object]:
            record = policies.get(version_id)
            other = find_base(policies, record) if base is None else policies.get(base)
            return build_difference(policies, other, record, language=language)

        return JSONResponse(await asyncio.to_thread(read))


def _add_previews(
    router: APIRouter,
    policies: PolicyService,
    desk: PreviewDesk,
    *,
    find_hidden: FindHidden,
    sees_peers: SeesPeers,
) -> None:
    @router.get("/policies/{version_id}/preview")
    async def get_preview(request: Request, version_id: VersionId) -> Response:
        """Return the newest preview of a version, or how far one at work is."""

        def hide(preview: PolicyPreview) -> frozenset[int]:
            of_peers = list_of_peers(preview)
            unseen = of_peers if of_peers and not sees_peers(request) else frozenset[int]()
            return unseen | find_hidden(request, set(list_named(preview)) - unseen)

        return await _show_preview(policies, desk, version_id, hide=hide)


def _add_writing(router: APIRouter, policies: PolicyService) -> None:
    @router.post("/policies", status_code=201)
    async def draft(request: Request, body: DraftBody) -> Response:
        """Enter a draft: a file, or a copy of a version under the next number of our own."""
        entry = body.build(request)

        def take() -> PolicyRecord:
            if body.base is not None:
                return policies.copy(body.base, entry=entry)
            return policies.draft((body.content or "").encode("utf-8"), entry=entry)

        return await _answer(take, status=201)

    @router.post("/policies/{version_id}/text")
    async def save(request: Request, version_id: VersionId, body: TextBody) -> Response:
        """Enter the next text of a draft."""
        entry, raw = body.build(request), body.content.encode("utf-8")
        return await _answer(
            lambda: policies.save(version_id, raw, seen_sha256_b64u=body.seen_sha256, entry=entry)
        )


def _add_steps(
    router: APIRouter,
    policies: PolicyService,
    planning: PolicyPlanning,
    *,
    today: Callable[[], date],
) -> None:
    @router.post("/policies/{version_id}/proposal")
    async def propose(request: Request, version_id: VersionId, body: SeenBody) -> Response:
        """Put a draft before a second person."""
        entry = body.build(request)
        return await _answer(
            lambda: policies.propose(version_id, seen_sha256_b64u=body.seen_sha256, entry=entry)
        )

    @router.post("/policies/{version_id}/decision")
    async def decide(request: Request, version_id: VersionId, body: DecisionBody) -> Response:
        """Approve or reject what another person has proposed."""
        entry = body.build(request)
        return await _answer(
            lambda: policies.decide(
                version_id,
                is_approved=body.approved,
                seen_sha256_b64u=body.seen_sha256,
                entry=entry,
            )
        )

    @router.post("/policies/{version_id}/withdrawal")
    async def withdraw(request: Request, version_id: VersionId, body: EntryBody) -> Response:
        """Take back a version that was never active."""
        entry = body.build(request)
        return await _answer(lambda: policies.withdraw(version_id, entry=entry))

    @router.post("/policies/{version_id}/activation")
    async def activate(request: Request, version_id: VersionId, body: ActivationBody) -> Response:
        """Make an approved version the active one of its kind, from now on or from a later day."""
        entry, day = body.build(request), body.effective_from
        if day is None:
            return await _answer(lambda: policies.activate(version_id, entry=entry, today=today()))
        return await _answer(
            lambda: planning.plan(version_id, effective_from=day, entry=entry, today=today())
        )

    @router.post("/policies/{version_id}/plan-withdrawal")
    async def withdraw_plan(request: Request, version_id: VersionId, body: EntryBody) -> Response:
        """Have a version not become active by itself on the day that was planned."""
        entry = body.build(request)
        return await _answer(lambda: planning.withdraw(version_id, entry=entry))

    @router.get("/planned-policies")
    async def list_planned() -> Response:
        """List what will become active, in the order of the days."""
        records = await asyncio.to_thread(planning.list_planned)
        return JSONResponse([build_summary_object(one) for one in records])
