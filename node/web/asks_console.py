"""Ask peers about a customer: purpose, consents, providers, and answers as they arrive.

An inquiry is kept before anything is sent and carried out in the background; its page shows what
the store says. A browser with a script is told of each answer as it comes, for a few seconds a
connection; another one loads the page again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from node.core.database import parse_key
from node.core.errors import UnavailableError
from node.core.http.bodies import read_bounded
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.records.store import CustomerRecord
from node.sharing.fan_out import FAN_OUT_MAX
from node.sharing.inquiring import (
    Choice,
    Inquiry,
    InquiryAnswer,
    InquiryNotFoundError,
    InquiryRefusedError,
)
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.headers import CONTENT_POLICY, LIVE_POLICY
from node.web.languages import choose_language
from node.web.pages import ConsoleNode
from node.web.texts import Texts
from node.web.wording import SectionWords, say_sections
from protocol.encoding import decode_b64u
from protocol.errors import ProtocolError
from protocol.limits import HASH_BYTES
from protocol.purpose import TEMPLATES

ASK_PATH = "/console/customers/{customer_id}/ask"
INQUIRY_PATH = "/console/inquiries/{inquiry_id}"
EVENTS_PATH = f"{INQUIRY_PATH}/events"
FORM_BYTES_MAX = 16_384
STREAMS_MAX = 16
LOOK_INTERVAL_S = 0.5
LOOKS_A_STREAM = 16  # about eight seconds: a node that ends waits no longer for a page
RETRY_MS = 500


class StreamsFullError(UnavailableError):
    """Too many pages follow something already; the page is loaded again instead."""

    code = "streams-full"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One provider's answer for people."""

    answer: InquiryAnswer
    sections: tuple[SectionWords, ...]


def build_ask_routes(
    node: ConsoleNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Asks(node, render=render, parse_form=parse_form)
    return [
        page("GET", ASK_PATH, desk.show_choices),
        page("POST", ASK_PATH, desk.begin),
        page("GET", INQUIRY_PATH, desk.show_inquiry),
        page("GET", EVENTS_PATH, desk.follow),
    ]


class _Asks:
    """The handlers; ``streams`` counts the pages that follow an inquiry now."""

    def __init__(self, node: ConsoleNode, *, render: Render, parse_form: ParseForm) -> None:
        self._node = node
        self._render = render
        self._parse_form = parse_form
        self._streams = 0

    async def show_choices(self, request: Request) -> Response:
        """Show purposes, the consents of one with their state, and earlier inquiries."""
        customer = await self._read_customer(request)
        inquiries = self._node.inquiries
        choices = await run_in_threadpool(inquiries.list_choices, customer.subject_id)
        await self._record(request)
        purpose = _choose_purpose(request.query_params.get("purpose", ""), choices)
        return await self._render(
            request,
            "ask.html",
            customer=customer,
            purposes=[
                (code, sum(one.purpose == code for one in choices)) for code in sorted(TEMPLATES)
            ],
            purpose=purpose,
            choices=[one for one in choices if one.purpose == purpose],
            unread=sum(one.purpose not in TEMPLATES for one in choices),
            earlier=await run_in_threadpool(inquiries.list_of, customer.subject_id),
        )

    async def begin(self, request: Request) -> Response:
        """Begin an inquiry and lead to its page."""
        customer = await self._read_customer(request)
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        form = self._parse_form(body, fields_max=FAN_OUT_MAX + 3)
        self._node.upkeep.check_exchanging()
        viewer: Principal = request.state.viewer
        consents = _read_consents(form.get("consent", []))
        inquiry_id = await run_in_threadpool(
            lambda: self._node.inquiries.begin(
                customer.subject_id,
                purpose=form.get("purpose", [""])[0],
                consents=consents,
                by=viewer.name,
            )
        )
        self._node.inquiry_desk.start(inquiry_id)
        return RedirectResponse(f"/console/inquiries/{inquiry_id}", status_code=303)

    async def show_inquiry(self, request: Request) -> Response:
        """Show an inquiry as it stands."""
        inquiry = await self._read_inquiry(request)
        await self._record(request)
        answer = await self._show(request, "inquiry.html", inquiry)
        if inquiry.is_open:
            answer.headers[CONTENT_POLICY] = LIVE_POLICY
        return answer

    async def follow(self, request: Request) -> Response:
        """Send the answers of an inquiry whenever one has come, until it has ended."""
        inquiry = await self._read_inquiry(request)
        if self._streams >= STREAMS_MAX:
            raise StreamsFullError("too many pages follow something already")
        await self._record(request)
        return StreamingResponse(
            self._stream(request, inquiry), media_type="text/event-stream; charset=utf-8"
        )

    async def _stream(self, request: Request, inquiry: Inquiry) -> AsyncIterator[str]:
        self._streams += 1
        try:
            yield f"retry: {RETRY_MS}\n\n"
            told = ""
            for _ in range(LOOKS_A_STREAM):
                state = _sum_up(inquiry)
                if state != told:
                    told = state
                    shown = await self._show(request, "inquiry_answers.html", inquiry)
                    yield _write_event("state", bytes(shown.body).decode("utf-8"))
                if not inquiry.is_open:
                    yield _write_event("end", "")
                    return
                await asyncio.sleep(LOOK_INTERVAL_S)
                inquiry = await self._read_inquiry(request)
        finally:
            self._streams -= 1

    async def _show(self, request: Request, template: str, inquiry: Inquiry) -> Response:
        texts = Texts(choose_language(request))
        views = [
            AnswerView(
                answer=one,
                sections=() if one.summary is None else say_sections(one.summary, texts),
            )
            for one in inquiry.answers
        ]
        scheme, _, value = inquiry.row.subject.partition(":")
        customer = await run_in_threadpool(
            lambda: self._node.local.records.find_customer(scheme=scheme, value=value)
        )
        return await self._render(
            request,
            template,
            inquiry=inquiry,
            views=views,
            came=sum(not one.is_waiting for one in inquiry.answers),
            is_under_way=self._node.inquiry_desk.is_under_way(inquiry.row.inquiry_id),
            customer=customer,
        )

    async def _read_customer(self, request: Request) -> CustomerRecord:
        customer_id = parse_customer_id(request.path_params["customer_id"])
        return await run_in_threadpool(self._node.local.records.get_customer, customer_id)

    async def _read_inquiry(self, request: Request) -> Inquiry:
        key = parse_key(request.path_params["inquiry_id"])
        if key is None:
            raise InquiryNotFoundError("there is no such inquiry")
        return await run_in_threadpool(self._node.inquiries.get, key)

    async def _record(self, request: Request) -> None:
        access = Access(area=Area.PEERS, target=request.url.path)
        viewer: Principal = request.state.viewer
        await run_in_threadpool(check_access, self._node.local.people, viewer, access)


def _choose_purpose(asked: str, choices: list[Choice]) -> str:
    if asked in TEMPLATES:
        return asked
    given = sorted({one.purpose for one in choices} & set(TEMPLATES))
    return given[0] if given else min(TEMPLATES)


def _read_consents(names: list[str]) -> list[bytes]:
    try:
        return [decode_b64u(one, bytes_exact=HASH_BYTES) for one in names]
    except ProtocolError as err:
        raise InquiryRefusedError("a consent's name cannot be read") from err


def _sum_up(inquiry: Inquiry) -> str:
    return f"{inquiry.row.ended_at_ms} {[one.outcome for one in inquiry.answers]}"


def _write_event(name: str, data: str) -> str:
    """Write one event of a stream; a line of data has its own ``data:``."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
