"""Each ratio by hand, exact; and why one cannot be worked out."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.assessment.statements.chart import CHART
from node.assessment.statements.rules_figures import Remark
from node.assessment.statements.rules_ratios import (
    RATIOS,
    Better,
    RatioValue,
    compute_ratios,
    format_value,
)
from node.assessment.statements.rules_statement import Gaap, Statement
from node.assessment.statements.rules_trend import Direction, Judgement, find_trend
from tests.support.statements import build_statement, leave_out

ALONE = {  # of one year without an opening balance: closing balances stand for averages
    "current-ratio": "1.50",
    "quick-ratio": "1.00",
    "cash-ratio": "0.25",
    "debt-to-equity": "1.00",
    "debt-to-assets": "50.0",
    "interest-cover": "6.00",
    "net-debt-to-ebitda": "0.88",  # 150 / 170
    "gross-margin": "33.3",
    "operating-margin": "6.7",
    "net-margin": "5.0",
    "return-on-assets": "7.5",
    "return-on-equity": "15.0",
    "receivables-days": "73.0",
    "inventory-days": "73.0",
    "payables-days": "73.0",
    "asset-turnover": "1.50",
    "cash-flow-to-debt": "18.0",
}


def compute(statement: Statement, *before: Statement) -> dict[str, RatioValue]:
    return {code: values[-1] for code, values in compute_ratios([*before, statement]).items()}


@pytest.mark.parametrize("code", RATIOS)
def test_each_ratio_of_one_year_is_as_by_hand(code: str) -> None:
    value = compute(build_statement())[code]

    if code not in ALONE:
        assert (value.value, value.reason) == (None, "no-previous-year")
        return
    assert value.value is not None
    assert format_value(value.value, decimals=RATIOS[code].unit.decimals) == ALONE[code]


def test_averages_take_the_year_before_and_growth_compares_with_it() -> None:
    change = {"total-assets": 500, "current-assets": 100, "total-equity": 250}
    before = build_statement(2024, change={**change, "total-liabilities": 250, "sales": 1_200})

    ratios = compute(build_statement(), before)

    assert ratios["return-on-assets"].value == 10  # 75 of 750 on average
    assert Remark.CLOSING_ONLY not in ratios["return-on-assets"].remarks
    assert ratios["sales-growth"].value == 25
    assert ratios["assets-growth"].value == 100


def test_the_statements_own_opening_balances_come_before_last_years_closing() -> None:
    opening = {"total-assets": 50_000}
    statement = build_statement(opening=opening)

    assert compute(statement, build_statement(2024))["return-on-assets"].value == 10
    assert compute(build_statement())["return-on-assets"].remarks == (Remark.CLOSING_ONLY,)


@pytest.mark.parametrize(
    ("code", "change", "reason"),
    [
        ("interest-cover", {"interest-expense": 0}, "denominator-zero"),
        ("return-on-equity", {"total-equity": -500}, "denominator-negative"),
        ("gross-margin", {"sales": 0}, "denominator-zero"),
        ("net-debt-to-ebitda", {"profit-before-tax": -300}, "denominator-negative"),
    ],
)
def test_a_denominator_that_is_not_above_zero_gives_the_reason_and_no_figure(
    code: str, change: dict[str, int], reason: str
) -> None:
    value = compute(build_statement(change=change))[code]

    assert (value.value, value.reason) == (None, reason)


@pytest.mark.parametrize(
    ("code", "left_out"),
    [
        ("quick-ratio", "inventory"),
        ("net-debt-to-ebitda", "long-term-debt"),
        ("interest-cover", "interest-expense"),
        ("receivables-days", "receivables"),
        ("cash-flow-to-debt", "operating-cash-flow"),
    ],
)
def test_a_missing_line_is_named_and_is_not_zero(code: str, left_out: str) -> None:
    statement = build_statement()

    value = compute(replace(statement, lines=leave_out(statement, left_out)))[code]

    assert (value.value, value.reason, value.missing_item) == (None, "missing", left_out)


def test_ebit_is_operating_profit_where_the_gaap_has_it_before_interest() -> None:
    lines = leave_out(build_statement(), "profit-before-tax", "net-profit")
    ifrs = build_statement(gaap=Gaap.IFRS, lines=lines)
    cas = build_statement(lines=lines)

    assert compute(ifrs)["interest-cover"].value == 5
    assert Remark.OPERATING_PROFIT in compute(ifrs)["interest-cover"].remarks
    assert compute(cas)["interest-cover"].missing_item == "profit-before-tax"


def test_flows_of_a_short_year_are_annualised_and_balances_are_not() -> None:
    half = compute(build_statement(months=6))

    assert half["asset-turnover"].value == 3
    assert half["asset-turnover"].remarks == (Remark.ANNUALISED, Remark.CLOSING_ONLY)
    assert half["current-ratio"].value == Fraction(3, 2)
    assert half["gross-margin"].value == Fraction(100, 3)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ({"currency": "EUR"}, "currency-changed"),
        ({"year_end": date(2023, 12, 31)}, "no-previous-year"),
    ],
)
def test_growth_needs_the_year_before_in_the_same_currency(
    before: dict[str, Any], reason: str
) -> None:
    assert (
        compute(build_statement(), build_statement(2024, **before))["sales-growth"].reason == reason
    )


def test_growth_annualises_a_short_year_before_and_names_a_line_that_it_lacks() -> None:
    before = build_statement(2024, months=6)
    without = replace(before, lines=leave_out(before, "sales"))

    growth = compute(build_statement(), before)["sales-growth"]
    unknown = compute(build_statement(), without)["sales-growth"]

    assert growth.value == -50
    assert growth.remarks == (Remark.ANNUALISED,)
    assert (unknown.value, unknown.reason, unknown.missing_item) == (
        None, "missing-before", "sales",
    )  # fmt: skip


def test_a_year_of_52_weeks_joins_the_one_before() -> None:
    before = build_statement(year_end=date(2024, 9, 28))
    statement = build_statement(year_end=date(2025, 9, 27))

    assert compute(statement, before)["sales-growth"].value == 0


def test_a_total_that_follows_from_its_parts_is_worked_out_and_said() -> None:
    statement = build_statement()
    lines = leave_out(statement, "gross-profit", "total-liabilities", "non-current-liabilities")

    ratios = compute(replace(statement, lines=lines))

    assert ratios["gross-margin"].value == Fraction(100, 3)
    assert ratios["gross-margin"].remarks == (Remark.DERIVED,)
    assert ratios["debt-to-assets"].value == 50


@given(st.dictionaries(st.sampled_from(sorted(CHART)), st.integers(-(10**15), 10**15)))
def test_no_lines_whatever_give_anything_but_a_value_or_a_reason(lines: dict[str, int]) -> None:
    for value in compute(build_statement(lines=lines)).values():
        assert (value.value is None) == bool(value.reason)


@given(st.integers(1, 10**9))
def test_ratios_do_not_depend_on_the_unit(factor: int) -> None:
    small, large = compute(build_statement(factor=1)), compute(build_statement(factor=factor))

    assert {code: one.value for code, one in small.items()} == {
        code: one.value for code, one in large.items()
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(1, 8), "0.12"),
        (Fraction(3, 8), "0.38"),
        (Fraction(-1, 8), "-0.12"),
        (Fraction(-1, 1000), "0.00"),
        (Fraction(123_456_789, 100), "1,234,567.89"),
    ],
)
def test_values_are_rounded_half_to_even_once(value: Fraction, shown: str) -> None:
    assert format_value(value, decimals=2) == shown


def make_values(*values: int | None) -> list[RatioValue]:
    return [
        RatioValue(
            code="x",
            year_end=date(2020 + number, 12, 31),
            value=None if value is None else Fraction(value),
        )
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "direction", "judgement", "years"),
    [
        ((100, 110, 120), Direction.RISING, Judgement.BETTER, 3),
        ((120, 110, 100), Direction.FALLING, Judgement.WORSE, 3),
        ((100, 104, 100, 104), Direction.STEADY, Judgement.SAME, 4),
        ((100, 109), Direction.STEADY, Judgement.SAME, 2),
        ((1000, 100, 100, 100, 100, 100), Direction.STEADY, Judgement.SAME, 5),
        ((0, 0), Direction.STEADY, Judgement.SAME, 2),
        ((-10, None, 10), Direction.RISING, Judgement.BETTER, 2),
    ],
)
def test_the_trend_is_the_gain_of_a_straight_line_against_the_mean_size(
    values: tuple[int | None, ...], direction: Direction, judgement: Judgement, years: int
) -> None:
    trend = find_trend(make_values(*values), better=Better.HIGHER)

    assert trend is not None
    assert (trend.direction, trend.judgement, trend.years) == (direction, judgement, years)


def test_rising_is_worse_where_lower_is_better_and_open_where_neither_is() -> None:
    values = make_values(1, 2)

    lower, neither = (find_trend(values, better=one) for one in (Better.LOWER, Better.NEITHER))

    assert lower is not None
    assert neither is not None
    assert (lower.judgement, neither.judgement) == (Judgement.WORSE, Judgement.OPEN)
    assert find_trend(make_values(1, None), better=Better.HIGHER) is None
