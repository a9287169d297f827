"""All rules in their order, what is excluded of them, and what follows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from node.risk.facts.records import CustomerFacts, GroupMember
from node.risk.policies.policy import Exclusion, RiskPolicyBody, RuleId, Rules
from node.risk.rules.judged import Excluded, Found, Judged, Source, conclude
from node.risk.rules.rules_other import (
    judge_bills,
    judge_group,
    judge_index,
    judge_lists,
    judge_promises,
)
from node.risk.rules.rules_own import (
    judge_dunning,
    judge_expiry,
    judge_exposure,
    judge_oldest,
    judge_order,
    judge_share,
    judge_terms,
    judge_usage,
)
from node.risk.rules_finding import Finding, RiskStatus

PLAN = "plan"

_RULES: tuple[Callable[[CustomerFacts, Rules], Judged], ...] = (
    judge_exposure,
    judge_usage,
    judge_oldest,
    judge_share,
    judge_dunning,
    judge_expiry,
    judge_terms,
    judge_order,
    judge_index,
    judge_bills,
    judge_lists,
    judge_promises,
)


def judge_own(facts: CustomerFacts, body: RiskPolicyBody) -> list[Judged]:
    """Return what comes of R1 to R12 for one customer, and of its plans of payment."""
    judged = [judge(facts, body.rules) for judge in _RULES]
    return [
        *(_exclude(one, body.exclusions, facts.customer_id, on=facts.as_of) for one in judged),
        judge_plans(facts),
    ]


def judge_all(
    facts: CustomerFacts,
    body: RiskPolicyBody,
    members: Sequence[GroupMember] | None,
    *,
    own: Sequence[Judged] | None = None,
) -> list[Judged]:
    """Return what comes of all thirteen rules; ``own`` is what ``judge_own`` gave, if it is known.

    ``members`` are the other companies of the group, none of one that stands alone.
    """
    *rules, plans = judge_own(facts, body) if own is None else own
    group = _exclude(
        judge_group(members, body.rules), body.exclusions, facts.customer_id, on=facts.as_of
    )
    return [*rules, group, plans]


def judge_plans(facts: CustomerFacts) -> Judged:
    """Say whether a promise of a plan of payment was broken: then the customer is held."""
    if not facts.broken_plans:
        return conclude(PLAN, ())
    found = Found(
        finding=Finding(
            rule=PLAN, status=RiskStatus.HOLD, values={"plans": len(facts.broken_plans)}
        ),
        source=Source.PLAN,
        cause=PLAN,
        level=len(facts.broken_plans),
        evidence=tuple(f"action:{one}" for one in facts.broken_plans),
    )
    return conclude(PLAN, [found])


def _exclude(
    judged: Judged, exclusions: Sequence[Exclusion], customer_id: int, *, on: date
) -> Judged:
    """Mark what a dated exclusion of the policy takes out; it stays listed with its owner."""
    if not judged.found:
        return judged
    for one in exclusions:
        if RuleId(judged.rule) is one.rule and one.holds_for(customer_id, on=on):
            last = date.fromisoformat(one.until_day)
            return replace(
                judged, excluded=Excluded(owner=one.owner, until=last, reason=one.reason)
            )
    return judged
