"""What state a policy version is in, which step may follow, and who may take it. Pure.

draft → proposed → approved → active → retired, and back to active; rejected and withdrawn are ends.
A version that ships is approved by shipping. Whoever wrote any text of a version, or proposed it,
neither approves nor rejects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.core.errors import ConflictError, ForbiddenError
from node.core.people.names import is_same_person


class PolicyState(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    ACTIVE = "active"
    RETIRED = "retired"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Origin(StrEnum):
    """Whose version it is."""

    SHIPPED = "shipped"
    OWN = "own"


class PolicyStateError(ConflictError):
    """The version is not in the state that the step needs."""

    code = "policy-state"


class PolicySamePersonError(ForbiddenError):
    """Who wrote or proposed a version does not decide on it."""

    code = "policy-same-person"


_NEXT: Mapping[PolicyState, frozenset[PolicyState]] = {
    PolicyState.DRAFT: frozenset({PolicyState.PROPOSED, PolicyState.WITHDRAWN}),
    PolicyState.PROPOSED: frozenset(
        {PolicyState.APPROVED, PolicyState.REJECTED, PolicyState.WITHDRAWN}
    ),
    PolicyState.APPROVED: frozenset({PolicyState.ACTIVE, PolicyState.WITHDRAWN}),
    PolicyState.ACTIVE: frozenset({PolicyState.RETIRED}),
    PolicyState.RETIRED: frozenset({PolicyState.ACTIVE}),
    PolicyState.REJECTED: frozenset(),
    PolicyState.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: whose token it is, and the name of the person."""

    who: str
    name: str

    def is_same(self, other: Actor) -> bool:
        """Tell whether two are one: one token, or one name, is one person."""
        return self.who == other.who or is_same_person(self.name, other.name)


def read_state(events: Sequence[str]) -> PolicyState:
    """Return the state that a version's events lead to."""
    return PolicyState(events[-1]) if events else PolicyState.DRAFT


def check_step(state: PolicyState, wanted: PolicyState, *, origin: Origin) -> None:
    """Check that a step may follow.

    Raises:
        PolicyStateError: It may not; what ships is not withdrawn.
    """
    is_shipped_away = origin is Origin.SHIPPED and wanted is PolicyState.WITHDRAWN
    if wanted not in _NEXT[state] or is_shipped_away:
        raise PolicyStateError(f"it is {state} and cannot become {wanted}")


def check_second_person(actor: Actor, authors: Iterable[Actor]) -> None:
    """Check that who decides is none of those who wrote or proposed.

    Raises:
        PolicySamePersonError: It is one of them, or comes with the same token.
    """
    if any(actor.is_same(author) for author in authors):
        raise PolicySamePersonError("another person decides than who wrote or proposed it")
