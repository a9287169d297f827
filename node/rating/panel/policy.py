"""How far models may lie apart, as data: the master scale and where each kind of model lies on it.

Integers only. Meaning of each member: docs/formulas.md, models side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy import SCORE_DECI_MAX
from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.rating.criteria import Symbol
from node.rating.scale import GRADES_MAX
from protocol.encoding import encode_b64u, sha256
from schemas.wire import WireModel

PPM = 1_000_000


class MasterGrade(WireModel):
    """A grade: from this score of the expert card on, and up to this probability of default."""

    grade: Symbol
    from_deci: Annotated[int, Field(ge=0, le=SCORE_DECI_MAX)]
    upto_ppm: Annotated[int, Field(ge=1, le=PPM)]


class GradeSpan(WireModel):
    """The grades that a coarse answer covers, from the best to the worst."""

    best: Symbol
    worst: Symbol


class IndexSpan(GradeSpan):
    """What a payment index from this one on covers."""

    from_deci: Annotated[int, Field(ge=0, le=SCORE_DECI_MAX)]


class ZoneSpans(WireModel):
    """What each of Altman's zones covers."""

    safe: GradeSpan
    grey: GradeSpan
    distress: GradeSpan


class PanelPolicyBody(WireModel):
    """The policy file; grades run from the best."""

    kind: Literal["panel-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    apart_from_ranks: Annotated[int, Field(ge=1, le=GRADES_MAX)]
    grades: Annotated[tuple[MasterGrade, ...], Field(min_length=2, max_length=GRADES_MAX)]
    index: Annotated[tuple[IndexSpan, ...], Field(min_length=1, max_length=GRADES_MAX)]
    zones: ZoneSpans

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        symbols = [one.grade for one in self.grades]
        if len(set(symbols)) != len(symbols):
            raise ValueError("two grades have one symbol")
        _check_falling([one.from_deci for one in self.grades])
        _check_falling([-one.upto_ppm for one in self.grades])
        _check_falling([one.from_deci for one in self.index])
        if self.grades[-1].from_deci or self.grades[-1].upto_ppm != PPM or self.index[-1].from_deci:
            raise ValueError("the last one covers the rest")
        spans = (*self.index, self.zones.safe, self.zones.grey, self.zones.distress)
        for span in spans:
            if not {span.best, span.worst} <= set(symbols):
                raise ValueError("a span names a grade that is not there")
            if symbols.index(span.best) > symbols.index(span.worst):
                raise ValueError("a span begins with the better grade")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPolicy:
    """A policy with the name of its bytes."""

    body: PanelPolicyBody
    sha256_b64u: str

    PRESET: ClassVar[str] = "panel-1"

    @property
    def label(self) -> str:
        """Name it as people do: ``panel-1``."""
        return f"{self.body.id}-{self.body.version}"


def parse_panel_policy(raw: bytes) -> PanelPolicy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(PanelPolicyBody, raw)
    return PanelPolicy(body=body, sha256_b64u=encode_b64u(sha256(raw)))


def read_preset_panel_policy() -> PanelPolicy:
    """Read the policy that ships with the node.

    Raises:
        PolicyInvalidError: The file breaks the rules of a policy.
    """
    preset = resources.files(__package__) / "policies" / f"{PanelPolicy.PRESET}.json"
    return parse_panel_policy(preset.read_bytes())


def _check_falling(values: list[int]) -> None:
    if any(left <= right for left, right in pairwise(values)):
        raise ValueError("the grades do not fall")
