"""What customers owe past due, since when, and what of their money is applied to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from node.records.store.rows import chunk_values
from node.records.store.visibility import (
    closes,
    counts,
    left_of_debit,
    sum_applied,
    sum_disputed,
)
from node.records.tables import allocation, dispute, dispute_closure, ledger_item
from node.risk.dunning.rules_dunning import OverdueItem
from node.risk.dunning.rules_interest import OpenChange, OpenHistory
from node.risk.dunning.store.charges import sum_paid_by

if TYPE_CHECKING:
    from sqlalchemy import Connection

_item = ledger_item


class OwedStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_overdue(
        self, customer_ids: Sequence[int], *, as_of: date, has_interest: bool = False
    ) -> dict[int, list[OverdueItem]]:
        """Return what of each customer is open and past due on a day, what fell due first first.

        Where interest is asked for each item has its history, too.
        """
        found: dict[int, list[OverdueItem]] = {}
        left = left_of_debit(as_of=as_of, known_at_ms=None)
        disputed = sum_disputed(as_of=as_of, known_at_ms=None)
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(
                    _item.c.id,
                    _item.c.customer_id,
                    _item.c.document_no,
                    _item.c.line,
                    _item.c.currency,
                    _item.c.due_on,
                    _item.c.due_business_on,
                    _item.c.happened_on,
                    _item.c.amount_minor,
                    left.label("open_minor"),
                    disputed.label("disputed_minor"),
                )
                .where(
                    _item.c.customer_id.in_(part),
                    _item.c.amount_minor > 0,
                    _item.c.happened_on <= as_of,
                    _item.c.due_business_on < as_of,
                    counts(None),
                    left > 0,
                )
                .order_by(_item.c.due_on, _item.c.id)
            ).all()
            changes = self.read_changes([row.id for row in rows]) if has_interest else {}
            for row in rows:
                open_minor = int(row.open_minor)
                one = OverdueItem(
                    item_id=row.id,
                    document_no=row.document_no,
                    line=row.line,
                    currency=row.currency,
                    due_on=row.due_on,
                    due_business_on=row.due_business_on,
                    open_minor=open_minor,
                    disputed_minor=min(int(row.disputed_minor), open_minor),
                    history=OpenHistory(
                        from_on=max(row.due_business_on, row.happened_on),
                        amount_minor=row.amount_minor,
                        changes=tuple(changes.get(row.id, ())),
                    )
                    if has_interest
                    else None,
                )
                found.setdefault(row.customer_id, []).append(one)
        return found

    def read_changes(self, item_ids: Sequence[int]) -> dict[int, list[OpenChange]]:
        """Return what was applied of items and disputed of them, by day, as it is known now."""
        found: dict[int, list[OpenChange]] = {}
        for part in chunk_values(item_ids):
            for row in self._connection.execute(
                select(
                    allocation.c.debit_id,
                    allocation.c.allocated_on,
                    func.sum(allocation.c.amount_minor).label("applied_minor"),
                )
                .where(allocation.c.debit_id.in_(part))
                .group_by(allocation.c.debit_id, allocation.c.allocated_on)
            ):
                change = OpenChange(on=row.allocated_on, applied_minor=int(row.applied_minor))
                found.setdefault(row.debit_id, []).append(change)
            for one in self._connection.execute(
                select(
                    dispute.c.item_id,
                    dispute.c.opened_on,
                    dispute.c.amount_minor,
                    dispute_closure.c.closed_on,
                )
                .select_from(dispute.outerjoin(dispute_closure, closes(None)))
                .where(dispute.c.item_id.in_(part))
            ):
                opened = OpenChange(on=one.opened_on, disputed_minor=one.amount_minor)
                found.setdefault(one.item_id, []).append(opened)
                if one.closed_on is not None:
                    closed = OpenChange(on=one.closed_on, disputed_minor=-one.amount_minor)
                    found[one.item_id].append(closed)
        return found

    def read_unapplied(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, dict[str, int]]:
        """Return what of each customer's credits is applied to nothing, by currency.

        What has paid charges is taken off: no allocation of the ledger tells of it.
        """
        found: dict[int, dict[str, int]] = {}
        applied = sum_applied(allocation.c.credit_id, as_of=as_of, known_at_ms=None)
        rest = -_item.c.amount_minor - applied - sum_paid_by(as_of)
        for part in chunk_values(customer_ids):
            lines = (
                select(_item.c.customer_id, _item.c.currency, rest.label("rest_minor"))
                .where(
                    _item.c.customer_id.in_(part),
                    _item.c.amount_minor < 0,
                    _item.c.happened_on <= as_of,
                    counts(None),
                )
                .subquery()
            )
            rows = self._connection.execute(
                select(lines.c.customer_id, lines.c.currency, func.sum(lines.c.rest_minor))
                .where(lines.c.rest_minor > 0)
                .group_by(lines.c.customer_id, lines.c.currency)
            )
            for key, currency, minor in rows:
                found.setdefault(key, {})[currency] = int(minor)
        return found
