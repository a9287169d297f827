"""Entering documents, and applying credits to what is owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from node.records.ledger.entries import Allocate, Chosen, NewCredit, NewDebit, Remittance
from node.records.ledger.errors import ItemInvalidError
from node.records.ledger.posting import ItemName, Posting
from node.records.rules_ledger import (
    ENTERED_CREDITS,
    ENTERED_DEBITS,
    AllocationError,
    AllocationMethod,
    Application,
    Applied,
    ItemKind,
    OpenDebit,
    apply_chosen,
    apply_exact,
    apply_oldest_first,
    apply_remittance,
    sum_applied,
    take_back,
)

TERMS_MAX = 120  # instalments of one document


def enter_debit(posting: Posting, debit: NewDebit) -> list[int]:
    """Append the lines of a document, one a term; return their keys."""
    if debit.kind not in ENTERED_DEBITS:
        raise ItemInvalidError(f"{debit.kind} is not entered by itself")
    if not 0 < len(debit.terms) <= TERMS_MAX:
        raise ItemInvalidError(f"a document has 1 to {TERMS_MAX} terms")
    customer = posting.get_customer(debit.customer_id)
    return [
        posting.append_debit(
            customer,
            ItemName(source=debit.source, document_no=debit.document_no, line=line),
            kind=debit.kind,
            happened_on=debit.happened_on,
            due_on=term.due_on,
            currency=debit.currency,
            amount_minor=term.amount_minor,
        )
        for line, term in enumerate(debit.terms, start=1)
    ]


def enter_credit(posting: Posting, credit: NewCredit, *, allocate: Allocate | None) -> int:
    """Append a credit, apply it if that is asked for, and return its key."""
    if credit.kind not in ENTERED_CREDITS:
        raise ItemInvalidError(f"{credit.kind} is not entered by itself")
    credit_id = posting.append_credit(credit)
    if allocate is not None:
        apply_credit(posting, credit_id, allocate=allocate, on=credit.happened_on)
    return credit_id


def apply_credit(
    posting: Posting, credit_id: int, *, allocate: Allocate, on: date
) -> list[Application]:
    """Apply what is left of a credit, and return what that came to, perhaps nothing."""
    credit = posting.get_item(credit_id)
    if credit.amount_minor > 0:
        raise AllocationError("a credit is applied to what is owed")
    applied_minor = sum_applied(posting.items.list_applied(credit_id))
    debits = list_payable(posting, credit.customer_id, currency=credit.currency, kind=credit.kind)
    applications = _choose(-credit.amount_minor - applied_minor, debits, allocate)
    append_chosen(posting, credit_id, applications, debits=debits, on=max(on, credit.happened_on))
    return applications


def list_payable(
    posting: Posting, customer_id: int, *, currency: str, kind: ItemKind
) -> list[OpenDebit]:
    """Return what is open and may be paid for by a credit of a kind.

    A bill is paid by a payment that names it; a credit note or another bill pays for no bill.
    """
    return [
        debit
        for debit in posting.ledger.list_open_debits(customer_id, currency=currency)
        if debit.kind is not ItemKind.BILL or kind is ItemKind.PAYMENT
    ]


def append_chosen(
    posting: Posting,
    credit_id: int,
    applications: Sequence[Application],
    *,
    debits: Sequence[OpenDebit],
    on: date,
) -> None:
    """Append what was chosen for a credit, from a day on, not before what it pays for happened."""
    happened = {debit.item_id: debit.happened_on for debit in debits}
    posting.append_applied(
        [
            Applied(
                debit_id=one.debit_id,
                credit_id=credit_id,
                amount_minor=one.amount_minor,
                allocated_on=max(on, happened[one.debit_id]),
                method=one.method,
            )
            for one in applications
        ]
    )


def _choose(left_minor: int, debits: list[OpenDebit], allocate: Allocate) -> list[Application]:
    if isinstance(allocate, Remittance):
        return apply_remittance(left_minor, debits, allocate.documents)
    if isinstance(allocate, Chosen):
        return apply_chosen(left_minor, debits, allocate.items)
    match allocate:
        case AllocationMethod.EXACT:
            return apply_exact(left_minor, debits)
        case AllocationMethod.OLDEST_FIRST:
            return apply_oldest_first(left_minor, debits)
        case _:
            raise AllocationError(f"nothing is chosen by {allocate}")


def take_back_all(posting: Posting, *, debit_id: int, credit_id: int, on: date) -> int:
    """Take back what is applied between two items from a day on; return how much it was."""
    for item_id in (debit_id, credit_id):
        posting.get_item(item_id)
    applied = [row for row in posting.items.list_applied(credit_id) if row.debit_id == debit_id]
    amount_minor = sum_applied(applied)
    if amount_minor <= 0:
        raise AllocationError("nothing is applied between them")
    posting.append_applied(take_back(applied, amount_minor, on=on))
    return amount_minor
