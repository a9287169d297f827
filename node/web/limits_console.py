"""Pages of limits: what waits for an approval, and one customer's exposure, limits and stops.

The exposure is the one function's, on the day and in the currency that the address asks for. A
permanent limit is a decision's; what is entered here is temporary, a cap of a group, or a stop.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from unicodedata import normalize

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import NodeError
from node.core.http.pages import fill_page
from node.core.money import CURRENCY_FORM
from node.core.people.areas import Access, Area, check_access
from node.core.people.names import is_same_person
from node.records.errors import ReportInvalidError
from node.records.horizon import RecordsGoneError
from node.records.store import CustomerRecord
from node.records.tables import REASON_CHARS_MAX
from node.risk.checks.answer import build_exposure_object
from node.risk.checks.rules_check import measure_usage
from node.risk.errors import LimitNotFoundError, RiskInvalidError
from node.risk.exposure.rules_exposure import Exposure
from node.risk.limits.rules_limits import LimitEntry, LimitKind, LimitView
from node.risk.limits.service import NewLimit, WeighedLimit
from node.risk.view import build_entry_object, build_limits_object
from node.web.authorisation import find_hidden
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.share_chart import UsagePart, draw_usage
from node.web.step_forms import NOTHING_SENT, Enter, Sent, StepForms, get_viewer
from node.web.texts import Texts
from node.web.typed import NO_CURRENCY, Typed
from node.web.wording import say_money

WAITING_PATH = "/console/limits"
CUSTOMER_PATH = "/console/customers/{customer_id}/limits"
STOP_PATH = "/console/customers/{customer_id}/stop"
END_STOP_PATH = "/console/stops/{stop_id}/end"
SHOWN_MAX = 100
KINDS = (LimitKind.TEMPORARY, LimitKind.GROUP_CAP)
_ZERO = re.compile(r"0+([.,]0+)?")
_STAGES = ("ordered", "delivered", "invoiced", "bill")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLine:
    """A limit that waits: whose approval it needs, and whether the viewer is its maker."""

    shown: dict[str, Any]
    name: str
    roles: tuple[str, ...]
    persons: int
    given: tuple[str, ...]
    is_maker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPage:
    """The limits that wait for an approval."""

    lines: tuple[WaitingLine, ...]
    next_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownExposure:
    """An exposure with its bar; ``limit_minor`` is in its currency, None where none bounds it."""

    values: dict[str, Any]
    chart: str
    limit_minor: int | None
    usage_permille: int | None
    names: dict[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsPage:
    """One customer's exposure and limits on a day."""

    customer: CustomerRecord
    as_of: date
    is_today: bool
    currency: str
    limits: dict[str, Any]
    own: ShownExposure | None
    group: ShownExposure | None
    gone: NodeError | None
    waiting: tuple[WaitingLine, ...]
    kinds: tuple[tuple[str, str], ...]
    today: str
    sent: Sent
    key: str


def build_limits_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, steps: StepForms
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Limits(local, render=render, steps=steps)
    entry = f"{WAITING_PATH}/{{entry_id}}"

    def take(path: str, step: str, read: Any) -> BaseRoute:  # noqa: ANN401  a reader of the desk
        return page("POST", path, steps.build(step, read=read, show=desk.sent))

    return [
        page("GET", WAITING_PATH, desk.list_waiting),
        page("GET", CUSTOMER_PATH, desk.show),
        take(CUSTOMER_PATH, "request", desk.read_request),
        take(STOP_PATH, "stop", desk.read_stop),
        take(f"{entry}/approve", "approve", desk.read_approval),
        take(f"{entry}/end", "end", desk.read_end),
        take(END_STOP_PATH, "end-stop", desk.read_stop_end),
    ]


