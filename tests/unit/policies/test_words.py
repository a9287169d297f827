"""Differences in words, numbers in their units, fields that make a policy again."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from node.assessment.policy_file import Language
from node.assessment.policy_kind import build_policy_kind
from node.core.policies.errors import PolicyFault
from node.decision.policy_kind import build_decision_kind
from node.governance.policies.rules_diff import list_changes
from node.governance.policies.rules_form import (
    FieldKind,
    apply_fields,
    find_field,
    find_owner,
    list_fields,
)
from node.governance.policies.rules_units import format_number, parse_number
from node.governance.policies.wording import MEMBERS, say_change
from node.rating.models.training_kind import build_training_kind
from node.rating.overrides.policy import build_override_kind
from node.rating.scale_kind import build_scale_kind
from node.risk.dunning.policy_kind import build_dunning_kind
from node.risk.policies.policy_kind import build_risk_kind
from node.risk.portfolio.policy_kind import build_portfolio_kind
from node.risk.provisions.policy_kind import build_provision_kind

EXPERT: dict[str, Any] = json.loads(build_policy_kind().presets[0])
SCALES: list[dict[str, Any]] = [json.loads(raw) for raw in build_scale_kind().presets]
GB = next(one for one in SCALES if one["id"] == "gbt22116" and one["version"] == 2)


SHIPPED = [
    json.loads(raw)
    for kind in (
        build_policy_kind,
        build_scale_kind,
        build_training_kind,
        build_decision_kind,
        build_override_kind,
        build_risk_kind,
        build_provision_kind,
        build_dunning_kind,
        build_portfolio_kind,
    )
    for raw in kind().presets
]
OWN_CODES = re.compile(r"[A-Z]|[<>0-9]|.*[.]|noted$|used$")  # a grade, a band, the key of a text


def copy_of(document: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(document))
    return copied


@pytest.mark.parametrize("document", SHIPPED, ids=lambda one: f"{one['id']}-{one['version']}")
def test_every_member_of_a_shipped_policy_has_words(document: dict[str, Any]) -> None:
    members = {part for one in list_fields(document) for part in one.place if isinstance(part, str)}

    unnamed = {one for one in members if one not in MEMBERS and not OWN_CODES.match(one)}
    assert unnamed == set()


@pytest.mark.parametrize(
    ("value", "place", "text"),
    [
        (215, ("rate_centipercent",), "2.15%"),
        (1500, ("prior_milli",), "1.500"),
        (240, ("points_deci",), "24.0"),
        (-5, ("x_deci",), "-0.5"),
        (750, ("worth_permille",), "75.0%"),
        (500, ("pd_ppm",), "0.0500%"),
        (1_000_000, ("pd_ppm",), "100.0000%"),
        (93, ("age_permille", 1, "at"), "93"),
        (750, ("age_permille", 1, "value"), "75.0%"),
        (3, ("prior_invoices",), "3"),
    ],
)
def test_a_number_is_written_in_its_unit_and_read_back(
    value: int, place: tuple[str | int, ...], text: str
) -> None:
    assert format_number(value, place) == text
    assert parse_number(text, place) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("24.05", ("points_deci",)),
        ("1.5", ("prior_invoices",)),
        ("", ("prior_invoices",)),
        ("1e3", ("prior_invoices",)),
        ("１２a", ("prior_invoices",)),
        ("9" * 40, ("prior_invoices",)),
    ],
)
def test_what_is_finer_than_the_unit_or_no_number_is_not_read(
    text: str, place: tuple[str | int, ...]
) -> None:
    assert parse_number(text, place) is None


def test_a_difference_says_which_factor_which_step_before_and_after() -> None:
    after = copy_of(EXPERT)
    factor = next(one for one in after["factors"] if one["id"] == "dbt")
    factor["steps"][3]["points_deci"] = 60
    factor["steps"].insert(5, {"at": 800, "points_deci": 5})
    after["peers"]["worth_permille"] = 600
    after["version"] = 2

    changes = list_changes(EXPERT, after)

    assert [one.path for one in changes] == [
        "peers.worth_permille",
        "factors.dbt.steps.300.points_deci",
        "factors.dbt.steps.800",
    ]
    assert [say_change(one, Language.EN) for one in changes] == [
        "peers' summaries · worth of a peer's invoice: 75.0% → 60.0%",
        "factor dbt · step at 300 · points: 5.5 → 6.0",
        "factor dbt · step at 800: (nothing) → 0.5",
    ]
    assert say_change(changes[1], Language.ZH) == "指标 dbt · 分段，起点 300 · 得分：5.5 → 6.0"


def test_a_grade_that_is_gone_and_one_that_moved_are_told_by_their_symbol() -> None:
    after = copy_of(GB)
    del after["grades"][6]
    after["grades"][0]["from_deci"] = 920

    changes = list_changes(GB, after)

    assert [(one.path, one.after) for one in changes] == [
        ("grades.AAA.from_deci", 920),
        ("grades.CCC", None),
    ]


def test_steps_that_went_and_came_stand_in_their_order() -> None:
    after = copy_of(EXPERT)
    after["factors"][2]["steps"][1]["at"] = 100

    paths = [one.path for one in list_changes(EXPERT, after)]

    assert paths == ["factors.late.steps.100", "factors.late.steps.200"]


def test_the_same_document_has_no_difference() -> None:
    assert list_changes(EXPERT, {**copy_of(EXPERT), "version": 9}) == ()


@pytest.mark.parametrize(
    "document", [EXPERT, *SCALES], ids=lambda one: f"{one['id']}{one['version']}"
)
def test_fields_that_nobody_touched_make_the_same_policy_again(document: dict[str, Any]) -> None:
    typed = {one.name: one.value for one in list_fields(document)}

    changed, faults = apply_fields(document, typed)

    assert changed == document
    assert faults == ()
    assert len(typed) > 20


def test_steps_are_one_field_in_which_they_come_and_go() -> None:
    field = find_field(EXPERT, "factors.dbt.steps")
    assert field is not None
    assert (field.name, field.kind) == ("factors.1.steps", FieldKind.STEPS)
    assert field.value == "0: 20.0; 50: 16.5; 150: 10.5; 300: 5.5; 600: 1.0; 900: 0.0"

    changed, faults = apply_fields(EXPERT, {field.name: "0: 20；45: 12.5\n900:0"})

    assert faults == ()
    assert changed["factors"][1]["steps"] == [  # type: ignore[index,call-overload]  # plain JSON
        {"at": 0, "points_deci": 200},
        {"at": 45, "points_deci": 125},
        {"at": 900, "points_deci": 0},
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("factors.dbt.points_max_deci", "20.05"),
        ("factors.dbt.steps", "0: twenty"),
        ("factors.dbt.steps", ""),
        ("factors.dbt.interpolate", "perhaps"),
        ("factors.dbt.names.zh", "  "),
    ],
)
def test_what_cannot_be_read_is_a_fault_of_its_field(path: str, text: str) -> None:
    field = find_field(EXPERT, path)
    assert field is not None

    changed, faults = apply_fields(EXPERT, {field.name: text})

    assert [one.path for one in faults] == [field.name]
    assert changed == EXPERT


def test_a_fault_inside_a_field_is_shown_at_it_and_one_of_a_factor_at_its_first_field() -> None:
    fields = {one.name: one for one in list_fields(EXPERT)}

    def owner(*place: str | int) -> str:
        return find_owner(fields, PolicyFault(place=place, message="wrong"))

    assert owner("factors", 1, "steps", 2, "points_deci") == "factors.1.steps"
    assert owner("factors", 1) == "factors.1.reads"
    assert owner() == ""
