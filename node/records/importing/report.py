"""What an import did, row by row where it refused."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TextIO

from node.core.spreadsheets import tame_cell
from node.records.importing.draft import DraftCredit, DraftInvoice
from node.records.importing.suggestions import suggest

REJECTS_KEPT_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that was left out, and why. The cell's value is not repeated: it may be anything."""

    row: int  # as a spreadsheet counts: the header is row 1
    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """What writing added to the records; as made, nothing."""

    imported: bool = False
    rows_known: int = 0
    rejects: tuple[Reject, ...] = ()
    oddities: Counter[str] = field(default_factory=Counter)
    customer_ids: tuple[int, ...] = ()
    customers_added: int = 0
    invoices_added: int = 0
    payments_added: int = 0
    credit_notes_added: int = 0
    refusal: str = ""  # why all of it was kept out, though its rows are good


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the good rows of a file leave open of one customer in one currency."""

    customer: str  # scheme:value
    currency: str
    open_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of every row.

    Read = dealt elsewhere + excluded + duplicate + known + rejected + used.

    ``imported`` is False where nothing was written; in a dry run it says what would have been.
    ``rejects`` keeps the first ``REJECTS_KEPT_MAX``.
    """

    file_name: str
    file_sha256_hex: str
    encoding: str
    profile: str
    source: str
    imported: bool
    rows_read: int
    rows_dealt_elsewhere: int
    rows_duplicate: int
    rows_known: int
    rows_rejected: int
    rows_used: int
    excluded: Mapping[str, int]
    oddities: Mapping[str, int]
    rejects: tuple[Reject, ...]
    customers_added: int
    invoices_added: int
    payments_added: int
    credit_notes_added: int
    refusal: str
    balances: tuple[Balance, ...]  # of an opening or a list with credits
    first_due_on: date | None
    last_due_on: date | None
    last_event_on: date | None


def sum_balances(
    invoices: Iterable[DraftInvoice], credits_with_rows: Iterable[tuple[DraftCredit, int]]
) -> tuple[Balance, ...]:
    """Return what is open by customer and currency, in the order of both."""
    sums: Counter[tuple[str, str]] = Counter()
    for invoice in invoices:
        draft = invoice.draft
        open_minor = draft.amount_minor - invoice.paid_minor
        sums[f"{draft.scheme}:{draft.value}", draft.currency] += open_minor
    for credit, _ in credits_with_rows:
        sums[f"{credit.scheme}:{credit.value}", credit.currency] -= credit.amount_minor
    return tuple(
        Balance(customer=customer, currency=currency, open_minor=open_minor)
        for (customer, currency), open_minor in sorted(sums.items())
    )


def sum_totals(balances: Iterable[Balance]) -> dict[str, int]:
    """Return what is open by currency, in minor units."""
    totals: Counter[str] = Counter()
    for balance in balances:
        totals[balance.currency] += balance.open_minor
    return dict(sorted(totals.items()))


def write_reject_report(rejects: Iterable[Reject], file: TextIO) -> None:
    """Write rejects as CSV: row, column, reason, suggestion."""
    writer = csv.writer(file)
    writer.writerow(("row", "column", "reason", "suggestion"))
    writer.writerows(
        (reject.row, tame_cell(reject.column), reject.reason, suggest(reject.reason))
        for reject in rejects
    )
