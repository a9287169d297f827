"""API of objections and complaints: receive, mark, ask, decide, answer, close, appeal, reopen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.requests import Request

from node.assessment.policy_file import Language
from node.core.database import INTEGER_MAX
from node.core.http.models import ApiModel
from node.governance.cases.entries import NewCase
from node.governance.cases.persons import name_person
from node.governance.cases.record import CaseChannel, CaseStory, Target, TargetKind
from node.governance.cases.rules_case import (
    OPEN,
    STATEMENT_CHARS_MAX,
    Appealed,
    CaseKind,
    CaseState,
    CaseStep,
    RootCause,
)
from node.governance.cases.service import CASES_PAGE_MAX, CaseService
from node.governance.cases.store import CaseFilter
from node.governance.cases.tables import TARGET_CHARS_MAX, TEXT_CHARS_MAX
from node.governance.cases.view import build_case_object, build_summary_object
from node.records.api import Day, Entry, Key, PathKey, QueryKey, Reason, Sha256Hex
from node.records.tables import NAME_CHARS_MAX

Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Before = Annotated[int | None, Query(ge=1, le=INTEGER_MAX)]
# Tells past receivers of a customer that what they heard has changed; returns how many answers.
PushCorrection = Callable[[str], Awaitable[int]]


class TargetBody(ApiModel):
    """What an objection is about, by its name."""

    kind: TargetKind
    ref: Annotated[str, Field(min_length=1, max_length=TARGET_CHARS_MAX)]

    def build(self) -> Target:
        """Return it as the room takes it."""
        return Target(kind=self.kind, ref=self.ref)


class CaseBody(Entry):
    """What came: from whom, how, about what."""

    kind: CaseKind
    complainant: Name
    text: Text
    channel: CaseChannel
    received_on: Day | None = None
    customer: Key | None = None
    about: Name | None = None
    target: TargetBody | None = None

    def build(self) -> NewCase:
        """Return it as the room takes it."""
        return NewCase(
            kind=self.kind,
            complainant=self.complainant,
            text=self.text,
            channel=self.channel,
            received_on=self.received_on,
            customer_id=self.customer,
            about=self.about,
            target=None if self.target is None else self.target.build(),
        )


class MarkBody(Entry):
    """What an objection is about, where that was not named before."""

    target: TargetBody | None = None


class AskBody(Entry):
    """Who was asked, and what."""

    source: Reason
    on: Day | None = None


class DecisionBody(Entry):
    """How a case was decided, and why."""

    step: Literal[CaseStep.UPHOLD, CaseStep.REJECT, CaseStep.WITHDRAW]
    reason: Reason


class AnswerBody(Entry):
    """The answer in writing, word for word."""

    text: Text
    channel: CaseChannel
    on: Day | None = None
    document_sha256_hex: Sha256Hex | None = None


class CauseBody(Entry):
    """Why there was something to object to or complain of."""

    cause: RootCause
    text: Reason


class StatementBody(Entry):
    """What the subject states in its own words."""

    text: Annotated[str, Field(min_length=1, max_length=STATEMENT_CHARS_MAX)]


class AppealBody(Entry):
    """Before whom, and with what words."""

    before: Appealed
    text: Text


class ReasonBody(Entry):
    """Why."""

    reason: Reason


def build_cases_router(
    cases: CaseService, *, push: PushCorrection, route_class: type[APIRoute] = APIRoute
) -> APIRouter:
    """Return the routes; ``push`` tells past receivers of a customer of a correction."""
    router = APIRouter(
        tags=["governance"], dependencies=[Depends(_check_person)], route_class=route_class
    )
    _add_reading(router, cases)
    _add_beginning(router, cases)
    _add_deciding(router, cases)
    _add_ends(router, cases)

    @router.post("/cases/{case_id}/correction")
    async def correct(case_id: PathKey, body: Entry) -> dict[str, Any]:
        """Tell every past receiver of what an objection was about that it has changed."""
        return _show(cases, await push_one(cases, case_id, push=push, by=body.by))

    return router


async def _check_person(request: Request) -> None:
    """Check that a person enters; that ``by`` is its name is checked of every entry."""
    if request.method != "GET":
        name_person(request.state.viewer)


async def push_one(cases: CaseService, case_id: int, *, push: PushCorrection, by: str) -> CaseStory:
    """Push the correction of a case, and keep that it was."""
    story = await asyncio.to_thread(cases.get_correctable, case_id)
    answers = await push(story.subject_id or "")
    return await asyncio.to_thread(lambda: cases.record_correction(case_id, answers=answers, by=by))


async def _answer(cases: CaseService, take: Callable[[], CaseStory]) -> dict[str, Any]:
    return _show(cases, await asyncio.to_thread(take))


def _show(cases: CaseService, story: CaseStory) -> dict[str, Any]:
    return build_case_object(story, today=cases.today(), language=Language.EN)


def _add_reading(router: APIRouter, cases: CaseService) -> None:
    @router.get("/cases")
    async def list_cases(
        *,
        state: Annotated[list[CaseState] | None, Query()] = None,
        kind: Annotated[list[CaseKind] | None, Query()] = None,
        customer: QueryKey = None,
        is_open: bool = False,
        late: bool = False,
        limit: Annotated[int, Query(ge=1, le=CASES_PAGE_MAX)] = 100,
        before: Before = None,
        language: Language = Language.EN,
    ) -> list[dict[str, Any]]:
        """List cases, the newest first; ``before`` is the last id of the page before."""
        today = cases.today()
        chosen = CaseFilter(
            states=state or (OPEN if is_open or late else ()),
            kinds=kind or (),
            customer_ids=() if customer is None else (customer,),
            late_on=today if late else None,
        )
        found = await asyncio.to_thread(
            lambda: cases.list_cases(chosen, before=before, limit=limit)
        )
        return [build_summary_object(one, today=today, language=language) for one in found]

    @router.get("/cases/{case_id}")
    async def get_case(case_id: PathKey, language: Language = Language.EN) -> dict[str, Any]:
        """Return a case with all its steps."""
        story = await asyncio.to_thread(cases.get, case_id)
        return build_case_object(story, today=cases.today(), language=language)


def _add_beginning(router: APIRouter, cases: CaseService) -> None:
    @router.post("/cases", status_code=201)
    async def receive(body: CaseBody) -> dict[str, Any]:
        """Enter a case; an objection that names what it is about is held back at once."""
        return await _answer(cases, lambda: cases.receive(body.build(), by=body.by))

    @router.post("/cases/{case_id}/mark")
    async def mark(case_id: PathKey, body: MarkBody) -> dict[str, Any]:
        """Hold back what an objection is about, or acknowledge a complaint."""
        target = None if body.target is None else body.target.build()
        return await _answer(cases, lambda: cases.mark(case_id, target=target, by=body.by))

    @router.post("/cases/{case_id}/questions")
    async def ask(case_id: PathKey, body: AskBody) -> dict[str, Any]:
        """Enter that the source was asked."""
        return await _answer(
            cases, lambda: cases.ask(case_id, source=body.source, on=body.on, by=body.by)
        )


def _add_deciding(router: APIRouter, cases: CaseService) -> None:
    @router.post("/cases/{case_id}/decision")
    async def decide(case_id: PathKey, body: DecisionBody) -> dict[str, Any]:
        """Uphold or reject a case, or enter that it was withdrawn."""
        return await _answer(
            cases,
            lambda: cases.decide(case_id, step=body.step, reason=body.reason, by=body.by),
        )

    @router.post("/cases/{case_id}/answers")
    async def answer(case_id: PathKey, body: AnswerBody) -> dict[str, Any]:
        """Enter the answer that was given in writing."""
        return await _answer(
            cases,
            lambda: cases.answer(
                case_id,
                text=body.text,
                channel=body.channel,
                on=body.on,
                document_sha256_hex=body.document_sha256_hex,
                by=body.by,
            ),
        )

    @router.post("/cases/{case_id}/causes")
    async def set_cause(case_id: PathKey, body: CauseBody) -> dict[str, Any]:
        """Enter the root cause."""
        return await _answer(
            cases,
            lambda: cases.set_cause(case_id, cause=body.cause, text=body.text, by=body.by),
        )

    @router.post("/cases/{case_id}/statements")
    async def add_statement(case_id: PathKey, body: StatementBody) -> dict[str, Any]:
        """Enter the statement of the subject."""
        return await _answer(
            cases, lambda: cases.add_statement(case_id, text=body.text, by=body.by)
        )


def _add_ends(router: APIRouter, cases: CaseService) -> None:
    @router.post("/cases/{case_id}/closing")
    async def close(case_id: PathKey, body: Entry) -> dict[str, Any]:
        """Close a case of which nothing is owed any more."""
        return await _answer(cases, lambda: cases.close(case_id, by=body.by))

    @router.post("/cases/{case_id}/appeals")
    async def appeal(case_id: PathKey, body: AppealBody) -> dict[str, Any]:
        """Enter that a closed case is taken further."""
        return await _answer(
            cases,
            lambda: cases.appeal(case_id, before=body.before, text=body.text, by=body.by),
        )

    @router.post("/cases/{case_id}/confirmation")
    async def confirm(case_id: PathKey, body: ReasonBody) -> dict[str, Any]:
        """Enter that an appeal has changed nothing."""
        return await _answer(cases, lambda: cases.confirm(case_id, reason=body.reason, by=body.by))

    @router.post("/cases/{case_id}/reopening")
    async def reopen(case_id: PathKey, body: ReasonBody) -> dict[str, Any]:
        """Open a case again; its clock begins anew."""
        return await _answer(cases, lambda: cases.reopen(case_id, reason=body.reason, by=body.by))
