"""The worked cases of validation, and an independent library beside our own figures."""

from __future__ import annotations

import random  # noqa: TID251  from a stated seed
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve

from node.assessment.statistical.scaling import build_scale, weigh
from node.rating.validation.calibration import (
    CalibrationInvalidError,
    Group,
    brier,
    build_groups,
    chi_square_above,
    hosmer_lemeshow,
)
from node.rating.validation.comparison import compare_auc
from node.rating.validation.discrimination import auc, gini, ks
from node.rating.validation.intervals import bootstrap, wilson
from node.rating.validation.stability import SharesInvalidError, drift_by_month, psi
from node.rating.validation.verdict import VERDICTS, back_test, validate

PD = (0.02, 0.05, 0.10, 0.20, 0.40, 0.60)
BAD = (False, False, True, False, True, True)


@pytest.mark.parametrize(
    ("stated", "expected", "scores"),
    [
        ((600, 50, 20), (28.853901, 487.122876), (619.71, 572.08, 527.12)),
        ((600, 19, 50), (72.134752, 387.603624), (719.07, 600.00, 487.60)),
        ((500, 30, 20), (28.853901, 401.862188), (534.45, 486.82, 441.86)),
    ],
)
def test_points_double_the_odds_as_the_worked_cases_say(
    stated: tuple[int, int, int], expected: tuple[float, float], scores: tuple[float, ...]
) -> None:
    points0, odds0, pdo = stated
    scale = build_scale(points0=points0, odds0_good=odds0, pdo=pdo)

    assert (scale.factor, scale.offset) == pytest.approx(expected, abs=1e-6)
    for probability, score in zip((0.01, 0.05, 0.20), scores, strict=True):
        assert scale.score_probability(probability) == pytest.approx(score, abs=0.005)
        assert scale.probability(score) == pytest.approx(probability, rel=1e-3)


def test_weights_of_evidence_and_information_value_of_the_worked_case() -> None:
    evidence = weigh((400, 350, 150, 100), (5, 15, 30, 50))

    assert evidence.woe == pytest.approx((2.0794, 0.8473, -0.6931, -1.6094), abs=5e-5)
    assert evidence.iv == pytest.approx(1.645, abs=5e-4)
    assert not evidence.has_zero_cell


def test_an_empty_cell_counts_half_and_it_is_said() -> None:
    evidence = weigh((10, 90, 0), (0, 10, 0))

    assert evidence.has_zero_cell
    assert evidence.woe[0] > 0
    assert evidence.woe[2] == 0


def test_figures_of_the_worked_case() -> None:
    assert auc(PD, BAD) == pytest.approx(0.8889, abs=5e-5)
    assert gini(PD, BAD) == pytest.approx(0.7778, abs=5e-5)
    assert ks(PD, BAD) == pytest.approx(0.6667, abs=5e-5)
    assert brier(PD, BAD) == pytest.approx(0.2288, abs=5e-5)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((0.1, 0.2, 0.4, 0.2, 0.1), 0.0),
        ((0.08, 0.15, 0.37, 0.25, 0.15), 0.0526),
        ((0.05, 0.1, 0.3, 0.3, 0.25), 0.3107),
    ],
)
def test_stability_index_of_the_worked_cases(after: tuple[float, ...], expected: float) -> None:
    assert psi((0.1, 0.2, 0.4, 0.2, 0.1), after) == pytest.approx(expected, abs=5e-5)


def test_stability_index_needs_the_same_groups_and_fills_empty_ones() -> None:
    with pytest.raises(SharesInvalidError):
        psi((1, 2), (1, 2, 3))
    with pytest.raises(SharesInvalidError):
        psi((0, 0), (1, 2))

    assert psi((10, 0), (5, 5)) > 0


def test_hosmer_and_lemeshow_of_the_worked_case() -> None:
    groups = [
        Group(rows=100, bads=bads, stated=stated)
        for bads, stated in ((2, 0.01), (4, 0.05), (26, 0.20))
    ]

    on_others = hosmer_lemeshow(groups, is_training=False)

    assert on_others.statistic == pytest.approx(3.4706, abs=5e-5)
    assert on_others.degrees == 3
    assert on_others.p_value == pytest.approx(0.3247, abs=5e-4)
    assert hosmer_lemeshow(groups, is_training=True).degrees == 1


@pytest.mark.parametrize("stated", [0.0, 1.0])
def test_a_group_that_states_certainty_has_no_statistic(stated: float) -> None:
    with pytest.raises(CalibrationInvalidError):
        hosmer_lemeshow([Group(rows=10, bads=0, stated=stated)], is_training=False)


@pytest.mark.parametrize(
    ("statistic", "degrees", "above"),
    # Tables of the chi-square distribution (Abramowitz and Stegun, table 26.8).
    [(3.841, 1, 0.05), (5.991, 2, 0.05), (7.815, 3, 0.05), (18.307, 10, 0.05), (21.666, 9, 0.01)],
)
def test_chi_square_is_that_of_the_tables(statistic: float, degrees: int, above: float) -> None:
    assert chi_square_above(statistic, degrees) == pytest.approx(above, abs=2e-5)


def test_wilson_of_none_of_ten_and_of_a_published_case() -> None:
    assert wilson(0, 10).low == 0
    assert wilson(0, 10).high == pytest.approx(0.2775, abs=5e-5)
    assert wilson(81, 263).low == pytest.approx(0.2553, abs=5e-5)  # Newcombe 1998, table I
    assert wilson(81, 263).high == pytest.approx(0.3662, abs=5e-5)
    assert wilson(0, 0).value is None


