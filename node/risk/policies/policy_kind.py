"""How risk is watched, as a kind of policy."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyName
from node.risk.policies.policy import RiskPolicy, parse_risk_policy

RISK_POLICY = "risk-policy"


@cache
def build_risk_kind() -> PolicyKind:
    """Return what is registered of policies of risk."""
    found = [
        one.read_bytes()
        for one in resources.files(__package__).iterdir()
        if one.name.endswith(".json")
    ]
    return PolicyKind(
        name=RISK_POLICY,
        parse=_parse_name,
        presets=sorted(found, key=_order),
        first=RiskPolicy.PRESET,
        has_preview=True,
    )


def _parse_name(raw: bytes) -> PolicyName:
    body = parse_risk_policy(raw).body
    return PolicyName(kind=RISK_POLICY, policy_id=body.id, version=body.version)


def _order(raw: bytes) -> tuple[int, str]:
    name = _parse_name(raw)
    return name.version, name.policy_id
