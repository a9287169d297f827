"""The expert scorecard: evidence and a policy in, a score with its reasons out.

docs/formulas.md, expert-1. Points are integers in tenths and the score is their sum, so that every
explanation adds up. A little prior experience stands beside the evidence, which keeps one prompt
invoice from looking like a hundred. No evidence gives no score: never 0, never 80.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from node.assessment.evidence import Figures, LeftOutPeer, OwnEvidence, PeerEvidence
from node.assessment.evidence_line import INVOICE_WEIGHT, OWN_REF, USED, EvidenceLine
from node.assessment.policy import (
    PERMILLE,
    Band,
    Combine,
    ConfidenceLevel,
    ConfidenceRule,
    Factor,
    Policy,
    PolicyBody,
    PolicyReference,
    Source,
    choose_step,
)
from node.assessment.rules_peers import weigh_peers
from node.core.money import divide_half_even

__all__ = [
    "INVOICE_WEIGHT",
    "OWN_REF",
    "USED",
    "Assessment",
    "Confidence",
    "EvidenceLine",
    "FactorResult",
    "assess",
    "read_points",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorResult:
    """One line of the card: the value, whose values made it, and what it earned."""

    factor_id: str
    code: str
    points_deci: int
    points_max_deci: int
    is_higher_better: bool
    sources: tuple[str, ...]
    value: int | None
    own_value: int | None
    peers_value: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """How far the score carries, and the numbers that say so."""

    level: ConfidenceLevel
    code: str
    own_invoices: int
    peers: int
    invoices: int
    age_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A scored customer; with nothing to score, ``score_deci`` is None and factors are empty."""

    as_of: date
    policy: PolicyReference
    score_deci: int | None
    confidence: Confidence
    factors: tuple[FactorResult, ...]
    reasons: tuple[str, ...]
    evidence: tuple[EvidenceLine, ...]

    @property
    def score(self) -> int | None:
        """The whole points, cut off so that a score shown as 90 has the grade of 90."""
        return None if self.score_deci is None else self.score_deci // 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """The figures of one source that counts."""

    ref: str
    weight_milli: int
    figures: Figures


def assess(
    *,
    own: OwnEvidence | None,
    peers: Sequence[PeerEvidence],
    policy: Policy,
    as_of: date,
    left_out: Sequence[LeftOutPeer] = (),
) -> Assessment:
    """Score a customer from our own evidence and peers' (none of them: from our own only).

    Of what is ``left_out`` each has a line that says why, and nothing else of it is known here.
    """
    body = policy.body
    own_line = _weigh_own(own, body, as_of=as_of)
    peer_lines = weigh_peers(peers, body, own_line=own_line, as_of=as_of, left_out=left_out)
    lines = ((own_line,) if own_line else ()) + peer_lines
    confidence = _judge_confidence(lines, body)
    has_facts = (own is not None and own.has_facts) or _have_facts(peers, lines)
    if confidence.invoices < body.minimum_invoices and not has_facts:
        return Assessment(
            as_of=as_of,
            policy=policy.reference,
            score_deci=None,
            confidence=_missing(confidence),
            factors=(),
            reasons=(),
            evidence=lines,
        )
    weighed = _collect(own, peers, lines)
    factors = tuple(_score_factor(factor, weighed, body) for factor in body.factors)
    return Assessment(
        as_of=as_of,
        policy=policy.reference,
        score_deci=sum(factor.points_deci for factor in factors),
        confidence=confidence,
        factors=factors,
        reasons=_choose_reasons(factors, limit=body.reasons_max),
        evidence=lines,
    )


def read_points(factor: Factor, value: int) -> int:
    """Return what a value earns; the ends hold outside.

    It is on the line between two steps, or what the step below it gives.
    """
    left = factor.steps[0]
    if value <= left.at:
        return left.points_deci
    for right in factor.steps[1:]:
        if value < right.at:
            if not factor.interpolate:
                return left.points_deci
            rise = (right.points_deci - left.points_deci) * (value - left.at)
            return left.points_deci + divide_half_even(rise, right.at - left.at)
        left = right
    return left.points_deci


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
    return tuple(
        _Weighed(ref=line.ref, weight_milli=line.weight_milli, figures=figures[line.ref])
        for line in lines
        if line.code == USED
    )


