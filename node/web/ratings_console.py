"""Pages of rating runs: what they changed, the migration matrix, and the calendar of reviews."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import NodeError
from node.core.http.bodies import read_bounded
from node.core.http.problems import status_of
from node.core.people.areas import Access, Area, check_access, may_access
from node.core.people.service import Principal
from node.rating.rules_movement import Matrix, MatrixRow, Movement
from node.rating.rules_review import ReviewState, Trigger
from node.rating.rules_run import RunState
from node.rating.runs.commands import format_csv
from node.rating.runs.desk import RunDayError, RunJob
from node.rating.runs.movements import Comparison, NoRunBeforeError, Selection, name_run
from node.rating.runs.reviews import UNTIL_DAYS, Review, count_states
from node.rating.runs.service import RunReport, RunUnderWayError
from node.rating.store.movements import MovedCustomer
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.languages import choose_language
from node.web.texts import Texts
from node.web.wording import say_code

RATINGS_PATH = "/console/ratings"
CUSTOMERS_PATH = f"{RATINGS_PATH}/customers"
REVIEWS_PATH = f"{RATINGS_PATH}/reviews"
RUNS_PATH = f"{RATINGS_PATH}/runs"
FORM_BYTES_MAX = 4_096
FEW_FIELDS_MAX = 8
WAITED_S = 1
ROWS_PER_PAGE = 50
REVIEWS_SHOWN_MAX = 500
RUNS_SHOWN = 20
SIDE_CHARACTERS_MAX = 32
HEATS = 5  # shades, from few to all of a row
_PERMILLE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the matrix: its number, its share in words, its shade, where it leads."""

    count: int
    share: str
    style: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixLine:
    """One row of the matrix."""

    before: str
    n: int
    address: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingsPage:
    """Runs, and the comparison of two sides if there are two."""

    runs: tuple[RunReport, ...]
    comparison: Comparison | None
    lines: tuple[MatrixLine, ...]
    sees_peers: bool
    today: date
    job: RunJob | None
    refused: NodeError | None

    @property
    def is_running(self) -> bool:
        """Whether a run is at work here."""
        return self.job is not None and self.job.is_running

    @property
    def open_day(self) -> date:
        """The day of a run that waits to be gone on with; today, where none does."""
        states = {one.state: one.run.terms.as_of for one in self.runs[:1]}
        return states.get(RunState.INTERRUPTED, self.today)

    def list_address(self, movement: Movement) -> str:
        """Return the address of the customers of a movement."""
        return _address(self.comparison, movement=movement.value)

    def run_address(self, run: RunReport) -> str:
        """Return the address of a run compared with the one before it."""
        return f"{RATINGS_PATH}?{urlencode({'after': name_run(run.run.run_id)})}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedPage:
    """A page of customers of a comparison."""

    before: str
    after: str
    title: str
    moved: tuple[MovedCustomer, ...]
    reasons: tuple[str, ...]
    hidden: frozenset[int]
    next_address: str
    back_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """One customer on the calendar."""

    review: Review
    grade: str
    triggers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsPage:
    """The calendar."""

    until: date
    counts: tuple[tuple[ReviewState, int], ...]
    lines: tuple[ReviewLine, ...]
    count: int
    hidden: frozenset[int]

    @property
    def csv_address(self) -> str:
        """Return the address of the calendar as a file."""
        return f"{REVIEWS_PATH}.csv?{urlencode({'until': self.until.isoformat()})}"


