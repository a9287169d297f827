"""Which names are alike: without their legal form, in any script, and never as a proof."""

# ruff: noqa: RUF001  full-width letters are what is tested

from __future__ import annotations

import pytest

from node.records import rules_duplicates
from node.records.rules_duplicates import NamedCustomer, find_suspicions, strip_name


def named(key: int, *names: str, country: str = "CN", reached_by: str = "") -> NamedCustomer:
    addresses = frozenset({reached_by} - {""})
    return NamedCustomer(customer_id=key, country=country, names=names, reached_by=addresses)


@pytest.mark.parametrize(
    ("name", "stripped"),
    [
        ("上海宏达机械有限公司", "上海宏达机械"),
        ("上海宏达机械股份有限公司", "上海宏达机械"),
        ("Acme Steel Co., Ltd.", "acme steel"),
        ("ＡＣＭＥ　Steel GmbH & Co. KG", "acme steel"),
        ("Ltd.", "ltd"),
        ("有限公司", "有限公司"),
        ("…", ""),
    ],
)
def test_a_name_is_compared_without_its_legal_form(name: str, stripped: str) -> None:
    assert strip_name(name) == stripped


def test_names_that_are_alike_are_suspected_and_others_are_not() -> None:
    found = find_suspicions(
        [
            named(1, "上海宏达机械有限公司"),
            named(2, "上海宏达机械股份有限公司"),
            named(3, "北京远大贸易有限公司"),
            named(4, "Steel Acme Ltd", country="GB"),
            named(5, "ACME STEEL INC", country="US"),
            named(6, "…"),
        ]
    )

    assert [(one.first_id, one.second_id, one.name_percent) for one in found] == [
        (1, 2, 100),
        (4, 5, 100),
    ]
    assert [one.same_country for one in found] == [True, False]


def test_any_of_the_names_counts_and_the_most_alike_is_told() -> None:
    (one,) = find_suspicions(
        [named(7, "Hongda Machinery", "宏达机械"), named(2, "宏达机械厂", "Hongda Machinery Ltd")]
    )

    assert (one.first_id, one.second_id, one.name_percent) == (2, 7, 100)


def test_who_is_reached_alike_comes_first() -> None:
    found = find_suspicions(
        [
            named(1, "Alpha", reached_by="ap@alpha.example"),
            named(2, "Beta", reached_by="ap@alpha.example"),
            named(3, "Gamma Trading"),
            named(4, "Gamma Trading Ltd"),
        ]
    )

    assert [(one.first_id, one.second_id) for one in found] == [(1, 2), (3, 4)]
    assert (found[0].same_contacts, found[0].name_percent) == (("ap@alpha.example",), 0)


def test_of_very_many_those_that_begin_alike_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_duplicates, "COMPARE_ALL_MAX", 2)

    found = find_suspicions([named(1, "Gamma"), named(2, "Gamma Ltd"), named(3, "Delta")])

    assert [(one.first_id, one.second_id) for one in found] == [(1, 2)]


def test_an_address_that_very_many_have_says_nothing() -> None:
    def reached(count: int) -> list[NamedCustomer]:
        return [
            NamedCustomer(
                customer_id=number,
                country="CN",
                names=(chr(0x4E00 + number) * 4,),
                reached_by=frozenset({"000"}),
            )
            for number in range(1, count + 1)
        ]

    assert len(find_suspicions(reached(20))) == 190
    assert find_suspicions(reached(21)) == []
