"""The watch list: how one comes on it, when it is looked at, and how one leaves. Pure.

One comes on it by a finding that is new or worse, or by a person. One leaves where nothing was
found for so many quarters, or by a person once an action of this time is closed. Who leaves by a
person while a finding stands does not come back for it: only for what is new or worse.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from node.records.windows import first_day, last_day, month_of

QUARTER_MONTHS = 3
BY_PERSON = "person"


class WatchEventKind(StrEnum):
    """What happened to somebody who is watched."""

    ENTERED = "entered"
    REVIEWED = "reviewed"
    LEFT = "left"


def find_clean_on(last_found_on: date, *, quarters: int) -> date:
    """Return the day on which so many quarters without a finding are over.

    It is the same day of a later month, or the last one of a month that is shorter.
    """
    month = month_of(last_found_on) + QUARTER_MONTHS * quarters
    last = last_day(month)
    day = min(last_found_on.day, last.day)
    return first_day(month).replace(day=day)


def is_clean(last_found_on: date, *, quarters: int, as_of: date) -> bool:
    """Tell whether nothing was found for so many quarters."""
    return find_clean_on(last_found_on, quarters=quarters) <= as_of
