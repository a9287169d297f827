"""The scorecard as data: a versioned policy file, read strictly and named by its hash.

A policy is approved as bytes: its SHA-256 is part of every result, so that two versions can stand
side by side and an old result still says what it was worked out with. Everything is an integer; a
share is in per mille, a point in tenths. Meaning of each member: docs/formulas.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from node.assessment.engine_texts import ENGINE_TEXTS
from node.assessment.policy_file import (
    Identifier,
    Language,
    LocalText,
    UnknownTextError,
    parse_strictly,
)
from node.assessment.policy_outside import OutsideRules, list_outside_codes
from node.assessment.policy_parts import (
    PERMILLE,
    SCORE_DECI_MAX,
    STEPS_MAX,
    Count,
    Freshness,
    Permille,
    Source,
    Step,
    Steps,
    check_ascending,
    check_falling,
    check_named,
    choose_step,
)
from protocol.encoding import encode_b64u, sha256
from schemas.summary import DelayClass, Disputes, Lateness, OverdueNow, Relation, Volume
from schemas.wire import WireModel

__all__ = [
    "PERMILLE",
    "SCORE_DECI_MAX",
    "Band",
    "BandValues",
    "Combine",
    "ConfidenceLevel",
    "ConfidenceRule",
    "EvidenceValue",
    "Factor",
    "Freshness",
    "Policy",
    "PolicyBody",
    "PolicyReference",
    "Source",
    "Step",
    "choose_step",
    "parse_policy",
    "read_preset_policies",
    "read_preset_policy",
]

FACTORS_MAX = 64


class Band(StrEnum):
    """How a factor came out, by the share of its points that was reached."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    UNKNOWN = "unknown"


class Combine(StrEnum):
    """How several sources make one value: their weighted mean, or the largest."""

    MEAN = "mean"
    MAX = "max"


class EvidenceValue(StrEnum):
    """The figures that evidence offers; each is a field of ``node.assessment.evidence.Figures``."""

    INDEX_DECI = "index_deci"
    DBT_DECI = "dbt_deci"
    LATE_PERMILLE = "late_permille"
    UNPAID_PERMILLE = "unpaid_permille"
    WORST_RANK = "worst_rank"
    OVERDUE_DAYS = "overdue_days"
    TREND_DECI = "trend_deci"
    RELATION_MONTHS = "relation_months"
    DISPUTED_PERMILLE = "disputed_permille"
    ADVERSE_RANK = "adverse_rank"
    CURRENT_RATIO_CENTI = "current_ratio_centi"
    DEBT_PERMILLE = "debt_permille"
    MARGIN_PERMILLE = "margin_permille"
    ALTMAN_CENTI = "altman_centi"
    FINANCE_TREND_DECI = "finance_trend_deci"
    REPORT_PERMILLE = "report_permille"
    LIST_RANK = "list_rank"


class ConfidenceLevel(StrEnum):
    """How far a score carries; ``none`` belongs to a missing score only."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


ENGINE_CODES = (
    "confidence.no-data",
    "change.peers-better",
    "change.peers-worse",
    "change.peers-only",
    "change.more-evidence",
    "change.peers-agree",
    "change.no-peer-evidence",
    "change.prior-only",
    "left-out.later",
    "left-out.stale",
    "left-out.superseded",
    "left-out.empty",
    "used",
)


class PointStep(WireModel):
    """At ``at``, a factor earns ``points_deci``."""

    at: Annotated[int, Field(ge=-100_000, le=100_000)]
    points_deci: Annotated[int, Field(ge=0, le=SCORE_DECI_MAX)]


class BandTexts(WireModel):
    """One reason text a band."""

    good: LocalText
    fair: LocalText
    poor: LocalText
    unknown: LocalText


class Factor(WireModel):
    """One line of the scorecard: a figure, how sources make one value of it, what it earns.

    ``group`` is named in a policy that has groups.
    """

    id: Identifier
    group: Identifier | None = None
    reads: EvidenceValue
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=2)]
    combine: Combine
    prior: Annotated[int, Field(ge=-100_000, le=100_000)]
    interpolate: bool
    points_max_deci: Annotated[int, Field(ge=1, le=SCORE_DECI_MAX)]
    steps: Annotated[tuple[PointStep, ...], Field(min_length=2, max_length=STEPS_MAX)]
    names: LocalText
    texts: BandTexts

    @property
    def is_higher_better(self) -> bool:
        """Whether a larger value earns more."""
        return self.steps[-1].points_deci > self.steps[0].points_deci

    @model_validator(mode="after")
    def _check_steps(self) -> Self:
        if len(set(self.sources)) != len(self.sources):
            raise ValueError("a source is named twice")
        check_ascending([step.at for step in self.steps])
        points = [step.points_deci for step in self.steps]
        if points not in (sorted(points), sorted(points, reverse=True)):
            raise ValueError("the points neither rise nor fall all along")
        if max(points) != self.points_max_deci or min(points) != 0:
            raise ValueError("the points run from 0 to points_max_deci")
        return self


class OwnRules(WireModel):
    """What own records weigh, in invoices."""

    invoices_cap: Annotated[int, Field(ge=1, le=1000)]
    age_permille: Steps

    @model_validator(mode="after")
    def _check_age(self) -> Self:
        check_falling(self.age_permille)
        return self


class DisclosureWorth(WireModel):
    """What is left of a summary's weight by how much it was let tell."""

    class_only: Permille
    index_only: Permille
    mix: Permille
    full: Permille

    @model_validator(mode="after")
    def _check_rising(self) -> Self:
        worth = [self.class_only, self.index_only, self.mix, self.full]
        if worth != sorted(worth):
            raise ValueError("what tells more weighs no less")
        return self


