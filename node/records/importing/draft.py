"""What a file says, before it is compared with what is here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from node.records.rules_ledger import ItemKind


class Oddity(StrEnum):
    """What is strange in a row that is loaded nevertheless."""

    ISSUED_AFTER_DUE = "issued-after-due"
    TERMS_NEGATIVE = "terms-negative"
    PAID_BEFORE_ISSUED = "paid-before-issued"
    COUNTRY_DIFFERS = "customer-country-differs"
    COUNTRY_UNKNOWN = "country-without-calendar"
    PAID_BY_CLEARING = "paid-by-clearing-alone"  # what paid it is not in the file


class Exclusion(StrEnum):
    """Why a row is left out on purpose, which is no error."""

    COLLECTIVE_ACCOUNT = "collective-account"
    TOTAL_ROW = "total-row"
    NOTE_ROW = "note-row"  # one cell under a header of several
    HEADER_AGAIN = "header-again"  # of the next page
    BILL_OF_EXCHANGE = "bill-of-exchange"  # entered by its own command: it is an event of its own
    SPECIAL_LEDGER = "special-ledger"  # down payments and guarantees are no receivable
    LEFT_OUT = "left-out-by-mapping"
    CLEARED_ELSEWHERE = "credit-cleared-outside-the-file"
    NOT_OPEN = "not-open"  # paid: no part of an opening balance


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """One row as values: an invoice line and at most one payment of it."""

    scheme: str
    value: str
    name: str
    country: str
    document_no: str
    line: int
    issued_on: date
    due_on: date
    currency: str
    amount_minor: int
    disputed: bool
    paid_on: date | None
    paid_minor: int
    remarks: tuple[Oddity, ...] = ()
    clearing: str = ""  # what was cleared under one number was cleared together

    def is_same_invoice(self, other: DraftRow) -> bool:
        """Tell whether both rows are about one invoice line with the same values."""
        return _invoice_values(self) == _invoice_values(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCredit:
    """One row as values: what stands to the customer's credit by itself; the amount is positive."""

    scheme: str
    value: str
    name: str
    country: str
    kind: ItemKind
    document_no: str
    line: int
    happened_on: date
    currency: str
    amount_minor: int
    clearing: str = ""
    cleared_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """So much of a credit of the file pays for this invoice line of it."""

    invoice: tuple[str, int]
    credit: tuple[ItemKind, str, int]
    amount_minor: int
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPayment:
    """A payment of one invoice line; the same day and amount again is the same payment."""

    paid_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInvoice:
    """One invoice line of the file and its payments, each with the row that it stands in."""

    draft: DraftRow
    row: int
    payments: dict[DraftPayment, int] = field(default_factory=dict)

    @property
    def paid_minor(self) -> int:
        """What the file says was paid."""
        return sum(payment.amount_minor for payment in self.payments)

    @property
    def rows(self) -> set[int]:
        """The rows of the file that it was made of."""
        return {self.row, *self.payments.values()}


def _invoice_values(row: DraftRow) -> tuple[object, ...]:
    return (
        row.scheme,
        row.value,
        row.issued_on,
        row.due_on,
        row.currency,
        row.amount_minor,
        row.disputed,
    )
