from datetime import date

from node.core.clock import ManualClock, SystemClock, current_business_date, now_s

MS_OF_2020 = 1_577_836_800_000


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(1_500)

    before = (clock.now_ms(), clock.now_ms(), now_s(clock))
    clock.advance_s(2)

    assert before == (1_500, 1_500, 1)
    assert (clock.now_ms(), now_s(clock)) == (3_500, 3)


def test_the_systems_clock_counts_milliseconds_of_this_age() -> None:
    clock = SystemClock()

    assert MS_OF_2020 < clock.now_ms() < 100 * MS_OF_2020
    assert clock.now_ms() <= clock.now_ms()


def test_the_business_date_is_the_fixed_one_or_the_clocks_in_utc() -> None:
    last_ms_of_a_day = ManualClock(MS_OF_2020 - 1)

    assert current_business_date(last_ms_of_a_day, fixed=None) == date(2019, 12, 31)
    assert current_business_date(ManualClock(MS_OF_2020), fixed=None) == date(2020, 1, 1)
    assert current_business_date(last_ms_of_a_day, fixed=date(2001, 2, 3)) == date(2001, 2, 3)
