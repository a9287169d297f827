"""The scorecard as docs/formulas.md says it, one customer and one factor after the other.

What the node scores with is made ready beforehand; a property test holds it to this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from node.assessment.evidence import Figures, LeftOutPeer, OwnEvidence, PeerEvidence
from node.assessment.outside_evidence import NOTHING_OUTSIDE, OutsideEvidence
from node.assessment.policy import (
    PERMILLE,
    Band,
    Combine,
    ConfidenceLevel,
    ConfidenceRule,
    Factor,
    Policy,
    PolicyBody,
    Source,
    choose_step,
)
from node.assessment.policy_outside import NO_EVIDENCE, ConfidenceFigure
from node.assessment.policy_parts import Freshness
from node.assessment.results import (
    INVOICE_WEIGHT,
    OWN_REF,
    USED,
    Assessment,
    Confidence,
    EvidenceLine,
    FactorResult,
)
from node.assessment.rules_confidence import say_missing
from node.assessment.rules_outside import date_lines, judge_source, weigh_outside
from node.assessment.rules_peers import weigh_peers
from node.assessment.rules_spread import spread_points
from node.core.money import divide_half_even


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """The figures of one source that counts."""

    ref: str
    source: Source
    weight_milli: int
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """What one source says of one factor."""

    ref: str
    source: Source
    weight_milli: int
    value: int


def assess_plainly(
    *,
    own: OwnEvidence | None,
    peers: Sequence[PeerEvidence],
    policy: Policy,
    as_of: date,
    left_out: Sequence[LeftOutPeer] = (),
    outside: OutsideEvidence = NOTHING_OUTSIDE,
) -> Assessment:
    """Score a customer from our own evidence and peers' (none of them: from our own only).

    Of what is ``left_out`` each has a line that says why, and nothing else of it is known here. A
    policy that has rules for evidence from outside reads that too.
    """
    body = policy.body
    own_line = _weigh_own(own, body, as_of=as_of)
    peer_lines = weigh_peers(peers, body, own_line=own_line, as_of=as_of, left_out=left_out)
    behaviour = ((own_line,) if own_line else ()) + peer_lines
    weighed = _collect(own, peers, behaviour)
    if body.outside is None:
        lines = behaviour
    else:
        beside = weigh_outside(outside, body.outside, as_of=as_of)
        dated = date_lines(behaviour, own=own, peers=peers, rules=body.outside)
        lines = (*dated, *(one.line for one in beside))
        weighed += tuple(_weigh(one.line, one.figures) for one in beside if one.figures)
    confidence = _judge_confidence(lines, body)
    has_facts = (own is not None and own.has_facts) or _have_facts(peers, behaviour)
    if confidence.invoices < body.minimum_invoices and not has_facts:
        # A year of relation or the like is no experience: how the customer pays is not known.
        weighed = tuple(one for one in weighed if one.source not in {Source.OWN, Source.PEERS})
    groups = _find_groups(weighed, body)
    factors = _score_factors(weighed, body, groups=groups)
    return Assessment(
        as_of=as_of,
        policy=policy.reference,
        score_deci=sum(factor.points_deci for factor in factors) if factors else None,
        confidence=confidence if factors else say_missing(confidence),
        factors=factors,
        reasons=_choose_reasons(factors, limit=body.reasons_max),
        evidence=lines,
    )


def _read_points(factor: Factor, value: int, *, points_max_deci: int) -> int:
    """Return what a value earns, of the points that the factor has; the ends hold outside.

    It is on the line between two steps, or what the step below it gives.
    """
    most_deci = points_max_deci
    left = factor.steps[0]
    if value <= left.at:
        return _scale(left.points_deci, 0, 1, factor=factor, most_deci=most_deci)
    for right in factor.steps[1:]:
        if value < right.at:
            rise = (right.points_deci - left.points_deci) * (value - left.at)
            if not factor.interpolate:
                rise = 0
            return _scale(
                left.points_deci, rise, right.at - left.at, factor=factor, most_deci=most_deci
            )
        left = right
    return _scale(left.points_deci, 0, 1, factor=factor, most_deci=most_deci)


def _scale(points_deci: int, rise: int, span: int, *, factor: Factor, most_deci: int) -> int:
    """Return (points + rise ÷ span) in the share that the factor has now, rounded once.

    What the step below gives stays whole where it is.
    """
    base_deci = factor.points_max_deci
    whole, rest = divmod(points_deci * most_deci, base_deci)
    return whole + divide_half_even(rest * span + rise * most_deci, span * base_deci)


def _weigh_own(own: OwnEvidence | None, body: PolicyBody, *, as_of: date) -> EvidenceLine | None:
    if own is None:
        return None
    age_days = None if own.newest_on is None else max(0, (as_of - own.newest_on).days)
    fresh_permille = 0 if age_days is None else choose_step(body.own.age_permille, age_days)
    return EvidenceLine(
        ref=OWN_REF,
        provider=None,
        code=USED,
        weight_milli=min(own.invoices, body.own.invoices_cap) * fresh_permille,
        invoices=own.invoices,
        age_days=age_days,
        source=Source.OWN,
    )


def _have_facts(peers: Sequence[PeerEvidence], lines: Sequence[EvidenceLine]) -> bool:
    used = {line.ref for line in lines if line.code == USED}
    return any(
        peer.msg_hash_b64u in used and (peer.figures.overdue_days or peer.figures.adverse_rank)
        for peer in peers
    )


def _collect(
    own: OwnEvidence | None, peers: Sequence[PeerEvidence], lines: Sequence[EvidenceLine]
) -> tuple[_Weighed, ...]:
    figures = {peer.msg_hash_b64u: peer.figures for peer in peers}
    if own is not None:
        figures[OWN_REF] = own.figures
    return tuple(_weigh(line, figures[line.ref]) for line in lines if line.code == USED)


def _weigh(line: EvidenceLine, figures: Figures) -> _Weighed:
    return _Weighed(
        ref=line.ref, source=line.source, weight_milli=line.weight_milli, figures=figures
    )


def _find_groups(weighed: Sequence[_Weighed], body: PolicyBody) -> frozenset[str | None]:
    """Return the groups that have evidence; none where nothing of it carries a score."""
    found = {factor.group for factor in body.factors if _read_values(factor, weighed)}
    if body.outside is None:
        return frozenset(found)
    alone = {group.id for group in body.outside.groups if group.stands_alone}
    has_entry = any(one.figures.list_rank for one in weighed)
    return frozenset(found) if found & alone or has_entry else frozenset()


def _score_factors(
    weighed: Sequence[_Weighed], body: PolicyBody, *, groups: frozenset[str | None]
) -> tuple[FactorResult, ...]:
    if not groups:
        return ()
    spread = spread_points(body.factors, groups=groups)
    return tuple(
        _score_factor(factor, weighed, body, most_deci=spread[factor.id])
        if factor.group in groups
        else _pass_over(factor)
        for factor in body.factors
    )


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


def _score_factor(
    factor: Factor, weighed: Sequence[_Weighed], body: PolicyBody, *, most_deci: int
) -> FactorResult:
    values = _read_values(factor, weighed)
    own = [one for one in values if one.source is Source.OWN]
    peers = [one for one in values if one.source is Source.PEERS]
    outside = [one for one in values if one.source not in {Source.OWN, Source.PEERS}]
    value = _combine(factor, values, prior_milli=_find_prior(factor, body))
    at = factor.prior if value is None else value
    points_deci = _read_points(factor, at, points_max_deci=most_deci)
    band = _choose_band(points_deci, most_deci, body, is_known=value is not None)
    return FactorResult(
        factor_id=factor.id,
        code=f"{factor.id}.{band}",
        points_deci=points_deci,
        points_max_deci=most_deci,
        is_higher_better=factor.is_higher_better,
        sources=tuple(one.ref for one in values),
        value=at,
        own_value=next((one.value for one in own), None),
        peers_value=_combine(factor, peers, prior_milli=0),
        outside_value=_combine(factor, outside, prior_milli=0),
        spread_deci=most_deci - factor.points_max_deci,
    )


def _find_prior(factor: Factor, body: PolicyBody) -> int:
    if body.outside is None:
        return body.prior_invoices * INVOICE_WEIGHT
    return next(group.prior_milli for group in body.outside.groups if group.id == factor.group)


def _read_values(factor: Factor, weighed: Sequence[_Weighed]) -> list[_Value]:
    values = []
    for item in weighed:
        value = getattr(item.figures, factor.reads.value)
        counts = factor.combine is Combine.MAX or item.weight_milli > 0
        if item.source in factor.sources and value is not None and counts:
            values.append(
                _Value(
                    ref=item.ref, source=item.source, weight_milli=item.weight_milli, value=value
                )
            )
    return values


def _combine(factor: Factor, values: Sequence[_Value], *, prior_milli: int) -> int | None:
    if not values:
        return None
    if factor.combine is Combine.MAX:
        return max(one.value for one in values)
    weight_milli = prior_milli + sum(one.weight_milli for one in values)
    weighted = prior_milli * factor.prior + sum(one.weight_milli * one.value for one in values)
    return divide_half_even(weighted, weight_milli)


def _choose_band(points_deci: int, most_deci: int, body: PolicyBody, *, is_known: bool) -> Band:
    reached = points_deci * PERMILLE
    if not is_known:
        return Band.UNKNOWN
    if reached >= most_deci * body.good_from_permille:
        return Band.GOOD
    return Band.FAIR if reached >= most_deci * body.fair_from_permille else Band.POOR


def _choose_reasons(factors: Sequence[FactorResult], *, limit: int) -> tuple[str, ...]:
    # What costs most comes first; where little is wrong, the strengths follow. Sorting is stable:
    # the policy's order ends ties.
    good = f".{Band.GOOD}"
    weak = [factor for factor in factors if not factor.code.endswith(good)]
    weak.sort(key=lambda factor: factor.points_deci - factor.points_max_deci)
    weak = [factor for factor in weak if factor.points_deci < factor.points_max_deci]
    strong = [factor for factor in factors if factor.code.endswith(good)]
    strong.sort(key=lambda factor: -factor.points_deci)
    return tuple(factor.code for factor in (weak + strong)[:limit])


def _judge_confidence(lines: Sequence[EvidenceLine], body: PolicyBody) -> Confidence:
    """Return the confidence of a score that rests on these lines."""
    counted = _count_lines(lines)
    sources = {line.source for line in lines if line.code == USED and line.weight_milli > 0}
    rule = next(
        rule
        for rule in body.confidence
        if rule.is_catch_all or _fits(rule, counted=counted, sources=sources)
    )
    judged = replace(counted, level=rule.level, code=f"confidence.{rule.code}")
    if body.outside is None:
        return judged
    return _lower(judged, lines, body.outside.confidence)


def _count_lines(lines: Sequence[EvidenceLine]) -> Confidence:
    """Return the counts alone: they need no columns of their own in the store."""
    counted = [
        line for line in lines if line.is_behaviour and line.code == USED and line.weight_milli > 0
    ]
    ages = [line.age_days for line in counted if line.age_days is not None]
    return Confidence(
        level=ConfidenceLevel.NONE,
        code="confidence.no-data",
        own_invoices=sum(line.invoices or 0 for line in counted if line.source is Source.OWN),
        peers=sum(1 for line in counted if line.source is Source.PEERS),
        invoices=sum(line.invoices or 0 for line in counted),
        age_days=min(ages, default=None),
    )


def _lower(
    judged: Confidence, lines: Sequence[EvidenceLine], rules: ConfidenceFigure
) -> Confidence:
    begins = {
        ConfidenceLevel.NONE: 0,
        ConfidenceLevel.LOW: rules.low,
        ConfidenceLevel.MEDIUM: rules.medium,
        ConfidenceLevel.HIGH: rules.high,
    }
    lost = sum(rules.find_permille(source, state) for source, state in _list_gaps(lines))
    permille = max(0, begins[judged.level] - lost)
    if permille >= rules.high_from:
        level = ConfidenceLevel.HIGH
    else:
        is_medium = permille >= rules.medium_from
        level = ConfidenceLevel.MEDIUM if is_medium else ConfidenceLevel.LOW
    return replace(judged, level=level, permille=permille)


def _fits(rule: ConfidenceRule, *, counted: Confidence, sources: set[Source]) -> bool:
    enough = (
        counted.own_invoices >= rule.own_invoices_min
        and counted.peers >= rule.peers_min
        and counted.invoices >= rule.invoices_min
        and sources.issuperset(rule.sources)
    )
    if rule.age_days_max is None:
        return enough
    age_days = counted.age_days
    return enough and age_days is not None and age_days <= rule.age_days_max


def _list_gaps(lines: Sequence[EvidenceLine]) -> list[tuple[Source, Freshness]]:
    found = [(source, judge_source(lines, source)) for source in Source]
    return [(source, state) for source, state in found if state is not Freshness.FRESH]
