"""``chengxin rate run | runs | diff | matrix | reviews``: the portfolio as a whole."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from node.assessment.commands import AsOfOption, JsonOption
from node.core.people.areas import Area
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService
from node.core.spreadsheets import tame_cell
from node.core.terminal import show_json, show_table
from node.rating.rules_movement import Matrix, Movement
from node.rating.runs.movements import Comparison, MovementService, Selection
from node.rating.runs.reviews import UNTIL_DAYS, Review, ReviewService, count_states
from node.rating.runs.service import RunReport, RunService
from node.rating.runs.view import (
    build_comparison_object,
    build_matrix_object,
    build_moved_object,
    build_reviews_object,
    build_run_object,
)
from node.rating.store.movements import MovedCustomer

EXIT_INTERRUPTED = 130  # as shells say it of a key pressed
LIST_MAX = 500
NO_GRADE = "-"
CSV_HEADER = (
    "customer", "subject", "name", "state", "grade", "rated_on", "review_on", "valid_until",
    "days", "triggers",
)  # fmt: skip

BeforeOption = Annotated[
    str | None,
    typer.Option("--before", help="A day (2026-10-31) or a run (run-7); default: the run before."),
]
AfterOption = Annotated[
    str | None,
    typer.Option("--after", help="A day or a run; default: the last finished run."),
]
OwnOption = Annotated[
    bool, typer.Option("--own", help="Grades from own records alone, without peers.")
]


class RunNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def runs(self) -> RunService:
        """Runs over the portfolio."""
        ...

    @property
    def movements(self) -> MovementService:
        """What runs and days changed."""
        ...

    @property
    def reviews(self) -> ReviewService:
        """The calendar of reviews."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


def run_all(
    ctx: typer.Context,
    *,
    as_of: AsOfOption = None,
    by: Annotated[str, typer.Option("--by", help="Who runs it.")] = "operator",
    as_json: JsonOption = False,
) -> None:
    """Rate the whole portfolio; a run that was interrupted is gone on with."""
    node: RunNode = ctx.obj
    day = as_of.date() if as_of else node.business_date()
    print_run(run_with_progress(node.runs, day, by=by, is_quiet=as_json), as_json=as_json)


