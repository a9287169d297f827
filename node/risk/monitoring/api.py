"""API of what watches risk: a customer's rules, alerts, signals, the watch list, actions, runs.

A run is begun by the schedule or by command. Of natural persons whom a role may not see nothing is
listed; of what rests on peers' words only who may see it hears.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.requests import Request

from node.assessment.policy_file import Language
from node.core.database import ID_MAX
from node.core.http.access import FindHidden
from node.core.http.pages import fill_page
from node.core.money import AMOUNT_MINOR_MAX
from node.records.api import Currency, Day, Entry, Key, PathKey, QueryKey, Reason
from node.records.tables import NAME_CHARS_MAX
from node.risk.alerts.rules_alert import AlertOutcome, AlertState
from node.risk.alerts.service import ALERTS_PAGE_MAX, AlertSelection
from node.risk.daily.service import CHANGES_PAGE_MAX, RUNS_MAX
from node.risk.monitoring.room import Monitoring
from node.risk.monitoring.view import (
    build_action_event_object,
    build_action_object,
    build_alert_event_object,
    build_alert_object,
    build_change_object,
    build_entry_object,
    build_judgement_object,
    build_run_object,
    build_watch_event_object,
    build_watch_object,
)
from node.risk.plans.rules_plan import ActionState, Money
from node.risk.plans.service import ACTIONS_PAGE_MAX, PROMISES_MAX, ActionSelection
from node.risk.plans.store import NewAction
from node.risk.policies.policy import PlanKind
from node.risk.rules_finding import RiskStatus
from node.risk.signals.service import NewSignal
from node.risk.watch.service import WATCH_PAGE_MAX

After = Annotated[int, Query(ge=0, le=ID_MAX)]
Amount = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MINOR_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
T = TypeVar("T")


class ReasonBody(Entry):
    """Why."""

    reason: Reason


class ClosingBody(Entry):
    """What came of an alert, and in words."""

    outcome: AlertOutcome
    reason: Reason


class SignalBody(Entry):
    """What a person has noticed."""

    signal: Annotated[str, Field(min_length=1, max_length=32)]
    happened_on: Day
    note: Reason


class ActionBody(Entry):
    """What is to be done by whom and when; instalments of a payment plan are promises."""

    kind: PlanKind
    owner: Name
    note: Reason
    due_on: Day | None = None
    alert: Key | None = None
    promises: Annotated[tuple[Key, ...], Field(max_length=PROMISES_MAX)] = ()


class OwnerBody(Entry):
    """Who does it from now on, and why."""

    owner: Name
    reason: Reason


class OutcomeBody(Entry):
    """What came of an action; amounts in minor units of the currency."""

    state: ActionState
    outcome: Reason
    currency: Currency | None = None
    saved_minor: Amount = 0
    lost_minor: Amount = 0

    def build_money(self) -> Money | None:
        """Return the amounts; None where no currency is named."""
        if self.currency is None:
            return None
        return Money(
            currency=self.currency, saved_minor=self.saved_minor, lost_minor=self.lost_minor
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What a caller may see; asking is recorded."""

    sees_peers: Callable[[Request], bool]
    find_hidden: FindHidden

    def fill(
        self,
        request: Request,
        read: Callable[[int, int], list[T]],
        *,
        whose: Callable[[T], int],
        cursor: Callable[[T], int],
        page: tuple[int, int],
    ) -> list[T]:
        """Return a page without what is of persons whom the caller may not see.

        ``read`` returns rows after a cursor; ``page`` is where it begins, and its most rows.
        """

        def leave_out(found: list[T]) -> list[T]:
            hidden = self.find_hidden(request, [whose(one) for one in found])
            return [one for one in found if whose(one) not in hidden]

        after, limit = page
        return fill_page(read, leave_out, cursor=cursor, start=after, limit=limit)


