"""``chengxin assess``: one customer from own records and with peers, side by side."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.table import Table

from node.assessment.looks import has_peers, record_look
from node.assessment.policy_file import Language
from node.assessment.renewal.service import RenewalService
from node.assessment.report import (
    build_effects_table,
    build_evidence_table,
    build_object,
    build_table,
    describe_confidence,
)
from node.assessment.service import AssessmentPair, AssessmentService
from node.core.people.areas import Area
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService
from node.core.terminal import show_json, show_table
from node.records.service import CustomerNotFoundError

assess_app = typer.Typer(help="Assess customers: evidence, points and reasons.")

RENEWALS = "renewals"  # in the place of a customer: no number, and no subject id
CustomerArgument = Annotated[str, typer.Argument(help="Number or subject id (scheme:value).")]
AssessedArgument = Annotated[
    str,
    typer.Argument(
        metavar="CUSTOMER",
        help="Number or subject id (scheme:value); renewals: list who is to be assessed anew.",
    ),
]
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

    @property
    def renewals(self) -> RenewalService:
        """The queue of who is to be assessed anew."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@assess_app.command("assess")
def assess_customer(
    ctx: typer.Context,
    customer: AssessedArgument,
    *,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Assess one customer and show what peers' summaries changed, factor by factor.

    Or list who is to be assessed anew: ``assess renewals``.
    """
    node: AssessmentNode = ctx.obj
    if customer == RENEWALS:
        print_renewals(node, as_json=as_json)
        return
    customer_id = get_customer_id(node.assessment, customer)
    pair = node.assessment.assess_customer(
        customer_id, as_of=as_of.date() if as_of else node.business_date()
    )
    record_operators_look(node.people, pair)
    print_pair(node.assessment, pair, as_json=as_json, language=language)


def print_renewals(node: AssessmentNode, *, as_json: bool) -> None:
    """Print who is to be assessed anew, as a table or as one JSON list."""
    found = node.renewals.list_open(shows_peers=True)
    node.people.record(OPERATOR_PRINCIPAL, Look(what=Area.PEERS, target="assess renewals"))
    if as_json:
        rows = [
            {
                "id": one.renewal_id,
                "customer": one.customer_id,
                "subject": one.subject_id,
                "name": one.name,
                "cause": one.cause.value,
                "message": one.ref,
                "entered_at_ms": one.entered_at_ms,
            }
            for one in found
        ]
        show_json(rows)
        return
    table = Table("Customer", "Subject", "Name", "Cause", "Since")
    for one in found:
        since = datetime.fromtimestamp(one.entered_at_ms // 1000, tz=UTC).isoformat(sep=" ")
        table.add_row(str(one.customer_id), one.subject_id, one.name, one.cause.value, since)
    show_table(table)


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
    effects = service.explain_peers(pair.with_peers.assessment_id) if has_peers(pair) else None
    if as_json:
        shown = build_object(pair, policy=policy, language=language, effects=effects)
        show_json(shown)
        return
    console = Console()
    console.print(build_table(pair, policy=policy, language=language))
    result = pair.with_peers.assessment
    for code in result.reasons:
        console.print(f"  · {policy.describe(code, language)}")
    console.print(build_evidence_table(result, policy=policy, language=language))
    for words in describe_confidence(result, policy=policy, language=language):
        console.print(f"  · {words}")
    if effects is not None and effects.effects:
        console.print(build_effects_table(effects, policy=policy, language=language))
