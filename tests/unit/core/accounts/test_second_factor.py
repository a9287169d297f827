"""The second factor: each code once, recovery codes, and who approves."""

from __future__ import annotations

import pytest

from node.bootstrap.field_change import change_field_key
from node.core.errors import NodeError
from node.core.field_keys import is_encrypted
from node.core.people.accounts.approvals import Approvals
from node.core.people.accounts.codes import hash_recovery
from node.core.people.accounts.errors import (
    ApprovalByTokenError,
    FactorMissingError,
    FactorStaleError,
    FactorStateError,
    SignInRefusedError,
    SignInTooSoonError,
)
from node.core.people.accounts.rules_delay import (
    NAME_FREE,
)
from node.core.people.accounts.tables import (
    account,
    account_factor,
    account_recovery,
    account_session,
)
from node.core.people.service import OPERATOR_PRINCIPAL, Principal, Role
from protocol.encoding import decode_b64u, encode_b64u
from tests.support.accounts import PASSWORD, AccountDesk, read_base32

WRONG = "four grey herons wade"


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
    codes = desk.accounts.own.renew_recovery(desk.get(signed), desk.next_code("li.wei"))
    plain = {text for code in codes for text in (code, code.replace("-", ""))}
    plain |= {text.upper() for text in plain}
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
    assert not {*plain, *(text.encode() for text in plain)} & set(values)
    assert len([value for value in values if value == hash_recovery(codes[0])]) == 1
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


def test_a_secret_is_read_after_the_key_of_the_fields_was_changed(desk: AccountDesk) -> None:
    desk.open("li.wei", "Li Wei", Role.SALES)
    desk.add_factor(desk.enter("li.wei"))

    change_field_key(desk.local.settings)

    assert desk.accounts.sign_in.give_code(desk.enter("li.wei"), desk.next_code("li.wei")).cookie
