"""Forms that enter, correct and withdraw a customer's financial statements.

Checked before it is kept: the button that checks shows what the checks find and keeps nothing. A
form that is sent twice enters once: the same statement again is known already, and a statement that
was corrected or withdrawn is no longer there to be so again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.assessment.statements.errors import StatementInvalidError, StatementNotFoundError
from node.assessment.statements.rules_findings import Finding, has_errors
from node.assessment.statements.rules_statement import (
    YEARS_SHOWN_MAX,
    Assurance,
    Basis,
    Gaap,
    Statement,
    Unit,
)
from node.assessment.statements.service import Entered
from node.assessment.statements.store import StatementVersion
from node.assessment.statements.wording import say
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import ConflictError, NodeError, RejectedError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.records.importing.cells import AmountForm
from node.records.store import CustomerRecord
from node.records.tables import REASON_CHARS_MAX
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.languages import choose_language
from node.web.statement_form import (
    FIELDS_MAX,
    NO_REMARKS,
    FormPart,
    ReadForm,
    Remarks,
    begin_form,
    build_parts,
    build_remarks,
    count_columns,
    fill_form,
    name_label,
    read_form,
)
from node.web.texts import Texts
from node.web.typed import Typed

STATEMENTS = "/console/customers/{customer_id}/statements"
FORM_BYTES_MAX = 131_072
_PATHS = (
    ("GET", f"{STATEMENTS}/new"),
    ("POST", f"{STATEMENTS}/new"),
    ("GET", f"{STATEMENTS}/{{statement_id}}/correction"),
    ("POST", f"{STATEMENTS}/{{statement_id}}/correction"),
    ("GET", f"{STATEMENTS}/{{statement_id}}/withdrawal"),
    ("POST", f"{STATEMENTS}/{{statement_id}}/withdrawal"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a form stands on: whose, which statement it is of, and what stands beside it."""

    customer: CustomerRecord
    version: StatementVersion | None
    series: tuple[StatementVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFormPage:
    """A form as it is shown."""

    customer: CustomerRecord
    version: StatementVersion | None
    typed: Typed
    years: tuple[int, ...]
    beside: tuple[StatementVersion, ...]
    parts: tuple[FormPart, ...]
    remarks: Remarks
    is_checked: bool
    refused: NodeError | None

    @property
    def home(self) -> str:
        """Where the statements are seen."""
        return f"/console/customers/{self.customer.customer_id}/statements"

    @property
    def may_grow(self) -> bool:
        """Whether another year has room."""
        return self.version is None and len(self.years) < YEARS_SHOWN_MAX


def build_statement_form_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of the forms."""
    pages = _StatementPages(local, render=render, parse_form=parse_form)
    handlers = (
        pages.show,
        pages.take,
        pages.show,
        pages.take,
        pages.show_withdrawal,
        pages.take_withdrawal,
    )
    return [
        page(method, path, handler)
        for (method, path), handler in zip(_PATHS, handlers, strict=True)
    ]


class _StatementPages:
    """The handlers; they have no state."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form

    async def show(self, request: Request) -> Response:
        """Show the form, empty or as the statement says that is to be corrected."""
        standing = await self._open(request)
        if standing.version is not None:
            typed = Typed(fill_form(standing.version))
        else:
            newest = standing.series[-1] if standing.series else None
            typed = Typed(begin_form(today=self._local.business_date(), like=newest))
        return await self._show(request, standing, typed)

    async def take(self, request: Request) -> Response:
        """Take the form: one year more, a check, or what is to be kept."""
        typed = await self._read_typed(request)
        standing = await self._open(request)
        if typed.raw("more"):
            grown = {**typed.fields, "years": [str(count_columns(typed) + 1)]}
            return await self._show(request, standing, Typed(grown))
        version = standing.version
        form = read_form(typed, fixed=None if version is None else version.statement)
        if typed.errors:
            return await self._show(request, standing, typed, form=form, status=422)
        is_trial = bool(typed.raw("check"))
        viewer: Principal = request.state.viewer
        try:
            entered = await run_in_threadpool(
                lambda: self._enter(standing, form, by=viewer.name, is_trial=is_trial)
            )
        except StatementInvalidError as err:
            return await self._show(
                request, standing, typed, form=form, found=err.findings, status=status_of(err)
            )
        except (RejectedError, ConflictError) as err:
            return await self._show(
                request, standing, typed, form=form, refused=err, status=status_of(err)
            )
        if is_trial:
            status = 422 if has_errors(entered.findings) else 200
            return await self._show(
                request, standing, typed, form=form, found=entered.findings, status=status
            )
        basis = next(iter(form.statements.values())).basis
        return _lead_home(standing.customer.customer_id, basis=basis)

    async def show_withdrawal(self, request: Request) -> Response:
        """Show what is to be withdrawn."""
        return await self._show_withdrawal(request, await self._open(request), Typed({}))

    async def take_withdrawal(self, request: Request) -> Response:
        """Take a statement out of what counts."""
        typed = await self._read_typed(request)
        standing = await self._open(request)
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)
        if typed.errors or standing.version is None:
            return await self._show_withdrawal(request, standing, typed, status=422)
        viewer: Principal = request.state.viewer
        version, customer_id = standing.version, standing.customer.customer_id
        try:
            await run_in_threadpool(
                lambda: self._local.statements.withdraw(
                    customer_id, version.statement_id, reason=reason, by=viewer.name
                )
            )
        except (RejectedError, ConflictError) as err:
            return await self._show_withdrawal(
                request, standing, typed, refused=err, status=status_of(err)
            )
        return _lead_home(customer_id, basis=version.statement.basis)

    def _enter(self, standing: Standing, form: ReadForm, *, by: str, is_trial: bool) -> Entered:
        customer_id, version = standing.customer.customer_id, standing.version
        statements = list(form.statements.values())
        if version is None:
            return self._local.statements.enter(
                customer_id, statements, provenance=form.provenance, by=by, is_trial=is_trial
            )
        return self._local.statements.correct(
            customer_id,
            version.statement_id,
            statements[0],
            provenance=form.provenance,
            reason=form.reason,
            by=by,
            is_trial=is_trial,
        )

    async def _read_typed(self, request: Request) -> Typed:
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        return Typed(self._parse_form(body, fields_max=FIELDS_MAX))

    async def _open(self, request: Request) -> Standing:
        """Read what the form stands on, and record the look at it.

        Raises:
            CustomerNotFoundError: There is no such customer.
            StatementNotFoundError: The customer has no such statement that counts.
        """
        viewer: Principal = request.state.viewer
        standing = await run_in_threadpool(self._read_standing, request)
        target = f"/customers/{standing.customer.customer_id}/statements"
        await run_in_threadpool(
            check_access, self._local.people, viewer, Access(area=Area.CREDIT, target=target)
        )
        return standing

    def _read_standing(self, request: Request) -> Standing:
        named = request.path_params
        customer = self._local.records.get_customer(parse_customer_id(named["customer_id"]))
        version, basis = None, None
        if "statement_id" in named:
            key = parse_key(named["statement_id"])
            if key is None:
                raise StatementNotFoundError("there is no such statement")
            version = self._local.statements.get_version(customer.customer_id, key)
            basis = version.statement.basis
        report = self._local.statements.report(customer.customer_id, basis=basis)
        return Standing(
            customer=customer, version=version, series=tuple(one.version for one in report.years)
        )

    async def _show(
        self,
        request: Request,
        standing: Standing,
        typed: Typed,
        *,
        form: ReadForm | None = None,
        found: Sequence[Finding] = (),
        refused: NodeError | None = None,
        status: int = 200,
    ) -> Response:
        language = choose_language(request)
        statements: Mapping[int, Statement] = {} if form is None else form.statements
        remarks = NO_REMARKS
        if form is not None:
            remarks = build_remarks(typed, found, statements, Texts(language))
        years = tuple(range(1, 1 + (1 if standing.version else count_columns(typed))))
        beside = _choose_beside(standing, statements, columns=len(years))
        view = StatementFormPage(
            customer=standing.customer,
            version=standing.version,
            typed=typed,
            years=years,
            beside=beside,
            parts=build_parts(beside, language),
            remarks=remarks,
            is_checked=form is not None and refused is None and not remarks.fields,
            refused=refused,
        )
        return await self._render(
            request,
            "statement_form.html",
            status=status,
            page=view,
            units=list(Unit),
            bases=list(Basis),
            gaaps=list(Gaap),
            assurances=list(Assurance),
            amount_forms=list(AmountForm),
            name_label=lambda name: name_label(name, Texts(language)),
            words=lambda kind, code: say(kind, code, language),
        )

    async def _show_withdrawal(
        self,
        request: Request,
        standing: Standing,
        typed: Typed,
        *,
        refused: NodeError | None = None,
        status: int = 200,
    ) -> Response:
        language = choose_language(request)
        return await self._render(
            request,
            "statement_withdrawal.html",
            status=status,
            customer=standing.customer,
            statement=standing.version,
            typed=typed,
            refused=refused,
            chars_max=REASON_CHARS_MAX,
            words=lambda kind, code: say(kind, code, language),
        )


def _choose_beside(
    standing: Standing, statements: Mapping[int, Statement], *, columns: int
) -> tuple[StatementVersion, ...]:
    """Return the newest years that stand and are not in the form, as many as have room."""
    typed = {one.year_end for one in statements.values()}
    if standing.version is not None:
        typed.add(standing.version.statement.year_end)
    others = [one for one in standing.series if one.statement.year_end not in typed]
    room = YEARS_SHOWN_MAX - columns
    return tuple(others[-room:]) if room > 0 else ()


def _lead_home(customer_id: int, *, basis: Basis) -> Response:
    return RedirectResponse(
        f"/console/customers/{customer_id}/statements?basis={basis.value}", status_code=303
    )
