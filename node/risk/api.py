"""API of risk: check orders, look what is held, release it; exposures, limits, stops.

An ERP checks orders with any token that enters orders; limits and exposures are shown only to whom
credit may be shown. A person releases and approves with a token of his own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.requests import Request

from node.core.database import ID_MAX
from node.core.http.access import FindHidden
from node.core.http.pages import fill_page
from node.core.people.areas import Access, Area, may_access
from node.core.people.service import Principal
from node.decision.api import act_as
from node.decision.tables import KEY_CHARS_MAX
from node.records.api import (
    Currency,
    Day,
    Entry,
    Key,
    KnownAt,
    Minor,
    PathKey,
    QueryKey,
    Reason,
    Reference,
)
from node.records.tables import SOURCE_CHARS_MAX
from node.risk.checks.answer import build_exposure_object
from node.risk.checks.releasing import (
    QUEUE_PAGE_MAX,
    HeldOrder,
    ReleaseService,
    ReleaseWish,
)
from node.risk.checks.request import CheckRequest
from node.risk.checks.rules_check import CheckPoint
from node.risk.checks.service import OrderCheckService
from node.risk.checks.view import list_heads, show_answer
from node.risk.errors import RiskInvalidError
from node.risk.exposure.reading import ExposureService
from node.risk.limits.rules_limits import LimitEntry, LimitKind
from node.risk.limits.service import WAITING_MAX, LimitService, NewLimit
from node.risk.orders.rules_order import OrderEvent
from node.risk.orders.service import OrderService, Taking
from node.risk.view import (
    build_entry_object,
    build_held_object,
    build_limits_object,
    build_order_object,
    build_stop_object,
)
from node.risk.withheld import find_withheld

DAYS_MAX = 366
Amount = Annotated[int, Field(strict=True, ge=0, le=10**15)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=KEY_CHARS_MAX)]
After = Annotated[int, Query(ge=0, le=ID_MAX)]


class CheckBody(Entry):
    """What is checked: amounts in minor units of the currency.

    At a quote or an order the amount is all of it; at a delivery or an invoice what is delivered
    or invoiced now. A delivery counts once under its number; 0 says that it did not go after all.
    """

    point: CheckPoint
    customer: Key
    number: Reference
    source: Annotated[str, Field(min_length=1, max_length=SOURCE_CHARS_MAX)] = "manual"
    currency: Currency
    amount_minor: Amount
    prepaid_minor: Amount = 0
    deliver_on: Day | None = None
    copied_from: Reference | None = None
    delivery: Reference | None = None

    def build(self) -> CheckRequest:
        """Return the request."""
        return CheckRequest(
            point=self.point,
            customer_id=self.customer,
            number=self.number,
            source=self.source,
            currency=self.currency,
            amount_minor=self.amount_minor,
            prepaid_minor=self.prepaid_minor,
            deliver_on=self.deliver_on,
            copied_from=self.copied_from,
            delivery=self.delivery,
        )


class OrderEndBody(Entry):
    """How an order ends, and why."""

    event: Literal["closed", "cancelled"]
    reason: Reason


class TakingBody(Entry):
    """A delivery, or a line of an invoice, and how much of the order it is for."""

    amount_minor: Minor
    delivery: Key | None = None
    item: Key | None = None


class CancelBody(Entry):
    """Which delivery did not go, by its number or else the key of its check, and why."""

    delivery: Annotated[str, Field(min_length=1, max_length=KEY_CHARS_MAX)]
    reason: Reason


class AskBody(Entry):
    """Why an order should be released."""

    reason: Reason


class ReleaseBody(Entry):
    """Why an order is released, by a code of the rules and in words, and for how many days."""

    reason_code: Annotated[str, Field(min_length=1, max_length=32)]
    reason: Reason
    days: Annotated[int, Field(strict=True, ge=1, le=DAYS_MAX)] = 14


class LimitBody(Entry):
    """A temporary limit, or the cap of the group below the customer."""

    kind: Literal["temporary", "group-cap"]
    currency: Currency
    amount_minor: Amount
    first_on: Day
    last_on: Day | None = None
    reason: Reason


class EndBody(Entry):
    """Why something ends."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFaces:
    """The services of the room, as its routes and commands take them."""

    checks: OrderCheckService
    releases: ReleaseService
    orders: OrderService
    limits: LimitService
    exposures: ExposureService
    today: Callable[[], date]
    owners: Mapping[str, Callable[[int], int | None]]
    """By the names in addresses: whose an order, limit, stop or entry apart is."""


