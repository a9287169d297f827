"""The life of an override: what may be given, from when on it holds, and what ends it. Pure.

An override is of one rating. One that lowers holds at once; one that raises waits for a second
person, and so does the withdrawal of one that lowers: both raise a grade. It ends by itself: on its
last day, with the next rating, with a default. What it became is read from its events and from what
is known of the customer; nothing is stored of it.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    RERATED = "rerated"  # another rating was given
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
    """An override as it is kept; ``notches`` are up above 0 and down below it."""

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
    if newest_rating_id != override.rating_id:
        return OverrideState.RERATED
    if is_defaulted:
        return OverrideState.DEFAULTED
    if day > override.expires_on:
        return OverrideState.EXPIRED
    holds_from = override.holds_from
    if holds_from is None or day < holds_from:
        return OverrideState.WAITING
    return OverrideState.IN_FORCE


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
