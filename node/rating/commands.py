"""``chengxin rate``: one customer, or the whole portfolio."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from node.assessment.commands import (
    AsOfOption,
    JsonOption,
    LanguageOption,
    get_customer_id,
    print_pair,
    record_operators_look,
)
from node.assessment.policy_file import Language
from node.assessment.report import build_object
from node.assessment.service import AssessmentService
from node.core.people.service import PeopleService
from node.rating.service import RatedCustomer, RatingRun, RatingService
from node.rating.store import RatingRecord

rate_app = typer.Typer(help="Rate customers: grade, validity and review date.")


class RatingNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def assessment(self) -> AssessmentService:
        """The room below, whose words explain a grade."""
        ...

    @property
    def rating(self) -> RatingService:
        """The room's use cases."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@rate_app.command("rate")
def rate(
    ctx: typer.Context,
    customer: Annotated[
        str | None, typer.Argument(help="Number or subject id (scheme:value).")
    ] = None,
    *,
    everyone: Annotated[bool, typer.Option("--all", help="Rate the whole portfolio.")] = False,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Rate one customer, from own records and with peers, or all of them."""
    node: RatingNode = ctx.obj
    day = as_of.date() if as_of else node.business_date()
    if everyone == (customer is not None):
        raise typer.BadParameter("name one customer, or --all")
    if customer is None:
        _print_run(_rate_all(node, day, is_quiet=as_json), as_json=as_json)
        return
    rated = node.rating.rate_customer(get_customer_id(node.assessment, customer), as_of=day)
    record_operators_look(node.people, rated.pair)
    _print_rated(node, rated, as_json=as_json, language=language)


def build_rating_object(rating: RatingRecord, *, text: str) -> dict[str, Any]:
    """Return a rating as plain values for JSON; ``text`` is its grade in words."""
    return {
        "rating_id": rating.rating_id,
        "customer_id": rating.customer_id,
        "subject": rating.subject_id,
        "as_of": rating.as_of.isoformat(),
        "scale": {
            "id": rating.scale.scale_id,
            "version": rating.scale.version,
            "sha256": rating.scale.sha256_b64u,
        },
        "grade_own": rating.grade_own,
        "grade_with_peers": rating.grade_with_peers,
        "text": text,
        "score_own_deci": rating.score_own_deci,
        "score_with_peers_deci": rating.score_with_peers_deci,
        "confidence": rating.confidence.value,
        "default_events": list(rating.default_events),
        "valid_until": None if rating.valid_until is None else rating.valid_until.isoformat(),
        "review_on": rating.review_on.isoformat(),
        "assessment_id": rating.assessment_id,
        "own_assessment_id": rating.own_assessment_id,
    }


def _rate_all(node: RatingNode, day: date, *, is_quiet: bool) -> RatingRun:
    with Progress(console=Console(stderr=True), disable=is_quiet, transient=True) as progress:
        task = progress.add_task("rating", total=None)
        return node.rating.rate_all(
            as_of=day, on_progress=lambda done: progress.update(task, completed=done)
        )


def _print_run(run: RatingRun, *, as_json: bool) -> None:
    if as_json:
        shown = {
            "as_of": run.as_of.isoformat(),
            "rated": run.rated,
            "skipped": run.skipped,
            "changed": run.changed,
            "own": run.counts_own,
            "with_peers": run.counts_with_peers,
        }
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    table = Table("Grade", "Own", "With peers", title=f"{run.rated} rated, {run.changed} changed")
    for symbol in sorted({*run.counts_own, *run.counts_with_peers}, key=_order):
        own, with_peers = run.counts_own.get(symbol, 0), run.counts_with_peers.get(symbol, 0)
        table.add_row(symbol, str(own), str(with_peers))
    Console().print(table)


def _order(symbol: str) -> tuple[str, int]:
    # AAA before AA before A before BBB: by letter, then the longer first.
    return symbol[0], -len(symbol)


def _print_rated(
    node: RatingNode, rated: RatedCustomer, *, as_json: bool, language: Language
) -> None:
    rating = rated.rating
    text = node.rating.describe(rating.grade_with_peers, language=language, scale=rating.scale)
    if as_json:
        policy = node.assessment.get_policy(rating.policy)
        shown = {
            "rating": build_rating_object(rating, text=text),
            "assessment": build_object(rated.pair, policy=policy, language=language),
        }
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    print_pair(node.assessment, rated.pair, as_json=False, language=language)
    until = "" if rating.valid_until is None else f" → {rating.valid_until.isoformat()}"
    Console().print(
        f"[bold]{rating.grade_own} → {rating.grade_with_peers}[/bold] {text} "
        f"({rating.confidence.value}; {rating.as_of.isoformat()}{until})"
    )
