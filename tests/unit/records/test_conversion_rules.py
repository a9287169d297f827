"""Ageing in one currency: each column by itself, by a rate of the day or shortly before it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from node.records.rules_ageing import Ageing, Bucket
from node.records.rules_conversion import (
    RATE_AGE_DAYS_MAX,
    ExchangeRate,
    RateMissingError,
    convert_ageings,
    find_rate,
)

DAY = date(2026, 6, 30)


def rate(base: str, quote: str, nano: int, *, on: date = DAY, source: str = "PBOC") -> ExchangeRate:
    return ExchangeRate(base=base, quote=quote, on=on, rate_nano=nano, source=source)


def age(currency: str, *, not_due: int = 0, late: int = 0, unapplied: int = 0) -> Ageing:
    buckets = dict.fromkeys(Bucket, 0) | {Bucket.NOT_DUE: not_due, Bucket.D1_30: late}
    return Ageing(
        currency=currency,
        as_of=DAY,
        buckets=buckets,
        disputed_minor=late // 2,
        unapplied_minor=unapplied,
        balance_minor=not_due + late - unapplied,
    )


USD = rate("USD", "CNY", 7_123_400_000)


@pytest.mark.parametrize(
    ("found", "amount_minor", "currency", "converted"),
    [
        (USD, 10_000, "USD", 71_234),  # 100 dollars are 712.34
        (USD, 71_234, "CNY", 10_000),  # and back
        (USD, 1, "USD", 7),
        (rate("USD", "CNY", 2_500_000_000), 1, "USD", 2),  # 2.5, half to even
        (rate("USD", "CNY", 3_500_000_000), 1, "USD", 4),
        (rate("USD", "JPY", 150_250_000_000), 10_000, "USD", 15_025),  # yen have no decimals
        (rate("USD", "JPY", 150_250_000_000), 15_025, "JPY", 10_000),
        (rate("KWD", "USD", 3_250_000_000), 1_000, "KWD", 325),  # a dinar has three decimals
        (USD, -10_000, "USD", -71_234),
    ],
)
def test_minor_units_are_converted_and_rounded_half_to_even(
    found: ExchangeRate, amount_minor: int, currency: str, converted: int
) -> None:
    assert found.convert(amount_minor, currency=currency) == converted


def test_columns_add_up_to_the_balance() -> None:
    ageings = [age("CNY", not_due=100, late=50), age("USD", not_due=3, late=5, unapplied=1)]

    converted = convert_ageings(ageings, currency="CNY", as_of=DAY, rates=[USD])

    assert converted.ageing.buckets[Bucket.NOT_DUE] == 100 + 21
    assert converted.ageing.buckets[Bucket.D1_30] == 50 + 36
    assert converted.ageing.unapplied_minor == 7
    assert converted.ageing.disputed_minor == 25 + 14
    assert converted.ageing.balance_minor == 121 + 86 - 7
    assert converted.rates == (USD,)


def test_the_newest_rate_counts_and_of_one_day_the_last_one() -> None:
    older = rate("USD", "CNY", 7_000_000_000, on=DAY - timedelta(days=1))
    inverse = rate("CNY", "USD", 140_000_000)
    later = rate("USD", "CNY", 9_000_000_000, on=DAY + timedelta(days=1))

    assert find_rate("USD", "CNY", as_of=DAY, rates=[USD, older, later]) is USD
    assert find_rate("USD", "CNY", as_of=DAY, rates=[USD, inverse]) is inverse
    assert find_rate("CNY", "USD", as_of=DAY, rates=[inverse, USD]) is USD
    assert find_rate("EUR", "CNY", as_of=DAY, rates=[USD]) is None


def test_an_old_rate_converts_nothing() -> None:
    edge = rate("USD", "CNY", 7_000_000_000, on=DAY - timedelta(days=RATE_AGE_DAYS_MAX))
    old = rate("USD", "CNY", 7_000_000_000, on=DAY - timedelta(days=RATE_AGE_DAYS_MAX + 1))

    assert find_rate("USD", "CNY", as_of=DAY, rates=[edge]) is edge
    with pytest.raises(RateMissingError, match="between USD and CNY"):
        convert_ageings([age("USD", late=5)], currency="CNY", as_of=DAY, rates=[old])
