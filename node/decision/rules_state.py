"""The life of a decision, and who may approve what. Pure.

A decision is proposed by one person and approved by others, as many and of such roles as the tier
of its amount asks for. Every transition lives in this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from node.core.people.service import Role
from node.decision.policy import Tier
from node.records.tables import NAME_CHARS_MAX

_BETWEEN = "; "


class DecisionState(StrEnum):
    """Where a decision stands."""

    PROPOSED = "proposed"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    ACTIVE = "active"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for people."""
        return self in OPEN_STATES


class EventKind(StrEnum):
    """What happened to a decision."""

    PROPOSED = "proposed"
    OVERRIDDEN = "overridden"
    SUBMITTED = "submitted"
    APPROVAL = "approval"
    """One of those who are asked for has approved; others are to follow, or it is the last."""
    APPROVED = "approved"
    ACTIVE = "active"
    REJECTED = "rejected"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


_S = DecisionState
OPEN_STATES = frozenset({_S.PROPOSED, _S.SUBMITTED, _S.RETURNED, _S.APPROVED})
# From which states an event is possible, and to which it leads; None: it stays where it is.
TRANSITIONS: Mapping[EventKind, tuple[frozenset[DecisionState], DecisionState | None]] = (
    MappingProxyType(
        {
            EventKind.OVERRIDDEN: (frozenset({_S.PROPOSED, _S.RETURNED}), None),
            EventKind.SUBMITTED: (frozenset({_S.PROPOSED, _S.RETURNED}), _S.SUBMITTED),
            EventKind.APPROVAL: (frozenset({_S.SUBMITTED}), None),
            EventKind.APPROVED: (frozenset({_S.SUBMITTED}), _S.APPROVED),
            EventKind.ACTIVE: (frozenset({_S.APPROVED}), _S.ACTIVE),
            EventKind.REJECTED: (frozenset({_S.SUBMITTED}), _S.REJECTED),
            EventKind.RETURNED: (frozenset({_S.SUBMITTED}), _S.RETURNED),
            EventKind.WITHDRAWN: (
                frozenset({_S.PROPOSED, _S.SUBMITTED, _S.RETURNED, _S.ACTIVE}),
                _S.WITHDRAWN,
            ),
            EventKind.EXPIRED: (frozenset({_S.ACTIVE}), _S.EXPIRED),
            EventKind.SUPERSEDED: (frozenset({_S.ACTIVE}), _S.SUPERSEDED),
        }
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputy:
    """Somebody who approves for the holder of a role, from one day to another."""

    deputy_id: int
    role: Role
    holder: str
    holder_person: str
    deputy: str
    deputy_person: str
    first_on: date
    last_on: date
    entered_at_ms: int
    ended_by: str | None = None
    ended_at_ms: int | None = None

    def stands_on(self, day: date) -> bool:
        """Tell whether it holds on a day."""
        return self.ended_at_ms is None and self.first_on <= day <= self.last_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approval; ``holder_person`` is whose authority it is: the person's own, or lent."""

    person: str
    holder_person: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """In which role somebody may approve, and whose authority that is."""

    role: Role
    holder: str
    holder_person: str
    deputy_id: int | None = None


def find_next_state(state: DecisionState, event: EventKind) -> DecisionState | None:
    """Return the state that an event leads to; None where it is not possible in this one."""
    if event not in TRANSITIONS:
        return None
    allowed, target = TRANSITIONS[event]
    if state not in allowed:
        return None
    return state if target is None else target


def find_tier(tiers: Sequence[Tier], *, amount_minor: int | None) -> tuple[int, Tier]:
    """Return the tier of an amount and its number; of one that nothing converts, the last."""
    for number, tier in enumerate(tiers):
        if tier.upto_minor is None:
            return number, tier
        if amount_minor is not None and amount_minor <= tier.upto_minor:
            return number, tier
    return len(tiers) - 1, tiers[-1]


def list_authorities(
    *,
    role: Role,
    name: str,
    person: str,
    deputies: Iterable[Deputy],
    tier: Tier,
    on: date,
) -> list[Authority]:
    """Return in which roles a person may approve within a tier: its own first, then as a deputy."""
    own = [Authority(role=role, holder=name, holder_person=person)] if role in tier.roles else []
    lent = [
        Authority(
            role=one.role,
            holder=one.holder,
            holder_person=one.holder_person,
            deputy_id=one.deputy_id,
        )
        for one in deputies
        if one.deputy_person == person and one.role in tier.roles and one.stands_on(on)
    ]
    return own + lent


def choose_authority(
    authorities: Iterable[Authority],
    *,
    tier: Tier,
    given: Sequence[Approval],
    makers: frozenset[str],
) -> Authority | None:
    """Return an authority that is still to be used; None where none is.

    Nobody's authority counts twice, and never that of somebody who made the decision; where roles
    are required, places are kept for them.
    """
    used = {one.holder_person for one in given}
    left = tier.persons - len(given)
    for one in authorities:
        if one.holder_person in used or one.holder_person in makers:
            continue
        roles = [approval.role for approval in given] + [one.role]
        if len(set(tier.required) - set(roles)) <= left - 1:
            return one
    return None


def is_approved(given: Sequence[Approval], *, tier: Tier) -> bool:
    """Tell whether enough persons of the required roles have approved."""
    persons = {one.person for one in given}
    holders = {one.holder_person for one in given}
    enough = min(len(persons), len(holders)) >= tier.persons
    return enough and {one.role for one in given}.issuperset(tier.required)


def join_names(names: Sequence[str]) -> str:
    """Name who has approved in the room of one name; each in full stands in its approval."""
    joined = _BETWEEN.join(names)
    if len(joined) <= NAME_CHARS_MAX:
        return joined
    chars = (NAME_CHARS_MAX - len(_BETWEEN) * (len(names) - 1)) // len(names)
    return _BETWEEN.join(
        name if len(name) <= chars else f"{name[: chars - 1]}\N{HORIZONTAL ELLIPSIS}"
        for name in names
    )
