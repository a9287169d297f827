from datetime import date

import pytest

from node.records.windows import (
    first_day,
    format_month,
    last_day,
    last_released_month,
    month_of,
    parse_month,
    release_date,
    trailing_window,
)


def test_a_month_index_names_its_days() -> None:
    february = month_of(date(2024, 2, 17))

    assert (first_day(february), last_day(february)) == (date(2024, 2, 1), date(2024, 2, 29))
    assert last_day(month_of(date(2025, 12, 1))) == date(2025, 12, 31)


def test_a_month_is_written_and_read_back() -> None:
    assert format_month(month_of(date(2026, 1, 31))) == "2026-01"
    assert parse_month("2025-12") == month_of(date(2025, 12, 1))


@pytest.mark.parametrize("text", ["2025-13", "2025-1", "202512", "2025-12-01", "", "9999-12"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the calendar's own text or ours
        parse_month(text)


@pytest.mark.parametrize(
    ("business_date", "released"),
    [
        (date(2026, 6, 4), "2026-04"),
        (date(2026, 6, 5), "2026-05"),
        (date(2026, 6, 30), "2026-05"),
        (date(2026, 1, 4), "2025-11"),
        (date(2026, 1, 5), "2025-12"),
    ],
)
def test_a_month_is_released_five_days_after_its_end(business_date: date, released: str) -> None:
    assert format_month(last_released_month(business_date)) == released


def test_the_release_date_is_the_fifth_of_the_next_month() -> None:
    assert release_date(parse_month("2026-05")) == date(2026, 6, 5)


def test_a_trailing_window_counts_its_last_month() -> None:
    last = parse_month("2026-05")

    assert trailing_window(last_month=last, months=12) == (parse_month("2025-06"), last)
    assert trailing_window(last_month=last, months=1) == (last, last)
    with pytest.raises(ValueError, match="at least one"):
        trailing_window(last_month=last, months=0)
