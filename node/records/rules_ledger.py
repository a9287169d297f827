"""The open-item ledger: what is owed, what was received, and what of the one pays for the other.

Pure. An item adds to a customer's balance or takes from it; an allocation applies a part of a
credit to a part of what is owed and moves no balance. So the balance on any date is the sum of the
items of that date, and what is open of all items adds up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.errors import RejectedError


class ItemKind(StrEnum):
    """What an item is. The first ones are owed by the customer, the others are to its credit."""

    INVOICE = "invoice"
    OPENING = "opening"  # owed when the records were begun
    INTEREST = "interest"
    BILL = "bill"  # of exchange, received and not matured
    RECOURSE = "recourse"  # a bill passed on that came back
    REVERSAL = "reversal"  # of a write-off
    PAYMENT = "payment"
    OPENING_CREDIT = "opening-credit"
    CREDIT_NOTE = "credit-note"
    BILL_RECEIVED = "bill-received"  # what the bill pays for
    BILL_PASSED_ON = "bill-passed-on"  # endorsed or discounted
    WRITE_OFF = "write-off"

    @property
    def is_debit(self) -> bool:
        """Tell whether it is owed."""
        return self in _DEBITS


_DEBITS = frozenset(
    {
        ItemKind.INVOICE,
        ItemKind.OPENING,
        ItemKind.INTEREST,
        ItemKind.BILL,
        ItemKind.RECOURSE,
        ItemKind.REVERSAL,
    }
)
PAYING_KINDS = frozenset({ItemKind.PAYMENT, ItemKind.OPENING_CREDIT, ItemKind.BILL_RECEIVED})
"""Credits by which a customer pays; a credit note makes an invoice smaller, a write-off neither."""


class AllocationMethod(StrEnum):
    """How it was decided what a credit pays for."""

    IMPORTED = "imported"  # the source said so
    EXACT = "exact"
    OLDEST_FIRST = "oldest-first"
    REMITTANCE = "remittance"
    BY_HAND = "by-hand"


class DisputeCause(StrEnum):
    """Why a customer disputes an amount, as far as its supplier may say."""

    UNSTATED = "unstated"
    QUANTITY = "quantity"
    QUALITY = "quality"
    PRICE = "price"
    DELIVERY = "delivery"
    NOT_ORDERED = "not-ordered"
    OTHER = "other"


class DisputeOutcome(StrEnum):
    """How a dispute ended."""

    UPHELD = "upheld"  # the customer was right
    PARTLY = "partly"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class AllocationError(RejectedError):
    """An amount cannot be applied to this item."""

    code = "allocation-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDebit:
    """What is left of an item that is owed."""

    item_id: int
    document_no: str
    happened_on: date
    due_on: date
    open_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """So much of a credit goes to this item."""

    debit_id: int
    amount_minor: int
    method: AllocationMethod


def apply_oldest_first(amount_minor: int, debits: Iterable[OpenDebit]) -> list[Application]:
    """Apply a credit to what fell due first; what is left over stays unapplied."""
    applications = []
    left_minor = amount_minor
    for debit in sorted(debits, key=lambda one: (one.due_on, one.happened_on, one.item_id)):
        if left_minor <= 0:
            break
        part_minor = min(left_minor, debit.open_minor)
        if part_minor <= 0:
            continue
        left_minor -= part_minor
        applications.append(
            Application(
                debit_id=debit.item_id,
                amount_minor=part_minor,
                method=AllocationMethod.OLDEST_FIRST,
            )
        )
    return applications


def apply_exact(amount_minor: int, debits: Iterable[OpenDebit]) -> list[Application]:
    """Apply a credit to the one item of which just so much is open, if there is just one."""
    matching = [debit for debit in debits if debit.open_minor == amount_minor]
    if len(matching) != 1:
        return []
    return [
        Application(
            debit_id=matching[0].item_id, amount_minor=amount_minor, method=AllocationMethod.EXACT
        )
    ]


def apply_remittance(
    amount_minor: int, debits: Sequence[OpenDebit], named: Sequence[tuple[str, int | None]]
) -> list[Application]:
    """Apply a credit as the payer says: documents by number, each with an amount or in full.

    What the payer did not name stays unapplied.

    Raises:
        AllocationError: A document is not open or not unique, or the amounts are more than is open
            of it or more than the credit.
    """
    by_document: dict[str, list[OpenDebit]] = {}
    for debit in debits:
        by_document.setdefault(debit.document_no, []).append(debit)
    applications = []
    left_minor = amount_minor
    for document_no, asked_minor in named:
        found = by_document.pop(document_no, [])
        if len(found) != 1:
            reason = "is not open, or named twice" if not found else "has several open lines"
            raise AllocationError(f"the document {document_no} {reason}")
        part_minor = min(found[0].open_minor, left_minor) if asked_minor is None else asked_minor
        if not 0 < part_minor <= min(found[0].open_minor, left_minor):
            raise AllocationError(f"not so much is left for or open of the document {document_no}")
        left_minor -= part_minor
        applications.append(
            Application(
                debit_id=found[0].item_id,
                amount_minor=part_minor,
                method=AllocationMethod.REMITTANCE,
            )
        )
    return applications