def build_monitoring_router(
    monitoring: Monitoring,
    *,
    sees_peers: Callable[[Request], bool],
    find_hidden: FindHidden,
    route_class: type[APIRoute] = APIRoute,
) -> APIRouter:
    """Return the routes; ``sees_peers`` tells and records whether peers' words may be shown.

    ``find_hidden`` returns those among some customers who may not be.
    """
    router = APIRouter(tags=["risk"], route_class=route_class)
    sight = _Sight(sees_peers=sees_peers, find_hidden=find_hidden)
    _add_customers(router, monitoring, sight)
    _add_runs(router, monitoring, sight)
    _add_alerts(router, monitoring, sight)
    _add_watch(router, monitoring, sight)
    _add_actions(router, monitoring, sight)
    return router


def _add_customers(router: APIRouter, monitoring: Monitoring, sight: _Sight) -> None:
    @router.get("/customers/{customer_id}/risk")
    async def judge(
        request: Request,
        customer_id: PathKey,
        as_of: Day | None = None,
        language: Language = Language.EN,
    ) -> dict[str, Any]:
        """Judge a customer now: every rule in its order with its figures, and the signals."""

        def read() -> dict[str, Any]:
            judgement = monitoring.runs.judge(customer_id, as_of=as_of)
            shows_peers = sight.sees_peers(request)
            return build_judgement_object(judgement, language=language, shows_peers=shows_peers)

        return await asyncio.to_thread(read)

    @router.get("/customers/{customer_id}/risk-signals")
    async def list_signals(
        customer_id: PathKey, language: Language = Language.EN
    ) -> list[dict[str, Any]]:
        """List what persons have entered of a customer, what was taken back too."""

        def read() -> list[dict[str, Any]]:
            policy = monitoring.signals.get_policy()
            found = monitoring.signals.list_of(customer_id)
            return [build_entry_object(one, language=language, policy=policy) for one in found]

        return await asyncio.to_thread(read)

    @router.post("/customers/{customer_id}/risk-signals", status_code=201)
    async def enter_signal(customer_id: PathKey, body: SignalBody) -> dict[str, int]:
        """Enter a signal that no record shows; it counts from the next run on."""
        new = NewSignal(
            customer_id=customer_id,
            signal=body.signal,
            happened_on=body.happened_on,
            note=body.note,
        )
        return {"id": await asyncio.to_thread(lambda: monitoring.signals.enter(new, by=body.by))}

    @router.post("/risk-signals/{signal_id}/end")
    async def end_signal(signal_id: PathKey, body: ReasonBody) -> dict[str, int]:
        """Take a signal back: it counts no longer."""
        await asyncio.to_thread(
            lambda: monitoring.signals.end(signal_id, reason=body.reason, by=body.by)
        )
        return {"id": signal_id}


def _add_runs(router: APIRouter, monitoring: Monitoring, sight: _Sight) -> None:
    @router.get("/risk-runs")
    async def list_runs(
        limit: Annotated[int, Query(ge=1, le=RUNS_MAX)] = 50,
    ) -> list[dict[str, Any]]:
        """List the newest runs."""
        runs = monitoring.runs
        found = await asyncio.to_thread(lambda: runs.list_runs(limit=limit))
        return [build_run_object(one, state=runs.state_of(one).value) for one in found]

    @router.get("/risk-changes")
    async def list_changes(
        request: Request,
        *,
        run: QueryKey = None,
        customer: QueryKey = None,
        after: After = 0,
        limit: Annotated[int, Query(ge=1, le=CHANGES_PAGE_MAX)] = 100,
        language: Language = Language.EN,
    ) -> list[dict[str, Any]]:
        """List what runs have changed and why, in its order."""

        def read() -> list[dict[str, Any]]:
            shows_peers = sight.sees_peers(request)
            shown = sight.fill(
                request,
                lambda at, count: monitoring.runs.list_changes(
                    shows_peers=shows_peers,
                    run_id=run,
                    customer_id=customer,
                    after=at,
                    limit=count,
                ),
                whose=lambda one: one.change.customer_id,
                cursor=lambda one: one.change_id,
                page=(after, limit),
            )
            return [build_change_object(one, language=language) for one in shown]

        return await asyncio.to_thread(read)


