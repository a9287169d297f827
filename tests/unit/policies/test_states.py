"""Which step may follow which, and who may take it."""

# ruff: noqa: RUF001  wide letters are meant

from __future__ import annotations

import pytest

from node.core.policies.rules_states import (
    Actor,
    Origin,
    PolicySamePersonError,
    PolicyState,
    PolicyStateError,
    check_second_person,
    check_step,
    read_state,
)

STEPS = {
    ("draft", "proposed"),
    ("draft", "withdrawn"),
    ("proposed", "approved"),
    ("proposed", "rejected"),
    ("proposed", "withdrawn"),
    ("approved", "active"),
    ("approved", "withdrawn"),
    ("active", "retired"),
    ("retired", "active"),
}


@pytest.mark.parametrize("wanted", list(PolicyState))
@pytest.mark.parametrize("state", list(PolicyState))
def test_a_step_follows_where_the_table_has_it_and_nowhere_else(
    state: PolicyState, wanted: PolicyState
) -> None:
    if (state.value, wanted.value) in STEPS:
        check_step(state, wanted, origin=Origin.OWN)
    else:
        with pytest.raises(PolicyStateError, match=f"{state} and cannot become {wanted}"):
            check_step(state, wanted, origin=Origin.OWN)


def test_what_ships_is_not_withdrawn() -> None:
    with pytest.raises(PolicyStateError):
        check_step(PolicyState.APPROVED, PolicyState.WITHDRAWN, origin=Origin.SHIPPED)


def test_without_an_event_it_is_a_draft() -> None:
    assert read_state([]) is PolicyState.DRAFT
    assert read_state(["proposed", "approved"]) is PolicyState.APPROVED


@pytest.mark.parametrize(
    ("who", "name"),
    [("token-1", "Wang"), ("token-9", "Li"), ("token-9", "ＬＩ "), ("operator", "Wang")],
    ids=["same token", "same name", "same name in other letters", "the operator again"],
)
def test_one_token_or_one_name_is_one_person(who: str, name: str) -> None:
    authors = [Actor(who="token-1", name="Li"), Actor(who="operator", name="Zhao")]

    with pytest.raises(PolicySamePersonError):
        check_second_person(Actor(who=who, name=name), authors)


def test_another_person_decides() -> None:
    check_second_person(Actor(who="token-2", name="Wang"), [Actor(who="token-1", name="Li")])
