"""The subject's own page, behind a proof of its key: who may ask, who asked, what was told.

It shows that summaries came and went, and never what they say: what leaves a provider is for the
consumer that the consent names, and the provider owes the subject that answer. Of our own staff it
shows roles and no names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from node.assessment.policy_file import Language
from node.core.database import parse_key
from node.governance.cases.entries import NewCase
from node.governance.cases.errors import CaseNotFoundError
from node.governance.cases.record import CaseChannel, Target
from node.governance.cases.rules_case import CaseKind
from node.governance.looks.view import build_extract_object
from node.records.store import CustomerRecord
from node.sharing.service import OutgoingRow, ReceivedSummary
from node.sharing.store import HeldConsent
from node.sharing.subjects.errors import SubjectSessionError
from node.sharing.subjects.record import ConsentRequest, SubjectSession
from node.web.handlers import Render
from node.web.languages import choose_language
from node.web.pages import ConsoleNode
from node.web.subject_desk import OWN_PATH, SubjectDesk, read_json, read_signed
from protocol.consent import FINAL_STATES, Consent, StatusSigner, read_held_consent
from protocol.encoding import decode_b64u, encode_b64u
from protocol.identifiers import parse_subject_id
from protocol.limits import HASH_BYTES, STATEMENT_BYTES_MAX

SUBJECT_BY = "the subject, on its own page"
"""Who has entered what comes from here; nobody of the member has this name."""
OUTGOING_SHOWN_MAX = 200
CONSENTS_SHOWN_MAX = 200
SECOND_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnConsent:
    """A consent with what the page says of it."""

    held: HeldConsent
    consent: Consent
    next_seq: int
    """Of the subject's next word on it."""
    is_final: bool
    is_counted_here: bool
    """Whether this node answers under it: the other one counts no use."""
    is_undelivered: bool
    """Whether it is ours to hand over and its provider has not acknowledged it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPage:
    """What the page shows."""

    subject: str
    customer: CustomerRecord | None
    consents: tuple[OwnConsent, ...]
    requests: tuple[ConsentRequest, ...]
    outgoing: tuple[OutgoingRow, ...]
    received: tuple[ReceivedSummary, ...]
    objected: frozenset[tuple[bytes, int]]
    """Summaries to which an objection is open or was upheld."""
    extract: dict[str, Any] | None
    """Roles that looked, members that were told, cases; None where it is no customer here."""


def build_own_routes(node: ConsoleNode, desk: SubjectDesk, *, render: Render) -> list[BaseRoute]:
    """Return the routes of the page and its forms."""
    own = _Own(node, render=render)
    return [
        desk.guard(method, f"{OWN_PATH}{step}", act, is_own=True)
        for method, step, act in (
            ("GET", "", own.show),
            ("GET", "/copy.json", own.send_copy),
            ("GET", "/consents/{consent}/record", own.send_record),
            ("POST", "/status", own.take_status),
            ("POST", "/objection", own.object),
            ("POST", "/statement", own.state),
        )
    ]


def read_own(node: ConsoleNode, subject: str, *, language: Language) -> OwnPage:
    """Read everything that the page of a subject shows."""
    parsed = parse_subject_id(subject)
    local = node.local
    customer = local.records.find_customer(scheme=parsed.scheme, value=parsed.value)
    extract = None
    if customer is not None:
        found = local.governance.looks.extract(customer.customer_id)
        extract = build_extract_object(found, language=language)
    return OwnPage(
        subject=subject,
        customer=customer,
        consents=tuple(
            OwnConsent(
                held=held,
                consent=read_held_consent(held.token),
                next_seq=node.consents.find_last_seq(held.hash, signer=StatusSigner.SUBJECT) + 1,
                is_final=held.state in FINAL_STATES,
                is_counted_here=held.provider == local.settings.member_id,
                is_undelivered=held.consumer == local.settings.member_id and not held.delivered,
            )
            for held in node.consents.list_consents(subject=subject)[:CONSENTS_SHOWN_MAX]
        ),
        requests=tuple(node.subjects.requests.list_of(subject)),
        outgoing=tuple(node.consents.list_outgoing(subject=subject, limit=OUTGOING_SHOWN_MAX)),
        received=tuple(node.consents.list_received(subject)),
        objected=frozenset(
            (bytes(one.msg), one.item)
            for one in local.objections.list_of_subject(subject)
            if one.outcome in {None, "upheld"}
        ),
        extract=extract,
    )


class _Own:
    """The handlers."""

    def __init__(self, node: ConsoleNode, *, render: Render) -> None:
        self._node = node
        self._render = render

    async def show(self, request: Request, session: SubjectSession) -> Response:
        """Show the page."""
        return await self._render(
            request,
            "subject_own.html",
            page=await self._read(request, session),
            csrf=session.csrf,
        )

    async def send_copy(self, request: Request, session: SubjectSession) -> Response:
        """Send everything as JSON."""
        page = await self._read(request, session)
        records = await run_in_threadpool(self._build_records, page.consents)
        copy = build_copy(page, records=records)
        headers = {"content-disposition": 'attachment; filename="chengxin-copy.json"'}
        body = json.dumps(copy, ensure_ascii=False, indent=1)
        return Response(body, media_type="application/json", headers=headers)

    async def send_record(self, request: Request, session: SubjectSession) -> Response:
        """Send a consent's record of ISO/IEC TS 27560."""
        name = decode_b64u(request.path_params["consent"], bytes_exact=HASH_BYTES)
        held = await run_in_threadpool(self._node.consents.find, name)
        if held is None or held.subject != session.subject:
            raise SubjectSessionError("no consent of this subject")
        record = await run_in_threadpool(
            lambda: self._node.consents.build_record(name, as_json_ld=False)
        )
        return JSONResponse(record)

    async def take_status(self, request: Request, session: SubjectSession) -> Response:
        """Take a withdrawal or a pause that was signed in the browser."""
        reader = await read_json(request)
        token = reader.text("token", characters_max=STATEMENT_BYTES_MAX)
        reader.finish()
        held = await self._node.subjects.statuses.take(session, token)
        return JSONResponse({"consent": encode_b64u(held.hash), "state": held.state.value})

    async def object(self, request: Request, session: SubjectSession) -> Response:
        """Take an objection: it becomes a case with its own clock and answer."""
        form = await read_signed(request, session)
        customer = await self._get_customer(session)
        target = None
        if form.get("message"):
            msg = decode_b64u(form["message"], bytes_exact=HASH_BYTES)
            target = Target.of_summary(msg, item=parse_key(form.get("item", "")) or 0)
        new = NewCase(
            kind=CaseKind.OBJECTION,
            complainant=customer.name,
            text=form.get("text", ""),
            channel=CaseChannel.OWN_PAGE,
            customer_id=customer.customer_id,
            target=target,
        )
        cases = self._node.local.governance.cases
        await run_in_threadpool(lambda: cases.receive(new, by=SUBJECT_BY))
        return RedirectResponse(f"{OWN_PATH}#cases", status_code=303)

    async def state(self, request: Request, session: SubjectSession) -> Response:
        """Take the subject's statement to an objection of its own."""
        form = await read_signed(request, session)
        customer = await self._get_customer(session)
        cases, case_id = self._node.local.governance.cases, parse_key(form.get("case_id", ""))
        if case_id is None:
            raise CaseNotFoundError("there is no such case")

        def run() -> None:
            if cases.get(case_id).subject_id != customer.subject_id:
                raise CaseNotFoundError("there is no such case")
            cases.add_statement(case_id, text=form.get("text", ""), by=SUBJECT_BY)

        await run_in_threadpool(run)
        return RedirectResponse(f"{OWN_PATH}#cases", status_code=303)

    async def _read(self, request: Request, session: SubjectSession) -> OwnPage:
        language = choose_language(request)
        return await run_in_threadpool(
            lambda: read_own(self._node, session.subject, language=language)
        )

    async def _get_customer(self, session: SubjectSession) -> CustomerRecord:
        parsed = parse_subject_id(session.subject)
        found = await run_in_threadpool(
            lambda: self._node.local.records.find_customer(scheme=parsed.scheme, value=parsed.value)
        )
        if found is None:
            raise SubjectSessionError("this subject is no customer here")
        return found

    def _build_records(self, consents: Sequence[OwnConsent]) -> list[dict[str, Any]]:
        return [
            {**self._node.consents.build_record(one.held.hash, as_json_ld=False)}
            for one in consents
        ]


def build_copy(page: OwnPage, *, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return everything that the page shows as plain values."""
    return {
        "subject": page.subject,
        "consents": [
            {
                **record,
                "uses": one.held.uses if one.is_counted_here else None,
                "token": one.held.token,
            }
            for one, record in zip(page.consents, records, strict=True)
        ],
        "requests": [
            {
                "asked_at": _write_moment(one.entered_at_ms),
                "providers": list(one.terms.providers),
                "purpose": one.terms.purpose,
                "state": one.state.value,
            }
            for one in page.requests
        ],
        "asked": [
            {"at": _write_moment(one.at_ms), "member": one.peer, "op": one.op, "code": one.code}
            for one in page.outgoing
        ],
        "received": [
            {
                "message": encode_b64u(one.msg),
                "item": one.item,
                "provider": one.provider,
                "received_on": one.received_on.isoformat(),
                "consent": encode_b64u(one.consent),
                "is_erased": one.is_erased,
            }
            for one in page.received
        ],
        "at_this_member": page.extract,
    }


def _write_moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / SECOND_MS, tz=UTC).isoformat(timespec="seconds")
