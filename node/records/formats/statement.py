"""A bank statement as any format says it: entries of an account, and the payments in each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.records.formats.errors import FieldError


class EntryKind(StrEnum):
    """Which way an entry moves the account, and whether it undoes another one."""

    CREDIT = "credit"
    DEBIT = "debit"
    CREDIT_REVERSED = "credit-reversed"  # money that had come in goes back
    DEBIT_REVERSED = "debit-reversed"  # money that had gone out comes back

    @property
    def sign(self) -> int:
        """Return how its amount counts in the balance."""
        return 1 if self in {EntryKind.CREDIT, EntryKind.DEBIT_REVERSED} else -1


class StatementOddity(StrEnum):
    """What is strange in a statement or an entry that is read nevertheless."""

    BALANCE_DIFFERS = "balance-differs"  # opening and entries do not give the closing balance
    BATCH_SUM_DIFFERS = "batch-sum-differs"  # taken as one sum
    DETAIL_AMOUNT_DIFFERS = "detail-amount-differs"  # the entry's own amount is taken
    REFERENCE_INVALID = "creditor-reference-invalid"  # an RF reference with a wrong check digit


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDocument:
    """A document that the payer names, with the amount of it that is paid, if that is said."""

    number: str
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment of an entry; ``line`` is 0 for the entry as a whole, or its place in a batch."""

    line: int
    amount_minor: int
    payer_name: str = ""
    payer_account: str = ""
    end_to_end: str = ""
    creditor_references: tuple[str, ...] = ()
    documents: tuple[NamedDocument, ...] = ()
    credits_named: bool = False  # the payer deducts a credit note: amounts are not open items'
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry; amounts are positive minor units."""

    row: int  # its place among all entries of the file, from 1
    kind: EntryKind
    is_booked: bool
    booked_on: date | None
    valued_on: date | None
    currency: str
    amount_minor: int
    reference: str  # the bank's own, or nothing
    payments: tuple[Payment, ...]
    has_unique_reference: bool = True  # the format says that the reference is of this entry alone
    oddities: tuple[StatementOddity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The entries of one account that one message tells."""

    account: str
    number: str
    entries: tuple[Entry, ...]
    oddities: tuple[StatementOddity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReject:
    """An entry that cannot be read."""

    row: int
    field: str
    reason: str

    @classmethod
    def from_error(cls, error: FieldError, *, row: int) -> EntryReject:
        """Return the reject of an entry whose field cannot be read."""
        return cls(row=row, field=error.field, reason=error.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFile:
    """All statements of a file, and the entries in it that cannot be read."""

    statements: tuple[Statement, ...]
    rejects: tuple[EntryReject, ...]

    @property
    def payment_count(self) -> int:
        """Return how many payments the file tells, an entry that cannot be read as one."""
        entries = [entry for statement in self.statements for entry in statement.entries]
        return sum(len(entry.payments) for entry in entries) + len(self.rejects)


def find_balance_oddity(
    *, opening_minor: int | None, closing_minor: int | None, entries: tuple[Entry, ...]
) -> tuple[StatementOddity, ...]:
    """Say that the entries do not lead from one balance to the other, where both are told."""
    if opening_minor is None or closing_minor is None:
        return ()
    moved_minor = sum(one.kind.sign * one.amount_minor for one in entries if one.is_booked)
    return (
        () if opening_minor + moved_minor == closing_minor else (StatementOddity.BALANCE_DIFFERS,)
    )