class PeerCap(WireModel):
    """The largest share of one contributor, from so many contributors on."""

    contributors_min: Annotated[int, Field(ge=2, le=100)]
    share_max_permille: Annotated[int, Field(ge=10, le=PERMILLE)]
    counts_from_invoices: Annotated[int, Field(ge=0, le=1000)]

    @model_validator(mode="after")
    def _check_possible(self) -> Self:
        if self.contributors_min * self.share_max_permille < PERMILLE:
            raise ValueError("so few contributors cannot keep to so small a share")
        return self


class PeerRules(WireModel):
    """What peers' summaries weigh, in own invoices, and at most beside so many of our own.

    A policy without ``disclosure`` or ``cap`` weighs all tiers alike, or caps no contributor.
    """

    invoices_cap: Annotated[int, Field(ge=1, le=1000)]
    worth_permille: Permille
    age_permille: Steps
    weight_max_invoices: Steps
    disclosure: DisclosureWorth | None = None
    cap: PeerCap | None = None

    @model_validator(mode="after")
    def _check_tables(self) -> Self:
        check_falling(self.age_permille)
        check_falling(self.weight_max_invoices)
        return self


class LatenessValues(WireModel):
    """What a class-only answer stands for."""

    invoices: Annotated[int, Field(ge=1, le=4)]
    index_deci: Annotated[int, Field(ge=0, le=1000)]
    dbt_deci: Annotated[int, Field(ge=0, le=36_500)]
    late_permille: Permille
    unpaid_permille: Permille
    worst: DelayClass


class BandValues(WireModel):
    """The one number that stands for each coarse band: mid-points, cautious at the open ends."""

    invoices: dict[str, Count]
    invoices_unstated: Count
    relation_months: dict[str, Count]
    overdue_days: dict[str, Count]
    disputed_permille: dict[str, Permille]
    lateness: dict[str, LatenessValues]

    @model_validator(mode="after")
    def _check_bands(self) -> Self:
        rising = (
            (self.invoices, Volume, "n_invoices"),
            (self.relation_months, Relation, "years"),
            (self.overdue_days, OverdueNow, "oldest"),
            (self.disputed_permille, Disputes, "share"),
        )
        for values, model, member in rising:
            bands = _list_bands(model, member)
            check_named(values, bands)
            check_ascending([values[band] for band in bands])
        check_named(self.lateness, _list_bands(Lateness, "seen"))
        return self


class ConfidenceRule(WireModel):
    """The first rule whose conditions all hold gives level and reason."""

    level: ConfidenceLevel
    code: Identifier
    own_invoices_min: Count = 0
    peers_min: Count = 0
    invoices_min: Count = 0
    age_days_max: Count | None = None
    sources: Annotated[tuple[Source, ...], Field(max_length=len(Source))] = ()

    @property
    def is_catch_all(self) -> bool:
        """Whether every case meets it."""
        mins = (self.own_invoices_min, self.peers_min, self.invoices_min)
        return not any(mins) and self.age_days_max is None and not self.sources


