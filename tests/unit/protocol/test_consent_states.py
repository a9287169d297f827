"""The table of a consent's states: what may follow, who may say so, and what counts of it all."""

from itertools import permutations

import pytest

from protocol.consent import (
    FINAL_STATES,
    STATE_RULES,
    TRANSITIONS,
    ConsentState,
    StatusSigner,
    combine_states,
    follows,
    may_sign,
)

ENDS_OF_THEMSELVES = {ConsentState.EXPIRED, ConsentState.EXHAUSTED, ConsentState.REPLACED}


def test_every_state_has_its_row() -> None:
    assert set(STATE_RULES) == set(ConsentState)
    assert all(rule.state is state for state, rule in STATE_RULES.items())


def test_an_open_state_may_become_any_other_and_a_final_one_none() -> None:
    for state in ConsentState:
        others = set(ConsentState) - {state}

        assert TRANSITIONS[state] == (set() if state in FINAL_STATES else others)
        assert not follows(state, state)


@pytest.mark.parametrize("state", ConsentState)
def test_subject_and_provider_may_state_anything_and_a_hub_no_end_that_it_cannot_see(
    state: ConsentState,
) -> None:
    assert may_sign(StatusSigner.SUBJECT, state)
    assert may_sign(StatusSigner.PROVIDER, state)
    assert may_sign(StatusSigner.HUB, state) is (state not in ENDS_OF_THEMSELVES)


@pytest.mark.parametrize("state", ConsentState)
def test_a_consumer_may_state_nothing_but_a_withdrawal(state: ConsentState) -> None:
    assert may_sign(StatusSigner.CONSUMER, state) is (state is ConsentState.REVOKED)


def test_nothing_stated_is_active() -> None:
    assert combine_states([]) is ConsentState.ACTIVE


@pytest.mark.parametrize(
    ("stated", "counts"),
    [
        ((ConsentState.ACTIVE, ConsentState.PAUSED), ConsentState.PAUSED),
        ((ConsentState.PAUSED, ConsentState.EXHAUSTED), ConsentState.EXHAUSTED),
        ((ConsentState.EXPIRED, ConsentState.REVOKED), ConsentState.REVOKED),
        ((ConsentState.ACTIVE, ConsentState.ACTIVE), ConsentState.ACTIVE),
        (
            (ConsentState.ACTIVE, ConsentState.PAUSED, ConsentState.REPLACED),
            ConsentState.REPLACED,
        ),
    ],
)
def test_the_strictest_counts_whoever_says_it(
    stated: tuple[ConsentState, ...], counts: ConsentState
) -> None:
    assert {combine_states(order) for order in permutations(stated)} == {counts}
