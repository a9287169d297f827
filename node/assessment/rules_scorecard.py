"""The expert scorecard: evidence and a policy in, a score with its reasons out.

docs/formulas.md, expert-1 and expert-2. Points are integers in tenths and the score is their sum,
so that every explanation adds up. A little prior experience stands beside the evidence, which keeps
one prompt invoice from looking like a hundred. No evidence gives no score: never 0, never 80.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import itemgetter
from typing import TypeAlias

from node.assessment.evidence import Figures, LeftOutPeer, OwnEvidence, PeerEvidence
from node.assessment.outside_evidence import NOTHING_OUTSIDE, OutsideEvidence
from node.assessment.policy import Band, Policy, PolicyBody, Source, choose_step
from node.assessment.results import (
    OWN_REF,
    USED,
    Assessment,
    Confidence,
    EvidenceLine,
    FactorResult,
)
from node.assessment.rules_confidence import build_confidence, judge_confidence, say_missing
from node.assessment.rules_outside import date_lines, weigh_outside
from node.assessment.rules_peers import weigh_peers
from node.assessment.rules_points import (
    ScoredFactor,
    Values,
    Weighed,
    build_factors,
    build_spread,
    read_points,
)

__all__ = [
    "OWN_REF",
    "USED",
    "Assessment",
    "Confidence",
    "EvidenceLine",
    "FactorResult",
    "Scorecard",
    "assess",
    "read_points",
]

_GOOD = f".{Band.GOOD}"
_points = itemgetter(0)
_WeighedBySource: TypeAlias = dict[Source, list[Weighed]]


class Scorecard:
    """A policy made ready to score many customers; what is the same for all is worked out once."""

    def __init__(self, policy: Policy) -> None:
        """Take a policy; its numbers do not change any more."""
        self._policy = policy
        outside = policy.body.outside
        self._confidence = None if outside is None else build_confidence(outside.confidence)
        self._factors = build_factors(policy.body)
        # By which groups have evidence: as many tables as there are sets of a few groups.
        self._spreads: dict[frozenset[str | None], tuple[ScoredFactor | FactorResult, ...]] = {}

    @property
    def policy(self) -> Policy:
        """Where the points come from."""
        return self._policy

    def assess(
        self,
        *,
        own: OwnEvidence | None,
        peers: Sequence[PeerEvidence],
        as_of: date,
        left_out: Sequence[LeftOutPeer] = (),
        outside: OutsideEvidence = NOTHING_OUTSIDE,
    ) -> Assessment:
        """Score a customer from our own evidence and peers' (none of them: from our own only).

        Of what is ``left_out`` each has a line that says why, and nothing else of it is known here.
        A policy that has rules for evidence from outside reads that too.
        """
        body = self._policy.body
        own_line = _weigh_own(own, body, as_of=as_of)
        peer_lines = weigh_peers(peers, body, own_line=own_line, as_of=as_of, left_out=left_out)
        behaviour = (own_line, *peer_lines) if own_line else peer_lines
        weighed = _collect(own, peers, behaviour)
        if body.outside is None:
            lines = behaviour
        else:
            beside = weigh_outside(outside, body.outside, as_of=as_of)
            dated = date_lines(behaviour, own=own, peers=peers, rules=body.outside)
            lines = (*dated, *(one.line for one in beside))
            for one in beside:
                if one.figures is not None:
                    _add(weighed, one.line, one.figures)
        confidence = judge_confidence(lines, body.confidence, self._confidence)
        has_facts = (own is not None and own.has_facts) or _have_facts(peers, behaviour)
        if confidence.invoices < body.minimum_invoices and not has_facts:
            # A year of relation or the like is no experience: how the customer pays is not known.
            weighed.pop(Source.OWN, None)
            weighed.pop(Source.PEERS, None)
        factors = self._score(weighed)
        return Assessment(
            as_of=as_of,
            policy=self._policy.reference,
            score_deci=sum([factor.points_deci for factor in factors]) if factors else None,
            confidence=confidence if factors else say_missing(confidence),
            factors=factors,
            reasons=_choose_reasons(factors, limit=body.reasons_max),
            evidence=lines,
        )

    def _score(self, weighed: _WeighedBySource) -> tuple[FactorResult, ...]:
        values = [factor.read(weighed) for factor in self._factors]
        groups = self._find_groups(weighed, values)
        if not groups:
            return ()
        spread = self._spreads.get(groups)
        if spread is None:
            spread = build_spread(self._factors, self._policy.body, groups=groups)
            self._spreads[groups] = spread
        return tuple(
            [
                one if isinstance(one, FactorResult) else one.score(found)
                for one, found in zip(spread, values, strict=True)
            ]
        )

    def _find_groups(
        self, weighed: _WeighedBySource, values: Sequence[Values]
    ) -> frozenset[str | None]:
        """Return the groups that have evidence; none where nothing of it carries a score."""
        found = frozenset(
            [one.factor.group for one, held in zip(self._factors, values, strict=True) if held]
        )
        rules = self._policy.body.outside
        if rules is None:
            return found
        alone = (group.id for group in rules.groups if group.stands_alone)
        has_entry = any(one.figures.list_rank for held in weighed.values() for one in held)
        return found if has_entry or not found.isdisjoint(alone) else frozenset()


def assess(
    *,
    own: OwnEvidence | None,
    peers: Sequence[PeerEvidence],
    policy: Policy,
    as_of: date,
    left_out: Sequence[LeftOutPeer] = (),
    outside: OutsideEvidence = NOTHING_OUTSIDE,
) -> Assessment:
    """Score one customer, as ``Scorecard.assess`` scores many."""
    return Scorecard(policy).assess(
        own=own, peers=peers, as_of=as_of, left_out=left_out, outside=outside
    )


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
) -> _WeighedBySource:
    figures = {peer.msg_hash_b64u: peer.figures for peer in peers}
    if own is not None:
        figures[OWN_REF] = own.figures
    weighed: _WeighedBySource = {}
    for line in lines:
        if line.code == USED:
            _add(weighed, line, figures[line.ref])
    return weighed


def _add(weighed: _WeighedBySource, line: EvidenceLine, figures: Figures) -> None:
    one = Weighed(ref=line.ref, source=line.source, weight_milli=line.weight_milli, figures=figures)
    weighed.setdefault(line.source, []).append(one)


def _choose_reasons(factors: Sequence[FactorResult], *, limit: int) -> tuple[str, ...]:
    # What costs most comes first; where little is wrong, the strengths follow. Sorting is stable:
    # the policy's order ends ties.
    weak, strong = [], []
    for factor in factors:
        if factor.code.endswith(_GOOD):
            strong.append((-factor.points_deci, factor.code))
        elif factor.points_deci < factor.points_max_deci:
            weak.append((factor.points_deci - factor.points_max_deci, factor.code))
    weak.sort(key=_points)
    strong.sort(key=_points)
    return tuple([code for _, code in (weak + strong)[:limit]])
