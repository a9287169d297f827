"""Combinations of factors: small trees over what the card does not explain yet.

Each tree is a table of cells, and a cell is a list of bounds, so that its points are read as those
of a bin are. Newton's step on the logistic loss (Friedman 2001) says what a cell is worth; the
regression then weighs bins and cells together. A tree keeps to the direction of every factor for
which the policy states one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from node.assessment.statistical.model_file import VALUE_MAX, Bound, Direction
from node.assessment.statistical.rules_statistical import Value
from node.rating.models.binning import BinnedColumn
from node.rating.models.training_policy import CombinationRules

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

POSITIONS_MAX = 64  # places at which a tree may cut a factor
NOWHERE = -1  # the place of a missing value: below all others
_VARIANCE_MIN = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownCell:
    """A cell and what it is worth, in log odds of good."""

    bounds: tuple[Bound, ...]
    worth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownTree:
    """The cells of one tree, and the cell of each row of the training."""

    cells: tuple[GrownCell, ...]
    leaf_of_row: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The places of every row, and the values at which places end."""

    ids: tuple[str, ...]
    edges: tuple[tuple[int, ...], ...]
    places: npt.NDArray[np.float32]
    trends: tuple[int, ...]


def build_grid(binned: Sequence[BinnedColumn], rows: Sequence[Sequence[Value]]) -> Grid:
    """Cut every column into at most ``POSITIONS_MAX`` places of like size.

    ``rows`` are columns of the table in the order of ``binned``.
    """
    import numpy as np  # noqa: PLC0415  an extra

    edges = [_list_edges(one, values) for one, values in zip(binned, rows, strict=True)]
    places = np.array(
        [
            [
                _find_place(one, cut, value, code)
                for value, code in zip(values, one.codes, strict=True)
            ]
            for one, cut, values in zip(binned, edges, rows, strict=True)
        ],
        dtype=np.float32,
    ).T
    # A tree is grown over bad: where the score rises, bad falls.
    trends = {Direction.RISING: -1, Direction.FALLING: 1}
    return Grid(
        ids=tuple(one.column.id for one in binned),
        edges=tuple(edges),
        places=places,
        trends=tuple(trends.get(one.direction, 0) for one in binned),
    )


def grow_tree(
    grid: Grid,
    log_odds: npt.NDArray[np.float64],
    outcomes: npt.NDArray[np.float64],
    *,
    rules: CombinationRules,
    seed: int,
) -> GrownTree:
    """Grow one tree over the residuals of a card."""
    import numpy as np  # noqa: PLC0415  an extra
    from sklearn.tree import DecisionTreeRegressor  # noqa: PLC0415  an extra

    bad = 1 / (1 + np.exp(log_odds))
    variance = np.maximum(bad * (1 - bad), _VARIANCE_MIN)
    tree: Any = DecisionTreeRegressor(
        max_leaf_nodes=rules.cells_max,
        max_depth=rules.depth_max,
        min_samples_leaf=max(1, len(outcomes) * rules.share_min_permille // 1000),
        monotonic_cst=list(grid.trends) if any(grid.trends) else None,
        random_state=seed,
    )
    tree.fit(grid.places, (outcomes - bad) / variance, sample_weight=variance)
    cells = _list_cells(tree.tree_, grid)
    numbers = {leaf: index for index, (leaf, _) in enumerate(cells)}
    return GrownTree(
        cells=tuple(cell for _, cell in cells),
        leaf_of_row=tuple(numbers[int(leaf)] for leaf in tree.apply(grid.places)),
    )


def _list_edges(binned: BinnedColumn, values: Sequence[Value]) -> tuple[int, ...]:
    if binned.column.has_words:
        return tuple(range(binned.bins_count - 1))
    specials = set(binned.column.specials)
    ordered = sorted(one for one in values if isinstance(one, int) and one not in specials)
    if not ordered:
        return ()
    count = len(ordered)
    cuts = {ordered[count * number // POSITIONS_MAX] for number in range(1, POSITIONS_MAX)}
    return tuple(sorted(cuts | set(binned.edges)))


def _find_place(binned: BinnedColumn, edges: Sequence[int], value: Value, code: int) -> int:
    if code >= binned.bins_count:
        return NOWHERE  # missing, or a special value
    return code if not isinstance(value, int) else bisect_left(edges, value)


def _list_cells(tree: Any, grid: Grid) -> list[tuple[int, GrownCell]]:  # noqa: ANN401  untyped library
    found = []
    waiting: list[tuple[int, dict[int, tuple[int | None, int | None]]]] = [(0, {})]
    while waiting:
        node, bounds = waiting.pop()
        left = int(tree.children_left[node])
        if left < 0:
            made = tuple(
                Bound(feature=grid.ids[column], over=over, upto=upto)
                for column, (over, upto) in sorted(bounds.items())
            )
            worth = -float(tree.value[node][0][0])
            found.append((node, GrownCell(bounds=made, worth=worth)))
            continue
        column = int(tree.feature[node])
        # Places are whole numbers and a cut lies between two: the value that ends the left one.
        place = int(tree.threshold[node] // 1)
        # Missing against all others is cut below every value that a table may hold.
        edge = grid.edges[column][place] if place >= 0 else -VALUE_MAX
        over, upto = bounds.get(column, (None, None))
        waiting.append((int(tree.children_right[node]), bounds | {column: (edge, upto)}))
        waiting.append((left, bounds | {column: (over, edge)}))
    found.sort(key=lambda pair: pair[0])
    return found
