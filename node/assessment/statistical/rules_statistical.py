"""Scoring with a trained model: integers in, a sum of integers out, each point explained.

docs/formulas.md, statistical scorecard. A value that is missing has a bin of its own and is never
0; a word that was never seen falls where the model says.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.assessment.policy_file import Language, LocalText
from node.assessment.statistical.model_file import (
    Bound,
    Cell,
    Combination,
    Earned,
    Feature,
    ModelBody,
    StatisticalModel,
)
from node.core.errors import InvariantError, RejectedError

BASE = "base"
REASONS: Mapping[str, LocalText] = {
    "best": LocalText(zh="{name}:得到最高分", en="{name}: the most that can be earned"),
    "lost": LocalText(zh="{name}:低于最高分", en="{name}: less than can be earned"),
    "missing": LocalText(zh="{name}:没有数据", en="{name}: not known"),
    "special": LocalText(zh="{name}:特殊代码", en="{name}: a special code"),
    "together": LocalText(
        zh="{name}(共同作用):低于最高分", en="{name} together: less than can be earned"
    ),
    "together-best": LocalText(
        zh="{name}(共同作用):得到最高分", en="{name} together: the most that can be earned"
    ),
}
_GOOD = (".best", ".together-best")

Value = int | str | None


class UnknownFactorError(RejectedError):
    """A value is of a factor, or of a kind, that the model does not have."""

    code = "model-factor-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    """One line of the card: the value, what it earned, the most it could, whence it comes."""

    factor_id: str
    code: str
    source: str
    values: tuple[tuple[str, Value], ...]
    points_deci: int
    points_best_deci: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticalScore:
    """A score that is exactly the base and the sum of its lines."""

    model_sha256_b64u: str
    base_points_deci: int
    score_deci: int
    lines: tuple[ScoreLine, ...]
    reasons: tuple[str, ...]


def score_values(model: StatisticalModel, values: Mapping[str, Value]) -> StatisticalScore:
    """Score the values of one customer; a factor that is not among them is missing.

    Raises:
        UnknownFactorError: A value is a word where the model has numbers, or the other way round.
    """
    body = model.body
    places = {one.id: find_place(one, values.get(one.id)) for one in body.features}
    lines = (
        *(_score_feature(one, values.get(one.id), places[one.id]) for one in body.features),
        *(_score_combination(one, values, places, body) for one in body.combinations),
    )
    return StatisticalScore(
        model_sha256_b64u=model.sha256_b64u,
        base_points_deci=body.base_points_deci,
        score_deci=body.base_points_deci + sum(line.points_deci for line in lines),
        lines=lines,
        reasons=_choose_reasons(lines, limit=body.reasons_max),
    )


def describe_reason(body: ModelBody, code: str, language: Language) -> str:
    """Put a reason into words.

    Raises:
        UnknownFactorError: The model has no such factor, or there is no such reason.
    """
    factor_id, _, reason = code.rpartition(".")
    if reason not in REASONS:
        raise UnknownFactorError(f"no reason {code}")
    return REASONS[reason].render(language).format(name=name_factor(body, factor_id, language))


def name_factor(body: ModelBody, factor_id: str, language: Language) -> str:
    """Name a factor, or the factors that a combination looks at.

    Raises:
        UnknownFactorError: The model has no such factor.
    """
    names = {one.id: one.names.render(language) for one in body.features}
    for combination in body.combinations:
        names[combination.id] = " × ".join(names[one] for one in combination.feature_ids)  # noqa: RUF001
    if factor_id not in names:
        raise UnknownFactorError(f"no factor {factor_id}")
    return names[factor_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The bin of a value, the kind of bin, and where the value lies for combinations."""

    bin: Earned
    kind: str
    position: int | None


def find_place(feature: Feature, value: Value) -> Place:
    """Find the bin of a value.

    Raises:
        UnknownFactorError: It is a word where the model has numbers, or the other way round.
    """
    if value is None:
        return Place(bin=feature.missing, kind="missing", position=None)
    if isinstance(value, str) != bool(feature.categories):
        raise UnknownFactorError(f"{feature.id}: a value of another kind")
    if isinstance(value, str):
        return _find_category(feature, value)
    for special in feature.specials:
        if special.value == value:
            return Place(bin=special, kind="special", position=None)
    edges = [one.upto for one in feature.bins if one.upto is not None]
    index = bisect_left(edges, value)
    return Place(bin=feature.bins[index], kind="bin", position=value)


def find_cell(combination: Combination, places: Mapping[str, Place]) -> Cell:
    """Find the one cell of a combination that holds the places of all values."""
    cells = [one for one in combination.cells if all(_meets(b, places) for b in one.bounds)]
    if len(cells) != 1:
        raise InvariantError(f"{combination.id}: {len(cells)} cells hold a value, and not one")
    return cells[0]


def _find_category(feature: Feature, value: str) -> Place:
    for index, category in enumerate(feature.categories):
        if value in category.values:
            return Place(bin=category, kind="bin", position=index)
    return Place(bin=feature.missing, kind="missing", position=None)


def _score_feature(feature: Feature, value: Value, place: Place) -> ScoreLine:
    best = max(one.points_deci for one in feature.all_bins)
    points = place.bin.points_deci
    reason = place.kind if place.kind != "bin" else ("best" if points == best else "lost")
    return ScoreLine(
        factor_id=feature.id,
        code=f"{feature.id}.{reason}",
        source=feature.source,
        values=((feature.id, value),),
        points_deci=points,
        points_best_deci=best,
    )


def _score_combination(
    combination: Combination,
    values: Mapping[str, Value],
    places: Mapping[str, Place],
    body: ModelBody,
) -> ScoreLine:
    cell = find_cell(combination, places)
    best = max(one.points_deci for one in combination.cells)
    points = cell.points_deci
    named = combination.feature_ids
    sources = {one.id: one.source for one in body.features}
    return ScoreLine(
        factor_id=combination.id,
        code=f"{combination.id}.{'together-best' if points == best else 'together'}",
        source="+".join(dict.fromkeys(sources[one] for one in named)),
        values=tuple((one, values.get(one)) for one in named),
        points_deci=points,
        points_best_deci=best,
    )


def _meets(bound: Bound, places: Mapping[str, Place]) -> bool:
    position = places[bound.feature].position
    if position is None:
        return bound.over is None
    above = bound.over is None or position > bound.over
    return above and (bound.upto is None or position <= bound.upto)


def _choose_reasons(lines: Sequence[ScoreLine], *, limit: int) -> tuple[str, ...]:
    # What costs most comes first, then the strengths; sorting is stable, so the model's order
    # ends ties.
    weak = [line for line in lines if line.points_deci < line.points_best_deci]
    weak.sort(key=lambda line: line.points_deci - line.points_best_deci)
    strong = [line for line in lines if line.code.endswith(_GOOD)]
    strong.sort(key=lambda line: -line.points_deci)
    return tuple(line.code for line in (weak + strong)[:limit])
