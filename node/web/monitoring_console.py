"""Pages of what watches risk: alerts, watch list and actions of all, and one customer's page.

What a person enters is entered on the customer's page. Each step names what it is about, and that
is looked up: whatever is not this customer's is not there.
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
from node.core.errors import ConflictError, NodeError, NotFoundError, RejectedError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.records.store import CustomerRecord
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX
from node.risk.alerts.rules_alert import AlertOutcome, AlertState
from node.risk.alerts.service import AlertSelection
from node.risk.monitoring.view import (
    build_action_object,
    build_alert_object,
    build_entry_object,
    build_judgement_object,
    build_watch_event_object,
    build_watch_object,
)
from node.risk.monitoring.words import say
from node.risk.plans.rules_plan import CLOSED_STATES, ActionState, Money
from node.risk.plans.service import ActionInvalidError, ActionSelection
from node.risk.plans.store import NewAction
from node.risk.policies.policy import PlanKind
from node.risk.signals.service import NewSignal
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.languages import choose_language
from node.web.page_access import Reaching
from node.web.typed import Typed

RISK_PATH = "/console/risk"
WATCH_PATH = f"{RISK_PATH}/watch"
ACTIONS_PATH = f"{RISK_PATH}/actions"
CUSTOMER_PATH = "/console/customers/{customer_id}/risk"
STEPS = ("signal", "signal-end", "watch", "review", "leave", "alert", "action", "outcome")
FORM_BYTES_MAX = 16_384
FORM_FIELDS_MAX = 16
ROWS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskListPage:
    """Alerts, stays on the watch list or actions; of persons who may not be seen their number."""

    title: str
    rows: tuple[dict[str, Any], ...]
    names: dict[int, str]
    hidden: int
    next_after: int | None
    today: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRiskPage:
    """One customer: rules, signals, alerts, watch list, actions, and what may be entered."""

    customer: CustomerRecord
    judged: dict[str, Any]
    alerts: tuple[dict[str, Any], ...]
    stays: tuple[dict[str, Any], ...]
    actions: tuple[dict[str, Any], ...]
    entries: tuple[dict[str, Any], ...]
    signals: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    outcomes: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...]
    words: Callable[[str, str], str]
    refused: NodeError | None = None


def build_monitoring_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Desk(local, render=render, parse_form=parse_form)
    return [
        page("GET", RISK_PATH, desk.list_alerts),
        page("GET", WATCH_PATH, desk.list_watched),
        page("GET", ACTIONS_PATH, desk.list_actions),
        page("GET", CUSTOMER_PATH, desk.show),
        *(page("POST", f"{CUSTOMER_PATH}/{step}", desk.build_step(step)) for step in STEPS),
    ]


class _Desk:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._monitoring = local.monitoring
        self._render = render
        self._parse_form = parse_form

    async def list_alerts(self, request: Request) -> Response:
        """Show open alerts."""
        language = choose_language(request)
        shows_peers = _shows_peers(request)
        selection = AlertSelection(
            states=frozenset({AlertState.OPEN}), limit=ROWS_MAX, after=_read_after(request)
        )

        def read() -> list[dict[str, Any]]:
            policy = self._monitoring.signals.get_policy()
            found = self._monitoring.alerts.list_alerts(selection, shows_peers=shows_peers)
            return [build_alert_object(one, language=language, policy=policy) for one in found]

        return await self._list(request, "risk_alerts.html", "risk.alerts", read)

    async def list_watched(self, request: Request) -> Response:
        """Show who is watched."""
        after, shows_peers = _read_after(request), _shows_peers(request)

        def read() -> list[dict[str, Any]]:
            found = self._monitoring.watch.list_watched(after=after, limit=ROWS_MAX)
            return [build_watch_object(one, shows_peers=shows_peers) for one in found]

        return await self._list(request, "risk_watch.html", "risk.watch", read)

    async def list_actions(self, request: Request) -> Response:
        """Show open actions."""
        language = choose_language(request)
        selection = ActionSelection(limit=ROWS_MAX, after=_read_after(request))

        def read() -> list[dict[str, Any]]:
            policy = self._monitoring.signals.get_policy()
            found = self._monitoring.actions.list_actions(selection)
            return [build_action_object(one, language=language, policy=policy) for one in found]

        return await self._list(request, "risk_actions.html", "risk.actions", read)

    async def _list(
        self,
        request: Request,
        template: str,
        title: str,
        read: Callable[[], list[dict[str, Any]]],
    ) -> Response:
        viewer: Principal = request.state.viewer
        page = await run_in_threadpool(self._read_list, viewer, request.url.path, title, read)
        return await self._render(request, template, page=page)

    def _read_list(
        self,
        viewer: Principal,
        path: str,
        title: str,
        read: Callable[[], list[dict[str, Any]]],
    ) -> RiskListPage:
        rows, reaching = read(), Reaching(viewer=viewer)
        keys = sorted({one["customer"] for one in rows})
        persons = self._local.portfolio.list_persons(among=keys)
        sees_persons = reaching.reads(Area.PERSONS)
        shown = [one for one in rows if sees_persons or one["customer"] not in persons]
        areas = {Area.CREDIT}
        areas |= {Area.PEERS} if reaching.reads(Area.PEERS) and shown else set()
        areas |= {Area.PERSONS} if sees_persons and persons else set()
        self._record(viewer, areas, path)
        names = {one["customer"]: "" for one in shown}
        for key in names:
            names[key] = self._local.records.get_customer(key).name
        return RiskListPage(
            title=title,
            rows=tuple(shown),
            names=names,
            hidden=len(rows) - len(shown),
            next_after=rows[-1]["id"] if len(rows) == ROWS_MAX else None,
            today=self._local.business_date().isoformat(),
        )

    async def show(self, request: Request) -> Response:
        """Show one customer."""
        return await self._show(request)

    async def _show(self, request: Request, *, refused: NodeError | None = None) -> Response:
        customer_id = parse_customer_id(request.path_params["customer_id"])
        language, shows_peers = choose_language(request), _shows_peers(request)
        viewer: Principal = request.state.viewer

        def read() -> CustomerRiskPage:
            page = self._read_customer(
                customer_id, language, shows_peers=shows_peers, refused=refused
            )
            areas = {Area.CREDIT} | ({Area.PEERS} if shows_peers else set())
            self._record(viewer, areas, f"customer {customer_id}")
            return page

        page = await run_in_threadpool(read)
        status = 200 if refused is None else status_of(refused)
        return await self._render(request, "risk_customer.html", status=status, page=page)

    def _read_customer(
        self, customer_id: int, language: Language, *, shows_peers: bool, refused: NodeError | None
    ) -> CustomerRiskPage:
        room = self._monitoring
        policy = room.signals.get_policy()
        judgement = room.runs.judge(customer_id)
        key = judgement.customer_id
        stays = [
            build_watch_object(one.record, shows_peers=shows_peers)
            | {
                "events": [
                    build_watch_event_object(
                        each, is_hidden=one.record.is_of_peers and not shows_peers
                    )
                    for each in one.events
                ]
            }
            for one in room.watch.list_histories(key)
        ]
        return CustomerRiskPage(
            customer=self._local.records.get_customer(key),
            judged=build_judgement_object(judgement, language=language, shows_peers=shows_peers),
            alerts=tuple(
                build_alert_object(one, language=language, policy=policy)
                for one in reversed(room.alerts.list_of(key, shows_peers=shows_peers))
            ),
            stays=tuple(stays),
            actions=tuple(
                build_action_object(one, language=language, policy=policy)
                for one in reversed(room.actions.list_of(key))
            ),
            entries=tuple(
                build_entry_object(one, language=language, policy=policy)
                for one in reversed(room.signals.list_of(key))
            ),
            signals=tuple(
                (one.id, one.names.render(language)) for one in policy.body.signals if one.is_manual
            ),
            kinds=tuple(
                (one.kind.value, one.names.render(language)) for one in policy.body.plans.kinds
            ),
            outcomes=tuple(
                (one.value, say("alert-outcome", one.value, language)) for one in AlertOutcome
            ),
            states=tuple(
                (one.value, say("action", one.value, language))
                for one in ActionState
                if one in CLOSED_STATES
            ),
            words=lambda kind, code: say(kind, code, language),
            refused=refused,
        )

    def build_step(self, step: str) -> Callable[[Request], Any]:
        """Return the handler of a step."""

        async def take(request: Request) -> Response:
            customer_id = parse_customer_id(request.path_params["customer_id"])
            body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
            typed = Typed(self._parse_form(body, fields_max=FORM_FIELDS_MAX))
            viewer: Principal = request.state.viewer
            shows_peers = _shows_peers(request)
            try:
                await run_in_threadpool(
                    lambda: self._take(
                        step, customer_id, typed, by=viewer.name, shows_peers=shows_peers
                    )
                )
            except NotFoundError:
                raise
            except (RejectedError, ConflictError) as err:
                return await self._show(request, refused=err)
            return RedirectResponse(f"/console/customers/{customer_id}/risk", status_code=303)

        return take

    def _take(
        self, step: str, customer_id: int, typed: Typed, *, by: str, shows_peers: bool
    ) -> None:
        room = self._monitoring
        reason = typed.raw("reason")
        match step:
            case "signal":
                room.signals.enter(_read_signal(typed, customer_id), by=by)
            case "signal-end":
                key = self._find(customer_id, "signal_id", typed)
                room.signals.end(key, reason=reason, by=by)
            case "watch":
                room.watch.enter(customer_id, reason=reason, by=by)
            case "review":
                key = self._find(customer_id, "watch_id", typed)
                room.watch.review(key, reason=reason, by=by)
            case "leave":
                key = self._find(customer_id, "watch_id", typed)
                room.watch.leave(key, reason=reason, by=by)
            case "alert":
                outcome = AlertOutcome(typed.choice("outcome", [one.value for one in AlertOutcome]))
                _check(typed)
                key = self._find(customer_id, "alert_id", typed)
                room.alerts.close(
                    key, outcome=outcome, reason=reason, by=by, shows_peers=shows_peers
                )
            case "action":
                new = self._read_action(typed, customer_id)
                due_on = typed.find_day("due_on")
                _check(typed)
                room.actions.enter(new, by=by, due_on=due_on)
            case _:
                state = ActionState(typed.choice("state", [one.value for one in CLOSED_STATES]))
                money = _read_money(typed)
                _check(typed)
                key = self._find(customer_id, "action_id", typed)
                room.actions.close(key, state, outcome=reason, by=by, money=money)

    def _find(self, customer_id: int, name: str, typed: Typed) -> int:
        """Return the key that a form names; what is not this customer's is not there."""
        key = parse_key(typed.raw(name))
        if key is None or self._monitoring.owners[name](key) != customer_id:
            raise NotFoundError("there is no such thing of this customer")
        return key

    def _read_action(self, typed: Typed, customer_id: int) -> NewAction:
        promises = [parse_key(one) for one in typed.raw("promises").replace(",", " ").split()]
        if None in promises:
            typed.refuse("promises", "typed.gone")
        return NewAction(
            customer_id=customer_id,
            kind=PlanKind(typed.choice("kind", [one.value for one in PlanKind])),
            owner=typed.text("owner", chars_max=NAME_CHARS_MAX),
            due_on=self._monitoring.actions.today(),
            note=typed.text("note", chars_max=REASON_CHARS_MAX),
            promises=tuple(one for one in promises if one is not None),
        )

    def _record(self, viewer: Principal, areas: set[Area], target: str) -> None:
        for area in sorted(areas):
            check_access(self._local.people, viewer, Access(area=area, target=target))


def _shows_peers(request: Request) -> bool:
    return Reaching(viewer=request.state.viewer).reads(Area.PEERS)


def _read_after(request: Request) -> int:
    return parse_key(request.query_params.get("after", "")) or 0


def _read_signal(typed: Typed, customer_id: int) -> NewSignal:
    new = NewSignal(
        customer_id=customer_id,
        signal=typed.raw("signal"),
        happened_on=typed.day("happened_on"),
        note=typed.text("note", chars_max=REASON_CHARS_MAX),
    )
    _check(typed)
    return new


def _read_money(typed: Typed) -> Money | None:
    if not typed.raw("saved") and not typed.raw("lost"):
        return None
    currency = typed.currency("currency")
    amounts = {
        name: typed.money(name, currency=currency) if typed.raw(name) else 0
        for name in ("saved", "lost")
    }
    return Money(currency=currency, saved_minor=amounts["saved"], lost_minor=amounts["lost"])


def _check(typed: Typed) -> None:
    """Check that everything that was typed could be read.

    Raises:
        ActionInvalidError: Something could not be.
    """
    if typed.errors:
        raise ActionInvalidError(f"cannot be read: {', '.join(typed.errors)}")
