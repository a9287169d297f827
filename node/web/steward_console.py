"""The data steward's work list: who may be one company, what is to be corrected, what is due to go.

A merge is entered here, by a person and with a reason; what is corrected or deleted goes by the
case, the ledger's forms and the command, which the page names.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import RejectedError
from node.core.http.bodies import read_bounded
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.governance.cases.rules_case import CaseKind, CaseState
from node.governance.cases.store import CaseFilter
from node.governance.cases.view import build_summary_object
from node.records.due import DueStory
from node.records.rules_duplicates import Suspicion
from node.records.store import CustomerRecord
from node.records.tables import REASON_CHARS_MAX
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.languages import choose_language
from node.web.page_access import Reaching
from node.web.typed import Typed

STEWARD_PATH = "/console/steward"
MERGE_PATH = f"{STEWARD_PATH}/merge"
SUSPICIONS_SHOWN = 50
CASES_SHOWN = 100
DUE_SHOWN = 100
FORM_BYTES_MAX = 4_096
FORM_FIELDS_MAX = 4
# Decided for the customer, and not yet put right.
TO_CORRECT = (CaseState.UPHELD, CaseState.SUPPRESSED)


class MergeFormError(RejectedError):
    """A form does not say which two customers are one, or why."""

    code = "merge-form"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkList:
    """All that waits; ``is_cut`` where there is more to delete than is shown."""

    suspicions: tuple[Suspicion, ...]
    suspicions_in_all: int
    cases: tuple[dict[str, Any], ...]
    due: tuple[DueStory, ...]
    is_cut: bool
    customers: dict[int, CustomerRecord]
    has_persons: bool


def build_steward_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the page and of its form."""
    desk = _Steward(local, render=render, parse_form=parse_form)
    return [page("GET", STEWARD_PATH, desk.show), page("POST", MERGE_PATH, desk.merge)]


class _Steward:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form

    async def show(self, request: Request) -> Response:
        """Show what waits."""
        may = Reaching(viewer=request.state.viewer)
        has_cases = may.reads(Area.CASES)
        work = await run_in_threadpool(self._read, request, has_cases=has_cases)
        if has_cases and work.cases:
            await self._record(request, Area.CASES)
        if work.has_persons:
            await self._record(request, Area.PERSONS)
        return await self._render(
            request,
            "steward.html",
            work=work,
            has_cases=has_cases,
            merged=parse_key(request.query_params.get("moved", "")),
        )

    async def merge(self, request: Request) -> Response:
        """Enter that a customer is another one, and lead back."""
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        typed = Typed(self._parse_form(body, fields_max=FORM_FIELDS_MAX))
        viewer: Principal = request.state.viewer
        gone, stays = (parse_key(typed.raw(name)) for name in ("gone", "stays"))
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)
        if gone is None or stays is None or typed.errors:
            raise MergeFormError("which customer goes into which, and a reason")
        moved = await run_in_threadpool(
            lambda: self._local.customers.merge(gone, into_id=stays, reason=reason, by=viewer.name)
        )
        return RedirectResponse(f"{STEWARD_PATH}?moved={moved}", status_code=303)

    def _read(self, request: Request, *, has_cases: bool) -> WorkList:
        local = self._local
        today, language = local.business_date(), choose_language(request)
        found = local.customers.find_duplicates()
        shown = found[:SUSPICIONS_SHOWN]
        due = list(islice(local.lifecycle.iterate_due(as_of=today), DUE_SHOWN + 1))
        cases = (
            local.governance.cases.list_cases(
                CaseFilter(states=TO_CORRECT, kinds=(CaseKind.OBJECTION,)), limit=CASES_SHOWN
            )
            if has_cases
            else []
        )
        keys = {one for pair in shown for one in (pair.first_id, pair.second_id)}
        keys |= {one.customer_id for one in due}
        customers = {key: local.records.get_customer(key) for key in sorted(keys)}
        return WorkList(
            suspicions=tuple(shown),
            suspicions_in_all=len(found),
            cases=tuple(
                build_summary_object(one, today=today, language=language)
                for one in cases
                if one.corrected_on is None
            ),
            due=tuple(due[:DUE_SHOWN]),
            is_cut=len(due) > DUE_SHOWN,
            customers=customers,
            has_persons=bool(local.portfolio.list_persons(among=sorted(keys))),
        )

    async def _record(self, request: Request, area: Area) -> None:
        access = Access(area=area, target=request.url.path)
        await run_in_threadpool(check_access, self._local.people, request.state.viewer, access)
