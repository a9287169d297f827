"""Pages of objections and complaints: the list, one case, and a form for each step that may follow.

Whoever takes a step is the person who is signed in, never the operator's token. A correction is
pushed to past receivers over the network, and goes by command or over the API.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.assessment.policy_file import Language
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import NotFoundError
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Role
from node.governance.cases.entries import NewCase
from node.governance.cases.persons import name_person
from node.governance.cases.record import CaseChannel, Target, TargetKind
from node.governance.cases.rules_case import (
    OPEN,
    STATEMENT_CHARS_MAX,
    Appealed,
    CaseKind,
    CaseStep,
    RootCause,
    list_steps,
)
from node.governance.cases.store import CaseFilter
from node.governance.cases.tables import TEXT_CHARS_MAX
from node.governance.cases.view import build_case_object, build_summary_object
from node.governance.cases.wording import CASE_WORDS, say_case
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.named_customers import read_customer
from node.web.page_access import Reaching
from node.web.step_forms import NOTHING_SENT, Enter, Read, Sent, StepForms, get_viewer
from node.web.typed import Typed

CASES_PATH = "/console/cases"
CASE_PATH = f"{CASES_PATH}/{{case_id}}"
CASES_SHOWN = 200
TARGET_REF_CHARS = 64
_FILTERS = ("open", "late", "all")
_DECISIONS = (CaseStep.UPHOLD, CaseStep.REJECT, CaseStep.WITHDRAW)
_WRITTEN = (CaseChannel.LETTER, CaseChannel.EMAIL)
_FORMS = {
    "mark": (CaseStep.MARK,),
    "ask": (CaseStep.ASK,),
    "decide": _DECISIONS,
    "answer": (CaseStep.ANSWER,),
    "cause": (CaseStep.CAUSE,),
    "statement": (CaseStep.STATEMENT,),
    "close": (CaseStep.CLOSE,),
    "appeal": (CaseStep.APPEAL,),
    "confirm": (CaseStep.CONFIRM,),
    "reopen": (CaseStep.REOPEN,),
}
STEPS = tuple(_FORMS)
Take: TypeAlias = Callable[[int, str], object]
"""Takes a step of a case, by whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesPage:
    """Cases of a state, and the form of a new one."""

    rows: tuple[dict[str, Any], ...]
    chosen: str
    filters: tuple[str, ...]
    may_enter: bool
    kinds: tuple[tuple[str, str], ...]
    channels: tuple[tuple[str, str], ...]
    targets: tuple[tuple[str, str], ...]
    today: str
    sent: Sent
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One case; ``steps`` are the forms that who is signed in may send."""

    case: dict[str, Any]
    target_text: str
    steps: tuple[str, ...]
    is_operator: bool
    decisions: tuple[tuple[str, str], ...]
    written: tuple[tuple[str, str], ...]
    causes: tuple[tuple[str, str], ...]
    appealed: tuple[tuple[str, str], ...]
    targets: tuple[tuple[str, str], ...]
    needs_target: bool
    sent: Sent
    key: str


def build_cases_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, steps: StepForms
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Cases(local, render=render, steps=steps)
    return [
        page("GET", CASES_PATH, desk.list_cases),
        page("GET", CASE_PATH, desk.show),
        page("POST", CASES_PATH, steps.build("receive", read=desk.read_new, show=desk.sent_list)),
        *(
            page("POST", f"{CASE_PATH}/{step}", steps.build(step, read=read, show=desk.sent_one))
            for step, read in desk.readers.items()
        ),
    ]


class _Cases:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, steps: StepForms) -> None:
        self._local = local
        self._cases = local.governance.cases
        self._render = render
        self._steps = steps
        builders = {
            "mark": self._build_mark,
            "ask": self._build_ask,
            "decide": self._build_decision,
            "answer": self._build_answer,
            "cause": self._build_cause,
            "statement": self._build_statement,
            "close": self._build_close,
            "appeal": self._build_appeal,
            "confirm": self._build_confirmation,
            "reopen": self._build_reopening,
        }
        self.readers: dict[str, Read] = {
            step: partial(self._read_step, build) for step, build in builders.items()
        }

    async def list_cases(self, request: Request) -> Response:
        """Show the cases that are open, late, or all."""
        return await self.sent_list(request, NOTHING_SENT)

    async def sent_list(self, request: Request, sent: Sent) -> Response:
        """Show cases, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_list, request, sent)
        return await self._render(request, "cases.html", status=sent.status, page=shown)

    async def show(self, request: Request) -> Response:
        """Show one case with all its steps."""
        return await self.sent_one(request, NOTHING_SENT)

    async def sent_one(self, request: Request, sent: Sent) -> Response:
        """Show one case, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_one, request, sent)
        return await self._render(request, "case.html", status=sent.status, page=shown)

    def read_new(self, request: Request, typed: Typed) -> Enter:
        """Read a case that came."""
        actor = get_viewer(request)
        customer_id = None
        if typed.raw("customer"):
            customer_id = read_customer(self._local, request, typed, "customer")
        about = typed.text("about", chars_max=NAME_CHARS_MAX, is_required=False)
        new = NewCase(
            kind=CaseKind(typed.choice("kind", [one.value for one in CaseKind])),
            complainant=typed.text("complainant", chars_max=NAME_CHARS_MAX),
            text=_read_lines(typed, "text"),
            channel=CaseChannel(typed.choice("channel", [one.value for one in CaseChannel])),
            received_on=typed.find_day("received_on"),
            customer_id=customer_id,
            about=about or None,
            target=_read_target(typed),
        )

        def enter() -> str:
            received = self._cases.receive(new, by=name_person(actor))
            return f"{CASES_PATH}/{received.record.case_id}"

        return enter

    def _read_step(self, build: Callable[[Typed], Take], request: Request, typed: Typed) -> Enter:
        case_id, actor = _parse_case(request), get_viewer(request)
        take = build(typed)

        def enter() -> str:
            take(case_id, name_person(actor))
            return f"{CASES_PATH}/{case_id}"

        return enter

    def _build_mark(self, typed: Typed) -> Take:
        target = _read_target(typed)
        return lambda case_id, by: self._cases.mark(case_id, target=target, by=by)

    def _build_ask(self, typed: Typed) -> Take:
        source, on = _read_lines(typed, "source", chars_max=REASON_CHARS_MAX), typed.find_day("on")
        return lambda case_id, by: self._cases.ask(case_id, source=source, on=on, by=by)

    def _build_decision(self, typed: Typed) -> Take:
        step = CaseStep(typed.choice("step", [one.value for one in _DECISIONS]))
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)
        return lambda case_id, by: self._cases.decide(case_id, step=step, reason=reason, by=by)

    def _build_answer(self, typed: Typed) -> Take:
        text, on = _read_lines(typed, "text"), typed.find_day("on")
        channel = CaseChannel(typed.choice("channel", [one.value for one in _WRITTEN]))
        return lambda case_id, by: self._cases.answer(
            case_id, text=text, channel=channel, on=on, by=by
        )

    def _build_cause(self, typed: Typed) -> Take:
        cause = RootCause(typed.choice("cause", [one.value for one in RootCause]))
        text = typed.text("text", chars_max=REASON_CHARS_MAX)
        return lambda case_id, by: self._cases.set_cause(case_id, cause=cause, text=text, by=by)

    def _build_statement(self, typed: Typed) -> Take:
        text = typed.text("text", chars_max=STATEMENT_CHARS_MAX)
        return lambda case_id, by: self._cases.add_statement(case_id, text=text, by=by)

    def _build_close(self, _typed: Typed) -> Take:
        return lambda case_id, by: self._cases.close(case_id, by=by)

    def _build_appeal(self, typed: Typed) -> Take:
        before = Appealed(typed.choice("before", [one.value for one in Appealed]))
        text = _read_lines(typed, "text")
        return lambda case_id, by: self._cases.appeal(case_id, before=before, text=text, by=by)

    def _build_confirmation(self, typed: Typed) -> Take:
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)
        return lambda case_id, by: self._cases.confirm(case_id, reason=reason, by=by)

    def _build_reopening(self, typed: Typed) -> Take:
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)
        return lambda case_id, by: self._cases.reopen(case_id, reason=reason, by=by)

    def _read_list(self, request: Request, sent: Sent) -> CasesPage:
        language, today = choose_language(request), self._cases.today()
        asked = request.query_params.get("show", "")
        chosen = asked if asked in _FILTERS else "open"
        found = self._cases.list_cases(
            CaseFilter(
                states=() if chosen == "all" else OPEN,
                late_on=today if chosen == "late" else None,
            ),
            limit=CASES_SHOWN,
        )
        self._record(request)
        return CasesPage(
            rows=tuple(build_summary_object(one, today=today, language=language) for one in found),
            chosen=chosen,
            filters=_FILTERS,
            may_enter=_may_step(request),
            kinds=_say_all("kind", language),
            channels=_say_all("channel", language),
            targets=(("", ""), *_say_all("target", language)),
            today=today.isoformat(),
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _read_one(self, request: Request, sent: Sent) -> CasePage:
        story, language = self._cases.get(_parse_case(request)), choose_language(request)
        self._record(request)
        case = build_case_object(story, today=self._cases.today(), language=language)
        possible = set(list_steps(story.record.state, kind=story.record.kind))
        target = case["target"]
        return CasePage(
            case=case,
            target_text="" if target is None else say_case("target", target["kind"], language),
            steps=tuple(one for one, of in _FORMS.items() if possible.intersection(of))
            if _may_step(request)
            else (),
            is_operator=get_viewer(request).role is Role.OPERATOR,
            decisions=tuple(
                (one.value, say_case("step", one.value, language))
                for one in _DECISIONS
                if one in possible
            ),
            written=tuple(
                (one.value, say_case("channel", one.value, language)) for one in _WRITTEN
            ),
            causes=_say_all("cause", language),
            appealed=_say_all("before", language),
            targets=(("", ""), *_say_all("target", language)),
            needs_target=story.record.kind is CaseKind.OBJECTION and target is None,
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _record(self, request: Request) -> None:
        access = Access(area=Area.CASES, target=request.url.path)
        check_access(self._local.people, get_viewer(request), access)


def _may_step(request: Request) -> bool:
    viewer = get_viewer(request)
    return viewer.role is not Role.OPERATOR and Reaching(viewer=viewer).enters(Area.CASES)


def _say_all(kind: str, language: Language) -> tuple[tuple[str, str], ...]:
    return tuple((code, say_case(kind, code, language)) for code in CASE_WORDS[kind])


def _read_target(typed: Typed) -> Target | None:
    """Return what an objection is about, where that is named."""
    kind = typed.raw("target_kind")
    if not kind and not typed.raw("target_ref"):
        return None
    return Target(
        kind=TargetKind(typed.choice("target_kind", [one.value for one in TargetKind])),
        ref=typed.text("target_ref", chars_max=TARGET_REF_CHARS),
    )


def _read_lines(typed: Typed, name: str, *, chars_max: int = TEXT_CHARS_MAX) -> str:
    """Return a printable text of lines."""
    text = typed.raw(name).replace("\r\n", "\n")
    if not text:
        typed.refuse(name, "typed.empty")
    elif len(text) > chars_max:
        typed.refuse(name, "typed.long")
    elif not all(line.isprintable() for line in text.split("\n")):
        typed.refuse(name, "typed.control")
    return text


def _parse_case(request: Request) -> int:
    key = parse_key(request.path_params["case_id"])
    if key is None:
        raise NotFoundError("there is no such case")
    return key
