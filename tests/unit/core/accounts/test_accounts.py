"""Accounts: invited, active, locked, ended; sessions; a second factor; what slows guessing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import delete, select

from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.core.field_keys import is_encrypted
from node.core.people.accounts.approvals import Approvals
from node.core.people.accounts.errors import (
    AccountExistsError,
    AccountInvalidError,
    AccountNotFoundError,
    AccountStateError,
    ApprovalByTokenError,
    CodeInvalidError,
    FactorMissingError,
    FactorStaleError,
    FactorStateError,
    PasswordUnfitError,
    RoleNotHeldError,
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
    ACCOUNT_TABLES,
    account,
    account_factor,
    account_recovery,
    account_session,
)
from node.core.people.service import OPERATOR_PRINCIPAL, Principal, Role
from node.core.people.tables import access_token, person
from protocol.encoding import decode_b64u, encode_b64u
from tests.support.accounts import ADDRESS, PASSWORD, AccountDesk, build_desk, read_base32
from tests.support.console_node import build_empty_node

SEEDS = count(1)
WRONG = "four grey herons wade"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("accounts") / "home")
    yield node
    node.writer.close()
    node.local.close()


@pytest.fixture
def desk(node: Node) -> AccountDesk:
    with node.local.database.write() as uow:
        for table in (*reversed(ACCOUNT_TABLES[1:]), access_token, person):
            uow.connection.execute(delete(table))
    return build_desk(node.local, seed=next(SEEDS))


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
    desk.clock.advance_s(2)
    if login == "li.wei":
        assert desk.sign_in(login, address="203.0.113.9").cookie
        assert desk.sign_in(login, address="203.0.113.10").cookie  # A success forgets them all.


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


def test_with_a_second_factor_the_password_alone_opens_nothing_but_the_question_for_a_code(
    desk: AccountDesk,
) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    desk.add_factor(desk.enter("li.wei"))
    half = desk.sign_in("li.wei")
    assert half.awaits_code
    code = desk.next_code("li.wei")

    whole = desk.accounts.sign_in.give_code(desk.get(half), code)

    assert not whole.awaits_code
    assert desk.accounts.sign_in.find(half.cookie) is None
    facts = desk.get(whole).session
    assert facts is not None
    assert facts.factor_at_ms == desk.clock.now_ms()
    late = desk.sign_in("li.wei")
    desk.clock.advance_s(300)
    assert desk.accounts.sign_in.find(late.cookie) is None


def test_a_code_that_was_used_is_refused_wherever_it_comes_again(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    desk.add_factor(desk.enter("li.wei"))
    code = desk.next_code("li.wei")
    desk.accounts.sign_in.give_code(desk.enter("li.wei"), code)

    with pytest.raises(SignInRefusedError):
        desk.accounts.sign_in.give_code(desk.enter("li.wei"), code)


def test_codes_are_not_guessed(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    desk.add_factor(desk.enter("li.wei"))
    half = desk.enter("li.wei")
    for _ in range(NAME_FREE + 1):
        with pytest.raises(SignInRefusedError):
            desk.accounts.sign_in.give_code(half, "000000")

    with pytest.raises(SignInTooSoonError):
        desk.accounts.sign_in.give_code(half, desk.code_of(desk.secrets["li.wei"]))


def test_a_recovery_code_opens_once(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    here = desk.enter("li.wei")
    begun = desk.accounts.own.begin_factor(here, password=PASSWORD)
    code = desk.code_of(read_base32(begun.secret))
    added = desk.accounts.own.confirm_factor(here, code)
    first, *_others = added.recovery_codes

    whole = desk.accounts.sign_in.give_code(desk.enter("li.wei"), first.upper())

    assert desk.accounts.own.count_recovery(desk.get(whole)) == len(added.recovery_codes) - 1
    with pytest.raises(SignInRefusedError):
        desk.accounts.sign_in.give_code(desk.enter("li.wei"), first)


def test_a_factor_is_begun_with_the_password_and_removed_with_a_code(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    here, own = desk.enter("li.wei"), desk.accounts.own
    with pytest.raises(FactorStateError):
        own.confirm_factor(here, "000000")
    with pytest.raises(SignInRefusedError):
        own.begin_factor(here, password=WRONG)
    signed = desk.add_factor(here)
    with pytest.raises(FactorStateError):
        own.begin_factor(desk.get(signed), password=PASSWORD)
    with pytest.raises(SignInRefusedError):
        own.remove_factor(desk.get(signed), "000000")

    own.remove_factor(desk.get(signed), desk.next_code("li.wei"))

    assert not desk.sign_in("li.wei").awaits_code


def test_secrets_are_in_no_row_as_they_are(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    signed = desk.add_factor(desk.enter("li.wei"))
    with desk.local.database.read() as uow:
        rows = [
            row
            for table in (account_factor, account_session, account_recovery, account)
            for row in uow.connection.exec_driver_sql(f"SELECT * FROM {table.name}")  # noqa: S608
        ]

    secret = desk.secrets["li.wei"]
    cookie = decode_b64u(signed.cookie.partition(".")[2], bytes_exact=32)
    values = [value for row in rows for value in row]
    assert not {secret, encode_b64u(secret), cookie, signed.cookie} & set(values)
    assert is_encrypted(next(value for value in rows[0] if isinstance(value, str)))


def check(rule: Approvals, principal: Principal) -> str:
    try:
        rule.check(principal)
    except NodeError as err:
        return err.code
    return "ok"


def test_an_account_approves_with_a_fresh_code_and_a_token_as_the_node_says(
    desk: AccountDesk,
) -> None:
    desk.open("li.wei", "Li Wei", Role.CREDIT_MANAGER)
    bare = desk.enter("li.wei")
    fresh = desk.get(desk.add_factor(bare))
    people = desk.local.people
    token = people.create_token(role=Role.CFO, name="Wang", life_s=60).token
    by_token = people.get_principal(token)
    rules = {
        factor: Approvals(clock=desk.clock, factor=factor, minutes=15)
        for factor in ("accounts", "always", "never")
    }

    found = {
        factor: [check(rule, one) for one in (bare, fresh, by_token, OPERATOR_PRINCIPAL)]
        for factor, rule in rules.items()
    }
    desk.clock.advance_s(15 * 60)

    refused = ApprovalByTokenError.code
    assert found == {
        "accounts": [FactorMissingError.code, "ok", "ok", "ok"],
        "always": [FactorMissingError.code, "ok", refused, refused],
        "never": ["ok", "ok", "ok", "ok"],
    }
    assert check(rules["accounts"], fresh) == FactorStaleError.code
