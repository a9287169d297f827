"""What peers' summaries changed, factor by factor.

The changes add up to the difference of the scores: nothing is left over.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.assessment.policy_outside import NO_EVIDENCE
from node.assessment.results import OWN_REF, Assessment, FactorResult
from node.core.errors import InvariantError, RejectedError


class PolicyMismatchError(RejectedError):
    """Two assessments by different policies cannot be explained against each other."""

    code = "policy-mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorChange:
    """One factor before and after; ``before_deci`` is None where there was no score before."""

    factor_id: str
    before_deci: int | None
    after_deci: int
    change_deci: int
    code: str
    own_value: int | None
    peers_value: int | None
    value_before: int | None
    value_after: int | None
    sources: tuple[str, ...]
    outside_value: int | None = None


def explain_difference(*, without: Assessment, with_: Assessment) -> tuple[FactorChange, ...]:
    """Say what each factor was without peers and is with them, and why.

    Nothing where neither has a score.

    Raises:
        PolicyMismatchError: The two were not worked out with the same policy.
        InvariantError: Evidence was added and the score was lost, or the changes do not add up.
    """
    if without.policy != with_.policy:
        raise PolicyMismatchError(f"{without.policy.label} against {with_.policy.label}")
    if with_.score_deci is None and without.score_deci is not None:
        raise InvariantError("a score was lost by adding evidence")
    before = {factor.factor_id: factor for factor in without.factors}
    outside = frozenset(line.ref for line in with_.evidence if not line.is_behaviour)
    changes = tuple(
        _compare(before.get(factor.factor_id), factor, outside=outside) for factor in with_.factors
    )
    difference_deci = (with_.score_deci or 0) - (without.score_deci or 0)
    if sum(change.change_deci for change in changes) != difference_deci:
        raise InvariantError("the changes do not add up to the difference of the scores")
    return changes


def _compare(
    before: FactorResult | None, after: FactorResult, *, outside: frozenset[str]
) -> FactorChange:
    change_deci = after.points_deci - (0 if before is None else before.points_deci)
    return FactorChange(
        factor_id=after.factor_id,
        before_deci=None if before is None else before.points_deci,
        after_deci=after.points_deci,
        change_deci=change_deci,
        code=f"change.{_choose_reason(before, after, change_deci=change_deci, outside=outside)}",
        own_value=after.own_value,
        peers_value=after.peers_value,
        value_before=None if before is None else before.value,
        value_after=after.value,
        sources=after.sources,
        outside_value=after.outside_value,
    )


def _choose_reason(
    before: FactorResult | None,
    after: FactorResult,
    *,
    change_deci: int,
    outside: frozenset[str],
) -> str:
    if before is not None and before.points_max_deci != after.points_max_deci:
        return "spread"
    if after.code == NO_EVIDENCE or outside.intersection(after.sources):
        return "unchanged" if change_deci == 0 else "spread"
    return _choose_by_source(after, change_deci=change_deci)


def _choose_by_source(after: FactorResult, *, change_deci: int) -> str:
    # By sources, not by values: values may have been erased, sources stay.
    if not after.sources:
        return "prior-only"
    if all(ref == OWN_REF for ref in after.sources):
        return "no-peer-evidence"
    if OWN_REF not in after.sources:
        return "peers-only"
    if change_deci == 0:
        return "peers-agree"
    return _choose_direction(after, change_deci=change_deci)


def _choose_direction(after: FactorResult, *, change_deci: int) -> str:
    own_value, peers_value = after.own_value, after.peers_value
    if own_value is not None and peers_value is not None:
        better = peers_value - own_value if after.is_higher_better else own_value - peers_value
        # Points can move against what peers say, or without it: then the prior lost weight.
        if better == 0 or (better > 0) != (change_deci > 0):
            return "more-evidence"
    return "peers-better" if change_deci > 0 else "peers-worse"
