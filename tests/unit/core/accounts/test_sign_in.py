"""Signing in: the same answer and work for all, ever longer waits, nobody locked out."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from node.core.people.accounts.errors import (
    SignInRefusedError,
    SignInTooSoonError,
)
from node.core.people.accounts.rules_delay import (
    ADDRESS_FREE,
    NAME_FREE,
    WAIT_S_MAX,
    find_wait_s,
    parse_address,
)
from node.core.people.accounts.tables import (
    account,
)
from node.core.people.service import Role
from tests.support.accounts import ADDRESS, PASSWORD, AccountDesk

WRONG = "four grey herons wade"


def test_nobody_is_told_from_a_wrong_password(desk: AccountDesk) -> None:
    desk.open("active", "A", Role.SALES)
    locked = desk.open("locked", "B", Role.SALES)
    ended = desk.open("ended", "C", Role.SALES)
    desk.accounts.admin.invite(login="invited", name="D", roles=[Role.SALES])
    desk.accounts.admin.lock(locked)
    desk.accounts.admin.end(ended)
    answers = set()
    for login in ("active", "locked", "ended", "invited", "nobody", "no such \x00 name"):
        password = WRONG if login == "active" else PASSWORD
        before = desk.hasher.calls
        with pytest.raises(SignInRefusedError) as refused:
            desk.sign_in(login, password)
        # Work is counted, not time: argon2id is nearly all of it.
        answers.add((refused.value.code, refused.value.detail, desk.hasher.calls - before))

    assert len(answers) == 1
    assert answers.pop()[2] == 1


def test_a_password_kept_at_a_lower_cost_is_kept_anew_at_the_sign_in(desk: AccountDesk) -> None:
    account_id = desk.open("li.wei", "Li Wei", Role.SALES)
    desk.hasher.cost = 2
    with pytest.raises(SignInRefusedError):
        desk.sign_in("li.wei", WRONG)
    with desk.local.database.read() as uow:
        kept = select(account.c.password).where(account.c.id == account_id)
        assert uow.connection.execute(kept).scalar_one() == f"1:{PASSWORD}"

    desk.sign_in("li.wei")

    with desk.local.database.read() as uow:
        assert uow.connection.execute(kept).scalar_one() == f"2:{PASSWORD}"
    assert desk.enter("li.wei").name == "Li Wei"


def test_failures_wait_longer_and_longer_and_never_for_ever() -> None:
    waits = [find_wait_s(failures, free=3) for failures in range(1, 16)]

    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert find_wait_s(10**6, free=3) == WAIT_S_MAX


@pytest.mark.parametrize("login", ["li.wei", "nobody"])
def test_after_failures_a_name_waits_from_wherever_it_is_tried_and_the_wait_ends(
    desk: AccountDesk, login: str
) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    for place in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.sign_in(login, WRONG, address=f"198.51.100.{place}")
    before = desk.hasher.calls
    with pytest.raises(SignInTooSoonError) as waited:
        desk.sign_in(login, address="203.0.113.9")
    assert desk.hasher.calls == before  # Who waits costs no work.
    assert waited.value.wait_s == 1

    desk.clock.advance_s(1)

    with pytest.raises(SignInRefusedError):
        desk.sign_in(login, WRONG, address="203.0.113.9")


def test_a_success_forgets_what_was_failed_under_a_name(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    for place in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.sign_in("li.wei", WRONG, address=f"198.51.100.{place}")
    desk.clock.advance_s(1)

    assert desk.sign_in("li.wei", address="203.0.113.9").cookie
    for place in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.sign_in("li.wei", WRONG, address=f"198.51.100.{place}")


def test_a_stranger_who_guesses_does_not_make_the_owner_wait(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    desk.sign_in("li.wei")
    for place in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.sign_in("li.wei", WRONG, address=f"198.51.100.{place}")
    with pytest.raises(SignInTooSoonError):
        desk.sign_in("li.wei", address="198.51.100.99")

    assert desk.sign_in("li.wei", address=ADDRESS).cookie


def test_an_address_waits_whatever_names_it_tries(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    for number in range(ADDRESS_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.sign_in(f"name{number}", WRONG)

    with pytest.raises(SignInTooSoonError):
        desk.sign_in("li.wei")
    assert desk.sign_in("li.wei", address="192.0.2.8").cookie


def test_a_success_does_not_forget_what_else_an_address_has_tried(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    for number in range(ADDRESS_FREE):
        with pytest.raises(SignInRefusedError):
            desk.sign_in(f"name{number}", WRONG)
    desk.sign_in("li.wei")
    with pytest.raises(SignInRefusedError):
        desk.sign_in("another", WRONG)

    with pytest.raises(SignInTooSoonError):
        desk.sign_in("li.wei")


@pytest.mark.parametrize(
    ("text_", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_of_ipv6_is_its_network(text_: str, place: str) -> None:
    assert parse_address(text_) == place


def test_every_sign_in_and_refusal_is_recorded_and_a_wait_once(desk: AccountDesk) -> None:
    number = desk.open("li.wei", "Li Wei", Role.SALES)
    before = desk.count_rows()
    for _ in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.sign_in("li.wei", WRONG)
    for _ in range(3):
        with pytest.raises(SignInTooSoonError):
            desk.sign_in("li.wei")
    desk.clock.advance_s(1)
    desk.sign_in("li.wei")
    with pytest.raises(SignInRefusedError):
        desk.sign_in("nobody", WRONG)

    rows = desk.outcomes("sign-in", after=before)

    who = f"account-{number}"
    assert rows == [
        *[(who, "sign-in-refused")] * (NAME_FREE + 1),
        (who, "sign-in-too-soon"),
        (who, "ok"),
        ("nobody", "sign-in-refused"),
    ]


def test_guesses_at_once_are_no_more_than_one_after_another(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    for _ in range(NAME_FREE):
        with pytest.raises(SignInRefusedError):
            desk.sign_in("li.wei", WRONG)
    seen: list[str] = []

    def guess_meanwhile() -> None:
        with pytest.raises(SignInTooSoonError):
            desk.sign_in("li.wei")
        seen.append("waits")

    desk.hasher.meanwhile = guess_meanwhile
    with pytest.raises(SignInRefusedError):
        desk.sign_in("li.wei", WRONG)

    assert seen == ["waits"]


def test_a_password_that_was_changed_while_it_was_looked_at_opens_nothing(
    desk: AccountDesk,
) -> None:
    number = desk.open("li.wei", "Li Wei", Role.SALES)
    desk.hasher.meanwhile = lambda: desk.accounts.admin.lock(number)

    with pytest.raises(SignInRefusedError):
        desk.sign_in("li.wei")
