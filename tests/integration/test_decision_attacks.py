"""What an attack found in decisions: days that have passed, closed relations, long names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from node.assessment.service import COLLECTIVE_KIND, CollectiveAccountError
from node.core.errors import NodeError
from node.core.people.names import fold_name
from node.core.people.service import Role
from node.decision.changing import Change
from node.decision.errors import DecisionInvalidError, DecisionStaleError
from node.decision.rules_state import DecisionState
from node.records.archiving import CustomerArchivedError
from node.records.lifecycle import LifecycleService
from node.records.retention_policy import read_retention_policy
from node.records.tables import customer
from tests.support.decisions import Chamber, build_chamber, pass_days
from tests.support.ledgers import HASHER
from tests.unit.assessment.builders import AS_OF

MIDDLE, LARGEST = 40_000_000, 500_000_000


@pytest.fixture
def chamber(tmp_path: Path) -> Iterator[Chamber]:
    chamber = build_chamber(tmp_path)
    yield chamber
    chamber.room.database.dispose()


def change(chamber: Chamber, decision_id: int, changed: Change) -> None:
    chamber.decisions.override(
        decision_id,
        change=changed,
        reason_code=chamber.policies[0].body.override_reasons[0].code,
        reason="asked by the board",
        actor=chamber.be("Wu", Role.CREDIT_MANAGER),
    )


def close_relation(chamber: Chamber, key: int) -> None:
    LifecycleService(
        database=chamber.room.database,
        clock=chamber.room.people._clock,
        policy=read_retention_policy(),
        hasher=HASHER,
        business_date=AS_OF,
    ).archive(key, reason="sold no more", by="gao")


def test_what_has_run_out_before_it_is_approved_does_not_take_the_place_of_what_holds(
    chamber: Chamber,
) -> None:
    key = chamber.add_customer("A1")
    li = chamber.be("Li", Role.CREDIT_MANAGER)
    holding = chamber.submit(key, limit_minor=MIDDLE)
    chamber.decisions.approve(holding, actor=li)
    decision_id = chamber.propose(key, limit_minor=MIDDLE).decision_id
    change(chamber, decision_id, Change(valid_until=AS_OF + timedelta(days=1)))
    chamber.decisions.submit(decision_id, by="Zhang")
    pass_days(chamber, AS_OF + timedelta(days=2))

    with pytest.raises(DecisionStaleError, match="validity"):
        chamber.decisions.approve(decision_id, actor=li)

    assert chamber.find_state(holding) is DecisionState.ACTIVE


def test_a_review_is_not_due_before_it_is_decided(chamber: Chamber) -> None:
    decision_id = chamber.propose(chamber.add_customer("A1"), limit_minor=MIDDLE).decision_id

    for day in (date(1, 1, 1), AS_OF - timedelta(days=1)):
        with pytest.raises(DecisionInvalidError, match="review-past"):
            change(chamber, decision_id, Change(review_on=day))


@pytest.mark.parametrize("step", ["submit", "approve", "override"])
@pytest.mark.parametrize("became", ["closed", "collective"])
def test_who_may_get_no_credit_any_more_gets_none_by_what_waits(
    chamber: Chamber, step: str, became: str
) -> None:
    key = chamber.add_customer("A1")
    decision_id = chamber.propose(key, limit_minor=MIDDLE).decision_id
    if step == "approve":
        chamber.decisions.submit(decision_id, by="Zhang")
    expected: type[NodeError] = CustomerArchivedError
    if became == "closed":
        close_relation(chamber, key)
    else:
        expected = CollectiveAccountError
        with chamber.room.database.write() as uow:
            chosen = update(customer).where(customer.c.id == key)
            uow.connection.execute(chosen.values(kind=COLLECTIVE_KIND))

    li = chamber.be("Li", Role.CREDIT_MANAGER)
    take: dict[str, Callable[[], object]] = {
        "submit": lambda: chamber.decisions.submit(decision_id, by="Zhang"),
        "approve": lambda: chamber.decisions.approve(decision_id, actor=li),
        "override": lambda: change(chamber, decision_id, Change(limit_minor=MIDDLE // 2)),
    }

    with pytest.raises(expected):
        take[step]()

    ended = chamber.decisions.withdraw(decision_id, reason="no more", actor=li)
    assert ended.state is DecisionState.WITHDRAWN


def test_what_was_seen_is_what_is_approved(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=MIDDLE)
    li, wu = chamber.be("Li", Role.CREDIT_MANAGER), chamber.be("Zhao", Role.CREDIT_MANAGER)
    seen = chamber.reports.get(decision_id).record.versions[-1].version
    chamber.decisions.send_back(decision_id, reason="less", actor=wu)
    change(chamber, decision_id, Change(limit_minor=MIDDLE // 2))
    chamber.decisions.submit(decision_id, by="Zhang")

    with pytest.raises(DecisionStaleError, match="look at it again"):
        chamber.decisions.approve(decision_id, actor=li, version=seen)

    record = chamber.decisions.approve(decision_id, actor=li, version=seen + 1)
    assert record.content.limit_minor == MIDDLE // 2


def test_names_as_long_as_they_may_be_approve(chamber: Chamber) -> None:
    names = [name.ljust(120, name) for name in "甲乙丙"]
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=LARGEST)
    roles = (Role.CREDIT_MANAGER, Role.CFO, Role.CREDIT_MANAGER)

    for name, role in zip(names, roles, strict=True):
        if chamber.find_state(decision_id) is DecisionState.SUBMITTED:
            chamber.decisions.approve(decision_id, actor=chamber.be(name, role))

    assert chamber.find_state(decision_id) is DecisionState.ACTIVE


def test_a_name_that_is_longer_in_full_letters_proposes(chamber: Chamber) -> None:
    name = "\ufdfa" * 100  # One sign that is eighteen letters.

    record = chamber.propose(chamber.add_customer("A1"), limit_minor=MIDDLE, by=name)

    assert record.proposed_by == name
    assert fold_name(name) != fold_name(name + "a")
