"""What goes back to a customer whose merge with another one is taken back.

What the merge has moved goes back, and with it what belongs to an item that does: what became of a
bill, a write-off, and what is owed again of one. All else that was entered since stays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from node.records.errors import MergeInvalidError
from node.records.ledger.errors import ItemNotFoundError
from node.records.ledger.posting import Posting
from node.records.rules_ledger import Applied, ItemKind, net_applied
from node.records.store import ItemIdentity, StoredItem

BILL_KINDS = frozenset(
    {
        ItemKind.BILL,
        ItemKind.BILL_RECEIVED,
        ItemKind.BILL_ENDORSED,
        ItemKind.BILL_DISCOUNTED,
        ItemKind.RECOURSE,
    }
)
"""The items of one bill of exchange: they have its source and number."""


def choose_returning(
    items: Sequence[StoredItem],
    applied: Sequence[Applied],
    *,
    moved: Collection[ItemIdentity],
    also: Sequence[int],
) -> list[StoredItem]:
    """Return which of a customer's items that count go back, in their order.

    Args:
        items: All items of the customer that stays.
        applied: All that was applied between them.
        moved: What the merge had moved.
        also: Keys of items entered since that are the other one's too.

    Raises:
        ItemNotFoundError: One of ``also`` is not among the items.
        MergeInvalidError: A write-off is of items that go and of some that stay.
    """
    kinds = {item.item_id: item.kind for item in items}
    if missing := [item_id for item_id in also if item_id not in kinds]:
        raise ItemNotFoundError(f"there is no item {missing[0]} of it that counts")
    chosen = {item.item_id for item in items if _identify(item) in moved} | set(also)
    targets, reversals = _group_write_offs(applied, kinds)
    size = -1
    while len(chosen) != size:  # Each turn adds an item or is the last one.
        size = len(chosen)
        bills = {_bill_of(one) for one in items if one.item_id in chosen and one.kind in BILL_KINDS}
        chosen |= {
            one.item_id for one in items if one.kind in BILL_KINDS and _bill_of(one) in bills
        }
        for write_off, debits in targets.items():
            if debits and debits <= chosen:
                chosen.add(write_off)
        chosen |= {debit for debit, write_off in reversals.items() if write_off in chosen}
    for write_off, debits in targets.items():
        if debits & chosen and not debits <= chosen:
            raise MergeInvalidError(
                f"the write-off {write_off} is of items of both: reinstate it first"
            )
    return [item for item in items if item.item_id in chosen]


def count_parted(posting: Posting, customer_id: int, returning: Sequence[StoredItem]) -> int:
    """Return between how many pairs something is applied of which one side goes back."""
    ids = {item.item_id for item in returning}
    applied = net_applied(posting.items.list_applied_of(customer_id))
    return sum((debit_id in ids) is not (credit_id in ids) for debit_id, credit_id in applied)


def _identify(item: StoredItem) -> ItemIdentity:
    return item.source, item.kind, item.document_no, item.line


def _bill_of(item: StoredItem) -> tuple[str, str]:
    return item.source, item.document_no


def _group_write_offs(
    applied: Sequence[Applied], kinds: dict[int, ItemKind]
) -> tuple[dict[int, set[int]], dict[int, int]]:
    """Return what each write-off writes off now, and of which one each reversal is."""
    reversals: dict[int, int] = {}
    for row in applied:
        is_of_write_off = kinds[row.credit_id] is ItemKind.WRITE_OFF
        if kinds[row.debit_id] is ItemKind.REVERSAL and is_of_write_off:
            reversals.setdefault(row.debit_id, row.credit_id)  # It came with this one.
    targets: dict[int, set[int]] = {}
    for debit_id, credit_id in net_applied(applied):
        if kinds[credit_id] is ItemKind.WRITE_OFF and reversals.get(debit_id) != credit_id:
            targets.setdefault(credit_id, set()).add(debit_id)
    return targets, reversals
