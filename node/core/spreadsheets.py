"""Texts of others in files that are opened in a spreadsheet. Pure."""

from __future__ import annotations

# OWASP, CSV Injection; the wide signs are the same to spreadsheets of East Asia.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def tame_cell(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula: an apostrophe stands before one."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
