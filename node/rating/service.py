"""Use cases of the rating room: rate one customer, and read what holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.policy_file import Language
from node.assessment.service import AssessedCustomer, AssessmentPair, AssessmentService
from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import NotFoundError
from node.core.policies.source import PolicySource
from node.rating.grading import find_incidents, grade_scored
from node.rating.panel.scoring import ModelInForce, keep_scores, read_in_force
from node.rating.rules_grading import Grades
from node.rating.scale import Scale, ScaleReference
from node.rating.store import NewRating, RatingRecord, RatingStore

LATEST_PAGE_MAX = 500
HISTORY_MAX = 500


class ScaleUnknownError(NotFoundError):
    """A rating names a scale that this node does not hold."""

    code = "scale-unknown"


class RatingNotFoundError(NotFoundError):
    """A customer was never rated."""

    code = "rating-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedCustomer:
    """A rating with the assessments behind it."""

    rating: RatingRecord
    pair: AssessmentPair


class RatingService:
    """The room's use cases: one public method, one transaction, one commit."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        assessment: AssessmentService,
        scales: PolicySource[Scale],
    ) -> None:
        """The active one of ``scales`` grades; each puts into words what it has graded."""
        self._database = database
        self._clock = clock
        self._assessment = assessment
        self._scales = scales

    def rate_customer(self, customer_id: int, *, as_of: date) -> RatedCustomer:
        """Assess and rate a customer on a business date.

        Raises:
            CustomerNotFoundError: There is no such customer.
            CollectiveAccountError: It is a collective account.
        """
        with self._database.write() as uow:
            return self._rate(uow, customer_id, as_of=as_of, models=read_in_force(uow))

    def latest_ratings(self, *, limit: int = 100, after: int = 0) -> list[RatingRecord]:
        """Return a page of the newest rating of each customer, in the order of customers."""
        with self._database.read() as uow:
            return RatingStore(uow.connection).list_latest(
                limit=min(limit, LATEST_PAGE_MAX), after=after
            )

    def find_latest(self, customer_id: int) -> RatingRecord | None:
        """Return the newest rating of a customer."""
        with self._database.read() as uow:
            return RatingStore(uow.connection).find_latest(customer_id)

    def list_history(self, customer_id: int, *, limit: int = 100) -> list[RatingRecord]:
        """Return a customer's ratings, the newest first; superseded ones are never overwritten."""
        with self._database.read() as uow:
            return RatingStore(uow.connection).list_history(
                customer_id, limit=min(limit, HISTORY_MAX)
            )

    def read_scale(self, uow: UnitOfWork) -> Scale:
        """Return the scale that is active as the transaction sees it."""
        return self._scales.read_active(uow)

    def find_scale(self, sha256_b64u: str) -> Scale | None:
        """Return the scale that a hash names; None where this node does not hold it."""
        return self._scales.find(sha256_b64u)

    def list_newest_grades(self) -> list[str]:
        """Return the grades of the scale of the newest rating, the best first; none held: empty."""
        with self._database.read() as uow:
            sha256_b64u = RatingStore(uow.connection).find_newest_scale()
        scale = None if sha256_b64u is None else self._scales.find(sha256_b64u)
        if scale is None:
            return []
        body = scale.body
        return [*(step.grade for step in body.grades), body.default.grade, body.missing.grade]

    def describe(
        self, code: str, *, language: Language, scale: ScaleReference | None = None
    ) -> str:
        """Put a grade into words, in those of the scale that the rating names.

        Raises:
            ScaleUnknownError: This node does not hold that scale.
            UnknownTextError: The scale has no such grade.
        """
        if scale is None:
            return self._scales.get_active().describe(code, language)
        known = self._scales.find(scale.sha256_b64u)
        if known is None:
            raise ScaleUnknownError(f"{scale.label} with another hash")
        return known.describe(code, language)

    def _rate(
        self, uow: UnitOfWork, customer_id: int, *, as_of: date, models: Sequence[ModelInForce]
    ) -> RatedCustomer:
        assessed = self._assessment.assess_within(uow, customer_id, as_of=as_of)
        keep_scores(
            uow,
            models,
            own=assessed.scored.own,
            own_assessment_id=assessed.pair.own.assessment_id,
            customer_id=assessed.pair.customer_id,
            as_of=as_of,
        )
        scale = self._scales.read_active(uow)
        key = assessed.pair.customer_id
        incidents = find_incidents(uow, [key], scales=[scale.body], as_of=as_of)
        grades = grade_scored(assessed.scored, incidents=incidents, scale=scale.body, as_of=as_of)
        new = self._build(assessed, grades, scale=scale, as_of=as_of)
        record = RatingStore(uow.connection).append(new)
        return RatedCustomer(rating=record, pair=assessed.pair)

    def _build(
        self, assessed: AssessedCustomer, grades: Grades, *, scale: Scale, as_of: date
    ) -> NewRating:
        pair = assessed.pair
        return NewRating(
            customer_id=pair.customer_id,
            subject_id=pair.subject_id,
            as_of=as_of,
            created_at_ms=self._clock.now_ms(),
            own_assessment_id=pair.own.assessment_id,
            assessment_id=pair.with_peers.assessment_id,
            policy=pair.with_peers.assessment.policy,
            scale=scale.reference,
            grade_own=grades.own,
            grade_with_peers=grades.with_peers,
            score_own_deci=pair.own.assessment.score_deci,
            score_with_peers_deci=pair.with_peers.assessment.score_deci,
            confidence=pair.with_peers.assessment.confidence.level,
            default_events=grades.default_events,
            valid_until=grades.validity.valid_until,
            review_on=grades.validity.review_on,
            own_applied=grades.own_applied,
            with_peers_applied=grades.with_peers_applied,
        )
