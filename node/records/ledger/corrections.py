"""Corrections: the next version of what was entered wrong, or none at all.

The old version stays, and whoever asks what was known before the correction sees it. What was
applied of it, and what is disputed of it, moves to the new one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from node.records.ledger.entries import Correction, NewCredit
from node.records.ledger.errors import ItemInvalidError
from node.records.ledger.posting import ItemName, Posting, check_reason
from node.records.rules_ledger import (
    ENTERED_CREDITS,
    ENTERED_DEBITS,
    carry_over,
    move_applied,
)
from node.records.store import DisputeRow, StoredItem


def correct_item(posting: Posting, item_id: int, correction: Correction) -> int:
    """Append the next version of an item and return its key."""
    check_reason(correction.reason)
    old = _get_entered(posting, item_id)
    new = posting.get_item(_append_version(posting, old, correction))
    _supersede(posting, old, replaced_by=new, reason=correction.reason)
    return new.item_id


def move_items(
    posting: Posting,
    *,
    from_id: int,
    to_id: int,
    reason: str,
    only: Sequence[StoredItem] | None = None,
) -> int:
    """Append next versions with another customer of all that counts, or of some; return how many.

    What is applied between them stays applied on its days, since both sides move. Between one that
    moves and one that stays nothing is applied any more.
    """
    check_reason(reason)
    customer = posting.get_customer(to_id)
    old_items = posting.items.list_counting(from_id) if only is None else only
    applied = posting.items.list_applied_of(from_id)
    disputed_ids = posting.items.list_disputed_ids(from_id)
    posting.append_versions(customer, old_items)
    new_ids = posting.items.read_next_versions(from_id)
    posting.append_rows(move_applied(applied, new_ids))
    for old in old_items:
        if old.item_id in disputed_ids:
            _move_disputes(posting, old, to=dataclasses.replace(old, item_id=new_ids[old.item_id]))
    posting.appending.append_corrections(
        new_ids, reason=reason, entered_by=posting.by, at_ms=posting.at_ms
    )
    posting.customer_ids |= {from_id, to_id}
    return len(new_ids)


def cancel_item(posting: Posting, item_id: int, *, reason: str) -> None:
    """Append that an item should not be here."""
    check_reason(reason)
    old = _get_entered(posting, item_id)
    _supersede(posting, old, replaced_by=None, reason=reason)


def _append_version(posting: Posting, old: StoredItem, correction: Correction) -> int:
    customer = posting.get_customer(correction.customer_id or old.customer_id)
    happened_on = correction.happened_on or old.happened_on
    amount_minor = correction.amount_minor
    if amount_minor is None:
        amount_minor = abs(old.amount_minor)
    if old.due_on is None:
        if correction.due_on is not None:
            raise ItemInvalidError("a credit does not fall due")
        return posting.append_credit(
            NewCredit(
                customer_id=customer.customer_id,
                kind=old.kind,
                document_no=old.document_no,
                happened_on=happened_on,
                currency=old.currency,
                amount_minor=amount_minor,
                source=old.source,
            ),
            line=old.line,
            version=old.version + 1,
        )
    return posting.append_debit(
        customer,
        ItemName(
            source=old.source,
            document_no=old.document_no,
            line=old.line,
            version=old.version + 1,
        ),
        kind=old.kind,
        happened_on=happened_on,
        due_on=correction.due_on or old.due_on,
        currency=old.currency,
        amount_minor=amount_minor,
    )


def _supersede(
    posting: Posting,
    old: StoredItem,
    *,
    replaced_by: StoredItem | None,
    reason: str,
) -> None:
    applied = posting.items.list_applied(old.item_id)
    stays = replaced_by is not None and replaced_by.customer_id == old.customer_id
    new = old if replaced_by is None else replaced_by
    posting.append_rows(
        carry_over(
            applied,
            old_id=old.item_id,
            new_id=new.item_id,
            limit_minor=abs(new.amount_minor) if stays else 0,
            first=new.happened_on,
        )
    )
    _move_disputes(posting, old, to=replaced_by)
    posting.appending.append_correction(
        old.item_id,
        replaced_by=None if replaced_by is None else replaced_by.item_id,
        reason=reason,
        entered_by=posting.by,
        at_ms=posting.at_ms,
    )
    posting.customer_ids.add(old.customer_id)


def _move_disputes(posting: Posting, old: StoredItem, *, to: StoredItem | None) -> None:
    """Open what is still disputed for the new version, as far as that is large enough."""
    if to is None:
        return
    left_minor = to.amount_minor
    for dispute in posting.items.list_disputes(old.item_id):
        amount_minor = min(left_minor, dispute.amount_minor)
        if amount_minor <= 0:
            continue
        opened_on = max(dispute.opened_on, to.happened_on)
        moved_id = posting.appending.append_dispute(
            DisputeRow(
                item_id=to.item_id,
                amount_minor=amount_minor,
                opened_on=opened_on,
                cause=dispute.cause,
                entered_by=posting.by,
                entered_at_ms=posting.at_ms,
            )
        )
        if dispute.end is None:
            left_minor -= amount_minor
            continue
        posting.appending.append_closure(
            moved_id,
            closed_on=max(dispute.end.closed_on, opened_on),
            outcome=dispute.end.outcome,
            reason=dispute.end.reason,
            entered_by=posting.by,
            at_ms=posting.at_ms,
        )


def _get_entered(posting: Posting, item_id: int) -> StoredItem:
    item = posting.get_item(item_id)
    if item.kind not in ENTERED_DEBITS | ENTERED_CREDITS:
        raise ItemInvalidError(f"{item.kind} comes with an event of its own, which is undone there")
    return item