def build_risk_router(
    faces: RiskFaces, *, find_hidden: FindHidden, route_class: type[APIRoute] = APIRoute
) -> APIRouter:
    """Return the routes; ``find_hidden`` returns those among customers who may not be shown."""
    router = APIRouter(tags=["risk"], route_class=route_class)
    _add_check(router, faces, find_hidden=find_hidden)
    _add_orders(router, faces.orders, find_hidden=find_hidden)
    _add_holds(router, faces, find_hidden=find_hidden)
    _add_exposures(router, faces, find_hidden=find_hidden)
    _add_limits(router, faces.limits, find_hidden=find_hidden)
    _add_stops(router, faces.limits)
    return router


def sees_credit(request: Request) -> bool:
    """Tell whether limits and exposures may be shown to whoever asks."""
    return may_access(request.state.viewer, Access(area=Area.CREDIT, target=""))


def _add_check(router: APIRouter, faces: RiskFaces, *, find_hidden: FindHidden) -> None:
    @router.post("/orders/check")
    async def check_order(
        request: Request, body: CheckBody, idempotency_key: IdempotencyKey = None
    ) -> dict[str, Any]:
        """Check a quote, an order, a delivery or an invoice; an order that may go on is reserved.

        Without an Idempotency-Key only a quote is checked; the same key of the same order is the
        same answer.
        """
        if idempotency_key is None and body.point is not CheckPoint.QUOTE:
            raise RiskInvalidError("an Idempotency-Key is needed: a retry must not be a new check")
        key = idempotency_key or "quote"
        answer = await asyncio.to_thread(
            lambda: faces.checks.check(body.build(), key=key, by=body.by)
        )
        has_figures = sees_credit(request)
        heads = list_heads(answer) if has_figures else []
        hidden, blurred = await asyncio.to_thread(
            find_withheld, request, heads, exposures=faces.exposures, find_hidden=find_hidden
        )
        return show_answer(answer, has_figures=has_figures, hidden=hidden, blurred=blurred)


def _add_orders(router: APIRouter, orders: OrderService, *, find_hidden: FindHidden) -> None:
    @router.get("/customers/{customer_id}/orders")
    async def list_orders(customer_id: PathKey, as_of: Day | None = None) -> list[dict[str, Any]]:
        """List a customer's orders as they stood on a day, by entry."""
        found = await asyncio.to_thread(lambda: orders.list_of(customer_id, as_of=as_of))
        return [build_order_object(one) for one in found]

    @router.get("/orders/{order_id}")
    async def get_order(request: Request, order_id: PathKey) -> dict[str, Any]:
        """Return an order with everything that happened to it.

        Versions in which it was a natural person's, who may not be seen, are left out; it is said
        how many they are.
        """

        def read() -> dict[str, Any]:
            versions = orders.get(order_id)
            hidden = find_hidden(request, [one.content.customer_id for one in versions])
            history = [
                build_order_object(one) for one in versions if one.content.customer_id not in hidden
            ]
            left_out = len(versions) - len(history)
            return build_order_object(versions[-1]) | {"versions": history, "left_out": left_out}

        return await asyncio.to_thread(read)

    @router.post("/orders/{order_id}/end")
    async def end_order(order_id: PathKey, body: OrderEndBody) -> dict[str, Any]:
        """Close an order, of which nothing more is delivered, or cancel it."""
        ended = await asyncio.to_thread(
            lambda: orders.end(order_id, OrderEvent(body.event), reason=body.reason, by=body.by)
        )
        return build_order_object(ended)

    @router.post("/orders/{order_id}/takings", status_code=201)
    async def take(order_id: PathKey, body: TakingBody) -> dict[str, Any]:
        """Say that a delivery, or a line of an invoice, is of an order: it takes it off."""
        taking = Taking(amount_minor=body.amount_minor, paper_id=body.delivery, item_id=body.item)
        taken = await asyncio.to_thread(lambda: orders.take(order_id, taking, by=body.by))
        return build_order_object(taken)

    @router.post("/orders/{order_id}/delivery-cancellations", status_code=201)
    async def cancel_delivery(
        request: Request, order_id: PathKey, body: CancelBody
    ) -> dict[str, Any]:
        """Say, in the name of the token, that a delivery which was let through did not go."""
        actor: Principal = request.state.viewer
        return build_order_object(
            await asyncio.to_thread(
                lambda: orders.cancel_delivery(
                    order_id, body.delivery, reason=body.reason, actor=actor
                )
            )
        )

    @router.post("/orders/{order_id}/takings/{taking_id}/end")
    async def end_taking(order_id: PathKey, taking_id: PathKey, body: Entry) -> dict[str, Any]:
        """Say that what took from an order was entered wrong."""
        ended = await asyncio.to_thread(lambda: orders.end_taking(order_id, taking_id, by=body.by))
        return build_order_object(ended)


