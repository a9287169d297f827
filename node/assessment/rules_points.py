"""The factors of a scorecard made ready: what is the same for every customer is worked out once.

docs/formulas.md, expert-1 and expert-2. What a factor earns depends on which groups have evidence;
each set of groups has its own tables. Everything is an integer and rounded once, as the plain
formula says it: a property test holds the two to each other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from node.assessment.policy import PERMILLE, Band, Combine, Factor, PolicyBody, Source
from node.assessment.policy_outside import NO_EVIDENCE
from node.assessment.results import INVOICE_WEIGHT, FactorResult
from node.assessment.rules_spread import spread_points
from node.core.money import divide_half_even

if TYPE_CHECKING:
    from collections.abc import Callable

    from node.assessment.evidence import Figures

OWN_ALONE_MAX = 10_000  # lines of one factor that are kept
_SOURCES = tuple(Source)


class Weighed(NamedTuple):
    """The figures of one source that counts."""

    ref: str
    source: Source
    weight_milli: int
    figures: Figures


# Sources in the order of the card's lines, each with its value of one factor.
Values: TypeAlias = "list[tuple[Weighed, int]]"


class _Segment(NamedTuple):
    """Between two steps: ``whole`` + (``begin`` + ``slope`` x (value - ``at``)) / ``divisor``."""

    at: int
    whole: int
    begin: int
    slope: int
    divisor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTable:
    """What each value of a factor earns, in tenths of a point."""

    ends: tuple[int, ...]
    segments: tuple[_Segment, ...]
    """One more than ends: the first holds below them all, the last from the last one on."""

    def read(self, value: int) -> int:
        """Return what a value earns: on the line between two steps, rounded half to even."""
        at, whole, begin, slope, divisor = self.segments[bisect_right(self.ends, value)]
        return whole + divide_half_even(begin + slope * (value - at), divisor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyFactor:
    """How the values of one factor are read and become one."""

    factor: Factor
    sources: tuple[Source, ...]
    is_largest: bool
    prior_milli: int
    read_value: Callable[[Figures], int | None]

    def read(self, weighed: Mapping[Source, Sequence[Weighed]]) -> Values:
        """Return what each source says; for a mean, of those that weigh something."""
        return [
            (item, value)
            for source in self.sources
            for item in weighed.get(source, ())
            if (value := self.read_value(item.figures)) is not None
            and (self.is_largest or item.weight_milli > 0)
        ]

    def combine(self, values: Values, *, prior_milli: int) -> int | None:
        """Return the one value of several; None where there are none."""
        if not values:
            return None
        if self.is_largest:
            return max(value for _, value in values)
        weight_milli, weighted = prior_milli, prior_milli * self.factor.prior
        for item, value in values:
            weight_milli += item.weight_milli
            weighted += item.weight_milli * value
        return divide_half_even(weighted, weight_milli)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredFactor:
    """A factor of a group that has evidence, with the points that it has then."""

    ready: ReadyFactor
    points: PointsTable
    most_deci: int
    good_from: int
    fair_from: int
    codes: Mapping[Band, str]
    unknown: FactorResult
    own_alone: dict[tuple[int, int], FactorResult] = field(default_factory=dict)
    """Lines that were worked out before, by weight and value of our own records."""

    def score(self, values: Values) -> FactorResult:
        """Return the line of the card; without a value it is scored at the policy's prior."""
        if not values:
            return self.unknown
        item, value = values[0]
        if len(values) > 1 or item.source is not Source.OWN:
            return self._score(values)
        # Most customers are known to us alone, and most of what is seen of them is seen often.
        place = (item.weight_milli, value)
        known = self.own_alone.get(place)
        if known is None:
            known = self._score(values)
            if len(self.own_alone) < OWN_ALONE_MAX:
                self.own_alone[place] = known
        return known

    def _score(self, values: Values) -> FactorResult:
        ready, factor = self.ready, self.ready.factor
        value = ready.combine(values, prior_milli=ready.prior_milli)
        at = factor.prior if value is None else value
        points_deci = self.points.read(at)
        reached = points_deci * PERMILLE
        if reached >= self.good_from:
            band = Band.GOOD
        else:
            band = Band.FAIR if reached >= self.fair_from else Band.POOR
        own, peers, outside = self._split(values)
        return FactorResult(
            factor_id=factor.id,
            code=self.codes[band],
            points_deci=points_deci,
            points_max_deci=self.most_deci,
            is_higher_better=self.unknown.is_higher_better,
            sources=tuple([item.ref for item, _ in values]),
            value=at,
            own_value=own,
            peers_value=peers,
            outside_value=outside,
            spread_deci=self.unknown.spread_deci,
        )

    def _split(self, values: Values) -> tuple[int | None, int | None, int | None]:
        """Return what our own records say, what peers say together, and what all others say."""
        if len(values) == 1:
            ((item, value),) = values  # The mean of one is that one, whatever it weighs.
            if item.source is Source.OWN:
                return value, None, None
            return (None, value, None) if item.source is Source.PEERS else (None, None, value)
        own, peers, outside = _sort(values)
        combine = self.ready.combine
        return own, combine(peers, prior_milli=0), combine(outside, prior_milli=0)


