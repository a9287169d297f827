"""From the text of one cell to a value; what cannot be read says which column and why.

The value stays out of the reason because a reject report travels by mail, and a cell may hold
anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.money import CURRENCY_FORM, AmountError, parse_amount
from node.records.tables import DOCUMENT_CHARS_MAX, ITEM_MINOR_MAX, NAME_CHARS_MAX
from node.records.windows import FIRST_YEAR, LAST_YEAR, is_of_records

LINE_NUMBER_MAX = 1_000_000

SCHEME_FORM = re.compile(r"[a-z0-9.]{1,32}")
VALUE_FORM = re.compile(r"[A-Za-z0-9._/-]{1,64}")
COUNTRY_FORM = re.compile(r"[A-Z]{2}")
_INTEGER = re.compile(r"-?[0-9]{1,9}(\.0)?")  # some exports write whole numbers as floats
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]{8}(\.0)?")
_TIME_PART = re.compile(r"[ T][0-9:.]{4,15}$")
_POINT_AMOUNT = re.compile(
    r"[0-9]{1,20}(\.[0-9]{1,20})?|[0-9]{1,3}(,[0-9]{3}){1,6}(\.[0-9]{1,20})?"
)
_COMMA_AMOUNT = re.compile(r"[0-9]{1,20}(,[0-9]{1,20})?|[0-9]{1,3}(\.[0-9]{3}){1,6}(,[0-9]{1,20})?")
TRUE_WORDS = frozenset({"1", "true", "yes", "y", "x", "是"})
FALSE_WORDS = frozenset({"", "0", "false", "no", "n", "否"})


class DateForm(StrEnum):
    """How a file writes dates."""

    ISO = "iso"  # 2026-03-31
    COMPACT = "compact"  # 20260331, also 20260331.0
    GERMAN = "german"  # 31.03.2026
    SLASH = "slash"  # 2026/3/31
    DAY_FIRST = "day-first"  # 31/3/2026
    MONTH_FIRST = "month-first"  # 3/31/2026
    CHINESE = "chinese"  # 2026年3月31日


_PARTS = {
    DateForm.GERMAN: re.compile(r"(?P<d>[0-9]{1,2})\.(?P<m>[0-9]{1,2})\.(?P<y>[0-9]{4})"),
    DateForm.SLASH: re.compile(r"(?P<y>[0-9]{4})/(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})"),
    DateForm.DAY_FIRST: re.compile(r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})"),
    DateForm.MONTH_FIRST: re.compile(r"(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})"),
    DateForm.CHINESE: re.compile(r"(?P<y>[0-9]{4})年(?P<m>[0-9]{1,2})月(?P<d>[0-9]{1,2})日"),
}


class AmountForm(StrEnum):
    """How a file writes amounts; a minus may stand before or behind."""

    POINT = "point"  # 1,234.56
    COMMA = "comma"  # 1.234,56


class CellError(Exception):
    """A cell cannot be read. Stays inside the import: it becomes a line of the reject report."""

    def __init__(self, *, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RowCells:
    """The cells of one row by column name."""

    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """Return a cell's text without surrounding space; an absent column is an empty cell."""
        return self.cells.get(column, "").strip()

    def require(self, column: str) -> str:
        """Return the text of a cell that must hold something.

        Raises:
            CellError: It is empty.
        """
        text = self.text(column)
        if not text:
            raise CellError(column=column, reason="empty")
        return text

    def read_scheme(self, column: str) -> str:
        """Return an identifier scheme.

        Raises:
            CellError: It is none.
        """
        return self._match(column, SCHEME_FORM, reason="not an identifier scheme")

    def read_value(self, column: str) -> str:
        """Return an identifier's value.

        Raises:
            CellError: It is none.
        """
        return self._match(column, VALUE_FORM, reason="not an identifier")

    def read_country(self, column: str) -> str:
        """Return an ISO 3166-1 alpha-2 code.

        Raises:
            CellError: It is none.
        """
        return self._match(column, COUNTRY_FORM, reason="not a country code of two capitals")

    def read_currency(self, column: str) -> str:
        """Return an ISO 4217 code.

        Raises:
            CellError: It is none.
        """
        return self._match(column, CURRENCY_FORM, reason="not a currency code of three capitals")

    def read_name(self, column: str) -> str:
        """Return a name: printable and of bounded length.

        Raises:
            CellError: It is empty, too long or not printable.
        """
        return self._read_printable(column, chars_max=NAME_CHARS_MAX)

    def read_document_no(self, column: str) -> str:
        """Return a document number.

        Raises:
            CellError: It is empty, too long or not printable.
        """
        return self._read_printable(column, chars_max=DOCUMENT_CHARS_MAX)

    def read_integer(self, column: str) -> int:
        """Return a whole number.

        Raises:
            CellError: It holds something else.
        """
        text = self.require(column)
        if not _INTEGER.fullmatch(text):
            raise CellError(column=column, reason="not a whole number")
        return int(text.removesuffix(".0"))

    def read_line_number(self, column: str) -> int:
        """Return a document's line number; an empty cell is line 1.

        Raises:
            CellError: It is no number, or out of range.
        """
        if not self.text(column):
            return 1
        number = self.read_integer(column)
        if not 0 <= number <= LINE_NUMBER_MAX:
            raise CellError(column=column, reason="not a line number")
        return number

    def read_flag(self, column: str) -> bool:
        """Return yes or no; an empty cell is no.

        Raises:
            CellError: It says neither.
        """
        text = self.text(column).lower()
        if text not in TRUE_WORDS and text not in FALSE_WORDS:
            raise CellError(column=column, reason="neither yes nor no")
        return text in TRUE_WORDS

    def read_date(self, column: str, *, form: DateForm) -> date:
        """Return a calendar date within the years that records can be of.

        Raises:
            CellError: It is no date of this form, or of another time.
        """
        text = _TIME_PART.sub("", self.require(column))
        # Dates of workbooks come as YYYY-MM-DD whatever form the texts have; it has one reading.
        form_found = DateForm.ISO if _ISO_DATE.fullmatch(text) else form
        try:
            day = _parse_date(text, form=form_found)
        except ValueError as err:
            raise CellError(column=column, reason=f"not a date of the form {form}") from err
        if not is_of_records(day):
            raise CellError(column=column, reason=f"not within {FIRST_YEAR} to {LAST_YEAR}")
        return day

    def read_amount(self, column: str, *, currency: str, form: AmountForm) -> int:
        """Return a positive amount in minor units.

        Raises:
            CellError: It is no amount of this form, or not positive.
        """
        minor = self.read_amount_or_zero(column, currency=currency, form=form)
        if minor == 0:
            raise CellError(column=column, reason="zero")
        return minor

    def read_amount_or_zero(self, column: str, *, currency: str, form: AmountForm) -> int:
        """Return an amount in minor units that is not negative.

        Raises:
            CellError: It is no amount of this form, or negative.
        """
        minor = self.read_signed_amount(column, currency=currency, form=form)
        if minor < 0:
            raise CellError(column=column, reason="negative: credit notes are not invoices")
        return minor

    def read_signed_amount(self, column: str, *, currency: str, form: AmountForm) -> int:
        """Return an amount in minor units, negative where a minus stands before or behind it.

        Raises:
            CellError: It is no amount of this form.
        """
        digits, is_negative = _split_sign(self.require(column))
        pattern = _POINT_AMOUNT if form is AmountForm.POINT else _COMMA_AMOUNT
        if not pattern.fullmatch(digits):
            raise CellError(column=column, reason=f"not an amount of the form {form}")
        try:
            minor = parse_amount(_normalise(digits, form=form), currency=currency)
        except AmountError as err:
            raise CellError(column=column, reason=err.detail) from err
        if minor > ITEM_MINOR_MAX:
            raise CellError(column=column, reason="larger than 10^13 minor units")
        return -minor if is_negative else minor

    def _match(self, column: str, pattern: re.Pattern[str], *, reason: str) -> str:
        text = self.require(column)
        if not pattern.fullmatch(text):
            raise CellError(column=column, reason=reason)
        return text

    def _read_printable(self, column: str, *, chars_max: int) -> str:
        text = self.require(column)
        if len(text) > chars_max:
            raise CellError(column=column, reason=f"longer than {chars_max} characters")
        if not text.isprintable():
            raise CellError(column=column, reason="holds control characters")
        return text


def _parse_date(text: str, *, form: DateForm) -> date:
    match form:
        case DateForm.ISO:
            day = date.fromisoformat(text)
            if day.isoformat() != text:  # fromisoformat also takes week dates and 20260331
                raise ValueError("not YYYY-MM-DD")
            return day
        case DateForm.COMPACT:
            if not _DIGITS.fullmatch(text):
                raise ValueError("not YYYYMMDD")
            return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        case _:
            found = _PARTS[form].fullmatch(text)
            if found is None:
                raise ValueError("not of the form")
            return date(int(found["y"]), int(found["m"]), int(found["d"]))


def _split_sign(text: str) -> tuple[str, bool]:
    if text.startswith("-"):
        return text[1:].strip(), True
    if text.endswith("-"):
        return text[:-1].strip(), True
    return text, False


def _normalise(digits: str, *, form: AmountForm) -> str:
    if form is AmountForm.POINT:
        return digits.replace(",", "")
    return digits.replace(".", "").replace(",", ".")
