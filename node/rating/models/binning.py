"""Where values are cut: optimal binning by optbinning, monotone where the policy says so.

optbinning (Navas-Palencia 2020, arXiv:2001.08025) solves for the cuts; what is kept are integer
edges, and counts and weights are worked out anew from them, so that scoring sees what training saw.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any

from node.assessment.statistical.model_file import Direction
from node.assessment.statistical.rules_statistical import Value
from node.assessment.statistical.scaling import Evidence, weigh
from node.core.errors import UnavailableError
from node.rating.models.table import Column
from node.rating.models.training_policy import BinRules

if TYPE_CHECKING:
    import numpy as np

# A missing or special bin needs this part of the rows of the least ordinary one, or says nothing.
_SMALL_SHARE = 10

_TRENDS: Mapping[Direction, str | None] = {
    # The event is bad: where the score rises with a value, its rate falls.
    Direction.RISING: "descending",
    Direction.FALLING: "ascending",
    Direction.EITHER: "auto_asc_desc",
    Direction.FREE: None,
}


class BinningTimeoutError(UnavailableError):
    """The solver ran out of time: its cuts would depend on the machine's speed."""

    code = "binning-timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class BinnedColumn:
    """The bins of one column, in the order bins, specials, missing; and each row's number."""

    column: Column
    direction: Direction
    edges: tuple[int, ...]
    words: tuple[tuple[str, ...], ...]
    codes: tuple[int, ...]
    rows: tuple[int, ...]
    bads: tuple[int, ...]
    evidence: Evidence

    @property
    def bins_count(self) -> int:
        """How many bins hold ordinary values."""
        return len(self.words) if self.column.has_words else len(self.edges) + 1


def bin_column(
    column: Column, values: Sequence[Value], outcomes: Sequence[bool], *, rules: BinRules
) -> BinnedColumn:
    """Cut one column.

    Raises:
        BinningTimeoutError: The solver ran out of time.
    """
    direction = column.direction if rules.is_monotone else Direction.FREE
    if column.has_words:
        words = _cut_words(values, outcomes, rules)
        lookup = {word: index for index, group in enumerate(words) for word in group}
        return _count(
            column,
            values,
            outcomes,
            direction=Direction.FREE,
            words=words,
            find=lookup.__getitem__,
            rules=rules,
        )
    if not rules.has_missing_bins:
        lowest = min((one for one in values if isinstance(one, int)), default=0)
        values = [lowest if one is None else one for one in values]
    edges = _cut_numbers(column, values, outcomes, direction=direction, rules=rules)
    binned = _count_numbers(column, values, outcomes, direction=direction, edges=edges, rules=rules)
    while (wrong := _find_violation(binned)) is not None:
        # An empty cell was filled with 0.5, and two neighbours changed places: they are one bin.
        edges = (*edges[:wrong], *edges[wrong + 1 :])
        binned = _count_numbers(
            column, values, outcomes, direction=direction, edges=edges, rules=rules
        )
    return binned


def _cut_numbers(
    column: Column,
    values: Sequence[Value],
    outcomes: Sequence[bool],
    *,
    direction: Direction,
    rules: BinRules,
) -> tuple[int, ...]:
    import numpy as np  # noqa: PLC0415  an extra

    pairs = [
        (value, is_bad)
        for value, is_bad in zip(values, outcomes, strict=True)
        if isinstance(value, int) and value not in column.specials
    ]
    labels = {is_bad for _, is_bad in pairs}
    if len(labels) < 2:  # noqa: PLR2004  good and bad
        return ()
    numbers_of = np.array([value for value, _ in pairs], dtype=np.float64)
    flags = np.array([is_bad for _, is_bad in pairs], dtype=np.int64)
    splits = _solve("numerical", numbers_of, flags, trend=_TRENDS[direction], rules=rules)
    if not splits:
        splits = _cut_pure(numbers_of, flags, rules=rules)
    return tuple(sorted({ceil(split) - 1 for split in splits}))


