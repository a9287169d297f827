"""How models are trained, as a kind of policy."""

from __future__ import annotations

from functools import cache

from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyName
from node.rating.models.training_policy import (
    TrainingPolicy,
    parse_training_policy,
    read_preset_training_policy,
)

TRAINING_POLICY = "training-policy"


@cache
def build_training_kind() -> PolicyKind:
    """Return what is registered of training policies."""
    return PolicyKind(
        name=TRAINING_POLICY,
        parse=_parse_name,
        presets=[read_preset_training_policy().raw],
        first=TrainingPolicy.PRESET,
    )


def _parse_name(raw: bytes) -> PolicyName:
    body = parse_training_policy(raw).body
    return PolicyName(kind=TRAINING_POLICY, policy_id=body.id, version=body.version)
