"""Pages of decisions: the queue of those who approve, and one decision with all that it rests on.

A form that is sent twice does nothing twice: a step is possible in one state only, and a second
proposal is refused while the first waits. Whoever decides is the person who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.assessment.policy_file import Language
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import ConflictError, ForbiddenError, NodeError, NotFoundError, RejectedError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal, Role
from node.decision.api import see_peers
from node.decision.asked import Asked
from node.decision.changing import TERMS_DAYS_MAX, Change
from node.decision.errors import DecisionInvalidError, DecisionNotFoundError
from node.decision.evidence import Wish
from node.decision.policy import BuyerKind, Monitoring, OverrideReason, Security
from node.decision.record import DecisionRecord
from node.decision.reports import DecisionView
from node.decision.rules_state import DecisionState, EventKind, find_next_state
from node.decision.view import build_decision_object, build_summary_object
from node.decision.wording import say
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.languages import choose_language
from node.web.override_console import find_override
from node.web.page_access import Reaching
from node.web.typed import Typed

QUEUE_PATH = "/console/decisions"
DECISION_PATH = f"{QUEUE_PATH}/{{decision_id}}"
FORM_BYTES_MAX = 16_384
FORM_FIELDS_MAX = 16
QUEUE_MAX = 200
PERMILLE_DECI = 10
_FILTERS = {
    "waiting": (DecisionState.SUBMITTED,),
    "open": (DecisionState.PROPOSED, DecisionState.RETURNED),
    "active": (DecisionState.ACTIVE,),
    "ended": (
        DecisionState.REJECTED,
        DecisionState.WITHDRAWN,
        DecisionState.EXPIRED,
        DecisionState.SUPERSEDED,
    ),
}
_STEPS = {
    "submit": EventKind.SUBMITTED,
    "approve": EventKind.APPROVAL,
    "reject": EventKind.REJECTED,
    "return": EventKind.RETURNED,
    "withdraw": EventKind.WITHDRAWN,
    "override": EventKind.OVERRIDDEN,
}
_VERDICTS = frozenset({"approve", "reject", "return", "override"})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """Decisions of some states, the newest first."""

    chosen: str
    filters: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    words: Callable[[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage:
    """One decision, what may be done with it by whom is signed in, and why it was refused."""

    shown: dict[str, Any]
    given: dict[str, Any] | None
    """The grade that a person had given when it was proposed, as it stands today."""
    steps: frozenset[str]
    is_operator: bool
    is_person: bool
    reasons: tuple[tuple[str, str], ...]
    grades: tuple[str, ...]
    securities: tuple[str, ...]
    monitorings: tuple[str, ...]
    words: Callable[[str, str], str]
    share: Callable[[int], str]
    refused: NodeError | None = None


def build_decision_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Decisions(local, render=render, parse_form=parse_form)
    return [
        page("GET", QUEUE_PATH, desk.list_decisions),
        page("GET", DECISION_PATH, desk.show),
        page("POST", "/console/customers/{customer_id}/decisions", desk.propose),
        *(page("POST", f"{DECISION_PATH}/{step}", desk.build_step(step)) for step in _STEPS),
    ]


class _Decisions:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form

    async def list_decisions(self, request: Request) -> Response:
        """Show the decisions that wait for approval, or others."""
        language = choose_language(request)
        asked = request.query_params.get("show", "")
        chosen = asked if asked in _FILTERS else "waiting"
        viewer: Principal = request.state.viewer
        reaching = Reaching(viewer=viewer)
        has_persons, has_peers = reaching.reads(Area.PERSONS), reaching.reads(Area.PEERS)
        views = await run_in_threadpool(
            lambda: self._local.decision_reports.list_decisions(
                states=_FILTERS[chosen], has_persons=has_persons, limit=QUEUE_MAX
            )
        )
        areas = {Area.CREDIT} | ({Area.PERSONS} if any(one.is_person for one in views) else set())
        await run_in_threadpool(self._record, viewer, areas, request.url.path)
        queue = QueuePage(
            chosen=chosen,
            filters=tuple(_FILTERS),
            rows=tuple(
                build_summary_object(one, language=language, has_peers=has_peers) for one in views
            ),
            words=lambda kind, code: say(kind, code, language),
        )
        return await self._render(request, "decisions.html", page=queue)

    async def show(self, request: Request) -> Response:
        """Show one decision."""
        return await self._show(request, _parse_decision_id(request))

    async def propose(self, request: Request) -> Response:
        """Propose a decision as the form of the customer's page asks, and lead to it."""
        customer_id = parse_customer_id(request.path_params["customer_id"])
        typed = await self._read(request)
        viewer: Principal = request.state.viewer
        asked = _read_asked(typed)
        if typed.errors:
            raise DecisionInvalidError(f"cannot be read: {', '.join(typed.errors)}")
        record = await run_in_threadpool(
            lambda: self._local.decisions.propose(customer_id, asked=asked, by=viewer.name)
        )
        return _lead_to(record.decision_id)

    def build_step(self, step: str) -> Callable[[Request], Any]:
        """Return the handler of a step."""

        async def take(request: Request) -> Response:
            decision_id = _parse_decision_id(request)
            typed = await self._read(request)
            viewer: Principal = request.state.viewer
            try:
                await run_in_threadpool(self._take, step, decision_id, typed, viewer)
            except NotFoundError:
                raise
            except (RejectedError, ConflictError, ForbiddenError) as err:
                return await self._show(request, decision_id, refused=err)
            return _lead_to(decision_id)

        return take

    def _take(self, step: str, decision_id: int, typed: Typed, viewer: Principal) -> DecisionRecord:
        decisions = self._local.decisions
        if step == "submit":
            return decisions.submit(decision_id, by=viewer.name)
        if step == "approve":
            return decisions.approve(
                decision_id,
                actor=viewer,
                version=_read_version(typed),
                comment=typed.raw("comment"),
                human_review=typed.raw("human_review") or None,
            )
        reason = typed.raw("reason")
        if step == "override":
            currency = self._local.decision_reports.get(decision_id).record.content.currency
            change = _read_change(typed, currency=currency)
            if typed.errors:
                raise DecisionInvalidError(f"cannot be read: {', '.join(typed.errors)}")
            code = typed.raw("reason_code")
            return decisions.override(
                decision_id, change=change, reason_code=code, reason=reason, actor=viewer
            )
        verdict = {
            "reject": decisions.reject,
            "return": decisions.send_back,
            "withdraw": decisions.withdraw,
        }[step]
        return verdict(decision_id, reason=reason, actor=viewer)

    async def _show(
        self, request: Request, decision_id: int, *, refused: NodeError | None = None
    ) -> Response:
        language = choose_language(request)
        viewer: Principal = request.state.viewer
        page = await run_in_threadpool(self._read_page, decision_id, viewer, language, refused)
        status = 200 if refused is None else status_of(refused)
        return await self._render(request, "decision.html", status=status, page=page)

    def _read_page(
        self, decision_id: int, viewer: Principal, language: Language, refused: NodeError | None
    ) -> DecisionPage:
        view = self._local.decision_reports.get(decision_id)
        self._record(viewer, {Area.CREDIT}, f"decision {decision_id}")
        has_peers = see_peers(self._local.people, viewer, decision_id)
        enters = Reaching(viewer=viewer).enters(Area.CREDIT)
        reasons = view.policy.body.override_reasons
        rated = view.record.kept.rated
        return DecisionPage(
            shown=build_decision_object(view, language=language, has_peers=has_peers),
            given=find_override(
                self._local,
                None if rated is None else rated.override_id,
                language=language,
                has_peers=has_peers,
            ),
            steps=_list_steps(view, viewer) if enters else frozenset(),
            is_operator=viewer.role is Role.OPERATOR,
            is_person=view.is_person,
            reasons=tuple(_name_reason(one, language) for one in reasons),
            grades=tuple(one.grade for one in view.policy.body.grades),
            securities=tuple(one.value for one in Security),
            monitorings=tuple(one.value for one in Monitoring),
            words=lambda kind, code: say(kind, code, language),
            share=_say_share,
            refused=refused,
        )

    def _record(self, viewer: Principal, areas: set[Area], target: str) -> None:
        for area in sorted(areas):
            check_access(self._local.people, viewer, Access(area=area, target=target))

    async def _read(self, request: Request) -> Typed:
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        return Typed(self._parse_form(body, fields_max=FORM_FIELDS_MAX))


