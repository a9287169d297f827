"""Reading single items of the ledger, what was applied of them and what is disputed of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, literal, or_, select

from node.core.database import is_key_of
from node.records.rules_ledger import (
    AllocationMethod,
    Applied,
    DisputeCause,
    DisputeOutcome,
    ItemKind,
)
from node.records.store.visibility import closes, counts, is_corrected
from node.records.tables import allocation, dispute, dispute_closure, ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_item = ledger_item
_DISPUTE_COLUMNS: tuple[ColumnElement[Any], ...] = (
    dispute.c.id,
    dispute.c.item_id,
    dispute.c.amount_minor,
    dispute.c.opened_on,
    dispute.c.cause,
    dispute_closure.c.closed_on,
    dispute_closure.c.outcome,
    dispute_closure.c.reason,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeEnd:
    """How a dispute ended."""

    closed_on: date
    outcome: DisputeOutcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDispute:
    """A dispute about an item; without an end it is open."""

    dispute_id: int
    item_id: int
    cause: DisputeCause
    amount_minor: int
    opened_on: date
    end: DisputeEnd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """An item as it was entered; ``is_corrected`` once it counts no longer."""

    item_id: int
    customer_id: int
    kind: ItemKind
    source: str
    document_no: str
    line: int
    version: int
    happened_on: date
    due_on: date | None
    currency: str
    amount_minor: int
    is_corrected: bool


class ItemStore:
    """Reads items as they are known now, on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_item(self, item_id: int) -> StoredItem | None:
        """Return the item with this key of ours, whether it counts or not."""
        if not is_key_of(ledger_item.c.id, item_id):
            return None
        row = self._connection.execute(
            select(_item, is_corrected(None).label("is_corrected")).where(_item.c.id == item_id)
        ).first()
        return None if row is None else _stored_item(row)

    def find_enterer(self, item_id: int) -> str | None:
        """Return who entered an item; None of an import."""
        if not is_key_of(ledger_item.c.id, item_id):
            return None
        return self._connection.execute(
            select(_item.c.entered_by).where(_item.c.id == item_id)
        ).scalar_one_or_none()

    def find_item_id(
        self, *, source: str, kind: ItemKind, document_no: str, line: int
    ) -> int | None:
        """Return the key of the item of this name that counts."""
        return self._connection.execute(
            select(_item.c.id).where(
                _item.c.source == source,
                _item.c.kind == kind,
                _item.c.document_no == document_no,
                _item.c.line == line,
                counts(None),
            )
        ).scalar_one_or_none()

    def list_counting(self, customer_id: int) -> list[StoredItem]:
        """Return the items of a customer that count, in the order of entry."""
        rows = self._connection.execute(
            select(_item, literal(value=False).label("is_corrected"))
            .where(_item.c.customer_id == customer_id, counts(None))
            .order_by(_item.c.id)
        )
        return [_stored_item(row) for row in rows]

    def read_next_versions(self, customer_id: int) -> dict[int, int]:
        """Return the next version of each item of a customer that counts and has one."""
        new = _item.alias("new")
        is_next = and_(
            new.c.source == _item.c.source,
            new.c.kind == _item.c.kind,
            new.c.document_no == _item.c.document_no,
            new.c.line == _item.c.line,
            new.c.version == _item.c.version + 1,
        )
        rows = self._connection.execute(
            select(_item.c.id, new.c.id.label("new_id"))
            .select_from(_item.join(new, is_next))
            .where(_item.c.customer_id == customer_id, counts(None))
            .order_by(_item.c.id)
        )
        return {row.id: row.new_id for row in rows}

    def list_disputed_ids(self, customer_id: int) -> set[int]:
        """Return which items of a customer are or were disputed."""
        rows = self._connection.execute(
            select(dispute.c.item_id)
            .select_from(dispute.join(_item, _item.c.id == dispute.c.item_id))
            .where(_item.c.customer_id == customer_id)
        )
        return set(rows.scalars())

    def list_payments(
        self, *, source: str, currency: str, amount_minor: int, limit: int
    ) -> list[StoredItem]:
        """Return the newest payments of a source that count and have just this amount."""
        rows = self._connection.execute(
            select(_item, is_corrected(None).label("is_corrected"))
            .where(
                _item.c.source == source,
                _item.c.kind == ItemKind.PAYMENT,
                _item.c.currency == currency,
                _item.c.amount_minor == -amount_minor,
                counts(None),
            )
            .order_by(_item.c.happened_on.desc(), _item.c.id.desc())
            .limit(limit)
        )
        return [_stored_item(row) for row in rows]

    def list_applied(self, item_id: int) -> list[Applied]:
        """Return all that was applied of an item, on either side, in the order of entry."""
        return self._list_applied(
            or_(allocation.c.debit_id == item_id, allocation.c.credit_id == item_id)
        )

    def list_applied_of(self, customer_id: int) -> list[Applied]:
        """Return all that was applied between items of a customer that count, as entered."""
        counting = select(_item.c.id).where(_item.c.customer_id == customer_id, counts(None))
        return self._list_applied(
            and_(allocation.c.debit_id.in_(counting), allocation.c.credit_id.in_(counting))
        )

    def _list_applied(self, condition: ColumnElement[bool]) -> list[Applied]:
        rows = self._connection.execute(
            select(
                allocation.c.debit_id,
                allocation.c.credit_id,
                allocation.c.amount_minor,
                allocation.c.allocated_on,
                allocation.c.method,
            )
            .where(condition)
            .order_by(allocation.c.id)
        )
        return [
            Applied(
                debit_id=debit_id,
                credit_id=credit_id,
                amount_minor=amount_minor,
                allocated_on=allocated_on,
                method=AllocationMethod(method),
            )
            for debit_id, credit_id, amount_minor, allocated_on, method in rows
        ]

    def list_disputes(self, item_id: int) -> list[StoredDispute]:
        """Return the disputes about an item."""
        rows = self._connection.execute(
            select(*_DISPUTE_COLUMNS)
            .select_from(dispute.outerjoin(dispute_closure, closes(None)))
            .where(dispute.c.item_id == item_id)
            .order_by(dispute.c.id)
        )
        return [_stored_dispute(row) for row in rows]

    def list_dispute_days(self, *, first: date, last: date) -> list[tuple[date, date]]:
        """Return of the disputes that ended in a time when each began and ended."""
        rows = self._connection.execute(
            select(dispute.c.opened_on, dispute_closure.c.closed_on)
            .join(dispute_closure, dispute_closure.c.dispute_id == dispute.c.id)
            .where(dispute_closure.c.closed_on.between(first, last))
        )
        return [(opened_on, closed_on) for opened_on, closed_on in rows]

    def find_dispute(self, dispute_id: int) -> StoredDispute | None:
        """Return the dispute with this key of ours."""
        if not is_key_of(dispute.c.id, dispute_id):
            return None
        row = self._connection.execute(
            select(*_DISPUTE_COLUMNS)
            .select_from(dispute.outerjoin(dispute_closure, closes(None)))
            .where(dispute.c.id == dispute_id)
        ).first()
        return None if row is None else _stored_dispute(row)


def _stored_item(row: Row[Any]) -> StoredItem:
    return StoredItem(
        item_id=row.id,
        customer_id=row.customer_id,
        kind=ItemKind(row.kind),
        source=row.source,
        document_no=row.document_no,
        line=row.line,
        version=row.version,
        happened_on=row.happened_on,
        due_on=row.due_on,
        currency=row.currency,
        amount_minor=row.amount_minor,
        is_corrected=bool(row.is_corrected),
    )


def _stored_dispute(row: Row[Any]) -> StoredDispute:
    end = None
    if row.closed_on is not None:
        end = DisputeEnd(
            closed_on=row.closed_on, outcome=DisputeOutcome(row.outcome), reason=row.reason
        )
    return StoredDispute(
        dispute_id=row.id,
        item_id=row.item_id,
        cause=DisputeCause(row.cause),
        amount_minor=row.amount_minor,
        opened_on=row.opened_on,
        end=end,
    )
