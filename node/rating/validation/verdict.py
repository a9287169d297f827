"""What may be called validated, and the report of a model on rows it has not seen."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.assessment.policy_file import LocalText
from node.rating.validation.calibration import (
    CalibrationInvalidError,
    Group,
    HosmerLemeshow,
    brier,
    build_groups,
    hosmer_lemeshow,
)
from node.rating.validation.discrimination import auc, gini, ks
from node.rating.validation.intervals import Interval, bootstrap, build_clusters

BADS_MIN = 20  # below so many customers who turned bad nothing is called validated
VERDICTS: Mapping[str, LocalText] = {
    "validated": LocalText(zh="已验证", en="validated"),
    "withheld.bads": LocalText(
        zh="违约样本太少，不得称为已验证", en="not called validated: too few customers turned bad"
    ),
    "withheld.goods": LocalText(
        zh="正常样本太少，不得称为已验证", en="not called validated: too few customers stayed good"
    ),
    "withheld.chance": LocalText(
        zh="区分能力未显示优于随机，不得称为已验证",
        en="not called validated: not shown to be better than chance",
    ),
    "withheld.calibration": LocalText(
        zh="违约概率与实际不符，不得称为已验证",
        en="not called validated: stated probabilities did not come true",
    ),
    "withheld.not-later": LocalText(
        zh="检验样本不晚于训练样本，不得称为已验证",
        en="not called validated: the test rows are not later than the training rows",
    ),
}
_CHANCE = 0.5
_P_MIN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeRate:
    """A grade in the back-test: what it stated and what happened."""

    grade: str
    group: Group

    @property
    def holds(self) -> bool:
        """Whether the stated probability lies in the interval of the observed share."""
        return self.group.observed.covers(self.group.stated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The figures of a model on one set of rows."""

    rows: int
    bads: int
    bad_customers: int
    auc: Interval
    gini: float | None
    ks: Interval
    brier: float | None
    reliability: tuple[Group, ...]
    hosmer_lemeshow: HosmerLemeshow | None
    verdict: str


def validate(
    probabilities: Sequence[float],
    outcomes: Sequence[bool],
    *,
    groups: Sequence[int] | None = None,
    bads_min: int = BADS_MIN,
    is_later: bool,
) -> Validation:
    """Work out the figures, and whether the word "validated" may be used.

    ``is_later`` tells whether the rows come after those of the training; ``groups`` says which rows
    are of one customer, who counts once however often it was looked at.
    """
    parts = build_groups(probabilities, outcomes)
    bad, good = (len(one) for one in build_clusters(outcomes, groups))
    try:
        fit = hosmer_lemeshow(parts, is_training=False)
    except CalibrationInvalidError:
        fit = None
    area = bootstrap(auc, probabilities, outcomes, groups=groups)
    return Validation(
        rows=len(outcomes),
        bads=sum(outcomes),
        bad_customers=bad,
        auc=area,
        gini=gini(probabilities, outcomes),
        ks=bootstrap(ks, probabilities, outcomes, groups=groups),
        brier=brier(probabilities, outcomes),
        reliability=parts,
        hosmer_lemeshow=fit,
        verdict=_judge(bad, good, area, fit, bads_min=bads_min, is_later=is_later),
    )


def back_test(
    grades: Sequence[str],
    probabilities: Sequence[float],
    outcomes: Sequence[bool],
    *,
    order: Sequence[str],
) -> tuple[GradeRate, ...]:
    """Compare by grade the mean stated probability with the share of bad and its interval."""
    rows = list(zip(grades, probabilities, outcomes, strict=True))
    rates = []
    for symbol in order:
        part = [(stated, is_bad) for grade, stated, is_bad in rows if grade == symbol]
        if part:
            stated = sum(one for one, _ in part) / len(part)
            bads = sum(is_bad for _, is_bad in part)
            group = Group(rows=len(part), bads=bads, stated=stated)
            rates.append(GradeRate(grade=symbol, group=group))
    return tuple(rates)


def _judge(
    bads: int,
    goods: int,
    area: Interval,
    fit: HosmerLemeshow | None,
    *,
    bads_min: int,
    is_later: bool,
) -> str:
    if bads < bads_min:
        return "withheld.bads"
    if goods < bads_min:
        return "withheld.goods"
    if not is_later:
        return "withheld.not-later"
    if area.low is None or area.low <= _CHANCE:
        return "withheld.chance"
    if fit is None or fit.p_value < _P_MIN:
        return "withheld.calibration"
    return "validated"
