"""Score a stretch of customers for a run; wherever it is done, the run's own process writes.

A stretch is read in one snapshot of the store. What comes back is ready to be written: no evidence
leaves the process that read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from node.assessment.cards import PackedAssessment, pack
from node.assessment.policy import PolicyReference
from node.assessment.renewal.service import read_marks_within
from node.assessment.renewal.store import Mark
from node.assessment.results import Assessment
from node.assessment.scoring import ScoredCustomer
from node.assessment.service import COLLECTIVE_KIND, AssessmentService
from node.core.clock import Clock
from node.core.database import Database
from node.rating.grading import find_incidents, grade_scored
from node.rating.panel.scoring import ModelInForce, read_in_force, score_own
from node.rating.panel.store import ScoreRow
from node.rating.rules_grading import Grades
from node.rating.scale import ScaleReference
from node.rating.service import RatingService
from node.records.store import RecordsStore

UNKNOWN_KEY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The customers behind one key up to another one, that one too."""

    after: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A stretch to be scored as of a day."""

    stretch: Stretch
    as_of: date


class RatedRow(NamedTuple):
    """One rated customer as it is written; ``with_peers`` is None where no peer has answered."""

    own: PackedAssessment
    with_peers: PackedAssessment | None
    grades: Grades
    scores: tuple[ScoreRow, ...]
    """What the models in force said; the key of the assessment is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredStretch:
    """What came of a stretch, and by which policy and scale.

    ``waiting`` is what its customers waited for when they were read: nothing else has been seen.
    """

    stretch: Stretch
    waiting: frozenset[Mark]
    policy: PolicyReference
    scale: ScaleReference
    skipped: int
    rows: tuple[RatedRow, ...]


class Scorers(Protocol):
    """Whoever scores stretches, in their order, some of them ahead."""

    def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
        """Yield what comes of each order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchScorer:
    """Scores one stretch after another in this process."""

    database: Database
    clock: Clock
    assessment: AssessmentService
    rating: RatingService

    def score_one(self, order: Order) -> ScoredStretch:
        """Score a stretch; collective accounts are skipped."""
        # Before the snapshot: what happens from here on has not been seen.
        created_at_ms = self.clock.now_ms()
        with self.database.read() as uow:
            scorer, scale = self.assessment.build_scorer(uow), self.rating.read_scale(uow)
            models = read_in_force(uow)
            found = RecordsStore(uow.connection).list_customers_between(
                order.stretch.after, order.stretch.until
            )
            customers = [one for one in found if one.kind != COLLECTIVE_KIND]
            scored = scorer.score(uow, customers, as_of=order.as_of)
            waiting = read_marks_within(uow, [one.customer_id for one in customers])
            incidents = find_incidents(
                uow,
                [one.customer_id for one in customers],
                scales=[scale.body],
                as_of=order.as_of,
            )
        return ScoredStretch(
            stretch=order.stretch,
            waiting=waiting,
            policy=scorer.policy.reference,
            scale=scale.reference,
            skipped=len(found) - len(customers),
            rows=tuple(
                _build_row(
                    one,
                    grades=grade_scored(
                        one, incidents=incidents, scale=scale.body, as_of=order.as_of
                    ),
                    models=models,
                    as_of=order.as_of,
                    created_at_ms=created_at_ms,
                )
                for one in scored
            ),
        )

    def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
        """Yield what comes of each order."""
        return map(self.score_one, orders)


def _build_row(
    scored: ScoredCustomer,
    *,
    grades: Grades,
    models: Sequence[ModelInForce],
    as_of: date,
    created_at_ms: int,
) -> RatedRow:
    def pack_result(result: Assessment) -> PackedAssessment:
        return pack(
            result,
            customer_id=scored.customer.customer_id,
            subject_id=scored.customer.subject_id,
            created_at_ms=created_at_ms,
        )

    return RatedRow(
        own=pack_result(scored.own_result),
        with_peers=None if scored.with_peers is None else pack_result(scored.with_peers),
        grades=grades,
        scores=tuple(
            score_own(
                one,
                scored.own,
                own_assessment_id=UNKNOWN_KEY,
                customer_id=scored.customer.customer_id,
                as_of=as_of,
            )
            for one in models
        ),
    )
