"""Pages of grades that persons give: the queue, one override with its steps, a customer's form.

A form that is sent twice does nothing twice: of a rating one override is open, and a step is
possible in one state only. Whoever gives or decides is the person who is signed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
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
from node.core.http.pages import fill_page
from node.core.http.problems import status_of
from node.core.people.areas import Access, Area, check_access
from node.core.people.names import is_same_person
from node.core.people.service import Principal
from node.rating.overrides.errors import OverrideNotFoundError
from node.rating.overrides.reading import JudgedOverride
from node.rating.overrides.rules_override import OverrideInvalidError, OverrideState
from node.rating.overrides.view import build_override_object
from node.records.store import CustomerRecord
from node.web.authorisation import find_hidden, see_peers
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, Handler, ParseForm, Render
from node.web.languages import choose_language
from node.web.page_access import Reaching
from node.web.typed import Typed

QUEUE_PATH = "/console/ratings/overrides"
OVERRIDE_PATH = f"{QUEUE_PATH}/{{override_id}}"
GIVE_PATH = "/console/customers/{customer_id}/overrides"
FORM_BYTES_MAX = 8_192
FORM_FIELDS_MAX = 8
SHOWN_MAX = 100
_FIELDS = ("grade", "reason_code", "reason", "expires_on")
STEPS = ("approve", "reject", "withdraw")
_WAITING, _ACTIVE, _ENDED = "waiting", "active", "ended"
_FILTERS = (_WAITING, _ACTIVE, _ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One override of a list, with the customer whom it is of."""

    shown: dict[str, Any]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverridesPage:
    """A page of overrides of one kind of state, the newest first.

    ``older`` is where the next page begins; None where this one is the last.
    """

    chosen: str
    filters: tuple[str, ...]
    lines: tuple[Line, ...]
    older: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverridePage:
    """One override, what may be done with it by whom is signed in, and why it was refused."""

    shown: dict[str, Any]
    customer: CustomerRecord
    steps: frozenset[str]
    is_own: bool
    has_asked: bool
    """Whether the viewer has asked for the withdrawal, which another person completes."""
    refused: NodeError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivingPage:
    """A customer's overrides, and the form of a new one if one may be given."""

    customer: CustomerRecord
    lines: tuple[Line, ...]
    grade: str | None
    """The grade of the rating; None where there is none, or where it would tell of peers."""
    grades: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]
    notches_max: int
    today: str
    latest: str
    may_give: bool
    is_open: bool
    typed: dict[str, str]
    refused: NodeError | None


def build_override_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Overrides(local, render=render, parse_form=parse_form)
    return [
        page("GET", QUEUE_PATH, desk.list_overrides),
        page("GET", OVERRIDE_PATH, desk.show),
        *(page("POST", f"{OVERRIDE_PATH}/{step}", desk.build_step(step)) for step in STEPS),
        page("GET", GIVE_PATH, desk.show_giving),
        page("POST", GIVE_PATH, desk.give),
    ]


