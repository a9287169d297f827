"""How risk is watched, as a kind of policy."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.core.policies.kinds import PolicyKind
from node.core.policies.shipped import build_shipped_kind
from node.risk.policies.policy import RiskPolicy, parse_risk_policy

RISK_POLICY = "risk-policy"


@cache
def build_risk_kind() -> PolicyKind:
    """Return what is registered of policies of risk."""
    folder = resources.files(__package__)
    return build_shipped_kind(
        RISK_POLICY, folder, parse=parse_risk_policy, first=RiskPolicy.PRESET, has_preview=True
    )
