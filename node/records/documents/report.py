"""What became of each document of a file, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from node.records.importing import Reject


class Fate(StrEnum):
    """What was done with one row: a document, or a payment of a statement."""

    ENTERED = "entered"
    KNOWN = "already imported"
    LEFT_OUT = "left out"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One row of the file, in the words of our own records: nothing of it is repeated."""

    row: int  # a document, or the place of an entry in its file
    line: int  # of a batch, from 1; 0 otherwise
    fate: Fate
    what: str  # the kind of a document, or how a payment was matched, or why it is left out
    reason: str = ""
    amount_minor: int = 0
    currency: str = ""
    customer: str = ""  # scheme:value
    item_id: int | None = None  # of the payment or credit note that was entered


@dataclass(slots=True, kw_only=True)
class Tally:
    """The outcomes while they are found."""

    outcomes: list[Outcome] = field(default_factory=list)
    oddities: Counter[str] = field(default_factory=Counter)
    invoices_added: int = 0
    credit_notes_added: int = 0
    payments_added: int = 0
    customers_added: int = 0

    def count(self, fate: Fate) -> int:
        """Return how many rows had a fate."""
        return sum(one.fate is fate for one in self.outcomes)

    @property
    def has_added(self) -> bool:
        """Tell whether anything is new."""
        return bool(self.invoices_added or self.credit_notes_added or self.payments_added)

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Return the rejected rows as the reject report has them."""
        return tuple(
            Reject(
                row=one.row,
                column=one.what if one.line == 0 else f"{one.what} {one.line}",
                reason=one.reason,
            )
            for one in self.outcomes
            if one.fate is Fate.REJECTED
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReport:
    """What an import of documents did. Read = known + left out + rejected + used.

    ``imported`` is False where nothing was written; after a trial the counts are of what would
    have been.
    """

    file_name: str
    file_sha256_hex: str
    form: str
    source: str
    imported: bool
    is_trial: bool
    rows_read: int
    rows_known: int
    rows_rejected: int
    rows_used: int
    left_out: dict[str, int]
    oddities: dict[str, int]
    rejects: tuple[Reject, ...]
    outcomes: tuple[Outcome, ...]
    customers_added: int
    invoices_added: int
    credit_notes_added: int
    payments_added: int
