"""Use cases of the rating room: rate one customer, rate all, and read what holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.policy_file import Language
from node.assessment.service import (
    COLLECTIVE_KIND,
    AssessedCustomer,
    AssessmentPair,
    AssessmentService,
)
from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import NotFoundError
from node.core.policies.source import PolicySource
from node.rating.panel.scoring import ModelInForce, keep_scores, read_in_force
from node.rating.rules_grade import get_validity, grade, list_default_events
from node.rating.scale import Scale, ScaleReference
from node.rating.store import NewRating, RatingRecord, RatingStore
from node.records.store import RecordsStore

RUN_BATCH_CUSTOMERS = 200  # in one transaction of a run: peers' answers wait no longer than that
LATEST_PAGE_MAX = 500
HISTORY_MAX = 500


class ScaleUnknownError(NotFoundError):
    """A rating names a scale that this node does not hold."""

    code = "scale-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedCustomer:
    """A rating with the assessments behind it."""

    rating: RatingRecord
    pair: AssessmentPair


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRun:
    """What a run over the portfolio did."""

    as_of: date
    rated: int
    skipped: int
    changed: int
    counts_own: dict[str, int]
    counts_with_peers: dict[str, int]


class RatingService:
    """The room's use cases: one public method, one transaction, one commit (a run: one a batch)."""

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

    def rate_all(
        self, *, as_of: date, on_progress: Callable[[int], None] | None = None
    ) -> RatingRun:
        """Rate the whole portfolio, batch by batch; a run that is cut off leaves whole ratings.

        Collective accounts are skipped. ``on_progress`` hears how many were done.
        """
        grades: Counter[tuple[str, str]] = Counter()
        done = after = 0
        while page := self._rate_page(after, as_of=as_of, grades=grades):
            done += len(page)
            after = page[-1]
            if on_progress is not None:
                on_progress(done)
        return _sum_up(grades, as_of=as_of, done=done)

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

    def _rate_page(self, after: int, *, as_of: date, grades: Counter[tuple[str, str]]) -> list[int]:
        # The keys of the page, so that the run goes on behind it; grades are counted on the way.
        with self._database.write() as uow:
            page = RecordsStore(uow.connection).list_customers(
                limit=RUN_BATCH_CUSTOMERS, after=after
            )
            models = read_in_force(uow)
            for customer in page:
                if customer.kind != COLLECTIVE_KIND:
                    key = customer.customer_id
                    rating = self._rate(uow, key, as_of=as_of, models=models).rating
                    grades[rating.grade_own, rating.grade_with_peers] += 1
        return [customer.customer_id for customer in page]

    def _rate(
        self, uow: UnitOfWork, customer_id: int, *, as_of: date, models: Sequence[ModelInForce]
    ) -> RatedCustomer:
        assessed = self._assessment.assess_within(uow, customer_id, as_of=as_of)
        keep_scores(
            uow,
            models,
            own=assessed.own,
            own_assessment_id=assessed.pair.own.assessment_id,
            customer_id=assessed.pair.customer_id,
            as_of=as_of,
        )
        new = self._build(assessed, scale=self._scales.read_active(uow), as_of=as_of)
        record = RatingStore(uow.connection).append(new)
        return RatedCustomer(rating=record, pair=assessed.pair)

    def _build(self, assessed: AssessedCustomer, *, scale: Scale, as_of: date) -> NewRating:
        pair, own = assessed.pair, assessed.own
        own_open = own.open_adverse if own else ()
        peers_open = [kind for peer in assessed.peers for kind in peer.open_adverse]
        body = scale.body
        own_events = list_default_events(body, own=own_open, peers=())
        events = list_default_events(body, own=own_open, peers=peers_open)
        score_own_deci = pair.own.assessment.score_deci
        score_with_peers_deci = pair.with_peers.assessment.score_deci
        grade_own = grade(score_deci=score_own_deci, scale=body, default_event=bool(own_events))
        grade_with_peers = grade(
            score_deci=score_with_peers_deci, scale=body, default_event=bool(events)
        )
        validity = get_validity(
            grade_with_peers,
            scale=body,
            as_of=as_of,
            relation_months=own.figures.relation_months if own else None,
        )
        return NewRating(
            customer_id=pair.customer_id,
            subject_id=pair.subject_id,
            as_of=as_of,
            created_at_ms=self._clock.now_ms(),
            own_assessment_id=pair.own.assessment_id,
            assessment_id=pair.with_peers.assessment_id,
            policy=pair.with_peers.assessment.policy,
            scale=scale.reference,
            grade_own=grade_own.symbol,
            grade_with_peers=grade_with_peers.symbol,
            score_own_deci=score_own_deci,
            score_with_peers_deci=score_with_peers_deci,
            confidence=pair.with_peers.assessment.confidence.level,
            default_events=events,
            valid_until=validity.valid_until,
            review_on=validity.review_on,
        )


def _sum_up(grades: Counter[tuple[str, str]], *, as_of: date, done: int) -> RatingRun:
    counts_own: Counter[str] = Counter()
    counts_with_peers: Counter[str] = Counter()
    for (own, with_peers), count in grades.items():
        counts_own[own] += count
        counts_with_peers[with_peers] += count
    rated = sum(grades.values())
    return RatingRun(
        as_of=as_of,
        rated=rated,
        skipped=done - rated,
        changed=sum(count for (own, with_peers), count in grades.items() if own != with_peers),
        counts_own=dict(counts_own),
        counts_with_peers=dict(counts_with_peers),
    )
