"""What an import did, row by row where it refused."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TextIO

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
    first_due_on: date | None
    last_due_on: date | None
    last_event_on: date | None


def write_reject_report(rejects: Iterable[Reject], file: TextIO) -> None:
    """Write rejects as CSV: row, column, reason, suggestion."""
    writer = csv.writer(file)
    writer.writerow(("row", "column", "reason", "suggestion"))
    writer.writerows(
        (reject.row, reject.column, reject.reason, suggest(reject.reason)) for reject in rejects
    )
