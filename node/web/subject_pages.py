"""The subject's pages on the node that asks: opening a request by its code, reading, signing.

Everything can be read without a script; signing in the browser needs ours. Whose browser cannot
sign takes the request as a file, signs it with ``chengxin consent sign-request`` and brings it.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from node.core.clock import now_s
from node.core.errors import NotFoundError
from node.core.http.bodies import read_bounded
from node.sharing.subjects.possession import Proof
from node.sharing.subjects.record import ConsentRequest, RequestState, SubjectSession
from node.sharing.subjects.rules_terms import format_terms, parse_consents
from node.sharing.subjects.sessions import check_csrf
from node.web.handlers import Handler, Render
from node.web.languages import choose_language
from node.web.login_console import find_address
from node.web.multipart import parse_upload
from node.web.pages import ConsoleNode
from node.web.rendering import StaticFiles
from node.web.subject_desk import (
    JSON_BYTES_MAX,
    OWN_PATH,
    REQUEST_PATH,
    SUBJECT_PATH,
    SubjectDesk,
    read_fields,
    read_json,
    read_signed,
)
from node.web.subject_own import build_own_routes
from node.web.texts import Texts
from protocol.consent import commit_subject
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.identifiers import parse_subject_id
from protocol.limits import SALT_BYTES

STATIC = ("console.css", "icon.svg", "subject.css", "subject-key.js", "subject.js")
KID_CHARACTERS = 43
PROOF_CHARACTERS_MAX = 4_096


def build_subject_routes(
    node: ConsoleNode, *, render: Render, open_page: Callable[[Handler], Handler]
) -> list[BaseRoute]:
    """Return the routes of all pages of subjects."""
    static = StaticFiles(*STATIC, is_public=True)

    async def draw(
        request: Request, template: str, *, status: int = 200, **values: object
    ) -> Response:
        return await render(
            request, template, status=status, retry_s=None, subject_version=static.version, **values
        )

    async def send_static(request: Request) -> Response:
        found = static.find(request.path_params["name"])
        if found is None:
            raise NotFoundError("there is no such file")
        return found

    desk = SubjectDesk(node.local, node.subjects, render=draw, open_page=open_page)
    pages = _SubjectPages(node, desk, render=draw)
    return [
        desk.route("GET", SUBJECT_PATH, pages.show_start),
        desk.route("GET", f"{SUBJECT_PATH}/static/{{name}}", send_static),
        desk.route("POST", f"{SUBJECT_PATH}/open", pages.open),
        desk.route("POST", f"{SUBJECT_PATH}/challenge", pages.challenge),
        desk.route("POST", f"{SUBJECT_PATH}/enter", pages.enter),
        desk.route("POST", f"{SUBJECT_PATH}/leave", desk.end),
        *(
            desk.guard(method, f"{REQUEST_PATH}{step}", act, is_own=False)
            for method, step, act in (
                ("GET", "", pages.show_request),
                ("GET", "/file", pages.send_file),
                ("POST", "/prepare", pages.prepare),
                ("POST", "/sign", pages.sign),
                ("POST", "/upload", pages.take_upload),
                ("POST", "/refuse", pages.refuse),
            )
        ),
        *build_own_routes(node, desk, render=draw),
    ]


class _SubjectPages:
    """The handlers."""

    def __init__(self, node: ConsoleNode, desk: SubjectDesk, *, render: Render) -> None:
        self._node = node
        self._requests = node.subjects.requests
        self._desk = desk
        self._render = render

    async def show_start(self, request: Request) -> Response:
        """Ask for a code, or for the key of one's own page."""
        session = await self._desk.find(request)
        return await self._render(
            request,
            "subject_start.html",
            leads_on="" if session is None else OWN_PATH if session.kid else REQUEST_PATH,
        )

    async def open(self, request: Request) -> Response:
        """Trade a code for a session."""
        form, address = await read_fields(request), find_address(request)
        cookie = await run_in_threadpool(
            lambda: self._requests.open(form.get("code", ""), address=address)
        )
        return await self._desk.begin(RedirectResponse(REQUEST_PATH, status_code=303), cookie)

    async def challenge(self, request: Request) -> Response:
        """Give a challenge to be signed."""
        (await read_json(request)).finish()
        address = find_address(request)
        made = await run_in_threadpool(
            lambda: self._node.subjects.possession.challenge(address=address)
        )
        return JSONResponse({"node": made.node, "nonce": made.nonce, "exp": made.exp})

    async def enter(self, request: Request) -> Response:
        """Trade a signed challenge for a session of one's own page."""
        reader = await read_json(request)
        proof = Proof(
            token=reader.text("proof", characters_max=PROOF_CHARACTERS_MAX),
            subject=reader.text("subject"),
            salt=reader.text("salt"),
        )
        reader.finish()
        origin, address = self._desk.find_origin(request), find_address(request)
        cookie = await run_in_threadpool(
            lambda: self._node.subjects.possession.enter(proof, origin=origin, address=address)
        )
        return await self._desk.begin(JSONResponse({"to": OWN_PATH}), cookie)

    async def show_request(self, request: Request, session: SubjectSession) -> Response:
        """Show what is asked, by whom, for what, for how long, and how it is withdrawn."""
        asked = await run_in_threadpool(self._get, session)
        clock, settings = self._node.local.clock, self._node.local.settings
        state = "over" if asked.state is RequestState.OPEN else asked.state.value
        texts = Texts(choose_language(request))
        return await self._render(
            request,
            "subject_request.html",
            state_words=texts(f"subject.state.{state}", member=settings.name or settings.member_id),
            asked=asked,
            terms=asked.terms,
            is_open=asked.is_open(now_ms=clock.now_ms()),
            csrf=session.csrf,
        )

    async def send_file(self, _request: Request, session: SubjectSession) -> Response:
        """Send the request to be signed elsewhere."""
        asked = await run_in_threadpool(self._get, session)
        headers = {"content-disposition": 'attachment; filename="consent-request.json"'}
        return Response(format_terms(asked.terms), media_type="application/json", headers=headers)

    async def prepare(self, request: Request, session: SubjectSession) -> Response:
        """Say whether a key is entered, and give the bytes that it is to sign."""
        reader = await read_json(request)
        kid = reader.text("kid", characters_max=KID_CHARACTERS)
        salt = decode_b64u(reader.text("salt"), bytes_exact=SALT_BYTES)
        language = reader.text("language", characters_max=2)
        reader.finish()
        payloads = await run_in_threadpool(
            lambda: self._requests.list_payloads(
                session.request_id or 0, salt=salt, language=language
            )
        )
        registry = self._node.registry.newest
        found = registry.find_subject_key(kid)
        is_entered = (
            found is not None
            and found[0].commitment == commit_subject(parse_subject_id(session.subject), salt=salt)
            and found[1].is_valid_at(now_s(self._node.local.clock))
        )
        return JSONResponse(
            {
                "hub": registry.hub,
                "is_entered": is_entered,
                "items": [
                    {
                        "provider": provider,
                        "payload": encode_b64u(payload),
                        "sha256": encode_b64u(sha256(payload)),
                    }
                    for provider, payload in payloads
                ],
            }
        )

    async def sign(self, request: Request, session: SubjectSession) -> Response:
        """Take in what was signed in the browser."""
        body = await read_bounded(request, bytes_max=JSON_BYTES_MAX)
        held = await run_in_threadpool(
            lambda: self._requests.sign(session.request_id or 0, parse_consents(body))
        )
        return JSONResponse(
            {"held": [{"provider": one.provider, "consent": encode_b64u(one.hash)} for one in held]}
        )

    async def take_upload(self, request: Request, session: SubjectSession) -> Response:
        """Take in a file that was signed elsewhere."""
        body = await read_bounded(request, bytes_max=JSON_BYTES_MAX)
        form = parse_upload(body, content_type=request.headers.get("content-type", ""))
        check_csrf(session, form.fields.get("csrf", ""))
        await run_in_threadpool(
            lambda: self._requests.sign(session.request_id or 0, parse_consents(form.content))
        )
        return RedirectResponse(REQUEST_PATH, status_code=303)

    async def refuse(self, request: Request, session: SubjectSession) -> Response:
        """Enter that the subject does not sign."""
        await read_signed(request, session)
        await run_in_threadpool(self._requests.refuse, session.request_id or 0)
        return RedirectResponse(REQUEST_PATH, status_code=303)

    def _get(self, session: SubjectSession) -> ConsentRequest:
        return self._requests.get(session.request_id or 0)