class _Limits:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, steps: StepForms) -> None:
        self._local = local
        self._risk = local.risk
        self._render = render
        self._steps = steps

    async def list_waiting(self, request: Request) -> Response:
        """Show what waits for an approval."""
        shown = await run_in_threadpool(self._read_waiting, request)
        return await self._render(request, "limits.html", page=shown)

    async def show(self, request: Request) -> Response:
        """Show one customer."""
        return await self.sent(request, NOTHING_SENT)

    async def sent(self, request: Request, sent: Sent) -> Response:
        """Show one customer, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_customer, request, sent)
        return await self._render(request, "customer_limits.html", status=sent.status, page=shown)

    def read_request(self, request: Request, typed: Typed) -> Enter:
        """Read a temporary limit or the cap of a group."""
        customer_id, by = self._find_customer(request), get_viewer(request).name
        kind = LimitKind(typed.choice("kind", [one.value for one in KINDS]))
        currency = typed.currency("currency")
        new = NewLimit(
            kind=kind,
            customer_id=customer_id,
            currency=currency,
            amount_minor=_read_amount(typed, currency=currency),
            first_on=typed.day("first_on"),
            last_on=typed.find_day("last_on"),
            reason=typed.text("reason", chars_max=REASON_CHARS_MAX),
        )
        if kind is LimitKind.TEMPORARY and new.last_on is None:
            typed.refuse("last_on", "typed.empty")

        def enter() -> str:
            self._risk.limits.request(new, by=by)
            return _address(customer_id)

        return enter

    def read_stop(self, request: Request, typed: Typed) -> Enter:
        """Read why a customer is stopped."""
        customer_id, by = self._find_customer(request), get_viewer(request).name
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._risk.limits.stop(customer_id, reason=reason, by=by)
            return _address(customer_id)

        return enter

    def read_approval(self, request: Request, _typed: Typed) -> Enter:
        """Read that a limit is approved."""
        customer_id, actor = self._find_customer(request), get_viewer(request)
        entry_id = _parse(request, "entry_id")

        def enter() -> str:
            self._risk.limits.approve(entry_id, actor=actor)
            return _address(customer_id)

        return enter

    def read_end(self, request: Request, typed: Typed) -> Enter:
        """Read why a limit ends before its time."""
        customer_id, actor = self._find_customer(request), get_viewer(request)
        entry_id = _parse(request, "entry_id")
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._risk.limits.end(entry_id, reason=reason, actor=actor)
            return _address(customer_id)

        return enter

    def read_stop_end(self, request: Request, typed: Typed) -> Enter:
        """Read why a stop ends."""
        customer_id, actor = self._find_customer(request), get_viewer(request)
        stop_id = _parse(request, "stop_id")
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._risk.limits.end_stop(stop_id, reason=reason, actor=actor)
            return _address(customer_id)

        return enter

    def _find_customer(self, request: Request) -> int:
        """Return the customer that a page or a form is of.

        Raises:
            LimitNotFoundError: There is no such limit or stop.
        """
        if "customer_id" in request.path_params:
            return parse_customer_id(request.path_params["customer_id"])
        name = "entry_id" if "entry_id" in request.path_params else "stop_id"
        found = self._risk.owners[name](_parse(request, name))
        if found is None:
            raise LimitNotFoundError("there is no such limit or stop")
        return found

    def _read_waiting(self, request: Request) -> WaitingPage:
        after = parse_key(request.query_params.get("after", "")) or 0
        self._record(request)
        found = fill_page(
            lambda at, count: self._risk.limits.list_waiting(after=at, limit=count),
            partial(self._leave_out, request),
            cursor=lambda one: one.entry_id,
            start=after,
            limit=SHOWN_MAX,
        )
        return WaitingPage(
            lines=self._weigh(request, found),
            next_after=found[-1].entry_id if len(found) == SHOWN_MAX else None,
        )

    def _leave_out(self, request: Request, found: list[LimitEntry]) -> list[LimitEntry]:
        hidden = find_hidden(self._local, request, [one.customer_id for one in found])
        return [one for one in found if one.customer_id not in hidden]

    def _weigh(self, request: Request, found: Sequence[LimitEntry]) -> tuple[WaitingLine, ...]:
        viewer = get_viewer(request)
        return tuple(
            _build_line(
                one,
                name=self._local.records.get_customer(one.entry.customer_id).name,
                today=self._risk.limits.today(),
                viewer=viewer.name,
            )
            for one in self._risk.limits.weigh(found)
        )

    def _read_customer(self, request: Request, sent: Sent) -> LimitsPage:
        customer = self._local.records.get_customer(self._find_customer(request))
        self._record(request)
        today = self._risk.today()
        as_of, currency, gone = _read_asked(request, today=today)
        view = self._risk.limits.view(customer.customer_id, as_of=as_of)
        hidden_heads = find_hidden(self._local, request, [one.customer_id for one in view.caps])
        own = group = None
        try:
            own, group = self._read_exposures(request, view, currency=currency)
        except (RecordsGoneError, ReportInvalidError, RiskInvalidError) as err:
            gone = err
        now = view if as_of == today else self._risk.limits.view(customer.customer_id)
        waiting = [one for one in now.entries if one.approved_on is None and one.ended_on is None]
        texts = Texts(choose_language(request))
        return LimitsPage(
            customer=customer,
            as_of=as_of,
            is_today=as_of == today,
            currency=currency or ("" if own is None else str(own.values["currency"])),
            limits=build_limits_object(view, hidden=hidden_heads),
            own=own,
            group=group,
            gone=gone,
            waiting=self._weigh(request, waiting),
            kinds=tuple((one.value, texts(f"limit-kind.{one.value}")) for one in KINDS),
            today=today.isoformat(),
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _read_exposures(
        self, request: Request, view: LimitView, *, currency: str | None
    ) -> tuple[ShownExposure, ShownExposure | None]:
        holding = view.holding
        wanted = currency or (None if holding is None else holding.currency)
        exposures, as_of = self._risk.exposures, view.as_of
        own = exposures.read(view.customer_id, as_of=as_of, currency=wanted)
        limit = None if holding is None or holding.currency != own.currency else holding.limit_minor
        cap = view.caps[0] if view.caps else None
        without = find_hidden(self._local, request, exposures.list_group(view.customer_id))
        together = exposures.read(
            view.customer_id,
            as_of=as_of,
            currency=currency or (own.currency if cap is None else cap.currency),
            is_group=True,
            without=without,
        )
        shown = self._show_exposure(request, own, limit_minor=limit)
        if len(together.members) + len(without) <= 1:
            return shown, None
        cap_minor = None if cap is None or cap.currency != together.currency else cap.amount_minor
        # What a cap leaves is of the whole group, those included who may not be seen.
        return shown, self._show_exposure(
            request,
            together,
            limit_minor=None if without else cap_minor,
            left_out=len(without),
        )

    def _show_exposure(
        self,
        request: Request,
        exposure: Exposure,
        *,
        limit_minor: int | None,
        left_out: int = 0,
    ) -> ShownExposure:
        texts = Texts(choose_language(request))
        values = build_exposure_object(exposure, left_out=left_out)
        parts = [
            UsagePart(
                label=texts(f"exposure.{stage}"),
                minor=values[f"{stage}_minor"],
                text=say_money(values[f"{stage}_minor"], exposure.currency),
            )
            for stage in _STAGES
        ]
        words = "" if limit_minor is None else say_money(limit_minor, exposure.currency)
        chart = draw_usage(
            parts,
            limit_minor=limit_minor,
            limit_text=texts("limits.limit-at", limit=words),
            title=texts("limits.chart", total=say_money(exposure.total_minor, exposure.currency)),
        )
        usage = None if limit_minor is None else measure_usage(limit_minor, exposure.total_minor)
        return ShownExposure(
            values=values,
            chart=chart,
            limit_minor=limit_minor,
            usage_permille=usage,
            names={key: self._local.records.get_customer(key).name for key in values["customers"]},
        )

    def _record(self, request: Request) -> None:
        access = Access(area=Area.CREDIT, target=request.url.path)
        check_access(self._local.people, get_viewer(request), access)


def _build_line(one: WeighedLimit, *, name: str, today: date, viewer: str) -> WaitingLine:
    entry = one.entry
    return WaitingLine(
        shown=build_entry_object(entry, on=today),
        name=name,
        roles=tuple(role.value for role in one.tier.roles),
        persons=one.tier.persons,
        given=one.given,
        is_maker=any(is_same_person(made, viewer) for made in (entry.requested_by, *one.given)),
    )


def _read_asked(request: Request, *, today: date) -> tuple[date, str | None, NodeError | None]:
    """Return the day and the currency that the address asks for, or what is wrong with them."""
    typed = Typed({name: [value] for name, value in request.query_params.items()})
    gone: NodeError | None = None
    day = typed.find_day("as_of")
    currency = normalize("NFKC", typed.raw("currency")).upper() or None
    if typed.errors:
        gone = ReportInvalidError("the day is none")
    if currency is not None and not CURRENCY_FORM.fullmatch(currency):
        currency, gone = None, RiskInvalidError("a currency is a code of three capitals")
    return day or today, currency, gone


def _read_amount(typed: Typed, *, currency: str) -> int:
    """Return an amount in minor units; 0 is prepayment only."""
    if currency != NO_CURRENCY and _ZERO.fullmatch(normalize("NFKC", typed.raw("amount"))):
        return 0
    return typed.money("amount", currency=currency)


def _parse(request: Request, name: str) -> int:
    key = parse_key(request.path_params[name])
    if key is None:
        raise LimitNotFoundError("there is no such limit or stop")
    return key


def _address(customer_id: int) -> str:
    return f"/console/customers/{customer_id}/limits"
