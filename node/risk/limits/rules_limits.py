"""Which limit holds for a customer on a day. Pure.

The permanent limit is what the decision in force says. A temporary one takes its place from its
first day to its last, higher or lower, and falls back by itself. A limit of 0 means prepayment;
no limit means that nobody has assessed the customer. What is past its last day is shown as expired
and is still measured against. The cap of a group bounds what all below its head owe together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.decision.rules_proposal import Outcome
from node.decision.rules_state import Approval


class LimitKind(StrEnum):
    """What a limit is."""

    PERMANENT = "permanent"  # of a decision
    TEMPORARY = "temporary"
    GROUP_CAP = "group-cap"


DAY_MS = 86_400_000
ENTERED = frozenset({LimitKind.TEMPORARY, LimitKind.GROUP_CAP})


class LimitState(StrEnum):
    """How an entry of the ledger stands on a day."""

    REQUESTED = "requested"
    NOT_YET = "not-yet"
    IN_FORCE = "in-force"
    LAPSED = "lapsed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedLimit:
    """What a decision gave, and when it held; ``limit_minor`` is None where nobody has assessed.

    ``ended_on`` is the day on which another one took its place or it was withdrawn.
    """

    decision_id: int
    customer_id: int
    outcome: Outcome
    currency: str
    limit_minor: int | None
    first_on: date
    valid_until: date | None
    ended_on: date | None
    decided_by: str
    decided_at_ms: int

    def holds_on(self, day: date) -> bool:
        """Tell whether it is the newest one on a day, be it expired or not."""
        return self.first_on <= day and (self.ended_on is None or day < self.ended_on)

    def is_past(self, day: date) -> bool:
        """Tell whether its last day is before a day."""
        return self.valid_until is not None and self.valid_until < day


@dataclass(frozen=True, slots=True, kw_only=True)
class EndApproval:
    """That somebody has approved that a limit or a stop ends, and why."""

    approval: Approval
    name: str
    reason: str
    approved_at_ms: int
    round: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitEntry:
    """A temporary limit of a customer, or the cap of the group below it, in minor units."""

    entry_id: int
    kind: LimitKind
    customer_id: int
    currency: str
    amount_minor: int
    first_on: date
    last_on: date | None
    reason: str
    requested_by: str
    requested_at_ms: int
    approved_by: str | None = None
    approved_on: date | None = None
    approved_at_ms: int | None = None
    ended_by: str | None = None
    ended_on: date | None = None
    ended_at_ms: int | None = None
    end_reason: str | None = None
    ending: tuple[EndApproval, ...] = ()

    def state_on(self, day: date) -> LimitState:
        """Return how it stands on a day."""
        if self.ended_on is not None and self.ended_on <= day:
            return LimitState.ENDED
        if self.approved_on is None or day < self.approved_on:
            return LimitState.REQUESTED
        if day < self.first_on:
            return LimitState.NOT_YET
        is_over = self.last_on is not None and self.last_on < day
        return LimitState.LAPSED if is_over else LimitState.IN_FORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """That nothing is sold to a customer until a person ends it."""

    stop_id: int
    customer_id: int
    reason: str
    first_on: date
    entered_by: str
    entered_at_ms: int
    ended_by: str | None = None
    ended_on: date | None = None
    ended_at_ms: int | None = None
    end_reason: str | None = None
    ending: tuple[EndApproval, ...] = ()

    def stands_on(self, day: date) -> bool:
        """Tell whether it stands on a day."""
        return self.first_on <= day and (self.ended_on is None or day < self.ended_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingLimit:
    """The limit that holds on a day; ``expired_on`` is its last day where that is past.

    ``fallback_minor`` is what a temporary one falls back to, in the permanent one's currency.
    """

    kind: LimitKind
    currency: str
    limit_minor: int
    valid_until: date | None
    expired_on: date | None = None
    decision_id: int | None = None
    entry_id: int | None = None
    fallback_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitView:
    """All that bounds a customer on a day; ``holding`` is None where nobody has assessed it."""

    customer_id: int
    as_of: date
    holding: HoldingLimit | None
    permanent: DecidedLimit | None
    caps: tuple[LimitEntry, ...]
    stop: Stop | None
    history: tuple[DecidedLimit, ...]
    entries: tuple[LimitEntry, ...]

    @property
    def is_stopped_by_decision(self) -> bool:
        """Tell whether the decision in force is to sell nothing."""
        return self.permanent is not None and self.permanent.outcome is Outcome.STOP


def keep_counting(
    ending: Sequence[EndApproval], *, now_ms: int, days: int
) -> tuple[EndApproval, ...]:
    """Return the approvals of an end that count: those of the newest round, while it stands.

    It lapses as a whole, as a proposal does, once its first approval is older than ``days``.
    """
    newest = max((one.round for one in ending), default=0)
    found = tuple(one for one in ending if one.round == newest)
    first_ms = min((one.approved_at_ms for one in found), default=now_ms)
    return found if now_ms - first_ms <= days * DAY_MS else ()


def find_permanent(decided: Iterable[DecidedLimit], *, day: date) -> DecidedLimit | None:
    """Return the newest limit that was decided and not replaced by a day, expired or not."""
    standing = [one for one in decided if one.holds_on(day)]
    return max(standing, key=lambda one: (one.first_on, one.decision_id), default=None)


def find_in_force(entries: Iterable[LimitEntry], *, day: date) -> LimitEntry | None:
    """Return the entry in force that was approved last."""
    standing = [one for one in entries if one.state_on(day) is LimitState.IN_FORCE]
    return max(standing, key=lambda one: (one.approved_at_ms or 0, one.entry_id), default=None)


def build_view(
    customer_id: int,
    *,
    as_of: date,
    decided: Sequence[DecidedLimit],
    entries: Sequence[LimitEntry],
    caps: Sequence[LimitEntry],
    stops: Sequence[Stop],
) -> LimitView:
    """Say what bounds a customer on a day.

    Args:
        customer_id: The customer.
        as_of: The day.
        decided: What decisions on it ever gave.
        entries: Its temporary limits, and the cap of the group of which it is the head.
        caps: The caps of all heads above it, and its own.
        stops: What ever stopped it.
    """
    permanent = find_permanent(decided, day=as_of)
    temporary = find_in_force(
        (one for one in entries if one.kind is LimitKind.TEMPORARY), day=as_of
    )
    heads = {one.customer_id for one in caps}
    in_force = [
        find_in_force((one for one in caps if one.customer_id == head), day=as_of)
        for head in sorted(heads)
    ]
    return LimitView(
        customer_id=customer_id,
        as_of=as_of,
        holding=_choose(permanent, temporary, as_of=as_of),
        permanent=permanent,
        caps=tuple(one for one in in_force if one is not None),
        stop=next((one for one in stops if one.stands_on(as_of)), None),
        history=tuple(decided),
        entries=tuple(entries),
    )


def _choose(
    permanent: DecidedLimit | None, temporary: LimitEntry | None, *, as_of: date
) -> HoldingLimit | None:
    fallback_minor = None if permanent is None else permanent.limit_minor
    if temporary is not None:
        return HoldingLimit(
            kind=LimitKind.TEMPORARY,
            currency=temporary.currency,
            limit_minor=temporary.amount_minor,
            valid_until=temporary.last_on,
            entry_id=temporary.entry_id,
            fallback_minor=fallback_minor,
        )
    if permanent is None or fallback_minor is None:
        return None
    return HoldingLimit(
        kind=LimitKind.PERMANENT,
        currency=permanent.currency,
        limit_minor=fallback_minor,
        valid_until=permanent.valid_until,
        expired_on=permanent.valid_until if permanent.is_past(as_of) else None,
        decision_id=permanent.decision_id,
    )
