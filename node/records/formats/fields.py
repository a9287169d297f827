"""From the text of one field to a value: exact amounts, calendar dates, bounded text."""

from __future__ import annotations

import re
from datetime import date

from node.core.money import CURRENCY_FORM, AmountError, minor_exponent, parse_amount
from node.records.formats.errors import FieldError
from node.records.tables import ITEM_MINOR_MAX
from node.records.windows import FIRST_YEAR, LAST_YEAR, is_of_records

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_CHARS = 10
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,5})?")


def read_currency(text: str, *, field: str) -> str:
    """Return an ISO 4217 code.

    Raises:
        FieldError: It is none.
    """
    if not CURRENCY_FORM.fullmatch(text):
        raise FieldError(field=field, reason="not a currency code of three capitals")
    return text


def read_amount(text: str, *, currency: str, field: str) -> int:
    """Return a decimal as minor units of its currency; nothing is rounded.

    Raises:
        FieldError: It is no decimal, has digits below the minor unit, or is out of range.
    """
    if not _DECIMAL.fullmatch(text):
        raise FieldError(field=field, reason="not a decimal amount")
    _, _, decimals = text.partition(".")
    if len(decimals.rstrip("0")) > minor_exponent(currency):
        raise FieldError(field=field, reason=f"more decimals than {currency} has")
    try:
        minor = parse_amount(text, currency=currency)
    except AmountError as err:
        raise FieldError(field=field, reason=err.detail) from err
    if abs(minor) > ITEM_MINOR_MAX:
        raise FieldError(field=field, reason="larger than 10^13 minor units")
    return minor


def read_date(text: str, *, field: str) -> date:
    """Return the day of an ISO date or date and time; the zone of a day is its writer's own.

    Raises:
        FieldError: It is no date, or of another time than records can be of.
    """
    plain = text[:_DATE_CHARS]
    if not _DATE.fullmatch(plain) or text[_DATE_CHARS:][:1] not in {"", "T", "Z", "+", "-", " "}:
        raise FieldError(field=field, reason="not a date YYYY-MM-DD")
    try:
        day = date.fromisoformat(plain)
    except ValueError as err:
        raise FieldError(field=field, reason="not a date of the calendar") from err
    return check_year(day, field=field)


def check_year(day: date, *, field: str) -> date:
    """Return a day that records can be of.

    Raises:
        FieldError: It is of another time.
    """
    if not is_of_records(day):
        raise FieldError(field=field, reason=f"not within {FIRST_YEAR} to {LAST_YEAR}")
    return day


def read_text(text: str, *, chars_max: int, field: str) -> str:
    """Return a text that must say something, its white space made single.

    Raises:
        FieldError: It is empty, too long or not printable.
    """
    plain = squeeze(text)
    if not plain:
        raise FieldError(field=field, reason="empty")
    if len(plain) > chars_max:
        raise FieldError(field=field, reason=f"longer than {chars_max} characters")
    if not plain.isprintable():
        raise FieldError(field=field, reason="holds control characters")
    return plain


def squeeze(text: str) -> str:
    """Return a text with single spaces and none around it."""
    return " ".join(text.split())
