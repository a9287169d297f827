"""Four eyes are two persons, whatever tokens and accounts one person has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.config import build_settings
from node.core.people.accounts.room import Accounts, build_accounts
from node.core.people.accounts.sign_in import Credentials
from node.core.people.service import Principal, Role
from node.decision.errors import DecisionSamePersonError, DutyConflictError, NoAuthorityError
from node.decision.rules_state import DecisionState
from node.governance.people import list_holders
from tests.support.accounts import ADDRESS, PASSWORD, CountingHasher
from tests.support.decisions import Chamber, build_chamber
from tests.support.nodes import CountingBytes

MIDDLE, LARGEST = 40_000_000, 500_000_000


@pytest.fixture
def chamber(tmp_path: Path) -> Iterator[Chamber]:
    chamber = build_chamber(tmp_path)
    yield chamber
    chamber.room.database.dispose()


@pytest.fixture
def accounts(chamber: Chamber, tmp_path: Path) -> Accounts:
    return build_accounts(
        build_settings(home=tmp_path, member_id="alpha.example"),
        database=chamber.room.database,
        clock=chamber.room.people._clock,
        random_bytes=CountingBytes(1),
        hasher=CountingHasher(),
    )


def enter(accounts: Accounts, login: str, name: str, *roles: Role) -> Principal:
    made = accounts.admin.invite(login=login, name=name, roles=roles)
    accounts.own.accept(made.code, PASSWORD)
    given = Credentials(login=login, password=PASSWORD, address=ADDRESS)
    found = accounts.sign_in.find(accounts.sign_in.sign_in(given).cookie)
    assert found is not None
    return found


def test_an_account_and_a_token_of_one_person_are_one_person(
    chamber: Chamber, accounts: Accounts
) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=LARGEST)
    zhang = enter(accounts, "zhang", "ZHANG", Role.CREDIT_MANAGER)
    li = enter(accounts, "li.wei", "li-wei", Role.CREDIT_MANAGER)
    with pytest.raises(DecisionSamePersonError):  # Zhang has proposed it.
        chamber.decisions.approve(decision_id, actor=zhang)
    chamber.decisions.approve(decision_id, actor=chamber.be("Li Wei", Role.CFO))

    with pytest.raises(DecisionSamePersonError):
        chamber.decisions.approve(decision_id, actor=li)

    assert chamber.find_state(decision_id) is DecisionState.SUBMITTED
    chamber.decisions.approve(decision_id, actor=chamber.be("Wu", Role.CREDIT_MANAGER))
    assert chamber.find_state(decision_id) is DecisionState.ACTIVE


def test_a_role_against_deciding_counts_from_an_account_to_a_token(
    chamber: Chamber, accounts: Accounts
) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=MIDDLE)
    enter(accounts, "wu.s", "Wu", Role.SALES)
    wu = chamber.be("Wu", Role.CREDIT_MANAGER)
    with pytest.raises(DutyConflictError):
        chamber.decisions.approve(decision_id, actor=wu)

    found = accounts.admin.find_by_login("wu.s")
    assert found is not None
    accounts.admin.end(found.account_id)

    chamber.decisions.approve(decision_id, actor=wu)
    assert chamber.find_state(decision_id) is DecisionState.ACTIVE


def test_an_account_approves_in_the_role_in_which_it_acts(
    chamber: Chamber, accounts: Accounts
) -> None:
    decision_id = chamber.submit(chamber.add_customer("A1"), limit_minor=LARGEST)
    both = enter(accounts, "both", "Both", Role.ANALYST, Role.CREDIT_MANAGER)
    with pytest.raises(NoAuthorityError):
        chamber.decisions.approve(decision_id, actor=both)

    switched = accounts.sign_in.find(accounts.sign_in.switch_role(both, Role.CREDIT_MANAGER).cookie)
    assert switched is not None
    chamber.decisions.approve(decision_id, actor=switched)

    with chamber.room.database.read() as uow:
        now_ms = chamber.room.people._clock.now_ms()
        (holder,) = (one for one in list_holders(uow, now_ms=now_ms) if one.name == "Both")
    assert holder.roles == {Role.ANALYST, Role.CREDIT_MANAGER}