def build_ratings_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes."""
    pages = _RatingsPages(local, render=render, parse_form=parse_form)
    return [
        page("GET", RATINGS_PATH, pages.show),
        page("POST", RUNS_PATH, pages.begin),
        page("GET", CUSTOMERS_PATH, pages.show_customers),
        page("GET", REVIEWS_PATH, pages.show_reviews),
        page("GET", f"{REVIEWS_PATH}.csv", pages.send_reviews),
    ]


class _RatingsPages:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render, parse_form: ParseForm) -> None:
        self._local = local
        self._render = render
        self._parse_form = parse_form

    async def show(self, request: Request) -> Response:
        """Show runs, how far the one at work is, and the comparison."""
        return await self._show(request)

    async def begin(self, request: Request) -> Response:
        """Begin a run, or go on with an interrupted one; a small portfolio's is waited for."""
        body = await read_bounded(request, bytes_max=FORM_BYTES_MAX)
        typed = self._parse_form(body, fields_max=FEW_FIELDS_MAX).get("as_of", [""])[0].strip()
        as_of = _parse_day(typed) if typed else self._local.business_date()
        if as_of is None:
            return await self._show(request, refused=RunDayError("a day as 2026-10-31"))
        try:
            job = await self._local.run_desk.start(as_of=as_of, by=_viewer(request).name)
        except (RunDayError, RunUnderWayError) as err:
            return await self._show(request, refused=err)
        if job.task is not None:
            await asyncio.wait([job.task], timeout=WAITED_S)
        return RedirectResponse(RATINGS_PATH, status_code=303)

    async def _show(self, request: Request, *, refused: NodeError | None = None) -> Response:
        job = self._local.run_desk.find()
        failure = refused or (None if job is None else job.failure)
        shown = await run_in_threadpool(lambda: self._read(request, job=job, refused=failure))
        status = 200 if refused is None else status_of(refused)
        return await self._render(request, "ratings.html", status=status, page=shown)

    async def show_customers(self, request: Request) -> Response:
        """Show the customers behind a number."""
        shown = await run_in_threadpool(self._read_moved, request)
        return await self._render(request, "rating_customers.html", page=shown)

    async def show_reviews(self, request: Request) -> Response:
        """Show the calendar."""
        shown = await run_in_threadpool(self._read_reviews, request)
        return await self._render(request, "rating_reviews.html", page=shown)

    async def send_reviews(self, request: Request) -> Response:
        """Send the calendar as a file."""
        content = await run_in_threadpool(self._write_reviews, request)
        return Response(
            content,
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="reviews.csv"'},
        )

    def _read(
        self, request: Request, *, job: RunJob | None, refused: NodeError | None
    ) -> RatingsPage:
        sees_peers = self._sees(request, Area.PEERS)
        before, after = _read_sides(request)
        try:
            found = self._local.movements.compare(before=before, after=after, with_peers=sees_peers)
        except NoRunBeforeError:
            found = None
        check_access(self._local.people, _viewer(request), _credit(request))
        return RatingsPage(
            runs=tuple(self._local.runs.list_runs(limit=RUNS_SHOWN)),
            comparison=found,
            lines=() if found is None else _build_lines(found),
            sees_peers=sees_peers,
            today=self._local.business_date(),
            job=job,
            refused=refused,
        )

    def _read_moved(self, request: Request) -> MovedPage:
        asked = request.query_params
        before, after = _read_sides(request)
        movement = _find_movement(asked.get("movement", ""))
        cell = {name: asked.get(name) for name in ("grade_before", "grade_after")}
        sees_peers = self._sees(request, Area.PEERS)
        moved = self._local.movements.list_customers(
            before=before,
            after=after,
            selection=Selection(
                movement=movement,
                grade_before=cell["grade_before"],
                grade_after=cell["grade_after"],
            ),
            with_peers=sees_peers,
            after_id=parse_key(asked.get("after_customer", "0")) or 0,
            limit=ROWS_PER_PAGE + 1,
        )
        check_access(self._local.people, _viewer(request), _credit(request))
        texts, shown = Texts(choose_language(request)), moved[:ROWS_PER_PAGE]
        here = {name: one for name, one in asked.items() if name not in {"after_customer", "lang"}}
        onward = here | {"after_customer": str(shown[-1].customer_id)} if shown else here
        return MovedPage(
            before=before or "",
            after=after or "",
            title=_title(movement, cell, texts),
            moved=tuple(shown),
            reasons=tuple(self._say_reason(one, texts) for one in shown),
            hidden=self._find_hidden(request, [one.customer_id for one in shown]),
            next_address=f"{CUSTOMERS_PATH}?{urlencode(onward)}" if len(moved) > len(shown) else "",
            back_address=_address_sides(before, after),
        )

    def _read_reviews(self, request: Request) -> ReviewsPage:
        until, reviews = self._list_reviews(request)
        texts, sees_peers = Texts(choose_language(request)), self._sees(request, Area.PEERS)
        shown = reviews[:REVIEWS_SHOWN_MAX]
        check_access(self._local.people, _viewer(request), _credit(request))
        return ReviewsPage(
            until=until,
            counts=tuple(count_states(reviews).items()),
            lines=tuple(_build_review(one, texts, sees_peers=sees_peers) for one in shown),
            count=len(reviews),
            hidden=self._find_hidden(request, [one.row.customer_id for one in shown]),
        )

    def _write_reviews(self, request: Request) -> bytes:
        _, reviews = self._list_reviews(request)
        hidden = self._find_hidden(request, [one.row.customer_id for one in reviews])
        check_access(self._local.people, _viewer(request), _credit(request))
        return format_csv(reviews, hidden=hidden, with_peers=self._sees(request, Area.PEERS))

    def _list_reviews(self, request: Request) -> tuple[date, list[Review]]:
        today = self._local.business_date()
        until = _parse_day(request.query_params.get("until", ""))
        until = today + timedelta(days=UNTIL_DAYS) if until is None else until
        shows_peers = self._sees(request, Area.PEERS)
        return until, self._local.reviews.list_reviews(
            today=today, until=until, shows_peers=shows_peers
        )

    def _say_reason(self, moved: MovedCustomer, texts: Texts) -> str:
        code = moved.reason_after or moved.reason_before
        if code is None:
            return ""
        policy = moved.policy_after if moved.reason_after else moved.policy_before
        try:
            return self._local.assessment.describe(code, language=texts.language, policy=policy)
        except NodeError:  # Of a policy that is not held any more.
            return code

    def _sees(self, request: Request, area: Area) -> bool:
        return may_access(_viewer(request), Access(area=area, target=""))

    def _find_hidden(self, request: Request, customer_ids: Sequence[int]) -> frozenset[int]:
        """Return the natural persons among some customers, if they are not to be seen."""
        persons = self._local.portfolio.list_persons(among=customer_ids)
        access = Access(area=Area.PERSONS, target=request.url.path)
        if persons and may_access(_viewer(request), access):
            check_access(self._local.people, _viewer(request), access)
            return frozenset()
        return persons


