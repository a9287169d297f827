"""``chengxin risk concentration | industry | stress | register``: the portfolio as a whole."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from node.assessment.commands import AsOfOption, CustomerArgument, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.money import format_amount, parse_amount
from node.core.people.areas import Area
from node.core.terminal import show_json, show_table
from node.risk.losses.commands import LossNode, record_look
from node.risk.losses.view_portfolio import (
    build_concentration_object,
    build_register_run_object,
    build_risk_object,
    build_risk_version_object,
    build_stress_object,
)
from node.risk.register.rules_register import EntryState, RiskType
from node.risk.register.service import (
    ALL_TYPES,
    STANDING,
    NewRisk,
    RegisterSelection,
    RiskChange,
)
from node.risk.stress.rules_stress import NOTCHES_MAX, Scenario

DAY_FORMAT = "%Y-%m-%d"
PARTS_SHOWN = 10
PPM_OF_PERCENT = 10_000
register_app = typer.Typer(no_args_is_help=True, help="Register of risks. 风险登记册。")

ByOption = Annotated[str, typer.Option("--by", help="Who enters it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays beside it.")]
EntryArgument = Annotated[int, typer.Argument(min=1, help="Number (register list).")]
Percent = Annotated[int, typer.Option(min=0, max=100)]


def show_concentration(
    ctx: typer.Context,
    *,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show the portfolio by customer, group, industry, country and grade, and limits not kept."""
    node: LossNode = ctx.obj
    for area in (Area.CREDIT, Area.PERSONS):
        record_look(node, "concentration", area=area)
    day = None if as_of is None else as_of.date()
    found = build_concentration_object(node.losses.portfolio.report(as_of=day), language=language)
    if as_json:
        show_json(found)
        return
    for one in found["dimensions"]:
        top = ", ".join(f"{each['count']}: {each['share_permille'] / 10} %" for each in one["top"])
        title = f"{one['text']} · HHI {one['hhi']} · {top}"
        table = Table("", "Customers", "Exposure", "%", "Expected loss", title=title)
        for part in one["parts"][:PARTS_SHOWN]:
            table.add_row(
                part["key"] or "?",
                str(part["customers"]),
                format_amount(part["exposure_minor"], currency=found["currency"]),
                str(part["share_permille"] / 10),
                _say_loss(part["expected_loss_minor"], found["currency"]),
            )
        show_table(table)
    _print_basis(found)
    for one in found["breaches"]:
        Console().print(
            f"{one['text']} {one['key'] or one['of']}: {one['value']} > {one['limit']}",
            markup=False,
            highlight=False,
        )


def set_industry(
    ctx: typer.Context,
    customer: CustomerArgument,
    code: Annotated[str, typer.Argument(help="Section A to U with up to four digits: C26.")],
    *,
    by: ByOption,
) -> None:
    """Enter of which industry a customer is (GB/T 4754, ISIC, NACE), in the place of another."""
    node: LossNode = ctx.obj
    key = node.records.get_named_customer(customer).customer_id
    node.losses.portfolio.set_industry(key, code, by=by)


