"""How sure the regression's coefficients are: repeated on customers drawn anew, bins as they are.

Customers with all their rows are drawn together, those who turned bad apart from the others, as for
the other intervals. Factors that the training left out are not tried again. An interval that holds
zero leaves the sign uncertain.
"""

from __future__ import annotations

import random  # noqa: TID251  resampling from a stated seed, no secret
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from node.assessment.statistical.model_file import MICRO, StatisticalModel
from node.assessment.statistical.rules_statistical import find_cell, find_place
from node.rating.models.table import TrainingTable
from node.rating.models.training_policy import FitRules
from node.rating.validation.intervals import build_clusters, draw_rows, find_percentiles
from protocol.strict_json import JsonValue

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ITERATIONS_MAX = 2_000
ROUNDS_MIN = 50  # fewer say nothing of the outer fortieths


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A coefficient in millionths with its 95 % interval; without one, nothing was repeated."""

    column_id: str
    value_micro: int
    low_micro: int | None
    high_micro: int | None

    @property
    def is_sign_certain(self) -> bool:
        """Whether the interval excludes zero."""
        if self.low_micro is None or self.high_micro is None:
            return False
        return self.low_micro > 0 or self.high_micro < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """All of them, and how many times the regression was repeated with which seed."""

    rounds: int
    seed: int
    columns: tuple[Coefficient, ...]


def find_coefficients(
    model: StatisticalModel, table: TrainingTable, *, rules: FitRules
) -> Coefficients:
    """Return the coefficients of a trained model with intervals, at the cost the policy allows."""
    body = model.body
    weighed = [
        *((one.id, one.coefficient_micro) for one in body.features),
        *((one.id, one.coefficient_micro) for one in body.combinations),
    ]
    columns = [(name, value) for name, value in weighed if value]
    rounds = choose_rounds(rules, rows=len(table.rows), columns=len(columns))
    drawn = _repeat(model, table, [name for name, _ in columns], rules=rules, rounds=rounds)
    return Coefficients(
        rounds=rounds,
        seed=rules.seed,
        columns=tuple(
            _build(name, value, [one[index] for one in drawn])
            for index, (name, value) in enumerate(columns)
        ),
    )


def choose_rounds(rules: FitRules, *, rows: int, columns: int) -> int:
    """Return how many times to repeat; 0 where the policy allows too few."""
    allowed = rules.bootstrap_cells_max // max(1, rows * columns)
    rounds = min(rules.bootstrap_rounds, allowed)
    return rounds if rounds >= ROUNDS_MIN else 0


def build_coefficients_object(found: Coefficients) -> dict[str, JsonValue]:
    """Return the figures as integers; an interval that was not worked out is left out."""
    shown: list[JsonValue] = []
    for one in found.columns:
        line: dict[str, JsonValue] = {"id": one.column_id, "value_micro": one.value_micro}
        if one.low_micro is not None and one.high_micro is not None:
            line["low_micro"], line["high_micro"] = one.low_micro, one.high_micro
            line["is_sign_certain"] = one.is_sign_certain
        shown.append(line)
    return {"rounds": found.rounds, "seed": found.seed, "columns": shown}


def _build(name: str, value_micro: int, drawn: Sequence[float]) -> Coefficient:
    if not drawn:
        return Coefficient(column_id=name, value_micro=value_micro, low_micro=None, high_micro=None)
    low, high = find_percentiles(drawn)
    return Coefficient(
        column_id=name,
        value_micro=value_micro,
        low_micro=round(MICRO * low),
        high_micro=round(MICRO * high),
    )


def _repeat(
    model: StatisticalModel,
    table: TrainingTable,
    columns: Sequence[str],
    *,
    rules: FitRules,
    rounds: int,
) -> list[list[float]]:
    if not rounds or not columns:
        return []
    import numpy as np  # noqa: PLC0415  an extra
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  an extra

    weights = _read_weights(model, table, columns)
    clusters = build_clusters(table.outcomes, table.groups)
    draw = random.Random(rules.seed)  # noqa: S311  resampling
    drawn = []
    with threadpool_limits(limits=1):  # once: finding the libraries costs as much as a fit
        for _ in range(rounds):
            counts = Counter(draw_rows(clusters, draw))
            rows = sorted(counts)
            goods = [not table.outcomes[row] for row in rows]
            # A row drawn twice is a row of weight two.
            times = np.array([counts[row] for row in rows], dtype=np.float64)
            drawn.append(_fit(weights[rows], goods, times, rules=rules))
    return drawn


def _fit(
    weights: npt.NDArray[np.float64],
    goods: Sequence[bool],
    times: npt.NDArray[np.float64],
    *,
    rules: FitRules,
) -> list[float]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  an extra

    model: Any = LogisticRegression(C=rules.c_permille / 1000, max_iter=ITERATIONS_MAX)
    model.fit(weights, goods, sample_weight=times)
    return [float(one) for one in model.coef_[0]]


def _read_weights(
    model: StatisticalModel, table: TrainingTable, columns: Sequence[str]
) -> npt.NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415  an extra

    body = model.body
    ids = [column.id for column in table.columns]
    rows = []
    for row in table.rows:
        values = dict(zip(ids, row, strict=True))
        places = {one.id: find_place(one, values[one.id]) for one in body.features}
        woe = {name: place.bin.woe_micro for name, place in places.items()}
        woe |= {one.id: find_cell(one, places).woe_micro for one in body.combinations}
        rows.append([woe[name] / MICRO for name in columns])
    return np.array(rows, dtype=np.float64)
