"""``chengxin risk``: the daily run, what a customer's rules say, and what runs have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from node.assessment.commands import AsOfOption, CustomerArgument, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService
from node.core.terminal import show_json, show_table
from node.records.service import RecordsService
from node.risk.daily.service import RiskRunStoppedError
from node.risk.daily.store import RiskRunRecord
from node.risk.monitoring.room import Monitoring
from node.risk.monitoring.view import (
    build_change_object,
    build_judgement_object,
    build_run_object,
)
from node.risk.monitoring.words import say

EXIT_INTERRUPTED = 130  # as shells say it of a key pressed
CHANGES_SHOWN_MAX = 1_000

risk_app = typer.Typer(
    no_args_is_help=True,
    help="Exposure, limits, orders, daily run, alerts, watch list, actions. 风险控制。",
)
ByOption = Annotated[str, typer.Option("--by", help="Who enters it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays beside the step.")]
AfterOption = Annotated[int, typer.Option("--after", min=0, help="Behind this number.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1_000, help="At most so many.")]


class RiskNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def records(self) -> RecordsService:
        """The customers."""
        ...

    @property
    def monitoring(self) -> Monitoring:
        """The room's use cases."""
        ...


@risk_app.command("run")
def run(
    ctx: typer.Context,
    *,
    as_of: AsOfOption = None,
    by: Annotated[str, typer.Option("--by", help="Who runs it.")] = "operator",
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Judge all customers by rules and signals; a run that was interrupted is gone on with.

    Prints what has changed and why. Run a second time on a day it changes nothing.
    """
    node: RiskNode = ctx.obj
    day = None if as_of is None else as_of.date()
    ran = _run_with_progress(
        lambda on_progress: node.monitoring.runs.run(by=by, as_of=day, on_progress=on_progress),
        is_quiet=as_json,
    )
    _print_changes(node, ran, as_json=as_json, language=language)


@risk_app.command("runs")
def list_runs(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the newest runs with their states."""
    node: RiskNode = ctx.obj
    runs = node.monitoring.runs
    found = [build_run_object(one, state=runs.state_of(one).value) for one in runs.list_runs()]
    if as_json:
        show_json(found)
        return
    columns = ("id", "as_of", "state", "judged", "skipped", "changes", "policy", "by")
    print_objects(found, columns)


@risk_app.command("changes")
def list_changes(
    ctx: typer.Context,
    *,
    run_id: Annotated[int | None, typer.Option("--run", min=1, help="Of one run.")] = None,
    customer: Annotated[str | None, typer.Option(help="Of one customer.")] = None,
    after: AfterOption = 0,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List what runs have changed, in its order."""
    node: RiskNode = ctx.obj
    record_look(node, "risk changes")
    found = node.monitoring.runs.list_changes(
        shows_peers=True,
        run_id=run_id,
        customer_id=None if customer is None else get_customer_key(node, customer),
        after=after,
        limit=limit,
    )
    objects = [build_change_object(one, language=language) for one in found]
    if as_json:
        show_json(objects)
    else:
        print_objects(objects, ("id", "run", "customer", "kind_text", "cause", "before", "after"))


@risk_app.command("show")
def show(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Judge one customer now: every rule in its order, with figures, and the signals."""
    node: RiskNode = ctx.obj
    key = get_customer_key(node, customer)
    record_look(node, f"customer {key}")
    judgement = node.monitoring.runs.judge(key, as_of=None if as_of is None else as_of.date())
    shown = build_judgement_object(judgement, language=language, shows_peers=True)
    if as_json:
        show_json(shown)
        return
    _print_judgement(shown)


def get_customer_key(node: RiskNode, customer: str) -> int:
    """Return the key of a customer by its number or subject id."""
    return node.records.get_named_customer(customer).customer_id


def record_look(node: RiskNode, target: str) -> None:
    """Record that the operator looks at what is of class 3 and 4."""
    for area in (Area.CREDIT, Area.PEERS):
        check_access(node.people, OPERATOR_PRINCIPAL, Access(area=area, target=target))


def print_objects(objects: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Print some members of plain values as a table."""
    table = Table(*columns)
    for one in objects:
        table.add_row(*("" if one[name] is None else str(one[name]) for name in columns))
    show_table(table)


def _print_judgement(shown: dict[str, Any]) -> None:
    title = f"{shown['status_text']} · {shown['as_of']} · {shown['policy']}"
    table = Table("Rule", "Name", "Outcome", "Why", title=title)
    for one in shown["rules"]:
        told = [each["text"] for each in one["found"]] or one["missing_texts"]
        excluded = one["excluded"]
        if excluded is not None:
            told.append(f"excluded until {excluded['until']} ({excluded['owner']})")
        table.add_row(one["rule"], one["name"], one["outcome_text"], "; ".join(told))
    show_table(table)
    signals = Table("Signal", "Since", "Points", "Source", "Why")
    for one in shown["signals"]:
        milli = one["points_milli"]
        points = f"{milli // 1_000}.{milli % 1_000:03d}"
        signals.add_row(one["name"], one["happened_on"], points, one["source_text"], one["text"])
    show_table(signals)


def _print_changes(
    node: RiskNode, ran: RiskRunRecord, *, as_json: bool, language: Language
) -> None:
    record_look(node, f"risk run {ran.run_id}")
    found = node.monitoring.runs.list_changes(
        shows_peers=True, run_id=ran.run_id, limit=CHANGES_SHOWN_MAX
    )
    changes = [build_change_object(one, language=language) for one in found]
    counts = node.monitoring.runs.count_statuses(shows_peers=True)
    state = node.monitoring.runs.state_of(ran).value
    if as_json:
        show_json(
            build_run_object(ran, state=state)
            | {
                "statuses": {status.value: count for status, count in counts.items()},
                "changed": changes,
                "has_more_changes": ran.changes > len(changes),
            }
        )
        return
    standing = ", ".join(
        f"{count:,} {say('status', status.value, language)}" for status, count in counts.items()
    )
    Console().print(
        f"run {ran.run_id} as of {ran.as_of} by {ran.policy}: {ran.judged:,} judged, "
        f"{ran.changes:,} changes; {standing or 'nothing found'}",
        markup=False,
        highlight=False,
    )
    if changes:
        print_objects(changes, ("customer", "kind_text", "cause", "before", "after"))


def _run_with_progress(
    work: Callable[[Callable[[int, int], None]], RiskRunRecord], *, is_quiet: bool
) -> RiskRunRecord:
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=is_quiet,
        transient=True,
    )
    with progress:
        task = progress.add_task("customers", total=None)
        try:
            return work(lambda done, total: progress.update(task, completed=done, total=total))
        except (KeyboardInterrupt, RiskRunStoppedError) as err:
            raise typer.Exit(EXIT_INTERRUPTED) from err
