"""The open-item ledger: what is owed, what was received, and what of the one pays for the other.

Pure. An item adds to a customer's balance or takes from it; an allocation applies a part of a
credit to a part of what is owed and moves no balance. So the balance on any date is the sum of the
items of that date, and what is open of all items adds up to it.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
    BILL_ENDORSED = "bill-endorsed"  # passed on to a supplier of ours
    BILL_DISCOUNTED = "bill-discounted"  # sold to a bank
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


ENTERED_DEBITS = frozenset({ItemKind.INVOICE, ItemKind.OPENING, ItemKind.INTEREST})
ENTERED_CREDITS = frozenset({ItemKind.PAYMENT, ItemKind.OPENING_CREDIT, ItemKind.CREDIT_NOTE})
"""What is entered, corrected and cancelled by itself; other kinds come with an event of theirs."""


class AllocationMethod(StrEnum):
    """How it was decided what a credit pays for."""

    IMPORTED = "imported"  # the source said so
    EXACT = "exact"
    EVENT = "event"  # a bill, a write-off or a correction
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
    kind: ItemKind
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


def apply_chosen(
    amount_minor: int, debits: Sequence[OpenDebit], chosen: Sequence[tuple[int, int | None]]
) -> list[Application]:
    """Apply a credit to items that somebody has chosen, each with an amount or as far as it goes.

    Unlike a document's number, an item's key names one instalment.

    Raises:
        AllocationError: An item is not open or chosen twice, or the amounts are more than is open
            of it or more than the credit.
    """
    by_id = {debit.item_id: debit for debit in debits}
    applications = []
    left_minor = amount_minor
    for item_id, asked_minor in chosen:
        debit = by_id.pop(item_id, None)
        if debit is None:
            raise AllocationError(f"the item {item_id} is not open, or chosen twice")
        most_minor = min(debit.open_minor, left_minor)
        part_minor = most_minor if asked_minor is None else asked_minor
        if not 0 < part_minor <= most_minor:
            raise AllocationError(f"not so much is left for or open of {debit.document_no}")
        left_minor -= part_minor
        applications.append(
            Application(debit_id=item_id, amount_minor=part_minor, method=AllocationMethod.BY_HAND)
        )
    return applications


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was applied between two items on a day; negative where it was taken back."""

    debit_id: int
    credit_id: int
    amount_minor: int
    allocated_on: date
    method: AllocationMethod


def sum_applied(rows: Iterable[Applied]) -> int:
    """Return how much is applied in all, in minor units."""
    return sum(row.amount_minor for row in rows)


def check_applied(rows: Iterable[Applied], *, limit_minor: int) -> None:
    """Check what was applied of one item: on no day more than there is of it.

    Between two items it is on no day less than nothing: what was applied later is not taken back.

    Raises:
        AllocationError: It is.
    """
    by_day: dict[date, list[Applied]] = {}
    for row in rows:
        by_day.setdefault(row.allocated_on, []).append(row)
    applied_minor = 0
    held_minor: defaultdict[tuple[int, int], int] = defaultdict(int)
    for day in sorted(by_day):
        for row in by_day[day]:
            held_minor[row.debit_id, row.credit_id] += row.amount_minor
        applied_minor += sum_applied(by_day[day])
        if applied_minor > limit_minor:
            raise AllocationError(f"more would be applied than there is on {day.isoformat()}")
        if min(held_minor[row.debit_id, row.credit_id] for row in by_day[day]) < 0:
            raise AllocationError(f"more would be taken back than was applied on {day.isoformat()}")


def net_applied(rows: Iterable[Applied]) -> dict[tuple[int, int], int]:
    """Return what is applied in the end, by debit and credit; nothing that was all taken back."""
    net: dict[tuple[int, int], int] = {}
    for row in rows:
        key = (row.debit_id, row.credit_id)
        net[key] = net.get(key, 0) + row.amount_minor
    return {key: amount_minor for key, amount_minor in net.items() if amount_minor}


def take_back(rows: Sequence[Applied], amount_minor: int, *, on: date) -> list[Applied]:
    """Return the rows that take so much of what is applied back, the newest first.

    Raises:
        AllocationError: Not so much is applied.
    """
    left_minor = amount_minor
    taken = []
    for (debit_id, credit_id), net_minor in reversed(net_applied(rows).items()):
        part_minor = min(left_minor, net_minor)
        if part_minor <= 0:
            continue
        left_minor -= part_minor
        taken.append(
            Applied(
                debit_id=debit_id,
                credit_id=credit_id,
                amount_minor=-part_minor,
                allocated_on=on,
                method=AllocationMethod.EVENT,
            )
        )
    if left_minor > 0:
        raise AllocationError("not so much is applied")
    return taken


def carry_over(
    rows: Sequence[Applied], *, old_id: int, new_id: int, limit_minor: int, first: date
) -> list[Applied]:
    """Return the rows that move what was applied of an item to its next version.

    What stands of each day is undone on that day, so that on every day the old version has nothing,
    and stands again for the new one as far as that is large enough: the rest is unapplied.
    """
    rows = _net_by_day(rows)
    undone = [dataclasses.replace(row, amount_minor=-row.amount_minor) for row in rows]
    carried: list[Applied] = []
    by_pair: dict[tuple[int, int], int] = {}
    left_minor = limit_minor
    for row in sorted(rows, key=lambda one: (one.allocated_on, one.amount_minor > 0)):
        moved = dataclasses.replace(
            row,
            debit_id=new_id if row.debit_id == old_id else row.debit_id,
            credit_id=new_id if row.credit_id == old_id else row.credit_id,
            allocated_on=max(row.allocated_on, first),
        )
        pair = (moved.debit_id, moved.credit_id)
        held_minor = by_pair.get(pair, 0)
        amount_minor = max(min(row.amount_minor, left_minor), -held_minor)
        if amount_minor == 0:
            continue
        by_pair[pair] = held_minor + amount_minor
        left_minor -= amount_minor
        carried.append(dataclasses.replace(moved, amount_minor=amount_minor))
    return undone + carried


def move_applied(rows: Iterable[Applied], new_ids: Mapping[int, int]) -> list[Applied]:
    """Return the rows that move what was applied between items to their next versions.

    Where both sides move they are as large as before, so that all that stands of each day stands
    again. Where one of them moves alone, nothing stands between them any more, on no day; what is
    between items that stay is left as it is.
    """
    standing = _net_by_day(
        row for row in rows if row.debit_id in new_ids or row.credit_id in new_ids
    )
    undone = [dataclasses.replace(row, amount_minor=-row.amount_minor) for row in standing]
    moved = [
        dataclasses.replace(row, debit_id=new_ids[row.debit_id], credit_id=new_ids[row.credit_id])
        for row in standing
        if row.debit_id in new_ids and row.credit_id in new_ids
    ]
    return undone + moved


def _net_by_day(rows: Iterable[Applied]) -> list[Applied]:
    """Sum the rows of a pair, day and method; what an earlier correction has undone is gone."""
    net: dict[Applied, int] = {}
    for row in rows:
        key = dataclasses.replace(row, amount_minor=0)
        net[key] = net.get(key, 0) + row.amount_minor
    return [
        dataclasses.replace(key, amount_minor=amount_minor)
        for key, amount_minor in net.items()
        if amount_minor
    ]
