"""Shares as people type them: per cent with up to four decimals, kept in millionths."""

from __future__ import annotations

import re
from unicodedata import normalize

from node.web.typed import Typed

PPM_OF_PERCENT = 10_000
PERCENT_MAX = 100
_PERCENT = re.compile(r"([0-9]{1,3})(?:[.,]([0-9]{1,4}))?")


def read_percent(typed: Typed, name: str) -> int:
    """Return a share from 0 to 100 per cent in millionths; what is none is noted."""
    found = _PERCENT.fullmatch(normalize("NFKC", typed.raw(name)).rstrip("% "))
    if found is None:
        typed.refuse(name, "typed.percent" if typed.raw(name) else "typed.empty")
        return 0
    ppm = int(found[1]) * PPM_OF_PERCENT + int((found[2] or "").ljust(4, "0"))
    if ppm > PERCENT_MAX * PPM_OF_PERCENT:
        typed.refuse(name, "typed.percent")
        return 0
    return ppm


def say_percent(ppm: int) -> str:
    """Write millionths as per cent, without decimals that say nothing."""
    whole, rest = divmod(ppm, PPM_OF_PERCENT)
    decimals = f"{rest:04d}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else f"{whole}"
