"""Ratings: appended, and the newest of a customer counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from node.assessment.policy import ConfidenceLevel, PolicyReference
from node.core.errors import InvariantError
from node.core.fields import format_personal
from node.core.statements import DriverStatement
from node.rating.applied_text import format_applied, parse_applied
from node.rating.rules_criteria import Applied
from node.rating.rules_grade import RatingState, find_state
from node.rating.scale import ScaleReference
from node.rating.tables import rating
from node.records.store.rows import chunk_values
from node.records.store.sealing import SealingStore


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRating:
    """A rating before it is kept; ``assessment_id`` is the one with peers.

    ``own_applied`` and ``with_peers_applied`` are what lowered the grades; None in ratings by a
    scale without criteria, as in all of before there were any.
    """

    customer_id: int
    subject_id: str
    as_of: date
    created_at_ms: int
    own_assessment_id: int
    assessment_id: int
    policy: PolicyReference
    scale: ScaleReference
    grade_own: str
    grade_with_peers: str
    score_own_deci: int | None
    score_with_peers_deci: int | None
    confidence: ConfidenceLevel
    default_events: tuple[str, ...]
    valid_until: date | None
    review_on: date
    run_id: int | None = None
    own_applied: Applied | None = None
    with_peers_applied: Applied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRecord(NewRating):
    """A rating as it is kept."""

    rating_id: int

    def is_valid_on(self, day: date) -> bool:
        """Whether the rating may still be worked with."""
        return self.state_on(day) is RatingState.VALID

    def state_on(self, day: date) -> RatingState:
        """Return how the rating stands on a day: whoever shows it says so."""
        return find_state(as_of=self.as_of, valid_until=self.valid_until, day=day)


_LATEST = (
    select(rating)
    .where(rating.c.customer_id == bindparam("customer_id"))
    .order_by(rating.c.id.desc())
    .limit(1)
)
_ROW = (
    "customer_id",
    "subject_id",
    "as_of",
    "created_at_ms",
    "own_assessment_id",
    "assessment_id",
    "policy_id",
    "policy_version",
    "policy_sha256_b64u",
    "scale_id",
    "scale_version",
    "scale_sha256_b64u",
    "grade_own",
    "grade_with_peers",
    "score_own_deci",
    "score_with_peers_deci",
    "confidence",
    "default_events",
    "valid_until",
    "review_on",
    "run_id",
    "criteria",
)
_INSERT = DriverStatement(insert(rating), names=_ROW)


class RatingStore:
    """Appends ratings and reads them back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, new: NewRating) -> RatingRecord:
        """Keep one rating."""
        self.append_many([new])
        kept = self.find_latest(new.customer_id)
        if kept is None:
            raise InvariantError("a rating was written and is not there")
        return kept

    def append_many(self, ratings: Sequence[NewRating]) -> None:
        """Keep many ratings."""
        if ratings:
            sealed = self._find_sealed(ratings)
            subject_id = rating.c.subject_id
            _INSERT.execute_many(
                self._connection,
                [
                    _format(
                        new,
                        subject_id=format_personal(self._connection, subject_id, new.subject_id)
                        if new.customer_id in sealed
                        else new.subject_id,
                    )
                    for new in ratings
                ],
            )

    def find_latest(self, customer_id: int) -> RatingRecord | None:
        """Return the newest rating of a customer."""
        row = self._connection.execute(_LATEST, {"customer_id": customer_id}).one_or_none()
        return None if row is None else read_rating(row)

    def list_named(self, rating_ids: Collection[int]) -> dict[int, RatingRecord]:
        """Return ratings by their keys."""
        found: dict[int, RatingRecord] = {}
        for part in chunk_values(sorted(rating_ids)):
            rows = self._connection.execute(select(rating).where(rating.c.id.in_(part)))
            found |= {row.id: read_rating(row) for row in rows}
        return found

    def list_newest_ids(self, customer_ids: Collection[int]) -> dict[int, int]:
        """Return the key of each customer's newest rating."""
        found: dict[int, int] = {}
        for part in chunk_values(sorted(customer_ids)):
            rows = self._connection.execute(
                select(rating.c.customer_id, func.max(rating.c.id))
                .where(rating.c.customer_id.in_(part))
                .group_by(rating.c.customer_id)
            )
            found |= {row[0]: row[1] for row in rows}
        return found

    def list_prior_ids(self, newest: Mapping[int, int]) -> dict[int, int]:
        """Return the key of the rating before the newest one, of each customer that has one."""
        found: dict[int, int] = {}
        for part in chunk_values(sorted(newest)):
            rows = self._connection.execute(
                select(rating.c.customer_id, func.max(rating.c.id))
                .where(
                    rating.c.customer_id.in_(part),
                    rating.c.id.not_in([newest[key] for key in part]),
                )
                .group_by(rating.c.customer_id)
            )
            found |= {row[0]: row[1] for row in rows}
        return found

    def list_newest_grades(self, customer_ids: Sequence[int]) -> dict[int, tuple[str, bool]]:
        """Return the grade of each customer's newest rating, and whether a default led to it."""
        newest = (
            select(func.max(rating.c.id))
            .where(rating.c.customer_id.in_(customer_ids))
            .group_by(rating.c.customer_id)
        )
        rows = self._connection.execute(
            select(rating.c.customer_id, rating.c.grade_with_peers, rating.c.default_events).where(
                rating.c.id.in_(newest.scalar_subquery())
            )
        )
        return {row.customer_id: (row.grade_with_peers, bool(row.default_events)) for row in rows}

    def list_of_customers(self, customer_ids: Sequence[int]) -> list[RatingRecord]:
        """Return every rating of some customers, the oldest first."""
        found: list[RatingRecord] = []
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(rating).where(rating.c.customer_id.in_(part)).order_by(rating.c.id)
            )
            found += map(read_rating, rows)
        return found

    def find_newest_id(self) -> int:
        """Return the key of the newest rating; 0 without any."""
        return self._connection.execute(select(func.max(rating.c.id))).scalar_one() or 0

    def find_newest_scale(self) -> str | None:
        """Return the hash of the scale of the newest rating."""
        return self._connection.execute(
            select(rating.c.scale_sha256_b64u).order_by(rating.c.id.desc()).limit(1)
        ).scalar_one_or_none()

    def list_history(self, customer_id: int, *, limit: int) -> list[RatingRecord]:
        """Return a customer's ratings, the newest first."""
        rows = self._connection.execute(
            select(rating)
            .where(rating.c.customer_id == customer_id)
            .order_by(rating.c.id.desc())
            .limit(limit)
        )
        return [read_rating(row) for row in rows]

    def list_latest(self, *, limit: int, after: int) -> list[RatingRecord]:
        """Return a page of the newest rating of each customer, in the order of customers."""
        newest = (
            select(func.max(rating.c.id))
            .where(rating.c.customer_id > after)
            .group_by(rating.c.customer_id)
            .order_by(rating.c.customer_id)
            .limit(limit)
        )
        rows = self._connection.execute(
            select(rating)
            .where(rating.c.id.in_(newest.scalar_subquery()))
            .order_by(rating.c.customer_id)
        )
        return [read_rating(row) for row in rows]

    def _find_sealed(self, ratings: Sequence[NewRating]) -> set[int]:
        keys = [new.customer_id for new in ratings]
        return SealingStore(self._connection).find_sealed(keys)


