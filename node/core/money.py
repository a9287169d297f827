"""Money is an integer of minor units with its ISO 4217 currency; rounding has a name."""

from __future__ import annotations

import re
from decimal import Decimal

from node.core.errors import RejectedError

# ISO 4217 exponents other than 2, of the currencies traded on credit.
_EXPONENTS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0,
    "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
AMOUNT_MINOR_MAX = 10**15  # sums over a customer stay within 64 bits
AMOUNT_CHARACTERS_MAX = 28  # as many digits as decimal's context holds: rounded once, never twice
CURRENCY_FORM = re.compile(r"[A-Z]{3}")
# Decimal itself would also take 1e9, 1_000, NaN and the digits of every script.
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


class AmountError(RejectedError):
    """A text is no amount of the currency."""

    code = "amount-invalid"


def minor_exponent(currency: str) -> int:
    """Return the number of decimals of a currency."""
    return _EXPONENTS.get(currency, 2)


def parse_amount(text: str, *, currency: str) -> int:
    """Read a plain decimal (``-1234.50``) into minor units; superfluous decimals round half even.

    Raises:
        AmountError: Not a plain decimal within ±10^15 minor units.
    """
    plain = text.strip()
    if len(plain) > AMOUNT_CHARACTERS_MAX or not _PLAIN.fullmatch(plain):
        raise AmountError("not a decimal number")
    scaled = Decimal(plain).scaleb(minor_exponent(currency))
    minor = int(scaled.to_integral_value(rounding="ROUND_HALF_EVEN"))
    if abs(minor) > AMOUNT_MINOR_MAX:
        raise AmountError("larger than 10^15 minor units")
    return minor


def format_amount(amount_minor: int, *, currency: str) -> str:
    """Write minor units with thousands separators and the currency's decimals, without the code."""
    exponent = minor_exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-exponent):,.{exponent}f}"


def divide_half_even(numerator: int, denominator: int) -> int:
    """Divide integers, rounding half to even; the denominator is positive.

    Raises:
        ZeroDivisionError: The denominator is zero.
    """
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled > denominator or (doubled == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient
