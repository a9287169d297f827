"""Passwords: what they have to be, and how they are kept."""

import pytest

from node.core.errors import InvariantError
from node.core.people.accounts.errors import PasswordUnfitError
from node.core.people.accounts.passwords import ArgonHasher, PasswordCost, check_password

HASHER = ArgonHasher(PasswordCost(passes=1, memory_kib=8))


@pytest.mark.parametrize(
    "password",
    ["elevenchars", "x" * 257, "wang.xiaoming", "Wang-XiaoMing", "xiaoming wang", "aaaaaaaaaaaa"],
)
def test_a_short_password_or_a_name_is_refused(password: str) -> None:
    with pytest.raises(PasswordUnfitError):
        check_password(password, login="wang.xiaoming", name="Xiaoming Wang")


@pytest.mark.parametrize("password", ["twelve chars", "x1" * 128, "三只灰鹭涉水而过清晨的河"])
def test_length_is_all_that_a_password_needs(password: str) -> None:
    check_password(password, login="wang.xiaoming", name="Xiaoming Wang")


def test_a_password_is_kept_as_argon2id_and_composed_letters_are_one() -> None:
    kept = HASHER.hash("r\u00f6sti with eggs")

    assert kept.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert HASHER.is_match(kept, "ro\u0308sti with eggs")
    assert not HASHER.is_match(kept, "rosti with eggs")
    assert HASHER.hash("r\u00f6sti with eggs") != kept


@pytest.mark.parametrize(
    ("passes", "memory_kib", "is_outdated"), [(1, 8, False), (2, 8, True), (1, 16, True)]
)
def test_what_was_kept_at_a_lower_cost_is_told(
    *, passes: int, memory_kib: int, is_outdated: bool
) -> None:
    kept = HASHER.hash("three grey herons")
    now = ArgonHasher(PasswordCost(passes=passes, memory_kib=memory_kib))

    assert now.is_outdated(kept) is is_outdated


def test_what_argon2id_has_not_made_is_a_fault_of_ours() -> None:
    with pytest.raises(InvariantError):
        HASHER.is_outdated("$argon2i$v=19$m=8,t=1,p=1$x$y")
