"""How far a score carries: the policy's first rule that holds, lowered by what is missing or stale.

docs/formulas.md, expert-1 and expert-2. The counts are those of the sources that weigh something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from node.assessment.policy import ConfidenceLevel, ConfidenceRule
from node.assessment.policy_outside import ConfidenceFigure
from node.assessment.policy_parts import Freshness, Source
from node.assessment.results import USED, Confidence, EvidenceLine
from node.assessment.rules_outside import judge_lines

_SOURCES = tuple(Source)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyConfidence:
    """Where each level begins, what each gap takes off, and which level is left of what."""

    begins: Mapping[ConfidenceLevel, int]
    lost: Mapping[tuple[Source, Freshness], int]
    medium_from: int
    high_from: int


def build_confidence(rules: ConfidenceFigure) -> ReadyConfidence:
    """Make the figures of a policy ready: a gap that it does not name takes nothing off."""
    return ReadyConfidence(
        begins={
            ConfidenceLevel.NONE: 0,
            ConfidenceLevel.LOW: rules.low,
            ConfidenceLevel.MEDIUM: rules.medium,
            ConfidenceLevel.HIGH: rules.high,
        },
        lost={(gap.source, gap.freshness): gap.permille for gap in rules.gaps},
        medium_from=rules.medium_from,
        high_from=rules.high_from,
    )


def judge_confidence(
    lines: Sequence[EvidenceLine], rules: Sequence[ConfidenceRule], ready: ReadyConfidence | None
) -> Confidence:
    """Return the confidence of a score that rests on these lines.

    ``ready`` lowers it by what is missing or stale; None for a policy that has no figures for that.
    """
    counted = count_lines(lines)
    sources = {line.source for line in lines if line.code == USED and line.weight_milli > 0}
    rule = next(rule for rule in rules if _holds(rule, counted=counted, sources=sources))
    level, permille = rule.level, None
    if ready is not None:
        level, permille = _lower(level, lines, ready)
    return Confidence(
        level=level,
        code=f"confidence.{rule.code}",
        own_invoices=counted.own_invoices,
        peers=counted.peers,
        invoices=counted.invoices,
        age_days=counted.age_days,
        permille=permille,
    )


def count_lines(lines: Sequence[EvidenceLine]) -> Confidence:
    """Return the counts alone: they need no columns of their own in the store."""
    own_invoices, peers, invoices = 0, 0, 0
    age_days: int | None = None
    for line in lines:
        if line.code != USED or line.weight_milli <= 0 or not line.is_behaviour:
            continue
        invoices += line.invoices or 0
        if line.source is Source.OWN:
            own_invoices += line.invoices or 0
        else:
            peers += 1
        if line.age_days is not None:
            age_days = line.age_days if age_days is None else min(age_days, line.age_days)
    return Confidence(
        level=ConfidenceLevel.NONE,
        code="confidence.no-data",
        own_invoices=own_invoices,
        peers=peers,
        invoices=invoices,
        age_days=age_days,
    )


def list_gaps(lines: Sequence[EvidenceLine]) -> tuple[tuple[Source, Freshness], ...]:
    """Return the sources that are missing or stale, in the order of the sources."""
    found: dict[Source, list[EvidenceLine]] = {source: [] for source in _SOURCES}
    for line in lines:
        found[line.source].append(line)
    states = [(source, judge_lines(held, source)) for source, held in found.items()]
    return tuple([one for one in states if one[1] is not Freshness.FRESH])


def say_missing(confidence: Confidence) -> Confidence:
    """Return the confidence of a score that there is not."""
    return replace(confidence, level=ConfidenceLevel.NONE, code="confidence.no-data", permille=None)


def _lower(
    level: ConfidenceLevel, lines: Sequence[EvidenceLine], ready: ReadyConfidence
) -> tuple[ConfidenceLevel, int]:
    """Return the level that is left after what is missing or stale, and its figure."""
    lost = sum([ready.lost.get(gap, 0) for gap in list_gaps(lines)])
    permille = max(0, ready.begins[level] - lost)
    if permille >= ready.high_from:
        return ConfidenceLevel.HIGH, permille
    is_medium = permille >= ready.medium_from
    return ConfidenceLevel.MEDIUM if is_medium else ConfidenceLevel.LOW, permille


def _holds(rule: ConfidenceRule, *, counted: Confidence, sources: set[Source]) -> bool:
    enough = (
        counted.own_invoices >= rule.own_invoices_min
        and counted.peers >= rule.peers_min
        and counted.invoices >= rule.invoices_min
        and sources.issuperset(rule.sources)
    )
    if rule.age_days_max is None:
        return enough
    age_days = counted.age_days
    return enough and age_days is not None and age_days <= rule.age_days_max
