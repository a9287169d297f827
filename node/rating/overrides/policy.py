"""What a person may make of a grade, as data: by how much, how long, who, for which reasons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.core.people.service import Role
from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyName
from node.rating.criteria import NOTCHES_MAX
from protocol.encoding import encode_b64u, sha256
from schemas.wire import WireModel

OVERRIDE_POLICY = "override-policy"
REASONS_MAX = 40
VALID_DAYS_MAX = 366

OverridingRole = Literal["credit-manager", "cfo"]
ConflictingRole = Literal["sales", "collector", "steward", "analyst", "auditor"]


class OverrideReason(WireModel):
    """A reason that a person may give."""

    id: Identifier
    names: LocalText


class OverridePolicyBody(WireModel):
    """The file; an override holds at most so many days, and never longer than its rating."""

    kind: Literal["override-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    notches_max: Annotated[int, Field(ge=1, le=NOTCHES_MAX)]
    valid_days_max: Annotated[int, Field(ge=1, le=VALID_DAYS_MAX)]
    roles: Annotated[tuple[OverridingRole, ...], Field(min_length=1, max_length=2)]
    conflicting_roles: Annotated[tuple[ConflictingRole, ...], Field(max_length=5)]
    reasons: Annotated[tuple[OverrideReason, ...], Field(min_length=1, max_length=REASONS_MAX)]

    @model_validator(mode="after")
    def _check_reasons(self) -> Self:
        ids = [one.id for one in self.reasons]
        if len(set(ids)) != len(ids) or len(set(self.roles)) != len(self.roles):
            raise ValueError("two reasons have one id, or a role stands twice")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class OverridePolicy:
    """A policy with the hash of its bytes."""

    body: OverridePolicyBody
    sha256_b64u: str

    PRESET: ClassVar[str] = "override-1"

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that override."""
        return frozenset(Role(one) for one in self.body.roles)

    @property
    def conflicting_roles(self) -> frozenset[Role]:
        """The roles that a person who overrides must not hold too."""
        return frozenset(Role(one) for one in self.body.conflicting_roles)

    def find_reason(self, code: str) -> OverrideReason | None:
        """Return the reason of a code."""
        return next((one for one in self.body.reasons if one.id == code), None)


def parse_override_policy(raw: bytes) -> OverridePolicy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(OverridePolicyBody, raw)
    return OverridePolicy(body=body, sha256_b64u=encode_b64u(sha256(raw)))


def read_preset_override_bytes() -> bytes:
    """Return the exact bytes of the policy that ships."""
    folder = resources.files(__package__) / "policies"
    return (folder / f"{OverridePolicy.PRESET}.json").read_bytes()


@cache
def build_override_kind() -> PolicyKind:
    """Return what is registered of these policies."""
    return PolicyKind(
        name=OVERRIDE_POLICY,
        parse=_parse_name,
        presets=[read_preset_override_bytes()],
        first=OverridePolicy.PRESET,
    )


def _parse_name(raw: bytes) -> PolicyName:
    body = parse_override_policy(raw).body
    return PolicyName(kind=OVERRIDE_POLICY, policy_id=body.id, version=body.version)
