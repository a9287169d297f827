"""From a table and a policy to a trained model: bins, selection, regression, points.

The same table, policy and library versions give the same bytes: seeds are stated, and every library
runs on one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.assessment.policy_file import LocalText
from node.assessment.statistical.model_file import (
    MICRO,
    CategoryBin,
    Cell,
    Combination,
    Earned,
    Feature,
    ModelBody,
    SpecialBin,
    StatisticalModel,
    ValueBin,
    format_model,
    parse_model,
)
from node.assessment.statistical.scaling import PointScale, read_scale
from node.rating.models.binning import BinnedColumn, bin_column
from node.rating.models.combining import GrownTree, build_grid, grow_tree
from node.rating.models.extra import check_models_extra
from node.rating.models.fitting import Fit, fit_weights
from node.rating.models.table import TrainingTable, TrainingTableError
from node.rating.models.training_policy import BinRules, TrainingPolicy, TrainingPolicyBody

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything that a model file is made from."""

    kept: tuple[BinnedColumn, ...]
    trees: tuple[GrownTree, ...]
    fit: Fit


def train_model(
    table: TrainingTable,
    *,
    policy: TrainingPolicy,
    model_id: str,
    names: LocalText,
    binned: Sequence[BinnedColumn] | None = None,
) -> StatisticalModel:
    """Train a scorecard; ``binned`` spares the cutting where it was done for the same rows.

    Raises:
        ModelsExtraMissingError: The libraries are not installed.
        TrainingTableError: There is no bad row or no good one, or no factor tells anything.
        BinningTimeoutError: The solver ran out of time.
    """
    check_models_extra()
    if not 0 < table.bads < len(table.rows):
        raise TrainingTableError("nothing to learn from: the rows are all good, or all bad")
    body = policy.body
    found = bin_table(table, policy=body) if binned is None else binned
    kept = select_columns(found, policy=body)
    if not kept:
        raise TrainingTableError("no factor has an information value above the policy's least")
    card = _fit_card(table, kept, policy=body)
    return parse_model(
        format_model(_build_body(table, card, policy=policy, model_id=model_id, names=names))
    )


def bin_table(table: TrainingTable, *, policy: TrainingPolicyBody) -> tuple[BinnedColumn, ...]:
    """Cut every column.

    Raises:
        BinningTimeoutError: The solver ran out of time.
    """
    return tuple(
        bin_column(column, [row[i] for row in table.rows], table.outcomes, rules=policy.bins)
        for i, column in enumerate(table.columns)
    )


def select_columns(
    binned: Sequence[BinnedColumn], *, policy: TrainingPolicyBody
) -> tuple[BinnedColumn, ...]:
    """Keep the columns of the highest information value, in the order of the table."""
    told = [one for one in binned if one.evidence.iv >= policy.fit.iv_min_permille / 1000]
    told.sort(key=lambda one: -one.evidence.iv)
    best = {one.column.id for one in told[: policy.fit.features_max]}
    return tuple(one for one in binned if one.column.id in best)


def _fit_card(
    table: TrainingTable, kept: Sequence[BinnedColumn], *, policy: TrainingPolicyBody
) -> Card:
    import numpy as np  # noqa: PLC0415  an extra

    weights = np.array([[one.evidence.woe[code] for code in one.codes] for one in kept]).T
    # Only a stated direction binds: "either" is kept by a factor that is turned round as well.
    free = [one.direction.value in {"either", "free"} for one in kept]
    fit = fit_weights(weights, table.outcomes, may_be_negative=free, rules=policy.fit)
    rules = policy.combinations
    if not rules.count_max:
        return Card(kept=tuple(kept), trees=(), fit=fit)
    positions = {column.id: index for index, column in enumerate(table.columns)}
    values = [[row[positions[one.column.id]] for row in table.rows] for one in kept]
    grid = build_grid(kept, values)
    outcomes = np.array(table.outcomes, dtype=np.float64)
    odds = fit.log_odds(weights)
    trees, worths = [], []
    for number in range(rules.count_max):
        tree = grow_tree(grid, odds, outcomes, rules=rules, seed=policy.fit.seed + number)
        if len(tree.cells) < 2:  # noqa: PLR2004  nothing is left to be explained
            break
        worth = _read_worth(tree)
        odds = odds + worth * rules.step_permille / 1000
        trees.append(tree)
        worths.append(worth)
    if trees:
        weights = np.column_stack([weights, *worths])
        free = [*free, *(False for _ in trees)]
        fit = fit_weights(weights, table.outcomes, may_be_negative=free, rules=policy.fit)
    return Card(kept=tuple(kept), trees=tuple(trees), fit=fit)


