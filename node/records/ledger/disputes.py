"""Disputes: an amount of an item, from one day until another."""

from __future__ import annotations

from datetime import date

from node.records.ledger.errors import DisputeNotFoundError, ItemInvalidError
from node.records.ledger.posting import Posting, check_day, check_reason
from node.records.rules_ledger import DisputeCause, DisputeOutcome
from node.records.store import DisputeRow


def open_dispute(
    posting: Posting, item_id: int, *, amount_minor: int, cause: DisputeCause, on: date
) -> int:
    """Append a dispute and return its key."""
    item = posting.get_item(item_id)
    open_minor = sum(
        one.amount_minor for one in posting.items.list_disputes(item_id) if one.end is None
    )
    if not 0 < amount_minor <= item.amount_minor - open_minor:
        raise ItemInvalidError("not so much of it is owed and undisputed")
    check_day(on)
    if on < item.happened_on:
        raise ItemInvalidError("it is disputed before it happened")
    posting.customer_ids.add(item.customer_id)
    return posting.appending.append_dispute(
        DisputeRow(
            item_id=item_id,
            amount_minor=amount_minor,
            opened_on=on,
            cause=cause,
            entered_by=posting.by,
            entered_at_ms=posting.at_ms,
        )
    )


def close_dispute(
    posting: Posting, dispute_id: int, *, outcome: DisputeOutcome, reason: str, on: date
) -> None:
    """Append the end of a dispute."""
    check_reason(reason)
    dispute = posting.items.find_dispute(dispute_id)
    if dispute is None or dispute.end is not None:
        raise DisputeNotFoundError("there is no such open dispute")
    check_day(on)
    if on < dispute.opened_on:
        raise ItemInvalidError("the dispute ends before it began")
    posting.customer_ids.add(posting.get_item(dispute.item_id).customer_id)
    posting.appending.append_closure(
        dispute_id,
        closed_on=on,
        outcome=outcome,
        reason=reason,
        entered_by=posting.by,
        at_ms=posting.at_ms,
    )
