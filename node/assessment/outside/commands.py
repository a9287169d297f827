"""``chengxin report`` and ``chengxin listing``: agencies' reports and public lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.table import Table

from node.assessment.commands import CustomerArgument, JsonOption, get_customer_id
from node.assessment.outside.gone import EvidenceErasure, tell_gone
from node.assessment.outside.importing import (
    CHECK_COLUMNS,
    FILE_BYTES_MAX,
    REPORT_COLUMNS,
    read_check_file,
    read_report_file,
)
from node.assessment.outside.service import Entered, OutsideService
from node.assessment.outside.view import build_check_objects, build_report_objects
from node.assessment.service import AssessmentService
from node.core.files import read_file
from node.core.people.areas import Area
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService
from node.core.terminal import show_json, show_table

report_app = typer.Typer(
    no_args_is_help=True, help="Reports of credit agencies: import, list, withdraw. 外部报告。"
)
listing_app = typer.Typer(
    no_args_is_help=True, help="Looks into public lists: import, list, withdraw. 公共名单。"
)

FileArgument = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Table (CSV) or JSON.")
]
ByOption = Annotated[str, typer.Option("--by", envvar="CHENGXIN_USER", help="Who enters it.")]
ReasonOption = Annotated[str, typer.Option(help="Why.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check, and keep nothing.")]
ReportKey = Annotated[int, typer.Argument(help="Key of the report (report list).")]
CheckKey = Annotated[int, typer.Argument(help="Key of the look (listing list).")]


class OutsideNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def assessment(self) -> AssessmentService:
        """Finds customers."""
        ...

    @property
    def outside(self) -> OutsideService:
        """The use cases."""
        ...

    @property
    def evidence_life(self) -> EvidenceErasure:
        """What is deleted, and stays away."""
        ...


@report_app.command("template")
def write_report_template() -> None:
    """Print the header of the table that is read; JSON has the same names."""
    typer.echo(",".join(REPORT_COLUMNS))


@report_app.command("import")
def import_reports(
    context: typer.Context, file: FileArgument, *, by: ByOption, dry_run: DryRunOption = False
) -> None:
    """Enter every report of a file, or none; customers are matched by identifier alone."""
    node: OutsideNode = context.obj
    given = read_report_file(read_file(file, bytes_max=FILE_BYTES_MAX))
    _tell(node.outside.enter_reports(given, by=by, is_trial=dry_run), is_trial=dry_run)


@report_app.command("list")
def list_reports(
    context: typer.Context, customer: CustomerArgument, *, as_json: JsonOption = False
) -> None:
    """List every version of a customer's reports; an asterisk marks those that count."""
    node: OutsideNode = context.obj
    customer_id = _look(node, customer, what="reports")
    shown = build_report_objects(node.outside.list_reports(customer_id))
    if as_json:
        show_json(shown)
        return
    table = Table(
        "Key", "", "Agency", "Number", "Kind", "Scale", "Printed", "Issued", "Expires", "By",
        "Reason", box=None,
    )  # fmt: skip
    for one in shown:
        mark = "*" if one["counts"] else "withdrawn" if one["withdrawn"] else ""
        table.add_row(
            *_say(one, "report"), mark,
            *_say(one, "agency", "number", "kind", "scale", "printed", "issued_on", "expires_on"),
            *_say(one, "by", "reason"),
        )  # fmt: skip
    show_table(table)


@report_app.command("withdraw")
def withdraw_report(
    context: typer.Context,
    customer: CustomerArgument,
    key: ReportKey,
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Enter that a report counts no longer; what was known before stays."""
    node: OutsideNode = context.obj
    customer_id = get_customer_id(node.assessment, customer)
    withdrawn = node.outside.withdraw_report(customer_id, key, reason=reason, by=by)
    typer.echo(f"withdrawn, as version {withdrawn}")


@report_app.command("erase")
def erase_report(
    context: typer.Context,
    customer: CustomerArgument,
    key: ReportKey,
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Delete a report with all its versions before its time; it is not entered again."""
    node: OutsideNode = context.obj
    customer_id = get_customer_id(node.assessment, customer)
    node.evidence_life.erase(customer_id, report_id=key, reason=reason, by=by)
    typer.echo(f"erased: {key}")


@listing_app.command("template")
def write_check_template() -> None:
    """Print the header of the table that is read; JSON has the same names."""
    typer.echo(",".join(CHECK_COLUMNS))


@listing_app.command("import")
def import_checks(
    context: typer.Context, file: FileArgument, *, by: ByOption, dry_run: DryRunOption = False
) -> None:
    """Enter every look of a file, or none; customers are matched by identifier alone."""
    node: OutsideNode = context.obj
    given = read_check_file(read_file(file, bytes_max=FILE_BYTES_MAX))
    _tell(node.outside.enter_checks(given, by=by, is_trial=dry_run), is_trial=dry_run)


@listing_app.command("list")
def list_checks(
    context: typer.Context, customer: CustomerArgument, *, as_json: JsonOption = False
) -> None:
    """List every look into a public list for a customer."""
    node: OutsideNode = context.obj
    customer_id = _look(node, customer, what="list-checks")
    shown = build_check_objects(node.outside.list_checks(customer_id))
    if as_json:
        show_json(shown)
        return
    table = Table(
        "Key", "List", "Found", "Reference", "Listed", "Removed", "Checked", "Source", "By",
        "Withdrawn", box=None,
    )  # fmt: skip
    for one in shown:
        table.add_row(
            *_say(one, "check", "list"), "yes" if one["found"] else "no",
            *_say(one, "reference", "listed_on", "removed_on", "checked_on", "source", "by"),
            *_say(one, "withdrawn"),
        )  # fmt: skip
    show_table(table)


@listing_app.command("withdraw")
def withdraw_check(
    context: typer.Context,
    customer: CustomerArgument,
    key: CheckKey,
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Enter that a look counts no longer."""
    node: OutsideNode = context.obj
    customer_id = get_customer_id(node.assessment, customer)
    node.outside.withdraw_check(customer_id, key, reason=reason, by=by)
    typer.echo(f"withdrawn: {key}")


@listing_app.command("erase")
def erase_check(
    context: typer.Context,
    customer: CustomerArgument,
    key: CheckKey,
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Delete a look before its time; it is not entered again."""
    node: OutsideNode = context.obj
    customer_id = get_customer_id(node.assessment, customer)
    node.evidence_life.erase(customer_id, check_id=key, reason=reason, by=by)
    typer.echo(f"erased: {key}")


def _look(node: OutsideNode, text: str, *, what: str) -> int:
    """Return the customer, and record that what is kept of it is about to be shown."""
    customer_id = get_customer_id(node.assessment, text)
    target = f"customer {customer_id} {what}"
    node.people.record(OPERATOR_PRINCIPAL, Look(what=Area.CREDIT, target=target))
    return customer_id


def _tell(entered: Entered, *, is_trial: bool) -> None:
    known = f"; {entered.known} known already" if entered.known else ""
    if entered.gone:
        known += f"; left out, since it was deleted: {tell_gone(entered.gone)}"
    keys = ", ".join(str(key) for key in entered.keys)
    typer.echo(f"nothing kept: a dry run{known}" if is_trial else f"entered {keys}{known}")


def _say(shown: dict[str, Any], *names: str) -> list[str]:
    return ["" if shown[name] is None else str(shown[name]) for name in names]
