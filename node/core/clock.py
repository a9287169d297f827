"""The protocol clock, read once a use case, and the business date, which is set apart from it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the present comes from."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is set, for tests and replays."""

    at_ms: int

    def now_ms(self) -> int:
        """Return the set time."""
        return self.at_ms

    def advance_s(self, seconds: int) -> None:
        """Move the clock."""
        self.at_ms += seconds * 1000


def now_s(clock: Clock) -> int:
    """Return whole seconds, as messages carry them."""
    return clock.now_ms() // 1000


def current_business_date(clock: Clock, *, fixed: date | None) -> date:
    """Return the date at which ageing and summaries are worked out.

    A fixed one lets old records be worked with; otherwise it is the clock's date in UTC.
    """
    if fixed is not None:
        return fixed
    return datetime.fromtimestamp(clock.now_ms() / 1000, tz=UTC).date()
