"""How numbers of a policy are written and read, by the ending of their member's name. Pure.

``_deci`` is tenths and ``_milli`` thousandths; ``_permille``, ``_centipercent`` and ``_ppm`` are
shares and are written in per cent. Below a member with such an ending the values have its unit, but
for ``at``, which is where a step begins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Place = tuple[str | int, ...]

AT = "at"
_DECIMALS = {"_deci": 1, "_milli": 3, "_permille": 1, "_centipercent": 2, "_ppm": 4}
_SHARES = ("_permille", "_centipercent", "_ppm")
_NUMBER = re.compile(r"(-?)([0-9]{1,9})(?:[.]([0-9]{1,4}))?")


def find_unit(place: Place) -> str:
    """Return the ending that says the unit of a value; empty for a plain number."""
    if place and place[-1] == AT:
        return ""
    for part in reversed(place):
        for ending in _DECIMALS:
            if isinstance(part, str) and part.endswith(ending):
                return ending
    return ""


def format_number(value: int, place: Place) -> str:
    """Write a number in its unit: ``24.0``, ``75.0%``, ``12``."""
    unit = find_unit(place)
    decimals = _DECIMALS.get(unit, 0)
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 10**decimals)
    text = f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"
    return f"{text}%" if unit in _SHARES else text


def parse_number(text: str, place: Place) -> int | None:
    """Read a number in its unit; None where it is none, or finer than the unit."""
    unit = find_unit(place)
    decimals = _DECIMALS.get(unit, 0)
    plain = text.strip().removesuffix("%").strip() if unit in _SHARES else text.strip()
    found = _NUMBER.fullmatch(plain)
    if found is None:
        return None
    fraction = (found[3] or "").rstrip("0")
    if len(fraction) > decimals:
        return None
    value = int(found[2] + fraction.ljust(decimals, "0"))
    return -value if found[1] else value


def find_key(items: Sequence[object]) -> str | None:
    """Return the member by which the elements of a list are told apart; None: by their place."""
    for name in ("id", "grade", AT):
        keys = [one.get(name) for one in items if isinstance(one, dict)]
        if items and len(keys) == len(items) == len({str(key) for key in keys} - {"None"}):
            return name
    return None
