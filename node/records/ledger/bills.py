"""Bills of exchange: received for what is owed, endorsed or discounted, paid, dishonoured.

A bill pays for invoices from the day it is received and is owed itself until it is paid. Passed on,
it is owed to us no more. Dishonoured, what it had paid for is owed again; where it had been passed
on, its holder has recourse to us.
"""

from __future__ import annotations

from datetime import date

from node.records.ledger.entering import apply_credit
from node.records.ledger.entries import Allocate, NewBill, NewCredit
from node.records.ledger.errors import ItemInvalidError, ItemNotFoundError
from node.records.ledger.posting import ItemName, Posting, apply_by_event
from node.records.rules_ledger import ItemKind, net_applied, sum_applied, take_back
from node.records.store import StoredItem

PASSED_ON = frozenset({ItemKind.BILL_ENDORSED, ItemKind.BILL_DISCOUNTED})


def receive_bill(posting: Posting, bill: NewBill, *, allocate: Allocate) -> int:
    """Append the bill and what it is credited for; return the bill's key."""
    if bill.matures_on < bill.received_on:
        raise ItemInvalidError("the bill matures before it came")
    customer = posting.get_customer(bill.customer_id)
    credit_id = posting.append_credit(
        NewCredit(
            customer_id=bill.customer_id,
            kind=ItemKind.BILL_RECEIVED,
            document_no=bill.number,
            happened_on=bill.received_on,
            currency=bill.currency,
            amount_minor=bill.amount_minor,
            source=bill.source,
        )
    )
    apply_credit(posting, credit_id, allocate=allocate, on=bill.received_on)
    return posting.append_debit(
        customer,
        ItemName(source=bill.source, document_no=bill.number),
        kind=ItemKind.BILL,
        happened_on=bill.received_on,
        due_on=bill.matures_on,
        currency=bill.currency,
        amount_minor=bill.amount_minor,
    )


def pass_on_bill(posting: Posting, bill_id: int, *, kind: ItemKind, on: date) -> None:
    """Append that a bill was endorsed or discounted."""
    if kind not in PASSED_ON:
        raise ItemInvalidError(f"a bill is endorsed or discounted, not {kind}")
    bill = _get_bill(posting, bill_id)
    if net_applied(posting.items.list_applied(bill_id)):
        raise ItemInvalidError("the bill is paid, passed on or dishonoured")
    credit_id = posting.append_credit(
        NewCredit(
            customer_id=bill.customer_id,
            kind=kind,
            document_no=bill.document_no,
            happened_on=on,
            currency=bill.currency,
            amount_minor=bill.amount_minor,
            source=bill.source,
        )
    )
    posting.append_applied(
        [apply_by_event(bill_id, credit_id, amount_minor=bill.amount_minor, on=on)]
    )


def dishonour_bill(posting: Posting, bill_id: int, *, on: date) -> None:
    """Append that a bill was not paid: what it had paid for is owed again."""
    bill = _get_bill(posting, bill_id)
    received_id = posting.items.find_item_id(
        source=bill.source, kind=ItemKind.BILL_RECEIVED, document_no=bill.document_no, line=1
    )
    if received_id is None:
        raise ItemNotFoundError("nothing was credited for this bill")
    owed_id = _find_what_comes_back(posting, bill, on=on)
    applied = posting.items.list_applied(received_id)
    again = apply_by_event(owed_id, received_id, amount_minor=bill.amount_minor, on=on)
    posting.append_applied([*take_back(applied, sum_applied(applied), on=on), again])


def _find_what_comes_back(posting: Posting, bill: StoredItem, *, on: date) -> int:
    """Return the bill itself while it is ours, or else what its holder claims from us."""
    credit_ids = {credit for _, credit in net_applied(posting.items.list_applied(bill.item_id))}
    if not credit_ids:
        return bill.item_id
    if not {posting.get_item(credit_id).kind for credit_id in credit_ids} <= PASSED_ON:
        raise ItemInvalidError("the bill was paid or dishonoured")
    return posting.append_debit(
        posting.get_customer(bill.customer_id),
        ItemName(source=bill.source, document_no=bill.document_no, line=bill.line),
        kind=ItemKind.RECOURSE,
        happened_on=on,
        due_on=on,
        currency=bill.currency,
        amount_minor=bill.amount_minor,
    )


def _get_bill(posting: Posting, bill_id: int) -> StoredItem:
    bill = posting.get_item(bill_id)
    if bill.kind is not ItemKind.BILL:
        raise ItemInvalidError("the item is no bill of exchange")
    return bill
