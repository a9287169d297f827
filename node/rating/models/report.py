"""The report of a model: split, figures on later rows, back-test; integers, for people and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from node.assessment.policy_file import Language
from node.assessment.statistical.model_file import StatisticalModel
from node.assessment.statistical.rules_statistical import score_values
from node.assessment.statistical.scaling import read_scale
from node.core.errors import RejectedError
from node.rating.models.table import TrainingTable
from node.rating.models.training_policy import ValidationRules
from node.rating.validation.calibration import Group
from node.rating.validation.intervals import BOOTSTRAP_ROUNDS, BOOTSTRAP_SEED, Interval
from node.rating.validation.stability import PSI_CHANGED, PSI_WATCH, Drift
from node.rating.validation.verdict import (
    VERDICTS,
    GradeRate,
    Validation,
    back_test,
    validate,
)
from protocol.strict_json import JsonValue

PPM = 1_000_000
SCORE_GROUPS = 10


class UnknownVerdictError(RejectedError):
    """A report has a verdict that this node does not know."""

    code = "verdict-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A model on rows with a known outcome."""

    scores_deci: tuple[int, ...]
    probabilities: tuple[float, ...]
    validation: Validation
    grades: tuple[GradeRate, ...]


def judge(
    model: StatisticalModel, table: TrainingTable, *, rules: ValidationRules, is_later: bool
) -> Judged:
    """Score rows with a model, and compare what it states with what happened."""
    scores = score_rows(model, table)
    scale = read_scale(model.body.scale)
    stated = tuple(scale.probability(score / 10) for score in scores)
    symbols = [find_grade(one, rules) for one in stated]
    return Judged(
        scores_deci=scores,
        probabilities=stated,
        validation=validate(
            stated,
            table.outcomes,
            groups=table.groups,
            bads_min=rules.bads_min,
            is_later=is_later,
        ),
        grades=back_test(
            symbols, stated, table.outcomes, order=[one.grade for one in rules.grades]
        ),
    )


def score_rows(model: StatisticalModel, table: TrainingTable) -> tuple[int, ...]:
    """Return the score of each row, in tenths."""
    ids = [column.id for column in table.columns]
    return tuple(
        score_values(model, dict(zip(ids, row, strict=True))).score_deci for row in table.rows
    )


def find_grade(probability: float, rules: ValidationRules) -> str:
    """Return the grade of a probability of default."""
    return next(one.grade for one in rules.grades if probability * PPM <= one.upto_ppm)


def cut_scores(scores_deci: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Cut scores into ten groups of like size; return the edges and how many are in each group."""
    ordered = sorted(scores_deci)
    edges = sorted({ordered[len(ordered) * one // SCORE_GROUPS] for one in range(1, SCORE_GROUPS)})
    counts = Counter(group_score(score, edges) for score in ordered)
    return tuple(edges), tuple(counts[group] for group in range(len(edges) + 1))


def group_score(score_deci: int, edges: Sequence[int]) -> int:
    """Return the group of a score."""
    return sum(score_deci >= edge for edge in edges)


def build_judged_object(judged: Judged) -> dict[str, JsonValue]:
    """Return the figures as integers: shares in millionths; what cannot be told is left out."""
    found = judged.validation
    shown: dict[str, JsonValue] = {
        "rows": found.rows,
        "bads": found.bads,
        "bad_customers": found.bad_customers,
        "verdict": found.verdict,
        "auc": _show_interval(found.auc),
        "ks": _show_interval(found.ks),
        "bootstrap": {"rounds": BOOTSTRAP_ROUNDS, "seed": BOOTSTRAP_SEED},
        "reliability": [_show_group(one) for one in found.reliability],
        "grades": [
            {"grade": one.grade, "holds": one.holds, **_show_group(one.group)}
            for one in judged.grades
        ],
    }
    if found.gini is not None:
        shown["gini_ppm"] = round(PPM * found.gini)
    if found.brier is not None:
        shown["brier_ppm"] = round(PPM * found.brier)
    if (fit := found.hosmer_lemeshow) is not None:
        shown["hosmer_lemeshow"] = {
            "statistic_milli": round(1000 * min(fit.statistic, PPM)),
            "degrees": fit.degrees,
            "p_ppm": round(PPM * fit.p_value),
        }
    return shown


def build_drift_object(drift: Drift) -> dict[str, JsonValue]:
    """Return one month against training, with the usual word for its index."""
    if drift.psi is None:
        return {"month": drift.month, "rows": drift.rows}
    level = "watch" if drift.psi >= PSI_WATCH else "stable"
    return {
        "month": drift.month,
        "rows": drift.rows,
        "psi_ppm": round(PPM * drift.psi),
        "level": "changed" if drift.psi >= PSI_CHANGED else level,
    }


def describe_verdict(code: str, language: Language) -> str:
    """Put a verdict into words.

    Raises:
        UnknownVerdictError: There is no such verdict.
    """
    if code not in VERDICTS:
        raise UnknownVerdictError(f"no verdict {code}")
    return VERDICTS[code].render(language)


def _show_interval(interval: Interval) -> dict[str, JsonValue]:
    parts = (
        ("value_ppm", interval.value),
        ("low_ppm", interval.low),
        ("high_ppm", interval.high),
    )
    return {name: round(PPM * value) for name, value in parts if value is not None}


def _show_group(group: Group) -> dict[str, JsonValue]:
    return {
        "rows": group.rows,
        "bads": group.bads,
        "stated_ppm": round(PPM * group.stated),
        "observed": _show_interval(group.observed),
    }