def build_factors(body: PolicyBody) -> tuple[ReadyFactor, ...]:
    """Make the factors of a policy ready, in its order."""
    priors: dict[str | None, int] = {None: body.prior_invoices * INVOICE_WEIGHT}
    if body.outside is not None:
        priors = {group.id: group.prior_milli for group in body.outside.groups}
    return tuple(
        ReadyFactor(
            factor=factor,
            sources=tuple(source for source in _SOURCES if source in factor.sources),
            is_largest=factor.combine is Combine.MAX,
            prior_milli=priors[factor.group],
            read_value=attrgetter(factor.reads.value),
        )
        for factor in body.factors
    )


def build_spread(
    factors: Sequence[ReadyFactor], body: PolicyBody, *, groups: frozenset[str | None]
) -> tuple[ScoredFactor | FactorResult, ...]:
    """Return how factors score where these groups have evidence; of the others the whole line."""
    spread = spread_points(body.factors, groups=groups)
    return tuple(
        _build_scored(one, body, most_deci=spread[one.factor.id])
        if one.factor.group in groups
        else _pass_over(one.factor)
        for one in factors
    )


def build_points(factor: Factor, *, most_deci: int) -> PointsTable:
    """Work out what a factor earns at each step, in the share of points that it has now.

    What the step below gives stays whole where it is; the ends hold outside.
    """
    base_deci, steps = factor.points_max_deci, factor.steps
    flat = []
    for step in steps:
        whole, rest = divmod(step.points_deci * most_deci, base_deci)
        flat.append(_Segment(at=step.at, whole=whole, begin=rest, slope=0, divisor=base_deci))
    segments = [flat[0]]
    for held, left, right in zip(flat, steps, steps[1:], strict=False):
        span = right.at - left.at
        rising = _Segment(
            at=left.at,
            whole=held.whole,
            begin=held.begin * span,
            slope=(right.points_deci - left.points_deci) * most_deci,
            divisor=span * base_deci,
        )
        segments.append(rising if factor.interpolate else held)
    return PointsTable(ends=tuple(step.at for step in steps), segments=(*segments, flat[-1]))


def read_points(factor: Factor, value: int, *, points_max_deci: int | None = None) -> int:
    """Return what a value earns, of the points that the factor has; the ends hold outside.

    It is on the line between two steps, or what the step below it gives.
    """
    most_deci = factor.points_max_deci if points_max_deci is None else points_max_deci
    return build_points(factor, most_deci=most_deci).read(value)


def _build_scored(ready: ReadyFactor, body: PolicyBody, *, most_deci: int) -> ScoredFactor:
    factor = ready.factor
    points, codes = build_points(factor, most_deci=most_deci), _name_bands(factor)
    return ScoredFactor(
        ready=ready,
        points=points,
        most_deci=most_deci,
        good_from=most_deci * body.good_from_permille,
        fair_from=most_deci * body.fair_from_permille,
        codes=codes,
        unknown=FactorResult(
            factor_id=factor.id,
            code=codes[Band.UNKNOWN],
            points_deci=points.read(factor.prior),
            points_max_deci=most_deci,
            is_higher_better=factor.is_higher_better,
            sources=(),
            value=factor.prior,
            own_value=None,
            peers_value=None,
            spread_deci=most_deci - factor.points_max_deci,
        ),
    )


def _name_bands(factor: Factor) -> dict[Band, str]:
    return {band: f"{factor.id}.{band}" for band in Band}


def _pass_over(factor: Factor) -> FactorResult:
    """Return the line of a factor whose group has no evidence: nothing to earn, nothing lost."""
    return FactorResult(
        factor_id=factor.id,
        code=NO_EVIDENCE,
        points_deci=0,
        points_max_deci=0,
        is_higher_better=factor.is_higher_better,
        sources=(),
        value=None,
        own_value=None,
        peers_value=None,
        spread_deci=-factor.points_max_deci,
    )


def _sort(values: Values) -> tuple[int | None, Values, Values]:
    """Return our own value, and those of peers and of others."""
    own, peers, outside = None, [], []
    for item, value in values:
        if item.source is Source.OWN:
            own = value
        elif item.source is Source.PEERS:
            peers.append((item, value))
        else:
            outside.append((item, value))
    return own, peers, outside
