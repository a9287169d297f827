"""The clock rules of a message, to the second."""

from dataclasses import replace

import pytest

from protocol.freshness import check_freshness
from protocol.limits import CLOCK_AHEAD_S_DEFAULT, MESSAGE_LIFE_S_MAX
from protocol.message import Envelope
from protocol.problems import ClockSkewError, ExpiredError, LifeTooLongError
from tests.support.auditing import ALPHA, BETA, make_pair
from tests.support.federation import NOW_S


@pytest.fixture
def envelope() -> Envelope:
    federation, _ = make_pair()
    return federation.request(ALPHA, BETA, op="poll", body=b"", purpose="-").envelope


@pytest.mark.parametrize("life_s", [1, MESSAGE_LIFE_S_MAX])
def test_a_life_within_the_limits_is_accepted(envelope: Envelope, life_s: int) -> None:
    check_freshness(replace(envelope, exp=NOW_S + life_s), now_s=NOW_S)


@pytest.mark.parametrize("life_s", [-1, 0, MESSAGE_LIFE_S_MAX + 1])
def test_a_life_outside_the_limits_is_refused(envelope: Envelope, life_s: int) -> None:
    with pytest.raises(LifeTooLongError):
        check_freshness(replace(envelope, exp=NOW_S + life_s), now_s=NOW_S)


@pytest.mark.parametrize("age_s", [-CLOCK_AHEAD_S_DEFAULT, 0, MESSAGE_LIFE_S_MAX - 1])
def test_a_message_of_the_present_is_accepted(envelope: Envelope, age_s: int) -> None:
    check_freshness(envelope, now_s=NOW_S + age_s)


def test_a_message_from_the_future_is_refused(envelope: Envelope) -> None:
    with pytest.raises(ClockSkewError):
        check_freshness(envelope, now_s=NOW_S - CLOCK_AHEAD_S_DEFAULT - 1)


def test_how_far_ahead_is_the_receivers_to_say(envelope: Envelope) -> None:
    check_freshness(envelope, now_s=NOW_S - 60, ahead_s=60)

    with pytest.raises(ClockSkewError):
        check_freshness(envelope, now_s=NOW_S - 1, ahead_s=0)


def test_a_message_that_has_ended_is_refused(envelope: Envelope) -> None:
    with pytest.raises(ExpiredError):
        check_freshness(envelope, now_s=envelope.exp)
