"""What a page shows of each peer's effect on a score, and why a customer is to be assessed anew."""

from __future__ import annotations

from dataclasses import dataclass

from node.assessment.policy import Policy
from node.assessment.rules_leave_one_out import PeerEffect
from node.bootstrap.local import LocalNode
from node.web.texts import Texts
from node.web.wording import say_change, say_deci


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectLine:
    """What leaving one peer out would change."""

    provider: str
    weight: str
    score: str
    change: str
    change_deci: int
    factors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectsView:
    """The peers one by one; without ``is_current`` it cannot be told any more."""

    is_current: bool
    lines: tuple[EffectLine, ...]


def view_effects(local: LocalNode, assessment_id: int, texts: Texts) -> EffectsView | None:
    """Work out what each peer does to an assessment; None where no peer counts in it."""
    found = local.assessment.explain_peers(assessment_id)
    pair = None if found is None else local.assessment.find_pair(assessment_id)
    if found is None or pair is None:
        return None
    policy = local.assessment.get_policy(pair.with_peers.assessment.policy)
    return EffectsView(
        is_current=found.is_current,
        lines=tuple(_view(effect, policy, texts) for effect in found.effects),
    )


def format_weight(weight_milli: int) -> str:
    """Write a weight in own invoices."""
    return f"{weight_milli // 1000}.{weight_milli % 1000:03d}"


def _view(effect: PeerEffect, policy: Policy, texts: Texts) -> EffectLine:
    factors = (
        f"{policy.describe(one.factor_id, texts.language)} {say_change(one.change_deci, texts)}"
        for one in effect.factors
    )
    return EffectLine(
        provider=effect.provider,
        weight=format_weight(effect.weight_milli),
        score=say_deci(effect.score_deci, texts),
        change=texts("none.computable")
        if effect.change_deci is None
        else say_change(effect.change_deci, texts),
        change_deci=effect.change_deci or 0,
        factors=texts("join.semicolon").join(factors),
    )
