"""Every rule of the specification has an id of its own."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.peer.suite import list_cases
from tests.support.specification import (
    Page,
    find_rules_without_id,
    read_pages,
    read_prefixes,
)


@pytest.fixture(scope="module")
def pages(project_root: Path) -> list[Page]:
    return read_pages(project_root)


def test_every_must_has_an_id_in_its_sentence(pages: list[Page]) -> None:
    assert [bare for page in pages for bare in find_rules_without_id(page)] == []


def test_a_must_without_an_id_is_found() -> None:
    page = Page(name="x.md", text="A MUST [ABC-1] hold. B MUST hold. C MUST, once: [ABC-2] hold.")

    assert len(find_rules_without_id(page)) == 1


def test_no_id_is_given_twice(pages: list[Page]) -> None:
    given = Counter(rule for page in pages for rule in page.rule_ids)

    assert [rule for rule, times in given.items() if times > 1] == []


def test_every_id_has_the_prefix_of_its_page(project_root: Path, pages: list[Page]) -> None:
    used = {(page.name, rule.partition("-")[0]) for page in pages for rule in page.rule_ids}

    assert used == set(read_prefixes(project_root).items())


@pytest.fixture(scope="module")
def table(project_root: Path) -> dict[str, list[str]]:
    path = project_root / "tests" / "conformance" / "coverage.toml"
    rules: dict[str, list[str]] = tomllib.loads(path.read_text(encoding="utf-8"))["rules"]
    return rules


def test_every_rule_has_a_case_of_the_kit_or_a_test(
    pages: list[Page], table: dict[str, list[str]]
) -> None:
    tried = {rule for case in list_cases() for rule in case.rules}
    stated = {rule for page in pages for rule in page.rule_ids}

    assert sorted(stated - tried - set(table)) == []


def test_cases_and_table_name_rules_that_stand_in_the_specification(
    pages: list[Page], table: dict[str, list[str]]
) -> None:
    tried = {rule for case in list_cases() for rule in case.rules}
    stated = {rule for page in pages for rule in page.rule_ids}

    assert sorted((tried | set(table)) - stated) == []


def test_every_test_that_the_table_names_exists(
    project_root: Path, table: dict[str, list[str]]
) -> None:
    missing = [
        f"{rule}: {named}"
        for rule, tests in table.items()
        for named in tests or ["nothing"]
        if named.partition("::")[2] not in list_tests(project_root / named.partition("::")[0])
    ]

    assert missing == []


def list_tests(path: Path) -> Iterator[str]:
    if path.is_file():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        yield from (node.name for node in tree.body if isinstance(node, kinds))
