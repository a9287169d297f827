"""The auditor's pages: log, one exchange with both messages and proof, consents, who looked.

The operator sees them too. Everything comes from the auditor's use cases, which check the reach of
the token and record the look before a page is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from node.core.errors import InvariantError, RejectedError
from node.core.people.service import Principal, Scope
from node.sharing.audit_api import send_bundle
from node.sharing.auditing import AuditService, EntryView
from node.web.handlers import Handler, Render
from protocol.bundle import MessageCopy
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.jws import split_compact
from protocol.limits import HASH_BYTES
from protocol.strict_json import JsonObject, parse_object

AUDIT_PATH = "/console/audit"
ROWS = 50
NUMBER_DIGITS_MAX = 16
_EXCHANGE_TYPES = frozenset({"request", "exchange", "response", "unacked", "erased"})


class PageNumberError(RejectedError):
    """An address names no page of a list."""

    code = "page-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One entry in the log's list; ``fields`` is None where the token does not reach it."""

    index: int
    leaf: bytes
    fields: JsonObject | None

    @property
    def has_exchange(self) -> bool:
        """Whether the entry belongs to an exchange."""
        return self.fields is not None and self.fields.get("type") in _EXCHANGE_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message for people: its claims, and its parts as they are kept."""

    kid: str
    claims: Mapping[str, object]
    envelope: str
    inclusion: str
    body: str | None


def build_auditor_routes(
    auditing: AuditService,
    *,
    render: Render,
    guard: Callable[[Handler], Handler],
    health: Callable[[], Mapping[str, object]],
) -> list[BaseRoute]:
    """Return the routes of the auditor's pages."""
    pages = _AuditorPages(auditing, render=render, health=health)
    handlers: tuple[tuple[str, Handler], ...] = (
        ("/", pages.show_overview),
        ("/log", pages.list_entries),
        ("/log/{index:int}", pages.show_entry),
        ("/exchanges", pages.list_exchanges),
        ("/exchanges/{index:int}", pages.show_exchange),
        ("/consents", pages.list_consents),
        ("/consents/{consent}", pages.show_consent),
        ("/access", pages.list_accesses),
        ("/export", pages.export),
    )
    return [
        Route(f"{AUDIT_PATH}{path}", guard(handle), methods=["GET"]) for path, handle in handlers
    ]


