"""Transitions, tiers, deputies: who may approve what, and what leads where."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from node.assessment.policy_file import PolicyInvalidError
from node.core.people.service import Role
from node.decision.policy import parse_decision_policy, read_preset_decision_policy
from node.decision.rules_state import (
    Approval,
    Authority,
    DecisionState,
    Deputy,
    EventKind,
    choose_authority,
    find_next_state,
    find_tier,
    is_approved,
    list_authorities,
)

POLICY = read_preset_decision_policy()
TIERS = POLICY.body.tiers
TODAY = date(2026, 6, 30)
NOBODY = frozenset[str]()
DEPUTY = Deputy(
    deputy_id=1,
    role=Role.CREDIT_MANAGER,
    holder="Li",
    holder_person="li",
    deputy="Wu",
    deputy_person="wu",
    first_on=date(2026, 6, 1),
    last_on=TODAY,
    entered_at_ms=1,
)


def test_only_these_steps_are_possible() -> None:
    possible = {
        (state.value, event.value, str(after))
        for state, event in product(DecisionState, EventKind)
        if (after := find_next_state(state, event)) is not None
    }

    assert possible == {
        ("proposed", "overridden", "proposed"),
        ("proposed", "submitted", "submitted"),
        ("proposed", "withdrawn", "withdrawn"),
        ("returned", "overridden", "returned"),
        ("returned", "submitted", "submitted"),
        ("returned", "withdrawn", "withdrawn"),
        ("submitted", "approval", "submitted"),
        ("submitted", "approved", "approved"),
        ("submitted", "rejected", "rejected"),
        ("submitted", "returned", "returned"),
        ("submitted", "withdrawn", "withdrawn"),
        ("approved", "active", "active"),
        ("active", "withdrawn", "withdrawn"),
        ("active", "expired", "expired"),
        ("active", "superseded", "superseded"),
    }


@pytest.mark.parametrize(
    ("amount", "number"),
    [
        (0, 0),
        (5_000_000, 0),
        (5_000_001, 1),
        (50_000_000, 1),
        (50_000_001, 2),
        (200_000_000, 2),
        (200_000_001, 3),
        (None, 3),
    ],
)
def test_the_amount_says_the_tier_and_without_a_rate_it_is_the_last(
    amount: int | None, number: int
) -> None:
    assert find_tier(TIERS, amount_minor=amount)[0] == number


@pytest.mark.parametrize(
    ("role", "tiers"),
    [
        (Role.ANALYST, [True, False, False, False]),
        (Role.CREDIT_MANAGER, [True, True, False, True]),
        (Role.CFO, [True, True, True, True]),
        (Role.SALES, [False] * 4),
        (Role.OPERATOR, [False] * 4),
        (Role.COLLECTOR, [False] * 4),
    ],
)
def test_each_role_reaches_its_tiers(role: Role, tiers: list[bool]) -> None:
    found = [
        bool(list_authorities(role=role, name="A", person="a", deputies=(), tier=tier, on=TODAY))
        for tier in TIERS
    ]

    assert found == tiers


@pytest.mark.parametrize(
    ("on", "person", "ended", "is_lent"),
    [
        (TODAY, "wu", None, True),
        (date(2026, 5, 31), "wu", None, False),
        (date(2026, 7, 1), "wu", None, False),
        (TODAY, "zhao", None, False),
        (TODAY, "wu", 5, False),
    ],
)
def test_a_deputy_has_the_role_for_the_days_that_were_named(
    on: date, person: str, ended: int | None, *, is_lent: bool
) -> None:
    deputy = replace(DEPUTY, ended_at_ms=ended)
    found = list_authorities(
        role=Role.ANALYST, name="x", person=person, deputies=[deputy], tier=TIERS[1], on=on
    )

    assert bool(found) is is_lent


def test_no_authority_counts_twice_and_none_of_a_maker() -> None:
    lent = Authority(role=Role.CREDIT_MANAGER, holder="Li", holder_person="li", deputy_id=1)
    used = [Approval(person="li", holder_person="li", role=Role.CREDIT_MANAGER)]

    assert choose_authority([lent], tier=TIERS[1], given=[], makers=NOBODY) == lent
    assert choose_authority([lent], tier=TIERS[1], given=used, makers=NOBODY) is None
    assert choose_authority([lent], tier=TIERS[1], given=[], makers=frozenset({"li"})) is None


def test_the_committee_keeps_a_place_for_the_cfo() -> None:
    manager = Authority(role=Role.CREDIT_MANAGER, holder="Wu", holder_person="wu")
    given = [Approval(person="li", holder_person="li", role=Role.CREDIT_MANAGER)]
    cfo = Approval(person="qian", holder_person="qian", role=Role.CFO)

    assert choose_authority([manager], tier=TIERS[3], given=given, makers=NOBODY) is None
    assert choose_authority([manager], tier=TIERS[3], given=[cfo], makers=NOBODY) == manager
    assert not is_approved(given, tier=TIERS[3])
    assert is_approved([*given, cfo], tier=TIERS[3])


def test_two_rows_of_one_person_or_one_authority_are_one() -> None:
    one = Approval(person="li", holder_person="li", role=Role.CREDIT_MANAGER)
    again = Approval(person="li", holder_person="qian", role=Role.CFO)
    lent = Approval(person="wu", holder_person="li", role=Role.CFO)

    assert not is_approved([one, again], tier=TIERS[3])
    assert not is_approved([one, lent], tier=TIERS[3])


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("tiers", 0, "roles"), ["sales"], "tiers"),
        (("tiers", 0, "upto_minor"), 60_000_000, "rise"),
        (("tiers", 2, "required"), ["analyst"], "tiers"),
        (("grades", 5, "monitoring"), "normal", "watched"),
        (("grades", 1, "grade"), "AAA", "one name"),
        (("starter", "grade"), "D", "one name"),
        (("confidence", "medium_arms"), 4, "medium"),
        (("interest", 1, "daily_per_million"), 0, "interest"),
        (("arms", "net_worth_permille"), 1_001, "net_worth_permille"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(
    path: tuple[str | int, ...], value: object, place: str
) -> None:
    policy = json.loads(POLICY.raw)
    inner = policy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value

    with pytest.raises(PolicyInvalidError, match=place):
        parse_decision_policy(json.dumps(policy).encode())


def test_a_last_tier_with_a_bound_or_an_inner_one_without_is_refused() -> None:
    policy = json.loads(POLICY.raw)
    del policy["tiers"][0]["upto_minor"]

    with pytest.raises(PolicyInvalidError, match="bound"):
        parse_decision_policy(json.dumps(policy).encode())


def test_a_policy_is_named_by_its_bytes_and_approves_nothing_by_itself() -> None:
    assert POLICY.label == "credit-1"
    assert len(POLICY.sha256_b64u) == 43
    assert POLICY.body.automatic_upto_minor is None
    assert parse_decision_policy(POLICY.raw + b"\n").sha256_b64u != POLICY.sha256_b64u
