"""Accounts: invited, active, locked, ended; one a person; their sessions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from node.core.people.accounts.errors import (
    AccountExistsError,
    AccountInvalidError,
    AccountNotFoundError,
    AccountStateError,
    CodeInvalidError,
    PasswordUnfitError,
    RoleNotHeldError,
    SignInRefusedError,
    SignInTooSoonError,
)
from node.core.people.accounts.rules_delay import (
    NAME_FREE,
)
from node.core.people.accounts.tables import (
    account_session,
)
from node.core.people.service import Role
from tests.support.accounts import PASSWORD, AccountDesk

WRONG = "four grey herons wade"


def test_an_invited_person_sets_a_password_once_and_signs_in(desk: AccountDesk) -> None:
    made = desk.accounts.admin.invite(login="Li.Wei", name="Li Wei", roles=[Role.ANALYST])
    with pytest.raises(SignInRefusedError):
        desk.sign_in("li.wei")
    desk.accounts.own.accept(made.code, PASSWORD)

    found = desk.enter(" LI.WEI ")

    assert (found.who, found.name, found.role) == (
        f"account-{made.account_id}",
        "Li Wei",
        Role.ANALYST,
    )
    with pytest.raises(CodeInvalidError):
        desk.accounts.own.accept(made.code, WRONG)


def test_a_code_ends_after_its_hours_and_with_the_next_one(desk: AccountDesk) -> None:
    first = desk.accounts.admin.invite(login="li.wei", name="Li Wei", roles=[Role.ANALYST])
    second = desk.accounts.admin.reset(first.account_id)
    with pytest.raises(CodeInvalidError):
        desk.accounts.own.accept(first.code, PASSWORD)

    desk.clock.advance_s(desk.local.settings.invitation_hours * 3_600)

    with pytest.raises(CodeInvalidError):
        desk.accounts.own.accept(second.code, PASSWORD)


@pytest.mark.parametrize("code", ["", "cxi_", "cxa_" + "A" * 43, "cxi_" + "A" * 43, "x\x00y"])
def test_what_is_no_code_of_ours_is_refused(desk: AccountDesk, code: str) -> None:
    with pytest.raises(CodeInvalidError):
        desk.accounts.own.accept(code, PASSWORD)


def test_a_password_that_is_unfit_leaves_the_code_as_it_was(desk: AccountDesk) -> None:
    made = desk.accounts.admin.invite(login="li.wei", name="Li Wei", roles=[Role.ANALYST])
    with pytest.raises(PasswordUnfitError):
        desk.accounts.own.accept(made.code, "short")

    desk.accounts.own.accept(made.code, PASSWORD)

    assert desk.enter("li.wei").name == "Li Wei"


@pytest.mark.parametrize(
    ("login", "name", "roles"),
    [
        ("li", "Li Wei", [Role.SALES]),
        ("li wei", "Li Wei", [Role.SALES]),
        ("li.wei", "  ", [Role.SALES]),
        ("li.wei", "--", [Role.SALES]),
        ("li.wei", "Li\nWei", [Role.SALES]),
        ("li.wei", "Li Wei", []),
        ("li.wei", "Li Wei", [Role.SALES, Role.OPERATOR]),
        ("li.wei", "Li Wei", [Role.AUDITOR]),
    ],
)
def test_an_account_without_name_or_role_is_not_made(
    desk: AccountDesk, login: str, name: str, roles: list[Role]
) -> None:
    with pytest.raises(AccountInvalidError):
        desk.accounts.admin.invite(login=login, name=name, roles=roles)
    assert desk.accounts.admin.list_accounts() == []


@pytest.mark.parametrize(("login", "name"), [("LI.WEI", "Other"), ("other", "LI-wei")])
def test_a_login_and_a_person_have_one_account(desk: AccountDesk, login: str, name: str) -> None:
    ended = desk.open("li.wei", "Li Wei", Role.SALES)
    with pytest.raises(AccountExistsError):
        desk.accounts.admin.invite(login=login, name=name, roles=[Role.SALES])

    desk.accounts.admin.end(ended)

    again = desk.accounts.admin.invite(login="li.wei2", name="LI-wei", roles=[Role.SALES])
    assert again.account_id != ended


def test_tokens_and_the_account_of_a_person_are_bound_to_one_row(desk: AccountDesk) -> None:
    people = desk.local.people
    for role, name in ((Role.ANALYST, "Li Wei"), (Role.CFO, "LI  WEI"), (Role.SALES, "Wang")):
        people.create_token(role=role, name=name, life_s=60)
    desk.open("liwei", "li-wei", Role.CREDIT_MANAGER)

    wang, second, first = people.list_tokens()
    (held,) = desk.accounts.admin.list_accounts()

    assert first.person_id == second.person_id == held.person_id
    assert wang.person_id not in {held.person_id, None}


def test_a_session_is_another_at_each_sign_in_and_the_one_brought_along_ends(
    desk: AccountDesk,
) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    first = desk.sign_in("li.wei")
    second = desk.sign_in("li.wei", former=first.cookie)

    assert first.cookie != second.cookie
    assert desk.accounts.sign_in.find(first.cookie) is None
    assert desk.get(second).name == "Li Wei"


@pytest.mark.parametrize("planted", ["s1." + "A" * 43, "s1.", "x", "1.2.3"])
def test_a_session_that_was_planted_in_the_browser_is_never_used(
    desk: AccountDesk, planted: str
) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    made = desk.sign_in("li.wei", former=planted)

    assert made.cookie != planted
    assert desk.accounts.sign_in.find(planted) is None


def test_another_role_is_another_session(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES, Role.CREDIT_MANAGER)
    signed = desk.sign_in("li.wei")
    assert signed.role is Role.SALES

    switched = desk.accounts.sign_in.switch_role(desk.get(signed), Role.CREDIT_MANAGER)

    assert desk.accounts.sign_in.find(signed.cookie) is None
    assert desk.get(switched).role is Role.CREDIT_MANAGER
    with pytest.raises(RoleNotHeldError):
        desk.accounts.sign_in.switch_role(desk.get(switched), Role.CFO)


def test_a_session_ends_unused_and_after_a_day_in_any_case(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    settings = desk.local.settings
    idle_s, whole_s = settings.session_idle_minutes * 60, settings.session_hours * 3_600
    unused, used = desk.sign_in("li.wei"), desk.sign_in("li.wei")
    for _ in range(whole_s // (idle_s - 1)):
        desk.clock.advance_s(idle_s - 1)
        assert desk.accounts.sign_in.find(used.cookie) is not None
    assert desk.accounts.sign_in.find(unused.cookie) is None

    desk.clock.advance_s(idle_s - 1)

    assert desk.accounts.sign_in.find(used.cookie) is None


@pytest.mark.parametrize("step", ["end", "lock", "reset", "roles", "factor"])
def test_what_is_done_to_an_account_ends_its_sessions_at_once(desk: AccountDesk, step: str) -> None:
    number = desk.open("li.wei", "Li Wei", Role.SALES)
    signed = desk.sign_in("li.wei")
    admin = desk.accounts.admin
    acts: dict[str, Callable[[], object]] = {
        "end": lambda: admin.end(number),
        "lock": lambda: admin.lock(number),
        "reset": lambda: admin.reset(number),
        "roles": lambda: admin.set_roles(number, [Role.ANALYST]),
        "factor": lambda: admin.reset_factor(number),
    }

    acts[step]()

    assert desk.accounts.sign_in.find(signed.cookie) is None
    with desk.local.database.read() as uow:
        left = select(account_session.c.id).where(account_session.c.ended_at_ms.is_(None))
        assert uow.connection.execute(left).all() == []


def test_a_locked_account_is_unlocked_and_an_ended_one_is_not(desk: AccountDesk) -> None:
    number = desk.open("li.wei", "Li Wei", Role.SALES)
    desk.accounts.admin.lock(number)
    with pytest.raises(SignInRefusedError):
        desk.sign_in("li.wei")
    desk.accounts.admin.unlock(number)
    assert desk.enter("li.wei").name == "Li Wei"
    desk.accounts.admin.end(number)

    admin = desk.accounts.admin
    for act in (admin.unlock, admin.lock, admin.reset, admin.reset_factor, admin.end):
        with pytest.raises(AccountStateError):
            act(number)
    with pytest.raises(AccountNotFoundError):
        admin.lock(number + 1_000)


def test_one_ends_ones_own_sessions_and_no_others(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    desk.open("wang", "Wang", Role.SALES)
    here, there = desk.enter("li.wei"), desk.sign_in("li.wei")
    other = desk.enter("wang")
    own = desk.accounts.sign_in
    assert other.session is not None
    with pytest.raises(AccountNotFoundError):
        own.end_session(here, other.session.session_id)
    assert len(own.list_sessions(here)) == 2

    assert own.end_others(here) == 1

    assert own.find(there.cookie) is None
    assert [one.session_id for one in own.list_sessions(other)] == [other.session.session_id]
    for unknown in (0, -1, 2**63):
        with pytest.raises(AccountNotFoundError):
            own.end_session(here, unknown)


def test_a_new_password_needs_the_former_one_and_ends_all_other_sessions(
    desk: AccountDesk,
) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    elsewhere = desk.sign_in("li.wei")
    signed = desk.sign_in("li.wei")
    own = desk.accounts.own
    with pytest.raises(SignInRefusedError):
        own.change_password(desk.get(signed), former=WRONG, password=WRONG)

    after = own.change_password(desk.get(signed), former=PASSWORD, password=WRONG)

    assert desk.accounts.sign_in.find(elsewhere.cookie) is None
    assert desk.accounts.sign_in.find(signed.cookie) is None
    assert desk.get(after).name == "Li Wei"
    assert desk.enter("li.wei", password=WRONG).name == "Li Wei"


def test_who_holds_a_session_does_not_guess_the_password_through_it(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    here = desk.enter("li.wei")
    for _ in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.accounts.own.change_password(here, former=WRONG, password=WRONG)

    with pytest.raises(SignInTooSoonError):
        desk.accounts.own.change_password(here, former=PASSWORD, password=WRONG)
