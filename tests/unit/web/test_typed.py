"""What people type: amounts in every usual writing, nothing that can be read in two ways."""

# ruff: noqa: RUF001  full-width digits are what is typed

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.core.money import format_amount
from node.records.tables import ITEM_MINOR_MAX
from node.web.typed import Typed, TypedError, read_money

CURRENCIES = ("EUR", "JPY", "KWD")
MARKS: tuple[dict[int, int], ...] = ({}, str.maketrans(",.", ".,"), str.maketrans(",.", " ,"))


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("EUR", "1234.56", 123_456),
        ("EUR", "1234,5", 123_450),
        ("EUR", "1.234,56", 123_456),
        ("EUR", "1,234.56", 123_456),
        ("EUR", "1 234,56", 123_456),
        ("EUR", "1\u00a0234.56", 123_456),
        ("EUR", "1'234.56", 123_456),
        ("EUR", "1,234,567", 123_456_700),
        ("EUR", " EUR 12 ", 1_200),
        ("CNY", "¥１，２３４．５６", 123_456),
        ("JPY", "1,234", 1_234),
        ("KWD", "1,234.567", 1_234_567),
        ("KWD", "0.234", 234),
    ],
)
def test_an_amount_is_read_as_it_is_written(currency: str, text: str, minor: int) -> None:
    assert read_money(text, currency=currency) == minor


@pytest.mark.parametrize(
    ("currency", "text", "key"),
    [
        ("EUR", "", "typed.empty"),
        ("EUR", "EUR", "typed.empty"),
        ("EUR", "1,234", "typed.money-ambiguous"),
        ("EUR", "1.234", "typed.money-ambiguous"),
        ("KWD", "1.234", "typed.money-ambiguous"),
        ("EUR", "1.234,567", "typed.money-decimals"),
        ("EUR", "0.123", "typed.money-decimals"),
        ("JPY", "1.5", "typed.money-decimals"),
        ("EUR", "0,00", "typed.money-positive"),
        ("EUR", "-5", "typed.money-positive"),
        ("EUR", "1,23,4", "typed.money"),
        ("EUR", "1,234,56", "typed.money"),
        ("EUR", "1.234.5", "typed.money"),
        ("EUR", "1e5", "typed.money"),
        ("EUR", "NaN", "typed.money"),
        ("EUR", "9" * 50, "typed.money"),
        ("EUR", "9" * 20, "typed.money-large"),
        ("EUR", "100000000000.01", "typed.money-large"),
    ],
)
def test_what_is_no_amount_or_has_two_readings_is_refused(
    currency: str, text: str, key: str
) -> None:
    with pytest.raises(TypedError) as caught:
        read_money(text, currency=currency)
    assert caught.value.key == key


@given(st.integers(1, ITEM_MINOR_MAX), st.sampled_from(CURRENCIES), st.sampled_from(MARKS))
def test_an_amount_as_it_is_shown_is_read_back_or_asked_about(
    minor: int, currency: str, marks: dict[int, int]
) -> None:
    typed = format_amount(minor, currency=currency).translate(marks)
    try:
        assert read_money(typed, currency=currency) == minor
    except TypedError as err:
        assert err.key == "typed.money-ambiguous"  # noqa: PT017  a refusal is an answer here
        assert currency == "KWD"


@given(st.text(alphabet="0123456789.,' -", max_size=16), st.sampled_from(CURRENCIES))
def test_nothing_that_is_typed_reads_as_less_or_more_than_its_digits(
    text: str, currency: str
) -> None:
    try:
        minor = read_money(text, currency=currency)
    except TypedError:
        return
    digits = "".join(filter(str.isdigit, text)).lstrip("0")
    assert str(minor).rstrip("0") == digits.rstrip("0")


@pytest.mark.parametrize(
    ("text", "days"), [("", None), ("0", 0), ("45", 45), ("３０", 30), (" 366 ", 366)]
)
def test_days_are_read_where_any_are_typed(text: str, days: int | None) -> None:
    form = Typed({"terms": [text]})

    assert (form.find_days("terms", days_max=366), form.errors) == (days, {})


@pytest.mark.parametrize("text", ["367", "-1", "1.5", "30 d", "0045"])
def test_what_is_no_number_of_days_is_noted(text: str) -> None:
    form = Typed({"terms": [text]})

    assert form.find_days("terms", days_max=366) is None
    assert form.errors == {"terms": "typed.terms"}


@pytest.mark.parametrize("text", ["2026-06-30", "2026/06/30", "2026.06.30", "２０２６-０６-３０"])
def test_a_day_is_read_in_its_order(text: str) -> None:
    assert Typed({"on": [text]}).day("on").isoformat() == "2026-06-30"


@pytest.mark.parametrize("text", ["30/06/2026", "2026-6-30", "2026-02-30", "0001-01-01"])
def test_what_is_no_day_is_noted(text: str) -> None:
    form = Typed({"on": [text]})
    form.day("on")
    assert form.errors == {"on": "typed.day"}
