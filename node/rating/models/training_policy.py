"""How a model is trained, as data: a versioned policy file, named by its hash.

Integers only; a share is in per mille. Meaning of each member: docs/formulas.md, statistical
scorecard.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy import PERMILLE, EvidenceValue
from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.assessment.statistical.model_file import (
    BINS_MAX,
    CELLS_MAX,
    COMBINATIONS_MAX,
    FEATURES_MAX,
    Direction,
    ScaleParameters,
    Value,
)
from protocol.encoding import encode_b64u, sha256
from schemas.wire import WireModel

Permille = Annotated[int, Field(ge=0, le=PERMILLE)]
AdverseKind = Literal["collection", "write_off", "legal", "insolvency"]


class BinRules(WireModel):
    """How finely values are cut, and whether bins keep to the direction of their factor."""

    prebins_max: Annotated[int, Field(ge=2, le=BINS_MAX - 1)]
    share_min_permille: Annotated[int, Field(ge=1, le=500)]
    is_monotone: bool
    has_missing_bins: bool
    """Else a missing value falls in with the lowest values."""
    time_limit_s: Annotated[int, Field(ge=1, le=600)]


class CombinationRules(WireModel):
    """How many combinations of factors may be added, and how large their cells have to be."""

    count_max: Annotated[int, Field(ge=0, le=COMBINATIONS_MAX)]
    cells_max: Annotated[int, Field(ge=2, le=CELLS_MAX)]
    depth_max: Annotated[int, Field(ge=1, le=4)]
    share_min_permille: Annotated[int, Field(ge=1, le=500)]
    step_permille: Annotated[int, Field(ge=1, le=PERMILLE)]


class FitRules(WireModel):
    """Which factors stay, and how much coefficients are held down (``C`` of the regression)."""

    iv_min_permille: Annotated[int, Field(ge=0, le=PERMILLE)]
    features_max: Annotated[int, Field(ge=1, le=FEATURES_MAX)]
    c_permille: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]
    bootstrap_rounds: Annotated[int, Field(ge=0, le=1_000)] = 0
    """How often the regression is repeated for the intervals of its coefficients."""
    bootstrap_cells_max: Annotated[int, Field(ge=0, le=10**9)] = 0
    """Bounds their cost, rounds times rows times columns: fewer rounds are made beyond it."""


class OutcomeRules(WireModel):
    """What counts as bad, and for how long one looks."""

    months: Annotated[int, Field(ge=1, le=36)]
    days_past_due_over: Annotated[int, Field(ge=1, le=720)]
    adverse_kinds: Annotated[tuple[AdverseKind, ...], Field(max_length=4)]
    every_months: Annotated[int, Field(ge=1, le=12)]
    """Customers are looked at every so many months."""
    test_share_permille: Annotated[int, Field(ge=50, le=500)]


class GradeBound(WireModel):
    """A grade of the back-test: up to this probability of default, in millionths."""

    grade: Annotated[str, Field(pattern=r"^[A-Z]{1,4}[+-]?$")]
    upto_ppm: Annotated[int, Field(ge=1, le=1_000_000)]


class ValidationRules(WireModel):
    """What may be called validated, and the grades of the back-test from the best."""

    bads_min: Annotated[int, Field(ge=1, le=100_000)]
    grades: Annotated[tuple[GradeBound, ...], Field(min_length=2, max_length=32)]

    @model_validator(mode="after")
    def _check_grades(self) -> Self:
        bounds = [one.upto_ppm for one in self.grades]
        if bounds != sorted(set(bounds)) or bounds[-1] != 1_000_000:  # noqa: PLR2004  all of it
            raise ValueError("the probabilities rise up to all")
        return self


class LedgerFeature(WireModel):
    """A figure of our own records that may become a factor."""

    id: Identifier
    reads: EvidenceValue
    direction: Direction
    decimals: Annotated[int, Field(ge=0, le=3)]
    specials: Annotated[tuple[Value, ...], Field(max_length=8)] = ()
    names: LocalText


class TrainingPolicyBody(WireModel):
    """The policy file."""

    kind: Literal["training-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    scale: ScaleParameters
    reasons_max: Annotated[int, Field(ge=1, le=FEATURES_MAX)]
    bins: BinRules
    combinations: CombinationRules
    fit: FitRules
    outcome: OutcomeRules
    validation: ValidationRules
    features: Annotated[tuple[LedgerFeature, ...], Field(min_length=1, max_length=FEATURES_MAX)]

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        if len({one.id for one in self.features}) != len(self.features):
            raise ValueError("two factors have one id")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPolicy:
    """A policy with the name of its bytes."""

    body: TrainingPolicyBody
    sha256_b64u: str
    raw: bytes

    PRESET: ClassVar[str] = "statistical-1"

    @property
    def label(self) -> str:
        """Name it as people do: ``statistical-1``."""
        return f"{self.body.id}-{self.body.version}"


def parse_training_policy(raw: bytes) -> TrainingPolicy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(TrainingPolicyBody, raw)
    return TrainingPolicy(body=body, sha256_b64u=encode_b64u(sha256(raw)), raw=raw)


def read_preset_training_policy() -> TrainingPolicy:
    """Read the policy that ships with the node.

    Raises:
        PolicyInvalidError: The file breaks the rules of a policy.
    """
    preset = resources.files(__package__) / "policies" / f"{TrainingPolicy.PRESET}.json"
    return parse_training_policy(preset.read_bytes())
