"""Decisions over a real store: four eyes by amount, states, races, and the keys below them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from alembic import command
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from node.assessment.service import CollectiveAccountError
from node.core.errors import NodeError
from node.core.migrations import build_config
from node.core.people.service import OPERATOR_PRINCIPAL, Role
from node.decision.acting import Acting
from node.decision.asked import Asked
from node.decision.errors import (
    DecisionInvalidError,
    DecisionKeyReusedError,
    DecisionNotFoundError,
    DecisionOpenError,
    DecisionSamePersonError,
    DecisionStaleError,
    DecisionStateError,
    DutyConflictError,
    NoAuthorityError,
    NotApprovedError,
)
from node.decision.evidence import Wish
from node.decision.reports import find_standing
from node.decision.rules_state import DecisionState, EventKind
from node.decision.store import DecisionStore
from node.decision.tables import (
    credit_decision,
    decision_approval,
    decision_event,
    decision_hand,
    decision_version,
)
from tests.support.decisions import Chamber, build_chamber, pass_days
from tests.support.stores import get_empty_store, restore_store, store_url
from tests.unit.assessment.builders import AS_OF

SMALL, MIDDLE, LARGE, LARGEST = 4_000_000, 40_000_000, 150_000_000, 500_000_000


@pytest.fixture
def chamber(tmp_path: Path) -> Iterator[Chamber]:
    chamber = build_chamber(tmp_path)
    yield chamber
    chamber.room.database.dispose()


def test_a_decision_goes_from_its_proposal_to_its_end(chamber: Chamber) -> None:
    key = chamber.add_customer("A1")
    decision_id = chamber.submit(key, limit_minor=MIDDLE)

    record = chamber.decisions.approve(
        decision_id, actor=chamber.be("Li", Role.CREDIT_MANAGER), comment="checked"
    )

    assert record.state is DecisionState.ACTIVE
    assert record.content.limit_minor == MIDDLE
    assert [(one.kind.value, one.entered_by) for one in record.events] == [
        ("proposed", "Zhang"),
        ("submitted", "Zhang"),
        ("approval", "Li"),
        ("approved", "Li"),
        ("active", "Li"),
    ]
    standing = chamber.reports.find_standing(key)
    assert standing is not None
    assert (standing.record.decision_id, standing.active_minor) == (decision_id, MIDDLE)
    pass_days(chamber, date(2028, 1, 1))
    assert chamber.find_state(decision_id) is DecisionState.EXPIRED
    assert chamber.reports.find_standing(key) is None
    assert chamber.decisions.expire_due() == 1
    assert chamber.decisions.expire_due() == 0
    (last,) = chamber.reports.get(decision_id).record.events[-1:]
    assert (last.kind, last.entered_by) == (EventKind.EXPIRED, "node")


@pytest.mark.parametrize(
    ("amount", "role", "error"),
    [
        (SMALL, Role.ANALYST, None),
        (MIDDLE, Role.ANALYST, NoAuthorityError),
        (MIDDLE, Role.CREDIT_MANAGER, None),
        (LARGE, Role.CREDIT_MANAGER, NoAuthorityError),
        (LARGE, Role.CFO, None),
        (SMALL, Role.COLLECTOR, NoAuthorityError),
        (SMALL, Role.SALES, DutyConflictError),
    ],
)
def test_each_amount_is_for_its_roles(
    chamber: Chamber, amount: int, role: Role, error: type[NodeError] | None
) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=amount)
    actor = chamber.be("Li", role)

    if error is not None:
        with pytest.raises(error):
            chamber.decisions.approve(decision_id, actor=actor)
    else:
        chamber.decisions.approve(decision_id, actor=actor)

    state = DecisionState.ACTIVE if error is None else DecisionState.SUBMITTED
    assert chamber.find_state(decision_id) is state


def test_the_largest_amounts_are_for_two_persons_of_both_roles(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=LARGEST)
    first = chamber.decisions.approve(decision_id, actor=chamber.be("Li", Role.CREDIT_MANAGER))
    assert first.state is DecisionState.SUBMITTED

    with pytest.raises(DecisionSamePersonError, match="another authority"):
        chamber.decisions.approve(decision_id, actor=chamber.be("Wu", Role.CREDIT_MANAGER))
    second = chamber.decisions.approve(decision_id, actor=chamber.be("Qian", Role.CFO))

    assert second.state is DecisionState.ACTIVE
    assert second.approved_by == "Li; Qian"


def test_one_person_does_not_approve_twice_through_two_roles(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=LARGEST)
    chamber.decisions.approve(decision_id, actor=chamber.be("Li Wei", Role.CREDIT_MANAGER))

    for name in ("Li Wei", "LI-WEI", "\uff2ci Wei"):
        with pytest.raises(DecisionSamePersonError):
            chamber.decisions.approve(decision_id, actor=chamber.be(name, Role.CFO))


@pytest.mark.parametrize("name", ["Zhang", "zhang", "ZHANG "])
def test_who_proposes_does_not_approve_reject_or_return_however_the_name_is_written(
    chamber: Chamber, name: str
) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=SMALL)
    actor = chamber.be(name, Role.CREDIT_MANAGER)

    with pytest.raises(DecisionSamePersonError):
        chamber.decisions.approve(decision_id, actor=actor)
    with pytest.raises(DecisionSamePersonError):
        chamber.decisions.reject(decision_id, reason="no", actor=actor)
    with pytest.raises(DecisionSamePersonError):
        chamber.decisions.send_back(decision_id, reason="no", actor=actor)

    assert chamber.find_state(decision_id) is DecisionState.SUBMITTED


def test_the_operators_token_decides_nothing_under_any_name(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=SMALL)

    for actor in (OPERATOR_PRINCIPAL, replace(OPERATOR_PRINCIPAL, name="Li")):
        with pytest.raises(DutyConflictError):
            chamber.decisions.approve(decision_id, actor=actor)
        with pytest.raises(DutyConflictError):
            chamber.decisions.reject(decision_id, reason="no", actor=actor)
        with pytest.raises(NoAuthorityError):
            chamber.deputies.name(deputy="Wu", first_on=AS_OF, last_on=AS_OF, actor=actor)


def test_who_also_sells_approves_nothing(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=SMALL)
    chamber.be("li", Role.SALES)

    with pytest.raises(DutyConflictError, match="sales"):
        chamber.decisions.approve(decision_id, actor=chamber.be("Li", Role.CREDIT_MANAGER))


def test_nothing_is_active_without_its_approvals(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=SMALL)
    with chamber.room.database.write() as uow:
        act = Acting(uow=uow, today=AS_OF, now_ms=1)
        record = act.get(decision_id)
        tier = chamber.reports.get(decision_id).tier

        with pytest.raises(NotApprovedError):
            act.activate(record, approved_by="Li", tier=tier)
        with pytest.raises(NotApprovedError):
            act.activate(record, approved_by="Li")
    for state in ("active", "approved"):
        with pytest.raises(IntegrityError), chamber.room.database.engine.begin() as connection:
            connection.execute(update(credit_decision).values(state=state))
    assert chamber.find_state(decision_id) is DecisionState.SUBMITTED


def test_the_database_keeps_two_persons_apart_by_itself(chamber: Chamber) -> None:
    """Whatever the code above it believes: keys refuse a maker as approver, and one hand twice."""
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=LARGEST)
    chamber.decisions.approve(decision_id, actor=chamber.be("Li", Role.CREDIT_MANAGER))
    row = {
        "decision_id": decision_id,
        "round": 1,
        "duty": "approver",
        "name": "x",
        "holder": "x",
        "role": "cfo",
        "version": 1,
        "comment": "",
        "approved_at_ms": 1,
    }
    engine = chamber.room.database.engine
    hand = {"decision_id": decision_id, "person": "zhang", "duty": "approver"}
    for person, holder, deputy in (
        ("zhang", "zhang", None),  # who proposed it
        ("li", "li", None),  # who has approved it
        ("wu", "wu", None),  # who has no hand in it
        ("wu", "li", 1),  # an authority that is used
    ):
        values = row | {"person": person, "holder_person": holder, "deputy_id": deputy}
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(insert(decision_approval).values(**values))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(decision_hand).values(**hand))


def test_of_many_who_approve_at_once_each_person_counts_once(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=LARGEST)
    actors = [
        chamber.be("Li", Role.CREDIT_MANAGER),
        chamber.be("Li", Role.CFO),
        chamber.be("li", Role.CFO),
        chamber.be("Zhang", Role.CFO),
    ] * 3
    barrier, refused = Barrier(len(actors)), []

    def approve(number: int) -> None:
        barrier.wait()
        try:
            chamber.decisions.approve(decision_id, actor=actors[number])
        except NodeError as err:
            refused.append(err.code)

    threads = [Thread(target=approve, args=(number,)) for number in range(len(actors))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    record = chamber.reports.get(decision_id).record
    assert len(record.given) == 1
    assert record.state is DecisionState.SUBMITTED
    assert refused == ["decision-same-person"] * (len(actors) - 1)
    assert [one.seq for one in record.events] == list(range(1, len(record.events) + 1))


def test_of_many_proposals_at_once_one_is_open(chamber: Chamber) -> None:
    key = chamber.add_customer("A1")
    barrier, made, refused = Barrier(6), [], []

    def propose(number: int) -> None:
        barrier.wait()
        try:
            made.append(chamber.propose(key, by=f"person {number}").decision_id)
        except DecisionOpenError as err:
            refused.append(err.code)

    threads = [Thread(target=propose, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert (len(made), len(refused)) == (1, 5)
    with chamber.room.database.read() as uow:
        row = uow.connection.execute(select(credit_decision)).one()._asdict()
    del row["id"]
    with pytest.raises(IntegrityError), chamber.room.database.engine.begin() as connection:
        connection.execute(insert(credit_decision).values(**row))


def test_two_who_take_the_same_step_from_one_state_do_not_both(chamber: Chamber) -> None:
    record = chamber.propose(chamber.add_customer("A1"))
    chamber.decisions.submit(record.decision_id, by="Zhang")
    with chamber.room.database.write() as uow:
        act = Acting(uow=uow, today=AS_OF, now_ms=1)
        with pytest.raises(DecisionStateError, match="first"):
            act.step(record, EventKind.SUBMITTED, by="Wu")


def test_a_new_decision_takes_the_place_of_the_one_that_held(chamber: Chamber) -> None:
    key = chamber.add_customer("A1")
    li = chamber.be("Li", Role.CREDIT_MANAGER)
    first = chamber.submit(key, limit_minor=SMALL)
    chamber.decisions.approve(first, actor=li)
    second = chamber.submit(key, limit_minor=MIDDLE)
    assert chamber.reports.get(second).record.kept.active_minor == SMALL

    chamber.decisions.approve(second, actor=li)

    assert chamber.find_state(first) is DecisionState.SUPERSEDED
    assert chamber.find_state(second) is DecisionState.ACTIVE
    with chamber.room.database.read() as uow:
        standing = find_standing(uow, key, on=AS_OF)
    assert standing is not None
    assert standing.decision_id == second


def test_what_is_returned_is_approved_anew(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=LARGEST)
    li, qian = chamber.be("Li", Role.CREDIT_MANAGER), chamber.be("Qian", Role.CFO)
    chamber.decisions.approve(decision_id, actor=li)
    returned = chamber.decisions.send_back(decision_id, reason="what of its group?", actor=qian)
    assert returned.state is DecisionState.RETURNED
    chamber.decisions.submit(decision_id, by="Zhang")

    half = chamber.decisions.approve(decision_id, actor=qian)
    assert half.state is DecisionState.SUBMITTED
    whole = chamber.decisions.approve(decision_id, actor=li)

    assert whole.state is DecisionState.ACTIVE
    assert [one.round for one in whole.approvals] == [1, 2, 2]


def test_what_is_rejected_or_withdrawn_ends_and_another_may_be_proposed(chamber: Chamber) -> None:
    key = chamber.add_customer("A1")
    li = chamber.be("Li", Role.CREDIT_MANAGER)
    rejected = chamber.submit(key, limit_minor=SMALL)
    chamber.decisions.reject(rejected, reason="too new", actor=li)
    withdrawn = chamber.propose(key).decision_id
    chamber.decisions.withdraw(
        withdrawn, reason="asked for less", actor=replace(OPERATOR_PRINCIPAL, name="Zhang")
    )

    assert chamber.find_state(rejected) is DecisionState.REJECTED
    assert chamber.find_state(withdrawn) is DecisionState.WITHDRAWN
    for decision_id in (rejected, withdrawn):
        with pytest.raises(DecisionStateError):
            chamber.decisions.approve(decision_id, actor=li)
        with pytest.raises(DecisionStateError):
            chamber.decisions.submit(decision_id, by="Zhang")
    chamber.propose(key)


def test_what_is_active_is_taken_back_with_the_authority_for_its_amount_alone(
    chamber: Chamber,
) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=MIDDLE)
    li = chamber.be("Li", Role.CREDIT_MANAGER)
    chamber.decisions.approve(decision_id, actor=li)

    with pytest.raises(DutyConflictError):
        chamber.decisions.withdraw(decision_id, reason="x", actor=OPERATOR_PRINCIPAL)
    with pytest.raises(NoAuthorityError):
        chamber.decisions.withdraw(decision_id, reason="x", actor=chamber.be("Wu", Role.ANALYST))
    chamber.decisions.withdraw(decision_id, reason="court", actor=li)

    assert chamber.find_state(decision_id) is DecisionState.WITHDRAWN


def test_while_one_is_open_no_other_is_proposed(chamber: Chamber) -> None:
    key = chamber.add_customer("A1")
    first = chamber.propose(key)

    with pytest.raises(DecisionOpenError, match=f"decision {first.decision_id} is proposed"):
        chamber.propose(key, by="Wu")


def test_a_key_is_one_proposal(chamber: Chamber) -> None:
    key = chamber.add_customer("A1")
    asked = Asked(wish=Wish(limit_minor=SMALL))
    first = chamber.decisions.propose(key, asked=asked, by="Zhang", key="k-1")

    again = chamber.decisions.propose(key, asked=asked, by="Zhang", key="k-1")
    with pytest.raises(DecisionKeyReusedError):
        chamber.decisions.propose(key, asked=Asked(wish=Wish()), by="Zhang", key="k-1")

    assert again.decision_id == first.decision_id


def test_who_is_not_rated_is_not_assessed_and_that_is_not_submitted(chamber: Chamber) -> None:
    record = chamber.propose(chamber.room.add_customer("N1"))

    assert record.content.limit_minor is None
    with pytest.raises(DecisionInvalidError, match="not-assessed"):
        chamber.decisions.submit(record.decision_id, by="Zhang")


@pytest.mark.parametrize("case", ["rated", "policy", "days"])
def test_what_a_proposal_rests_on_may_not_have_moved(chamber: Chamber, case: str) -> None:
    key = chamber.add_customer("A1")
    decision_id = chamber.submit(key, limit_minor=SMALL)
    li = chamber.be("Li", Role.CREDIT_MANAGER)
    if case == "rated":
        chamber.rate(key, "CCC")
    elif case == "policy":
        chamber.policies[0] = replace(chamber.policies[0], sha256_b64u="A" * 43)
    else:
        pass_days(chamber, AS_OF + timedelta(days=31))

    with pytest.raises(DecisionStaleError):
        chamber.decisions.approve(decision_id, actor=li)
    chamber.decisions.send_back(decision_id, reason="anew", actor=li)


def test_a_collective_account_and_nobody_get_nothing(chamber: Chamber) -> None:
    with pytest.raises(CollectiveAccountError):
        chamber.propose(chamber.room.add_customer("K1", kind="collective"))
    with pytest.raises(DecisionNotFoundError):
        chamber.reports.get(99)
    with pytest.raises(DecisionNotFoundError):
        chamber.decisions.submit(99, by="Zhang")


def test_history_is_appended_and_the_state_is_that_of_the_last_event(chamber: Chamber) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=SMALL)
    with chamber.room.database.read() as uow:
        before = uow.connection.execute(select(decision_event)).all()
        versions = uow.connection.execute(select(decision_version)).all()
    chamber.decisions.approve(decision_id, actor=chamber.be("Li", Role.CREDIT_MANAGER))

    with chamber.room.database.read() as uow:
        after = uow.connection.execute(select(decision_event)).all()
        assert after[: len(before)] == before
        assert uow.connection.execute(select(decision_version)).all() == versions
        record = DecisionStore(uow.connection).find(decision_id)
    assert record is not None
    assert (record.state.value, record.last_seq) == (record.events[-1].kind.value, len(after))


def test_the_store_refuses_to_change_or_delete_what_was_decided(tmp_path: Path) -> None:
    restore_store(store_url(tmp_path / "room.sqlite"), get_empty_store())  # with its triggers
    chamber = build_chamber(tmp_path)
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=MIDDLE)
    manager = chamber.be("Li", Role.CREDIT_MANAGER)
    chamber.decisions.approve(decision_id, actor=manager, comment="checked")
    database = chamber.room.database
    kept = chamber.reports.get(decision_id)
    same = update(decision_hand).values(decision_id=decision_id)

    for table in (decision_version, decision_event, decision_hand, decision_approval):
        for statement in (update(table).values(decision_id=decision_id), delete(table)):
            with pytest.raises(DBAPIError), database.write() as uow:
                uow.connection.execute(statement)

    assert chamber.reports.get(decision_id) == kept
    command.downgrade(build_config(database), "0045")
    with database.write() as uow:
        changed = uow.connection.execute(same)
    command.upgrade(build_config(database), "head")
    with pytest.raises(DBAPIError), database.write() as uow:
        uow.connection.execute(same)
    database.dispose()
    assert changed.rowcount == 2  # the maker and the approver are still there
