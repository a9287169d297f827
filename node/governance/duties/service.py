"""The report on duties: who may do what, who stands in for whom, and what stands against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.core.people.areas import REACHES, Area
from node.core.people.service import Role
from node.decision.policy import APPROVING, DecisionPolicy
from node.decision.rules_state import Deputy
from node.decision.store import DeputyStore
from node.governance.duties.rules_duties import (
    ActFindings,
    RoleFinding,
    find_act_conflicts,
    find_role_conflicts,
)
from node.governance.duties.store import ActStore
from node.governance.people import Holder, list_holders

DEPUTIES_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDuty:
    """What a role reads and enters, and who holds it now."""

    role: Role
    reads: tuple[Area, ...]
    enters: tuple[Area, ...]
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DutiesReport:
    """Roles, tiers, deputies and conflicts as of a day."""

    as_of: date
    roles: tuple[RoleDuty, ...]
    holders: tuple[Holder, ...]
    policy: DecisionPolicy
    deputies: tuple[Deputy, ...]
    """Who stands in today."""
    role_conflicts: tuple[RoleFinding, ...]
    acts: tuple[ActFindings, ...]


class DutiesService:
    """Reads; one public method is one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        find_policy: Callable[[], DecisionPolicy],
        business_date: date | None = None,
    ) -> None:
        """Take the ports; the business date is the clock's without a fixed one."""
        self._database = database
        self._clock = clock
        self._find_policy = find_policy
        self._business_date = business_date

    def report(self) -> DutiesReport:
        """Return who may do what now, and whose roles or acts stand against each other."""
        policy = self._find_policy()
        today = current_business_date(self._clock, fixed=self._business_date)
        with self._database.read() as uow:
            holders = list_holders(uow, now_ms=self._clock.now_ms())
            deputies = DeputyStore(uow.connection).list_newest(limit=DEPUTIES_MAX)
            acts = find_act_conflicts(ActStore(uow.connection).iterate_pairs())
        return DutiesReport(
            as_of=today,
            roles=tuple(_describe(role, holders) for role in Role),
            holders=tuple(holders),
            policy=policy,
            deputies=tuple(one for one in deputies if one.stands_on(today)),
            role_conflicts=tuple(
                find_role_conflicts(
                    holders, approving=APPROVING, against=policy.body.conflicting_roles
                )
            ),
            acts=tuple(acts),
        )


def _describe(role: Role, holders: list[Holder]) -> RoleDuty:
    reach = REACHES[role]
    return RoleDuty(
        role=role,
        reads=tuple(sorted(reach.reads)),
        enters=tuple(sorted(reach.enters)),
        holders=tuple(one.name for one in holders if role in one.roles),
    )
