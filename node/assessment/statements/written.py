"""How an amount of a statement is written: in the unit, in one of the two forms of numbers."""

from __future__ import annotations

import re
from decimal import Decimal

from node.assessment.statements.rules_statement import Unit
from node.core.money import minor_exponent
from node.records.importing.cells import AmountForm

_NUMBERS = {
    AmountForm.POINT: re.compile(r"(?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})(?:\.[0-9]+)?"),
    AmountForm.COMMA: re.compile(r"(?:[0-9]{1,18}|[0-9]{1,3}(?:\.[0-9]{3}){1,5})(?:,[0-9]+)?"),
}
_SIGNED = re.compile(
    r"(?P<minus>-)?(?P<plain>[0-9.,]+)|(?P<behind>[0-9.,]+)-|\((?P<bracket>[0-9.,]+)\)"
)
_DECIMALS_MIN = 2  # of a currency without any, in a unit above one


def parse_written(text: str, *, form: AmountForm, currency: str, unit: Unit) -> int | None:
    """Return an amount in minor units; negative with a minus before or behind, or in brackets.

    None where it is no number of the form, or has more decimals than the currency: 1.234 is then a
    thousand in the other form.
    """
    plain = text.replace("\u00a0", "").replace(" ", "").replace("\u2212", "-")
    signed = _SIGNED.fullmatch(plain)
    digits = "" if signed is None else signed["plain"] or signed["behind"] or signed["bracket"]
    separator = "." if form is AmountForm.POINT else ","
    decimals = len(digits.partition(separator)[2])
    if not _NUMBERS[form].fullmatch(digits) or decimals > _count_decimals(currency, unit):
        return None
    number = digits.replace("," if form is AmountForm.POINT else ".", "").replace(",", ".")
    minor = int(Decimal(number).scaleb(unit.zeros + minor_exponent(currency)))
    return -minor if signed is not None and signed["plain"] != plain else minor


def write_amount(amount_minor: int, *, form: AmountForm, currency: str, unit: Unit) -> str | None:
    """Write an amount so that it is read as the same; None where the unit is too coarse for it."""
    places = unit.zeros + minor_exponent(currency)
    whole, rest = divmod(abs(amount_minor), 10**places)
    decimals = f"{rest:0{places}d}".rstrip("0") if rest else ""
    if len(decimals) > _count_decimals(currency, unit):
        return None
    decimals = decimals.ljust(min(minor_exponent(currency), places), "0") if decimals else ""
    text = f"{whole:,}" + (f".{decimals}" if decimals else "")
    if form is AmountForm.COMMA:
        text = text.translate(str.maketrans(",.", ".,"))
    return f"-{text}" if amount_minor < 0 else text


def _count_decimals(currency: str, unit: Unit) -> int:
    exponent = minor_exponent(currency)
    return exponent if unit is Unit.ONES else max(exponent, _DECIMALS_MIN)
