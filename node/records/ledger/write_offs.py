"""Write-offs and what is recovered of them.

What is written off is owed no longer in the ledger. How the customer pays is judged as if it were
still open, and what is recovered later is applied to it like any payment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from node.records.ledger.entering import enter_credit
from node.records.ledger.entries import BY_HAND, Chosen, NewCredit
from node.records.ledger.errors import ItemInvalidError
from node.records.ledger.posting import ItemName, Posting, apply_by_event
from node.records.rules_ledger import ItemKind, sum_applied, take_back


def write_off(posting: Posting, debit_ids: Sequence[int], *, reference: str, on: date) -> int:
    """Append the write-off of what is open of some items; return its key."""
    items = [posting.get_item(item_id) for item_id in dict.fromkeys(debit_ids)]
    if len({(item.customer_id, item.currency) for item in items}) != 1:
        raise ItemInvalidError("items of one customer and currency are written off")
    open_minors = {}
    for item in items:
        applied_minor = sum_applied(posting.items.list_applied(item.item_id))
        open_minors[item.item_id] = item.amount_minor - applied_minor
    if min(open_minors.values()) <= 0:
        raise ItemInvalidError("nothing is open of one of the items")
    credit_id = posting.append_credit(
        NewCredit(
            customer_id=items[0].customer_id,
            kind=ItemKind.WRITE_OFF,
            document_no=reference,
            happened_on=on,
            currency=items[0].currency,
            amount_minor=sum(open_minors.values()),
        )
    )
    posting.append_applied(
        [
            apply_by_event(item_id, credit_id, amount_minor=open_minor, on=on)
            for item_id, open_minor in open_minors.items()
        ]
    )
    return credit_id


def reverse_write_off(
    posting: Posting, write_off_id: int, *, amount_minor: int, reference: str, on: date
) -> dict[int, int]:
    """Append that so much of a write-off stands no more; return what of which item is owed again.

    By the items' keys, in minor units.
    """
    written_off = posting.get_item(write_off_id)
    if written_off.kind is not ItemKind.WRITE_OFF:
        raise ItemInvalidError("the item is no write-off")
    applied = posting.items.list_applied(write_off_id)
    kinds = {row.debit_id: posting.get_item(row.debit_id).kind for row in applied}
    standing = [row for row in applied if kinds[row.debit_id] is not ItemKind.REVERSAL]
    taken = take_back(standing, amount_minor, on=on)
    reversal_id = posting.append_debit(
        posting.get_customer(written_off.customer_id),
        ItemName(source=BY_HAND, document_no=reference),
        kind=ItemKind.REVERSAL,
        happened_on=on,
        due_on=on,
        currency=written_off.currency,
        amount_minor=amount_minor,
    )
    again = apply_by_event(reversal_id, write_off_id, amount_minor=amount_minor, on=on)
    posting.append_applied([*taken, again])
    owed_minor: dict[int, int] = {}
    for row in taken:
        owed_minor[row.debit_id] = owed_minor.get(row.debit_id, 0) - row.amount_minor
    return owed_minor


def recover(
    posting: Posting, write_off_id: int, *, amount_minor: int, payment_no: str, on: date
) -> int:
    """Append that so much of a write-off is owed again, and a payment that pays for just that.

    Returns:
        The payment's key.
    """
    written_off = posting.get_item(write_off_id)
    owed_minor = reverse_write_off(
        posting, write_off_id, amount_minor=amount_minor, reference=payment_no, on=on
    )
    payment = NewCredit(
        customer_id=written_off.customer_id,
        kind=ItemKind.PAYMENT,
        document_no=payment_no,
        happened_on=on,
        currency=written_off.currency,
        amount_minor=amount_minor,
    )
    allocate = Chosen(items=tuple(owed_minor.items()))
    return enter_credit(posting, payment, allocate=allocate)
