"""The page of customers by whether the statement of their last closed year is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.assessment.policy_file import Language
from node.assessment.statements.coverage import CoverageRow
from node.assessment.statements.rules_coverage import COVERAGE_VERSION, Coverage
from node.assessment.statements.wording import say, say_missing
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.page_access import Reaching

STATEMENT_LIST_PATH = "/console/statements"
CUSTOMERS_READ_MAX = 2_000  # for one page; the next one goes on behind them
ROWS_PER_PAGE = 100
OPEN_STATES = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementList:
    """Some customers, those of a state shown, as far as the role may see."""

    rows: tuple[CoverageRow, ...]
    counts: Mapping[Coverage, int]
    state: str
    states: tuple[Coverage, ...]
    read: int
    hidden: int
    """Natural persons, who are left out."""
    has_persons: bool
    is_from_begin: bool
    next_after: int | None
    version: str
    words: Callable[[str, str], str]
    missing: Callable[[str], str]


def build_statement_list_routes(
    local: LocalNode, *, render: Render, page: BuildRoute
) -> list[BaseRoute]:
    """Return the route of the page."""

    async def show(request: Request) -> Response:
        viewer: Principal = request.state.viewer
        language = choose_language(request)
        after = parse_key(request.query_params.get("after", "")) or 0
        asked = request.query_params.get("state", OPEN_STATES)
        state = asked if asked in set(Coverage) | {"all"} else OPEN_STATES
        found = await run_in_threadpool(
            lambda: read_statement_list(local, viewer, after=after, state=state, language=language)
        )
        await run_in_threadpool(_record, local, viewer, found)
        return await render(request, "statement_list.html", page=found)

    return [page("GET", STATEMENT_LIST_PATH, show)]


def read_statement_list(
    local: LocalNode, viewer: Principal, *, after: int, state: str, language: Language
) -> StatementList:
    """Read customers until a page is full, or many were looked at."""
    sees_persons = Reaching(viewer=viewer).reads(Area.PERSONS)
    rows: list[CoverageRow] = []
    counts: Counter[Coverage] = Counter()
    read = hidden = 0
    has_persons = False
    following: int | None = after
    while following is not None and len(rows) < ROWS_PER_PAGE and read < CUSTOMERS_READ_MAX:
        found = local.statements.list_coverage(after=following, limit=ROWS_PER_PAGE)
        persons = local.portfolio.list_persons(
            among=[one.customer.customer_id for one in found.rows]
        )
        shown = [
            one for one in found.rows if sees_persons or one.customer.customer_id not in persons
        ]
        hidden += len(found.rows) - len(shown)
        has_persons = has_persons or (sees_persons and bool(persons))
        counts.update(one.year.state for one in shown)
        rows += [one for one in shown if _is_asked(one, state)]
        read += len(shown)
        following = found.next_after
    return StatementList(
        rows=tuple(rows),
        counts=counts,
        state=state,
        states=tuple(Coverage),
        read=read,
        hidden=hidden,
        has_persons=has_persons,
        is_from_begin=after == 0,
        next_after=following,
        version=COVERAGE_VERSION,
        words=lambda kind, code: say(kind, code, language),
        missing=lambda code: say_missing(code, language),
    )


def _is_asked(row: CoverageRow, state: str) -> bool:
    if state == OPEN_STATES:
        return row.year.state.is_open
    return state in {"all", row.year.state.value}


def _record(local: LocalNode, viewer: Principal, page: StatementList) -> None:
    areas = [Area.CREDIT, *([Area.PERSONS] if page.has_persons else [])]
    for area in areas:
        check_access(local.people, viewer, Access(area=area, target=STATEMENT_LIST_PATH))
