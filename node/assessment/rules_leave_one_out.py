"""What each peer does to a score: it is worked out again without that one.

The effects of single peers need not add up to that of all together: what one leaves, the others
weigh more, and of two who tell the same overdue item neither alone makes a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.evidence import OwnEvidence, PeerEvidence
from node.assessment.outside_evidence import NOTHING_OUTSIDE, OutsideEvidence
from node.assessment.policy import Policy
from node.assessment.rules_scorecard import USED, Assessment, assess


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEffect:
    """What leaving a peer out would do to the points of a factor."""

    factor_id: str
    change_deci: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEffect:
    """What leaving one peer out would do; ``score_deci`` is None where nothing could be scored."""

    ref: str
    provider: str
    weight_milli: int
    score_deci: int | None
    change_deci: int | None
    factors: tuple[FactorEffect, ...]


def explain_each_peer(
    *,
    own: OwnEvidence | None,
    peers: Sequence[PeerEvidence],
    outside: OutsideEvidence = NOTHING_OUTSIDE,
    policy: Policy,
    as_of: date,
) -> tuple[PeerEffect, ...]:
    """Score a customer once more without each of the peers that count, in the order of peers.

    Who did not count does not come in for who is left out.
    """
    whole = assess(own=own, peers=peers, outside=outside, policy=policy, as_of=as_of)
    weights = {line.ref: line.weight_milli for line in whole.evidence if line.code == USED}
    used = [peer for peer in peers if peer.msg_hash_b64u in weights]
    return tuple(
        _explain(
            one,
            whole=whole,
            without=assess(
                own=own,
                peers=[peer for peer in used if peer is not one],
                outside=outside,
                policy=policy,
                as_of=as_of,
            ),
            weight_milli=weights[one.msg_hash_b64u],
        )
        for one in used
    )


def _explain(
    peer: PeerEvidence, *, whole: Assessment, without: Assessment, weight_milli: int
) -> PeerEffect:
    before = {factor.factor_id: factor.points_deci for factor in whole.factors}
    changes = (
        FactorEffect(
            factor_id=factor.factor_id, change_deci=factor.points_deci - before[factor.factor_id]
        )
        for factor in without.factors
    )
    has_scores = whole.score_deci is not None and without.score_deci is not None
    return PeerEffect(
        ref=peer.msg_hash_b64u,
        provider=peer.provider,
        weight_milli=weight_milli,
        score_deci=without.score_deci,
        change_deci=(without.score_deci or 0) - (whole.score_deci or 0) if has_scores else None,
        factors=tuple(one for one in changes if one.change_deci),
    )
