"""Pages of held orders: the queue, and one order with its check, releases and steps.

Sales sees what is held and why in kind, and asks; limits and exposures are shown to whom credit
is. A release is the service's: bound to the order, its amount and a little more, and to the tier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.assessment.policy_file import Language
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.http.pages import fill_page
from node.core.people.areas import Access, Area, check_access
from node.core.people.names import is_same_person
from node.records.store import CustomerRecord
from node.records.tables import REASON_CHARS_MAX
from node.risk.checks.answer import FIGURES
from node.risk.checks.releasing import HeldOrder, ReleaseWish
from node.risk.checks.view import list_heads, show_answer
from node.risk.checks.wording import find_words
from node.risk.errors import OrderNotFoundError
from node.risk.orders.rules_order import ENDED, OrderEvent, OrderState, SalesOrder
from node.risk.view import build_held_object, build_order_object
from node.risk.withheld import find_withheld
from node.web.authorisation import find_hidden
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.page_access import Reaching
from node.web.step_forms import NOTHING_SENT, Enter, Sent, StepForms, get_viewer
from node.web.typed import Typed

QUEUE_PATH = "/console/orders"
ORDER_PATH = f"{QUEUE_PATH}/{{order_id}}"
SHOWN_MAX = 50
DAYS_FIRST = 14
_OVER = {"R1": "over_minor", "R1-group": "over_minor"}
STEPS = ("ask", "release", "reject", "recheck")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One order of the queue; ``over`` is by how much, by the rules that say so."""

    shown: dict[str, Any]
    reasons: tuple[str, ...]
    over: tuple[tuple[str, int], ...]
    status: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldsPage:
    """A page of the queue."""

    lines: tuple[HeldLine, ...]
    has_figures: bool
    next_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPage:
    """One order; ``versions`` are all that it was, the newest first."""

    shown: dict[str, Any]
    customer: CustomerRecord
    check: dict[str, Any] | None
    figures: Mapping[str, Any] | None
    reasons: tuple[dict[str, Any], ...]
    versions: tuple[dict[str, Any], ...]
    left_out: int
    has_ended: bool
    is_maker: bool
    may_ask: bool
    may_release: bool
    codes: tuple[tuple[str, str], ...]
    days_max: int
    days_first: int
    over_text: str
    sent: Sent
    key: str


def build_holds_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, steps: StepForms
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Holds(local, render=render, steps=steps)
    reads = {
        "ask": desk.read_ask,
        "release": desk.read_release,
        "reject": desk.read_rejection,
        "recheck": desk.read_recheck,
    }
    return [
        page("GET", QUEUE_PATH, desk.list_held),
        page("GET", ORDER_PATH, desk.show),
        *(
            page(
                "POST", f"{ORDER_PATH}/{step}", steps.build(step, read=reads[step], show=desk.sent)
            )
            for step in STEPS
        ),
    ]


