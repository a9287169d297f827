"""What was tried against accounts and had to be mended, each as it was tried."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest

from node.bootstrap.home import open_database
from node.core.database import Database
from node.core.errors import NodeError
from node.core.people.accounts.admission import PLACES
from node.core.people.accounts.errors import (
    CodeInvalidError,
    SignInBusyError,
    SignInRefusedError,
    SignInTooSoonError,
)
from node.core.people.accounts.room import Accounts, build_accounts
from node.core.people.accounts.rules_delay import ADDRESS_FREE, CODE_WAIT_S_MAX, NAME_FREE
from node.core.people.accounts.sessions import TOUCH_MS
from node.core.people.accounts.totp import compute_code
from node.core.people.service import Principal, Role
from tests.support.accounts import ADDRESS, PASSWORD, AccountDesk, CountingHasher
from tests.support.nodes import CountingBytes

WRONG = "four grey herons wade"
DEVICE = "a-device"
TRIERS = 4


def test_a_second_factor_that_is_removed_leaves_no_session_behind(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.CREDIT_MANAGER)
    signed = desk.add_factor(desk.enter("li.wei"))
    half = desk.sign_in("li.wei")
    own = desk.accounts.own

    own.remove_factor(desk.get(signed), desk.next_code("li.wei"))

    # The half would be asked for a code that there is not, for ever.
    assert desk.accounts.sign_in.find(half.cookie) is None
    assert desk.accounts.sign_in.find(signed.cookie) is None


@pytest.mark.parametrize("act", ["codes", "remove", "begin"])
def test_a_session_that_was_ended_does_nothing_that_was_on_its_way(
    desk: AccountDesk, act: str
) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    here, own = desk.enter("li.wei"), desk.accounts.own
    if act != "begin":
        here = desk.get(desk.add_factor(here))
    assert here.session is not None
    desk.accounts.sign_in.end_session(here, here.session.session_id)
    acts: dict[str, Callable[[], object]] = {
        "codes": lambda: own.renew_recovery(here, desk.next_code("li.wei")),
        "remove": lambda: own.remove_factor(here, desk.next_code("li.wei")),
        "begin": lambda: own.begin_factor(here, password=PASSWORD),
    }

    with pytest.raises(SignInRefusedError):
        acts[act]()

    if act != "begin":
        assert desk.sign_in("li.wei").awaits_code


def test_a_link_that_was_not_used_before_a_lock_is_of_no_use_after_it(desk: AccountDesk) -> None:
    made = desk.accounts.admin.invite(login="li.wei", name="Li Wei", roles=[Role.SALES])
    desk.accounts.admin.lock(made.account_id)
    desk.accounts.admin.unlock(made.account_id)

    with pytest.raises(CodeInvalidError):
        desk.accounts.own.accept(made.code, PASSWORD)

    again = desk.accounts.admin.reset(made.account_id)
    desk.accounts.own.accept(again.code, PASSWORD)
    assert desk.enter("li.wei").name == "Li Wei"


def test_after_costs_were_raised_a_name_that_exists_takes_as_long_as_one_that_does_not(
    desk: AccountDesk,
) -> None:
    desk.open("old.one", "A", Role.SALES)
    desk.hasher.cost = 3
    desk.open("new.one", "B", Role.SALES)
    work = set()
    for login in ("old.one", "new.one", "nobody"):
        before = desk.hasher.work
        with pytest.raises(SignInRefusedError):
            desk.sign_in(login, WRONG)
        work.add(desk.hasher.work - before)

    assert work == {1 + 3}


def test_another_accounts_password_opens_nothing_though_it_is_compared_with(
    desk: AccountDesk,
) -> None:
    desk.open("old.one", "A", Role.SALES)
    desk.hasher.cost = 2
    made = desk.accounts.admin.invite(login="new.one", name="B", roles=[Role.SALES])
    desk.accounts.own.accept(made.code, WRONG)

    for login, password in (("new.one", PASSWORD), ("old.one", WRONG), ("nobody", PASSWORD)):
        with pytest.raises(SignInRefusedError):
            desk.sign_in(login, password)


def test_a_page_is_shown_while_the_store_is_written_for_long(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    signed = desk.sign_in("li.wei")
    desk.clock.advance_s(TOUCH_MS // 1_000)
    other = Database(url=desk.local.database.url)
    with other.write():
        found = desk.accounts.sign_in.find(signed.cookie)
        seen = desk.accounts.sign_in.list_sessions(desk.get(signed))[0].seen_at_ms
    other.dispose()

    assert found is not None
    assert seen == desk.clock.now_ms() - TOUCH_MS
    here = desk.get(signed)
    assert desk.accounts.sign_in.list_sessions(here)[0].seen_at_ms == desk.clock.now_ms()


def test_who_guesses_codes_with_a_stolen_password_makes_nobody_else_wait(
    desk: AccountDesk,
) -> None:
    desk.open("li.wei", "Li Wei", Role.CREDIT_MANAGER)
    inside = desk.get(desk.add_factor(desk.enter("li.wei")))
    sign_in = desk.accounts.sign_in
    thief = desk.enter("li.wei", address="198.51.100.1")
    for _ in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            sign_in.give_code(thief, "000000")
    with pytest.raises(SignInTooSoonError):
        sign_in.give_code(thief, "000000")

    code = compute_code(desk.secrets["li.wei"], step=desk.clock.now_ms() // 30_000 + 1)
    whole = sign_in.give_code(inside, code)  # No time has passed: the thief still waits.
    assert desk.get(whole).name == "Li Wei"
    half = desk.enter("li.wei", device=DEVICE)
    with pytest.raises(SignInRefusedError):  # It may try at once too; this code was used.
        sign_in.give_code(half, code, device=DEVICE)


def test_codes_that_a_stranger_tries_wait_for_an_hour_in_the_end(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    desk.add_factor(desk.enter("li.wei"))
    waits, tried = [0], 0
    while sum(waits) < 86_400:
        thief = desk.enter("li.wei")
        try:
            desk.accounts.sign_in.give_code(thief, "000000")
        except SignInTooSoonError as err:
            desk.clock.advance_s(err.wait_s)
            waits.append(err.wait_s)
        except SignInRefusedError:
            tried += 1

    assert max(waits) == CODE_WAIT_S_MAX
    assert tried < 40  # of a million


def test_a_device_that_has_signed_in_does_not_wait_for_who_guesses_beside_it(
    desk: AccountDesk,
) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    desk.sign_in("li.wei")
    for number in range(ADDRESS_FREE + 1):  # From the same office: its address is known too.
        desk.clock.advance_s(400 if number > NAME_FREE else 0)
        with pytest.raises(SignInRefusedError):
            desk.sign_in("li.wei", WRONG)
    with pytest.raises(SignInTooSoonError):
        desk.sign_in("li.wei")

    assert desk.sign_in("li.wei", device=DEVICE).cookie


def test_with_a_device_one_does_not_guess_either(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    for _ in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.sign_in("li.wei", WRONG, device=DEVICE)

    with pytest.raises(SignInTooSoonError):
        desk.sign_in("li.wei", device=DEVICE)
    assert desk.sign_in("li.wei", device="another").cookie


def test_a_crowd_of_sign_ins_is_sent_away_at_once_and_counts_against_nobody(
    desk: AccountDesk,
) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    seen: list[str] = []
    numbers = count(1)

    def come_in() -> None:
        """Sign in while another sign-in has its password looked at, until no place is left."""
        desk.hasher.meanwhile = come_in
        number = next(numbers)
        try:
            desk.sign_in(f"name{number}", WRONG, address=f"198.51.100.{number}")
        except NodeError as err:
            seen.append(err.code)

    come_in()
    desk.hasher.meanwhile = None

    assert seen == [SignInBusyError.code] + [SignInRefusedError.code] * PLACES
    before = desk.count_rows()
    assert desk.sign_in("li.wei", address=ADDRESS).cookie
    assert desk.outcomes("sign-in", after=before)[0][1] == "ok"


def test_a_crowd_of_strangers_leaves_places_to_devices_that_are_known(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    let_in: list[str] = []
    numbers = count(1)

    def crowd() -> None:
        desk.hasher.meanwhile = crowd
        number = next(numbers)
        try:
            desk.sign_in(f"name{number}", WRONG, address=f"198.51.100.{number}")
        except SignInBusyError:
            desk.hasher.meanwhile = None
            let_in.append(desk.sign_in("li.wei", device=DEVICE).cookie)
        except SignInRefusedError:
            pass

    crowd()

    assert len(let_in) == 1


def _race(desk: AccountDesk, act: Callable[[Accounts, int], object]) -> list[str]:
    """Let several stores of their own, as processes have them, do the same at once."""
    barrier = Barrier(TRIERS)

    def run(number: int) -> str:
        database = open_database(desk.local.settings)
        accounts = build_accounts(
            desk.local.settings,
            database=database,
            clock=desk.clock,
            random_bytes=CountingBytes(1_000 + number),
            hasher=CountingHasher(),
        )
        barrier.wait()
        try:
            act(accounts, number)
        except NodeError as err:
            return err.code
        finally:
            database.dispose()
        return "ok"

    with ThreadPoolExecutor(TRIERS) as pool:
        return sorted(pool.map(run, range(TRIERS)))


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_several_processes_that_use_one_code_one_wins(desk: AccountDesk, kind: str) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    here = desk.enter("li.wei")
    halves, code = _prepare(desk, here, kind=kind)

    found = _race(desk, lambda accounts, one: accounts.sign_in.give_code(halves[one], code))

    assert found == ["ok"] + [SignInRefusedError.code] * (TRIERS - 1)


def _prepare(desk: AccountDesk, here: Principal, *, kind: str) -> tuple[list[Principal], str]:
    desk.add_factor(here)
    whole = desk.get(
        desk.accounts.sign_in.give_code(desk.enter("li.wei"), desk.next_code("li.wei"))
    )
    codes = desk.accounts.own.renew_recovery(whole, desk.next_code("li.wei"))
    halves = [desk.enter("li.wei") for _ in range(TRIERS)]
    return halves, codes[0] if kind == "recovery" else desk.next_code("li.wei")


def test_of_several_processes_that_use_one_link_one_wins(desk: AccountDesk) -> None:
    made = desk.accounts.admin.invite(login="li.wei", name="Li Wei", roles=[Role.SALES])

    found = _race(
        desk, lambda accounts, one: accounts.own.accept(made.code, f"{PASSWORD} number {one}")
    )

    assert found == sorted(["ok"] + [CodeInvalidError.code] * (TRIERS - 1))
    opened = 0
    for one in range(TRIERS):
        try:
            desk.sign_in("li.wei", f"{PASSWORD} number {one}", address=f"192.0.2.{one}")
        except SignInRefusedError:
            continue
        opened += 1
    assert opened == 1