def _add_alerts(router: APIRouter, monitoring: Monitoring, sight: _Sight) -> None:
    @router.get("/risk-alerts")
    async def list_alerts(
        request: Request,
        *,
        state: Annotated[list[AlertState] | None, Query()] = None,
        status: Annotated[list[RiskStatus] | None, Query()] = None,
        after: After = 0,
        limit: Annotated[int, Query(ge=1, le=ALERTS_PAGE_MAX)] = 100,
        language: Language = Language.EN,
    ) -> list[dict[str, Any]]:
        """List alerts, open ones unless told otherwise, each with source and evidence."""
        selection = AlertSelection(
            states=frozenset(state or [AlertState.OPEN]),
            statuses=frozenset(status or RiskStatus),
        )

        def read() -> list[dict[str, Any]]:
            shows_peers = sight.sees_peers(request)
            shown = sight.fill(
                request,
                lambda at, count: monitoring.alerts.list_alerts(
                    replace(selection, after=at, limit=count), shows_peers=shows_peers
                ),
                whose=lambda one: one.customer_id,
                cursor=lambda one: one.alert_id,
                page=(after, limit),
            )
            policy = monitoring.signals.get_policy()
            return [build_alert_object(one, language=language, policy=policy) for one in shown]

        return await asyncio.to_thread(read)

    @router.get("/risk-alerts/{alert_id}/events")
    async def list_events(
        request: Request, alert_id: PathKey, language: Language = Language.EN
    ) -> list[dict[str, Any]]:
        """Return what happened to an alert."""

        def read() -> list[dict[str, Any]]:
            found = monitoring.alerts.list_events(alert_id, shows_peers=sight.sees_peers(request))
            return [build_alert_event_object(one, language=language) for one in found]

        return await asyncio.to_thread(read)

    @router.post("/risk-alerts/{alert_id}/closing")
    async def close(request: Request, alert_id: PathKey, body: ClosingBody) -> dict[str, Any]:
        """Close an alert; it opens again where its cause gets worse or comes back."""

        def enter() -> dict[str, Any]:
            closed = monitoring.alerts.close(
                alert_id,
                outcome=body.outcome,
                reason=body.reason,
                by=body.by,
                shows_peers=sight.sees_peers(request),
            )
            policy = monitoring.signals.get_policy()
            return build_alert_object(closed, language=Language.EN, policy=policy)

        return await asyncio.to_thread(enter)


def _add_watch(router: APIRouter, monitoring: Monitoring, sight: _Sight) -> None:
    @router.get("/watch-list")
    async def list_watched(
        request: Request,
        *,
        due: bool = False,
        after: After = 0,
        limit: Annotated[int, Query(ge=1, le=WATCH_PAGE_MAX)] = 100,
    ) -> list[dict[str, Any]]:
        """List who is watched in the order of entry; with ``due`` whose review is due."""

        def read() -> list[dict[str, Any]]:
            shown = sight.fill(
                request,
                lambda at, count: monitoring.watch.list_watched(after=at, limit=count, is_due=due),
                whose=lambda one: one.customer_id,
                cursor=lambda one: one.watch_id,
                page=(after, limit),
            )
            shows_peers = sight.sees_peers(request)
            return [build_watch_object(one, shows_peers=shows_peers) for one in shown]

        return await asyncio.to_thread(read)

    @router.get("/customers/{customer_id}/watch")
    async def list_histories(request: Request, customer_id: PathKey) -> list[dict[str, Any]]:
        """Return every stay of a customer on the list with its history."""

        def read() -> list[dict[str, Any]]:
            shows_peers = sight.sees_peers(request)
            return [
                build_watch_object(one.record, shows_peers=shows_peers)
                | {
                    "events": [
                        build_watch_event_object(
                            each, is_hidden=one.record.is_of_peers and not shows_peers
                        )
                        for each in one.events
                    ]
                }
                for one in monitoring.watch.list_histories(customer_id)
            ]

        return await asyncio.to_thread(read)

    @router.post("/customers/{customer_id}/watch", status_code=201)
    async def enter_watch(customer_id: PathKey, body: ReasonBody) -> dict[str, int]:
        """Put a customer on the watch list."""
        watch_id = await asyncio.to_thread(
            lambda: monitoring.watch.enter(customer_id, reason=body.reason, by=body.by)
        )
        return {"id": watch_id}

    @router.post("/watch-list/{watch_id}/reviews")
    async def review(watch_id: PathKey, body: ReasonBody) -> dict[str, str]:
        """Enter that somebody has looked; the answer names the next day."""
        next_on = await asyncio.to_thread(
            lambda: monitoring.watch.review(watch_id, reason=body.reason, by=body.by)
        )
        return {"review_on": next_on.isoformat()}

    @router.post("/watch-list/{watch_id}/leaving")
    async def leave(watch_id: PathKey, body: ReasonBody) -> dict[str, int]:
        """Take a customer off the list, once an action of this time is closed."""
        await asyncio.to_thread(
            lambda: monitoring.watch.leave(watch_id, reason=body.reason, by=body.by)
        )
        return {"id": watch_id}


