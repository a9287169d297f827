"""How one is reminded, as a kind of policy."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyName
from node.risk.dunning.policy import DunningPolicy, parse_dunning_policy

DUNNING_POLICY = "dunning-policy"


@cache
def build_dunning_kind() -> PolicyKind:
    """Return what is registered of policies of dunning."""
    folder = resources.files(__package__) / "policies"
    found = [one.read_bytes() for one in folder.iterdir() if one.name.endswith(".json")]
    return PolicyKind(
        name=DUNNING_POLICY,
        parse=_parse_name,
        presets=sorted(found, key=_order),
        first=DunningPolicy.PRESET,
    )


def _parse_name(raw: bytes) -> PolicyName:
    body = parse_dunning_policy(raw).body
    return PolicyName(kind=DUNNING_POLICY, policy_id=body.id, version=body.version)


def _order(raw: bytes) -> tuple[int, str]:
    name = _parse_name(raw)
    return name.version, name.policy_id