def _viewer(request: Request) -> Principal:
    viewer: Principal = request.state.viewer
    return viewer


def _credit(request: Request) -> Access:
    return Access(area=Area.CREDIT, target=request.url.path)


def _read_sides(request: Request) -> tuple[str | None, str | None]:
    before, after = (
        request.query_params.get(name, "").strip()[:SIDE_CHARACTERS_MAX] or None
        for name in ("before", "after")
    )
    return before, after


def _find_movement(text: str) -> Movement | None:
    return Movement(text) if text in set(Movement) else None


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _address_sides(before: str | None, after: str | None) -> str:
    asked = {name: one for name, one in (("before", before), ("after", after)) if one}
    return f"{RATINGS_PATH}?{urlencode(asked)}" if asked else RATINGS_PATH


def _address(comparison: Comparison | None, **chosen: str) -> str:
    sides = {} if comparison is None else {"before": comparison.before, "after": comparison.after}
    return f"{CUSTOMERS_PATH}?{urlencode(sides | chosen)}"


def _build_lines(found: Comparison) -> tuple[MatrixLine, ...]:
    return tuple(
        MatrixLine(
            before=row.before,
            n=row.n,
            address=_address(found, grade_before=row.before),
            cells=tuple(
                _build_cell(found, row, after, matrix=found.matrix) for after in found.matrix.grades
            ),
        )
        for row in found.matrix.rows
    )


def _build_cell(found: Comparison, row: MatrixRow, after: str, *, matrix: Matrix) -> Cell:
    share = row.share_permille(after) or 0
    places = {grade: place for place, grade in enumerate(matrix.grades)}
    distance = places[after] - places[row.before]
    side = "same" if not distance else "worse" if distance > 0 else "better"
    shade = -(-share * HEATS // _PERMILLE)
    return Cell(
        count=row.counts.get(after, 0),
        share=f"{share // 10}.{share % 10}\N{NO-BREAK SPACE}%",
        style=f"heat-{shade} heat-{side}",
        address=_address(found, grade_before=row.before, grade_after=after),
    )


def _title(movement: Movement | None, cell: dict[str, str | None], texts: Texts) -> str:
    if movement is not None:
        return say_code("movement", movement.value, texts)
    named = [
        texts("ratings.no-rating") if one == "" else one or texts("list.any-grade")
        for one in cell.values()
    ]
    return " → ".join(named)


def _build_review(review: Review, texts: Texts, *, sees_peers: bool) -> ReviewLine:
    rating = review.row.rating
    grade = ""
    if rating is not None:
        grade = rating.grade_with_peers if sees_peers else rating.grade_own
    if review.override is not None:
        held = review.override if sees_peers else review.override.without_peers
        grade = held.grade_after
    return ReviewLine(
        review=review,
        grade=grade,
        triggers=tuple(
            say_code("trigger" if one in set(Trigger) else "renewal", one, texts)
            for one in review.triggers
        ),
    )
