import ast
import importlib
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from node.core.config import Settings
from protocol import limits
from protocol.exchange import CHECKS
from protocol.identifiers.schemes import SCHEMES
from protocol.problems import PROBLEMS
from tests.support.specification import read_pages

LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
CODE = re.compile(r"`([^`]+)`")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
EMPTY = "–"  # noqa: RUF001  how the pages write that there is no default


class Row(NamedTuple):
    """One row of a table, its cells stripped."""

    cells: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.cells[0].strip("`")


def read_rows(path: Path, *, first_cell: str) -> list[Row]:
    """Return the rows of every table whose header begins with this cell."""
    rows: list[Row] = []
    is_inside = False
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split(" | "))
        if not line.startswith("|"):
            is_inside = False
        elif cells[0] == first_cell:
            is_inside = True
        elif is_inside and not set(line) <= set("|- "):
            rows.append(Row(cells))
    return rows


def read_number(cell: str) -> int:
    return int(cell.replace(",", ""))


@pytest.fixture(scope="module")
def docs(project_root: Path) -> Path:
    return project_root / "docs"


def format_default(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is PydanticUndefined:
        return "required"
    return EMPTY if value in {None, ""} else f"`{value}`"


def test_every_setting_has_a_row_with_its_default(docs: Path) -> None:
    rows = read_rows(docs / "operating.md", first_cell="setting")

    assert {row.key: row.cells[1] for row in rows} == {
        name: format_default(field.default) for name, field in Settings.model_fields.items()
    }


def test_every_problem_has_a_row_with_status_title_and_hop(docs: Path) -> None:
    rows = read_rows(docs / "protocol" / "problems.md", first_cell="code")

    assert [(row.key, *row.cells[1:4]) for row in rows] == [
        (row.code, str(row.status), row.title, row.hop.value) for row in PROBLEMS.values()
    ]


def test_the_check_table_is_that_of_the_code(docs: Path) -> None:
    rows = read_rows(docs / "protocol" / "exchange.md", first_cell="#")

    assert [
        (row.key, row.cells[1], tuple(CODE.findall(row.cells[2])), *row.cells[3:]) for row in rows
    ] == [
        (
            str(check.number),
            check.name,
            check.codes,
            "signed" if check.signed else "unsigned",
            check.logged,
            str(check.uses),
        )
        for check in CHECKS
    ]


def test_every_limit_has_a_row_with_its_value(docs: Path) -> None:
    rows = read_rows(docs / "protocol" / "limits.md", first_cell="name")
    stated = {row.key: read_number(row.cells[1]) for row in rows}
    elsewhere = {name: value for name, value in stated.items() if "." in name}

    assert {name: value for name, value in stated.items() if "." not in name} == {
        name: value for name, value in vars(limits).items() if name.isupper()
    }
    assert elsewhere == {name: read_constant(name) for name in elsewhere}


def test_every_scheme_has_its_form(docs: Path) -> None:
    text = (docs / "protocol" / "identifiers.md").read_text(encoding="utf-8")
    block = text.partition("```\n")[2].partition("```")[0]
    stated = dict(re.findall(r"^(\S+) +(\S+)$", block, re.MULTILINE))

    assert stated == {name: scheme.shape.pattern for name, scheme in SCHEMES.items()}


def read_constant(name: str) -> int:
    module, constant = name.split(".")
    value = getattr(importlib.import_module(f"protocol.{module}"), constant)
    assert isinstance(value, int)
    return value


def list_pages(project_root: Path) -> list[Path]:
    return sorted([*project_root.glob("*.md"), *(project_root / "docs").rglob("*.md")])


def test_every_link_between_pages_leads_somewhere(project_root: Path) -> None:
    dead = [
        f"{page.name}: {target}"
        for page in list_pages(project_root)
        for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
        if not (page.parent / target).exists()
    ]

    assert dead == []


def test_every_test_that_the_threat_model_names_exists(project_root: Path, docs: Path) -> None:
    named = NAMED_TEST.findall((docs / "threat-model.md").read_text(encoding="utf-8"))
    missing = [
        f"{file}::{name}" for file, name in named if name not in list_tests(project_root / file)
    ]

    assert len(named) > 0
    assert missing == []


def test_every_attack_has_a_default_a_rule_and_a_test(project_root: Path, docs: Path) -> None:
    rows = read_rows(docs / "threat-model.md", first_cell="attack")
    rules = {rule for page in read_pages(project_root) for rule in page.rule_ids}
    settings = {
        name: format_default(field.default) for name, field in Settings.model_fields.items()
    }

    for row in rows:
        _attack, _control, _code, default, rule, test = row.cells
        assert default == "on" or is_default_of(default, settings), row.key
        assert rule == "node" or set(CODE.findall(rule)) <= rules, row.key
        assert CODE.findall(rule) or rule == "node", row.key
        assert NAMED_TEST.search(test), row.key
    assert len({row.key for row in rows}) == len(rows) > 70


def is_default_of(text: str, settings: dict[str, str]) -> bool:
    """Tell whether a cell names a setting and the default that it has."""
    name, _, value = text.removeprefix("off: ").partition(" ")
    return settings.get(name.strip("`")) == value


def list_tests(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_file_that_the_threat_model_names_exists(project_root: Path, docs: Path) -> None:
    text = (docs / "threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:node|protocol|schemas|scripts)/[\w/.-]*)`", text)

    assert [name for name in named if not (project_root / name).exists()] == []


def test_both_readmes_have_the_same_sections_and_a_place_for_the_demos_output(
    project_root: Path,
) -> None:
    texts = [
        (project_root / name).read_text(encoding="utf-8")
        for name in ("README.md", "README.zh-CN.md")
    ]

    assert [text.count("\n## ") for text in texts] == [texts[0].count("\n## ")] * 2
    assert all(text.count("<!-- demo-output -->") == 1 for text in texts)
