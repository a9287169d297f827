"""What bounds the portfolio, as data: shares by dimension, concentration index, loss given default.

Integers only: shares in per mille, loss given default in millionths, the index from 0 to 10,000.
Meaning of each member: docs/formulas.md, concentration.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy import PERMILLE
from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.core.money import AMOUNT_MINOR_MAX
from node.risk.portfolio.rules_concentration import HHI_MAX, Dimension
from protocol.encoding import encode_b64u, sha256
from schemas.wire import WireModel

PPM = 1_000_000
LIMITS_MAX = 50
Key = Annotated[str, Field(min_length=1, max_length=32)]
Keys = Annotated[tuple[Key, ...], Field(max_length=250)]


class ShareLimit(WireModel):
    """What a part of a dimension may be of the whole: all parts, ``only`` some, or ``exempt`` not.

    A customer and a group are named by their numbers.
    """

    dimension: Dimension
    share_permille: Annotated[int, Field(ge=1, le=PERMILLE)]
    only: Keys = ()
    exempt: Keys = ()


class IndexLimit(WireModel):
    """How concentrated a dimension may be."""

    dimension: Dimension
    hhi: Annotated[int, Field(ge=1, le=HHI_MAX)]


class PortfolioPolicyBody(WireModel):
    """The policy file."""

    kind: Literal["portfolio-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """In which all is added up, by dated rates."""
    lgd_ppm: Annotated[int, Field(ge=0, le=PPM)]
    minimum_minor: Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]
    """Below this whole no limit is looked at: of few customers each is large."""
    top: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000)], ...], Field(min_length=1, max_length=10)
    ]
    limits: Annotated[tuple[ShareLimit, ...], Field(max_length=LIMITS_MAX)]
    hhi_limits: Annotated[tuple[IndexLimit, ...], Field(max_length=len(Dimension))]
    review_days: Annotated[int, Field(ge=1, le=3_660)]
    """After so many days a computed entry of the register is looked at by its owner."""

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if any(left >= right for left, right in pairwise(self.top)):
            raise ValueError("the numbers of the largest do not rise")
        if len({one.dimension for one in self.hhi_limits}) != len(self.hhi_limits):
            raise ValueError("a dimension has two limits of its index")
        if any(one.only and one.exempt for one in self.limits):
            raise ValueError("a limit is of some parts, or of all but some")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPolicy:
    """A policy with the name of its bytes."""

    body: PortfolioPolicyBody
    sha256_b64u: str

    PRESET: ClassVar[str] = "portfolio-1"

    @property
    def label(self) -> str:
        """Name it as people do: ``portfolio-1``."""
        return f"{self.body.id}-{self.body.version}"


def parse_portfolio_policy(raw: bytes) -> PortfolioPolicy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(PortfolioPolicyBody, raw)
    return PortfolioPolicy(body=body, sha256_b64u=encode_b64u(sha256(raw)))


def read_preset_portfolio_policy() -> PortfolioPolicy:
    """Read the policy that ships with the node.

    Raises:
        PolicyInvalidError: The file breaks the rules of a policy.
    """
    preset = resources.files(__package__) / "policies" / f"{PortfolioPolicy.PRESET}.json"
    return parse_portfolio_policy(preset.read_bytes())
