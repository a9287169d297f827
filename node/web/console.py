"""The console for people, behind a session of an account or a token; no page needs its script.

The operator's token opens every page, an auditor's the auditor's pages; every page but the sign-in
needs the session. A form that another site sent is refused. Services are sync and run in the thread
pool. Who sees what peers have said of a customer stands in the access log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from node.assessment.looks import record_look
from node.assessment.policy_file import Language
from node.core.errors import NodeError, NotFoundError
from node.core.http.problems import find_retry_s
from node.core.people.accounts.errors import FactorMissingError, FactorStaleError
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal, Role
from node.web.account_console import ACCOUNT_PATH, build_account_routes
from node.web.ageing_console import build_ageing_routes
from node.web.asks_console import build_ask_routes
from node.web.auditor_console import AUDIT_PATH, build_auditor_routes
from node.web.consent_requests_console import build_request_routes
from node.web.customer_charts import read_charts
from node.web.customer_list import read_list
from node.web.customer_page import leave_peers_out, parse_customer_id, read_customer
from node.web.drop_console import build_drop_routes
from node.web.entry_console import build_entry_routes
from node.web.error_words import choose_error_text
from node.web.form_fields import parse_form
from node.web.handlers import Handler
from node.web.headers import SECURITY_HEADERS
from node.web.import_console import build_import_routes
from node.web.languages import LANGUAGE_COOKIE, choose_language
from node.web.ledger_console import build_ledger_routes
from node.web.login_console import (
    CODE_PATH,
    HOME_PATH,
    LOGIN_PATH,
    build_login_routes,
)
from node.web.models_console import read_panel
from node.web.operation import OperationFacts, read_nothing
from node.web.operation_console import build_operation_routes
from node.web.page_access import PAGES, Reaching, Visit, admit
from node.web.pages import ConsoleNode, Sight, is_simulated, read_register
from node.web.rendering import StaticFiles, build_environment
from node.web.room_pages import build_room_routes
from node.web.same_site import check_same_site
from node.web.sessions import (
    CSRF_FIELD,
    SessionDesk,
    check_csrf,
    find_sender,
    sign_forms,
)
from node.web.subject_pages import build_subject_routes
from node.web.texts import Texts
from node.web.typed_share import say_percent
from node.web.wording import say_amount, say_code, say_deci, say_money, say_time
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError

LANGUAGE_LIFE_S = 31_536_000
AUDIT_ROLES = frozenset({Role.OPERATOR, Role.AUDITOR})


def build_console_routes(
    node: ConsoleNode,
    *,
    health: Callable[[], Mapping[str, object]] = dict,
    operation: Callable[[], OperationFacts] = read_nothing,
) -> list[BaseRoute]:
    """Return the console's routes, to be added to the node's app."""
    sessions = SessionDesk(node)
    console = _Console(node, sessions)
    auditors = build_auditor_routes(
        node.auditing, render=console.render, guard=console.guard_audit, health=health
    )
    page = console.page
    return [
        *build_login_routes(node, sessions, render=console.render, open_page=console.open),
        *build_account_routes(node.local, sessions, render=console.render, guard=console.guard),
        *auditors,
        *build_drop_routes(node.local, render=console.render, guard=console.guard_audit),
        *build_operation_routes(
            node.local, render=console.render, page=page, health=health, operation=operation
        ),
        *build_ask_routes(node, render=console.render, page=page, parse_form=parse_form),
        *build_ledger_routes(node.local, render=console.render, page=page),
        *build_ageing_routes(node.local, render=console.render, page=page),
        *build_room_routes(node.local, render=console.render, page=page, parse_form=parse_form),
        *build_entry_routes(node.local, render=console.render, page=page, parse_form=parse_form),
        *build_request_routes(node, render=console.render, page=page, parse_form=parse_form),
        *build_subject_routes(node, render=console.render, open_page=console.open),
        *build_import_routes(node.local, render=console.render, page=page, parse_form=parse_form),
        Route("/console", console.open(console.go_home), methods=["GET"]),
        Route("/console/static/{name}", console.open(console.send_static), methods=["GET"]),
        page("GET", HOME_PATH, console.list_customers),
        page("GET", "/console/shared", console.show_register),
        page("GET", "/console/customers/{customer_id}", console.show_customer),
        page("POST", "/console/customers/{customer_id}/rate", console.rate_customer),
    ]


def awaits_code(viewer: Principal) -> bool:
    """Tell whether somebody has given the password alone, and the code is still asked for."""
    return viewer.session is not None and viewer.session.awaits_code


class _Console:
    """The handlers; state is the node and the compiled templates."""

    def __init__(self, node: ConsoleNode, sessions: SessionDesk) -> None:
        self._node = node
        self._sessions = sessions
        self._environment = build_environment(
            {
                "hash": encode_b64u,
                "money": say_money,
                "amount": say_amount,
                "moment": say_time,
                "percent": say_percent,
            }
        )
        self._static = StaticFiles("console.css", "icon.svg", "live.js")

    def page(self, method: str, path: str, handle: Handler) -> Route:
        """Return the route of a page of the table; an auditor is led to the auditor's pages."""
        access = PAGES[method, path]

        async def enter(request: Request, viewer: Principal) -> Response:
            if viewer.role is Role.AUDITOR:
                return RedirectResponse(f"{AUDIT_PATH}/", status_code=303)
            visit = Visit(method=method, target=request.url.path, named=request.path_params)
            await run_in_threadpool(admit, self._node.local, viewer, access, visit)
            return await handle(request)

        return Route(path, self.guard(enter), methods=[method])

    def guard_audit(self, handle: Handler) -> Handler:
        """Let operators and auditors in; others are led to their own pages."""

        async def enter(request: Request, viewer: Principal) -> Response:
            if viewer.role in AUDIT_ROLES:
                return await handle(request)
            return RedirectResponse(HOME_PATH, status_code=303)

        return self.guard(enter)

    def guard(self, enter: Callable[[Request, Principal], Awaitable[Response]]) -> Handler:
        """Let in who is signed in, whose forms carry the sign of the session."""

        async def admit_signed_in(request: Request) -> Response:
            viewer = await self._sessions.find_viewer(request)
            if viewer is not None and not awaits_code(viewer):
                request.state.viewer = viewer
                check_csrf(request, viewer)
                return await enter(request, viewer)
            back = {"next": request.url.path} if request.method == "GET" else {}
            asked = LOGIN_PATH if viewer is None else CODE_PATH
            return RedirectResponse(f"{asked}?{urlencode(back)}".rstrip("?"), status_code=303)

        return self.open(admit_signed_in)

    def open(self, handle: Handler) -> Handler:
        """Refuse forms of other sites, show errors as a page, and set headers on every answer."""

        async def answer(request: Request) -> Response:
            try:
                if request.method == "POST":
                    check_same_site(request)
                response = await handle(request)
            except (NodeError, ProtocolError) as err:
                response = await self._show_error(request, err)
            for name, value in SECURITY_HEADERS.items():
                response.headers.setdefault(name, value)
            self._remember_language(request, response)
            return response

        return answer

    async def go_home(self, _request: Request) -> Response:
        """Lead to the first page."""
        return RedirectResponse(HOME_PATH, status_code=303)

    async def send_static(self, request: Request) -> Response:
        """Send the style sheet or the icon; the address names the version, so it may be kept."""
        found = self._static.find(request.path_params["name"])
        if found is None:
            raise NotFoundError("there is no such file")
        return found

    async def list_customers(self, request: Request) -> Response:
        """Show the customers with their ratings, the most past due first."""
        texts = Texts(choose_language(request))
        sight = self._find_sight(request)
        page = await run_in_threadpool(
            lambda: read_list(self._node.local, texts, dict(request.query_params), sight=sight)
        )
        if sight.has_ratings:
            await self._record_look(request, Area.CREDIT)
        if page.has_persons and sight.has_persons:
            await self._record_look(request, Area.PERSONS)
        return await self.render(request, "customers.html", page=page, sight=sight)

    async def show_customer(self, request: Request) -> Response:
        """Show one customer."""
        texts = Texts(choose_language(request))
        customer_id = parse_customer_id(request.path_params["customer_id"])
        page = await run_in_threadpool(
            lambda: read_customer(self._node.local, self._node.consents, texts, customer_id)
        )
        sight = self._find_sight(request)
        if not sight.has_peers:
            page = await run_in_threadpool(leave_peers_out, self._node.local, page, texts)
        if page.card.contacts and not sight.has_persons:
            page = replace(page, card=replace(page.card, contacts=()))
        await run_in_threadpool(
            lambda: record_look(
                self._node.local.people,
                request.state.viewer,
                customer_id=customer_id,
                has_peers=page.has_peers,
            )
        )
        panel = await run_in_threadpool(
            read_panel, self._node.local, page.rating, sight=sight, texts=texts
        )
        charts = await run_in_threadpool(
            lambda: read_charts(self._node.local, page, texts, sight=sight)
        )
        return await self.render(
            request, "customer.html", page=page, sight=sight, panel=panel, charts=charts
        )

    async def rate_customer(self, request: Request) -> Response:
        """Rate a customer on the business date and lead back to its page."""
        customer_id = parse_customer_id(request.path_params["customer_id"])
        local = self._node.local
        await run_in_threadpool(
            lambda: local.rating.rate_customer(customer_id, as_of=local.business_date())
        )
        return RedirectResponse(f"/console/customers/{customer_id}#rating", status_code=303)

    async def show_register(self, request: Request) -> Response:
        """Show what left this house and what was asked."""
        register = await run_in_threadpool(lambda: read_register(self._node.consents))
        await self._record_look(request, Area.PEERS)
        return await self.render(request, "shared.html", register=register)

    def _find_sight(self, request: Request) -> Sight:
        reaching = Reaching(viewer=request.state.viewer)
        return Sight(
            has_ratings=reaching.reads(Area.CREDIT),
            has_peers=reaching.reads(Area.PEERS),
            has_persons=reaching.reads(Area.PERSONS),
        )

    async def _record_look(self, request: Request, area: Area) -> None:
        viewer: Principal = request.state.viewer
        access = Access(area=area, target=request.url.path)
        await run_in_threadpool(check_access, self._node.local.people, viewer, access)

    async def _show_error(self, request: Request, error: NodeError | ProtocolError) -> Response:
        status, key = choose_error_text(error)
        lead = ("", "")
        if isinstance(error, FactorMissingError):
            lead = (ACCOUNT_PATH, "error.to-account")
        elif isinstance(error, FactorStaleError):
            back = urlencode({"next": find_sender(request)})
            lead = (f"{CODE_PATH}?{back}", "error.to-code")
        return await self.render(
            request,
            "error.html",
            status=status,
            retry_s=find_retry_s(error),
            text_key=key,
            code=error.code,
            lead=lead,
        )

    async def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        retry_s: int | None = None,
        **values: object,
    ) -> Response:
        """Return a page of a template and its values."""
        local, texts = self._node.local, Texts(choose_language(request))
        simulated = await run_in_threadpool(is_simulated, self._node.registry)
        holder: Principal | None = getattr(request.state, "viewer", None)
        # Before the code nothing of the node is shown, not even where one could go.
        viewer = None if holder is None or awaits_code(holder) else holder

        def address(**changes: object) -> str:
            kept = dict(request.query_params) | {key: str(one) for key, one in changes.items()}
            kept.pop(CSRF_FIELD, None)
            return f"{request.url.path}?{urlencode(kept)}"

        html = self._environment.get_template(template).render(
            t=texts,
            language=texts.language.value,
            languages={Language.ZH.value: "中文", Language.EN.value: "English"},
            address=address,
            path=request.url.path,
            version=self._static.version,
            signed_in=viewer is not None,
            is_auditor=viewer is not None and viewer.role is Role.AUDITOR,
            sees_audit=viewer is not None and viewer.role in AUDIT_ROLES,
            may=Reaching(viewer=viewer),
            has_account=viewer is not None and viewer.session is not None,
            person="" if viewer is None else viewer.name,
            role="" if viewer is None else viewer.role.value,
            member=local.settings.name or local.settings.member_id,
            member_id=local.settings.member_id,
            business_date=local.business_date(),
            simulated=simulated,
            deci=lambda value: say_deci(value, texts),
            code_words=lambda family, code: say_code(family, code, texts),
            refusal=lambda code: texts.find(f"refusal.{code}") or texts("refusal.other"),
            **values,
        )
        signed = sign_forms(html, holder)
        headers = {} if retry_s is None else {"retry-after": str(retry_s)}
        media_type = "text/html; charset=utf-8"
        return Response(signed, status_code=status, media_type=media_type, headers=headers)

    def _remember_language(self, request: Request, response: Response) -> None:
        asked = request.query_params.get("lang")
        if asked in set(Language):
            self._sessions.set_cookie(
                request, response, name=LANGUAGE_COOKIE, value=asked, life_s=LANGUAGE_LIFE_S
            )
