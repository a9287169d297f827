"""Business days of the payer's country: the day up to which paying is on time.

Half of what looks late in raw records is the calendar: a due date on a Sunday, a holiday, a bridge
day. The rule takes a calendar object and is pure; ``BusinessCalendars`` makes them from the
``holidays`` package, which also knows the weekends on which China works. Of an unknown country only
Saturday and Sunday are known, and ``is_known`` says so.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol

import holidays

from node.core.errors import InvariantError

SHIFT_DAYS_MAX = 31  # far above the longest run of holidays; guards against a broken calendar
_SATURDAY = 5


class BusinessCalendar(Protocol):
    """Says which days are worked."""

    def is_business_day(self, day: date) -> bool:
        """Tell whether banks and offices of the country work on this day."""
        ...


def next_business_day(day: date, *, calendar: BusinessCalendar) -> date:
    """Return the day itself or the first business day after it.

    Raises:
        InvariantError: The calendar works on no day of a month.
    """
    for _ in range(SHIFT_DAYS_MAX):
        if calendar.is_business_day(day) or day == date.max:
            return day
        day += timedelta(days=1)
    raise InvariantError("a calendar without business days")


class WeekendCalendar:
    """Saturday and Sunday are free, and nothing else is known."""

    def is_business_day(self, day: date) -> bool:
        """Tell whether it is Monday to Friday."""
        return day.weekday() < _SATURDAY


class CountryCalendar:
    """Public holidays, weekends and worked weekends of one country, worked out year by year."""

    def __init__(self, *, country: str) -> None:
        self.country = country
        self.is_known = _is_known(country)
        self._weekend = WeekendCalendar()
        self._free_days: dict[int, frozenset[date]] = {}

    def is_business_day(self, day: date) -> bool:
        """Tell whether the country works on this day."""
        if not self.is_known:
            return self._weekend.is_business_day(day)
        free_days = self._free_days.get(day.year)
        if free_days is None:
            free_days = self._free_days[day.year] = _list_free_days(self.country, year=day.year)
        return day not in free_days


class BusinessCalendars:
    """One calendar a country; make one for an import and let it go afterwards."""

    def __init__(self) -> None:
        self._calendars: dict[str, CountryCalendar] = {}

    def get_calendar(self, country: str) -> CountryCalendar:
        """Return the calendar of a country (ISO 3166-1 alpha-2)."""
        calendar = self._calendars.get(country)
        if calendar is None:
            calendar = self._calendars[country] = CountryCalendar(country=country)
        return calendar


def _is_known(country: str) -> bool:
    try:
        holidays.country_holidays(country)
    except NotImplementedError:
        return False
    return True


def _list_free_days(country: str, *, year: int) -> frozenset[date]:
    known = holidays.country_holidays(country, years=year)
    first = date(year, 1, 1)
    days = (
        first + timedelta(days=number) for number in range((date(year, 12, 31) - first).days + 1)
    )
    return frozenset(day for day in days if not known.is_working_day(day))
