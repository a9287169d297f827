"""Commands beside those of one customer's statements: who has none, and elements of XBRL files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.assessment.commands import AsOfOption, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.assessment.statements.coverage import CoverageRow
from node.assessment.statements.importing import STATEMENT_FILE_BYTES_MAX
from node.assessment.statements.reading_xbrl import list_unmapped
from node.assessment.statements.rules_coverage import COVERAGE_VERSION
from node.assessment.statements.service import StatementService
from node.assessment.statements.taxonomies import build_concepts_template
from node.assessment.statements.wording import say, say_missing
from node.core.files import read_file
from node.core.people.areas import Area
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService
from node.core.terminal import show_json, show_table

ELEMENTS_SHOWN_MAX = 500


class CoverageNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...

    @property
    def statements(self) -> StatementService:
        """The statements' use cases."""
        ...


def list_missing(
    context: typer.Context,
    *,
    as_of: AsOfOption = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Also customers whose last closed year is there.")
    ] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """List customers without a statement of the last closed year, and what else is missing."""
    node: CoverageNode = context.obj
    node.people.record(OPERATOR_PRINCIPAL, Look(what=Area.CREDIT, target="statements missing"))
    day = None if as_of is None else as_of.date()
    rows = [
        row for row in _iterate(node.statements, as_of=day) if everybody or row.year.state.is_open
    ]
    if as_json:
        shown = {"rule": COVERAGE_VERSION, "customers": [_build_row(one) for one in rows]}
        show_json(shown)
        return
    table = Table("Customer", "Name", "Year", "Closed", "State", "Newest", "Missing", box=None)
    for one in rows:
        missing = "; ".join(say_missing(code, language) for code in one.evidence.missing)
        table.add_row(
            one.customer.subject_id,
            one.customer.name,
            one.year.closed_on.isoformat(),
            f"{one.year.closed_days} d",
            say("coverage", one.year.state, language),
            "-" if one.evidence.year_end is None else one.evidence.year_end.isoformat(),
            missing,
        )
    show_table(table)
    typer.echo(f"{len(rows)} customers")


def write_concepts() -> None:
    """Print a file for XBRL elements that are not built in, with every item in both languages."""
    typer.echo(build_concepts_template(), nl=False)


def list_elements(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="XBRL instance or inline document.")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """List the figures of a file whose elements no table maps, to be mapped by your own."""
    node: CoverageNode = context.obj
    raw = read_file(file, bytes_max=STATEMENT_FILE_BYTES_MAX)
    facts = list_unmapped(raw, taxonomies=node.statements.taxonomies)
    if as_json:
        shown = [
            {
                "namespace": one.namespace,
                "element": one.name,
                "context": one.context,
                "unit": one.unit,
                "value": one.text,
                "line": one.line,
            }
            for one in facts
        ]
        show_json(shown)
        return
    table = Table("Element", "Context", "Value", "Line", "Namespace", box=None)
    for one in facts[:ELEMENTS_SHOWN_MAX]:
        table.add_row(one.name, one.context, one.text, str(one.line), one.namespace)
    show_table(table)
    typer.echo(f"{len(facts)} figures")


def _iterate(statements: StatementService, *, as_of: date | None) -> Iterator[CoverageRow]:
    after: int | None = 0
    while after is not None:
        page = statements.list_coverage(as_of=as_of, after=after)
        yield from page.rows
        after = page.next_after


def _build_row(one: CoverageRow) -> dict[str, object]:
    newest, freshness = one.evidence.year_end, one.evidence.freshness
    return {
        "customer": one.customer.subject_id,
        "name": one.customer.name,
        "closed_year": one.year.closed_on.isoformat(),
        "closed_days": one.year.closed_days,
        "years_behind": one.year.years_behind,
        "state": one.year.state.value,
        "newest": None if newest is None else newest.isoformat(),
        "freshness": None if freshness is None else freshness.value,
        "missing": list(one.evidence.missing),
    }