def _format(new: NewRating, *, subject_id: str) -> tuple[object, ...]:
    """Return the row as the driver takes it, in the order of ``_ROW``."""
    return (
        new.customer_id,
        subject_id,
        new.as_of.isoformat(),
        new.created_at_ms,
        new.own_assessment_id,
        new.assessment_id,
        new.policy.policy_id,
        new.policy.version,
        new.policy.sha256_b64u,
        new.scale.scale_id,
        new.scale.version,
        new.scale.sha256_b64u,
        new.grade_own,
        new.grade_with_peers,
        new.score_own_deci,
        new.score_with_peers_deci,
        str(new.confidence),
        " ".join(new.default_events),
        None if new.valid_until is None else new.valid_until.isoformat(),
        new.review_on.isoformat(),
        new.run_id,
        format_applied(new.own_applied, new.with_peers_applied),
    )


def read_rating(row: Row[Any]) -> RatingRecord:
    """Return a row of ratings as what it is."""
    own_applied, with_peers_applied = parse_applied(row.criteria)
    return RatingRecord(
        rating_id=row.id,
        customer_id=row.customer_id,
        subject_id=row.subject_id,
        as_of=row.as_of,
        created_at_ms=row.created_at_ms,
        own_assessment_id=row.own_assessment_id,
        assessment_id=row.assessment_id,
        policy=PolicyReference(
            policy_id=row.policy_id,
            version=row.policy_version,
            sha256_b64u=row.policy_sha256_b64u,
        ),
        scale=ScaleReference(
            scale_id=row.scale_id,
            version=row.scale_version,
            sha256_b64u=row.scale_sha256_b64u,
        ),
        grade_own=row.grade_own,
        grade_with_peers=row.grade_with_peers,
        score_own_deci=row.score_own_deci,
        score_with_peers_deci=row.score_with_peers_deci,
        confidence=ConfidenceLevel(row.confidence),
        default_events=tuple(row.default_events.split()),
        valid_until=row.valid_until,
        review_on=row.review_on,
        run_id=row.run_id,
        own_applied=own_applied,
        with_peers_applied=with_peers_applied,
    )
