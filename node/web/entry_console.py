"""The forms' pages: shown to whom may enter, taken once, answered with what was entered.

What cannot be read is said beside its field, and what was typed is kept; what the ledger
refuses stands above the form. The author is who is signed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.assessment.application.store import StoredApplication
from node.bootstrap.local import LocalNode
from node.core.clock import now_s
from node.core.database import parse_key
from node.core.errors import ConflictError, NodeError, NotFoundError, RejectedError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.keystore import draw_bytes
from node.core.people.service import Principal
from node.records.ledger import ItemNotFoundError, ItemStory
from node.records.rules_default import Default
from node.records.rules_promise import JudgedPromise
from node.records.store import CustomerRecord, OpenLine, StoredDispute
from node.web.customer_page import parse_customer_id
from node.web.entry_desk import Entered, EntryDesk, KeyStaleError, KeyUsedError
from node.web.entry_documents import count_rows
from node.web.entry_form import Enter, EntryForm, FormField, Ground
from node.web.entry_forms import ENTRY_FORMS
from node.web.handlers import BuildRoute, Handler, ParseForm, Render
from node.web.typed import Typed
from protocol.encoding import sha256

FORM_BYTES_MAX = 262_144
LINES_SHOWN_MAX = 500
FORM_FIELDS_MAX = 2 * LINES_SHOWN_MAX + 300  # a tick and an amount a line, or days with amounts
STALE, USED = "form.stale", "form.used"


class FormUnfitError(NotFoundError):
    """What the form is of is not there, or there is nothing of it to enter."""

    code = "form-unfit"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """A form as it is shown: what it stands on, what was typed, and what is wrong with it."""

    form: EntryForm
    ground: Ground
    fields: tuple[FormField, ...]
    typed: Mapping[str, list[str]]
    errors: Mapping[str, str]
    key: str
    rows: int
    is_fresh: bool
    """Whether nothing was typed yet, so that fields begin with their own values."""
    refused: NodeError | None = None
    warning: str = ""

    @property
    def labels(self) -> Mapping[str, str]:
        """The text that names each field."""
        return {field.name: field.label for field in self.fields}

    def value(self, name: str, first: str = "") -> str:
        """Return what a field shows."""
        return first if self.is_fresh else self.typed.get(name, [""])[0]

    def has(self, name: str, value: str) -> bool:
        """Tell whether a box is ticked."""
        return value in self.typed.get(name, [])


def build_entry_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the forms and of what came of them."""
    pages = _EntryPages(local, render=render, parse_form=parse_form)
    routes: list[BaseRoute] = [page("GET", "/console/entered/{nonce}", pages.show_entered)]
    for form in ENTRY_FORMS:
        routes.append(page("GET", form.path, pages.show(form)))
        routes.append(page("POST", form.path, pages.take(form)))
    return routes


