"""How one is reminded, as a kind of policy."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.core.policies.kinds import PolicyKind
from node.core.policies.shipped import build_shipped_kind
from node.risk.dunning.policy import DunningPolicy, parse_dunning_policy

DUNNING_POLICY = "dunning-policy"


@cache
def build_dunning_kind() -> PolicyKind:
    """Return what is registered of policies of dunning."""
    folder = resources.files(__package__) / "policies"
    return build_shipped_kind(
        DUNNING_POLICY, folder, parse=parse_dunning_policy, first=DunningPolicy.PRESET
    )