def _score_factor(factor: Factor, weighed: Sequence[_Weighed], body: PolicyBody) -> FactorResult:
    values = _read_values(factor, weighed)
    own_value = next((value for ref, _, value in values if ref == OWN_REF), None)
    peer_values = [item for item in values if item[0] != OWN_REF]
    prior_milli = body.prior_invoices * INVOICE_WEIGHT
    value = _combine(factor, values, prior_milli=prior_milli)
    points_deci = read_points(factor, factor.prior if value is None else value)
    return FactorResult(
        factor_id=factor.id,
        code=f"{factor.id}.{_choose_band(points_deci, factor, body, is_known=value is not None)}",
        points_deci=points_deci,
        points_max_deci=factor.points_max_deci,
        is_higher_better=factor.is_higher_better,
        sources=tuple(ref for ref, _, _ in values),
        value=factor.prior if value is None else value,
        own_value=own_value,
        peers_value=_combine(factor, peer_values, prior_milli=0),
    )


def _read_values(factor: Factor, weighed: Sequence[_Weighed]) -> list[tuple[str, int, int]]:
    values = []
    for item in weighed:
        source = Source.OWN if item.ref == OWN_REF else Source.PEERS
        value = getattr(item.figures, factor.reads.value)
        counts = factor.combine is Combine.MAX or item.weight_milli > 0
        if source in factor.sources and value is not None and counts:
            values.append((item.ref, item.weight_milli, value))
    return values


def _combine(
    factor: Factor, values: Sequence[tuple[str, int, int]], *, prior_milli: int
) -> int | None:
    if not values:
        return None
    if factor.combine is Combine.MAX:
        return max(value for _, _, value in values)
    weight_milli = prior_milli + sum(weight for _, weight, _ in values)
    weighted = prior_milli * factor.prior + sum(weight * value for _, weight, value in values)
    return divide_half_even(weighted, weight_milli)


def _choose_band(points_deci: int, factor: Factor, body: PolicyBody, *, is_known: bool) -> Band:
    reached = points_deci * PERMILLE
    if not is_known:
        return Band.UNKNOWN
    if reached >= factor.points_max_deci * body.good_from_permille:
        return Band.GOOD
    return Band.FAIR if reached >= factor.points_max_deci * body.fair_from_permille else Band.POOR


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
    counted = [line for line in lines if line.code == USED and line.weight_milli > 0]
    own_invoices = sum(line.invoices or 0 for line in counted if line.ref == OWN_REF)
    peers = sum(1 for line in counted if line.ref != OWN_REF)
    invoices = sum(line.invoices or 0 for line in counted)
    age_days = min((line.age_days for line in counted if line.age_days is not None), default=None)
    rule = next(
        rule
        for rule in body.confidence
        if rule.is_catch_all
        or _holds(
            rule,
            own_invoices=own_invoices,
            peers=peers,
            invoices=invoices,
            age_days=age_days,
        )
    )
    return Confidence(
        level=rule.level,
        code=f"confidence.{rule.code}",
        own_invoices=own_invoices,
        peers=peers,
        invoices=invoices,
        age_days=age_days,
    )


def _holds(
    rule: ConfidenceRule, *, own_invoices: int, peers: int, invoices: int, age_days: int | None
) -> bool:
    enough = (
        own_invoices >= rule.own_invoices_min
        and peers >= rule.peers_min
        and invoices >= rule.invoices_min
    )
    if rule.age_days_max is None:
        return enough
    return enough and age_days is not None and age_days <= rule.age_days_max


def _missing(confidence: Confidence) -> Confidence:
    return replace(confidence, level=ConfidenceLevel.NONE, code="confidence.no-data")
