"""What customers owe past due, and what of their money is applied to nothing, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from node.records.store.rows import chunk_values
from node.records.store.visibility import counts, left_of_debit, sum_applied, sum_disputed
from node.records.tables import allocation, ledger_item
from node.risk.dunning.rules_dunning import OverdueItem

if TYPE_CHECKING:
    from sqlalchemy import Connection

_item = ledger_item


class OwedStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_overdue(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, list[OverdueItem]]:
        """Return what of each customer is open and past due on a day, what fell due first first."""
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
            )
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
                )
                found.setdefault(row.customer_id, []).append(one)
        return found

    def read_unapplied(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, dict[str, int]]:
        """Return what of each customer's credits is applied to nothing, by currency."""
        found: dict[int, dict[str, int]] = {}
        rest = -_item.c.amount_minor - sum_applied(
            allocation.c.credit_id, as_of=as_of, known_at_ms=None
        )
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
