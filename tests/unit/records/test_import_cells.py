from datetime import date

import pytest

from node.records.importing.cells import AmountForm, CellError, DateForm, RowCells


def row(text: str) -> RowCells:
    return RowCells({"c": text})


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("2026-03-31", DateForm.ISO, date(2026, 3, 31)),
        ("2026-03-31 00:00:00", DateForm.ISO, date(2026, 3, 31)),
        ("20200210.0", DateForm.COMPACT, date(2020, 2, 10)),
        ("20200125", DateForm.COMPACT, date(2020, 1, 25)),
        ("31.03.2026", DateForm.GERMAN, date(2026, 3, 31)),
        (" 2026/3/9 ", DateForm.SLASH, date(2026, 3, 9)),
        ("31/3/2026", DateForm.DAY_FIRST, date(2026, 3, 31)),
        ("3/31/2026", DateForm.MONTH_FIRST, date(2026, 3, 31)),
        ("2026年3月31日", DateForm.CHINESE, date(2026, 3, 31)),
        ("2026-03-31", DateForm.GERMAN, date(2026, 3, 31)),  # the one reading that it has
    ],
)
def test_dates_are_read_in_their_form(text: str, form: DateForm, expected: date) -> None:
    assert row(text).read_date("c", form=form) == expected


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", DateForm.ISO), ("20260331", DateForm.ISO), ("2026-W10-1", DateForm.ISO),
        ("2026-02-30", DateForm.ISO), ("1970-01-01", DateForm.ISO), ("2100-01-01", DateForm.ISO),
        ("2026021", DateForm.COMPACT), ("20261301", DateForm.COMPACT),
        ("31.03", DateForm.GERMAN), ("31/03/2026", DateForm.SLASH), ("a/b/c", DateForm.SLASH),
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str, form: DateForm) -> None:
    with pytest.raises(CellError) as caught:
        row(text).read_date("c", form=form)

    assert caught.value.column == "c"


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("1234.56", AmountForm.POINT, 123456),
        ("1,234.56", AmountForm.POINT, 123456),
        ("2309.7899999999995", AmountForm.POINT, 230979),
        ("7209.0", AmountForm.POINT, 720900),
        ("1.234,56", AmountForm.COMMA, 123456),
        ("1234,5", AmountForm.COMMA, 123450),
    ],
)
def test_amounts_are_read_in_their_form(text: str, form: AmountForm, expected: int) -> None:
    assert row(text).read_amount("c", currency="CNY", form=form) == expected


@pytest.mark.parametrize(
    ("text", "form", "reason"),
    [
        ("", AmountForm.POINT, "empty"),
        ("0.00", AmountForm.POINT, "zero"),
        ("-5.00", AmountForm.POINT, "credit notes"),
        ("1.234,56-", AmountForm.COMMA, "credit notes"),
        ("1.234,56", AmountForm.POINT, "form point"),
        ("1,23,4.5", AmountForm.POINT, "form point"),
        ("1e5", AmountForm.POINT, "form point"),
        ("NaN", AmountForm.POINT, "form point"),
        ("٣", AmountForm.POINT, "form point"),
        ("100000000001", AmountForm.POINT, "10^13"),
        ("99999999999999999999", AmountForm.POINT, "10^15"),
    ],
)
def test_what_is_no_amount_is_refused_without_repeating_it(
    text: str, form: AmountForm, reason: str
) -> None:
    with pytest.raises(CellError) as caught:
        row(text).read_amount("c", currency="CNY", form=form)

    assert reason in caught.value.reason
    assert not text or text not in caught.value.reason


def test_minor_units_follow_the_currency() -> None:
    assert row("1234").read_amount("c", currency="JPY", form=AmountForm.POINT) == 1234
    assert row("1.234").read_amount("c", currency="KWD", form=AmountForm.POINT) == 1234


@pytest.mark.parametrize(
    ("text", "expected"), [("", False), ("no", False), ("否", False), ("YES", True), ("是", True)]
)
def test_flags_are_read(text: str, *, expected: bool) -> None:
    assert row(text).read_flag("c") is expected


def test_a_flag_of_another_word_is_refused() -> None:
    with pytest.raises(CellError):
        row("perhaps").read_flag("c")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), ("x" * 201, "longer"), ("a\x07b", "control"), ("a\u2028b", "control")],
)
def test_names_are_printable_and_bounded(text: str, reason: str) -> None:
    with pytest.raises(CellError) as caught:
        row(text).read_name("c")

    assert reason in caught.value.reason


def test_codes_must_match_their_pattern() -> None:
    good = RowCells({"scheme": "cn.uscc", "value": "A-1/2", "country": "CN", "currency": "CNY"})

    assert good.read_scheme("scheme") == "cn.uscc"
    assert good.read_value("value") == "A-1/2"
    assert good.read_country("country") == "CN"
    assert good.read_currency("currency") == "CNY"
    for read in (row("cn").read_country, row("RMB2").read_currency, row("a b").read_value):
        with pytest.raises(CellError):
            read("c")


def test_line_numbers_default_to_one_and_are_bounded() -> None:
    assert row("").read_line_number("c") == 1
    assert row("7.0").read_line_number("c") == 7
    for text in ("-1", "1.5", "1000001", "1234567890"):
        with pytest.raises(CellError):
            row(text).read_line_number("c")
