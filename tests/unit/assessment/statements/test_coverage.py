"""The last closed year is found, and judged: there, awaited, overdue, or none at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.assessment.statements.commands import statement_app
from node.assessment.statements.rules_coverage import (
    Coverage,
    find_closed_year,
    judge_coverage,
)
from node.assessment.statements.rules_evidence import build_evidence
from node.assessment.statements.rules_statement import Statement
from tests.support.instances import build_instance
from tests.support.statements import PROVENANCE, build_statement
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import build_room
from tests.unit.assessment.statements.test_commands import StatementRoom


@pytest.mark.parametrize(
    ("as_of", "newest", "closed"),
    [
        (date(2026, 6, 30), None, date(2025, 12, 31)),
        (date(2025, 12, 31), None, date(2025, 12, 31)),
        (date(2026, 6, 30), date(2025, 12, 31), date(2025, 12, 31)),
        (date(2026, 12, 30), date(2023, 12, 31), date(2025, 12, 31)),
        (date(2026, 6, 30), date(2024, 3, 31), date(2026, 3, 31)),
        (date(2026, 3, 30), date(2024, 3, 31), date(2025, 3, 31)),
        (date(2027, 3, 1), date(2024, 2, 29), date(2027, 2, 28)),
        (date(2024, 2, 29), date(2023, 2, 28), date(2024, 2, 29)),
        (date(2026, 9, 26), date(2025, 9, 27), date(2025, 9, 27)),
        (date(2026, 9, 27), date(2025, 9, 27), date(2026, 9, 27)),
    ],
)
def test_a_year_closes_on_the_day_of_the_newest_statement(
    as_of: date, newest: date | None, closed: date
) -> None:
    assert find_closed_year(as_of, newest=newest) == closed


def judge(as_of: date, *statements: Statement) -> tuple[Coverage, int | None]:
    evidence = build_evidence([(one, PROVENANCE) for one in statements], as_of=as_of)
    found = judge_coverage(evidence)
    return found.state, found.years_behind


def test_a_year_is_awaited_for_half_a_year_and_then_overdue() -> None:
    newest = build_statement(2024)

    assert judge(date(2025, 12, 30), newest) == (Coverage.INCOMPLETE, 0)
    assert judge(date(2025, 12, 31), newest) == (Coverage.AWAITED, 1)
    assert judge(date(2026, 7, 2), newest) == (Coverage.AWAITED, 1)
    assert judge(date(2026, 7, 3), newest) == (Coverage.OVERDUE, 1)
    assert judge(date(2027, 1, 2), newest) == (Coverage.OVERDUE, 2)
    assert judge(date(2026, 6, 30)) == (Coverage.NONE, None)


def test_a_year_that_is_there_is_complete_only_with_all_that_evidence_wants() -> None:
    years = [build_statement(year) for year in (2023, 2024, 2025)]
    short = replace(years[2], lines={"total-assets": 1})

    assert judge(date(2026, 6, 30), *years) == (Coverage.COMPLETE, 0)
    assert judge(date(2026, 6, 30), *years[:2], short) == (Coverage.INCOMPLETE, 0)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[StatementRoom]:
    room = build_room(tmp_path)
    for value in ("C2", "C3"):
        room.add_customer(value)
    node = StatementRoom(room)
    yield node
    room.database.dispose()


def test_the_command_lists_who_has_none_and_the_access_log_knows(node: StatementRoom) -> None:
    newest = AS_OF.year - 1
    provenance = replace(PROVENANCE, received_on=AS_OF)
    node.statements.enter(2, [build_statement(newest)], provenance=provenance, by="li")

    def run(*options: str) -> str:
        arguments = ["missing", *options]
        return (
            CliRunner()
            .invoke(
                statement_app, arguments, obj=node, env={"COLUMNS": "200"}, catch_exceptions=False
            )
            .output
        )

    listed, everybody, data = run(), run("--all", "--lang", "zh"), run("--json")

    assert "2 customers" in listed
    assert "sim:C3" not in listed
    assert "sim:C2" in listed
    assert "3 customers" in everybody
    assert '"state": "none"' in data
    assert {one.what for one in node.people.list_accesses()} == {"credit"}


def test_the_pages_of_the_list_hold_every_customer_once(node: StatementRoom) -> None:
    found, after = [], 0
    while True:
        page = node.statements.list_coverage(after=after, limit=2)
        found += [one.customer.customer_id for one in page.rows]
        if page.next_after is None:
            break
        after = page.next_after

    assert found == [1, 2, 3]


def test_elements_that_are_not_mapped_are_listed_and_the_template_is_printed(
    node: StatementRoom, tmp_path: Path
) -> None:
    file = tmp_path / "instance.xml"
    file.write_bytes(build_instance(['<t:Own contextRef="now" unitRef="EUR">7</t:Own>']))

    listed = CliRunner().invoke(
        statement_app, ["elements", str(file)], obj=node, env={"COLUMNS": "200"}
    )
    data = CliRunner().invoke(statement_app, ["elements", str(file), "--json"], obj=node)
    template = CliRunner().invoke(statement_app, ["concepts"])

    assert "1 figures" in listed.output
    assert '"element": "Own"' in data.output
    assert "货币资金" in template.output