class _EntryPages:
    """The handlers; state is what was entered lately."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form
        self._desk = EntryDesk(random_bytes=draw_bytes)

    def show(self, form: EntryForm) -> Handler:
        """Return the handler that shows a form."""

        async def show(request: Request) -> Response:
            ground = await run_in_threadpool(self._read_ground, form, request)
            ticked = request.query_params.getlist("item")  # by where the link stands
            return await self._show(request, form, ground, typed=Typed({"items": ticked}))

        return show

    def take(self, form: EntryForm) -> Handler:
        """Return the handler that takes a form."""

        async def take(request: Request) -> Response:
            body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
            typed = Typed(self._parse_form(body, fields_max=FORM_FIELDS_MAX))
            viewer: Principal = request.state.viewer
            # Before anything is read: what was entered may have taken the ground of its form away.
            earlier = await self._desk.find_entered(
                typed.raw("key"), who=viewer.who, content=_hash_content(request, typed)
            )
            if earlier is not None:
                return _lead_to(earlier)
            ground = await run_in_threadpool(self._read_ground, form, request)
            if typed.raw("more"):
                return await self._show(request, form, ground, typed=typed)
            enter = form.read(typed, ground)
            if typed.errors:
                return await self._show(request, form, ground, typed=typed, status=422)
            return await self._enter(request, form, ground, typed=typed, enter=enter)

        return take

    async def show_entered(self, request: Request) -> Response:
        """Show what was entered, with where it is seen."""
        viewer: Principal = request.state.viewer
        entered = self._desk.get(request.path_params["nonce"], who=viewer.who)
        return await self._render(request, "entered.html", entered=entered)

    async def _enter(
        self, request: Request, form: EntryForm, ground: Ground, *, typed: Typed, enter: Enter
    ) -> Response:
        viewer: Principal = request.state.viewer
        try:
            nonce = await self._desk.enter_once(
                typed.raw("key"),
                who=viewer.who,
                content=_hash_content(request, typed),
                now_s=now_s(self._local.clock),
                enter=lambda: run_in_threadpool(
                    self._run, form, ground, enter=enter, by=viewer.name
                ),
            )
        except (KeyStaleError, KeyUsedError) as err:
            warning = STALE if isinstance(err, KeyStaleError) else USED
            return await self._show(
                request, form, ground, typed=typed, status=status_of(err), warning=warning
            )
        except (RejectedError, ConflictError) as err:
            return await self._show(
                request, form, ground, typed=typed, status=status_of(err), refused=err
            )
        return _lead_to(nonce)

    def _run(self, form: EntryForm, ground: Ground, *, enter: Enter, by: str) -> Entered:
        done = enter(self._local, by)
        return Entered(
            form=form.name,
            by=by,
            customer_id=ground.customer.customer_id,
            customer_name=ground.customer.name,
            facts=done.facts,
            links=done.links,
        )

    async def _show(
        self,
        request: Request,
        form: EntryForm,
        ground: Ground,
        *,
        typed: Typed,
        status: int = 200,
        refused: NodeError | None = None,
        warning: str = "",
    ) -> Response:
        viewer: Principal = request.state.viewer
        key = self._desk.draw_key(who=viewer.who, now_s=now_s(self._local.clock))
        is_sent = request.method == "POST"
        view = FormPage(
            form=form,
            ground=ground,
            fields=form.build(ground),
            typed=typed.fields,
            errors=typed.errors,
            # What was refused may be sent again with its key; what is doubtful needs a new one.
            key=typed.raw("key") if is_sent and not warning else key,
            rows=count_rows(typed),
            is_fresh=not is_sent,
            refused=refused,
            warning=warning,
        )
        return await self._render(request, "entry.html", status=status, page=view)

    def _read_ground(self, form: EntryForm, request: Request) -> Ground:
        """Read what a form stands on.

        Raises:
            FormUnfitError: There is nothing of it to enter.
        """
        named = request.path_params
        story = None if "item_id" not in named else self._tell_item(named["item_id"])
        if story is None:
            customer_id = parse_customer_id(named["customer_id"])
        else:
            customer_id = story.item.customer_id
        customer = self._local.records.get_customer(customer_id)
        lines = self._list_lines(customer) if form.has_lines else []
        ground = Ground(
            customer=customer,
            today=self._local.business_date(),
            lines=tuple(lines[:LINES_SHOWN_MAX]),
            line_count=len(lines),
            story=story,
            dispute=self._find_dispute(story, named),
            default=self._find_default(customer, named),
            promise=self._find_promise(customer, named),
            application=self._find_application(customer, named),
            documents=tuple(one.id for one in self._local.applications.checklist.documents),
        )
        if not form.fits(ground):
            raise FormUnfitError("there is nothing of this to enter")
        return ground

    def _tell_item(self, text: str) -> ItemStory:
        key = parse_key(text)
        if key is None:
            raise ItemNotFoundError("there is no such item")
        return self._local.ledger.tell_item(key)

    def _list_lines(self, customer: CustomerRecord) -> list[OpenLine]:
        """Return what is owed and open, what fell due first at the front."""
        today = self._local.business_date()
        lines = self._local.ledger.list_open(customer.customer_id, as_of=today)
        return [line for line in lines if line.kind.is_debit]

    def _find_dispute(
        self, story: ItemStory | None, named: Mapping[str, str]
    ) -> StoredDispute | None:
        found = () if story is None else story.disputes
        key = parse_key(named.get("dispute_id", ""))
        return next((one for one in found if one.dispute_id == key), None)

    def _find_default(self, customer: CustomerRecord, named: Mapping[str, str]) -> Default | None:
        if "default_id" not in named:
            return None
        found = self._local.defaults.list_defaults(customer.customer_id)
        key = parse_key(named["default_id"])
        return next((one for one in found if one.default_id == key), None)

    def _find_application(
        self, customer: CustomerRecord, named: Mapping[str, str]
    ) -> StoredApplication | None:
        key = parse_key(named.get("application_id", ""))
        if key is None:
            return None
        found = self._local.applications.report(customer.customer_id).applications
        return next((one for one in found if one.application_id == key), None)

    def _find_promise(
        self, customer: CustomerRecord, named: Mapping[str, str]
    ) -> JudgedPromise | None:
        if "promise_id" not in named:
            return None
        today = self._local.business_date()
        found = self._local.promises.report(customer.customer_id, as_of=today).promises
        key = parse_key(named["promise_id"])
        return next((one for one in found if one.promise.promise_id == key), None)


def _hash_content(request: Request, typed: Typed) -> bytes:
    said = sorted((name, values) for name, values in typed.fields.items() if name != "key")
    return sha256(request.url.path.encode("utf-8"), repr(said).encode("utf-8"))


def _lead_to(nonce: str) -> Response:
    return RedirectResponse(f"/console/entered/{nonce}", status_code=303)
