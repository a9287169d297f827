"""What letters charge beside what is owed, how a charge ends, and when a reminder is over. Pure.

A charge is made when its letter goes and is never changed. It ends by rows beside it: paid, waived,
or taken back with its letter. A reminder of an item is over once the item is closed and no charge
of it is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ChargeKind(StrEnum):
    """What is charged."""

    FEE = "fee"  # of a letter
    INTEREST = "interest"  # of an item


class SettlementKind(StrEnum):
    """How a charge, or a part of it, ended."""

    PAID = "paid"
    WAIVED = "waived"
    WITHDRAWN = "withdrawn"  # its letter was


class ItemState(StrEnum):
    """What became of the item that a charge is of."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"  # it was entered wrong, and nothing counts instead
    GONE = "gone"  # deleted when its time was over, which it was not while open


class ReminderState(StrEnum):
    """Where the reminder of an item stands."""

    OPEN = "open"
    CHARGES_OPEN = "charges-open"  # the item is closed, and interest or a fee is not
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCharge:
    """What of a charge is open on a day, in minor units; ``item_id`` is the item as it is now."""

    charge_id: int
    letter_id: int
    level: int
    kind: ChargeKind
    item_id: int | None
    document_no: str
    line: int
    currency: str
    open_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedInterest:
    """What letters have charged of an item's interest, and up to which day."""

    charged_minor: int
    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCharge:
    """What a letter that goes charges, in minor units; a fee is of no item and of no days."""

    kind: ChargeKind
    currency: str
    amount_minor: int
    item_id: int | None = None
    document_no: str = ""
    line: int = 0
    from_on: date | None = None
    until_on: date | None = None


def judge_reminder(*, is_item_open: bool, open_minor: int) -> ReminderState:
    """Return where a reminder stands, by its item and what of its charges is open."""
    if is_item_open:
        return ReminderState.OPEN
    return ReminderState.CHARGES_OPEN if open_minor else ReminderState.RESOLVED