class _Holds:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, steps: StepForms) -> None:
        self._local = local
        self._risk = local.risk
        self._render = render
        self._steps = steps

    async def list_held(self, request: Request) -> Response:
        """Show the queue."""
        shown = await run_in_threadpool(self._read_queue, request)
        return await self._render(request, "holds.html", page=shown)

    async def show(self, request: Request) -> Response:
        """Show one order."""
        return await self.sent(request, NOTHING_SENT)

    async def sent(self, request: Request, sent: Sent) -> Response:
        """Show one order, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_one, request, sent)
        return await self._render(request, "hold.html", status=sent.status, page=shown)

    def read_ask(self, request: Request, typed: Typed) -> Enter:
        """Read why an order should be released."""
        order_id, by = _parse_order_id(request), get_viewer(request).name
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._risk.releases.ask(order_id, reason=reason, by=by)
            return _address(order_id)

        return enter

    def read_release(self, request: Request, typed: Typed) -> Enter:
        """Read why an order is released, and for how many days."""
        order_id, actor = _parse_order_id(request), get_viewer(request)
        terms = self._risk.releases.find_terms()
        days = typed.find_days("days", days_max=terms.release_days_max)
        if days is None:
            typed.refuse("days", "typed.empty")
        wish = ReleaseWish(
            reason_code=typed.choice("reason_code", terms.reason_codes),
            reason=typed.text("reason", chars_max=REASON_CHARS_MAX),
            days=1 if days is None else days,
            version=parse_key(typed.raw("version")),
        )

        def enter() -> str:
            self._risk.releases.release(order_id, wish=wish, actor=actor)
            return _address(order_id)

        return enter

    def read_rejection(self, request: Request, typed: Typed) -> Enter:
        """Read why an order is not released: it is cancelled."""
        order_id, by = _parse_order_id(request), get_viewer(request).name
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._risk.orders.end(order_id, OrderEvent.CANCELLED, reason=reason, by=by)
            return _address(order_id)

        return enter

    def read_recheck(self, request: Request, typed: Typed) -> Enter:
        """Read that an order is to be checked anew."""
        order_id, by = _parse_order_id(request), get_viewer(request).name
        _, _, nonce = typed.raw("key").partition(".")

        def enter() -> str:
            self._risk.checks.recheck(order_id, key=f"console {nonce[:32]}", by=by)
            return _address(order_id)

        return enter

    def _read_queue(self, request: Request) -> HoldsPage:
        language, has_figures = choose_language(request), self._sees_credit(request)
        after = parse_key(request.query_params.get("after", "")) or 0
        found = fill_page(
            lambda at, count: self._risk.releases.list_held(limit=count, after=at),
            partial(self._leave_out, request),
            cursor=lambda one: one.order.order_id,
            start=after,
            limit=SHOWN_MAX,
        )
        return HoldsPage(
            lines=tuple(
                self._build_line(request, one, language, has_figures=has_figures) for one in found
            ),
            has_figures=has_figures,
            next_after=found[-1].order.order_id if len(found) == SHOWN_MAX else None,
        )

    def _leave_out(self, request: Request, found: list[HeldOrder]) -> list[HeldOrder]:
        hidden = find_hidden(self._local, request, [one.customer_id for one in found])
        return [one for one in found if one.customer_id not in hidden]

    def _build_line(
        self, request: Request, held: HeldOrder, language: Language, *, has_figures: bool
    ) -> HeldLine:
        hidden, blurred = self._withhold(request, held)
        shown = build_held_object(held, has_figures=has_figures, hidden=hidden, blurred=blurred)
        over = [
            (str(one["values"]["currency"]), int(minor))
            for one in (() if shown["check"] is None else shown["check"]["reasons"])
            if has_figures
            and one["rule"] in _OVER
            and (minor := one["values"][_OVER[one["rule"]]]) is not None
        ]
        return HeldLine(
            shown=shown,
            reasons=_list_reasons(shown["check"], language),
            over=tuple(over),
            status="" if shown["check"] is None else shown["check"]["status_text"][language.value],
            since_ms=held.order.entered_at_ms
            if held.check is None or held.order.state is OrderState.HELD
            else held.check.entered_at_ms,
        )

    def _read_one(self, request: Request, sent: Sent) -> HoldPage:
        order_id, viewer = _parse_order_id(request), get_viewer(request)
        language, has_figures = choose_language(request), self._sees_credit(request)
        held = self._risk.releases.get(order_id)
        terms = self._risk.releases.find_terms()
        versions = self._risk.orders.get(order_id)
        hidden = find_hidden(self._local, request, [one.content.customer_id for one in versions])
        kept = [one for one in versions if one.content.customer_id not in hidden]
        check = None
        if held.check is not None:
            heads, blurred = self._withhold(request, held)
            check = show_answer(held.answer, has_figures=has_figures, hidden=heads, blurred=blurred)
        reaching = Reaching(viewer=viewer)
        return HoldPage(
            shown=build_held_object(held, has_figures=has_figures),
            customer=self._local.records.get_customer(held.customer_id),
            check=check,
            figures=None if check is None else check.get(FIGURES),
            reasons=()
            if check is None
            else tuple(_word(one, language) for one in check["reasons"]),
            versions=tuple(_build_version(one, language) for one in reversed(kept)),
            left_out=len(versions) - len(kept),
            has_ended=held.order.state in ENDED,
            is_maker=_is_maker(viewer.name, held, versions),
            may_ask=reaching.enters(Area.ORDERS),
            may_release=reaching.enters(Area.CREDIT),
            codes=tuple(
                (one, find_words(f"reason.{one}", language=language)) for one in terms.reason_codes
            ),
            days_max=terms.release_days_max,
            days_first=min(DAYS_FIRST, terms.release_days_max),
            over_text=f"{terms.release_over_permille // 10}.{terms.release_over_permille % 10}",
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _withhold(self, request: Request, held: HeldOrder) -> tuple[frozenset[int], frozenset[int]]:
        return find_withheld(
            request,
            list_heads(held.answer) if held.answer else [],
            exposures=self._risk.exposures,
            find_hidden=partial(find_hidden, self._local),
        )

    def _sees_credit(self, request: Request) -> bool:
        """Tell whether limits and exposures may be shown, and record it where they are."""
        viewer = get_viewer(request)
        if not Reaching(viewer=viewer).reads(Area.CREDIT):
            return False
        check_access(self._local.people, viewer, Access(area=Area.CREDIT, target=request.url.path))
        return True


def _list_reasons(check: Mapping[str, Any] | None, language: Language) -> tuple[str, ...]:
    if check is None:
        return ()
    return tuple(one["text"][language.value] for one in check["reasons"] if not one["is_excused"])


def _word(reason: Mapping[str, Any], language: Language) -> dict[str, Any]:
    return {
        "rule": reason["rule"],
        "status": reason["status"],
        "status_text": find_words(f"status.{reason['status']}", language=language),
        "is_excused": reason["is_excused"],
        "text": reason["text"][language.value],
    }


def _build_version(order: SalesOrder, language: Language) -> dict[str, Any]:
    state = find_words(f"state.{order.state.value}", language=language)
    return build_order_object(order) | {"state_text": state}


def _is_maker(name: str, held: HeldOrder, versions: tuple[SalesOrder, ...]) -> bool:
    """Tell whether somebody entered an order or asked for its release, and so releases it not."""
    entered = [one.entered_by for one in versions if one.event is not OrderEvent.RELEASED]
    asked = [one.entered_by for one in held.requests]
    return any(is_same_person(one, name) for one in (*entered, *asked))


def _parse_order_id(request: Request) -> int:
    key = parse_key(request.path_params["order_id"])
    if key is None:
        raise OrderNotFoundError("there is no such order")
    return key


def _address(order_id: int) -> str:
    return f"{QUEUE_PATH}/{order_id}"
