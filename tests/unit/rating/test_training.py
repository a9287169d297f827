"""A scorecard is trained to the same bytes each time, keeps directions, and explains each point."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.assessment.policy_file import Language, PolicyInvalidError
from node.assessment.statistical.model_file import (
    Direction,
    Feature,
    StatisticalModel,
    format_model,
    parse_model,
)
from node.assessment.statistical.rules_statistical import (
    UnknownFactorError,
    Value,
    describe_reason,
    score_values,
)
from node.assessment.statistical.scaling import read_scale
from node.rating.models import extra
from node.rating.models.extra import ModelsExtraMissingError
from node.rating.models.report import judge
from node.rating.models.table import TrainingTable, TrainingTableError, split_by_time
from node.rating.models.training import train_model
from node.rating.models.training_policy import TrainingPolicy, read_preset_training_policy
from node.rating.validation.discrimination import auc
from tests.support.tables import COLUMNS, make_table, name

PRESET = read_preset_training_policy()
IDS = [column.id for column in COLUMNS]


def change(part: str, **values: Any) -> TrainingPolicy:  # noqa: ANN401
    changed = getattr(PRESET.body, part).model_copy(update=values)
    return replace(PRESET, body=PRESET.body.model_copy(update={part: changed}))


COMBINED = change("combinations", count_max=4)


@cache
def table() -> TrainingTable:
    return make_table()


@cache
def trained(*, combined: bool = False) -> StatisticalModel:
    policy = COMBINED if combined else PRESET
    return train_model(table(), policy=policy, model_id="test", names=name("test"))


def find(model: StatisticalModel, feature_id: str) -> Feature:
    return next(one for one in model.body.features if one.id == feature_id)


def test_the_same_rows_give_the_same_bytes_and_name_their_hash() -> None:
    again = train_model(table(), policy=COMBINED, model_id="test", names=name("test"))

    assert again.raw == trained(combined=True).raw
    assert again.body.data_sha256_b64u == table().sha256_b64u
    assert again.body.policy_sha256_b64u == PRESET.sha256_b64u
    assert (again.body.rows, again.body.bads) == (len(table().rows), table().bads)


def test_other_rows_have_another_hash() -> None:
    one = table()
    other = replace(one, outcomes=(not one.outcomes[0], *one.outcomes[1:]))

    assert other.sha256_b64u != one.sha256_b64u


def test_points_keep_to_the_direction_that_the_policy_states() -> None:
    rising = [one.points_deci for one in find(trained(), "index").bins]
    falling = [one.points_deci for one in find(trained(), "days").bins]

    assert len(rising) > 1
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)


def test_a_factor_that_runs_against_its_direction_is_left_out() -> None:
    turned = tuple(
        replace(column, direction=Direction.FALLING) if column.id == "index" else column
        for column in COLUMNS
    )
    model = train_model(
        replace(table(), columns=turned), policy=PRESET, model_id="test", names=name("test")
    )

    assert "index" not in {one.id for one in model.body.features}


def test_missing_and_special_values_have_bins_of_their_own_and_noise_is_left_out() -> None:
    days = find(trained(), "days")

    assert days.missing.rows > 50
    assert days.missing.points_deci < 0
    assert [one.value for one in days.specials] == [999]
    assert "noise" not in {one.id for one in trained().body.features}


@given(
    index=st.one_of(st.none(), st.integers(-50, 1_200)),
    days=st.one_of(st.none(), st.integers(-5, 1_200)),
    noise=st.integers(0, 100),
    sector=st.sampled_from(["build", "food", "steel", "never seen"]),
    combined=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_score_is_the_sum_of_lines_that_each_say_what_was_best(
    *, index: Value, days: Value, noise: Value, sector: Value, combined: bool
) -> None:
    model = trained(combined=combined)
    values = dict(zip(IDS, (index, days, noise, sector), strict=True))

    score = score_values(model, values)

    assert score.score_deci == score.base_points_deci + sum(one.points_deci for one in score.lines)
    assert all(one.points_deci <= one.points_best_deci and one.source for one in score.lines)
    assert len(score.reasons) == min(PRESET.body.reasons_max, len(set(score.reasons)))
    for code in score.reasons:
        assert describe_reason(model.body, code, Language.ZH)
        assert describe_reason(model.body, code, Language.EN)


@pytest.mark.parametrize("combined", [False, True])
def test_a_better_value_never_scores_less_whatever_the_others_are(*, combined: bool) -> None:
    model = trained(combined=combined)
    for days in (None, 0, 70, 999):
        for sector in ("build", "steel"):
            scores = [
                score_values(
                    model, {"index": index, "days": days, "noise": 50, "sector": sector}
                ).score_deci
                for index in range(0, 1_001, 20)
            ]
            assert all(left <= right for left, right in pairwise(scores))


def test_a_combination_finds_what_two_factors_do_together() -> None:
    model = trained(combined=True)
    fresh = make_table(seed=11)
    found = [
        judge(
            trained(combined=combined), fresh, rules=PRESET.body.validation, is_later=False
        ).validation.auc.value
        or 0.0
        for combined in (False, True)
    ]

    assert any(len(one.feature_ids) > 1 for one in model.body.combinations)
    assert found[1] > found[0] - 0.01 > 0.6


def test_the_points_say_what_the_regression_says() -> None:
    scale = read_scale(trained().body.scale)
    stated = [
        scale.probability(score_values(trained(), dict(zip(IDS, row, strict=True))).score_deci / 10)
        for row in table().rows
    ]

    assert sum(stated) == pytest.approx(table().bads, rel=0.01)
    assert (auc(stated, table().outcomes) or 0) > 0.7


def test_a_word_where_numbers_are_is_refused() -> None:
    with pytest.raises(UnknownFactorError):
        score_values(trained(), {"index": "high"})
    with pytest.raises(UnknownFactorError):
        describe_reason(trained().body, "index.odd", Language.EN)
    with pytest.raises(UnknownFactorError):
        describe_reason(trained().body, "nobody.lost", Language.EN)


def test_a_model_file_is_read_strictly() -> None:
    raw = trained().raw

    assert format_model(parse_model(raw).body) == raw
    for old, new in (
        (b'"direction":"rising"', b'"direction":"falling"'),
        (b'"upto":', b'"up":'),
        (b'"base_points_deci":', b'"base_points_deci":1.5,"base":'),
    ):
        assert old in raw
        with pytest.raises(PolicyInvalidError):
            parse_model(raw.replace(old, new, 1))


def test_later_rows_test_and_rows_whose_outcome_was_open_then_are_left_out() -> None:
    train, test = split_by_time(table(), test_share_permille=300, gap_days=100)

    assert train.days is not None
    assert test.days is not None
    assert (min(test.days) - max(train.days)).days >= 100
    assert len(test.rows) >= 360
    assert len(train.rows) + len(test.rows) < len(table().rows)


@pytest.mark.parametrize("days", [None, (date(2026, 1, 1),) * 1_200])
def test_rows_that_cannot_be_split_by_time_are_refused(days: tuple[date, ...] | None) -> None:
    with pytest.raises(TrainingTableError):
        split_by_time(replace(table(), days=days), test_share_permille=300, gap_days=100)


def test_rows_that_teach_nothing_are_refused() -> None:
    one = table()
    with pytest.raises(TrainingTableError, match="all good, or all bad"):
        train_model(
            replace(one, outcomes=(False,) * 1_200), policy=PRESET, model_id="x", names=name("x")
        )
    with pytest.raises(TrainingTableError, match="information value"):
        train_model(
            replace(one, columns=(COLUMNS[2],), rows=tuple((row[2],) for row in one.rows)),
            policy=PRESET,
            model_id="x",
            names=name("x"),
        )
    with pytest.raises(TrainingTableError, match="another kind"):
        replace(one, rows=(("high", 1, 1, "food"), *one.rows[1:]))
    with pytest.raises(TrainingTableError, match="one length"):
        replace(one, outcomes=(True,))


def test_without_the_libraries_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "LIBRARIES", ("numpy", "a_library_that_is_not_there"))

    with pytest.raises(ModelsExtraMissingError, match=r"chengxin\[models\]"):
        train_model(table(), policy=PRESET, model_id="x", names=name("x"))
