"""What to do about a rejected row, in words for the person who has made the file."""

from __future__ import annotations

# By the begin of the reason; the first that fits is taken.
_SUGGESTIONS: tuple[tuple[str, str], ...] = (
    # Of documents and bank statements
    ("the buyer has no identifier", "name the customer with --customer scheme:value"),
    ("its identifiers are of two customers", "name one with --customer, or merge the two"),
    ("the bank's reference is here", "enter it with ledger credit if it is another payment"),
    ("money went back", "cancel or correct the payment in the ledger"),
    ("was entered and cancelled", "enter it by hand if it should be here after all"),
    ("a natural person", "natural persons are not kept here: leave the document out"),
    ("a pro forma invoice", "import the invoice that follows it"),
    ("nothing is payable", "leave the document out: nothing of it is owed"),
    ("blue or red", "ask for the file anew: its flag and its sign differ"),
    ("negative: CdtDbtInd", "ask the bank for a file that holds to the format"),
    ("negative: credit notes are documents", "import the credit note as a document of its own"),
    ("neither booked nor valued", "import the statement that books the entry"),
    ("missing", "ask whoever made the file for the field, or enter the document by hand"),
    ("not of the form", "ask whoever made the file for one that holds to the format"),
    # Of tables, and of both
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
    (
        "cleared together",
        "save the list with all items of the customer, open and cleared, of all document types",
    ),
    (
        "what it pays for is paid",
        "cancel the payment that the earlier list made, then import again",
    ),
    ("a credit that adds", "a repayment to the customer is entered by hand"),
    ("a document type", "add the type under [kinds] of the mapping, or leave-out"),
    ("partly paid", "map the column of the open amount as the amount"),
    ("cancelled here", "enter it by hand if it should be here after all"),
    ("row ", "number the lines of the document, or correct one of the two rows"),
    ("gone from the records", "leave it out: what has expired does not come back"),
    ("the relation with", "reopen the customer with a reason, if the relation goes on"),
    ("with the payments", "the part that pays for this invoice; the rest is another payment"),
    ("already imported", "correct the document in the ledger with its reason"),
)
_PAYERS = "name whose account or name it is in a file for --payers, and import it again"
_OTHERWISE = "correct it in the system that it comes from, or enter it by hand"
_CELLS = "put cells that hold the delimiter or an end of line in quotes"


def suggest(reason: str) -> str:
    """Return what to do about a reason to reject."""
    for start, suggestion in _SUGGESTIONS:
        if reason.startswith(start):
            return suggestion
    if " cells under a header of " in reason:
        return _CELLS
    return _PAYERS if "--payers" in reason or "by hand" in reason else _OTHERWISE
