"""The clock rules of a message (check 6): at most 300 s of life, at most 10 s from the future."""

from __future__ import annotations

from protocol.limits import CLOCK_AHEAD_S_DEFAULT, MESSAGE_LIFE_S_MAX
from protocol.message import Envelope
from protocol.problems import ClockSkewError, ExpiredError, LifeTooLongError


def check_freshness(
    envelope: Envelope, *, now_s: int, ahead_s: int = CLOCK_AHEAD_S_DEFAULT
) -> None:
    """Check a message's times against the receiver's clock.

    Raises:
        LifeTooLongError: It does not end within 300 s after its beginning.
        ClockSkewError: It begins more than ``ahead_s`` in the future.
        ExpiredError: It has ended.
    """
    if not 0 < envelope.exp - envelope.iat <= MESSAGE_LIFE_S_MAX:
        raise LifeTooLongError(
            f"a life of {envelope.exp - envelope.iat} s; 1 to {MESSAGE_LIFE_S_MAX} are allowed"
        )
    if envelope.iat > now_s + ahead_s:
        raise ClockSkewError(f"{envelope.iat - now_s} s ahead of server time {now_s}")
    if envelope.exp <= now_s:
        raise ExpiredError(f"ended {now_s - envelope.exp} s before server time {now_s}")