class _Overrides:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form

    async def list_overrides(self, request: Request) -> Response:
        """Show the overrides that wait for a second person, or others."""
        shown = await run_in_threadpool(self._read_queue, request)
        return await self._render(request, "overrides.html", page=shown)

    async def show(self, request: Request) -> Response:
        """Show one override with its steps."""
        return await self._show(request)

    async def show_giving(self, request: Request) -> Response:
        """Show a customer's overrides and the form of a new one."""
        return await self._show_giving(request)

    async def give(self, request: Request) -> Response:
        """Give a grade as the form says, and lead to the override."""
        customer_id = parse_customer_id(request.path_params["customer_id"])
        typed = await self._read(request)
        try:
            judged = await run_in_threadpool(self._give, customer_id, typed, _viewer(request))
        except NotFoundError:
            raise
        except (RejectedError, ConflictError, ForbiddenError) as err:
            return await self._show_giving(request, typed=typed, refused=err)
        return _lead_to(judged.override.override_id)

    def build_step(self, step: str) -> Handler:
        """Return the handler of a step."""

        async def take(request: Request) -> Response:
            override_id = _parse_override_id(request)
            typed = await self._read(request)
            try:
                await run_in_threadpool(self._take, step, override_id, typed, _viewer(request))
            except NotFoundError:
                raise
            except (RejectedError, ConflictError, ForbiddenError) as err:
                return await self._show(request, refused=err)
            return _lead_to(override_id)

        return take

    def _give(self, customer_id: int, typed: Typed, viewer: Principal) -> JudgedOverride:
        expires_on = typed.find_day("expires_on")
        if typed.errors:
            raise OverrideInvalidError(f"cannot be read: {', '.join(typed.errors)}")
        return self._local.overrides.give(
            customer_id,
            grade=typed.raw("grade"),
            reason_code=typed.raw("reason_code"),
            reason=typed.raw("reason"),
            expires_on=expires_on,
            actor=viewer,
        )

    def _take(self, step: str, override_id: int, typed: Typed, viewer: Principal) -> JudgedOverride:
        overrides, reason = self._local.overrides, typed.raw("reason")
        if step == "approve":
            return overrides.approve(override_id, comment=reason, actor=viewer)
        if step == "reject":
            return overrides.reject(override_id, reason=reason, actor=viewer)
        return overrides.withdraw(override_id, reason=reason, actor=viewer)

    async def _show(self, request: Request, *, refused: NodeError | None = None) -> Response:
        shown = await run_in_threadpool(self._read_one, request, refused)
        status = 200 if refused is None else status_of(refused)
        return await self._render(request, "override.html", status=status, page=shown)

    async def _show_giving(
        self, request: Request, *, typed: Typed | None = None, refused: NodeError | None = None
    ) -> Response:
        read = partial(self._read_giving, request, typed=typed, refused=refused)
        shown = await run_in_threadpool(read)
        status = 200 if refused is None else status_of(refused)
        return await self._render(request, "override_give.html", status=status, page=shown)

    def _read_queue(self, request: Request) -> OverridesPage:
        asked = request.query_params.get("show", "")
        chosen = asked if asked in _FILTERS else _WAITING
        before = parse_key(request.query_params.get("before", ""))
        overrides = self._local.overrides

        def read_ended(at: int | None, count: int) -> list[JudgedOverride]:
            return overrides.list_overrides(before=at, limit=count)

        def leave_out(found: list[JudgedOverride]) -> list[JudgedOverride]:
            ended = [one for one in found if not one.state.is_open]
            hidden = find_hidden(self._local, request, {one.override.customer_id for one in ended})
            return [one for one in ended if one.override.customer_id not in hidden]

        if chosen == _ENDED:
            found = fill_page(
                read_ended,
                leave_out,
                cursor=lambda one: one.override.override_id,
                start=before,
                limit=SHOWN_MAX + 1,
            )
        else:
            wanted = OverrideState.WAITING if chosen == _WAITING else OverrideState.IN_FORCE
            found = [
                one
                for one in overrides.list_open()
                if one.state is wanted and (before is None or one.override.override_id < before)
            ]
        shown = found[:SHOWN_MAX]
        return OverridesPage(
            chosen=chosen,
            filters=_FILTERS,
            lines=self._build_lines(request, shown),
            older=shown[-1].override.override_id if len(found) > SHOWN_MAX else None,
        )

    def _read_one(self, request: Request, refused: NodeError | None) -> OverridePage:
        judged = self._local.overrides.get(_parse_override_id(request))
        viewer = _viewer(request)
        self._record(request)
        override = judged.override
        return OverridePage(
            shown=self._build(judged, request, has_peers=_sees(self._local, request, [judged])),
            customer=self._local.records.get_customer(override.customer_id),
            steps=_list_steps(judged) if self._may_decide(viewer) else frozenset(),
            is_own=is_same_person(override.proposal.entered_by, viewer.name),
            has_asked=any(is_same_person(one.entered_by, viewer.name) for one in override.lifts),
            refused=refused,
        )

    def _read_giving(
        self, request: Request, *, typed: Typed | None, refused: NodeError | None
    ) -> GivingPage:
        customer_id = parse_customer_id(request.path_params["customer_id"])
        overrides, language = self._local.overrides, choose_language(request)
        terms = overrides.find_terms(customer_id)
        found = overrides.list_overrides(customer_id=customer_id, limit=SHOWN_MAX)
        rating, may_give = terms.rating, self._may_decide(_viewer(request))
        grade = None
        if rating is not None:
            is_by_peers = rating.grade_own != rating.grade_with_peers
            is_told = not is_by_peers or see_peers(self._local.people, request)
            grade, may_give = (rating.grade_with_peers if is_told else None), may_give and is_told
        self._record(request)
        return GivingPage(
            customer=self._local.records.get_customer(customer_id),
            lines=self._build_lines(request, found),
            grade=grade,
            grades=terms.grades if may_give else (),
            reasons=tuple(
                (one.id, one.names.render(language)) for one in terms.policy.body.reasons
            ),
            notches_max=terms.policy.body.notches_max,
            today=self._local.business_date().isoformat(),
            latest=terms.latest.isoformat(),
            may_give=may_give,
            is_open=any(
                one.state.is_open
                and rating is not None
                and one.override.rating_id == rating.rating_id
                for one in found
            ),
            typed={name: "" if typed is None else typed.raw(name) for name in _FIELDS},
            refused=refused,
        )

    def _build_lines(self, request: Request, found: Sequence[JudgedOverride]) -> tuple[Line, ...]:
        keys = {one.override.customer_id for one in found}
        hidden = find_hidden(self._local, request, keys)
        shown = [one for one in found if one.override.customer_id not in hidden]
        has_peers = _sees(self._local, request, shown)
        names = {key: self._local.records.get_customer(key).name for key in keys - hidden}
        self._record(request)
        return tuple(
            Line(
                shown=self._build(one, request, has_peers=has_peers),
                name=names[one.override.customer_id],
            )
            for one in shown
        )

    def _build(
        self, judged: JudgedOverride, request: Request, *, has_peers: bool
    ) -> dict[str, Any]:
        return build_override_object(
            judged,
            policy=self._local.overrides.find_policy(),
            language=choose_language(request),
            has_peers=has_peers,
        )

    def _may_decide(self, viewer: Principal) -> bool:
        """Tell whether a role of the policy is signed in; the service judges the person."""
        enters = Reaching(viewer=viewer).enters(Area.CREDIT)
        return enters and viewer.role in self._local.overrides.find_policy().roles

    def _record(self, request: Request) -> None:
        access = Access(area=Area.CREDIT, target=request.url.path)
        check_access(self._local.people, _viewer(request), access)

    async def _read(self, request: Request) -> Typed:
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        return Typed(self._parse_form(body, fields_max=FORM_FIELDS_MAX))


