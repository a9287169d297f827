"""China's taxonomy is read by the elements it takes from IFRS and by an operator's own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.assessment.statements.chart import CHART
from node.assessment.statements.reading import Given
from node.assessment.statements.reading_xbrl import list_unmapped, read_instance
from node.assessment.statements.rules_statement import Gaap
from node.assessment.statements.taxonomies import (
    BUILT_IN,
    ConceptsInvalidError,
    build_concepts_template,
    parse_taxonomies,
    read_taxonomies,
)
from tests.support.instances import IFRS_FLOWS, IFRS_STOCKS, build_facts, build_instance

CAS = "http://xbrl.mof.gov.cn/taxonomy/2015-03-31/cas"
OWN = """version = "own-7"
[[taxonomy]]
prefix = "cas"
gaap = "cas"
namespaces = ["http://xbrl.mof.gov.cn/taxonomy/*/cas"]
extends = "ifrs"
[taxonomy.items]
payables = ["Bills + Accounts", "Accounts"]
inventory = ["ifrs-full:Inventories + Contracts"]
"""


def build_cas(*more: str) -> bytes:
    facts = [*build_facts(IFRS_STOCKS, "now"), *build_facts(IFRS_FLOWS, "year")]
    own = [
        f'<c:{name} xmlns:c="{CAS}" contextRef="now" unitRef="EUR" decimals="-3">{one}</c:{name}>'
        for name, one in (("Accounts", "70000"), ("Bills", "30000"), ("Contracts", "5000"))
    ]
    return build_instance([*facts, *own, *more])


def test_the_ministrys_taxonomy_is_known_by_its_namespace_and_its_ifrs_elements_count() -> None:
    draft = read_instance(build_cas(), given=Given())

    (statement,) = draft.statements
    assert statement.gaap is Gaap.CAS
    assert statement.lines["total-assets"] == 1000 * 1000 * 100
    assert "payables" not in statement.lines
    assert [(one.code, one.detail) for one in draft.findings] == [("unmapped", "3")]


def test_an_operators_file_maps_what_is_not_built_in_and_comes_first() -> None:
    taxonomies = (*parse_taxonomies(OWN.encode()), *BUILT_IN)

    draft = read_instance(build_cas(), given=Given(), taxonomies=taxonomies)

    (statement,) = draft.statements
    assert statement.lines["payables"] == 100 * 1000 * 100
    assert statement.lines["inventory"] == 205 * 1000 * 100
    assert draft.findings == ()


def test_an_element_of_another_namespace_with_the_same_name_is_not_taken_for_it() -> None:
    raw = build_instance(namespace=CAS)  # "Assets" and so on, which the table does not know there

    draft = read_instance(raw, given=Given())

    assert draft.statements == ()
    assert [one.code for one in draft.findings] == ["unmapped", "no-statement"]


def test_what_no_table_maps_is_listed_to_be_mapped() -> None:
    found = list_unmapped(build_cas())

    assert [(one.namespace, one.name, one.text) for one in found] == [
        (CAS, "Accounts", "70000"),
        (CAS, "Bills", "30000"),
        (CAS, "Contracts", "5000"),
    ]
    assert list_unmapped(build_cas(), taxonomies=parse_taxonomies(OWN.encode())) == []


def test_the_template_names_every_item_and_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "elements.toml").write_text(build_concepts_template(), "utf-8")

    own, *rest = read_taxonomies("elements.toml", home=tmp_path)

    assert tuple(rest) == BUILT_IN
    assert own.items.keys() <= CHART.keys()
    assert own.anchors == {"ifrs-full:Assets"}
    assert read_taxonomies("", home=tmp_path) == BUILT_IN


@pytest.mark.parametrize(
    ("there", "instead", "words"),
    [
        ('version = "own-7"', "", "version"),
        ('"own-7"', '""', "version"),
        ('gaap = "cas"', 'gaap = "gb"', "gaap"),
        ('prefix = "cas"', 'prefix = "C A"', "prefix"),
        ('"ifrs"', '"hgb"', "extends"),
        ("extends", "extend", "extend"),
        ('["http://xbrl.mof.gov.cn/taxonomy/*/cas"]', "[]", "namespaces"),
        ('["http://xbrl.mof.gov.cn/taxonomy/*/cas"]', '["*"]', "namespaces"),
        ("payables", "payable", "no item"),
        ('"Accounts"]', '"us-gaap:Accounts"]', "no element"),
        ('"Accounts"]', '"Bills +"]', "no element"),
        ('"Accounts"]', "7]", "names of elements"),
        ("[[taxonomy]]", "[taxonomy]", "tables"),
        ("[[taxonomy]]", "[[taxonomy", "TOML"),
    ],
)
def test_a_file_of_another_form_is_refused_with_what_is_wrong(
    there: str, instead: str, words: str
) -> None:
    with pytest.raises(ConceptsInvalidError, match=words):
        parse_taxonomies(OWN.replace(there, instead, 1).encode())


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConceptsInvalidError, match="cannot be read"):
        read_taxonomies("gone.toml", home=tmp_path)
