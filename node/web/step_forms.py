"""Forms of one step each, several on a page: taken once, and shown again as typed where refused.

A page of such forms reads itself again for each answer, so that a form which was refused stands
among what is there by now. The author is who is signed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.bootstrap.local import LocalNode
from node.core.clock import now_s
from node.core.errors import ConflictError, ForbiddenError, NodeError, NotFoundError, RejectedError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.keystore import draw_bytes
from node.core.people.service import Principal
from node.web.entry_desk import Entered, EntryDesk, KeyStaleError, KeyUsedError, Link
from node.web.handlers import Handler, ParseForm
from node.web.typed import Typed
from protocol.encoding import sha256

FORM_BYTES_MAX = 65_536  # an answer of 4,000 characters, each nine bytes of a form
FORM_FIELDS_MAX = 24
STALE, USED = "form.stale", "form.used"
UNREADABLE = 422
CUSTOMER = "customer_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form that was sent and not taken; without a step none was.

    ``step`` names the form on its page: the step, and the key of what it is of.
    """

    step: str = ""
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    refused: NodeError | None = None
    warning: str = ""

    @property
    def status(self) -> int:
        """The status of the page that shows it again."""
        if self.refused is not None:
            return status_of(self.refused)
        if self.warning:
            return status_of(KeyStaleError("the form is shown anew"))
        return UNREADABLE if self.errors else 200

    def value(self, step: str, name: str, first: str = "") -> str:
        """Return what a field shows: what was typed into it, else what it begins with."""
        return self.fields.get(name, [""])[0] if step == self.step else first

    def error(self, step: str, name: str) -> str:
        """Return the text's name that says what is wrong with a field; empty where nothing is."""
        return self.errors.get(name, "") if step == self.step else ""


NOTHING_SENT = Sent()
Show: TypeAlias = Callable[[Request, Sent], Awaitable[Response]]
Enter: TypeAlias = Callable[[], str]
"""Enters what a form says and returns where it is seen."""
Read: TypeAlias = Callable[[Request, Typed], Enter]
"""Reads a form; what cannot be read is noted in it, and nothing is entered then."""


class StepForms:
    """Takes the forms of this process's pages, each once."""

    def __init__(self, local: LocalNode, *, parse_form: ParseForm) -> None:
        """``parse_form`` reads the fields of a form."""
        self._local = local
        self._parse_form = parse_form
        self._desk = EntryDesk(random_bytes=draw_bytes)

    def draw_key(self, request: Request) -> str:
        """Return the key of the forms of a page that is about to be shown."""
        return self._desk.draw_key(who=get_viewer(request).who, now_s=now_s(self._local.clock))

    def build(self, step: str, *, read: Read, show: Show) -> Handler:
        """Return the handler of a step: it enters and leads to where that is seen."""

        async def take(request: Request) -> Response:
            body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
            typed = Typed(self._parse_form(body, fields_max=FORM_FIELDS_MAX))
            sent = Sent(step=name_step(step, request), fields=typed.fields, errors=typed.errors)
            try:
                nonce = await self._take(request, typed, read)
            except NotFoundError:
                raise
            except (KeyStaleError, KeyUsedError) as err:
                warning = STALE if isinstance(err, KeyStaleError) else USED
                return await show(request, _say(sent, warning=warning))
            except (RejectedError, ConflictError, ForbiddenError) as err:
                return await show(request, _say(sent, refused=err))
            if nonce is None:
                return await show(request, sent)
            entered = self._desk.get(nonce, who=get_viewer(request).who)
            return RedirectResponse(entered.links[0].address, status_code=303)

        return take

    async def _take(self, request: Request, typed: Typed, read: Read) -> str | None:
        """Enter a form and return by what name it is remembered; None where it cannot be read."""
        who, content = get_viewer(request).who, _hash_content(request, typed)
        earlier = await self._desk.find_entered(typed.raw("key"), who=who, content=content)
        if earlier is not None:
            return earlier
        enter = await run_in_threadpool(read, request, typed)
        if typed.errors:
            return None
        return await self._desk.enter_once(
            typed.raw("key"),
            who=who,
            content=content,
            now_s=now_s(self._local.clock),
            enter=lambda: run_in_threadpool(_run, enter, request),
        )


def name_step(step: str, request: Request) -> str:
    """Return the name of a form on its page: the step, and the keys of what it is of."""
    keys = [str(one) for name, one in request.path_params.items() if name != CUSTOMER]
    return "-".join([step, *keys])


def get_viewer(request: Request) -> Principal:
    """Return who is signed in."""
    viewer: Principal = request.state.viewer
    return viewer


def _run(enter: Enter, request: Request) -> Entered:
    address = enter()
    return Entered(
        form=request.url.path,
        by=get_viewer(request).name,
        customer_id=0,
        customer_name="",
        facts=(),
        links=(Link(words="", address=address),),
    )


def _say(sent: Sent, *, refused: NodeError | None = None, warning: str = "") -> Sent:
    return Sent(
        step=sent.step, fields=sent.fields, errors=sent.errors, refused=refused, warning=warning
    )


def _hash_content(request: Request, typed: Typed) -> bytes:
    said = sorted((name, values) for name, values in typed.fields.items() if name != "key")
    return sha256(request.url.path.encode("utf-8"), repr(said).encode("utf-8"))
