"""Pages of dunning: what a collector is to do today, letters, one letter, promises, runs and holds.

A run proposes and a person releases; the letter is shown as the customer will read it. Nothing is
sent from here. Who may see the ledger sees these pages; natural persons only who may see them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from node.assessment.policy_file import Language
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.http.pages import fill_page
from node.core.people.areas import Area
from node.records.rules_promise import PromiseState
from node.records.store import CustomerRecord
from node.records.tables import REASON_CHARS_MAX
from node.records.undertakings.promises import DuePromise
from node.risk.dunning.errors import LetterNotFoundError
from node.risk.dunning.letters import LetterForm
from node.risk.dunning.rules_letter import LetterState, LetterStep, find_next
from node.risk.dunning.service import LETTERS_PAGE_MAX, LetterSelection
from node.risk.dunning.store import Letter
from node.risk.losses.api_dunning import PAGE_HEADERS
from node.risk.losses.view_dunning import (
    STATES,
    build_dunning_run_object,
    build_hold_object,
    build_letter_event_object,
    build_letter_object,
    write_letter,
)
from node.web.authorisation import find_hidden
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.page_access import Reaching
from node.web.step_forms import NOTHING_SENT, Enter, Sent, StepForms, get_viewer
from node.web.typed import Typed

WORK_PATH = "/console/collection"
LETTERS_PATH = "/console/dunning"
LETTER_PATH = f"{LETTERS_PATH}/{{letter_id}}"
RUNS_PATH = "/console/dunning-runs"
PROMISES_PATH = "/console/promises"
HOLD_PATH = "/console/customers/{customer_id}/dunning-hold"
END_HOLD_PATH = "/console/dunning-holds/{dunning_hold_id}/end"
SHOWN_MAX = 100
WORK_MAX = 20
LATE_DAYS, AHEAD_DAYS = 30, 7
RUNS_SHOWN = 20
_STEPS = {
    "release": LetterStep.RELEASED,
    "answer": LetterStep.ANSWERED,
    "withdraw": LetterStep.WITHDRAWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLine:
    """A letter of a list, with whom it is for."""

    shown: dict[str, Any]
    name: str
    is_past: bool
    """Whether its day to pay by is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseLine:
    """A promise that is asked about, with who made it."""

    due: DuePromise
    name: str

    @property
    def state(self) -> PromiseState:
        """What came of it so far."""
        return self.due.judged.state

    @property
    def due_on(self) -> date:
        """The business day on which it falls due."""
        return self.due.judged.promise.due_business_on


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseLists:
    """Promises by what is to be done: broken, due today, due in the days to come."""

    broken: tuple[PromiseLine, ...]
    today: tuple[PromiseLine, ...]
    ahead: tuple[PromiseLine, ...]
    late_days: int = LATE_DAYS
    ahead_days: int = AHEAD_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPage:
    """What is to be done today."""

    today: date
    proposed: tuple[LetterLine, ...]
    unpaid: tuple[LetterLine, ...]
    """Letters whose day to pay by is over, and which nobody has answered."""
    promises: PromiseLists
    held_count: int
    last_run: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersPage:
    """Letters of a state, perhaps of one level."""

    states: tuple[tuple[str, str], ...]
    state: str
    levels: tuple[int, ...]
    level: int | None
    lines: tuple[LetterLine, ...]
    next_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterPage:
    """One letter as its customer will read it, and what may be done with it."""

    shown: dict[str, Any]
    customer: CustomerRecord
    level_name: str
    events: tuple[dict[str, Any], ...]
    previews: tuple[tuple[str, str], ...]
    steps: frozenset[str]
    today: str
    sent: Sent
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """Runs, and whom nobody reminds."""

    runs: tuple[dict[str, Any], ...]
    holds: tuple[dict[str, Any], ...]
    names: dict[int, str]
    today: str
    sent: Sent
    key: str


def build_dunning_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, steps: StepForms
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Dunning(local, render=render, steps=steps)

    def take(path: str, step: str, read: Any, show: Any) -> BaseRoute:  # noqa: ANN401  of the desk
        return page("POST", path, steps.build(step, read=read, show=show))

    return [
        page("GET", WORK_PATH, desk.show_work),
        page("GET", LETTERS_PATH, desk.list_letters),
        page("GET", PROMISES_PATH, desk.list_promises),
        page("GET", RUNS_PATH, desk.show_runs),
        page("GET", LETTER_PATH, desk.show_letter),
        page("GET", f"{LETTER_PATH}/letter", desk.send_letter),
        take(RUNS_PATH, "run", desk.read_run, desk.sent_run),
        take(END_HOLD_PATH, "end-hold", desk.read_hold_end, desk.sent_run),
        take(HOLD_PATH, "hold", desk.read_hold, desk.sent_run),
        *(
            take(f"{LETTER_PATH}/{step}", step, partial(desk.read_step, step), desk.sent_letter)
            for step in _STEPS
        ),
    ]


