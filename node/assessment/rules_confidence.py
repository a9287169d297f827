"""How far a score carries: the policy's first rule that holds, lowered by what is missing or stale.

docs/formulas.md, expert-1 and expert-2. The counts are those of the sources that weigh something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from node.assessment.policy import ConfidenceLevel, ConfidenceRule, PolicyBody
from node.assessment.policy_outside import ConfidenceFigure
from node.assessment.policy_parts import Freshness, Source
from node.assessment.results import USED, Confidence, EvidenceLine
from node.assessment.rules_outside import judge_lines

_SOURCES = tuple(Source)


def judge_confidence(lines: Sequence[EvidenceLine], body: PolicyBody) -> Confidence:
    """Return the confidence of a score that rests on these lines."""
    counted = count_lines(lines)
    sources = {line.source for line in lines if line.code == USED and line.weight_milli > 0}
    rule = next(rule for rule in body.confidence if _holds(rule, counted=counted, sources=sources))
    level, permille = rule.level, None
    if body.outside is not None:
        level, permille = _lower(level, lines, body.outside.confidence)
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
    level: ConfidenceLevel, lines: Sequence[EvidenceLine], rules: ConfidenceFigure
) -> tuple[ConfidenceLevel, int]:
    """Return the level that is left after what is missing or stale, and its figure."""
    begins = {
        ConfidenceLevel.NONE: 0,
        ConfidenceLevel.LOW: rules.low,
        ConfidenceLevel.MEDIUM: rules.medium,
        ConfidenceLevel.HIGH: rules.high,
    }
    lost = sum([rules.find_permille(source, state) for source, state in list_gaps(lines)])
    permille = max(0, begins[level] - lost)
    if permille >= rules.high_from:
        return ConfidenceLevel.HIGH, permille
    is_medium = permille >= rules.medium_from
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
