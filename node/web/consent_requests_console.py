"""The officer's page of a customer's consents: prepare a request, hand its code over, deliver.

The code is shown once, on the answer to the form; it stands in no address that a server sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.core.database import parse_key
from node.core.errors import NodeError, UnavailableError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.records.store import CustomerRecord
from node.sharing.granting import USES_A_DAY
from node.sharing.store import HeldConsent
from node.sharing.subjects.errors import RequestInvalidError, RequestNotFoundError
from node.sharing.subjects.record import ConsentRequest, NewCode, RequestState
from node.sharing.subjects.rules_terms import ConsentTerms
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.pages import ConsoleNode
from protocol.errors import ProtocolError
from protocol.identifiers import parse_member_id, parse_subject_id
from protocol.purpose import METRICS, TEMPLATES

CONSENTS_PATH = "/console/customers/{customer_id}/consents"
REQUEST_PATH = f"{CONSENTS_PATH}/{{request_id}}"
STEPS = ("code", "withdraw", "deliver")
FORM_BYTES_MAX = 16_384
FORM_FIELDS_MAX = 128
_NUMBERS = {
    "last_months": "12",
    "days": "90",
    "max_uses": "10",
    "data_life_months": "6",
    "k_min": "1",
    "open_days": "14",
}
"""What the form proposes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """A request with the consents that were signed on it."""

    request: ConsentRequest
    state: str
    held: tuple[HeldConsent, ...]

    @property
    def is_open(self) -> bool:
        """Whether it may still be signed."""
        return self.state == RequestState.OPEN

    @property
    def is_undelivered(self) -> bool:
        """Whether a provider has not acknowledged its consent yet."""
        return any(not one.delivered for one in self.held)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsPage:
    """What the page shows."""

    customer: CustomerRecord
    lines: tuple[RequestLine, ...]
    providers: tuple[str, ...]
    typed: dict[str, list[str]] = field(default_factory=dict)
    made: NewCode | None = None
    link: str = ""
    refused: NodeError | ProtocolError | None = None

    def value(self, name: str) -> str:
        """Return what was typed in a field, else what is proposed."""
        return self.typed.get(name, [_NUMBERS.get(name, "")])[0]

    def has(self, name: str, one: str) -> bool:
        """Tell whether a box is ticked; every metric is, until something was typed."""
        return one in self.typed.get(name, []) if self.typed else name == "metric"


