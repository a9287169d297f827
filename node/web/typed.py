"""What people type into a form: amounts as they are written anywhere, days, texts, choices.

Whatever can be read in two ways is refused and not guessed: an amount that is wrong by a thousand
is worse than a question.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from unicodedata import normalize

from node.core.database import parse_key
from node.core.money import CURRENCY_FORM, AmountError, minor_exponent, parse_amount
from node.records.tables import ITEM_MINOR_MAX
from node.records.windows import is_of_records

AMOUNT_CHARACTERS_MAX = 40
NO_CURRENCY = "ZZZ"  # where none could be read: its form is not entered
_SPACES = re.compile(r"[\s\u00a0\u202f'\u2019]+")  # between groups of digits, as in 1 234 or 1'234
_PLAIN = re.compile(r"[0-9]+")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*")
_DECIMAL = re.compile(r"([0-9]+)[.,]([0-9]+)")
_GROUPED_DECIMAL = re.compile(r"([0-9]{1,3}(?:([.,])[0-9]{3})(?:\2[0-9]{3})*)(?!\2)[.,]([0-9]+)")
_AMBIGUOUS = re.compile(r"[0-9]{1,3}[.,][0-9]{3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class TypedError(Exception):
    """A field cannot be read; ``key`` names the text that says why."""

    def __init__(self, key: str) -> None:
        """Keep what is to be said beside the field."""
        super().__init__(key)
        self.key = key


def read_money(text: str, *, currency: str) -> int:
    """Return positive minor units of ``1234.56``, ``1,234.56``, ``1.234,56`` or ``1 234,56``.

    One point or comma with three digits behind it may part thousands or decimals, and is refused
    unless the currency has no other reading of it.

    Raises:
        TypedError: It is no amount, can be read in two ways, has more decimals than the currency,
            is not positive, or too large.
    """
    plain = normalize("NFKC", text).strip()
    plain = _SPACES.sub("", plain.removeprefix(currency).removesuffix(currency).lstrip("¥$€£"))
    if not plain or len(plain) > AMOUNT_CHARACTERS_MAX:
        raise TypedError("typed.money" if plain else "typed.empty")
    if _AMBIGUOUS.fullmatch(plain) and minor_exponent(currency) and not plain.startswith("0"):
        raise TypedError("typed.money-ambiguous")
    whole, decimals = _split(plain, has_decimals=minor_exponent(currency) > 0)
    if len(decimals) > minor_exponent(currency):
        raise TypedError("typed.money-decimals")
    try:
        amount_minor = parse_amount(f"{whole}.{decimals or '0'}", currency=currency)
    except AmountError as err:
        raise TypedError("typed.money-large") from err
    if amount_minor > ITEM_MINOR_MAX:
        raise TypedError("typed.money-large")
    if amount_minor == 0:
        raise TypedError("typed.money-positive")
    return amount_minor


def _split(plain: str, *, has_decimals: bool) -> tuple[str, str]:
    """Return the digits before and behind the decimal mark."""
    if _PLAIN.fullmatch(plain):
        return plain, ""
    if _GROUPED.fullmatch(plain) and not (has_decimals and _AMBIGUOUS.fullmatch(plain)):
        return re.sub("[.,]", "", plain), ""
    found = _DECIMAL.fullmatch(plain)
    if found:
        return found[1], found[2]
    found = _GROUPED_DECIMAL.fullmatch(plain)
    if found:
        return re.sub("[.,]", "", found[1]), found[3]
    raise TypedError("typed.money-positive" if plain.startswith("-") else "typed.money")


class Typed:
    """The fields of one form as sent; what cannot be read is noted beside its field.

    A reading method returns something harmless where it has noted an error: whoever reads looks at
    ``errors`` before using anything.
    """

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        """Take what was sent."""
        self.fields = fields
        self.errors: dict[str, str] = {}

    def raw(self, name: str) -> str:
        """Return what was typed, without spaces around it."""
        return self.fields.get(name, [""])[0].strip()

    def refuse(self, name: str, key: str) -> None:
        """Note the first thing that is wrong with a field."""
        self.errors.setdefault(name, key)

    def text(self, name: str, *, chars_max: int, is_required: bool = True) -> str:
        """Return a printable text."""
        text = self.raw(name)
        if not text and is_required:
            self.refuse(name, "typed.empty")
        elif len(text) > chars_max:
            self.refuse(name, "typed.long")
        elif not text.isprintable():
            self.refuse(name, "typed.control")
        return text

    def day(self, name: str) -> date:
        """Return a day of the years that records can be of."""
        return self.find_day(name) or self._miss(name)

    def find_day(self, name: str) -> date | None:
        """Return a day; None where nothing is typed, or where it is none, which is noted."""
        text = normalize("NFKC", self.raw(name)).replace("/", "-").replace(".", "-")
        if not text:
            return None
        try:
            day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None or not is_of_records(day):
            self.refuse(name, "typed.day")
            return None
        return day

    def currency(self, name: str) -> str:
        """Return a currency's code."""
        text = normalize("NFKC", self.raw(name)).upper()
        if not CURRENCY_FORM.fullmatch(text):
            self.refuse(name, "typed.currency" if text else "typed.empty")
            return NO_CURRENCY
        return text

    def money(self, name: str, *, currency: str) -> int:
        """Return a positive amount in minor units."""
        try:
            return read_money(self.raw(name), currency=currency)
        except TypedError as err:
            self.refuse(name, err.key)
            return 1

    def find_days(self, name: str, *, days_max: int) -> int | None:
        """Return a number of days; None where nothing is typed, or where it is none, noted."""
        text = normalize("NFKC", self.raw(name))
        if not text:
            return None
        if not (
            _PLAIN.fullmatch(text) and len(text) <= len(str(days_max)) and int(text) <= days_max
        ):
            self.refuse(name, "typed.terms")
            return None
        return int(text)

    def choice(self, name: str, options: Collection[str]) -> str:
        """Return one of a few values."""
        text = self.raw(name)
        if text not in options:
            self.refuse(name, "typed.choice" if text else "typed.empty")
            return next(iter(options))
        return text

    def match(self, name: str, form: re.Pattern[str], *, key: str) -> str:
        """Return a text of a form, in small letters."""
        text = self.raw(name).casefold()
        if not form.fullmatch(text):
            self.refuse(name, key if text else "typed.empty")
        return text

    def keys(self, name: str, *, known: Collection[int]) -> tuple[int, ...]:
        """Return the keys that are ticked, of those that the form showed."""
        found = [parse_key(text) for text in self.fields.get(name, [])]
        keys = tuple(dict.fromkeys(key for key in found if key is not None and key in known))
        if len(keys) != len(found):
            self.refuse(name, "typed.gone")
        return keys

    def _miss(self, name: str) -> date:
        self.refuse(name, "typed.empty")
        return date(2000, 1, 1)