class _Dunning:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, steps: StepForms) -> None:
        self._local = local
        self._dunning = local.losses.dunning
        self._render = render
        self._steps = steps

    async def show_work(self, request: Request) -> Response:
        """Show what is to be done today."""
        shown = await run_in_threadpool(self._read_work, request)
        return await self._render(request, "collection.html", page=shown)

    async def list_letters(self, request: Request) -> Response:
        """Show letters of a state."""
        shown = await run_in_threadpool(self._read_letters, request)
        return await self._render(request, "dunning.html", page=shown)

    async def list_promises(self, request: Request) -> Response:
        """Show promises that were broken or fall due."""
        shown = await run_in_threadpool(self._read_promises, request)
        return await self._render(request, "promises.html", page=shown)

    async def show_runs(self, request: Request) -> Response:
        """Show runs and holds."""
        return await self.sent_run(request, NOTHING_SENT)

    async def sent_run(self, request: Request, sent: Sent) -> Response:
        """Show runs and holds, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_runs, request, sent)
        return await self._render(request, "dunning_runs.html", status=sent.status, page=shown)

    async def show_letter(self, request: Request) -> Response:
        """Show one letter."""
        return await self.sent_letter(request, NOTHING_SENT)

    async def sent_letter(self, request: Request, sent: Sent) -> Response:
        """Show one letter, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_letter, request, sent)
        return await self._render(request, "letter.html", status=sent.status, page=shown)

    async def send_letter(self, request: Request) -> Response:
        """Send a letter as the page that is printed for the customer."""
        language = choose_language(request)
        view = await run_in_threadpool(self._dunning.get_letter, _parse(request, "letter_id"))
        sender = self._local.losses.sender
        text = write_letter(view, sender=sender, language=language, form=LetterForm.PAGE)
        return HTMLResponse(text, headers=PAGE_HEADERS)

    def read_run(self, request: Request, typed: Typed) -> Enter:
        """Read as of which day letters are proposed."""
        by, as_of = get_viewer(request).name, typed.day("as_of")

        def enter() -> str:
            self._dunning.run(by=by, as_of=as_of)
            return f"{LETTERS_PATH}?state={LetterState.PROPOSED.value}"

        return enter

    def read_hold(self, request: Request, typed: Typed) -> Enter:
        """Read up to which day a customer is reminded of nothing, and why."""
        customer_id, by = parse_customer_id(request.path_params["customer_id"]), get_viewer(request)
        until_on = typed.day("until_on")
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._dunning.hold(customer_id, until_on=until_on, reason=reason, by=by.name)
            return RUNS_PATH

        return enter

    def read_hold_end(self, request: Request, typed: Typed) -> Enter:
        """Read why a customer is reminded again."""
        hold_id, by = _parse(request, "dunning_hold_id"), get_viewer(request).name
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._dunning.end_hold(hold_id, reason=reason, by=by)
            return RUNS_PATH

        return enter

    def read_step(self, step: str, request: Request, typed: Typed) -> Enter:
        """Read a step of a letter."""
        letter_id, by = _parse(request, "letter_id"), get_viewer(request).name
        reason = ""
        if step != "release":
            reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            if step == "release":
                self._dunning.release(letter_id, by=by)
            elif step == "answer":
                self._dunning.answer(letter_id, text=reason, by=by)
            else:
                self._dunning.withdraw(letter_id, reason=reason, by=by)
            return f"{LETTERS_PATH}/{letter_id}"

        return enter

    def _read_work(self, request: Request) -> WorkPage:
        today = self._dunning.today()
        runs = self._dunning.list_runs(limit=1)
        sent = self._list(request, LetterState.SENT, limit=LETTERS_PAGE_MAX)
        unpaid = [one for one in sent if _is_past(one, today)]
        holds = self._dunning.list_holds()
        hidden = find_hidden(self._local, request, [one.customer_id for one in holds])
        return WorkPage(
            today=today,
            proposed=self._name(
                request, self._list(request, LetterState.PROPOSED, limit=WORK_MAX), today
            ),
            unpaid=self._name(request, unpaid[:WORK_MAX], today),
            promises=self._read_promises(request),
            held_count=sum(one.customer_id not in hidden for one in holds),
            last_run=build_dunning_run_object(runs[0]) if runs else None,
        )

    def _read_letters(self, request: Request) -> LettersPage:
        language, asked = choose_language(request), request.query_params.get("state", "")
        state = LetterState(asked) if asked in set(LetterState) else LetterState.PROPOSED
        level = parse_key(request.query_params.get("level", ""))
        after = parse_key(request.query_params.get("after", "")) or 0
        found = self._list(request, state, limit=SHOWN_MAX, after=after, level=level)
        return LettersPage(
            states=tuple((one.value, words.render(language)) for one, words in STATES.items()),
            state=state.value,
            levels=tuple(range(1, self._dunning.count_levels() + 1)),
            level=level,
            lines=self._name(request, found, self._dunning.today()),
            next_after=found[-1].letter_id if len(found) == SHOWN_MAX else None,
        )

    def _list(
        self,
        request: Request,
        state: LetterState,
        *,
        limit: int,
        after: int = 0,
        level: int | None = None,
    ) -> list[Letter]:
        """Return letters of a state, perhaps of one level, but of persons who may not be seen."""

        def leave_out(found: list[Letter]) -> list[Letter]:
            hidden = find_hidden(self._local, request, [one.content.customer_id for one in found])
            return [
                one
                for one in found
                if one.content.customer_id not in hidden and level in {None, one.content.level}
            ]

        return fill_page(
            lambda at, count: self._dunning.list_letters(
                LetterSelection(states={state}, limit=count, after=at)
            ),
            leave_out,
            cursor=lambda one: one.letter_id,
            start=after,
            limit=limit,
        )

    def _name(
        self, request: Request, letters: Iterable[Letter], today: date
    ) -> tuple[LetterLine, ...]:
        language, found = choose_language(request), list(letters)
        names = self._read_names(one.content.customer_id for one in found)
        return tuple(
            LetterLine(
                shown=build_letter_object(one, language=language),
                name=names[one.content.customer_id],
                is_past=_is_past(one, today),
            )
            for one in found
        )

    def _read_names(self, keys: Iterable[int]) -> dict[int, str]:
        return {key: self._local.records.get_customer(key).name for key in sorted(set(keys))}

    def _read_promises(self, request: Request) -> PromiseLists:
        today = self._dunning.today()
        found = self._local.promises.list_due(
            as_of=today, days_before=LATE_DAYS, days_after=AHEAD_DAYS
        )
        owners = [one.judged.promise.customer_id for one in found]
        hidden = find_hidden(self._local, request, owners)
        names = self._read_names(key for key in owners if key not in hidden)
        lines = [
            PromiseLine(due=one, name=names[key])
            for one, key in zip(found, owners, strict=True)
            if key not in hidden
        ]
        still = [one for one in lines if one.state is PromiseState.OPEN]
        return PromiseLists(
            broken=tuple(one for one in lines if one.state is not PromiseState.OPEN),
            today=tuple(one for one in still if one.due_on == today),
            ahead=tuple(one for one in still if one.due_on > today),
        )

    def _read_runs(self, request: Request, sent: Sent) -> RunsPage:
        holds = self._dunning.list_holds()
        hidden = find_hidden(self._local, request, [one.customer_id for one in holds])
        shown = [one for one in holds if one.customer_id not in hidden]
        return RunsPage(
            runs=tuple(
                build_dunning_run_object(one) for one in self._dunning.list_runs(limit=RUNS_SHOWN)
            ),
            holds=tuple(build_hold_object(one) for one in shown),
            names=self._read_names(one.customer_id for one in shown),
            today=self._dunning.today().isoformat(),
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _read_letter(self, request: Request, sent: Sent) -> LetterPage:
        language = choose_language(request)
        view = self._dunning.get_letter(_parse(request, "letter_id"))
        content, sender = view.letter.content, self._local.losses.sender
        words = view.policy.get_level(content.segment, content.level).words
        may_enter = Reaching(viewer=get_viewer(request)).enters(Area.LEDGER)
        return LetterPage(
            shown=build_letter_object(view.letter, language=language),
            customer=view.customer,
            level_name=words.subject.render(language),
            events=tuple(build_letter_event_object(one) for one in view.events),
            previews=tuple(
                (one.value, write_letter(view, sender=sender, language=one, form=LetterForm.TEXT))
                for one in (language, *(other for other in Language if other is not language))
            ),
            steps=_list_steps(_STEPS, view.letter.state) if may_enter else frozenset(),
            today=self._dunning.today().isoformat(),
            sent=sent,
            key=self._steps.draw_key(request),
        )


def _list_steps(steps: Mapping[str, LetterStep], state: LetterState) -> frozenset[str]:
    return frozenset(name for name, step in steps.items() if find_next(state, step) is not None)


def _is_past(letter: Letter, today: date) -> bool:
    is_sent = letter.state is LetterState.SENT
    return is_sent and letter.pay_by_on is not None and letter.pay_by_on < today


def _parse(request: Request, name: str) -> int:
    key = parse_key(request.path_params[name])
    if key is None:
        raise LetterNotFoundError("there is no such letter or hold")
    return key
