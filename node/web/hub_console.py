"""The pages of the association's operator on a hub: read-only, behind the operator's token.

Members and their keys, customers by commitment, snapshots and who signed them, watched logs and
what speaks against them, the status list. No payload is here: the hub has none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest, digest
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from node.assessment.policy_file import Language
from node.core.clock import SystemClock, now_s
from node.core.database import parse_key
from node.core.errors import NodeError
from node.core.http.bodies import read_bounded
from node.hub.app import Hub
from node.hub.overview import ROWS, HubOverview
from node.hub.service import HubService
from node.web.error_words import choose_error_text
from node.web.form_fields import parse_form
from node.web.handlers import Handler
from node.web.headers import SECURITY_HEADERS
from node.web.languages import LANGUAGE_COOKIE, choose_language
from node.web.rendering import StaticFiles, build_environment
from node.web.same_site import check_same_site
from node.web.texts import Texts
from node.web.wording import say_code, say_time
from protocol.encoding import encode_b64u, sha256
from protocol.errors import ProtocolError
from protocol.jws import split_compact
from protocol.limits import REGISTRY_BYTES_MAX

HUB_PATH = "/hub/console"
LOGIN_PATH = f"{HUB_PATH}/login"
SESSION_COOKIE = "chengxin_hub_session"
SESSION_LIFE_S = 28_800  # a working day
LANGUAGE_LIFE_S = 31_536_000
FORM_BYTES_MAX = 2_048
DAY_S = 86_400
HOUR_S = 3_600
MINUTE_S = 60
_SESSION_DOMAIN = b"chengxin/hub-session/v1\n"
_NUMBER_DIGITS_MAX = 12
TABS = ("", "members", "customers", "registry", "witness", "statuses")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFaces:
    """What the pages read."""

    service: HubService
    overview: HubOverview
    now_s: Callable[[], int]


def build_hub_console(hub: Hub, *, token: str) -> Sequence[BaseRoute]:
    """Return the routes of a hub's pages; its operator's token opens them."""
    clock = SystemClock()
    faces = HubFaces(
        service=hub.service,
        overview=HubOverview(database=hub.database, clock=clock),
        now_s=lambda: now_s(clock),
    )
    return build_hub_pages(faces, token=token)


def build_hub_pages(faces: HubFaces, *, token: str) -> Sequence[BaseRoute]:
    """Return the routes; every one but the sign-in and the style asks for the session."""
    pages = _HubPages(faces, token=token)
    behind: Mapping[str, Handler] = {
        "/": pages.show_overview,
        "/members": pages.list_members,
        "/customers": pages.list_customers,
        "/registry": pages.list_snapshots,
        "/registry/{seq}.json": pages.send_snapshot,
        "/witness": pages.show_witness,
        "/witness/{finding_id}.txt": pages.send_finding,
        "/statuses": pages.show_statuses,
    }
    return [
        Route(HUB_PATH, pages.open(pages.go_home), methods=["GET"]),
        Route(LOGIN_PATH, pages.open(pages.show_login), methods=["GET"]),
        Route(LOGIN_PATH, pages.open(pages.login), methods=["POST"]),
        Route(f"{HUB_PATH}/logout", pages.guard(pages.logout), methods=["POST"]),
        Route(f"{HUB_PATH}/static/{{name}}", pages.open(pages.send_static), methods=["GET"]),
        *(
            Route(f"{HUB_PATH}{path}", pages.guard(handle), methods=["GET"])
            for path, handle in behind.items()
        ),
    ]


class _HubPages:
    """The handlers."""

    def __init__(self, faces: HubFaces, *, token: str) -> None:
        self._faces = faces
        self._token = token
        self._environment = build_environment(
            {"hash": encode_b64u, "moment": lambda at_s: say_time(at_s * 1000)}
        )
        self._static = StaticFiles("console.css", "icon.svg")

    # --- frame

    def open(self, handle: Callable[[Request], Awaitable[Response]]) -> Handler:
        """Refuse forms of other sites, show errors as a page, set headers on every answer."""

        async def answer(request: Request) -> Response:
            try:
                if request.method == "POST":
                    check_same_site(request)
                response = await handle(request)
            except (NodeError, ProtocolError) as err:
                status, key = choose_error_text(err)
                response = await self._render(
                    request, "hub_error.html", status=status, text_key=key, code=err.code
                )
            for name, value in SECURITY_HEADERS.items():
                response.headers.setdefault(name, value)
            asked = request.query_params.get("lang")
            if asked in set(Language):
                self._set_cookie(request, response, LANGUAGE_COOKIE, asked or "", LANGUAGE_LIFE_S)
            return response

        return answer

    def guard(self, handle: Handler) -> Handler:
        """Let in who holds the operator's session."""

        async def enter(request: Request) -> Response:
            if not self._has_session(request):
                return RedirectResponse(LOGIN_PATH, status_code=303)
            return await handle(request)

        return self.open(enter)

    async def go_home(self, _request: Request) -> Response:
        """Lead to the first page."""
        return RedirectResponse(f"{HUB_PATH}/", status_code=303)

    async def send_static(self, request: Request) -> Response:
        """Send the style sheet or the icon."""
        return self._static.find(request.path_params["name"]) or Response(status_code=404)

    async def show_login(self, request: Request) -> Response:
        """Ask for the operator's token."""
        return await self._render(request, "hub_login.html", refused=False)

    async def login(self, request: Request) -> Response:
        """Trade the token for a session."""
        form = parse_form(await read_bounded(request, bytes_max=FORM_BYTES_MAX))
        given = form.get("token", [""])[0].strip()
        if not compare_digest(given.encode("utf-8"), self._token.encode("utf-8")):
            return await self._render(request, "hub_login.html", status=401, refused=True)
        response = RedirectResponse(f"{HUB_PATH}/", status_code=303)
        expires_s = self._faces.now_s() + SESSION_LIFE_S
        session = f"{expires_s}.{self._sign(expires_s)}"
        self._set_cookie(request, response, SESSION_COOKIE, session, SESSION_LIFE_S)
        return response

    async def logout(self, _request: Request) -> Response:
        """Take the session's cookie away."""
        response = RedirectResponse(LOGIN_PATH, status_code=303)
        response.delete_cookie(SESSION_COOKIE, path=HUB_PATH, httponly=True, samesite="strict")
        return response

    # --- pages

    async def show_overview(self, request: Request) -> Response:
        """Show how the federation stands."""
        health = await run_in_threadpool(self._faces.service.health)
        logs = await run_in_threadpool(self._faces.overview.list_logs)
        return await self._render(
            request,
            "hub_overview.html",
            health=health,
            against=sum(one.state in ("forked", "unproven", "behind") for one in logs),
            late=sum(one.state in ("late", "unseen") for one in logs),
            legal_basis=self._faces.service.legal_basis(),
            anchor=self._faces.service.anchor.raw,
            witness_vkey=await run_in_threadpool(lambda: self._faces.service.witness_vkey),
        )

    async def list_members(self, request: Request) -> Response:
        """Show members with their keys."""
        lines = await run_in_threadpool(self._faces.overview.list_members)
        return await self._render(request, "hub_members.html", lines=lines)

    async def list_customers(self, request: Request) -> Response:
        """Show a page of customers with their keys."""
        after = parse_key(request.query_params.get("after", "")) or 0
        rows = await run_in_threadpool(lambda: self._faces.overview.list_customers(after=after))
        more = rows[-1].row.subject_id if len(rows) == ROWS else None
        return await self._render(request, "hub_customers.html", lines=rows, more=more)

    async def list_snapshots(self, request: Request) -> Response:
        """Show a page of snapshots, and who signed each."""
        before = parse_key(request.query_params.get("before", ""))
        rows = await run_in_threadpool(lambda: self._faces.overview.list_snapshots(before=before))
        more = rows[-1].snapshot.seq if len(rows) == ROWS else None
        lines = [(one, [_read_kid(token) for token in one.snapshot.tokens]) for one in rows]
        return await self._render(request, "hub_registry.html", lines=lines, more=more)

    async def send_snapshot(self, request: Request) -> Response:
        """Send a snapshot as members get it."""
        seq = parse_key(request.path_params["seq"])
        found = await run_in_threadpool(self._faces.service.get_snapshot, seq or 0)
        name = f'attachment; filename="registry-{found.seq}.json"'
        return JSONResponse({"tokens": list(found.tokens)}, headers={"content-disposition": name})

    async def show_witness(self, request: Request) -> Response:
        """Show the watched logs as a map of their health."""
        lines = await run_in_threadpool(self._faces.overview.list_logs)
        return await self._render(request, "hub_witness.html", lines=lines)

    async def send_finding(self, request: Request) -> Response:
        """Send the signed head that a finding is about."""
        key = parse_key(request.path_params["finding_id"])
        lines = await run_in_threadpool(self._faces.overview.list_logs)
        for finding in (one for line in lines for one in line.findings):
            if finding.finding_id == key:
                name = f'attachment; filename="finding-{key}.txt"'
                return Response(
                    finding.note,
                    media_type="text/plain; charset=utf-8",
                    headers={"content-disposition": name},
                )
        return await self._render(
            request, "hub_error.html", status=404, text_key="error.not-found", code="not-found"
        )

    async def show_statuses(self, request: Request) -> Response:
        """Show how full the status list is, and what was reported last."""
        board = await run_in_threadpool(self._faces.overview.show_statuses)
        return await self._render(request, "hub_statuses.html", board=board)

    async def _render(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> Response:
        service, texts = self._faces.service, Texts(choose_language(request))
        now = self._faces.now_s()

        def address(**changes: object) -> str:
            kept = dict(request.query_params) | {key: str(one) for key, one in changes.items()}
            return f"{request.url.path}?{urlencode(kept)}"

        html = self._environment.get_template(template).render(
            t=texts,
            language=texts.language.value,
            languages={Language.ZH.value: "中文", Language.EN.value: "English"},
            address=address,
            path=request.url.path,
            home=HUB_PATH,
            tabs=TABS,
            version=self._static.version,
            signed_in=self._has_session(request),
            hub=service.hub,
            hub_name=service.name,
            simulated=service.is_simulated,
            now_s=now,
            list_bytes_max=REGISTRY_BYTES_MAX,
            code_words=lambda family, code: say_code(family, code, texts),
            span=lambda span_s: _say_span(span_s, texts),
            key_state=lambda entry: _judge_key(entry.nbf, entry.exp, entry.revoked_at, now),
            **values,
        )
        return Response(html, status_code=status, media_type="text/html; charset=utf-8")

    def _has_session(self, request: Request) -> bool:
        expires, _, mac = request.cookies.get(SESSION_COOKIE, "").partition(".")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= _NUMBER_DIGITS_MAX):
            return False
        is_right = compare_digest(mac.encode("utf-8"), self._sign(int(expires)).encode("ascii"))
        return is_right and int(expires) > self._faces.now_s()

    def _sign(self, expires_s: int) -> str:
        key = sha256(_SESSION_DOMAIN, self._token.encode("utf-8"))
        return encode_b64u(digest(key, str(expires_s).encode("ascii"), "sha256"))

    def _set_cookie(
        self, request: Request, response: Response, name: str, value: str, life_s: int
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path=HUB_PATH,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )


def _read_kid(token: str) -> str:
    try:
        return split_compact(token, bytes_max=len(token)).header.kid
    except ProtocolError:
        return "?"


def _judge_key(nbf: int, exp: int, revoked_at: int | None, now: int) -> str:
    """Return in which state a key is now: revoked, ending, expired, coming or valid."""
    if revoked_at is not None:
        return "revoked" if revoked_at <= now else "ending"
    if exp <= now:
        return "expired"
    return "coming" if nbf > now else "valid"


def _say_span(span_s: int, texts: Texts) -> str:
    """Write a time in its largest unit, rounded down."""
    for unit, size in (("days", DAY_S), ("hours", HOUR_S), ("minutes", MINUTE_S)):
        if abs(span_s) >= size:
            return texts(f"span.{unit}", count=span_s // size if span_s > 0 else -(-span_s // size))
    return texts("span.seconds", count=span_s)
