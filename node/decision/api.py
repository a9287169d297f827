"""API of decisions: propose, look, hand on, decide; deputies, and what became of decisions.

A person decides with a token of his own: with the operator's nothing is approved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import Field
from starlette.requests import Request

from node.assessment.policy_file import Language
from node.core.database import ID_MAX
from node.core.http.access import FindHidden
from node.core.money import AMOUNT_MINOR_MAX
from node.core.people.areas import Access, Area, check_access, may_access
from node.core.people.service import Look, PeopleService, Principal, Role, Scope
from node.decision.asked import Asked
from node.decision.changing import TERMS_DAYS_MAX, Change
from node.decision.deputies import DeputyService
from node.decision.evidence import Wish
from node.decision.policy import BuyerKind, Monitoring, Security
from node.decision.record import DecisionRecord
from node.decision.reports import DecisionReports
from node.decision.rules_state import DecisionState
from node.decision.service import DecisionService
from node.decision.tables import KEY_CHARS_MAX
from node.decision.view import (
    build_decision_object,
    build_deputy_object,
    build_outcomes_object,
    build_summary_object,
)
from node.records.api import Currency, Day, Entry, Key, PathKey, QueryKey, Reason
from node.records.tables import NAME_CHARS_MAX

PEER_VALUES = "peer-values"
Amount = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MINOR_MAX)]
Positive = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MINOR_MAX)]
Terms = Annotated[int, Field(strict=True, ge=0, le=TERMS_DAYS_MAX)]
Grade = Annotated[str, Field(pattern="^[A-Z]{1,4}[+-]?$")]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Before = Annotated[int | None, Query(ge=1, le=ID_MAX)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=KEY_CHARS_MAX)]


class ProposalBody(Entry):
    """For whom a decision is proposed, and what is asked for, in the decision's currency.

    With an ``application`` limit, currency and terms are what it asks for.
    """

    customer: Key
    currency: Currency | None = None
    limit_minor: Positive | None = None
    need_year_minor: Positive | None = None
    terms_days: Terms | None = None
    application: Key | None = None
    buyer: BuyerKind = BuyerKind.COMPANY


class ReasonBody(Entry):
    """Why."""

    reason: Reason


class ApprovalBody(Entry):
    """A comment, and on a natural person what whoever approves has looked at himself.

    With a ``version``, as the decision lists them, no other one is approved.
    """

    version: Key | None = None
    comment: Annotated[str, Field(max_length=500)] = ""
    human_review: Reason | None = None


class OverrideBody(Entry):
    """What is decided otherwise, by a reason of the policy and in words."""

    reason_code: Annotated[str, Field(min_length=1, max_length=32)]
    reason: Reason
    grade: Grade | None = None
    limit_minor: Amount | None = None
    terms_days: Terms | None = None
    security: Security | None = None
    monitoring: Monitoring | None = None
    valid_until: Day | None = None
    review_on: Day | None = None
    is_stopped: bool = False

    def build(self) -> Change:
        """Return the change."""
        return Change(
            grade=self.grade,
            limit_minor=self.limit_minor,
            terms_days=self.terms_days,
            security=self.security,
            monitoring=self.monitoring,
            valid_until=self.valid_until,
            review_on=self.review_on,
            is_stopped=self.is_stopped,
        )


class DeputyBody(Entry):
    """Who stands in for whoever holds the token, from one day to another."""

    deputy: Name
    first_on: Day
    last_on: Day


def build_decisions_router(
    decisions: DecisionService,
    reports: DecisionReports,
    deputies: DeputyService,
    *,
    people: PeopleService,
    sees_persons: Callable[[Request], bool],
    find_hidden: FindHidden,
) -> APIRouter:
    """Return the routes; ``sees_persons`` tells and records whether persons may be shown.

    ``find_hidden`` returns those among some customers who may not be.
    """
    router = APIRouter(tags=["decisions"])
    _add_reads(router, reports, people=people, sees_persons=sees_persons)
    _add_outcomes(router, reports, find_hidden=find_hidden)
    _add_entries(router, decisions, reports, people=people)
    _add_verdicts(router, decisions, reports, people=people)
    _add_deputies(router, deputies)
    return router


def act_as(viewer: Principal, by: str) -> Principal:
    """Return who acts: the holder of the token, or whom the operator's token names."""
    return replace(viewer, name=by) if viewer.role is Role.OPERATOR else viewer


