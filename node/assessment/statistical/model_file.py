"""A trained scorecard as data: bins, weights of evidence, coefficients and points, named by hash.

Everything is an integer, so that a score is the exact sum of its points wherever it is worked out:
values in units of ``10**-decimals``, points in tenths, weights and coefficients in millionths. To
score with it needs no library. Meaning of each member: docs/formulas.md, statistical scorecard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from protocol.encoding import encode_b64u, sha256
from schemas.wire import WireModel

MICRO = 1_000_000
VALUE_MAX = 10**15  # a float holds every integer up to here: training and scoring see the same
DECIMALS_MAX = 9
FEATURES_MAX = 128
BINS_MAX = 64
COMBINATIONS_MAX = 64
CELLS_MAX = 16
POINTS_DECI_MAX = 1_000_000
MODEL_BYTES_MAX = 4_194_304
WEIGHT_MICRO_MAX = 1_000 * MICRO

Value = Annotated[int, Field(ge=-VALUE_MAX, le=VALUE_MAX)]
Points = Annotated[int, Field(ge=-POINTS_DECI_MAX, le=POINTS_DECI_MAX)]
Micro = Annotated[int, Field(ge=-WEIGHT_MICRO_MAX, le=WEIGHT_MICRO_MAX)]
Rows = Annotated[int, Field(ge=0, le=10**9)]


class Direction(StrEnum):
    """How the score may move with a value."""

    RISING = "rising"
    """A larger value never earns less."""
    FALLING = "falling"
    """A larger value never earns more."""
    EITHER = "either"
    """One of the two, as the data say."""
    FREE = "free"
    """No rule."""


class Earned(WireModel):
    """What a bin earns, and the training rows it was worked out from."""

    points_deci: Points
    woe_micro: Micro
    rows: Rows
    bads: Rows


class ValueBin(Earned):
    """Values up to and with ``upto``; the last bin has no such edge."""

    upto: Value | None = None


class SpecialBin(Earned):
    """One value that is a code and no quantity."""

    value: Value


class CategoryBin(Earned):
    """Values that are words; the last bin takes those never seen."""

    values: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=1_000)]


class Feature(WireModel):
    """One factor: where its value comes from, and what each bin of it earns."""

    id: Identifier
    source: Annotated[str, Field(min_length=1, max_length=64)]
    names: LocalText
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)]
    direction: Direction
    coefficient_micro: Micro
    iv_micro: Annotated[int, Field(ge=0, le=WEIGHT_MICRO_MAX)]
    bins: Annotated[tuple[ValueBin, ...], Field(max_length=BINS_MAX)] = ()
    specials: Annotated[tuple[SpecialBin, ...], Field(max_length=BINS_MAX)] = ()
    categories: Annotated[tuple[CategoryBin, ...], Field(max_length=BINS_MAX)] = ()
    missing: Earned

    @property
    def all_bins(self) -> tuple[Earned, ...]:
        """Every bin."""
        return (*self.bins, *self.specials, *self.categories, self.missing)

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        if bool(self.bins) == bool(self.categories):
            raise ValueError("a factor has bins of numbers, or of words")
        if self.bins:
            edges = [one.upto for one in self.bins]
            if edges[-1] is not None or None in edges[:-1]:
                raise ValueError("the last bin alone has no edge")
            _check_rising([edge for edge in edges if edge is not None])
        _check_rising(sorted(one.value for one in self.specials))
        _check_direction(self.direction, [one.points_deci for one in self.bins])
        return self


class Bound(WireModel):
    """A condition of a cell: the place of a factor's value is above one edge, up to another.

    The place is the value itself; of a factor of words it is the number of its bin. A missing value
    has no place and meets a bound without a lower edge, and no other.
    """

    feature: Identifier
    over: Value | None = None
    upto: Value | None = None

    @model_validator(mode="after")
    def _check_edges(self) -> Self:
        if self.over is None and self.upto is None:
            raise ValueError("a bound without an edge says nothing")
        return self


class Cell(Earned):
    """A part of a combination: all bounds hold."""

    bounds: Annotated[tuple[Bound, ...], Field(max_length=8)]


class Combination(WireModel):
    """What several factors earn together beyond what each earns: cells that cut up all values."""

    id: Identifier
    coefficient_micro: Micro
    cells: Annotated[tuple[Cell, ...], Field(min_length=2, max_length=CELLS_MAX)]

    @property
    def feature_ids(self) -> tuple[str, ...]:
        """The factors that it looks at."""
        named = (bound.feature for cell in self.cells for bound in cell.bounds)
        return tuple(dict.fromkeys(named))


class ScaleParameters(WireModel):
    """``points0_deci`` stand for ``odds0_good`` goods a bad; ``pdo_deci`` more double the odds."""

    points0_deci: Annotated[int, Field(ge=0, le=POINTS_DECI_MAX)]
    odds0_good_milli: Annotated[int, Field(ge=1, le=10**9)]
    pdo_deci: Annotated[int, Field(ge=1, le=POINTS_DECI_MAX)]


class ModelBody(WireModel):
    """The model file."""

    kind: Literal["statistical-scorecard"]
    id: Identifier
    names: LocalText
    policy_sha256_b64u: Annotated[str, Field(min_length=43, max_length=43)]
    data_sha256_b64u: Annotated[str, Field(min_length=43, max_length=43)]
    rows: Rows
    bads: Rows
    scale: ScaleParameters
    reasons_max: Annotated[int, Field(ge=1, le=FEATURES_MAX)]
    base_points_deci: Points
    intercept_micro: Micro
    features: Annotated[tuple[Feature, ...], Field(min_length=1, max_length=FEATURES_MAX)]
    combinations: Annotated[tuple[Combination, ...], Field(max_length=COMBINATIONS_MAX)] = ()

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        ids = [one.id for one in self.features] + [one.id for one in self.combinations]
        if len(set(ids)) != len(ids):
            raise ValueError("two factors have one id")
        known = {one.id for one in self.features}
        for combination in self.combinations:
            if not set(combination.feature_ids) <= known:
                raise ValueError("a combination names a factor that is not there")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticalModel:
    """A model with the name of its bytes."""

    body: ModelBody
    sha256_b64u: str
    raw: bytes


def parse_model(raw: bytes) -> StatisticalModel:
    """Read a model file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(ModelBody, raw, bytes_max=MODEL_BYTES_MAX)
    return StatisticalModel(body=body, sha256_b64u=encode_b64u(sha256(raw)), raw=raw)


def format_model(body: ModelBody) -> bytes:
    """Write a model file; the same model is always the same bytes."""
    return body.model_dump_json(exclude_none=True, exclude_defaults=True).encode()


def _check_rising(values: Sequence[int]) -> None:
    if any(left >= right for left, right in pairwise(values)):
        raise ValueError("the values do not rise")


def _check_direction(direction: Direction, points: Sequence[int]) -> None:
    rising, falling = sorted(points), sorted(points, reverse=True)
    allowed = {
        Direction.RISING: [rising],
        Direction.FALLING: [falling],
        Direction.EITHER: [rising, falling],
        Direction.FREE: [list(points)],
    }
    if list(points) not in allowed[direction]:
        raise ValueError(f"the points are not {direction.value}")
