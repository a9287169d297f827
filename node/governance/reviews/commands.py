"""``chengxin governance review | action``: the calendar, figures, the report, actions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.assessment.commands import JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.config import Settings
from node.core.terminal import show_json, show_table
from node.governance.reviews.report import build_review_page
from node.governance.reviews.rules_review import EVERY_MONTHS_MAX, MONTHS_MAX, ReviewSubject
from node.governance.reviews.service import ReviewCalendar, build_pack_object
from node.governance.reviews.view import (
    build_action_object,
    build_review_object,
    build_story_object,
    put_in_words,
)
from node.records.commands_entering import DAY_FORMAT, ByOption

review_app = typer.Typer(
    no_args_is_help=True, help="Periodic review: calendar, figures, report. 定期评审。"
)
action_app = typer.Typer(no_args_is_help=True, help="Improvement actions. 改进措施。")

ReviewArgument = Annotated[int, typer.Argument(metavar="REVIEW", min=1, help="Number.")]
DueOption = Annotated[datetime, typer.Option("--due", formats=[DAY_FORMAT], help="By this day.")]
AsOfOption = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=[DAY_FORMAT], help="Day of the figures; else business date."),
]
MonthsOption = Annotated[
    int, typer.Option("--months", min=1, max=MONTHS_MAX, help="Months of the figures.")
]


class ReviewNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def review_calendar(self) -> ReviewCalendar:
        """Periodic review."""
        ...

    @property
    def settings(self) -> Settings:
        """The node's settings."""
        ...


@review_app.command("plan")
def plan(
    ctx: typer.Context,
    subject: Annotated[ReviewSubject, typer.Argument(help="What is looked at.")],
    *,
    due: DueOption,
    by: ByOption,
    months: MonthsOption = 12,
    every: Annotated[
        int | None,
        typer.Option("--every", min=1, max=EVERY_MONTHS_MAX, help="Again after so many months."),
    ] = None,
) -> None:
    """Enter a review that is due on a day, once or every so many months."""
    node: ReviewNode = ctx.obj
    found = node.review_calendar.plan(
        subject=subject, due_on=due.date(), months=months, every_months=every, by=by
    )
    typer.echo(f"review {found.review_id}: {found.subject}, due {found.due_on}")


@review_app.command("list")
def list_reviews(
    ctx: typer.Context, *, as_json: JsonOption = False, language: LanguageOption = Language.EN
) -> None:
    """List reviews: those to be held by their day, then those held."""
    node: ReviewNode = ctx.obj
    today = node.review_calendar.today()
    found = [
        build_review_object(one, today=today, language=language)
        for one in node.review_calendar.list_reviews()
    ]
    if as_json:
        show_json(found)
        return
    table = Table("Review", "Subject", "Due", "Held", "By", "Finding")
    for one in found:
        due = f"{one['due_on']}{' late' if one['is_late'] else ''}"
        table.add_row(
            str(one["id"]), one["subject_text"], due, one["held_on"] or "", one["held_by"] or "",
            one["finding"] or "",
        )  # fmt: skip
    show_table(table)


@review_app.command("figures")
def show_figures(
    ctx: typer.Context,
    *,
    as_of: AsOfOption = None,
    months: MonthsOption = 12,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show the figures of so many months up to a day, each with what it rests on."""
    node: ReviewNode = ctx.obj
    day = node.review_calendar.today() if as_of is None else as_of.date()
    pack = node.review_calendar.read_pack(as_of=day, months=months)
    shown = put_in_words(build_pack_object(pack), language=language)
    if as_json:
        show_json(shown)
        return
    table = Table("Figure", "Currency", "Value", "n", title=f"{shown['first']} / {shown['as_of']}")
    for one in shown["figures"]:
        count = "" if one["n"] is None else str(one["n"])
        table.add_row(one["name"], one["currency"] or "", one["text"], count)
    show_table(table)


@review_app.command("hold")
def hold(
    ctx: typer.Context,
    review: ReviewArgument,
    *,
    finding: Annotated[str, typer.Option("--finding", help="What was found.")],
    by: ByOption,
    as_of: AsOfOption = None,
) -> None:
    """Enter that a review was held; its figures are kept, and the next one is planned."""
    node: ReviewNode = ctx.obj
    day = None if as_of is None else as_of.date()
    story = node.review_calendar.hold(review, finding=finding, as_of=day, by=by)
    count = 0 if story.pack is None else len(story.pack["figures"])
    typer.echo(f"review {review} is held, with {count} figures")


@review_app.command("report")
def report(
    ctx: typer.Context,
    review: ReviewArgument,
    *,
    out: Annotated[Path, typer.Option("--out", help="A new file (HTML).")],
    language: LanguageOption = Language.EN,
) -> None:
    """Write a review with figures and actions as one page to print and keep."""
    node: ReviewNode = ctx.obj
    story = node.review_calendar.get(review)
    shown = build_story_object(story, today=node.review_calendar.today(), language=language)
    house = node.settings.name or node.settings.member_id
    with out.open("x", encoding="utf-8") as file:
        file.write(build_review_page(shown, house=house, language=language))
    typer.echo(str(out))


@action_app.command("add")
def add_action(
    ctx: typer.Context,
    *,
    text: Annotated[str, typer.Option("--text", help="What is to be done.")],
    owner: Annotated[str, typer.Option("--owner", help="By whom.")],
    due: DueOption,
    by: ByOption,
    review: Annotated[int | None, typer.Option("--review", min=1, help="After which.")] = None,
) -> None:
    """Enter what somebody is to do by a day."""
    node: ReviewNode = ctx.obj
    found = node.review_calendar.add_action(
        text=text, owner=owner, due_on=due.date(), review_id=review, by=by
    )
    typer.echo(f"action {found.action_id}: {found.owner}, due {found.due_on}")


@action_app.command("done")
def finish_action(
    ctx: typer.Context,
    action: Annotated[int, typer.Argument(metavar="ACTION", min=1, help="Number.")],
    *,
    effect: Annotated[str, typer.Option("--effect", help="What has changed by it.")],
    by: ByOption,
) -> None:
    """Enter that an action was done, and with what effect."""
    node: ReviewNode = ctx.obj
    found = node.review_calendar.finish_action(action, effect=effect, by=by)
    typer.echo(f"action {found.action_id} is done")


@action_app.command("list")
def list_actions(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List actions, the open ones first."""
    node: ReviewNode = ctx.obj
    today = node.review_calendar.today()
    found = [build_action_object(one, today=today) for one in node.review_calendar.list_actions()]
    if as_json:
        show_json(found)
        return
    table = Table("Action", "Review", "What", "Owner", "Due", "Done", "Effect")
    for one in found:
        due = f"{one['due_on']}{' late' if one['is_late'] else ''}"
        table.add_row(
            str(one["id"]), str(one["review"] or ""), one["text"], one["owner"], due,
            one["done_on"] or "", one["effect"] or "",
        )  # fmt: skip
    show_table(table)
