"""The logistic regression over weights of evidence, by scikit-learn, on one thread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from node.rating.models.training_policy import FitRules

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ITERATIONS_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Log odds of good = intercept + Σ coefficient · weight; a column left out has None."""

    intercept: float
    coefficients: tuple[float | None, ...]

    def log_odds(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the log odds of good of rows of weights."""
        import numpy as np  # noqa: PLC0415  an extra

        filled = np.array([one or 0.0 for one in self.coefficients])
        odds: npt.NDArray[np.float64] = weights @ filled + self.intercept
        return odds


def fit_weights(
    weights: npt.NDArray[np.float64],
    outcomes: Sequence[bool],
    *,
    may_be_negative: Sequence[bool],
    rules: FitRules,
) -> Fit:
    """Fit; columns that may not count against their own direction are dropped where they would.

    A negative coefficient turns a factor round: points would fall where the policy says they rise.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  an extra
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  an extra

    kept = list(range(weights.shape[1]))
    goods = [not is_bad for is_bad in outcomes]
    while kept:
        model: Any = LogisticRegression(C=rules.c_permille / 1000, max_iter=ITERATIONS_MAX)
        with threadpool_limits(limits=1):
            model.fit(weights[:, kept], goods)
        found = [float(one) for one in model.coef_[0]]
        wrong = [
            column
            for column, one in zip(kept, found, strict=True)
            if one < 0 and not may_be_negative[column]
        ]
        if not wrong:
            by_column = dict(zip(kept, found, strict=True))
            return Fit(
                intercept=float(model.intercept_[0]),
                coefficients=tuple(by_column.get(i) for i in range(weights.shape[1])),
            )
        # The worst one alone: what another was pressed to by it may come right without it.
        worst = min(wrong, key=lambda column: found[kept.index(column)])
        kept.remove(worst)
    bads = sum(outcomes)
    return Fit(
        intercept=math.log((len(outcomes) - bads) / bads),
        coefficients=(None,) * weights.shape[1],
    )
