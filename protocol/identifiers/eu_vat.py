"""VAT numbers of the member states of the EU, and of Northern Ireland (``XI``).

Many states number natural persons in the same scheme. Where the number shows it, it is refused.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from stdnum.eu import vat
from stdnum.exceptions import InvalidFormat
from stdnum.iso7064 import mod_97_10
from stdnum.nl import bsn

# Greece is EL here and only here; EU and IM number one-stop-shop schemes, not taxpayers of a state.
SHAPE = re.compile(r"(?!GR|EU|IM)[A-Z]{2}[0-9A-Z]{2,13}")

# What a natural person's number looks like after the prefix.
_PERSONAL_SHAPES = MappingProxyType(
    {
        "BG": re.compile(r"[0-9]{10}"),  # 9 digits: legal entities
        "CZ": re.compile(r"[0-9]{9,10}"),  # the birth number; 8 digits: legal entities
        "ES": re.compile(r"[0-9KLMXYZ][0-9A-Z]{8}"),  # DNI, NIE and their special cases
        "LT": re.compile(r"[0-9]{12}"),  # 9 digits: legal entities
        "LV": re.compile(r"[0-3][0-9]{10}"),  # the personal code; above 3: legal entities
        "PT": re.compile(r"(?:[1-3][0-9]|45)[0-9]{7}"),
        "RO": re.compile(r"[0-9]{13}"),  # the personal code (CNP)
        "SE": re.compile(r"[0-9]{2}[01][0-9]{9}"),  # month of birth; 2 and above: legal entities
        "SK": re.compile(r"[0-9]{2}[0156][0-9]{7}"),  # month of birth, 50 more for women
    }
)
_DUTCH_SHAPE = re.compile(r"NL[0-9]{9}B[0-9]{2}")


def is_personal(value: str) -> bool:
    """Tell whether the number shows that it is a natural person's."""
    if _DUTCH_SHAPE.fullmatch(value) is not None:
        # Since 2020 sole traders have a number that hides their citizen number: it passes the
        # check of the whole and not that of the first nine digits, which companies' still pass.
        return mod_97_10.is_valid(value) and not bsn.is_valid(value[2:11])
    shape = _PERSONAL_SHAPES.get(value[:2])
    return shape is not None and shape.fullmatch(value[2:]) is not None


def check_number(value: str) -> None:
    """Check the number by the rule of its state.

    Raises:
        stdnum.exceptions.ValidationError: It is none, or has another canonical form.
    """
    if vat.validate(value) != value:  # Belgium's old numbers lack the leading zero, for one.
        raise InvalidFormat


def compact_number(text: str) -> str:
    """Write a number as people type it in the canonical form, if it is any.

    Raises:
        stdnum.exceptions.ValidationError: Not the number of a member state.
    """
    number = vat.compact(text)
    return f"EL{number[2:]}" if number.startswith("GR") else number
