"""Deputies: named by the holder of a role, for some days, and never for a maker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.decision.errors import (
    DecisionSamePersonError,
    DecisionStateError,
    DeputyInvalidError,
    DeputyNotFoundError,
    NoAuthorityError,
)
from node.decision.rules_state import DecisionState
from tests.support.decisions import Chamber, build_chamber, pass_days
from tests.unit.assessment.builders import AS_OF

SMALL, MIDDLE, LARGE, LARGEST = 4_000_000, 40_000_000, 150_000_000, 500_000_000


@pytest.fixture
def chamber(tmp_path: Path) -> Iterator[Chamber]:
    chamber = build_chamber(tmp_path)
    yield chamber
    chamber.room.database.dispose()


def test_a_deputy_approves_for_the_days_that_the_holder_has_named(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=MIDDLE)
    wu, li = chamber.be("Wu", Role.ANALYST), chamber.be("Li", Role.CREDIT_MANAGER)
    with pytest.raises(NoAuthorityError):
        chamber.decisions.approve(decision_id, actor=wu)
    deputy = chamber.deputies.name(
        deputy="Wu", first_on=AS_OF, last_on=AS_OF + timedelta(days=5), actor=li
    )

    record = chamber.decisions.approve(decision_id, actor=wu)

    assert record.state is DecisionState.ACTIVE
    (given,) = record.given
    assert (given.name, given.holder, given.role, given.deputy_id) == (
        "Wu",
        "Li",
        Role.CREDIT_MANAGER,
        deputy.deputy_id,
    )


@pytest.mark.parametrize("case", ["later", "past", "ended", "holder-gone"])
def test_a_deputy_out_of_time_or_of_nobody_approves_nothing(chamber: Chamber, case: str) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=MIDDLE)
    wu, li = chamber.be("Wu", Role.ANALYST), chamber.be("Li", Role.CREDIT_MANAGER)
    first = AS_OF + timedelta(days=1) if case == "later" else AS_OF
    deputy = chamber.deputies.name(deputy="Wu", first_on=first, last_on=first, actor=li)
    if case == "past":
        pass_days(chamber, AS_OF + timedelta(days=1))
    elif case == "ended":
        with pytest.raises(DeputyNotFoundError):
            chamber.deputies.end(deputy.deputy_id, actor=wu)
        chamber.deputies.end(deputy.deputy_id, actor=li)
    elif case == "holder-gone":
        chamber.room.people.revoke_token(li.token_id)

    with pytest.raises(NoAuthorityError):
        chamber.decisions.approve(decision_id, actor=wu)


def test_a_deputy_stands_in_neither_for_a_maker_nor_beside_the_holder(chamber: Chamber) -> None:
    wu, li = chamber.be("Wu", Role.ANALYST), chamber.be("Li", Role.CREDIT_MANAGER)
    qian = chamber.be("Qian", Role.CFO)
    for holder in (li, qian):
        chamber.deputies.name(deputy="Wu", first_on=AS_OF, last_on=AS_OF, actor=holder)
    own = chamber.propose(chamber.add_customer("A1"), limit_minor=LARGE, by="Qian")
    chamber.decisions.submit(own.decision_id, by="Qian")
    with pytest.raises(DecisionSamePersonError):
        chamber.decisions.approve(own.decision_id, actor=wu)
    largest = chamber.submit(chamber.add_customer("A2"), limit_minor=LARGEST)
    chamber.decisions.approve(largest, actor=li)

    record = chamber.decisions.approve(largest, actor=wu)

    assert record.given[-1].holder == "Qian"
    assert record.state is DecisionState.ACTIVE
    third = chamber.submit(chamber.add_customer("A3"), limit_minor=LARGEST)
    chamber.decisions.approve(third, actor=qian)
    chamber.decisions.approve(third, actor=wu)
    with pytest.raises(DecisionStateError):
        chamber.decisions.approve(third, actor=li)


def test_a_deputys_own_proposal_waits_for_another(chamber: Chamber) -> None:
    wu, li = chamber.be("Wu", Role.ANALYST), chamber.be("Li", Role.CREDIT_MANAGER)
    chamber.deputies.name(deputy="Wu", first_on=AS_OF, last_on=AS_OF, actor=li)
    record = chamber.propose(chamber.add_customer("A1"), limit_minor=MIDDLE, by="Wu")
    chamber.decisions.submit(record.decision_id, by="Wu")

    with pytest.raises(DecisionSamePersonError):
        chamber.decisions.approve(record.decision_id, actor=wu)


@pytest.mark.parametrize(
    ("deputy", "first", "days"),
    [
        ("li", 0, 1),
        ("Nobody", 0, 1),
        ("Sun", 0, 1),
        ("Wu", 0, 0),
        ("Wu", 0, 93),
        ("Wu", -10, 2),
    ],
)
def test_who_cannot_be_a_deputy(chamber: Chamber, deputy: str, first: int, days: int) -> None:
    li = chamber.be("Li", Role.CREDIT_MANAGER)
    for name, role in (("Wu", Role.ANALYST), ("Sun", Role.ANALYST), ("Sun", Role.SALES)):
        chamber.be(name, role)
    first_on = AS_OF + timedelta(days=first)

    with pytest.raises(DeputyInvalidError):
        chamber.deputies.name(
            deputy=deputy,
            first_on=first_on,
            last_on=first_on + timedelta(days=days - 1),
            actor=li,
        )
