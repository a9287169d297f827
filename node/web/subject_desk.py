"""What the subject's pages share: their session, their headers, forms and answers.

They stand apart from the console's: another path, which may be public, another cookie, and a policy
for content that lets our own script files run and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from node.assessment.policy_file import Language
from node.bootstrap.local import LocalNode
from node.core.errors import NodeError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.sharing.subjects.errors import SubjectSessionError
from node.sharing.subjects.record import SubjectSession
from node.sharing.subjects.room import Subjects
from node.sharing.subjects.sessions import check_csrf
from node.web.form_fields import parse_form
from node.web.handlers import Handler, Render
from node.web.languages import LANGUAGE_COOKIE, choose_language
from node.web.texts import Texts
from protocol.errors import MalformedError, ProtocolError
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

SUBJECT_PATH = "/subject"
REQUEST_PATH = f"{SUBJECT_PATH}/request"
OWN_PATH = f"{SUBJECT_PATH}/own"
SUBJECT_COOKIE = "chengxin_subject"
JSON_MEDIA_TYPE = "application/json"
JSON_BYTES_MAX = 1_048_576  # fifty consents take about an eighth of it
FORM_BYTES_MAX = 16_384
LANGUAGE_LIFE_S = 31_536_000
SECOND_MS = 1_000
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
Act = Callable[[Request, SubjectSession], Awaitable[Response]]


class SubjectDesk:
    """Finds sessions, sets cookies, guards handlers, and reads what is sent."""

    def __init__(
        self,
        local: LocalNode,
        subjects: Subjects,
        *,
        render: Render,
        open_page: Callable[[Handler], Handler],
    ) -> None:
        """Take the ports; ``open_page`` refuses forms of other sites and sets common headers."""
        self._local = local
        self._subjects = subjects
        self._render = render
        self._open_page = open_page

    def route(self, method: str, path: str, handle: Handler) -> Route:
        """Return the route of a page that anybody may ask for."""

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except (NodeError, ProtocolError) as err:
                response = await self.refuse(request, err)
            for name, value in HEADERS.items():
                response.headers[name] = value
            if (asked := request.query_params.get("lang")) in set(Language):
                self._set_cookie(response, LANGUAGE_COOKIE, asked, life_s=LANGUAGE_LIFE_S)
            return response

        return Route(path, self._open_page(answer), methods=[method])

    def guard(self, method: str, path: str, act: Act, *, is_own: bool) -> Route:
        """Return the route of a page behind a session: of a request, or with the key."""

        async def answer(request: Request) -> Response:
            session = await self.find(request)
            if session is None or (session.kid is not None) is not is_own:
                if method == "GET":
                    return RedirectResponse(SUBJECT_PATH, status_code=303)
                raise SubjectSessionError("there is no session, or it is over")
            return await act(request, session)

        return self.route(method, path, answer)

    async def find(self, request: Request) -> SubjectSession | None:
        """Return the session of a browser, None where it has none that is in force."""
        cookie = request.cookies.get(SUBJECT_COOKIE, "")
        return await run_in_threadpool(self._subjects.sessions.find, cookie)

    async def end(self, request: Request) -> Response:
        """End the session of a browser and lead to the start."""
        cookie = request.cookies.get(SUBJECT_COOKIE, "")
        await run_in_threadpool(self._subjects.sessions.end, cookie)
        response = RedirectResponse(SUBJECT_PATH, status_code=303)
        response.delete_cookie(SUBJECT_COOKIE, path=SUBJECT_PATH, httponly=True, samesite="strict")
        return response

    async def begin(self, response: Response, cookie: str) -> Response:
        """Let a browser hold a session."""
        session = await run_in_threadpool(self._subjects.sessions.find, cookie)
        if session is not None:
            life_ms = session.expires_at_ms - self._local.clock.now_ms()
            self._set_cookie(response, SUBJECT_COOKIE, cookie, life_s=life_ms // SECOND_MS)
        return response

    async def refuse(self, request: Request, error: NodeError | ProtocolError) -> Response:
        """Say what went wrong, to a script in JSON and to people on a page."""
        texts = Texts(choose_language(request))
        words = texts.find(f"refusal.{error.code}") or texts("subject.refused")
        if is_json(request):
            said = {"code": error.code, "words": words}
            return JSONResponse(said, status_code=status_of(error))
        return await self._render(
            request, "subject_refused.html", status=status_of(error), code=error.code, words=words
        )

    def find_origin(self, request: Request) -> str:
        """Return the address at which the subject's pages stand: as set, else as it was asked."""
        settings = self._local.settings
        if settings.subject_url or settings.public_url:
            parts = urlsplit(settings.subject_url or settings.public_url)
            return f"{parts.scheme}://{parts.netloc}"
        return f"{request.url.scheme}://{request.headers.get('host', '')}"

    def _set_cookie(self, response: Response, name: str, value: str, *, life_s: int) -> None:
        settings = self._local.settings
        address = settings.subject_url or settings.url
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path=SUBJECT_PATH,
            httponly=True,
            samesite="strict",
            secure=address.startswith("https:"),
        )


def is_json(request: Request) -> bool:
    """Tell whether a script asks."""
    return request.headers.get("content-type", "").partition(";")[0] == JSON_MEDIA_TYPE


async def read_json(request: Request) -> ShapeReader:
    """Return the members of what a script sends.

    Raises:
        MalformedError: It is not JSON.
        TooLargeError: It is too long.
    """
    if not is_json(request):
        raise MalformedError(f"sent as {JSON_MEDIA_TYPE}")
    body = await read_bounded(request, bytes_max=JSON_BYTES_MAX)
    return ShapeReader(parse_object(body), what="body")


async def read_fields(request: Request) -> dict[str, str]:
    """Return the first value of each field of a small form."""
    form = parse_form(await read_bounded(request, bytes_max=FORM_BYTES_MAX))
    return {name: values[0] for name, values in form.items()}


async def read_signed(request: Request, session: SubjectSession) -> dict[str, str]:
    """Return the fields of a form that carries the sign of its session.

    Raises:
        SubjectSessionError: It does not carry it.
    """
    form = await read_fields(request)
    check_csrf(session, form.get("csrf", ""))
    return form
