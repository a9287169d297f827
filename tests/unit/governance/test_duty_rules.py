"""Whose roles and acts stand against each other."""

from __future__ import annotations

from node.core.people.service import Role
from node.decision.policy import APPROVING
from node.governance.duties.rules_duties import (
    ActPair,
    Conflict,
    find_act_conflicts,
    find_role_conflicts,
)
from node.governance.people import Holder


def hold(name: str, *roles: Role) -> Holder:
    return Holder(person=name.casefold(), name=name, roles=frozenset(roles))


def test_roles_that_stand_against_each_other_are_found_once_each() -> None:
    holders = [
        hold("Sun", Role.SALES, Role.ANALYST),
        hold("Li", Role.ANALYST, Role.CFO),
        hold("Qian", Role.SALES, Role.STEWARD),
        hold("Zhou", Role.AUDITOR, Role.COLLECTOR),
        hold("Wu", Role.STEWARD, Role.COLLECTOR),
        hold("He", Role.COLLECTOR, Role.CREDIT_MANAGER),
    ]

    found = find_role_conflicts(holders, approving=APPROVING, against=(Role.SALES, Role.COLLECTOR))

    assert [(one.name, one.conflict, set(one.roles)) for one in found] == [
        ("Sun", Conflict.REQUEST_APPROVE, {Role.SALES, Role.ANALYST}),
        ("Li", Conflict.ASSESS_OVERRIDE, {Role.ANALYST, Role.CFO}),
        ("Qian", Conflict.ISSUE_DISPUTE, {Role.SALES, Role.STEWARD}),
        ("Zhou", Conflict.AUDIT_ACT, {Role.AUDITOR, Role.COLLECTOR}),
        ("He", Conflict.REQUEST_APPROVE, {Role.COLLECTOR, Role.CREDIT_MANAGER}),
    ]


def test_two_acts_of_one_person_are_found_whatever_its_spelling() -> None:
    def pair(conflict: Conflict, first: str, second: str) -> ActPair:
        return ActPair(conflict=conflict, where="dispute 1", first_by=first, second_by=second)

    found = find_act_conflicts(
        [
            pair(Conflict.ISSUE_DISPUTE, "Li Wei", "LI-WEI"),
            pair(Conflict.ISSUE_DISPUTE, "Li Wei", "Wang"),
            pair(Conflict.WRITE_APPROVE, "Li Wei", "Wang"),
        ]
    )

    counted = {one.conflict: (one.looked_at, len(one.found)) for one in found}
    assert counted == {
        Conflict.REQUEST_APPROVE: (0, 0),
        Conflict.ASSESS_OVERRIDE: (0, 0),
        Conflict.ISSUE_DISPUTE: (2, 1),
        Conflict.BUILD_VALIDATE: (0, 0),
        Conflict.PROPOSE_CONFIRM: (0, 0),
        Conflict.WRITE_APPROVE: (1, 0),
    }
