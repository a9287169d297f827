"""What a scored customer is graded: both grades, what lowered them, defaults, how long they hold.

The one function of a single rating, a run and a preview.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from node.assessment.evidence import OwnEvidence, PeerEvidence
from node.assessment.outside_evidence import OutsideEvidence
from node.assessment.policy import ConfidenceLevel
from node.assessment.policy_parts import Source
from node.assessment.results import USED, Assessment
from node.rating.criteria import Fact
from node.rating.rules_criteria import Applied, Facts, apply_criteria
from node.rating.rules_grade import (
    MONTHS_PER_YEAR,
    Grade,
    Validity,
    add_months,
    get_validity,
    grade,
    list_default_events,
)
from node.rating.scale import ScaleBody
from node.records.incidents import NO_INCIDENTS, Incidents


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingEvidence:
    """What a grade reads beside the score; ``peers`` are those that were used."""

    own: OwnEvidence | None
    peers: Sequence[PeerEvidence]
    outside: OutsideEvidence
    incidents: Incidents = NO_INCIDENTS

    @property
    def without_peers(self) -> GradingEvidence:
        """The evidence for the grade from own records alone."""
        if not self.peers:
            return self
        return GradingEvidence(
            own=self.own, peers=(), outside=self.outside, incidents=self.incidents
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A score in tenths of a point and what it rests on."""

    score_deci: int | None
    confidence: ConfidenceLevel
    sources: frozenset[Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One grade, the facts that are a default, and the criteria that held."""

    grade: Grade
    default_events: tuple[str, ...]
    applied: Applied


class Grades(NamedTuple):
    """The grades of a customer from own records and with peers; the latter decides how long.

    A plain tuple, since it goes from process to process. What lowered them is None by a scale that
    has no criteria.
    """

    own: str
    with_peers: str
    default_events: tuple[str, ...]
    validity: Validity
    own_applied: Applied | None
    with_peers_applied: Applied | None


def read_scored(assessment: Assessment) -> Scored:
    """Return what grading reads of an assessment."""
    return Scored(
        score_deci=assessment.score_deci,
        confidence=assessment.confidence.level,
        sources=frozenset(
            line.source
            for line in assessment.evidence
            if line.code == USED and line.weight_milli > 0
        ),
    )


def grade_customer(
    evidence: GradingEvidence, *, own: Scored, with_peers: Scored, scale: ScaleBody, as_of: date
) -> Grades:
    """Grade both scores of a customer."""
    alone = grade_one(evidence.without_peers, own, scale=scale, as_of=as_of)
    # Whom no peer has told of has one score and one grade.
    is_one = with_peers is own and not evidence.peers
    counted = alone if is_one else grade_one(evidence, with_peers, scale=scale, as_of=as_of)
    return Grades(
        own=alone.grade.symbol,
        with_peers=counted.grade.symbol,
        default_events=counted.default_events,
        validity=get_validity(
            counted.grade,
            scale=scale,
            as_of=as_of,
            relation_months=evidence.own.figures.relation_months if evidence.own else None,
        ),
        own_applied=alone.applied if scale.criteria else None,
        with_peers_applied=counted.applied if scale.criteria else None,
    )


def grade_one(
    evidence: GradingEvidence, scored: Scored, *, scale: ScaleBody, as_of: date
) -> Graded:
    """Grade one score: by its cuts, then by caps and triggers; a default event wins over all."""
    own = evidence.own.open_adverse if evidence.own else ()
    peers = tuple([kind for peer in evidence.peers for kind in peer.open_adverse])
    events = list_default_events(scale, own=own, peers=peers)
    given = grade(score_deci=scored.score_deci, scale=scale, default_event=bool(events))
    if not scale.criteria:  # Then nothing reads any fact.
        applied = Applied(score_grade=given.symbol, marks=())
        return Graded(grade=given, default_events=events, applied=applied)
    lowered, applied = apply_criteria(given, read_facts(evidence, scored, as_of=as_of), scale)
    return Graded(grade=lowered, default_events=events, applied=applied)


def read_facts(evidence: GradingEvidence, scored: Scored, *, as_of: date) -> Facts:
    """Return the facts that criteria read."""
    own, statements = evidence.own, evidence.outside.statements
    return Facts(
        numbers={
            Fact.OWN_INVOICES: own.invoices if own else 0,
            Fact.STATEMENT_MONTHS: _count_months(statements.year_end, as_of)
            if statements
            else None,
            Fact.SOURCES_BESIDE_PEERS: len(scored.sources - {Source.PEERS}),
            Fact.OVERDUE_DAYS: (own.figures.overdue_days or 0) if own else 0,
            Fact.DISHONOURED_BILLS: evidence.incidents.dishonoured_bills,
            Fact.BROKEN_PROMISES: evidence.incidents.broken_promises,
            Fact.ALTMAN_CENTI: statements.figures.altman_centi if statements else None,
            Fact.LISTED: _count_listed(evidence.outside, as_of),
        },
        confidence=scored.confidence,
        own_adverse=own.open_adverse if own else (),
        peers_adverse=tuple(kind for peer in evidence.peers for kind in peer.open_adverse),
    )


def _count_listed(outside: OutsideEvidence, as_of: date) -> int | None:
    if not outside.lists:
        return None
    return sum(
        any(first <= as_of and (last is None or last >= as_of) for first, last in one.entries)
        for one in outside.lists
    )


def _count_months(then: date, now: date) -> int:
    """Return the whole months from one day to another; a month's end is one of any length."""
    months = (now.year - then.year) * MONTHS_PER_YEAR + now.month - then.month
    return max(0, months - (add_months(then, months) > now))
