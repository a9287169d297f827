"""Scorecards as a kind of policy: how a file is named, which ship, what was in use."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.assessment.policy import Policy, parse_policy
from node.assessment.store import AssessmentStore
from node.core.database import UnitOfWork
from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyName

ASSESSMENT_POLICY = "assessment-policy"


@cache
def build_policy_kind() -> PolicyKind:
    """Return what is registered of scorecards."""
    folder = resources.files(__package__) / "policies"
    found = [one.read_bytes() for one in folder.iterdir() if one.name.endswith(".json")]
    return PolicyKind(
        name=ASSESSMENT_POLICY,
        parse=_parse_name,
        presets=sorted(found, key=_order),
        first=Policy.PRESET,
        find_newest_used=_find_newest_used,
        has_preview=True,
    )


def _parse_name(raw: bytes) -> PolicyName:
    reference = parse_policy(raw).reference
    return PolicyName(
        kind=ASSESSMENT_POLICY, policy_id=reference.policy_id, version=reference.version
    )


def _order(raw: bytes) -> tuple[int, str]:
    name = _parse_name(raw)
    return name.version, name.policy_id


def _find_newest_used(uow: UnitOfWork) -> str | None:
    return AssessmentStore(uow.connection).find_newest_policy()