class PolicyBody(WireModel):
    """The policy file."""

    kind: Literal["assessment-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    formula: Literal["pbs-1"]
    names: LocalText
    minimum_invoices: Annotated[int, Field(ge=1, le=1000)]
    prior_invoices: Annotated[int, Field(ge=1, le=1000)]
    reasons_max: Annotated[int, Field(ge=1, le=FACTORS_MAX)]
    good_from_permille: Permille
    fair_from_permille: Permille
    own: OwnRules
    peers: PeerRules
    bands: BandValues
    confidence: Annotated[tuple[ConfidenceRule, ...], Field(min_length=1, max_length=STEPS_MAX)]
    factors: Annotated[tuple[Factor, ...], Field(min_length=1, max_length=FACTORS_MAX)]
    outside: OutsideRules | None = None
    texts: Annotated[dict[str, LocalText], Field(max_length=256)]

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        self._check_groups()
        if sum(factor.points_max_deci for factor in self.factors) != SCORE_DECI_MAX:
            raise ValueError("the factors' points add up to 100.0")
        if len({factor.id for factor in self.factors}) != len(self.factors):
            raise ValueError("two factors have one id")
        if any(rule.level is ConfidenceLevel.NONE for rule in self.confidence):
            raise ValueError("confidence none is kept for a missing score")
        if not self.confidence[-1].is_catch_all:
            raise ValueError("the last confidence rule holds for every case")
        codes = {*ENGINE_CODES, *(f"confidence.{rule.code}" for rule in self.confidence)}
        if self.outside is not None:
            codes |= set(list_outside_codes(self.outside))
        check_named(self.texts, sorted(codes))
        return self

    def _check_groups(self) -> None:
        named = {factor.group for factor in self.factors}
        known = {group.id for group in self.outside.groups} if self.outside else {None}
        if named != known:
            raise ValueError("each factor names a group, and each group has a factor")
        sources = {source for factor in self.factors for source in factor.sources}
        sources |= {source for rule in self.confidence for source in rule.sources}
        if self.outside is None and not sources <= {Source.OWN, Source.PEERS}:
            raise ValueError("a source without rules for it")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReference:
    """The name of the exact bytes a result was worked out with."""

    policy_id: str
    version: int
    sha256_b64u: str

    @property
    def label(self) -> str:
        """Name it as people do: ``expert-1``."""
        return f"{self.policy_id}-{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy with the name of its bytes."""

    body: PolicyBody
    reference: PolicyReference

    PRESET: ClassVar[str] = "expert-2"
    FORMER: ClassVar[tuple[str, ...]] = ("expert-1",)

    def find_factor(self, factor_id: str) -> Factor | None:
        """Find a factor by its id."""
        return next((factor for factor in self.body.factors if factor.id == factor_id), None)

    def describe(self, code: str, language: Language) -> str:
        """Put a code into words: ``dbt``, ``dbt.poor``, ``confidence.own-only`` and the like.

        Raises:
            UnknownTextError: The policy has no such code.
        """
        text = self.body.texts.get(code) or ENGINE_TEXTS.get(code)
        if text is not None:
            return text.render(language)
        factor_id, point, band = code.partition(".")
        factor = self.find_factor(factor_id)
        if factor is not None and not point:
            return factor.names.render(language)
        if factor is not None and band in BandTexts.model_fields:
            text = getattr(factor.texts, band)
            return str(text.render(language))
        raise UnknownTextError(f"{self.reference.label} has no text for {code}")


def parse_policy(raw: bytes) -> Policy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(PolicyBody, raw)
    reference = PolicyReference(
        policy_id=body.id, version=body.version, sha256_b64u=encode_b64u(sha256(raw))
    )
    return Policy(body=body, reference=reference)


def read_preset_policy(label: str = Policy.PRESET) -> Policy:
    """Read a policy that ships with the node: the one of today, or an earlier one by its name.

    Raises:
        PolicyInvalidError: The file breaks the rules of a policy.
    """
    preset = resources.files(__package__) / "policies" / f"{label}.json"
    return parse_policy(preset.read_bytes())


def read_preset_policies() -> tuple[Policy, ...]:
    """Read the earlier policies that shipped, which put old results into words.

    Raises:
        PolicyInvalidError: A file breaks the rules of a policy.
    """
    return tuple(read_preset_policy(label) for label in Policy.FORMER)


def _list_bands(model: type[WireModel], member: str) -> tuple[str, ...]:
    return get_args(model.model_fields[member].annotation)