def see_peers(people: PeopleService, viewer: Principal, decision_id: int) -> bool:
    """Tell whether what peers have said may be shown, and record that it is."""
    if not may_access(viewer, Access(area=Area.PEERS, target="")):
        return False
    look = Look(what=PEER_VALUES, target=f"decision {decision_id}", scope=Scope.BODIES)
    people.record(viewer, look)
    return True


def _add_reads(
    router: APIRouter,
    reports: DecisionReports,
    *,
    people: PeopleService,
    sees_persons: Callable[[Request], bool],
) -> None:
    @router.get("/decisions")
    async def list_decisions(
        request: Request,
        *,
        state: Annotated[list[DecisionState] | None, Query()] = None,
        customer: QueryKey = None,
        limit: int = 50,
        before: Before = None,
        language: Language = Language.EN,
    ) -> list[dict[str, Any]]:
        """List decisions, the newest first; ``before`` is the last id of the page before."""

        def read() -> list[dict[str, Any]]:
            views = reports.list_decisions(
                states=state, customer_id=customer, limit=limit, before=before
            )
            is_shown = any(one.is_person for one in views) and sees_persons(request)
            viewer: Principal = request.state.viewer
            has_peers = may_access(viewer, Access(area=Area.PEERS, target=""))
            return [
                build_summary_object(one, language=language, has_peers=has_peers)
                for one in views
                if is_shown or not one.is_person
            ]

        return await asyncio.to_thread(read)

    @router.get("/decisions/{decision_id}")
    async def get_decision(
        request: Request, decision_id: PathKey, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return a decision with every arm, its versions, approvals and events."""
        return await asyncio.to_thread(_show, request, reports, people, decision_id, language)


def _add_outcomes(router: APIRouter, reports: DecisionReports, *, find_hidden: FindHidden) -> None:
    @router.get("/decision-outcomes")
    async def read_outcomes(request: Request, language: Language = Language.EN) -> dict[str, Any]:
        """Return what became of decisions: as proposed, and as persons decided otherwise.

        The groups count all; of natural persons, who may not be seen, none stands by itself.
        """

        def read() -> dict[str, Any]:
            report = reports.read_outcomes()
            hidden = find_hidden(request, [one.customer_id for one in report.decisions])
            shown = tuple(one for one in report.decisions if one.customer_id not in hidden)
            return build_outcomes_object(replace(report, decisions=shown), language=language)

        return await asyncio.to_thread(read)


def _add_entries(
    router: APIRouter,
    decisions: DecisionService,
    reports: DecisionReports,
    *,
    people: PeopleService,
) -> None:
    @router.post("/decisions", status_code=201)
    async def propose(
        request: Request, body: ProposalBody, idempotency_key: IdempotencyKey = None
    ) -> dict[str, Any]:
        """Propose a decision; the same Idempotency-Key with the same body is the same one."""
        wish = Wish(
            currency=body.currency,
            limit_minor=body.limit_minor,
            need_year_minor=body.need_year_minor,
        )
        asked = Asked(
            wish=wish,
            buyer=body.buyer,
            terms_days=body.terms_days,
            application_id=body.application,
        )

        def enter() -> dict[str, Any]:
            record = decisions.propose(body.customer, asked=asked, by=body.by, key=idempotency_key)
            return _show(request, reports, people, record.decision_id, Language.EN)

        return await asyncio.to_thread(enter)

    @router.post("/decisions/{decision_id}/submission")
    async def submit(request: Request, decision_id: PathKey, body: Entry) -> dict[str, Any]:
        """Hand a decision to those who approve."""
        return await _take(
            request, reports, people, lambda _actor: decisions.submit(decision_id, by=body.by)
        )

    @router.post("/decisions/{decision_id}/withdrawal")
    async def withdraw(request: Request, decision_id: PathKey, body: ReasonBody) -> dict[str, Any]:
        """Withdraw a decision; one that is active only with the authority for its amount."""
        return await _take(
            request,
            reports,
            people,
            lambda actor: decisions.withdraw(
                decision_id, reason=body.reason, actor=act_as(actor, body.by)
            ),
        )


def _add_verdicts(
    router: APIRouter,
    decisions: DecisionService,
    reports: DecisionReports,
    *,
    people: PeopleService,
) -> None:
    @router.post("/decisions/{decision_id}/approvals")
    async def approve(request: Request, decision_id: PathKey, body: ApprovalBody) -> dict[str, Any]:
        """Approve a decision, in the name and with the role of the token."""
        return await _take(
            request,
            reports,
            people,
            lambda actor: decisions.approve(
                decision_id,
                actor=actor,
                version=body.version,
                comment=body.comment,
                human_review=body.human_review,
            ),
        )

    @router.post("/decisions/{decision_id}/rejection")
    async def reject(request: Request, decision_id: PathKey, body: ReasonBody) -> dict[str, Any]:
        """Reject a decision that was submitted."""
        return await _take(
            request,
            reports,
            people,
            lambda actor: decisions.reject(decision_id, reason=body.reason, actor=actor),
        )

    @router.post("/decisions/{decision_id}/return")
    async def send_back(request: Request, decision_id: PathKey, body: ReasonBody) -> dict[str, Any]:
        """Return a decision to whoever proposed it."""
        return await _take(
            request,
            reports,
            people,
            lambda actor: decisions.send_back(decision_id, reason=body.reason, actor=actor),
        )

    @router.post("/decisions/{decision_id}/overrides")
    async def override(
        request: Request, decision_id: PathKey, body: OverrideBody
    ) -> dict[str, Any]:
        """Decide otherwise than proposed, within the tier of whoever holds the token."""
        return await _take(
            request,
            reports,
            people,
            lambda actor: decisions.override(
                decision_id,
                change=body.build(),
                reason_code=body.reason_code,
                reason=body.reason,
                actor=actor,
            ),
        )


def _add_deputies(router: APIRouter, deputies: DeputyService) -> None:
    @router.get("/deputies")
    async def list_deputies() -> list[dict[str, Any]]:
        """List who stands or stood in for whom, the newest first."""
        return [build_deputy_object(one) for one in await asyncio.to_thread(deputies.list_deputies)]

    @router.post("/deputies", status_code=201)
    async def name_deputy(request: Request, body: DeputyBody) -> dict[str, Any]:
        """Name a deputy for the role of whoever holds the token."""
        actor: Principal = request.state.viewer
        named = await asyncio.to_thread(
            lambda: deputies.name(
                deputy=body.deputy, first_on=body.first_on, last_on=body.last_on, actor=actor
            )
        )
        return build_deputy_object(named)

    @router.post("/deputies/{deputy_id}/end")
    async def end_deputy(request: Request, deputy_id: PathKey, _body: Entry) -> dict[str, Any]:
        """End what the holder of the token has named."""
        actor: Principal = request.state.viewer
        ended = await asyncio.to_thread(lambda: deputies.end(deputy_id, actor=actor))
        return build_deputy_object(ended)


async def _take(
    request: Request,
    reports: DecisionReports,
    people: PeopleService,
    take: Callable[[Principal], DecisionRecord],
) -> dict[str, Any]:
    """Take a step and return the decision after it."""
    actor: Principal = request.state.viewer

    def run() -> dict[str, Any]:
        record = take(actor)
        return _show(request, reports, people, record.decision_id, Language.EN)

    return await asyncio.to_thread(run)


def _show(
    request: Request,
    reports: DecisionReports,
    people: PeopleService,
    decision_id: int,
    language: Language,
) -> dict[str, Any]:
    viewer: Principal = request.state.viewer
    view = reports.get(decision_id)
    check_access(people, viewer, Access(area=Area.CREDIT, target=f"decision {decision_id}"))
    has_peers = see_peers(people, viewer, decision_id)
    return build_decision_object(view, language=language, has_peers=has_peers)
