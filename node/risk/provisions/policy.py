"""How losses are provided for, as data: buckets and their rates, forward factor, staging, flow.

Integers only: rates in millionths, days past due. Meaning of each member: docs/formulas.md,
provision.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.records.rules_ageing import BUCKET_EDGES, AgeingBase
from protocol.encoding import encode_b64u, sha256
from schemas.wire import WireModel

PPM = 1_000_000
FORWARD_PPM_MAX = 10 * PPM
EDGES = tuple(edge for edge, _ in BUCKET_EDGES)
Rate = Annotated[int, Field(ge=0, le=PPM)]


class ProvisionMethod(StrEnum):
    """Where the rates of the pool come from."""

    MATRIX = "matrix"
    """From the policy."""
    FLOW = "flow"
    """From what became of own invoices."""


class BucketRate(WireModel):
    """What is lost of what is up to so many days past due."""

    upto_days: Annotated[int, Field(ge=0, le=EDGES[-1])]
    rate_ppm: Rate


class ProvisionPolicyBody(WireModel):
    """The policy file; buckets run from the youngest, each from the edge of the one before."""

    kind: Literal["provision-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    method: ProvisionMethod
    base: AgeingBase
    buckets: Annotated[tuple[BucketRate, ...], Field(min_length=1, max_length=len(EDGES))]
    beyond_ppm: Rate
    forward_ppm: Annotated[int, Field(ge=1, le=FORWARD_PPM_MAX)]
    stage_two_after_days: Annotated[int, Field(ge=0, le=EDGES[-1])]
    stage_three_after_days: Annotated[int, Field(ge=0, le=EDGES[-1])]
    insolvent_ppm: Rate
    flow_months: Annotated[int, Field(ge=1, le=60)]
    flow_invoices_min: Annotated[int, Field(ge=1, le=1_000_000)]

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        edges = [one.upto_days for one in self.buckets]
        if edges[0] != 0:
            raise ValueError("the first bucket is what is not due: up to 0 days")
        if any(left >= right for left, right in pairwise(edges)):
            raise ValueError("the buckets do not rise")
        if not set(edges) <= set(EDGES):
            raise ValueError(f"edges of buckets are those of the ageing: {EDGES}")
        if not {self.stage_two_after_days, self.stage_three_after_days} <= set(edges):
            raise ValueError("a stage begins at an edge of a bucket")
        if self.stage_two_after_days >= self.stage_three_after_days:
            raise ValueError("stage three begins after stage two")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionPolicy:
    """A policy with the name of its bytes."""

    body: ProvisionPolicyBody
    sha256_b64u: str

    PRESET: ClassVar[str] = "provision-1"

    @property
    def label(self) -> str:
        """Name it as people do: ``provision-1``."""
        return f"{self.body.id}-{self.body.version}"

    @property
    def edges(self) -> tuple[int, ...]:
        """Return the last day past due of each bucket but the last one, which has none."""
        return tuple(one.upto_days for one in self.body.buckets)


def parse_provision_policy(raw: bytes) -> ProvisionPolicy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(ProvisionPolicyBody, raw)
    return ProvisionPolicy(body=body, sha256_b64u=encode_b64u(sha256(raw)))


def read_preset_provision_policy() -> ProvisionPolicy:
    """Read the policy that ships with the node.

    Raises:
        PolicyInvalidError: The file breaks the rules of a policy.
    """
    preset = resources.files(__package__) / "policies" / f"{ProvisionPolicy.PRESET}.json"
    return parse_provision_policy(preset.read_bytes())
