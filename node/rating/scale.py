"""A rating scale as data: grades with their lowest score, how long each holds, what a default is.

A scale is named by the hash of its bytes, as a policy is, so that an old rating says by which
scale it was given. D has no score: only a default event leads there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy import SCORE_DECI_MAX
from node.assessment.policy_file import (
    Identifier,
    Language,
    LocalText,
    UnknownTextError,
    parse_strictly,
)
from node.rating.criteria import (
    INCIDENT_FACTS,
    AdverseKind,
    Cap,
    Caps,
    Symbol,
    Trigger,
    Triggers,
)
from protocol.encoding import encode_b64u, sha256
from schemas.wire import WireModel

GRADES_MAX = 32
VALID_MONTHS_MAX = 60
DAYS_MAX = 366
PPM = 1_000_000

Kinds = Annotated[tuple[AdverseKind, ...], Field(max_length=4)]
Months = Annotated[int, Field(ge=1, le=VALID_MONTHS_MAX)]
Days = Annotated[int, Field(ge=0, le=DAYS_MAX)]
Ppm = Annotated[int, Field(ge=1, le=PPM)]


class GradeStep(WireModel):
    """A grade holds from this score on, and for so long; ``pd_ppm`` is its place on the scale."""

    grade: Symbol
    from_deci: Annotated[int, Field(ge=0, le=SCORE_DECI_MAX)]
    valid_months: Months
    review_lead_days: Days
    pd_ppm: Ppm | None = None
    names: LocalText


class DefaultGrade(WireModel):
    """The grade of a default, and the open events that are one: of ours, and as told by a peer."""

    grade: Symbol
    valid_months: Months
    review_lead_days: Days
    own_events: Kinds
    peer_events: Kinds
    pd_ppm: Ppm | None = None
    names: LocalText


class MissingGrade(WireModel):
    """What is shown without a score, and when to look again."""

    grade: Symbol
    review_days: Annotated[int, Field(ge=1, le=DAYS_MAX)]
    names: LocalText


class NewCustomer(WireModel):
    """A customer we have known for less than this is looked at again sooner."""

    relation_months_below: Annotated[int, Field(ge=0, le=120)]
    valid_days_max: Annotated[int, Field(ge=1, le=DAYS_MAX)]


class PdBasis(StrEnum):
    """What the probabilities of default of a master scale rest on."""

    PLACEHOLDER = "placeholder"  # not calibrated: a common published set, of nobody's defaults
    CALIBRATED = "calibrated"


class ScaleBody(WireModel):
    """The scale file; the grades run from the best down to one that starts at 0.

    A master scale says of every grade how probable a default within twelve months is, and on what
    that rests; caps and triggers say what lowers the grade of a score. The members are absent where
    there is none: bytes of before have their hash.
    """

    kind: Literal["rating-scale"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    pd_basis: PdBasis | None = None
    grades: Annotated[tuple[GradeStep, ...], Field(min_length=2, max_length=GRADES_MAX)]
    default: DefaultGrade
    missing: MissingGrade
    new_customer: NewCustomer
    caps: Caps | None = None
    triggers: Triggers | None = None

    @property
    def criteria(self) -> tuple[Cap | Trigger, ...]:
        """Caps and triggers in the order in which they apply."""
        return (*(self.caps or ()), *(self.triggers or ()))

    @property
    def reads_incidents(self) -> bool:
        """Whether a criterion asks for dishonoured bills or broken promises."""
        return any(one.when.fact in INCIDENT_FACTS for one in self.criteria)

    @model_validator(mode="after")
    def _check_grades(self) -> Self:
        symbols = [step.grade for step in self.grades]
        if len({*symbols, self.default.grade, self.missing.grade}) != len(symbols) + 2:
            raise ValueError("two grades have one symbol")
        if any(left.from_deci <= right.from_deci for left, right in pairwise(self.grades)):
            raise ValueError("the lowest scores do not fall")
        if self.grades[-1].from_deci != 0:
            raise ValueError("the last grade starts at 0")
        return self

    @model_validator(mode="after")
    def _check_probabilities(self) -> Self:
        given = [*(step.pd_ppm for step in self.grades), self.default.pd_ppm]
        rising = [pd_ppm for pd_ppm in given if pd_ppm is not None]
        if rising and (len(rising) != len(given) or self.pd_basis is None):
            raise ValueError("every grade has a probability of default, and pd_basis, or none has")
        if not rising and self.pd_basis is not None:
            raise ValueError("pd_basis says on what probabilities rest, and there are none")
        if any(left >= right for left, right in pairwise(rising)):
            raise ValueError("the probabilities of default do not rise")
        return self

    @model_validator(mode="after")
    def _check_criteria(self) -> Self:
        ids = [one.id for one in self.criteria]
        if len(set(ids)) != len(ids):
            raise ValueError("two criteria have one id")
        symbols = {step.grade for step in self.grades}
        named = [one.best if isinstance(one, Cap) else one.at_most for one in self.criteria]
        if any(one is not None and one not in symbols for one in named):
            raise ValueError("a criterion leads to a grade of a score, and to no other")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleReference:
    """The name of the exact bytes a grade was given by."""

    scale_id: str
    version: int
    sha256_b64u: str

    @property
    def label(self) -> str:
        """Name it as people do: ``gbt22116-1``."""
        return f"{self.scale_id}-{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A scale with the name of its bytes."""

    body: ScaleBody
    reference: ScaleReference

    PRESET: ClassVar[str] = "gbt22116-2"

    def describe(self, code: str, language: Language) -> str:
        """Put a grade into words.

        Raises:
            UnknownTextError: The scale has no such grade.
        """
        body = self.body
        names = {step.grade: step.names for step in body.grades}
        names[body.default.grade] = body.default.names
        names[body.missing.grade] = body.missing.names
        if (text := names.get(code)) is not None:
            return text.render(language)
        raise UnknownTextError(f"{self.reference.label} has no grade {code}")

    def describe_criterion(self, criterion_id: str, language: Language) -> str:
        """Put a cap or a trigger into words.

        Raises:
            UnknownTextError: The scale has none of this id.
        """
        for one in self.body.criteria:
            if one.id == criterion_id:
                return one.names.render(language)
        raise UnknownTextError(f"{self.reference.label} has no criterion {criterion_id}")


def parse_scale(raw: bytes) -> Scale:
    """Read a scale file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(ScaleBody, raw)
    reference = ScaleReference(
        scale_id=body.id, version=body.version, sha256_b64u=encode_b64u(sha256(raw))
    )
    return Scale(body=body, reference=reference)


def read_preset_scale(name: str = Scale.PRESET) -> Scale:
    """Read a scale that ships with the node, by the name of its file.

    Raises:
        PolicyInvalidError: The file breaks the rules of a scale.
    """
    return parse_scale(read_preset_bytes(name))


def read_preset_bytes(name: str) -> bytes:
    """Return the exact bytes of a scale that ships."""
    return (resources.files(__package__) / "scales" / f"{name}.json").read_bytes()
