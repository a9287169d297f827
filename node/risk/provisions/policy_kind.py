"""How losses are provided for, as a kind of policy."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.core.policies.kinds import PolicyKind
from node.core.policies.shipped import build_shipped_kind
from node.risk.provisions.policy import ProvisionPolicy, parse_provision_policy

PROVISION_POLICY = "provision-policy"


@cache
def build_provision_kind() -> PolicyKind:
    """Return what is registered of policies of provisions."""
    folder = resources.files(__package__) / "policies"
    return build_shipped_kind(
        PROVISION_POLICY, folder, parse=parse_provision_policy, first=ProvisionPolicy.PRESET
    )
