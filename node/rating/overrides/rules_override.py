"""The life of an override: what may be given, from when on it holds, and what ends it. Pure.

An override is of one rating. One that lowers holds at once; one that raises waits for a second
person, and so does the withdrawal of one that lowers: both raise a grade. It ends by itself: on its
last day, with a default, and one that raises with the next rating. One that lowers bounds the
grades of later ratings instead: a person who may rate anew would else raise the grade alone. What
it became is read from its events and from what is known of the customer; nothing is stored of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from node.core.errors import RejectedError
from node.rating.overrides.policy import OverridePolicyBody
from node.rating.scale import ScaleBody


class OverrideState(StrEnum):
    """What an override is on a day."""

    WAITING = "waiting"
    IN_FORCE = "in-force"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RERATED = "rerated"  # it raised, and another rating was given
    DEFAULTED = "defaulted"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        """Whether it holds, or may come to hold."""
        return self in {OverrideState.WAITING, OverrideState.IN_FORCE}


class EventKind(StrEnum):
    """What persons do with an override."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class OverrideInvalidError(RejectedError):
    """A person may not give this grade, for this reason or for so long; the text says why."""

    code = "override-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideEvent:
    """One step, and whose."""

    seq: int
    kind: EventKind
    happened_on: date
    entered_by: str
    role: str
    entered_at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideLift:
    """That somebody has asked, or approved, that an override which lowers is withdrawn."""

    happened_on: date
    entered_by: str
    role: str
    entered_at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """An override as it is kept; ``notches`` are up above 0 and down below it.

    ``own_after`` is only of one that bounds a later rating: what it leaves of the grade of own
    evidence, where that differs from ``grade_after``.
    """

    override_id: int
    customer_id: int
    rating_id: int
    ordinal: int
    grade_before: str
    grade_after: str
    notches: int
    reason_code: str
    policy_sha256_b64u: str
    made_on: date
    expires_on: date
    events: tuple[OverrideEvent, ...]
    lifts: tuple[OverrideLift, ...] = ()
    own_after: str | None = None

    @property
    def grade_own_after(self) -> str:
        """The grade in the place of that of own evidence."""
        return self.own_after or self.grade_after

    @property
    def without_peers(self) -> Override:
        """As it is for who may not see what peers have said."""
        return replace(self, grade_after=self.grade_own_after, own_after=None)

    @property
    def proposal(self) -> OverrideEvent:
        """The first step."""
        return self.events[0]

    @property
    def approval(self) -> OverrideEvent | None:
        """The second person's, if it was approved."""
        return self._find(EventKind.APPROVED)

    @property
    def is_upward(self) -> bool:
        """Whether it raises the grade."""
        return self.notches > 0

    @property
    def holds_from(self) -> date | None:
        """The first day on which it holds; None: it waits, or was never approved."""
        approval = self.approval
        if not self.is_upward:
            return self.made_on
        return None if approval is None else approval.happened_on

    def _find(self, kind: EventKind) -> OverrideEvent | None:
        return next((one for one in self.events if one.kind is kind), None)

    def closed_by(self, day: date) -> OverrideState | None:
        """Return how a person had closed it by a day."""
        for kind, state in (
            (EventKind.REJECTED, OverrideState.REJECTED),
            (EventKind.WITHDRAWN, OverrideState.WITHDRAWN),
        ):
            event = self._find(kind)
            if event is not None and event.happened_on <= day:
                return state
        return None


def find_state(
    override: Override, *, day: date, newest_rating_id: int, is_defaulted: bool
) -> OverrideState:
    """Return what an override is on a day; the first that holds.

    ``newest_rating_id`` is that of the customer's newest rating as of the day.
    """
    closed = override.closed_by(day)
    if closed is not None:
        return closed
    if override.is_upward and newest_rating_id != override.rating_id:
        return OverrideState.RERATED
    if is_defaulted:
        return OverrideState.DEFAULTED
    if day > override.expires_on:
        return OverrideState.EXPIRED
    holds_from = override.holds_from
    if holds_from is None or day < holds_from:
        return OverrideState.WAITING
    return OverrideState.IN_FORCE


