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
from node.assessment.rules_outside import judge_source


def judge_confidence(lines: Sequence[EvidenceLine], body: PolicyBody) -> Confidence:
    """Return the confidence of a score that rests on these lines."""
    counted = count_lines(lines)
    sources = {line.source for line in lines if line.code == USED and line.weight_milli > 0}
    rule = next(
        rule
        for rule in body.confidence
        if rule.is_catch_all or _holds(rule, counted=counted, sources=sources)
    )
    judged = replace(counted, level=rule.level, code=f"confidence.{rule.code}")
    if body.outside is None:
        return judged
    return _lower(judged, lines, body.outside.confidence)


def count_lines(lines: Sequence[EvidenceLine]) -> Confidence:
    """Return the counts alone: they need no columns of their own in the store."""
    counted = [
        line for line in lines if line.is_behaviour and line.code == USED and line.weight_milli > 0
    ]
    ages = [line.age_days for line in counted if line.age_days is not None]
    return Confidence(
        level=ConfidenceLevel.NONE,
        code="confidence.no-data",
        own_invoices=sum(line.invoices or 0 for line in counted if line.source is Source.OWN),
        peers=sum(1 for line in counted if line.source is Source.PEERS),
        invoices=sum(line.invoices or 0 for line in counted),
        age_days=min(ages, default=None),
    )


def list_gaps(lines: Sequence[EvidenceLine]) -> tuple[tuple[Source, Freshness], ...]:
    """Return the sources that are missing or stale, in the order of the sources."""
    found = [(source, judge_source(lines, source)) for source in Source]
    return tuple((source, state) for source, state in found if state is not Freshness.FRESH)


def say_missing(confidence: Confidence) -> Confidence:
    """Return the confidence of a score that there is not."""
    return replace(confidence, level=ConfidenceLevel.NONE, code="confidence.no-data", permille=None)


def _lower(
    judged: Confidence, lines: Sequence[EvidenceLine], rules: ConfidenceFigure
) -> Confidence:
    begins = {
        ConfidenceLevel.NONE: 0,
        ConfidenceLevel.LOW: rules.low,
        ConfidenceLevel.MEDIUM: rules.medium,
        ConfidenceLevel.HIGH: rules.high,
    }
    lost = sum(rules.find_permille(source, state) for source, state in list_gaps(lines))
    permille = max(0, begins[judged.level] - lost)
    if permille >= rules.high_from:
        level = ConfidenceLevel.HIGH
    else:
        is_medium = permille >= rules.medium_from
        level = ConfidenceLevel.MEDIUM if is_medium else ConfidenceLevel.LOW
    return replace(judged, level=level, permille=permille)


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