def _read_worth(tree: GrownTree) -> npt.NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415  an extra

    return np.array([tree.cells[leaf].worth for leaf in tree.leaf_of_row], dtype=np.float64)


def _build_body(
    table: TrainingTable, card: Card, *, policy: TrainingPolicy, model_id: str, names: LocalText
) -> ModelBody:
    scale = read_scale(policy.body.scale)
    coefficients = card.fit.coefficients
    features = [
        _build_feature(one, coefficient or 0.0, scale, rules=policy.body.bins)
        for one, coefficient in zip(card.kept, coefficients, strict=False)
    ]
    combinations = [
        _build_combination(f"together-{number}", tree, coefficient, table.outcomes, scale)
        for number, (tree, coefficient) in enumerate(
            zip(card.trees, coefficients[len(card.kept) :], strict=True), start=1
        )
        if coefficient
    ]
    looked_at = {one for combination in combinations for one in combination.feature_ids}
    return ModelBody(
        kind="statistical-scorecard",
        id=model_id,
        names=names,
        policy_sha256_b64u=policy.sha256_b64u,
        data_sha256_b64u=table.sha256_b64u,
        rows=len(table.rows),
        bads=table.bads,
        scale=policy.body.scale,
        reasons_max=policy.body.reasons_max,
        base_points_deci=round(10 * scale.score_odds(card.fit.intercept)),
        intercept_micro=round(MICRO * card.fit.intercept),
        # A factor of weight 0 stays where a combination looks at it, and earns nothing by itself.
        features=tuple(one for one in features if one.coefficient_micro or one.id in looked_at),
        combinations=tuple(combinations),
    )


def _build_feature(
    binned: BinnedColumn, coefficient: float, scale: PointScale, *, rules: BinRules
) -> Feature:
    column = binned.column
    earned = [
        Earned(
            points_deci=round(10 * scale.factor * coefficient * woe),
            woe_micro=round(MICRO * woe),
            rows=rows,
            bads=bads,
        )
        for woe, rows, bads in zip(binned.evidence.woe, binned.rows, binned.bads, strict=True)
    ]
    plain, rest = earned[: binned.bins_count], earned[binned.bins_count :]
    edges = (*binned.edges, None)
    return Feature(
        id=column.id,
        source=column.source,
        names=column.names,
        decimals=column.decimals,
        direction=binned.direction,
        coefficient_micro=round(MICRO * coefficient),
        iv_micro=round(MICRO * binned.evidence.iv),
        bins=()
        if column.has_words
        else tuple(
            ValueBin(upto=edge, **one.model_dump()) for edge, one in zip(edges, plain, strict=True)
        ),
        specials=tuple(
            SpecialBin(value=value, **one.model_dump())
            for value, one in zip(column.specials, rest[:-1], strict=True)
        ),
        categories=tuple(
            CategoryBin(values=words, **one.model_dump())
            for words, one in zip(binned.words, plain, strict=False)
        ),
        missing=rest[-1] if rules.has_missing_bins or column.has_words else plain[0],
    )


def _build_combination(
    combination_id: str,
    tree: GrownTree,
    coefficient: float | None,
    outcomes: Sequence[bool],
    scale: PointScale,
) -> Combination:
    weight = coefficient or 0.0
    rows, bads = [0] * len(tree.cells), [0] * len(tree.cells)
    for leaf, is_bad in zip(tree.leaf_of_row, outcomes, strict=True):
        rows[leaf] += 1
        bads[leaf] += is_bad
    return Combination(
        id=combination_id,
        coefficient_micro=round(MICRO * weight),
        cells=tuple(
            Cell(
                bounds=cell.bounds,
                points_deci=round(10 * scale.factor * weight * cell.worth),
                woe_micro=round(MICRO * cell.worth),
                rows=here,
                bads=bad_here,
            )
            for cell, here, bad_here in zip(tree.cells, rows, bads, strict=True)
        ),
    )
