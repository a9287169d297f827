"""What a policy says of evidence from outside: groups of factors, scales, lists, confidence.

A policy of version 1 of the format has none of it: it scores own records and peers alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from node.assessment.policy_file import Identifier, LocalText
from node.assessment.policy_parts import (
    STEPS_MAX,
    Days,
    Freshness,
    Permille,
    Source,
    Steps,
    check_ascending,
    check_falling,
    check_named,
)
from schemas.wire import WireModel

GROUPS_MAX = 8
SCALES_MAX = 64
GRADES_MAX = 64
ANY_AGENCY = "any"
OUTSIDE_SOURCES = (Source.STATEMENTS, Source.REPORTS, Source.LISTS, Source.APPLICATION)
NO_EVIDENCE = "spread.no-evidence"


class PublicList(StrEnum):
    """The public lists that are looked into."""

    DISHONEST_DEBTOR = "dishonest-debtor"
    TAX_ARREARS = "tax-arrears"
    ABNORMAL_OPERATIONS = "abnormal-operations"
    SERIOUS_VIOLATIONS = "serious-violations"
    SANCTIONS = "sanctions"


class Group(WireModel):
    """Factors that live on the same evidence; without any, their points go to the other groups.

    ``prior_milli`` stands beside the evidence, in thousandths of its weight. A group that cannot
    stand alone gives no score by itself, unless it holds a fact against the customer.
    """

    id: Identifier
    names: LocalText
    prior_milli: Annotated[int, Field(ge=0, le=1_000_000)]
    stands_alone: bool


class ScaleStep(WireModel):
    """At ``at`` of the agency's scale, the common figure is ``value`` (0 worst, 1000 best)."""

    at: Annotated[int, Field(ge=-10_000, le=10_000)]
    value: Permille


class Scale(WireModel):
    """How what an agency prints is read: a number by steps, or a grade by its name."""

    agency: Annotated[str, Field(min_length=1, max_length=64)]
    scale: Identifier
    worth_permille: Permille
    steps: Annotated[tuple[ScaleStep, ...], Field(max_length=STEPS_MAX)] = ()
    grades: Annotated[dict[str, Permille], Field(max_length=GRADES_MAX)] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _check_reading(self) -> Self:
        if bool(self.steps) == bool(self.grades):
            raise ValueError("a scale has steps or grades")
        check_ascending([step.at for step in self.steps])
        values = [step.value for step in self.steps]
        if values not in (sorted(values), sorted(values, reverse=True)):
            raise ValueError("the values neither rise nor fall all along")
        return self


class StatementRules(WireModel):
    """Statements bring age and weight with them; a group of theirs is stale with its newest."""

    stale_days: Days


class ReportRules(WireModel):
    """How long a report counts that names no end, what it weighs by age, and which scales."""

    valid_days: Days
    stale_days: Days
    age_permille: Steps
    scales: Annotated[tuple[Scale, ...], Field(max_length=SCALES_MAX)]

    @model_validator(mode="after")
    def _check_scales(self) -> Self:
        check_falling(self.age_permille)
        if len({(one.agency, one.scale) for one in self.scales}) != len(self.scales):
            raise ValueError("two scales have one agency and name")
        return self

    def find_scale(self, *, agency: str, scale: str) -> Scale | None:
        """Return how an agency's scale is read: its own row, or that of any agency."""
        rows = {(one.agency, one.scale): one for one in self.scales}
        return rows.get((agency, scale)) or rows.get((ANY_AGENCY, scale))


class ListRules(WireModel):
    """Which lists are to be looked into, how bad an entry is, and how long it counts after."""

    expected: Annotated[tuple[PublicList, ...], Field(min_length=1)]
    ranks: dict[PublicList, Annotated[int, Field(ge=1, le=10)]]
    removed_rank: Annotated[int, Field(ge=0, le=10)]
    removed_days: Days
    stale_days: Days

    @model_validator(mode="after")
    def _check_lists(self) -> Self:
        check_named({one.value: rank for one, rank in self.ranks.items()}, list(PublicList))
        if len(set(self.expected)) != len(self.expected):
            raise ValueError("a list is named twice")
        return self


class ApplicationRules(WireModel):
    """How long an application is fresh."""

    stale_days: Days


class Gap(WireModel):
    """What is taken off the confidence where a source is stale or missing."""

    source: Source
    freshness: Freshness
    permille: Permille


class ConfidenceFigure(WireModel):
    """The confidence as a figure: where a level begins, what is taken off, which level is left."""

    low: Permille
    medium: Permille
    high: Permille
    medium_from: Permille
    high_from: Permille
    gaps: Annotated[tuple[Gap, ...], Field(min_length=1, max_length=2 * len(Source))]

    @model_validator(mode="after")
    def _check_levels(self) -> Self:
        check_ascending([self.low, self.medium_from, self.medium, self.high_from, self.high])
        named = [(gap.source, gap.freshness) for gap in self.gaps]
        if len(set(named)) != len(named) or any(one[1] is Freshness.FRESH for one in named):
            raise ValueError("a gap is stale or missing, and named once")
        for source in OUTSIDE_SOURCES:
            if not {(source, Freshness.STALE), (source, Freshness.MISSING)} <= set(named):
                raise ValueError(f"stale and missing {source} lower the confidence")
        return self

    def find_permille(self, source: Source, freshness: Freshness) -> int:
        """Return what a gap takes off; 0 where the policy takes nothing."""
        for gap in self.gaps:
            if (gap.source, gap.freshness) == (source, freshness):
                return gap.permille
        return 0


class OutsideRules(WireModel):
    """Everything about evidence that is neither our own nor a peer's."""

    groups: Annotated[tuple[Group, ...], Field(min_length=1, max_length=GROUPS_MAX)]
    statements: StatementRules
    reports: ReportRules
    lists: ListRules
    application: ApplicationRules
    own_stale_days: Days
    peers_stale_days: Days
    confidence: ConfidenceFigure

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        if len({group.id for group in self.groups}) != len(self.groups):
            raise ValueError("two groups have one id")
        if not any(group.stands_alone for group in self.groups):
            raise ValueError("no group gives a score by itself")
        return self


def list_outside_codes(rules: OutsideRules) -> list[str]:
    """Return the codes for which a policy with outside evidence has words."""
    gaps = [f"gap.{gap.source}.{gap.freshness}" for gap in rules.confidence.gaps]
    return [*gaps, *(f"group.{group.id}" for group in rules.groups), *_ENGINE_CODES]


_ENGINE_CODES = (
    NO_EVIDENCE,
    "change.spread",
    "change.unchanged",
    "missing",
    "noted",
    "left-out.report-expired",
    "left-out.unknown-scale",
    "left-out.report-unreadable",
    "left-out.too-old",
)
