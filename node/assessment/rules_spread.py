"""Whose points count: a group of factors without evidence gives its points to the other groups.

In proportion to what they have, to the tenth: the maxima still add up to 100.0. So the score is the
mean of what the groups with evidence reached, and what nobody knows moves it neither way; it lowers
the confidence instead. docs/formulas.md, expert-2.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from node.assessment.policy import SCORE_DECI_MAX, Factor


def spread_points(
    factors: Sequence[Factor], *, groups: Collection[str | None]
) -> Mapping[str, int]:
    """Return the most that each factor can earn where these groups have evidence.

    What does not divide evenly goes by the largest remainder, in the policy's order where equal.
    """
    counted = [factor for factor in factors if factor.group in groups]
    total_deci = sum(factor.points_max_deci for factor in counted)
    spread = {factor.id: 0 for factor in factors}
    remainders = []
    for position, factor in enumerate(counted):
        whole, rest = divmod(factor.points_max_deci * SCORE_DECI_MAX, total_deci)
        spread[factor.id] = whole
        remainders.append((-rest, position, factor.id))
    left = SCORE_DECI_MAX - sum(spread.values()) if counted else 0
    for _, _, factor_id in sorted(remainders)[:left]:
        spread[factor_id] += 1
    return spread