@given(
    st.lists(
        st.tuples(st.integers(0, 20).map(lambda one: one / 20), st.booleans()),
        min_size=2,
        max_size=60,
    )
)
def test_figures_are_those_of_scikit_learn(pairs: list[tuple[float, bool]]) -> None:
    stated = [one for one, _ in pairs]
    outcomes = [is_bad for _, is_bad in pairs]
    if len(set(outcomes)) < 2:
        assert auc(stated, outcomes) is None
        assert ks(stated, outcomes) is None
        return
    false, true, _ = roc_curve(outcomes, stated, drop_intermediate=False)

    assert auc(stated, outcomes) == pytest.approx(roc_auc_score(outcomes, stated))
    assert ks(stated, outcomes) == pytest.approx(max(abs(true - false)))
    assert brier(stated, outcomes) == pytest.approx(brier_score_loss(outcomes, stated))


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=1, max_size=80))
def test_groups_hold_every_row_once(pairs: list[tuple[float, bool]]) -> None:
    groups = build_groups([one for one, _ in pairs], [is_bad for _, is_bad in pairs])

    assert sum(group.rows for group in groups) == len(pairs)
    assert sum(group.bads for group in groups) == sum(is_bad for _, is_bad in pairs)
    assert [g.stated for g in groups] == sorted(g.stated for g in groups)


def draw(rows: int, seed: int = 7) -> tuple[list[float], list[bool]]:
    """Rows whose outcome follows the stated probability exactly."""
    chance = random.Random(seed)  # noqa: S311
    stated = [chance.uniform(0.02, 0.6) for _ in range(rows)]
    return stated, [chance.random() < one for one in stated]


def test_an_interval_comes_from_a_stated_seed() -> None:
    stated, outcomes = draw(200)

    first = bootstrap(auc, stated, outcomes, rounds=60)

    assert first == bootstrap(auc, stated, outcomes, rounds=60)
    assert first.low is not None
    assert first.value is not None
    assert first.high is not None
    assert first.low < first.value < first.high


def test_the_word_validated_is_withheld_below_the_stated_number_of_bad_rows() -> None:
    stated, outcomes = draw(800)
    bads = [index for index, is_bad in enumerate(outcomes) if is_bad]
    few = set(bads[19:])
    kept = [index for index in range(800) if index not in few]

    whole = validate(stated, outcomes, is_later=True)
    thin = validate([stated[i] for i in kept], [outcomes[i] for i in kept], is_later=True)

    assert whole.verdict == "validated"
    assert (thin.bads, thin.verdict) == (19, "withheld.bads")
    assert validate(stated, outcomes, is_later=True, bads_min=len(bads) + 1).verdict == (
        "withheld.bads"
    )


def test_other_reasons_withhold_it_too_and_each_has_words() -> None:
    stated, outcomes = draw(800)
    wrong = [1 - one for one in stated]
    off = [one / 6 for one in stated]

    verdicts = {
        "withheld.not-later": validate(stated, outcomes, is_later=False),
        "withheld.chance": validate(wrong, outcomes, is_later=True),
        "withheld.calibration": validate(off, outcomes, is_later=True),
        "withheld.goods": validate(stated[:60], [True] * 50 + [False] * 10, is_later=True),
    }

    assert [name for name, one in verdicts.items() if one.verdict != name] == []
    assert set(VERDICTS) == {"validated", "withheld.bads", *verdicts}


def test_a_back_test_says_by_grade_whether_what_was_stated_lies_in_the_interval() -> None:
    rates = back_test(
        ["A"] * 100 + ["B"] * 100,
        [0.01] * 100 + [0.05] * 100,
        [True] + [False] * 99 + [True] * 20 + [False] * 80,
        order=["A", "B", "C"],
    )

    assert [(one.grade, one.group.bads, one.holds) for one in rates] == [
        ("A", 1, True),
        ("B", 20, False),
    ]


def test_drift_by_month_tells_how_many_rows_it_rests_on() -> None:
    days = [date(2026, 1, 5)] * 4 + [date(2026, 2, 5)] * 4

    first, second = drift_by_month([0, 0, 1, 1, 1, 1, 1, 1], days, trained_on={0: 50, 1: 50})

    assert (first.month, first.rows, first.psi) == ("2026-01", 4, 0.0)
    assert second.psi is not None
    assert second.psi > 0.25


def test_two_models_differ_only_where_the_interval_says_so() -> None:
    stated, outcomes = draw(300)
    chance = random.Random(1)  # noqa: S311

    same = compare_auc(stated, stated, outcomes, rounds=50)
    worse = compare_auc(stated, [chance.random() for _ in stated], outcomes, rounds=50)

    assert same.interval.value == 0
    assert not same.is_shown
    assert worse.is_shown
    assert worse.interval.value is not None
    assert worse.interval.value < 0


def test_a_customer_who_was_looked_at_often_counts_once() -> None:
    stated, outcomes = draw(400)
    customers = [number // 20 for number in range(400)]

    alone = validate(stated, outcomes, is_later=True)
    together = validate(stated, outcomes, groups=customers, is_later=True)

    assert (alone.verdict, alone.bad_customers) == ("validated", alone.bads)
    assert together.bad_customers <= 20
    assert together.verdict.startswith("withheld.")