def run_stress(
    ctx: typer.Context,
    *,
    notches: Annotated[int, typer.Option(min=0, max=NOTCHES_MAX, help="Grades fall by.")] = 0,
    customer: Annotated[list[str] | None, typer.Option(help="Of these alone.")] = None,
    industry: Annotated[list[str] | None, typer.Option(help="Of these alone.")] = None,
    country: Annotated[list[str] | None, typer.Option(help="Of these alone.")] = None,
    grade: Annotated[list[str] | None, typer.Option(help="Of these alone.")] = None,
    default: Annotated[list[str] | None, typer.Option(help="Who fails.")] = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what would be if grades fell or customers failed; nothing is kept."""
    node: LossNode = ctx.obj
    for area in (Area.CREDIT, Area.PERSONS):
        record_look(node, "stress test", area=area)

    def find_keys(named: list[str] | None) -> frozenset[int]:
        return frozenset(node.records.get_named_customer(one).customer_id for one in named or ())

    scenario = Scenario(
        notches=notches,
        customers=find_keys(customer),
        industries=frozenset(industry or ()),
        countries=frozenset(country or ()),
        grades=frozenset(grade or ()),
        defaults=find_keys(default),
    )
    day = None if as_of is None else as_of.date()
    found = build_stress_object(node.losses.stress.run(scenario, as_of=day))
    if as_json:
        show_json(found)
        return
    _print_stress(found)


@register_app.command("list")
def list_entries(
    ctx: typer.Context,
    *,
    state: Annotated[list[EntryState] | None, typer.Option(help="Of these states.")] = None,
    risk_type: Annotated[list[RiskType] | None, typer.Option("--type", help="Of these.")] = None,
    due: Annotated[bool, typer.Option("--due", help="Whose day of review has come.")] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List risks, most money at risk first."""
    node: LossNode = ctx.obj
    for area in (Area.CREDIT, Area.PERSONS):
        record_look(node, "risk register", area=area)
    selection = RegisterSelection(
        states=frozenset(state) if state else STANDING,
        types=frozenset(risk_type) if risk_type else ALL_TYPES,
        is_due=due,
    )
    found = [
        build_risk_object(one.entry, language=language, ranked=one)
        for one in node.losses.register.list_entries(selection)
    ]
    if as_json:
        show_json(found)
        return
    table = Table("Risk", "Type", "What", "At risk", "State", "Owner", "Review")
    for one in found:
        table.add_row(
            str(one["id"]),
            one["type_text"],
            one["title"],
            _say_loss(one["loss_minor"], one["loss_currency"]),
            one["state_text"],
            one["owner"],
            one["review_on"],
        )
    show_table(table)


@register_app.command("show")
def show_entry(
    ctx: typer.Context, entry: EntryArgument, *, language: LanguageOption = Language.EN
) -> None:
    """Show a risk with all that it has said, as JSON."""
    node: LossNode = ctx.obj
    for area in (Area.CREDIT, Area.PERSONS):
        record_look(node, f"risk register {entry}", area=area)
    found, versions = node.losses.register.get(entry)
    show_json(
        build_risk_object(found, language=language)
        | {
            "versions": [
                build_risk_version_object(found.cause, one, language=language) for one in versions
            ]
        }
    )


@register_app.command("enter")
def enter(
    ctx: typer.Context,
    risk_type: Annotated[RiskType, typer.Argument(metavar="TYPE", help="Of which kind.")],
    title: Annotated[str, typer.Argument(help="What may happen.")],
    *,
    exposure: Annotated[str, typer.Option("--exposure", help="What is exposed.")],
    currency: Annotated[str, typer.Option("--currency", help="Of the exposure.")],
    likelihood: Annotated[int, typer.Option(min=0, max=100, help="Percent in twelve months.")],
    loss: Annotated[int, typer.Option(min=0, max=100, help="Percent lost then.")],
    owner: Annotated[str, typer.Option("--owner", help="Who watches it.")],
    review: Annotated[datetime, typer.Option("--review", formats=[DAY_FORMAT])],
    controls: Annotated[str, typer.Option("--controls", help="What is done about it.")] = "",
    customer: Annotated[str | None, typer.Option(help="Whom it is about.")] = None,
    by: ByOption,
) -> None:
    """Enter a risk and print its number."""
    node: LossNode = ctx.obj
    new = NewRisk(
        risk_type=risk_type,
        title=title,
        owner=owner,
        controls=controls,
        review_on=review.date(),
        currency=currency,
        exposure_minor=parse_amount(exposure, currency=currency),
        likelihood_ppm=likelihood * PPM_OF_PERCENT,
        lgd_ppm=loss * PPM_OF_PERCENT,
        customer_id=None
        if customer is None
        else node.records.get_named_customer(customer).customer_id,
    )
    Console().print(f"{node.losses.register.enter(new, by=by)}", highlight=False)


@register_app.command("change")
def change(
    ctx: typer.Context,
    entry: EntryArgument,
    *,
    state: Annotated[EntryState | None, typer.Option(help="What is done about it.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who watches it.")] = None,
    controls: Annotated[str | None, typer.Option(help="What is done about it.")] = None,
    review: Annotated[datetime | None, typer.Option("--review", formats=[DAY_FORMAT])] = None,
    likelihood: Annotated[int | None, typer.Option(min=0, max=100, help="Percent.")] = None,
    loss: Annotated[int | None, typer.Option(min=0, max=100, help="Percent lost.")] = None,
    reason: ReasonOption,
    by: ByOption,
    language: LanguageOption = Language.EN,
) -> None:
    """Change a risk; without an option it was looked at."""
    node: LossNode = ctx.obj
    wish = RiskChange(
        owner=owner,
        controls=controls,
        review_on=None if review is None else review.date(),
        state=state,
        likelihood_ppm=None if likelihood is None else likelihood * PPM_OF_PERCENT,
        lgd_ppm=None if loss is None else loss * PPM_OF_PERCENT,
    )
    changed = node.losses.register.change(entry, wish, reason=reason, by=by)
    show_json(build_risk_object(changed, language=language))


@register_app.command("refresh")
def refresh(ctx: typer.Context, *, by: ByOption = "operator") -> None:
    """Refresh what the portfolio shows: limits not kept, expected losses by grade; as JSON."""
    node: LossNode = ctx.obj
    show_json(build_register_run_object(node.losses.register.refresh(by=by)))


def add_commands(app: typer.Typer) -> None:
    """Add the commands that stand by themselves, and the register."""
    app.command("concentration")(show_concentration)
    app.command("industry")(set_industry)
    app.command("stress")(run_stress)
    app.add_typer(register_app, name="register")


def _print_basis(found: dict[str, Any]) -> None:
    """Say on what expected losses rest: as shipped on nobody's defaults."""
    basis = found["pd_basis"] or "none"
    Console().print(
        f"probabilities of default: {basis} ({found['scale']})", markup=False, highlight=False
    )


def _say_loss(minor: int | None, currency: str) -> str:
    return "?" if minor is None else format_amount(minor, currency=currency)


def _print_stress(found: dict[str, Any]) -> None:
    currency = found["currency"]
    table = Table("", "Today", "Under stress", title=f"{found['as_of']} · {currency}")
    for name in ("exposure", "expected_loss", "unrated", "defaulted", "held"):
        sides = (found[side][f"{name}_minor"] for side in ("before", "after"))
        table.add_row(name, *(format_amount(one, currency=currency) for one in sides))
    table.add_row("held, customers", *(str(found[side]["held"]) for side in ("before", "after")))
    for one in found["provisions"] or ():
        table.add_row(
            f"provision {one['currency']}",
            format_amount(one["allowance_before_minor"], currency=one["currency"]),
            format_amount(one["allowance_after_minor"], currency=one["currency"]),
        )
    show_table(table)
    _print_basis(found)
    if found["provisions"] is None:
        Console().print("the provision is not computable", highlight=False)
    if found["unmoved"]:
        Console().print(f"{found['unmoved']} without a grade do not fall", highlight=False)
    table = Table("Customer", "Exposure", "Grade", "Expected loss", "Status", "Held by")
    for one in found["changed"]:
        before, after = one["before"], one["after"]
        losses = (
            _say_loss(each, currency)
            for each in (before["expected_loss_minor"], after["expected_loss_minor"])
        )
        table.add_row(
            str(one["customer"]),
            format_amount(one["exposure_minor"], currency=currency),
            f"{before['grade'] or '?'} → {after['grade'] or '?'}",
            " → ".join(losses),
            f"{before['status']} → {after['status']}",
            ", ".join(after["rules"]),
        )
    show_table(table)