def list_runs(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the newest runs with their states."""
    node: RunNode = ctx.obj
    reports = node.runs.list_runs()
    if as_json:
        show_json([build_run_object(one) for one in reports])
        return
    table = Table("Run", "As of", "State", "Rated", "Skipped", "Policy", "Scale", "By")
    for one in reports:
        run = one.run
        table.add_row(
            str(run.run_id),
            run.terms.as_of.isoformat(),
            one.state.value,
            f"{run.rated:,}",
            f"{run.skipped:,}",
            run.terms.policy.label,
            run.terms.scale.label,
            run.started_by,
        )
    show_table(table)


def show_diff(
    ctx: typer.Context,
    *,
    before: BeforeOption = None,
    after: AfterOption = None,
    only: Annotated[
        Movement | None, typer.Option("--list", help="List the customers of a movement.")
    ] = None,
    own: OwnOption = False,
    after_id: Annotated[
        int, typer.Option("--after-customer", help="Go on behind this number.", min=0)
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show what a run changed: up, down, new, lost, defaults, other reasons; and list them."""
    node: RunNode = ctx.obj
    found = node.movements.compare(before=before, after=after, with_peers=not own)
    moved: list[MovedCustomer] = []
    if only is not None:
        node.people.record(OPERATOR_PRINCIPAL, Look(what=Area.CREDIT, target="rating movements"))
        moved = node.movements.list_customers(
            before=found.before,
            after=found.after,
            selection=Selection(movement=only),
            with_peers=not own,
            after_id=after_id,
            limit=LIST_MAX,
        )
    if as_json:
        shown = build_comparison_object(found)
        listed = {"customers_listed": [build_moved_object(one) for one in moved]}
        show_json(shown | (listed if only else {}))
        return
    _print_counts(found)
    if only is not None:
        _print_moved(moved)


def show_matrix(
    ctx: typer.Context,
    *,
    before: BeforeOption = None,
    after: AfterOption = None,
    own: OwnOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the migration matrix of two runs or two days: rows by the grade before."""
    node: RunNode = ctx.obj
    found = node.movements.compare(before=before, after=after, with_peers=not own)
    if as_json:
        show_json(
            {"before": found.before, "after": found.after} | build_matrix_object(found.matrix)
        )
        return
    _print_matrix(found.matrix, title=f"{found.before} → {found.after}")


def show_reviews(
    ctx: typer.Context,
    *,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Last day; default: in 30 days."),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write a file instead, for a spreadsheet.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List reviews that are due: expired, unrated, brought forward, due, coming."""
    node: RunNode = ctx.obj
    today = node.business_date()
    last = until.date() if until else today + timedelta(days=UNTIL_DAYS)
    node.people.record(OPERATOR_PRINCIPAL, Look(what=Area.CREDIT, target="rating reviews"))
    reviews = node.reviews.list_reviews(today=today, until=last, shows_peers=True)
    if csv_file is not None:
        csv_file.write_bytes(format_csv(reviews))
        typer.echo(f"{len(reviews)} reviews written to {csv_file}")
    elif as_json:
        show_json(build_reviews_object(reviews, today=today, until=last))
    else:
        _print_reviews(reviews)


def run_with_progress(runs: RunService, day: date, *, by: str, is_quiet: bool) -> RunReport:
    """Run with a bar; a key pressed leaves a run that can be gone on with.

    Raises:
        NodeError: As the run raises it.
    """
    columns = (
        TextColumn("rating"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    try:
        with Progress(*columns, console=console, disable=is_quiet, transient=True) as progress:
            task = progress.add_task("rating", total=None)
            return runs.run(
                as_of=day,
                by=by,
                on_progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
    except KeyboardInterrupt:
        console.print("interrupted: chengxin rate run goes on where it ended")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def print_run(report: RunReport, *, as_json: bool) -> None:
    """Print what a run gave."""
    if as_json:
        show_json(build_run_object(report))
        return
    run = report.run
    table = Table(
        "Grade",
        "Own",
        "With peers",
        title=f"run {run.run_id}: {run.rated} rated, {report.changed} changed",
    )
    for symbol in sorted({*report.counts_own, *report.counts_with_peers}, key=_order):
        own = report.counts_own.get(symbol, 0)
        with_peers = report.counts_with_peers.get(symbol, 0)
        table.add_row(symbol, str(own), str(with_peers))
    show_table(table)


def format_csv(
    reviews: list[Review], *, hidden: frozenset[int] = frozenset(), with_peers: bool = True
) -> bytes:
    """Return the calendar as a file for a spreadsheet; who may not be seen is left out."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(CSV_HEADER)
    for one in reviews:
        if one.row.customer_id in hidden:
            continue
        rating = one.row.rating
        grade = ""
        if rating is not None:
            grade = rating.grade_with_peers if with_peers else rating.grade_own
        if one.override is not None:
            grade = one.override.grade_after
        lines.writerow(
            [
                one.row.customer_id,
                tame_cell(one.row.subject_id),
                tame_cell(one.row.name),
                one.state.value,
                grade,
                rating.as_of if rating else "",
                rating.review_on if rating else "",
                (rating.valid_until or "") if rating else "",
                "" if one.days is None else one.days,
                " ".join(one.triggers),
            ]
        )
    return text.getvalue().encode("utf-8-sig")  # a spreadsheet would not know UTF-8 otherwise


def _print_counts(found: Comparison) -> None:
    table = Table("Movement", "Customers", title=f"{found.before} → {found.after}")
    for movement, count in found.counts.items():
        table.add_row(movement.value, f"{count:,}")
    show_table(table)


def _print_moved(moved: list[MovedCustomer]) -> None:
    table = Table("Customer", "Subject", "Name", "Before", "After", "First reason")
    for one in moved:
        table.add_row(
            str(one.customer_id),
            one.subject_id,
            one.name,
            _say_standing(one.change.before.grade, one.score_before_deci),
            _say_standing(one.change.after.grade, one.score_after_deci),
            one.reason_after or one.reason_before or "",
        )
    show_table(table)


def _print_matrix(matrix: Matrix, *, title: str) -> None:
    heads = [grade or NO_GRADE for grade in matrix.grades]
    table = Table("Before", "n", *heads, title=title)
    for row in matrix.rows:
        cells = []
        for grade in matrix.grades:
            count, share = row.counts.get(grade, 0), row.share_permille(grade)
            is_empty = count == 0 or share is None
            cells.append("" if is_empty else f"{count:,}\n{_say_permille(share or 0)}")
        table.add_row(row.before or NO_GRADE, f"{row.n:,}", *cells)
    show_table(table)


def _print_reviews(reviews: list[Review]) -> None:
    counts = count_states(reviews)
    title = ", ".join(f"{count:,} {state.value}" for state, count in counts.items())
    table = Table("Customer", "Subject", "Name", "State", "Grade", "Review", "Valid until", "Why")
    for one in reviews:
        rating = one.row.rating
        table.add_row(
            str(one.row.customer_id),
            one.row.subject_id,
            one.row.name,
            one.state.value,
            _say_grade(one),
            rating.review_on.isoformat() if rating else "",
            rating.valid_until.isoformat() if rating and rating.valid_until else "",
            " ".join(one.triggers),
        )
    table.title = title
    show_table(table)


def _say_grade(one: Review) -> str:
    if one.row.rating is None:
        return NO_GRADE
    rated = one.row.rating.grade_with_peers
    return rated if one.override is None else f"{one.override.grade_after} ({rated})"


def _say_standing(grade: str, score_deci: int | None) -> str:
    if score_deci is None:
        return grade or NO_GRADE
    return f"{grade} ({score_deci // 10}.{score_deci % 10})"


def _say_permille(share: int) -> str:
    return f"{share // 10}.{share % 10} %"


def _order(symbol: str) -> tuple[str, int]:
    # AAA before AA before A before BBB: by letter, then the longer first.
    return symbol[0], -len(symbol)
