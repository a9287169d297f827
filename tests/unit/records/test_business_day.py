from datetime import date

import pytest

from node.core.errors import InvariantError
from node.records.business_day import (
    BusinessCalendars,
    CountryCalendar,
    WeekendCalendar,
    next_business_day,
)


@pytest.mark.parametrize(
    ("country", "due_on", "moved"),
    [
        ("CN", date(2026, 2, 16), date(2026, 2, 24)),  # Spring Festival
        ("CN", date(2026, 2, 14), date(2026, 2, 14)),  # a Saturday on which China works
        ("CN", date(2026, 3, 7), date(2026, 3, 9)),
        ("DE", date(2026, 4, 3), date(2026, 4, 7)),  # Good Friday to Easter Monday
        ("US", date(2025, 11, 27), date(2025, 11, 28)),  # Thanksgiving
        ("CA", date(2025, 7, 1), date(2025, 7, 2)),
        ("DE", date(2026, 4, 8), date(2026, 4, 8)),
    ],
)
def test_a_due_date_moves_to_the_next_business_day_of_the_country(
    country: str, due_on: date, moved: date
) -> None:
    calendar = BusinessCalendars().get_calendar(country)

    assert next_business_day(due_on, calendar=calendar) == moved


def test_of_an_unknown_country_only_weekends_are_known_and_it_says_so() -> None:
    calendar = CountryCalendar(country="XX")

    assert not calendar.is_known
    assert next_business_day(date(2026, 1, 3), calendar=calendar) == date(2026, 1, 5)
    assert next_business_day(date(2026, 1, 1), calendar=calendar) == date(2026, 1, 1)


def test_a_calendar_is_made_once_a_country() -> None:
    calendars = BusinessCalendars()

    assert calendars.get_calendar("DE") is calendars.get_calendar("DE")
    assert calendars.get_calendar("DE").is_known


def test_a_calendar_without_business_days_is_our_bug() -> None:
    class Never:
        def is_business_day(self, day: date) -> bool:
            return day < date.min

    with pytest.raises(InvariantError):
        next_business_day(date(2026, 1, 1), calendar=Never())


def test_weekends_are_saturday_and_sunday() -> None:
    calendar = WeekendCalendar()

    assert [calendar.is_business_day(date(2026, 1, day)) for day in (2, 3, 4, 5)] == [
        True, False, False, True,
    ]  # fmt: skip
