"""The commands on a room of their own: in, corrected, shown, withdrawn, expired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.assessment.statements.commands import EXIT_FINDINGS, statement_app
from node.assessment.statements.errors import (
    StatementExistsError,
    StatementFileError,
    StatementInvalidError,
)
from node.assessment.statements.service import StatementService
from node.core.clock import ManualClock
from node.records.service import CustomerNotFoundError
from tests.support.instances import build_instance
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import Room, build_room

TABLE = """code,2024-12-31,2025-12-31
currency,EUR,EUR
unit,ones,ones
total-assets,"1.000,00","1.100,50"
current-assets,"600,00","700,00"
current-liabilities,"400,00","350,00"
total-equity,"500,00","600,00"
sales,"2.000,00","6.500,00"
"""
GIVEN = ["--by", "li", "--basis", "single", "--assurance", "tax", "--gaap", "hgb"]
CUSTOMER = "sim:C1"


class StatementRoom:
    """What ``ctx.obj`` offers to these commands."""

    def __init__(self, room: Room) -> None:
        self.assessment, self.people = room.assessment, room.people
        self.statements = StatementService(
            database=room.database, clock=ManualClock(at_ms=7), business_date=AS_OF
        )
        room.add_customer("C1")

    def business_date(self) -> object:
        return AS_OF


@pytest.fixture
def node(tmp_path: Path) -> Iterator[StatementRoom]:
    room = build_room(tmp_path)
    yield StatementRoom(room)
    room.database.dispose()


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "statements.csv"
    path.write_text("\n".join(_semicolons(line) for line in TABLE.splitlines()))
    return str(path)


def _semicolons(line: str) -> str:
    parts = line.split('"')
    return '"'.join(
        part if index % 2 else part.replace(",", ";") for index, part in enumerate(parts)
    )


def run(node: StatementRoom, *arguments: str) -> Result:
    return CliRunner().invoke(
        statement_app, arguments, obj=node, env={"COLUMNS": "200"}, catch_exceptions=False
    )


def import_table(node: StatementRoom, table: str, *more: str) -> Result:
    return run(node, "import", CUSTOMER, table, "--numbers", "comma", *GIVEN, *more)


def test_a_table_goes_in_and_is_shown_with_ratios_in_both_languages(
    node: StatementRoom, table: str
) -> None:
    entered = import_table(node, table)
    shown = run(node, "show", CUSTOMER)
    chinese = run(node, "show", CUSTOMER, "--lang", "zh")

    assert "statement 1, 2" in entered.output
    assert "Sales is more than three times" in entered.output
    for words in ("1,100.50", "2.00", "Current ratio", "missing: Retained", "* a total was"):
        assert words in shown.output, words
    for words in ("流动比率", "营业收入较上年变动超过三倍", "缺少"):
        assert words in chinese.output
    assert {one.what for one in node.people.list_accesses()} == {"credit"}


def test_json_has_every_figure_with_its_formula(node: StatementRoom, table: str) -> None:
    import_table(node, table)

    shown = json.loads(run(node, "show", CUSTOMER, "--json", "--as-of", "2026-06-30").stdout)

    assert shown["as_of"] == "2026-06-30"
    assert shown["years"] == []  # it was received on the business date, later than that day
    shown = json.loads(run(node, "show", CUSTOMER, "--json").stdout)
    (current, *_) = shown["ratios"]
    assert (current["code"], current["values"][1]["value"]) == ("current-ratio", "2.00")
    assert shown["formulas"]["altman"] == "altman-1"


def test_a_dry_run_tells_what_refuses_the_file_by_its_exit(
    node: StatementRoom, table: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(Path(table).read_text().replace("600,00", "six"))

    good = import_table(node, table, "--dry-run")
    tried = import_table(node, str(bad), "--dry-run")
    with pytest.raises(StatementInvalidError):
        import_table(node, str(bad))

    assert (good.exit_code, good.output.splitlines()[-1]) == (0, "nothing kept: a dry run")
    assert tried.exit_code == EXIT_FINDINGS
    assert "line 5, column 2024-12-31: no number of the form comma" in tried.output
    assert run(node, "versions", CUSTOMER, "--json").stdout.strip() == "[]"


def test_a_statement_is_corrected_withdrawn_and_told_by_versions(
    node: StatementRoom, table: str, tmp_path: Path
) -> None:
    import_table(node, table)
    better = tmp_path / "better.csv"
    better.write_text(Path(table).read_text().replace("700,00", "701,00"))
    options = ["--numbers", "comma", *GIVEN, "--reason", "misread"]

    with pytest.raises(StatementExistsError):
        import_table(node, str(better))
    with pytest.raises(StatementFileError, match="name its year"):
        run(node, "correct", CUSTOMER, "2", str(better), *options)
    run(node, "correct", CUSTOMER, "2", str(better), *options, "--year-end", "2025-12-31")
    run(node, "withdraw", CUSTOMER, "1", "--reason", "not theirs", "--by", "li")
    versions = json.loads(run(node, "versions", CUSTOMER, "--json").stdout)

    assert [(one["version"], one["reason"], one["is_withdrawn"]) for one in versions] == [
        (1, None, False),
        (1, None, False),
        (2, "misread", False),
        (2, "not theirs", True),
    ]
    assert "2 (withdrawn)" in run(node, "versions", CUSTOMER).output


def test_an_instance_is_known_by_its_begin(node: StatementRoom, tmp_path: Path) -> None:
    path = tmp_path / "instance.bin"
    path.write_bytes(build_instance())

    run(node, "import", CUSTOMER, str(path), "--by", "li", "--assurance", "audited")

    (version, _) = json.loads(run(node, "versions", CUSTOMER, "--json").stdout)
    assert (version["source"], version["gaap"], version["basis"]) == (
        "xbrl", "ifrs", "consolidated",
    )  # fmt: skip


def test_the_template_and_the_expiry(node: StatementRoom) -> None:
    assert run(node, "template", "--year-end", "2025-12-31").output.startswith("code,item,2025")
    assert run(node, "template", "--year-end", "2025-12-31", "--long").output.startswith("year_end")
    assert "0 versions are past" in run(node, "expire", "--by", "li", "--dry-run").output
    assert "0 versions deleted" in run(node, "expire", "--by", "li", "--yes").output


def test_nobodys_statements_are_refused(node: StatementRoom) -> None:
    with pytest.raises(CustomerNotFoundError):
        run(node, "show", "sim:nobody")
