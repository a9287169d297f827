"""Pages of provisions: runs by day, one run with its matrix and movement, and who is behind it.

Lines name customers, and natural persons to nobody who may not see them. What is shown of a run is
what it kept: nothing is worked out again but what one customer is to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import NodeError
from node.core.people.areas import Access, Area, check_access
from node.records.rules_conversion import RateMissingError
from node.records.store import CustomerRecord
from node.records.tables import REASON_CHARS_MAX
from node.risk.losses.view_provision import (
    build_movement_object,
    build_run_object,
    build_specific_object,
    format_movement_csv,
    format_rate,
    name_line,
)
from node.risk.provisions.explaining import CustomerShare
from node.risk.provisions.service import (
    ProvisionInvalidError,
    ProvisionNotFoundError,
)
from node.risk.provisions.store import ProvisionRun
from node.web.authorisation import find_hidden
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.named_customers import read_customer
from node.web.share_chart import UsagePart, draw_usage
from node.web.step_forms import NOTHING_SENT, Enter, Sent, StepForms, get_viewer
from node.web.texts import Texts
from node.web.typed import Typed
from node.web.typed_share import read_percent
from node.web.wording import say_money

RUNS_PATH = "/console/provisions"
RUN_PATH = f"{RUNS_PATH}/{{run_id}}"
CUSTOMERS_PATH = f"{RUN_PATH}/customers"
CUSTOMER_PATH = f"{CUSTOMERS_PATH}/{{customer_id}}"
APART_PATH = "/console/provisions-apart"
END_APART_PATH = f"{APART_PATH}/{{apart_id}}/end"
RUNS_SHOWN, CUSTOMERS_SHOWN = 50, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """Runs, the newest first, and who is looked at apart."""

    runs: tuple[dict[str, Any], ...]
    apart: tuple[dict[str, Any], ...]
    names: dict[int, str]
    next_before: int | None
    today: str
    sent: Sent
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """One run; ``movement`` is None where it cannot be told, and ``refused`` says why."""

    run: dict[str, Any]
    names: dict[int, str]
    chart: str
    openings: tuple[tuple[int, str], ...]
    opening: int | None
    currency: str
    movement: dict[str, Any] | None
    refused: NodeError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesPage:
    """Those of whom most is expected to be lost."""

    run: dict[str, Any]
    shares: tuple[CustomerShare, ...]
    names: dict[int, str]
    hidden: int
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePage:
    """One customer in a run; ``lines`` are its buckets in words."""

    run: dict[str, Any]
    customer: CustomerRecord
    share: CustomerShare
    lines: tuple[dict[str, Any], ...]


def build_provisions_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, steps: StepForms
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _Provisions(local, render=render, steps=steps)

    def take(path: str, step: str, read: Any) -> BaseRoute:  # noqa: ANN401  a reader of the desk
        return page("POST", path, steps.build(step, read=read, show=desk.sent))

    return [
        page("GET", RUNS_PATH, desk.list_runs),
        page("GET", RUN_PATH, desk.show_run),
        page("GET", f"{RUN_PATH}/movement.csv", desk.send_movement),
        page("GET", CUSTOMERS_PATH, desk.list_shares),
        page("GET", CUSTOMER_PATH, desk.show_share),
        take(RUNS_PATH, "run", desk.read_run),
        take(APART_PATH, "apart", desk.read_apart),
        take(END_APART_PATH, "end-apart", desk.read_apart_end),
    ]


class _Provisions:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, steps: StepForms) -> None:
        self._local = local
        self._provisions = local.losses.provisions
        self._explainer = local.losses.explainer
        self._render = render
        self._steps = steps

    async def list_runs(self, request: Request) -> Response:
        """Show runs, and who is apart."""
        return await self.sent(request, NOTHING_SENT)

    async def sent(self, request: Request, sent: Sent) -> Response:
        """Show runs and who is apart, with a form that was not taken."""
        shown = await run_in_threadpool(self._read_runs, request, sent)
        return await self._render(request, "provisions.html", status=sent.status, page=shown)

    async def show_run(self, request: Request) -> Response:
        """Show one run."""
        shown = await run_in_threadpool(self._read_run, request)
        return await self._render(request, "provision.html", page=shown)

    async def send_movement(self, request: Request) -> Response:
        """Send the movement as the auditor's file."""

        def read() -> str:
            self._record(request)
            opening, currency = _read_opening(request)
            report = self._provisions.report_movement(
                _parse(request, "run_id"), opening_id=opening, currency=currency
            )
            return format_movement_csv(report)

        text = await run_in_threadpool(read)
        return PlainTextResponse(text, media_type="text/csv; charset=utf-8")

    async def list_shares(self, request: Request) -> Response:
        """Show who is behind a run."""
        shown = await run_in_threadpool(self._read_shares, request)
        return await self._render(request, "provision_customers.html", page=shown)

    async def show_share(self, request: Request) -> Response:
        """Show one customer in a run."""
        shown = await run_in_threadpool(self._read_share, request)
        return await self._render(request, "provision_customer.html", page=shown)

    def read_run(self, request: Request, typed: Typed) -> Enter:
        """Read for which day is provided."""
        by, as_of = get_viewer(request).name, typed.day("as_of")

        def enter() -> str:
            self._provisions.run(by=by, as_of=as_of)
            return RUNS_PATH

        return enter

    def read_apart(self, request: Request, typed: Typed) -> Enter:
        """Read who is looked at apart, and what of the balance is taken as lost."""
        by, from_on = get_viewer(request).name, typed.find_day("from_on")
        rate_ppm = read_percent(typed, "rate")
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)
        customer_id = read_customer(self._local, request, typed, "customer")

        def enter() -> str:
            self._provisions.set_apart(
                customer_id, rate_ppm=rate_ppm, reason=reason, by=by, from_on=from_on
            )
            return f"{RUNS_PATH}#apart"

        return enter

    def read_apart_end(self, request: Request, typed: Typed) -> Enter:
        """Read why a customer goes back into the pool."""
        apart_id, by = _parse(request, "apart_id"), get_viewer(request).name
        reason = typed.text("reason", chars_max=REASON_CHARS_MAX)

        def enter() -> str:
            self._provisions.end_apart(apart_id, reason=reason, by=by)
            return f"{RUNS_PATH}#apart"

        return enter

    def _read_runs(self, request: Request, sent: Sent) -> RunsPage:
        self._record(request)
        language = choose_language(request)
        before = parse_key(request.query_params.get("before", ""))
        runs = self._provisions.list_runs(limit=RUNS_SHOWN, before=before)
        apart = self._provisions.list_apart()
        hidden = find_hidden(
            self._local,
            request,
            [*(one.customer_id for one in apart), *_list_named(runs)],
        )
        shown = [one for one in apart if one.customer_id not in hidden]
        return RunsPage(
            runs=tuple(build_run_object(one, language=language, hidden=hidden) for one in runs),
            apart=tuple(build_specific_object(one) for one in reversed(shown)),
            names=self._read_names(one.customer_id for one in shown),
            next_before=runs[-1].run_id if len(runs) == RUNS_SHOWN else None,
            today=self._local.business_date().isoformat(),
            sent=sent,
            key=self._steps.draw_key(request),
        )

    def _read_run(self, request: Request) -> RunPage:
        self._record(request)
        language, texts = choose_language(request), Texts(choose_language(request))
        run = self._provisions.get_run(_parse(request, "run_id"))
        content = run.content
        named = _list_named([run])
        hidden = find_hidden(self._local, request, named)
        opening, currency = _read_opening(request)
        movement, refused = None, None
        try:
            report = self._provisions.report_movement(
                run.run_id, opening_id=opening, currency=currency
            )
            movement = build_movement_object(report, language=language)
        except (ProvisionInvalidError, ProvisionNotFoundError, RateMissingError) as err:
            refused = err
        shown = build_run_object(run, language=language, hidden=hidden)
        earlier = self._provisions.list_runs(
            currency=content.currency, limit=RUNS_SHOWN, before=run.run_id
        )
        return RunPage(
            run=shown,
            names=self._read_names(one for one in named if one not in hidden),
            chart=_draw(shown, texts),
            openings=tuple(
                (one.run_id, one.content.as_of.isoformat())
                for one in earlier
                if one.content.as_of < content.as_of
            ),
            opening=movement["opening_run"] if movement else opening,
            currency=currency or content.currency,
            movement=movement,
            refused=refused,
        )

    def _read_shares(self, request: Request) -> SharesPage:
        self._record(request)
        run = self._provisions.get_run(_parse(request, "run_id"))
        found = self._explainer.list_largest(run.run_id, limit=CUSTOMERS_SHOWN)
        hidden = find_hidden(self._local, request, [one.customer_id for one in found])
        shown = [one for one in found if one.customer_id not in hidden]
        return SharesPage(
            run=build_run_object(run, language=choose_language(request), hidden=hidden),
            shares=tuple(shown),
            names=self._read_names(one.customer_id for one in shown),
            hidden=len(found) - len(shown),
            is_cut=len(found) == CUSTOMERS_SHOWN,
        )

    def _read_share(self, request: Request) -> SharePage:
        self._record(request)
        language = choose_language(request)
        run = self._provisions.get_run(_parse(request, "run_id"))
        share = self._explainer.explain(run.run_id, _parse(request, "customer_id"))
        return SharePage(
            run=build_run_object(run, language=language),
            customer=self._local.records.get_customer(share.customer_id),
            share=share,
            lines=tuple(
                {
                    "text": name_line(one.line, after_days=one.after_days, language=language),
                    "stage": one.line.stage.value,
                    "balance_minor": one.balance_minor,
                    "rate_text": format_rate(one.line.rate),
                    "allowance_minor": one.allowance_minor,
                }
                for one in share.lines
            ),
        )

    def _read_names(self, keys: Iterable[int]) -> dict[int, str]:
        return {key: self._local.records.get_customer(key).name for key in sorted(set(keys))}

    def _record(self, request: Request) -> None:
        access = Access(area=Area.CREDIT, target=request.url.path)
        check_access(self._local.people, get_viewer(request), access)


def _draw(run: dict[str, Any], texts: Texts) -> str:
    currency = run["currency"]
    parts = [
        UsagePart(
            label=texts("provisions.stage", number=one["stage"]),
            minor=one["allowance_minor"],
            text=say_money(one["allowance_minor"], currency),
        )
        for one in run["stages"]
    ]
    total = say_money(run["allowance_minor"], currency)
    return draw_usage(
        parts, limit_minor=None, limit_text="", title=texts("provisions.chart", total=total)
    )


def _list_named(runs: Sequence[ProvisionRun]) -> list[int]:
    found = {line.customer_id for run in runs for line in run.content.lines}
    return sorted(one for one in found if one is not None)


def _read_opening(request: Request) -> tuple[int | None, str | None]:
    currency = request.query_params.get("currency", "").strip().upper()
    return parse_key(request.query_params.get("opening", "")), currency or None


def _parse(request: Request, name: str) -> int:
    key = parse_key(request.path_params[name])
    if key is None:
        raise ProvisionNotFoundError("there is no such run or customer")
    return key
