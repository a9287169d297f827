"""Who somebody is to a decision: in which role, with whose authority, and what is against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.core.people.areas import Access, Area, may_access
from node.core.people.holding import list_held
from node.core.people.names import fold_name
from node.core.people.service import Principal, Role
from node.decision.errors import (
    DecisionSamePersonError,
    DutyConflictError,
    GradeHiddenError,
    NoAuthorityError,
)
from node.decision.evidence import build_converter
from node.decision.policy import APPROVING, DecisionPolicy, Tier
from node.decision.record import DecisionRecord
from node.decision.rules_proposal import Content
from node.decision.rules_state import (
    Approval,
    Authority,
    choose_authority,
    find_tier,
    list_authorities,
)
from node.decision.store import DecisionStore, DeputyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """Who holds which role now, by a token or an account."""

    held: frozenset[tuple[str, Role]]

    def holds(self, person: str, *roles: Role) -> bool:
        """Tell whether a person holds one of some roles."""
        return any((person, role) in self.held for role in roles)

    def is_known(self, person: str) -> bool:
        """Tell whether a person holds any role that approves."""
        return self.holds(person, *APPROVING)


def read_roll(uow: UnitOfWork, *, now_ms: int) -> Roll:
    """Read who holds which role now."""
    return Roll(held=frozenset((one.person, one.role) for one in list_held(uow, now_ms=now_ms)))


def find_content_tier(
    uow: UnitOfWork, content: Content, *, policy: DecisionPolicy, on: date
) -> tuple[int, Tier]:
    """Return the tier of a content and its number; without a rate of the day it is the last."""
    convert = build_converter(uow, policy.body.currency, as_of=on)
    amount_minor = convert(content.limit_minor or 0, content.currency)
    return find_tier(policy.body.tiers, amount_minor=amount_minor)


def is_automatic(
    uow: UnitOfWork, record: DecisionRecord, *, policy: DecisionPolicy, on: date
) -> bool:
    """Tell whether the policy approves a company's decision by itself; never an override."""
    upto_minor = policy.body.automatic_upto_minor
    if upto_minor is None or record.is_overridden:
        return False
    content = record.content
    amount_minor = build_converter(uow, policy.body.currency, as_of=on)(
        content.limit_minor or 0, content.currency
    )
    return amount_minor is not None and amount_minor <= upto_minor


def check_person(roll: Roll, actor: Principal, *, policy: DecisionPolicy) -> str:
    """Return the person who is about to decide; the operator's token is nobody.

    Raises:
        DutyConflictError: It is the operator's token, or the person holds a role against it.
    """
    person = fold_name(actor.name)
    if actor.role is Role.OPERATOR or not person:
        raise DutyConflictError("a person decides, with a token of his own: not the operator's")
    against = [role for role in policy.body.conflicting_roles if roll.holds(person, role)]
    if against:
        raise DutyConflictError(f"{actor.name} is {against[0]} too, and decides on no credit")
    return person


def check_sees_grade(record: DecisionRecord, actor: Principal) -> None:
    """Check that somebody may see the grade that he would decide otherwise from.

    Before anything is looked at: what is refused by the grade, and what is not, would tell it.

    Raises:
        GradeHiddenError: It rests on what peers have said, which is not for the person.
    """
    if record.is_changed_by_peers and not may_access(actor, Access(area=Area.PEERS, target="")):
        raise GradeHiddenError("somebody who may see its grade decides this otherwise")


def find_authorities(
    uow: UnitOfWork, actor: Principal, *, person: str, tier: Tier, roll: Roll, on: date
) -> list[Authority]:
    """Return with which authorities a person decides within a tier.

    A role that is lent is one that its holder still has.

    Raises:
        NoAuthorityError: With none.
    """
    deputies = [
        one
        for one in DeputyStore(uow.connection).list_of(person, on=on)
        if roll.holds(one.holder_person, one.role)
    ]
    found = list_authorities(
        role=actor.role, name=actor.name, person=person, deputies=deputies, tier=tier, on=on
    )
    if not found:
        wanted = ", ".join(tier.roles)
        raise NoAuthorityError(f"this amount is for {wanted}; not for {actor.role}")
    return found


def take_authority(
    uow: UnitOfWork,
    record: DecisionRecord,
    authorities: Sequence[Authority],
    *,
    person: str,
    tier: Tier,
) -> Authority:
    """Return the authority with which a person approves.

    Raises:
        DecisionSamePersonError: The person has made the decision or approved it already, or the
            authority is used, or of whoever made it, or another role has to be among the persons.
    """
    makers = DecisionStore(uow.connection).list_makers(record.decision_id)
    given: Sequence[Approval] = record.given
    if person in makers:
        raise DecisionSamePersonError("who proposed it or changed it does not approve it")
    if any(one.person == person for one in given):
        raise DecisionSamePersonError("this person has approved it already")
    found = choose_authority(authorities, tier=tier, given=given, makers=makers)
    if found is None:
        raise DecisionSamePersonError(
            "another authority is needed: this one is used, of a maker, or of a role that does"
            " not complete those who are asked for"
        )
    return found