class _AuditorPages:
    """The handlers."""

    def __init__(
        self,
        auditing: AuditService,
        *,
        render: Render,
        health: Callable[[], Mapping[str, object]],
    ) -> None:
        self._auditing = auditing
        self._render = render
        self._health = health

    async def show_overview(self, request: Request) -> Response:
        """Show head, witness, health and peers."""
        viewer = viewer_of(request)
        head = await run_in_threadpool(self._auditing.get_head, viewer)
        peers = await run_in_threadpool(self._auditing.list_peers, viewer)
        return await self._render(
            request,
            "audit_overview.html",
            head=head,
            peers=peers,
            health=self._health(),
            viewer=viewer,
            may_have_whole=viewer.has_scope(Scope.BODIES) and viewer.has_scope(Scope.SUBJECTS),
        )

    async def list_entries(self, request: Request) -> Response:
        """Show a page of the log, the newest unless another is asked for."""
        viewer = viewer_of(request)
        log = _read_log(request)
        heads = await run_in_threadpool(self._auditing.list_logs, viewer)
        head = await run_in_threadpool(lambda: self._auditing.get_head(viewer, log=log))
        size = head.size
        first = _read_number(request, "first", default=max(size - ROWS, 0))
        views = await run_in_threadpool(
            lambda: self._auditing.list_entries(viewer, first=first, limit=ROWS, log=log)
        )
        return await self._render(
            request,
            "audit_log.html",
            lines=[_read_line(view) for view in reversed(views)],
            heads=heads,
            log=head.log,
            of_log=_name_log(log),
            size=size,
            older=max(first - ROWS, 0) if first else None,
            newer=first + ROWS if first + ROWS < size else None,
        )

    async def show_entry(self, request: Request) -> Response:
        """Show one entry with its proof."""
        index: int = request.path_params["index"]
        log = _read_log(request)
        proven = await run_in_threadpool(
            lambda: self._auditing.get_entry(viewer_of(request), index, log=log)
        )
        line = _read_line(proven.view)
        return await self._render(
            request,
            "audit_entry.html",
            line=line,
            of_log=_name_log(log),
            text=json.dumps(line.fields, indent=2, ensure_ascii=False),
            proof=proven.proof,
        )

    async def list_exchanges(self, request: Request) -> Response:
        """Show what was answered here, or asked from here."""
        side = "out" if request.query_params.get("side") == "out" else "in"
        at_ms, index = (_read_number(request, name, default=-1) for name in ("at", "index"))
        rows = await run_in_threadpool(
            lambda: self._auditing.list_exchanges(
                viewer_of(request),
                side=side,
                before=None if at_ms < 0 or index < 0 else (at_ms, index),
                limit=ROWS,
            )
        )
        last = rows[-1] if len(rows) == ROWS else None
        return await self._render(
            request, "audit_exchanges.html", side=side, rows=rows, last=last, rows_max=ROWS
        )

    async def show_exchange(self, request: Request) -> Response:
        """Show both messages of an exchange; bodies only where they are asked for and allowed."""
        index: int = request.path_params["index"]
        viewer = viewer_of(request)
        log = _read_log(request)
        with_bodies = request.query_params.get("bodies") == "1"
        found = await run_in_threadpool(
            lambda: self._auditing.get_exchange(viewer, index, with_bodies=with_bodies, log=log)
        )
        return await self._render(
            request,
            "audit_exchange.html",
            row=found.row,
            messages=[
                ("audit.request", _read_message(found.request)),
                ("audit.answer", None if found.answer is None else _read_message(found.answer)),
            ],
            with_bodies=with_bodies,
            may_open=viewer.has_scope(Scope.BODIES),
            index=index,
            log=log,
        )

    async def list_consents(self, request: Request) -> Response:
        """Show consents with their uses and ceilings."""
        after = _read_hash(request.query_params.get("after", ""))
        rows = await run_in_threadpool(
            lambda: self._auditing.list_consents(
                viewer_of(request), after=after, limit=ROWS, with_subjects=False
            )
        )
        return await self._render(
            request,
            "audit_consents.html",
            rows=[(row, _read_claims(row.token)) for row in rows],
            last=rows[-1] if len(rows) == ROWS else None,
        )

    async def show_consent(self, request: Request) -> Response:
        """Show one consent: what was signed, what changed, what it was used for."""
        viewer = viewer_of(request)
        name = _read_hash(request.path_params["consent"])
        with_subject = request.query_params.get("subject") == "1"
        found = await run_in_threadpool(
            lambda: self._auditing.get_consent(viewer, name, with_subject=with_subject)
        )
        claims = _read_claims(found.row.token)
        return await self._render(
            request,
            "audit_consent.html",
            row=found.row,
            statuses=found.statuses,
            uses=found.uses,
            claims=claims,
            evidence=_read_evidence(claims),
            text=json.dumps(claims, indent=2, ensure_ascii=False),
            with_subject=with_subject,
            may_open=viewer.has_scope(Scope.SUBJECTS),
        )

    async def list_accesses(self, request: Request) -> Response:
        """Show who looked at what."""
        before = _read_number(request, "before", default=0)
        rows = await run_in_threadpool(
            lambda: self._auditing.list_accesses(
                viewer_of(request), before=before or None, limit=ROWS
            )
        )
        return await self._render(
            request,
            "audit_access.html",
            rows=rows,
            last=rows[-1] if len(rows) == ROWS else None,
        )

    async def export(self, request: Request) -> Response:
        """Send this node's bundle."""
        redacted = request.query_params.get("whole") != "1"
        return await send_bundle(self._auditing, viewer_of(request), redacted=redacted)


def viewer_of(request: Request) -> Principal:
    """Return who looks, as the guard has found."""
    viewer = getattr(request.state, "viewer", None)
    if not isinstance(viewer, Principal):
        raise InvariantError("a page of the console without its guard")
    return viewer


def _read_number(request: Request, name: str, *, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise PageNumberError("the address names no page of this list")
    return int(text)


def _read_log(request: Request) -> int | None:
    """Return the number of the log that is meant, None for the one that is written."""
    return _read_number(request, "log", default=0) or None


def _name_log(log: int | None) -> str:
    return "" if log is None else f"?log={log}"


def _read_hash(text: str) -> bytes:
    return decode_b64u(text, bytes_exact=HASH_BYTES) if text else b""


def _read_line(view: EntryView) -> EntryLine:
    fields: JsonObject | None = None
    if view.raw is not None:
        try:
            fields = parse_object(view.raw)
        except ProtocolError:
            fields = {"type": encode_b64u(view.raw)}
    return EntryLine(index=view.index, leaf=view.leaf, fields=fields)


def _read_evidence(claims: JsonObject) -> str:
    """Return the hash of the paper that a consent rests on, as file tools print it; else empty."""
    evidence = claims.get("evidence")
    return decode_b64u(evidence).hex() if isinstance(evidence, str) else ""


def _read_claims(token: str) -> JsonObject:
    """Return what a token says, not verified: these pages show, an audit judges."""
    try:
        return parse_object(split_compact(token, bytes_max=len(token)).payload)
    except ProtocolError:
        return {}


def _read_message(copy: MessageCopy) -> MessageView:
    try:
        kid = split_compact(copy.env, bytes_max=len(copy.env)).header.kid
    except ProtocolError:
        kid = ""
    body = None
    if copy.body is not None:
        try:
            body = json.dumps(parse_object(copy.body), indent=2, ensure_ascii=False)
        except ProtocolError:
            body = copy.body.decode("utf-8", errors="replace")
    return MessageView(
        kid=kid,
        claims=_read_claims(copy.env),
        envelope=copy.env,
        inclusion=copy.inclusion,
        body=body,
    )
