"""Which roles stand against each other in one person, and which acts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.core.people.names import is_same_person
from node.core.people.service import Role
from node.governance.people import Holder


class Conflict(StrEnum):
    """What one person is not to do both of."""

    REQUEST_APPROVE = "request-approve"
    ASSESS_OVERRIDE = "assess-override"
    ISSUE_DISPUTE = "issue-dispute"
    BUILD_VALIDATE = "build-validate"
    PROPOSE_CONFIRM = "propose-confirm"  # a default, and an objection to it
    WRITE_APPROVE = "write-approve"  # a policy
    AUDIT_ACT = "audit-act"


# Roles that one person is not to hold together, whatever the policy says.
ROLE_CONFLICTS: tuple[tuple[Conflict, Role, frozenset[Role]], ...] = (
    (
        Conflict.REQUEST_APPROVE,
        Role.SALES,
        frozenset({Role.ANALYST, Role.CREDIT_MANAGER, Role.CFO}),
    ),
    (Conflict.ASSESS_OVERRIDE, Role.ANALYST, frozenset({Role.CREDIT_MANAGER, Role.CFO})),
    (Conflict.ISSUE_DISPUTE, Role.SALES, frozenset({Role.COLLECTOR, Role.STEWARD})),
    (
        Conflict.AUDIT_ACT,
        Role.AUDITOR,
        frozenset(Role) - {Role.AUDITOR, Role.OPERATOR},
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFinding:
    """A person who holds roles that stand against each other."""

    conflict: Conflict
    name: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActPair:
    """Two acts on one thing that two persons should have done."""

    conflict: Conflict
    where: str
    """What they were on, by its number: it names nobody."""
    first_by: str
    second_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFindings:
    """Of one conflict: how many pairs of acts were looked at, and which were one person's."""

    conflict: Conflict
    looked_at: int
    found: tuple[ActPair, ...]


def find_role_conflicts(
    holders: Iterable[Holder], *, approving: frozenset[Role], against: Sequence[Role]
) -> list[RoleFinding]:
    """Return who holds roles that stand against each other.

    ``against`` are the roles that the policy of decisions lets approve nothing, ``approving`` those
    that approve.
    """
    of_policy = [(Conflict.REQUEST_APPROVE, role, approving) for role in against]
    found = []
    for holder in holders:
        seen: set[tuple[Conflict, frozenset[Role]]] = set()
        for conflict, role, others in (*ROLE_CONFLICTS, *of_policy):
            held = frozenset(holder.roles & others) - {role}
            if role not in holder.roles or not held:
                continue
            roles = held | {role}
            if (conflict, roles) not in seen:
                seen.add((conflict, roles))
                found.append(
                    RoleFinding(conflict=conflict, name=holder.name, roles=tuple(sorted(roles)))
                )
    return found


def find_act_conflicts(pairs: Iterable[ActPair]) -> list[ActFindings]:
    """Return of each conflict how many pairs there are and which are one person's."""
    looked_at: dict[Conflict, int] = dict.fromkeys(_OF_ACTS, 0)
    found: dict[Conflict, list[ActPair]] = {conflict: [] for conflict in _OF_ACTS}
    for pair in pairs:
        looked_at[pair.conflict] += 1
        if is_same_person(pair.first_by, pair.second_by):
            found[pair.conflict].append(pair)
    return [
        ActFindings(conflict=one, looked_at=looked_at[one], found=tuple(found[one]))
        for one in _OF_ACTS
    ]


_OF_ACTS: tuple[Conflict, ...] = tuple(one for one in Conflict if one is not Conflict.AUDIT_ACT)
