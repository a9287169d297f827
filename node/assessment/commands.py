"""``chengxin assess``: one customer from own records and with peers, side by side."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Protocol

import typer
from rich.console import Console

from node.assessment.looks import has_peers, record_look
from node.assessment.policy_file import Language
from node.assessment.report import build_object, build_table
from node.assessment.service import AssessmentPair, AssessmentService
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService
from node.records.service import CustomerNotFoundError

assess_app = typer.Typer(help="Assess customers: evidence, points and reasons.")

CustomerArgument = Annotated[str, typer.Argument(help="Number or subject id (scheme:value).")]
AsOfOption = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Business date; default: the node's."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of the words.")]


class AssessmentNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def assessment(self) -> AssessmentService:
        """The room's use cases."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@assess_app.command("assess")
def assess_customer(
    ctx: typer.Context,
    customer: CustomerArgument,
    *,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Assess one customer and show what peers' summaries changed, factor by factor."""
    node: AssessmentNode = ctx.obj
    customer_id = get_customer_id(node.assessment, customer)
    pair = node.assessment.assess_customer(
        customer_id, as_of=as_of.date() if as_of else node.business_date()
    )
    record_operators_look(node.people, pair)
    print_pair(node.assessment, pair, as_json=as_json, language=language)


def record_operators_look(people: PeopleService, pair: AssessmentPair) -> None:
    """Record that the command shows an assessment."""
    record_look(people, OPERATOR_PRINCIPAL, customer_id=pair.customer_id, has_peers=has_peers(pair))


def get_customer_id(service: AssessmentService, text: str) -> int:
    """Return the customer a person named.

    Raises:
        CustomerNotFoundError: There is none of this number or subject id.
    """
    customer_id = service.find_customer_id(text)
    if customer_id is None:
        raise CustomerNotFoundError("there is no such customer")
    return customer_id


def print_pair(
    service: AssessmentService, pair: AssessmentPair, *, as_json: bool, language: Language
) -> None:
    """Print a pair as a table with its reasons, or as one JSON object."""
    policy = service.get_policy(pair.with_peers.assessment.policy)
    if as_json:
        shown = build_object(pair, policy=policy, language=language)
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    console = Console()
    console.print(build_table(pair, policy=policy, language=language))
    for code in pair.with_peers.assessment.reasons:
        console.print(f"  · {policy.describe(code, language)}")
