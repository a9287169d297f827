"""Every worked case of the formulas page, and what cannot be worked out."""

from dataclasses import fields, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.assessment.statements.rules_altman import (
    MODELS,
    SCORE_DECIMALS,
    Inputs,
    Zone,
    score_inputs,
    score_statement,
)
from node.assessment.statements.rules_figures import Remark
from node.assessment.statements.rules_ratios import format_value
from tests.support.statements import build_statement, leave_out

CASES = {
    "sound": ((200, 300, 120, 500, 500, 1500, 1000), ("2.6873", "4.1464", "7.3964")),
    "weak": ((50, 20, 30, 250, 750, 900, 1000), ("1.1842", "0.9448", "4.1948")),
    "failing": ((-100, -150, -40, 50, 950, 700, 1000), ("0.3977", "-1.3585", "1.8915")),
}
ZONES = {
    "sound": (Zone.GREY, Zone.SAFE, Zone.SAFE),
    "weak": (Zone.DISTRESS, Zone.DISTRESS, Zone.DISTRESS),
    "failing": (Zone.DISTRESS, Zone.DISTRESS, Zone.DISTRESS),
}


def build_inputs(figures: tuple[int, ...]) -> Inputs:
    names = [field.name for field in fields(Inputs)]
    return Inputs(**dict(zip(names, map(Fraction, figures), strict=True)))


@pytest.mark.parametrize("case", CASES)
def test_worked_cases_come_out_to_four_decimals_with_their_zones(case: str) -> None:
    figures, expected = CASES[case]

    scores = [score_inputs(model, build_inputs(figures)) for model in MODELS.values()]

    shown = [format_value(one.score, decimals=SCORE_DECIMALS) for one in scores if one.score]
    assert tuple(shown) == expected
    assert tuple(one.zone for one in scores) == ZONES[case]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"total_liabilities": Fraction(0)}, "denominator-zero"),
        ({"total_assets": Fraction(0)}, "denominator-zero"),
        ({"total_assets": Fraction(-1)}, "denominator-negative"),
    ],
)
def test_without_assets_or_liabilities_there_is_no_score(
    change: dict[str, Fraction], reason: str
) -> None:
    inputs = replace(build_inputs(CASES["sound"][0]), **change)

    for model in MODELS.values():
        score = score_inputs(model, inputs)
        assert (score.score, score.zone, score.reason) == (None, None, reason)


@pytest.mark.parametrize(
    ("score_centi", "zone"),
    [(290, Zone.GREY), (291, Zone.SAFE), (123, Zone.GREY), (122, Zone.DISTRESS)],
)
def test_the_edges_of_the_zones_are_grey(score_centi: int, zone: Zone) -> None:
    model = replace(MODELS["z-prime"], coefficients_milli=(("X5", 1000),))
    inputs = replace(build_inputs(CASES["sound"][0]), sales=Fraction(score_centi * 10))

    assert score_inputs(model, inputs).zone is zone


@given(st.lists(st.integers(-(10**12), 10**12), min_size=5, max_size=5), st.integers(1, 10**12))
def test_the_terms_add_up_to_the_score_exactly(figures: list[int], size: int) -> None:
    inputs = build_inputs((*figures[:4], size, figures[4], size))

    for model in MODELS.values():
        score = score_inputs(model, inputs)
        terms = sum((term.contribution for term in score.terms), Fraction())
        assert score.score == terms + Fraction(model.constant_milli, 1000)


def test_a_statement_is_scored_with_ebit_before_interest() -> None:
    (prime, double, emerging) = score_statement(build_statement())

    by_name = {term.name: term.value for term in prime.terms}
    assert by_name == {
        "X1": Fraction(1, 5),
        "X2": Fraction(3, 10),
        "X3": Fraction(12, 100),
        "X4": 1,
        "X5": Fraction(3, 2),
    }
    assert prime.score is not None
    assert format_value(prime.score, decimals=4) == "2.6873"  # the sound case
    assert double.score is not None
    assert emerging.score == double.score + Fraction(13, 4)


def test_half_a_year_is_annualised_and_says_so() -> None:
    half = build_statement(
        months=6, change={"sales": 750, "cost-of-sales": 500, "gross-profit": 250}
    )

    prime = score_statement(half)[0]

    assert {term.name: term.value for term in prime.terms}["X5"] == Fraction(3, 2)
    assert Remark.ANNUALISED in prime.remarks


def test_a_missing_line_is_named() -> None:
    lines = leave_out(build_statement(), "retained-earnings")

    for score in score_statement(replace(build_statement(), lines=lines)):
        assert (score.reason, score.missing_item) == ("missing", "retained-earnings")


def test_formulas_are_as_published() -> None:
    assert [model.formula for model in MODELS.values()] == [
        "0.717 X1 + 0.847 X2 + 3.107 X3 + 0.42 X4 + 0.998 X5",
        "6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4",
        "6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4 + 3.25",
    ]
