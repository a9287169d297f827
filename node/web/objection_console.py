"""The forms of objections to what a peer has said, on the page where it stands.

From the moment of its entry an objection takes the summary out of every assessment. Who is signed
in enters it; another person enters how it ended. With its own clock and letter it is a case.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import RejectedError
from node.core.http.bodies import read_bounded
from node.core.people.service import Principal
from node.sharing.objections import (
    ObjectionNotOpenError,
    ObjectionOutcome,
    RaisedBy,
    SummaryNotReceivedError,
)
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, ParseForm
from node.web.typed import Typed
from protocol.encoding import decode_b64u
from protocol.errors import ProtocolError
from protocol.limits import CONSENTS_PER_MESSAGE_MAX, HASH_BYTES

OBJECTIONS_PATH = "/console/customers/{customer_id}/objections"
END_PATH = f"{OBJECTIONS_PATH}/{{summary_objection_id}}/end"
FORM_BYTES_MAX = 2_048
FORM_FIELDS_MAX = 4


class ObjectionFormError(RejectedError):
    """A form says neither who objects nor how an objection ended."""

    code = "objection-form"


def build_objection_routes(
    local: LocalNode, *, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of both forms."""

    async def read(request: Request) -> Typed:
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        return Typed(parse_form(body, fields_max=FORM_FIELDS_MAX))

    async def enter(request: Request) -> Response:
        typed, viewer = await read(request), _viewer(request)
        raised_by = RaisedBy(typed.choice("raised_by", list(RaisedBy)))
        _check(typed)
        customer_id = parse_customer_id(request.path_params["customer_id"])
        msg, item = _read_message(typed)

        def run() -> None:
            subject = local.records.get_customer(customer_id).subject_id
            local.objections.enter(
                msg, raised_by=raised_by, by=viewer.name, item=item, subject=subject
            )

        await run_in_threadpool(run)
        return _lead_back(customer_id)

    async def end(request: Request) -> Response:
        typed, viewer = await read(request), _viewer(request)
        outcome = ObjectionOutcome(typed.choice("outcome", list(ObjectionOutcome)))
        _check(typed)
        customer_id = parse_customer_id(request.path_params["customer_id"])
        key = parse_key(request.path_params["summary_objection_id"])
        if key is None:
            raise ObjectionNotOpenError("there is no such objection")

        def run() -> None:
            subject = local.records.get_customer(customer_id).subject_id
            local.objections.end(key, outcome=outcome, by=viewer.name, subject=subject)

        await run_in_threadpool(run)
        return _lead_back(customer_id)

    return [page("POST", OBJECTIONS_PATH, enter), page("POST", END_PATH, end)]


def _check(typed: Typed) -> None:
    if typed.errors:
        raise ObjectionFormError(f"cannot be read: {', '.join(typed.errors)}")


def _read_message(typed: Typed) -> tuple[bytes, int]:
    item = parse_key(typed.raw("item"))
    try:
        msg = decode_b64u(typed.raw("message"), bytes_exact=HASH_BYTES)
    except ProtocolError as err:
        raise SummaryNotReceivedError("no such summary was received here") from err
    if item is None or item >= CONSENTS_PER_MESSAGE_MAX:
        raise SummaryNotReceivedError("no such summary was received here")
    return msg, item


def _viewer(request: Request) -> Principal:
    viewer: Principal = request.state.viewer
    return viewer


def _lead_back(customer_id: int) -> Response:
    return RedirectResponse(f"/console/customers/{customer_id}#peers", status_code=303)