def find_override(
    local: LocalNode, override_id: int | None, *, language: Language, has_peers: bool
) -> dict[str, Any] | None:
    """Return an override as a page beside it shows it; None where there is none."""
    if override_id is None:
        return None
    return build_override_object(
        local.overrides.get(override_id),
        policy=local.overrides.find_policy(),
        language=language,
        has_peers=has_peers,
    )


def _sees(local: LocalNode, request: Request, found: Sequence[JudgedOverride]) -> bool:
    """Tell whether what peers' words have changed may be shown, and record it where it is."""
    if not any(one.is_by_peers or one.state is OverrideState.DEFAULTED for one in found):
        return Reaching(viewer=_viewer(request)).reads(Area.PEERS)
    return see_peers(local.people, request)


def _viewer(request: Request) -> Principal:
    viewer: Principal = request.state.viewer
    return viewer


def _list_steps(judged: JudgedOverride) -> frozenset[str]:
    if judged.state is OverrideState.WAITING:
        return frozenset(STEPS)
    return frozenset({"withdraw"}) if judged.state.is_open else frozenset()


def _parse_override_id(request: Request) -> int:
    key = parse_key(request.path_params["override_id"])
    if key is None:
        raise OverrideNotFoundError("there is no such override")
    return key


def _lead_to(override_id: int) -> Response:
    return RedirectResponse(f"{QUEUE_PATH}/{override_id}", status_code=303)
