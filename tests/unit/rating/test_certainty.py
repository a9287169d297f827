"""Coefficients with intervals: from a seed, customers together, at a bounded cost."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from node.assessment.statistical.model_file import StatisticalModel
from node.rating.models import certainty
from node.rating.models.certainty import (
    Coefficient,
    build_coefficients_object,
    choose_rounds,
    find_coefficients,
)
from node.rating.models.table import TrainingTable
from node.rating.models.training import train_model
from node.rating.models.training_policy import FitRules, read_preset_training_policy
from tests.support.tables import make_table, name

PRESET = read_preset_training_policy()
RULES = PRESET.body.fit.model_copy(update={"bootstrap_rounds": 60})


@cache
def table() -> TrainingTable:
    return make_table()


@cache
def model() -> StatisticalModel:
    return train_model(table(), policy=PRESET, model_id="test", names=name("test"))


def widths(found: certainty.Coefficients) -> list[int]:
    return [(one.high_micro or 0) - (one.low_micro or 0) for one in found.columns]


def test_the_intervals_are_the_same_each_time_and_hold_the_coefficients() -> None:
    first, again = (find_coefficients(model(), table(), rules=RULES) for _ in range(2))

    assert first == again
    assert first.rounds == 60
    assert {one.column_id for one in first.columns} == {
        one.id for one in model().body.features if one.coefficient_micro
    }
    for one in first.columns:
        assert one.low_micro is not None
        assert one.high_micro is not None
        assert one.low_micro < one.value_micro < one.high_micro


def test_the_regression_on_the_rows_as_they_are_gives_the_models_own_coefficients() -> None:
    import numpy as np  # noqa: PLC0415  an extra

    names = [one.id for one in model().body.features if one.coefficient_micro]
    weights = certainty._read_weights(model(), table(), names)
    goods = [not one for one in table().outcomes]
    found = certainty._fit(weights, goods, np.ones(len(goods)), rules=RULES)

    kept = {one.id: one.coefficient_micro / 1_000_000 for one in model().body.features}
    assert found == pytest.approx([kept[one] for one in names], abs=2e-3)


def test_rows_of_one_customer_tell_less_than_as_many_customers() -> None:
    """Each row four times over: as one customer's it says no more, as four customers' it does."""
    one = table()
    indexes = [row for row in range(len(one.rows)) for _ in range(4)]
    fourfold = one.select(indexes)
    together = replace(fourfold, groups=tuple(indexes))
    apart = replace(fourfold, groups=tuple(range(len(indexes))))

    of_one = find_coefficients(model(), together, rules=RULES)
    of_four = find_coefficients(model(), apart, rules=RULES)

    assert sum(widths(of_one)) > 1.5 * sum(widths(of_four))


@pytest.mark.parametrize(
    ("low", "high", "is_certain"),
    [(1, 9, True), (-9, -1, True), (-1, 9, False), (0, 9, False), (None, None, False)],
)
def test_a_sign_is_certain_where_the_interval_excludes_zero(
    low: int | None, high: int | None, is_certain: object
) -> None:
    one = Coefficient(column_id="late", value_micro=5, low_micro=low, high_micro=high)

    assert one.is_sign_certain is is_certain


@pytest.mark.parametrize(
    ("rounds", "cells_max", "expected"),
    [(200, 10**6, 200), (200, 100_000, 100), (200, 40_000, 0), (0, 10**6, 0), (49, 10**6, 0)],
)
def test_the_policy_bounds_the_cost(rounds: int, cells_max: int, expected: int) -> None:
    rules = RULES.model_copy(update={"bootstrap_rounds": rounds, "bootstrap_cells_max": cells_max})

    assert choose_rounds(rules, rows=100, columns=10) == expected


def test_without_rounds_there_are_coefficients_and_no_intervals() -> None:
    rules = FitRules(iv_min_permille=20, features_max=64, c_permille=300, seed=42)
    shown = build_coefficients_object(find_coefficients(model(), table(), rules=rules))

    assert shown["rounds"] == 0
    assert isinstance(shown["columns"], list)
    assert all(set(one) == {"id", "value_micro"} for one in shown["columns"])  # type: ignore[arg-type]
