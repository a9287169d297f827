"""``chengxin rate``: one customer, or the whole portfolio.

``chengxin rate 17`` is short for ``chengxin rate customer 17``: what is no command is a customer.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from typer.core import TyperGroup

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
from node.core.terminal import show_json
from node.rating.applied_view import build_criteria_object
from node.rating.grades_commands import (
    override_app,
    print_applied,
    show_backtest,
    show_override_report,
)
from node.rating.rules_grade import RatingState
from node.rating.runs.commands import (
    list_runs,
    print_run,
    run_all,
    run_with_progress,
    show_diff,
    show_matrix,
    show_reviews,
)
from node.rating.runs.service import RunService
from node.rating.scale import Scale
from node.rating.service import RatedCustomer, RatingService
from node.rating.store import RatingRecord


class RateGroup(TyperGroup):
    """The commands; a customer may be named without one."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # Typer's context is Click's
        """Read a first word that is no command as a customer."""
        is_named = bool(args) and (args[0] in self.commands or args[0] in {"--help", "-h"})
        return super().parse_args(ctx, args if is_named else ["customer", *args])


rate_app = typer.Typer(cls=RateGroup, help="Rate customers: grade, validity and review date.")
rate_app.command("run")(run_all)
rate_app.command("runs")(list_runs)
rate_app.command("diff")(show_diff)
rate_app.command("matrix")(show_matrix)
rate_app.command("reviews")(show_reviews)
rate_app.command("backtest")(show_backtest)
rate_app.command("overrides")(show_override_report)
rate_app.add_typer(override_app, name="override")


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

    @property
    def runs(self) -> RunService:
        """Runs over the portfolio."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@rate_app.command("customer")
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
        report = run_with_progress(node.runs, day, by="operator", is_quiet=as_json)
        print_run(report, as_json=as_json)
        return
    rated = node.rating.rate_customer(get_customer_id(node.assessment, customer), as_of=day)
    record_operators_look(node.people, rated.pair)
    _print_rated(node, rated, as_json=as_json, language=language)


def build_rating_object(
    rating: RatingRecord, *, text: str, today: date, scale: Scale | None
) -> dict[str, Any]:
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
        "criteria": build_criteria_object(rating, scale),
        "grade_own": rating.grade_own,
        "grade_with_peers": rating.grade_with_peers,
        "text": text,
        "score_own_deci": rating.score_own_deci,
        "score_with_peers_deci": rating.score_with_peers_deci,
        "confidence": rating.confidence.value,
        "default_events": list(rating.default_events),
        "valid_until": None if rating.valid_until is None else rating.valid_until.isoformat(),
        "review_on": rating.review_on.isoformat(),
        "state": rating.state_on(today).value,
        "run": rating.run_id,
        "assessment_id": rating.assessment_id,
        "own_assessment_id": rating.own_assessment_id,
    }


def _print_rated(
    node: RatingNode, rated: RatedCustomer, *, as_json: bool, language: Language
) -> None:
    rating = rated.rating
    text = node.rating.describe(rating.grade_with_peers, language=language, scale=rating.scale)
    scale = node.rating.find_scale(rating.scale.sha256_b64u)
    if as_json:
        policy = node.assessment.get_policy(rating.policy)
        shown = {
            "rating": build_rating_object(
                rating, text=text, today=node.business_date(), scale=scale
            ),
            "assessment": build_object(rated.pair, policy=policy, language=language),
        }
        show_json(shown)
        return
    print_pair(node.assessment, rated.pair, as_json=False, language=language)
    until = "" if rating.valid_until is None else f" → {rating.valid_until.isoformat()}"
    if rating.state_on(node.business_date()) is RatingState.EXPIRED:
        until += ", expired"
    Console().print(
        f"[bold]{rating.grade_own} → {rating.grade_with_peers}[/bold] {text} "
        f"({rating.confidence.value}; {rating.as_of.isoformat()}{until})"
    )
    if rating.with_peers_applied is not None:
        print_applied(rating.with_peers_applied, scale, language=language)
