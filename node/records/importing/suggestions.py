"""What to do about a rejected row, in words for the person who has made the file."""

from __future__ import annotations

# By the begin of the reason; the first that fits is taken.
_SUGGESTIONS: tuple[tuple[str, str], ...] = (
    ("empty", "fill in the cell"),
    ("not an identifier scheme", "small letters, digits and points, as vat.de"),
    ("not an identifier", "up to 64 letters, digits and . _ / - without spaces"),
    ("not a country code", "the ISO 3166-1 code, as CN or DE"),
    ("not a currency code", "the ISO 4217 code, as CNY or EUR"),
    ("longer than", "shorten the text"),
    ("holds control characters", "remove line ends and invisible characters"),
    ("not a whole number", "digits alone"),
    ("not a line number", "number the lines of a document from 1, or leave the cell empty"),
    ("neither yes nor no", "yes or no, or leave the cell empty"),
    ("not a date of the form iso", "write the date as 2026-03-31"),
    ("not a date of the form compact", "write the date as 20260331"),
    ("not a date of the form german", "write the date as 31.03.2026"),
    ("not a date of the form slash", "write the date as 2026/3/31"),
    ("not within", "check the year"),
    ("zero", "leave rows without an amount out"),
    ("not an amount of the form comma", "write the amount as 1.234,56"),
    ("not an amount", "write the amount as 1234.56"),
    ("not a decimal number", "fewer digits: amounts have up to 28 characters"),
    ("negative", "enter it as a credit note"),
    ("larger than", "check the amount and its unit"),
    ("an amount was paid", "fill in the day of the payment"),
    ("more than the invoice", "the part that pays for this invoice; the rest is another payment"),
    ("neither a U", "only rows of these business codes have a currency"),
    ("more than", "check the number of days"),
    ("row ", "number the lines of the document, or correct one of the two rows"),
    ("with the payments", "the part that pays for this invoice; the rest is another payment"),
    ("already imported", "correct the document in the ledger with its reason"),
)
_CELLS = "put cells that hold the delimiter or an end of line in quotes"


def suggest(reason: str) -> str:
    """Return what to do about a reason to reject; empty where nothing is known."""
    for start, suggestion in _SUGGESTIONS:
        if reason.startswith(start):
            return suggestion
    return _CELLS if " cells under a header of " in reason else ""
