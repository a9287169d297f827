"""Whether somebody may approve an amount: the tiers of the decision policy, and four eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.core.people.names import fold_name
from node.core.people.service import Principal
from node.decision.duties import check_person, find_authorities, read_roll
from node.decision.evidence import build_converter
from node.decision.policy import DecisionPolicy
from node.decision.rules_state import (
    Approval,
    Authority,
    choose_authority,
    find_tier,
    is_approved,
)
from node.risk.errors import ReleaseDutyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """That a person may approve; ``is_last`` where nobody else is needed.

    ``waits_for`` is how many persons are still needed after this one.
    """

    person: str
    authority: Authority
    is_last: bool
    waits_for: int


def check_authority(
    uow: UnitOfWork,
    actor: Principal,
    *,
    amount_minor: int,
    currency: str,
    makers: frozenset[str],
    given: Sequence[Approval],
    policy: DecisionPolicy,
    on: date,
    now_ms: int,
) -> Consent:
    """Return with which authority a person approves an amount, within the caller's transaction.

    ``makers`` are the persons, folded, who asked for it; without a rate the amount is of the last
    tier.

    Raises:
        DutyConflictError: It is the operator's token, or a role stands against it.
        NoAuthorityError: The amount is beyond the person's tier.
        ReleaseDutyError: The person asked for it or has approved already, or the authority is
            used, or of whoever asked.
    """
    roll = read_roll(uow, now_ms=now_ms)
    person = check_person(roll, actor, policy=policy)
    if person in makers:
        raise ReleaseDutyError("who asked for it does not approve it")
    if any(one.person == person for one in given):
        raise ReleaseDutyError("this person has approved it already")
    convert = build_converter(uow, policy.body.currency, as_of=on)
    _, tier = find_tier(policy.body.tiers, amount_minor=convert(amount_minor, currency))
    found = find_authorities(uow, actor, person=person, tier=tier, roll=roll, on=on)
    authority = choose_authority(found, tier=tier, given=given, makers=makers)
    if authority is None:
        raise ReleaseDutyError(
            "another authority is needed: this one is used, of whoever asked, or of a role that"
            " does not complete those who are asked for"
        )
    after = [
        *given,
        Approval(person=person, holder_person=authority.holder_person, role=authority.role),
    ]
    is_last = is_approved(after, tier=tier)
    return Consent(
        person=person,
        authority=authority,
        is_last=is_last,
        waits_for=0 if is_last else max(1, tier.persons - len(after)),
    )


def fold_names(*names: str | None) -> frozenset[str]:
    """Return the persons whom some names are of."""
    return frozenset(fold_name(one) for one in names if one)
