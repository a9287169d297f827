"""Pages of the register of risks: by money at risk, one risk with all that it has said, its forms.

Figures and title of a computed risk stay computed; people give it owner, controls, review, state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.people.areas import Access, Area, check_access
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX
from node.risk.losses.view_portfolio import (
    STATES,
    TYPES,
    build_risk_object,
    build_risk_version_object,
    sort_withheld,
)
from node.risk.register.rules_register import EntryState, RiskType
from node.risk.register.service import (
    ALL_TYPES,
    STANDING,
    NewRisk,
    RegisterSelection,
    RiskChange,
    RiskEntryNotFoundError,
)
from node.web.authorisation import find_hidden
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.named_customers import read_customer
from node.web.share_chart import Share, draw_shares
from node.web.step_forms import NOTHING_SENT, Enter, Sent, StepForms, get_viewer
from node.web.texts import Texts
from node.web.typed import Typed
from node.web.typed_share import read_percent, say_percent
from node.web.wording import say_amount, say_money

REGISTER_PATH = "/console/risk/register"
ENTRY_PATH = f"{REGISTER_PATH}/{{risk_entry_id}}"
REFRESH_PATH = "/console/risk/register-runs"
DRAWN_MAX = 10
PERMILLE = 1_000
ALL_STATES = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPage:
    """Risks, most money at risk first."""

    rows: tuple[dict[str, Any], ...]
    names: dict[int, str]
    hidden: int
    chart: str
    states: tuple[tuple[str, str], ...]
    types: tuple[tuple[str, str], ...]
    state: str
    type: str
    is_due: bool
    today: str
    owner: str
    sent: Sent
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPage:
    """One risk; ``source`` is where a computed one comes from."""

    shown: dict[str, Any]
    versions: tuple[dict[str, Any], ...]
    name: str
    source: str
    states: tuple[tuple[str, str], ...]
    likelihood: str
    lgd: str
    exposure: str
    today: str
    sent: Sent
    key: str


def build_register_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, steps: StepForms
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Register(local, render=render, steps=steps)
    return [
        page("GET", REGISTER_PATH, desk.list_risks),
        page("GET", ENTRY_PATH, desk.show),
        page(
            "POST", REGISTER_PATH, steps.build("enter", read=desk.read_entry, show=desk.sent_list)
        ),
        page(
            "POST",
            REFRESH_PATH,
            steps.build("refresh", read=desk.read_refresh, show=desk.sent_list),
        ),
        page("POST", ENTRY_PATH, steps.build("change", read=desk.read_change, show=desk.sent_one)),
    ]


class _Register:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, steps: StepForms) -> None:
        self._local = local
        self._register = local.losses.register
        self._render = render
        self._steps = steps

    async def list_risks(self, request: Request) -> Response:
        """Show the register."""
        return await self.sent_list(request, NOTHING_SENT)

    async def sent_list(self, request: Request, sent: Sent) -> Response:
        """Show the register, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_list, request, sent)
        return await self._render(request, "register.html", status=sent.status, page=shown)

    async def show(self, request: Request) -> Response:
        """Show one risk."""
        return await self.sent_one(request, NOTHING_SENT)

    async def sent_one(self, request: Request, sent: Sent) -> Response:
        """Show one risk, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_one, request, sent)
        return await self._render(request, "register_entry.html", status=sent.status, page=shown)

    def read_entry(self, request: Request, typed: Typed) -> Enter:
        """Read a risk that a person enters."""
        by, currency = get_viewer(request).name, typed.currency("currency")
        customer_id = None
        if typed.raw("customer"):
            customer_id = read_customer(self._local, request, typed, "customer")
        new = NewRisk(
            risk_type=RiskType(typed.choice("type", [one.value for one in RiskType])),
            title=typed.text("title", chars_max=NAME_CHARS_MAX),
            owner=typed.text("owner", chars_max=NAME_CHARS_MAX),
            controls=typed.text("controls", chars_max=NAME_CHARS_MAX, is_required=False),
            review_on=typed.day("review_on"),
            currency=currency,
            exposure_minor=typed.money("exposure", currency=currency),
            likelihood_ppm=read_percent(typed, "likelihood"),
            lgd_ppm=read_percent(typed, "lgd"),
            customer_id=customer_id,
        )

        def enter() -> str:
            return f"{REGISTER_PATH}/{self._register.enter(new, by=by)}"

        return enter

    def read_refresh(self, request: Request, _typed: Typed) -> Enter:
        """Read that computed risks are to be looked at anew."""
        by = get_viewer(request).name

        def enter() -> str:
            self._register.refresh(by=by)
            return REGISTER_PATH

        return enter

    def read_change(self, request: Request, typed: Typed) -> Enter:
        """Read what of a risk is otherwise; what is as it was changes nothing."""
        entry_id, by = _parse_entry(request), get_viewer(request).name
        entry, _ = self._register.get(entry_id)
        review_on = typed.day("review_on")
        wish = RiskChange(
            owner=typed.text("owner", chars_max=NAME_CHARS_MAX),
            controls=typed.text("controls", chars_max=NAME_CHARS_MAX, is_required=False),
            review_on=None if review_on == entry.says.review_on else review_on,
            state=EntryState(typed.choice("state", [one.value for one in EntryState])),
        )
        if entry.cause is None:
            wish = replace(
                wish,
                title=typed.text("title", chars_max=NAME_CHARS_MAX),
                exposure_minor=typed.money("exposure", currency=entry.says.figures.currency),
                likelihood_ppm=read_percent(typed, "likelihood"),
                lgd_ppm=read_percent(typed, "lgd"),
            )
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._register.change(entry_id, wish, reason=reason, by=by)
            return f"{REGISTER_PATH}/{entry_id}"

        return enter

    def _read_list(self, request: Request, sent: Sent) -> RegisterPage:
        self._record(request)
        language, asked = choose_language(request), request.query_params
        state, risk_type = asked.get("state", ""), asked.get("type", "")
        states = frozenset({EntryState(state)}) if state in set(EntryState) else STANDING
        if state == ALL_STATES:
            states = frozenset(EntryState)
        selection = RegisterSelection(
            states=states,
            types=frozenset({RiskType(risk_type)}) if risk_type in set(RiskType) else ALL_TYPES,
            is_due=asked.get("due", "") == "1",
        )
        found = self._register.list_entries(selection)
        keys = [one.entry.customer_id for one in found if one.entry.customer_id is not None]
        persons = self._register.list_person_ids()
        hidden = find_hidden(self._local, request, {*keys, *persons})
        shown = [one for one in found if one.entry.customer_id not in hidden]
        if hidden:
            shown = sort_withheld(shown)
        rows = [
            build_risk_object(one.entry, language=language, ranked=one, is_withheld=bool(hidden))
            for one in shown
        ]
        return RegisterPage(
            rows=tuple(rows),
            names={key: self._local.records.get_customer(key).name for key in set(keys) - hidden},
            hidden=len(found) - len(shown),
            chart=_draw(rows, Texts(language)),
            states=tuple((one.value, words.render(language)) for one, words in STATES.items()),
            types=tuple((one.value, words.render(language)) for one, words in TYPES.items()),
            state=state,
            type=risk_type,
            is_due=selection.is_due,
            today=self._register.today().isoformat(),
            owner=get_viewer(request).name,
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _read_one(self, request: Request, sent: Sent) -> RiskPage:
        self._record(request)
        language = choose_language(request)
        entry, versions = self._register.get(_parse_entry(request))
        is_withheld = bool(find_hidden(self._local, request, self._register.list_person_ids()))
        shown = build_risk_object(entry, language=language, is_withheld=is_withheld)
        figures = entry.says.figures
        name = ""
        if entry.customer_id is not None:
            name = self._local.records.get_customer(entry.customer_id).name
        return RiskPage(
            shown=shown,
            versions=tuple(
                build_risk_version_object(
                    entry.cause, one, language=language, is_withheld=is_withheld
                )
                for one in reversed(versions)
            ),
            name=name,
            source="" if entry.cause is None else _find_source(entry.cause),
            states=tuple((one.value, words.render(language)) for one, words in STATES.items()),
            likelihood=""
            if figures.likelihood_ppm is None
            else say_percent(figures.likelihood_ppm),
            lgd="" if figures.lgd_ppm is None else say_percent(figures.lgd_ppm),
            exposure=say_amount(figures.exposure_minor, figures.currency),
            today=self._register.today().isoformat(),
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _record(self, request: Request) -> None:
        access = Access(area=Area.CREDIT, target=request.url.path)
        check_access(self._local.people, get_viewer(request), access)


def _draw(rows: list[dict[str, Any]], texts: Texts) -> str:
    """Draw the risks of which most is expected to be lost, each as a share of the largest."""
    losses = [row for row in rows if (row["loss_minor"] or 0) > 0][:DRAWN_MAX]
    if not losses:
        return ""
    largest = losses[0]["loss_minor"]
    shares = [
        Share(
            label=str(row["title"]),
            permille=row["loss_minor"] * PERMILLE // largest,
            text=say_money(row["loss_minor"], row["loss_currency"]),
        )
        for row in losses
    ]
    return draw_shares(shares, title=texts("register.chart"), scale_permille=PERMILLE)


def _find_source(cause: str) -> str:
    """Return where the figures of a computed risk come from."""
    kind, _, rest = cause.partition(":")
    if kind == "expected-loss":
        return f"/console/risk/concentration?part=grade:{rest}"
    dimension, _, key = rest.partition(":")
    return f"/console/risk/concentration?part={dimension}:{key}"


def _parse_entry(request: Request) -> int:
    key = parse_key(request.path_params["risk_entry_id"])
    if key is None:
        raise RiskEntryNotFoundError("there is no such risk")
    return key
