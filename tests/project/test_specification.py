"""Every rule of the specification has an id of its own."""

from collections import Counter
from pathlib import Path

import pytest

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
