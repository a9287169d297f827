"""The figures of a review: shares, medians, and what has none."""

from __future__ import annotations

from datetime import date

import pytest

from node.assessment.policy_file import Language
from node.governance.reviews.rules_pack import (
    Unit,
    Why,
    find_cycle,
    find_median_milli,
    find_share,
    list_holds,
    list_overrides,
)
from node.governance.reviews.rules_review import find_next_due
from node.governance.reviews.wording import say_figure


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 3, 3_333), (2, 3, 6_667), (0, 5, 0), (5, 5, 10_000), (0, 0, None), (1, 8, 1_250)],
)
def test_a_share_is_in_hundredths_of_a_per_cent(
    part: int, whole: int, expected: int | None
) -> None:
    assert find_share(part, whole) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([], None), ([7], 7_000), ([9, 1], 5_000), ([1, 2, 10], 2_000), ([1, 2], 1_500)],
    ids=["none", "one", "two", "odd", "half"],
)
def test_a_median_is_in_thousandths(numbers: list[int], expected: int | None) -> None:
    assert find_median_milli(numbers) == expected


def test_what_is_not_kept_or_not_computable_says_so() -> None:
    holds = [(one.value, one.n, one.why) for one in list_holds()]
    none = list_overrides([], is_cut=False)
    cut = list_overrides([], is_cut=True)
    cycle = find_cycle("dispute-cycle", [(date(2026, 2, 10), date(2026, 3, 2))])

    assert holds == [(None, None, Why.NOT_KEPT)] * 2
    assert [(one.value, one.n, one.why) for one in none] == [(None, 0, Why.NO_BASE)] * 2
    assert {one.why for one in cut} == {Why.CUT}
    assert (cycle.value, cycle.n, cycle.why) == (20_000, 1, None)


@pytest.mark.parametrize(
    ("unit", "value", "english"),
    [
        (Unit.MILLI_DAYS, 45_649, "45.6 days"),
        (Unit.MILLI_DAYS, -450, "-0.4 days"),
        (Unit.CENTIPERCENT, 5_593, "55.93%"),
        (Unit.CENTIPERCENT, 7, "0.07%"),
        (Unit.COUNT, 12, "12"),
    ],
)
def test_a_figure_is_written_with_its_unit(unit: Unit, value: int, english: str) -> None:
    figure = {"value": value, "unit": unit.value, "why": None}

    assert say_figure(figure, Language.EN) == english


def test_the_next_review_is_the_first_of_the_rhythm_after_it_was_held() -> None:
    due = date(2026, 1, 31)

    assert find_next_due(due, every_months=3, held_on=date(2026, 1, 20)) == date(2026, 4, 30)
    assert find_next_due(due, every_months=3, held_on=date(2026, 4, 30)) == date(2026, 7, 31)
    assert find_next_due(due, every_months=1, held_on=date(2027, 3, 1)) == date(2027, 3, 31)
