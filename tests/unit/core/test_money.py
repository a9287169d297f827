from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.core.money import (
    AMOUNT_MINOR_MAX,
    AmountError,
    divide_half_even,
    format_amount,
    minor_exponent,
    parse_amount,
)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1234.50", "CNY", 123_450),
        ("-1234.5", "CNY", -123_450),
        ("+7", "EUR", 700),
        (" 0.01 ", "USD", 1),
        (".5", "USD", 50),
        ("5.", "USD", 500),
        ("-0", "USD", 0),
        ("1234", "JPY", 1_234),
        ("1.234", "KWD", 1_234),
        ("0.125", "USD", 12),
        ("0.135", "USD", 14),
        ("2.5", "JPY", 2),
        ("3.5", "JPY", 4),
        ("10000000000000", "USD", AMOUNT_MINOR_MAX),
        ("-10000000000000", "USD", -AMOUNT_MINOR_MAX),
    ],
)
def test_a_plain_decimal_is_read_into_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency=currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "-",
        "--1",
        "1,000.00",
        "1 000",
        "1_000",
        "1e3",
        "1E+9999999",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "1.2.3",
        "\uff11\uff12",
        "CNY 5",
        "10000000000000.01",
        "9" * 1_000,
        "0." + "1" * 1_000,
    ],
)
def test_everything_else_is_no_amount(text: str) -> None:
    with pytest.raises(AmountError):
        parse_amount(text, currency="USD")


def test_a_currency_has_its_own_number_of_decimals() -> None:
    assert [minor_exponent(currency) for currency in ("JPY", "CNY", "EUR", "KWD")] == [0, 2, 2, 3]


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_456_789, "CNY", "1,234,567.89"),
        (-5, "USD", "-0.05"),
        (0, "USD", "0.00"),
        (1_234, "JPY", "1,234"),
        (1_234, "KWD", "1.234"),
    ],
)
def test_an_amount_is_written_with_separators_and_decimals(
    minor: int, currency: str, text: str
) -> None:
    assert format_amount(minor, currency=currency) == text


@given(
    minor=st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX),
    currency=st.sampled_from(["JPY", "USD", "KWD"]),
)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    text = format_amount(minor, currency=currency).replace(",", "")

    assert parse_amount(text, currency=currency) == minor


@given(numerator=st.integers(), denominator=st.integers(min_value=1))
def test_division_rounds_to_the_nearest_and_halves_to_even(
    numerator: int, denominator: int
) -> None:
    assert divide_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


def test_division_by_zero_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        divide_half_even(1, 0)