def build_request_routes(
    node: ConsoleNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the page and its forms."""
    desk = _Requests(node, render=render, parse_form=parse_form)
    return [
        page("GET", CONSENTS_PATH, desk.show),
        page("POST", CONSENTS_PATH, desk.ask),
        page("POST", f"{REQUEST_PATH}/{{step}}", desk.act),
    ]


class _Requests:
    """The handlers."""

    def __init__(self, node: ConsoleNode, *, render: Render, parse_form: ParseForm) -> None:
        self._node = node
        self._requests = node.subjects.requests
        self._render = render
        self._parse_form = parse_form

    async def show(self, request: Request) -> Response:
        """Show the requests of a customer and the form of another."""
        return await self._show(request)

    async def ask(self, request: Request) -> Response:
        """Prepare a request and show its code, this once."""
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        typed = self._parse_form(body, fields_max=FORM_FIELDS_MAX)
        customer = await run_in_threadpool(self._get_customer, request)
        viewer: Principal = request.state.viewer
        member_id = self._node.local.settings.member_id
        try:
            terms = _read_terms(typed, customer, member_id)
            open_days = _read_number(typed, "open_days")
            made = await run_in_threadpool(
                lambda: self._requests.ask(terms, open_days=open_days, by=viewer.name)
            )
        except (NodeError, ProtocolError) as err:
            return await self._show(request, typed=typed, refused=err)
        return await self._show(request, made=made)

    async def act(self, request: Request) -> Response:
        """Make another code, take a request back, or hand its consents to their providers."""
        customer = await run_in_threadpool(self._get_customer, request)
        key, step = parse_key(request.path_params["request_id"]), request.path_params["step"]
        if key is None or step not in STEPS:
            raise RequestNotFoundError("there is no such request or step")
        found = await run_in_threadpool(self._requests.get, key)
        if found.subject != customer.subject_id:
            raise RequestNotFoundError("there is no such request")
        try:
            if step == "code":
                made = await run_in_threadpool(self._requests.renew_code, key)
                return await self._show(request, made=made)
            if step == "withdraw":
                await run_in_threadpool(self._requests.withdraw, key)
            else:
                await self._node.subjects.delivery.deliver(found.consents)
        except (NodeError, ProtocolError) as err:
            return await self._show(request, refused=err)
        path = CONSENTS_PATH.format(customer_id=customer.customer_id)
        return RedirectResponse(path, status_code=303)

    async def _show(
        self,
        request: Request,
        *,
        typed: dict[str, list[str]] | None = None,
        made: NewCode | None = None,
        refused: NodeError | ProtocolError | None = None,
    ) -> Response:
        viewer: Principal = request.state.viewer
        access = Access(area=Area.CONSENTS, target=request.url.path)
        await run_in_threadpool(check_access, self._node.local.people, viewer, access)
        settings = self._node.local.settings
        address = settings.subject_url or settings.url
        page = RequestsPage(
            customer=await run_in_threadpool(self._get_customer, request),
            lines=await run_in_threadpool(self._list, request),
            providers=await run_in_threadpool(self._list_providers),
            typed=typed or {},
            made=made,
            link="" if made is None else f"{address}/subject#code={made.code}",
            refused=refused,
        )
        return await self._render(
            request,
            "consent_requests.html",
            status=200 if refused is None else status_of(refused),
            page=page,
            purposes=TEMPLATES,
            metrics=METRICS,
        )

    def _get_customer(self, request: Request) -> CustomerRecord:
        customer_id = parse_customer_id(request.path_params["customer_id"])
        return self._node.local.records.get_customer(customer_id)

    def _list(self, request: Request) -> tuple[RequestLine, ...]:
        customer, now_ms = self._get_customer(request), self._node.local.clock.now_ms()
        return tuple(
            RequestLine(
                request=one,
                state="over"
                if one.state is RequestState.OPEN and not one.is_open(now_ms=now_ms)
                else one.state.value,
                held=tuple(
                    held for held in map(self._node.consents.find, one.consents) if held is not None
                ),
            )
            for one in self._requests.list_of(customer.subject_id)
        )

    def _list_providers(self) -> tuple[str, ...]:
        try:
            return tuple(self._requests.list_providers())
        except UnavailableError:  # Before the first registry nobody can be asked.
            return ()


def _read_terms(
    typed: dict[str, list[str]], customer: CustomerRecord, member_id: str
) -> ConsentTerms:
    max_uses = _read_number(typed, "max_uses")
    return ConsentTerms(
        subject=parse_subject_id(customer.subject_id),
        consumer=member_id,
        providers=tuple(map(parse_member_id, typed.get("provider", []))),
        purpose=typed.get("purpose", [""])[0],
        metrics=_read_metrics(typed),
        last_months=_read_number(typed, "last_months"),
        days=_read_number(typed, "days"),
        max_uses=max_uses,
        uses_a_day=max(1, min(max_uses, USES_A_DAY)),
        may_push="push" in typed,
        k_min=_read_number(typed, "k_min"),
        data_life_months=_read_number(typed, "data_life_months"),
    )


def _read_metrics(typed: dict[str, list[str]]) -> tuple[str, ...]:
    """Return the metrics that are ticked, in the order of the protocol."""
    return tuple(one for one in METRICS if one in typed.get("metric", []))


def _read_number(typed: dict[str, list[str]], name: str) -> int:
    number = parse_key(typed.get(name, [""])[0])
    if number is None:
        raise RequestInvalidError(f"{name} is a number")
    return number