def bound_later(
    override: Override, scale: ScaleBody | None, *, grade_own: str, grade_with_peers: str
) -> Override | None:
    """Return what an override that lowers leaves of a later rating; None: that is as low already.

    No grade is better than the one that the person gave. On a scale that does not know that grade
    it is as many notches below the new one, at most the last of a score; where the scale is not
    held, only the grade that it lowered is. D and NR stay.
    """
    with_peers = _bound(override, scale, grade_with_peers)
    own = _bound(override, scale, grade_own)
    if (own, with_peers) == (grade_own, grade_with_peers):
        return None
    return replace(
        override,
        grade_before=grade_with_peers,
        grade_after=with_peers,
        own_after=None if own == with_peers else own,
    )


def _bound(override: Override, scale: ScaleBody | None, grade: str) -> str:
    if scale is None:
        return override.grade_after if grade == override.grade_before else grade
    ranks = {step.grade: rank for rank, step in enumerate(scale.grades)}
    if grade not in ranks:
        return grade
    last = len(scale.grades) - 1
    bound = ranks.get(override.grade_after, min(ranks[grade] - override.notches, last))
    return scale.grades[max(ranks[grade], bound)].grade


def choose_lowest(overrides: Sequence[Override], scale: ScaleBody | None) -> Override:
    """Return of overrides that hold for a rating the one with the lowest grade."""
    ranks = {} if scale is None else {one.grade: rank for rank, one in enumerate(scale.grades)}
    return max(overrides, key=lambda one: ranks.get(one.grade_after, -1))


def find_forbidding(
    bounding: Sequence[Override], scale: ScaleBody, *, before: str, after: str
) -> Override | None:
    """Return which override of an earlier rating forbids a grade, since it allows none so good.

    ``before`` is the rating's grade, ``after`` the one to be given; both are of the scale.
    """
    ranks = {step.grade: rank for rank, step in enumerate(scale.grades)}
    for one in bounding:
        best = one.grade_after if one.grade_after in ranks else _bound(one, scale, before)
        if ranks[after] < ranks[best]:
            return one
    return None


def count_notches(scale: ScaleBody, *, before: str, after: str) -> int:
    """Return by how many notches a grade is raised (above 0) or lowered (below).

    Raises:
        OverrideInvalidError: One of them is no grade of a score, or both are one.
    """
    ranks = {step.grade: rank for rank, step in enumerate(scale.grades)}
    if before not in ranks or after not in ranks:
        raise OverrideInvalidError(
            "a person gives one of the grades of a score in the place of another one: no default "
            "and no missing grade is given or taken back"
        )
    notches = ranks[before] - ranks[after]
    if not notches:
        raise OverrideInvalidError("the rating has this grade already")
    return notches


def check_override(policy: OverridePolicyBody, *, notches: int, reason_code: str) -> None:
    """Check that the policy allows so many notches for this reason.

    Raises:
        OverrideInvalidError: It does not.
    """
    if abs(notches) > policy.notches_max:
        raise OverrideInvalidError(f"{abs(notches)} notches: at most {policy.notches_max}")
    if reason_code not in {one.id for one in policy.reasons}:
        raise OverrideInvalidError(f"the policy has no reason {reason_code}")


def list_grades(policy: OverridePolicyBody, scale: ScaleBody, *, before: str) -> tuple[str, ...]:
    """Return the grades that may be given in the place of one, from the best on.

    None in the place of what is no grade of a score.
    """
    ranks = {step.grade: rank for rank, step in enumerate(scale.grades)}
    if before not in ranks:
        return ()
    return tuple(
        grade
        for grade, rank in ranks.items()
        if 0 < abs(rank - ranks[before]) <= policy.notches_max
    )


def find_latest_expiry(policy: OverridePolicyBody, *, today: date, valid_until: date) -> date:
    """Return the latest day on which an override that is given today may end."""
    return min(valid_until, today + timedelta(days=policy.valid_days_max))


def choose_expiry(
    policy: OverridePolicyBody, *, asked: date | None, today: date, valid_until: date
) -> date:
    """Return the last day of an override: as asked, or as late as may be.

    Raises:
        OverrideInvalidError: It is past, or later than the rating or the policy allow.
    """
    latest = find_latest_expiry(policy, today=today, valid_until=valid_until)
    chosen = latest if asked is None else asked
    if not today <= chosen <= latest:
        raise OverrideInvalidError(f"it ends from {today} to {latest}")
    return chosen