def _cut_pure(
    numbers: np.ndarray[Any, Any], flags: np.ndarray[Any, Any], *, rules: BinRules
) -> Sequence[float]:
    """Return the one cut that leaves only good or only bad on a side, where there is such a cut.

    optbinning makes no bin without a good or a bad one; on a small ledger that may lose the best
    factor of all. What the pure side weighs is tamed by the half that fills its empty cell.
    """
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415  an extra

    least = max(1, len(flags) * rules.share_min_permille // 1000)
    tree: Any = DecisionTreeClassifier(max_leaf_nodes=2, min_samples_leaf=least, random_state=0)
    tree.fit(numbers.reshape(-1, 1), flags)
    if tree.tree_.node_count == 1:
        return ()
    cut = float(tree.tree_.threshold[0])
    shares = (float(flags[numbers <= cut].mean()), float(flags[numbers > cut].mean()))
    # Between two whole numbers; the edge is the last one below.
    return (cut + 1e-9,) if {0.0, 1.0}.intersection(shares) else ()


def _cut_words(
    values: Sequence[Value], outcomes: Sequence[bool], rules: BinRules
) -> tuple[tuple[str, ...], ...]:
    import numpy as np  # noqa: PLC0415  an extra

    pairs = [
        (value, is_bad)
        for value, is_bad in zip(values, outcomes, strict=True)
        if isinstance(value, str)
    ]
    known = sorted({value for value, _ in pairs})
    if len({is_bad for _, is_bad in pairs}) < 2:  # noqa: PLR2004  good and bad
        return (tuple(known),)
    words = np.array([value for value, _ in pairs], dtype=object)
    flags = np.array([is_bad for _, is_bad in pairs], dtype=np.int64)
    groups = _solve("categorical", words, flags, trend=None, rules=rules)
    return tuple(tuple(sorted(str(word) for word in group)) for group in groups)


def _solve(
    kind: str,
    values: np.ndarray[Any, Any],
    flags: np.ndarray[Any, Any],
    *,
    trend: str | None,
    rules: BinRules,
) -> Sequence[Any]:
    from optbinning import OptimalBinning  # noqa: PLC0415  an extra

    options = {"monotonic_trend": trend} if kind == "numerical" else {}
    binning = OptimalBinning(
        dtype=kind,
        max_n_prebins=rules.prebins_max,
        min_prebin_size=rules.share_min_permille / 1000,
        time_limit=rules.time_limit_s,
        **options,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own use of scikit-learn and NumPy
        binning.fit(values, flags)
    if binning.status != "OPTIMAL":
        raise BinningTimeoutError(f"{binning.status} after {rules.time_limit_s} s")
    return list(binning.splits)


def _count_numbers(
    column: Column,
    values: Sequence[Value],
    outcomes: Sequence[bool],
    *,
    direction: Direction,
    edges: tuple[int, ...],
    rules: BinRules,
) -> BinnedColumn:
    return _count(
        column,
        values,
        outcomes,
        direction=direction,
        edges=edges,
        find=lambda value: bisect_left(edges, value),
        rules=rules,
    )


def _count(
    column: Column,
    values: Sequence[Value],
    outcomes: Sequence[bool],
    *,
    direction: Direction,
    find: Callable[[Any], int],
    rules: BinRules,
    edges: tuple[int, ...] = (),
    words: tuple[tuple[str, ...], ...] = (),
) -> BinnedColumn:
    bins = len(words) if column.has_words else len(edges) + 1
    specials = {value: bins + index for index, value in enumerate(column.specials)}
    missing = bins + len(specials)
    codes = tuple(
        missing if value is None else specials[value] if value in specials else find(value)
        for value in values
    )
    rows, bads = [0] * (missing + 1), [0] * (missing + 1)
    for code, is_bad in zip(codes, outcomes, strict=True):
        rows[code] += 1
        bads[code] += is_bad
    evidence = weigh([count - bad for count, bad in zip(rows, bads, strict=True)], bads)
    least = len(codes) * rules.share_min_permille // (1000 * _SMALL_SHARE)
    is_told = [index < bins or count >= least for index, count in enumerate(rows)]
    woe = tuple(one if told else 0.0 for one, told in zip(evidence.woe, is_told, strict=True))
    return BinnedColumn(
        column=column,
        direction=direction,
        edges=edges,
        words=words,
        codes=codes,
        rows=tuple(rows),
        bads=tuple(bads),
        evidence=replace(evidence, woe=woe),
    )


def _find_violation(binned: BinnedColumn) -> int | None:
    """Return the edge between the first two bins that do not keep to the direction."""
    woe = binned.evidence.woe[: binned.bins_count]
    steps = [right - left for left, right in pairwise(woe)]
    signs = {
        Direction.RISING: 1,
        Direction.FALLING: -1,
        Direction.EITHER: 1 if sum(steps) >= 0 else -1,
        Direction.FREE: 0,
    }
    sign = signs[binned.direction]
    return next((index for index, step in enumerate(steps) if step * sign < 0), None)
