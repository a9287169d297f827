"""The two models of the bench, areas under the curve, and intervals by customer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from node.assessment.policy_file import LocalText
from node.assessment.statistical.rules_statistical import score_values
from node.rating.models.training import bin_table, train_model
from node.rating.models.training_policy import read_preset_training_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from node.rating.models.binning import BinnedColumn
    from node.rating.models.table import TrainingTable

SEED = 42
COMBINATIONS = 20
ROUNDS = 500
LOW_PERCENT, HIGH_PERCENT = 2.5, 97.5


class Scorecard:
    """Our own statistical scorecard, by the shipped policy; a column is cut once for all models."""

    def __init__(self) -> None:
        preset = read_preset_training_policy()
        rules = preset.body.combinations.model_copy(update={"count_max": COMBINATIONS})
        combined = preset.body.model_copy(update={"combinations": rules})
        self._policies = (preset, replace(preset, body=combined))
        self._binned: dict[tuple[str, int], BinnedColumn] = {}

    def predict(
        self, train: TrainingTable, test: TrainingTable, *, is_combined: bool = False
    ) -> list[float]:
        """Train, and return minus the score of each test row: whole tenths of points."""
        policy = self._policies[is_combined]
        binned = []
        for index, column in enumerate(train.columns):
            values = tuple(row[index] for row in train.rows)
            key = (column.id, hash((values, train.outcomes)))
            if key not in self._binned:
                alone = type(train)(
                    columns=(column,),
                    rows=tuple((value,) for value in values),
                    outcomes=train.outcomes,
                )
                self._binned[key] = bin_table(alone, policy=policy.body)[0]
            binned.append(self._binned[key])
        model = train_model(
            train,
            policy=policy,
            model_id="bench",
            names=LocalText(zh="bench", en="bench"),
            binned=binned,
        )
        used = {feature.id for feature in model.body.features}
        ids = [column.id for column in test.columns]
        return [
            -float(
                score_values(
                    model,
                    {one: value for one, value in zip(ids, row, strict=True) if one in used},
                ).score_deci
            )
            for row in test.rows
        ]


def predict_boosting(train: TrainingTable, test: TrainingTable) -> list[float]:
    """Use scikit-learn's gradient boosting as it comes, which finds missing values itself."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  an extra
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  an extra

    told = [
        index
        for index in range(len(train.columns))
        if any(row[index] is not None for row in train.rows)
    ]  # A column without any value cannot be cut.
    train, test = _pick(train, told), _pick(test, told)
    words = [
        sorted({str(row[index]) for row in (*train.rows, *test.rows)}) if column.has_words else None
        for index, column in enumerate(train.columns)
    ]
    model: Any = HistGradientBoostingClassifier(
        random_state=SEED,
        categorical_features=[one is not None for one in words],
        early_stopping=False,
    )
    with threadpool_limits(limits=1):
        model.fit(_build_matrix(train, words), [int(one) for one in train.outcomes])
        return [float(one) for one in model.predict_proba(_build_matrix(test, words))[:, 1]]


def _pick(table: TrainingTable, places: Sequence[int]) -> TrainingTable:
    return replace(
        table,
        columns=tuple(table.columns[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in table.rows),
    )


def _build_matrix(
    table: TrainingTable, words: Sequence[list[str] | None]
) -> npt.NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415  an extra

    return np.array(
        [
            [
                math.nan
                if value is None
                else float(value)
                if isinstance(value, int)
                else float(known.index(value))
                if known
                else math.nan
                for value, known in zip(row, words, strict=True)
            ]
            for row in table.rows
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A figure with its 95 % interval; None where there is nobody good or nobody bad."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_object(self) -> list[float | None]:
        """Return value, low and high, to four places."""
        ends = (self.value, self.low, self.high)
        return [None if one is None else round(one, 4) for one in ends]


class Resampler:
    """Draws customers with all their invoices, the same for every model: differences are paired."""

    def __init__(self, customers: Sequence[str], outcomes: Sequence[bool]) -> None:
        import numpy as np  # noqa: PLC0415  an extra

        self.outcomes = np.array(outcomes, dtype=bool)
        _, numbers = np.unique(np.array(customers), return_inverse=True)
        count = int(numbers.max()) + 1 if len(numbers) else 0
        draw = np.random.default_rng(SEED)
        drawn = draw.multinomial(count, [1 / count] * count, size=ROUNDS) if count else []
        self._weights = np.vstack([np.ones(len(numbers)), *(one[numbers] for one in drawn)])

    def areas(self, scores: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return the area under the curve of all rows, then of each sample; NaN where undefined."""
        import numpy as np  # noqa: PLC0415  an extra

        values = np.array(scores)
        if not len(values):
            return np.full(ROUNDS + 1, np.nan)
        order = np.argsort(values, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(values[order]) > 0])
        weights, is_bad = self._weights[:, order], self.outcomes[order]
        bad = np.add.reduceat(weights * is_bad, starts, axis=1)
        good = np.add.reduceat(weights * ~is_bad, starts, axis=1)
        below = np.cumsum(good, axis=1) - good
        pairs = bad.sum(axis=1) * good.sum(axis=1)
        won = (bad * (below + good / 2)).sum(axis=1)
        return np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def measure(areas: npt.NDArray[np.float64]) -> Measured:
    """Return the first with the interval of the others."""
    import numpy as np  # noqa: PLC0415  an extra

    value, samples = float(areas[0]), areas[1:][~np.isnan(areas[1:])]
    if math.isnan(value) or not len(samples):
        return Measured(value=None)
    low, high = np.percentile(samples, [LOW_PERCENT, HIGH_PERCENT])
    return Measured(value=value, low=float(low), high=float(high))
