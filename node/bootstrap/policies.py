"""Every kind of policy that the rooms read, and where those that are active come from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from node.assessment.policy import Policy, parse_policy
from node.assessment.policy_kind import ASSESSMENT_POLICY, build_policy_kind
from node.core.clock import Clock
from node.core.database import Database
from node.core.policies.kinds import PolicyKind
from node.core.policies.shipping import PolicyShipping
from node.core.policies.source import StoredPolicies
from node.decision.policy import DecisionPolicy, parse_decision_policy
from node.decision.policy_kind import DECISION_POLICY, build_decision_kind
from node.rating.models.training_kind import TRAINING_POLICY, build_training_kind
from node.rating.models.training_policy import TrainingPolicy, parse_training_policy
from node.rating.overrides.policy import (
    OVERRIDE_POLICY,
    OverridePolicy,
    build_override_kind,
    parse_override_policy,
)
from node.rating.scale import Scale, parse_scale
from node.rating.scale_kind import RATING_SCALE, build_scale_kind
from node.risk.dunning.policy_kind import build_dunning_kind
from node.risk.policies.policy import RiskPolicy, parse_risk_policy
from node.risk.policies.policy_kind import RISK_POLICY, build_risk_kind
from node.risk.portfolio.policy_kind import build_portfolio_kind
from node.risk.provisions.policy_kind import build_provision_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySources:
    """The active policy of each kind, read anew when it has changed."""

    cards: StoredPolicies[Policy]
    scales: StoredPolicies[Scale]
    training: StoredPolicies[TrainingPolicy]
    decisions: StoredPolicies[DecisionPolicy]
    overrides: StoredPolicies[OverridePolicy]
    risk: StoredPolicies[RiskPolicy]


def build_kinds() -> tuple[PolicyKind, ...]:
    """Return every kind, with what ships of it."""
    return (
        build_policy_kind(),
        build_scale_kind(),
        build_training_kind(),
        build_decision_kind(),
        build_override_kind(),
        build_risk_kind(),
        build_provision_kind(),
        build_dunning_kind(),
        build_portfolio_kind(),
    )


def enter_shipped(database: Database, clock: Clock) -> None:
    """Enter what this release ships and is not in the store yet."""
    shipping = PolicyShipping(database=database, clock=clock, kinds=build_kinds())
    shipping.enter_presets(release=f"chengxin {version('chengxin')}")


def build_sources(database: Database) -> PolicySources:
    """Return where the rooms read their policies."""
    return PolicySources(
        cards=StoredPolicies(database=database, kind=ASSESSMENT_POLICY, parse=parse_policy),
        scales=StoredPolicies(database=database, kind=RATING_SCALE, parse=parse_scale),
        training=StoredPolicies(
            database=database, kind=TRAINING_POLICY, parse=parse_training_policy
        ),
        decisions=StoredPolicies(
            database=database, kind=DECISION_POLICY, parse=parse_decision_policy
        ),
        overrides=StoredPolicies(
            database=database, kind=OVERRIDE_POLICY, parse=parse_override_policy
        ),
        risk=StoredPolicies(database=database, kind=RISK_POLICY, parse=parse_risk_policy),
    )
