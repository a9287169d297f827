"""Codes by time, held against RFC 6238, and each time step accepted once."""

import pytest

from node.core.people.accounts.totp import (
    STEP_S,
    build_uri,
    compute_code,
    find_step,
    format_secret,
)

SECRET = b"12345678901234567890"  # RFC 6238, appendix B
NOW_S = 1_111_111_111


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    assert compute_code(SECRET, step=at_s // STEP_S, digits=8) == code


@pytest.mark.parametrize(("away", "is_found"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_code_is_accepted_one_step_around(*, away: int, is_found: bool) -> None:
    step = NOW_S // STEP_S + away
    found = find_step(SECRET, compute_code(SECRET, step=step), now_s=NOW_S, after_step=0)

    assert found == (step if is_found else None)


def test_a_step_that_was_used_and_all_before_it_open_nothing() -> None:
    now = NOW_S // STEP_S
    codes = [compute_code(SECRET, step=step) for step in (now - 1, now, now + 1)]

    found = [find_step(SECRET, code, now_s=NOW_S, after_step=now) for code in codes]

    assert found == [None, None, now + 1]


@pytest.mark.parametrize(
    "code", ["", "00000", "050471x", "\uff10\uff15\uff10\uff14\uff17\uff11", "14050471"]
)
def test_what_is_no_code_of_six_digits_opens_nothing(code: str) -> None:
    assert find_step(SECRET, code, now_s=NOW_S, after_step=0) is None


def test_an_app_is_told_secret_issuer_and_account() -> None:
    uri = build_uri(SECRET, login="li", issuer="Alpha 示例")

    assert format_secret(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert uri.startswith("otpauth://totp/Alpha%20%E7%A4%BA%E4%BE%8B%3Ali?secret=GEZDGNBV")
    assert "issuer=Alpha%20%E7%A4%BA%E4%BE%8B" in uri