def _add_actions(router: APIRouter, monitoring: Monitoring, sight: _Sight) -> None:
    @router.get("/risk-actions")
    async def list_actions(
        request: Request,
        *,
        state: Annotated[list[ActionState] | None, Query()] = None,
        overdue: bool = False,
        owner: Annotated[str | None, Query(max_length=NAME_CHARS_MAX)] = None,
        after: After = 0,
        limit: Annotated[int, Query(ge=1, le=ACTIONS_PAGE_MAX)] = 100,
        language: Language = Language.EN,
    ) -> list[dict[str, Any]]:
        """List actions in the order of entry, open ones unless told otherwise."""
        selection = ActionSelection(
            states=frozenset(state or [ActionState.OPEN]),
            is_overdue=overdue,
            owner=owner,
        )

        def read() -> list[dict[str, Any]]:
            shown = sight.fill(
                request,
                lambda at, count: monitoring.actions.list_actions(
                    replace(selection, after=at, limit=count)
                ),
                whose=lambda one: one.customer_id,
                cursor=lambda one: one.action_id,
                page=(after, limit),
            )
            policy = monitoring.signals.get_policy()
            return [build_action_object(one, language=language, policy=policy) for one in shown]

        return await asyncio.to_thread(read)

    @router.get("/risk-actions/{action_id}")
    async def get_action(action_id: PathKey, language: Language = Language.EN) -> dict[str, Any]:
        """Return an action with its history."""
        return await asyncio.to_thread(_show_action, monitoring, action_id, language)

    _add_action_entries(router, monitoring)


def _add_action_entries(router: APIRouter, monitoring: Monitoring) -> None:
    @router.post("/customers/{customer_id}/risk-actions", status_code=201)
    async def enter_action(customer_id: PathKey, body: ActionBody) -> dict[str, Any]:
        """Enter an action about a customer; without a day it is due on the last of its kind."""
        new = NewAction(
            customer_id=customer_id,
            kind=body.kind,
            owner=body.owner,
            due_on=monitoring.actions.today(),
            note=body.note,
            alert_id=body.alert,
            promises=body.promises,
        )

        def enter() -> dict[str, Any]:
            key = monitoring.actions.enter(new, by=body.by, due_on=body.due_on)
            return _show_action(monitoring, key, Language.EN)

        return await asyncio.to_thread(enter)

    @router.post("/risk-actions/{action_id}/owner")
    async def hand_over(action_id: PathKey, body: OwnerBody) -> dict[str, Any]:
        """Give an action another owner."""

        def enter() -> dict[str, Any]:
            monitoring.actions.hand_over(
                action_id, owner=body.owner, reason=body.reason, by=body.by
            )
            return _show_action(monitoring, action_id, Language.EN)

        return await asyncio.to_thread(enter)

    @router.post("/risk-actions/{action_id}/outcome")
    async def close_action(action_id: PathKey, body: OutcomeBody) -> dict[str, Any]:
        """Close an action with what came of it, and what was saved or lost."""

        def enter() -> dict[str, Any]:
            monitoring.actions.close(
                action_id,
                body.state,
                outcome=body.outcome,
                by=body.by,
                money=body.build_money(),
            )
            return _show_action(monitoring, action_id, Language.EN)

        return await asyncio.to_thread(enter)


def _show_action(monitoring: Monitoring, action_id: int, language: Language) -> dict[str, Any]:
    record, events = monitoring.actions.get(action_id)
    policy = monitoring.signals.get_policy()
    shown = build_action_object(record, language=language, policy=policy)
    return shown | {"events": [build_action_event_object(one) for one in events]}