def _add_holds(router: APIRouter, faces: RiskFaces, *, find_hidden: FindHidden) -> None:
    releases = faces.releases

    def leave_out(request: Request, found: list[HeldOrder]) -> list[HeldOrder]:
        hidden = find_hidden(request, [one.customer_id for one in found])
        return [one for one in found if one.customer_id not in hidden]

    def show(request: Request, held: HeldOrder, *, has_figures: bool) -> dict[str, Any]:
        heads = list_heads(held.answer) if held.answer and has_figures else []
        hidden, blurred = find_withheld(
            request, heads, exposures=faces.exposures, find_hidden=find_hidden
        )
        return build_held_object(held, has_figures=has_figures, hidden=hidden, blurred=blurred)

    @router.get("/order-holds")
    async def list_holds(
        request: Request,
        *,
        limit: Annotated[int, Query(ge=1, le=QUEUE_PAGE_MAX)] = 50,
        after: After = 0,
    ) -> list[dict[str, Any]]:
        """List what is held by the key of the order; ``after`` is the last one of the page before.

        Natural persons, who may not be seen, are left out.
        """

        def read() -> list[dict[str, Any]]:
            shown = fill_page(
                lambda at, count: releases.list_held(limit=count, after=at),
                lambda found: leave_out(request, found),
                cursor=lambda one: one.order.order_id,
                start=after,
                limit=limit,
            )
            return [show(request, one, has_figures=sees_credit(request)) for one in shown]

        return await asyncio.to_thread(read)

    @router.post("/orders/{order_id}/release-requests", status_code=201)
    async def ask_release(request: Request, order_id: PathKey, body: AskBody) -> dict[str, Any]:
        """Ask for the release of an order; sales may."""
        return await asyncio.to_thread(
            lambda: show(
                request,
                releases.ask(order_id, reason=body.reason, by=body.by),
                has_figures=sees_credit(request),
            )
        )

    @router.post("/orders/{order_id}/release")
    async def release_order(
        request: Request, order_id: PathKey, body: ReleaseBody
    ) -> dict[str, Any]:
        """Release an order in the name and with the role of the token."""
        actor: Principal = request.state.viewer
        wish = ReleaseWish(reason_code=body.reason_code, reason=body.reason, days=body.days)
        return await asyncio.to_thread(
            lambda: show(
                request,
                releases.release(order_id, wish=wish, actor=actor),
                has_figures=True,
            )
        )


def _add_exposures(router: APIRouter, faces: RiskFaces, *, find_hidden: FindHidden) -> None:
    @router.get("/customers/{customer_id}/exposure")
    async def read_exposure(
        request: Request,
        customer_id: PathKey,
        *,
        as_of: Day | None = None,
        currency: str | None = None,
        group: bool = False,
        disputed: bool | None = None,
        known_at_ms: KnownAt = None,
    ) -> dict[str, Any]:
        """Return the exposure to a customer or its group on a day, as known now or at a moment.

        Natural persons of the group, who may not be seen, are in no sum; it is said how many.
        """

        def read() -> dict[str, Any]:
            members = faces.exposures.list_group(customer_id) if group else []
            without = find_hidden(request, members) if members else frozenset()
            found = faces.exposures.read(
                customer_id,
                as_of=as_of or faces.today(),
                currency=currency,
                is_group=group,
                counts_disputed=disputed,
                known_at_ms=known_at_ms,
                without=without,
            )
            return build_exposure_object(found, left_out=len(without))

        return await asyncio.to_thread(read)

    @router.get("/customers/{customer_id}/limits")
    async def read_limits(
        request: Request,
        customer_id: PathKey,
        as_of: Day | None = None,
        known_at_ms: KnownAt = None,
    ) -> dict[str, Any]:
        """Return what bounds a customer on a day, and every limit that it had."""

        def read() -> dict[str, Any]:
            found = faces.limits.view(customer_id, as_of=as_of, known_at_ms=known_at_ms)
            hidden = find_hidden(request, [one.customer_id for one in found.caps])
            return build_limits_object(found, hidden=hidden)

        return await asyncio.to_thread(read)