def _parse_decision_id(request: Request) -> int:
    key = parse_key(request.path_params["decision_id"])
    if key is None:
        raise DecisionNotFoundError("there is no such decision")
    return key


def _read_version(typed: Typed) -> int | None:
    """Return the version that the form showed; what is none matches none."""
    text = typed.raw("version")
    return (parse_key(text) or 0) if text else None


def _lead_to(decision_id: int) -> Response:
    return RedirectResponse(f"{QUEUE_PATH}/{decision_id}", status_code=303)


def _list_steps(view: DecisionView, viewer: Principal) -> frozenset[str]:
    """Return the steps that are possible now; the verdicts are for persons."""
    possible = {
        step for step, kind in _STEPS.items() if find_next_state(view.state, kind) is not None
    }
    if viewer.role is Role.OPERATOR:
        possible -= _VERDICTS
        if view.state is DecisionState.ACTIVE:
            possible.discard("withdraw")
    return frozenset(possible)


def _read_asked(typed: Typed) -> Asked:
    currency = typed.currency("currency")
    application_id = parse_key(typed.raw("application"))
    if application_id is None and typed.raw("application"):
        typed.refuse("application", "typed.gone")
    return Asked(
        application_id=application_id,
        wish=Wish(
            currency=currency,
            limit_minor=_find_money(typed, "limit", currency=currency),
            need_year_minor=_find_money(typed, "need", currency=currency),
        ),
        buyer=BuyerKind(typed.choice("buyer", [one.value for one in BuyerKind])),
        terms_days=typed.find_days("terms_days", days_max=TERMS_DAYS_MAX),
    )


def _read_change(typed: Typed, *, currency: str) -> Change:
    security, monitoring = typed.raw("security"), typed.raw("monitoring")
    return Change(
        grade=typed.raw("grade") or None,
        limit_minor=0
        if typed.raw("limit") == "0"
        else _find_money(typed, "limit", currency=currency),
        terms_days=typed.find_days("terms_days", days_max=TERMS_DAYS_MAX),
        security=Security(security) if security in set(Security) else None,
        monitoring=Monitoring(monitoring) if monitoring in set(Monitoring) else None,
        valid_until=typed.find_day("valid_until"),
        review_on=typed.find_day("review_on"),
        is_stopped=bool(typed.raw("is_stopped")),
    )


def _find_money(typed: Typed, name: str, *, currency: str) -> int | None:
    return typed.money(name, currency=currency) if typed.raw(name) else None


def _name_reason(one: OverrideReason, language: Language) -> tuple[str, str]:
    return one.code, one.names.render(language)


def _say_share(permille: int) -> str:
    return f"{permille // PERMILLE_DECI}.{permille % PERMILLE_DECI}\N{NO-BREAK SPACE}%"
