"""Months and windows: which months are released on a business date, and what they see.

A month is released ``RELEASE_DELAY_DAYS`` after its end, so that payments made in its last days
have been booked. Everything said about a release is said as of that day, whatever is known later:
one canonical text a window.
"""

from __future__ import annotations

from datetime import MAXYEAR, date, timedelta

RELEASE_DELAY_DAYS = 5
FIRST_YEAR = 1990
LAST_YEAR = 2099
MONTHS_PER_YEAR = 12


def is_of_records(day: date) -> bool:
    """Tell whether records can be of this day."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def month_of(day: date) -> int:
    """Return the month index (``year * 12 + month - 1``) of a day."""
    return day.year * MONTHS_PER_YEAR + day.month - 1


def first_day(month: int) -> date:
    """Return the first day of a month index."""
    return date(month // MONTHS_PER_YEAR, month % MONTHS_PER_YEAR + 1, 1)


def last_day(month: int) -> date:
    """Return the last day of a month index."""
    return first_day(month + 1) - timedelta(days=1)


def format_month(month: int) -> str:
    """Write a month index as ``YYYY-MM``."""
    return f"{month // MONTHS_PER_YEAR:04d}-{month % MONTHS_PER_YEAR + 1:02d}"


def parse_month(text: str) -> int:
    """Read ``YYYY-MM``.

    Raises:
        ValueError: The text is not exactly that, or no month of the calendar.
    """
    month = month_of(date.fromisoformat(f"{text}-01"))
    if format_month(month) != text or month // MONTHS_PER_YEAR >= MAXYEAR:
        raise ValueError("not YYYY-MM")
    return month


def release_date(month: int) -> date:
    """Return the release day of a window ending with this month: its as-of date."""
    return last_day(month) + timedelta(days=RELEASE_DELAY_DAYS)


def last_released_month(business_date: date) -> int:
    """Return the newest month released on a business date."""
    month = month_of(business_date) - 1
    return month if release_date(month) <= business_date else month - 1


def trailing_window(*, last_month: int, months: int) -> tuple[int, int]:
    """Return the first and last month of a window of so many whole months.

    Raises:
        ValueError: The window has no month.
    """
    if months < 1:
        raise ValueError("a window has at least one month")
    return last_month - months + 1, last_month