def _add_limits(router: APIRouter, limits: LimitService, *, find_hidden: FindHidden) -> None:
    @router.post("/customers/{customer_id}/limits", status_code=201)
    async def request_limit(customer_id: PathKey, body: LimitBody) -> dict[str, Any]:
        """Ask for a temporary limit, or the cap of a group; somebody else approves it."""
        new = NewLimit(
            kind=LimitKind(body.kind),
            customer_id=customer_id,
            currency=body.currency,
            amount_minor=body.amount_minor,
            first_on=body.first_on,
            last_on=body.last_on,
            reason=body.reason,
        )
        entered = await asyncio.to_thread(lambda: limits.request(new, by=body.by))
        return build_entry_object(entered, on=limits.today())

    @router.get("/limit-requests")
    async def list_requests(
        request: Request,
        *,
        customer: QueryKey = None,
        limit: Annotated[int, Query(ge=1, le=WAITING_MAX)] = WAITING_MAX,
        after: After = 0,
    ) -> list[dict[str, Any]]:
        """List the limits that wait for an approval, what was asked for first at first.

        ``after`` is the last one of the page before. Natural persons, who may not be seen, are left
        out.
        """

        def leave_out(found: list[LimitEntry]) -> list[LimitEntry]:
            hidden = find_hidden(request, [one.customer_id for one in found])
            return [
                one
                for one in found
                if one.customer_id not in hidden and customer in {None, one.customer_id}
            ]

        def read() -> list[dict[str, Any]]:
            shown = fill_page(
                lambda at, count: limits.list_waiting(after=at, limit=count),
                leave_out,
                cursor=lambda one: one.entry_id,
                start=after,
                limit=limit,
            )
            return [build_entry_object(one, on=limits.today()) for one in shown]

        return await asyncio.to_thread(read)

    @router.post("/limits/{entry_id}/approval")
    async def approve_limit(request: Request, entry_id: PathKey, _body: Entry) -> dict[str, Any]:
        """Approve a limit in the name and with the role of the token."""
        actor: Principal = request.state.viewer
        approved = await asyncio.to_thread(lambda: limits.approve(entry_id, actor=actor))
        return build_entry_object(approved, on=limits.today())

    @router.post("/limits/{entry_id}/end")
    async def end_limit(request: Request, entry_id: PathKey, body: EndBody) -> dict[str, Any]:
        """Approve that a limit ends before its time; one that holds only with authority.

        ``waits_for`` is how many persons have still to approve.
        """
        actor = act_as(request.state.viewer, body.by)
        ended, waits_for = await asyncio.to_thread(
            lambda: limits.end(entry_id, reason=body.reason, actor=actor)
        )
        return build_entry_object(ended, on=limits.today()) | {"waits_for": waits_for}


def _add_stops(router: APIRouter, limits: LimitService) -> None:
    @router.post("/customers/{customer_id}/stops", status_code=201)
    async def stop_customer(customer_id: PathKey, body: EndBody) -> dict[str, Any]:
        """Stop a customer: nothing is sold to it until a person ends that."""
        stop = await asyncio.to_thread(
            lambda: limits.stop(customer_id, reason=body.reason, by=body.by)
        )
        return build_stop_object(stop)

    @router.post("/stops/{stop_id}/end")
    async def end_stop(request: Request, stop_id: PathKey, body: EndBody) -> dict[str, Any]:
        """Approve in the name and with the role of the token that a stop ends.

        ``waits_for`` is how many persons have still to approve.
        """
        actor: Principal = request.state.viewer
        stop, waits_for = await asyncio.to_thread(
            lambda: limits.end_stop(stop_id, reason=body.reason, actor=actor)
        )
        return build_stop_object(stop) | {"waits_for": waits_for}
