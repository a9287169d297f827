"""Reading the ledger line by line: what is open of a customer, and the whole story of one item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Date, Select, bindparam, case, func, or_, select

from node.records.rules_ageing import AgeingBase
from node.records.rules_ledger import AllocationMethod, ItemKind
from node.records.store.items import StoredItem
from node.records.store.rows import chunk_values, is_among_param
from node.records.store.visibility import (
    Day,
    Moment,
    counts,
    param_moment,
    sum_applied,
    sum_disputed,
)
from node.records.tables import allocation, item_correction, ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_item = ledger_item
_NAME_COLUMNS: tuple[ColumnElement[Any], ...] = (
    _item.c.id,
    _item.c.customer_id,
    _item.c.kind,
    _item.c.source,
    _item.c.document_no,
    _item.c.line,
    _item.c.version,
    _item.c.happened_on,
    _item.c.due_on,
    _item.c.due_business_on,
    _item.c.currency,
    _item.c.amount_minor,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """An item that counts, and what of it is open; amounts are positive minor units."""

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
    open_minor: int
    disputed_minor: int
    due_business_on: date | None = None

    def aged_from(self, base: AgeingBase) -> date | None:
        """Return the day from which it ages; a credit ages from none."""
        match base:
            case AgeingBase.DUE:
                return self.due_on
            case AgeingBase.BUSINESS_DUE:
                return self.due_business_on
            case AgeingBase.ISSUED:
                return None if self.due_on is None else self.happened_on


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemVersion:
    """One version of an item: who entered it and when, and why it counts no longer."""

    item_id: int
    customer_id: int
    version: int
    happened_on: date
    due_on: date | None
    amount_minor: int
    entered_by: str | None
    entered_at_ms: int
    corrected_by: str | None
    corrected_at_ms: int | None
    correction_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedLine:
    """What was applied between an item and another one; negative where it was taken back."""

    other_id: int
    other_kind: ItemKind
    other_document_no: str
    amount_minor: int
    allocated_on: date
    method: AllocationMethod
    entered_by: str | None
    entered_at_ms: int


class StatementStore:
    """Reads lines of the ledger on the connection of one unit of work."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        """Read what is known now, or what was known at a moment."""
        self._connection = connection
        self._known_at_ms = known_at_ms

    def list_open_lines(self, customer_id: int, *, as_of: date) -> list[OpenLine]:
        """Return what was open on a date by currency: what fell due first, then credits."""
        return self.list_open_lines_of([customer_id], as_of=as_of)[customer_id]

    def list_open_lines_of(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, list[OpenLine]]:
        """Return what was open on a date of each customer, in the order of one customer's."""
        found: dict[int, list[OpenLine]] = {key: [] for key in customer_ids}
        known_at_ms = self._known_at_ms
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                _select_open_lines(is_now=known_at_ms is None),
                {"customer_ids": part, "as_of": as_of, "known_at_ms": known_at_ms},
            )
            for row in rows:
                found[row.customer_id].append(_open_line(row))
        return found

    def list_named_lines(
        self, customer_id: int, document_no: str, *, as_of: date
    ) -> list[OpenLine]:
        """Return a customer's items of a document number, of whatever source, open or not."""
        query = _select_lines(as_of, self._known_at_ms).where(
            _item.c.customer_id == customer_id, _item.c.document_no == document_no
        )
        return [_open_line(row) for row in self._connection.execute(query)]

    def list_versions(self, item: StoredItem) -> list[ItemVersion]:
        """Return every version of an item, the first one at the front."""
        rows = self._connection.execute(
            select(
                _item,
                item_correction.c.entered_by.label("corrected_by"),
                item_correction.c.entered_at_ms.label("corrected_at_ms"),
                item_correction.c.reason.label("correction_reason"),
            )
            .select_from(_item.outerjoin(item_correction, item_correction.c.item_id == _item.c.id))
            .where(
                _item.c.source == item.source,
                _item.c.kind == item.kind,
                _item.c.document_no == item.document_no,
                _item.c.line == item.line,
            )
            .order_by(_item.c.version)
        )
        return [
            ItemVersion(
                item_id=row.id,
                customer_id=row.customer_id,
                version=row.version,
                happened_on=row.happened_on,
                due_on=row.due_on,
                amount_minor=abs(row.amount_minor),
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
                corrected_by=row.corrected_by,
                corrected_at_ms=row.corrected_at_ms,
                correction_reason=row.correction_reason,
            )
            for row in rows
        ]

    def list_applied_lines(self, item_id: int) -> list[AppliedLine]:
        """Return what was applied of an item, on either side, in the order of entry."""
        other_id = case(
            (allocation.c.debit_id == item_id, allocation.c.credit_id),
            else_=allocation.c.debit_id,
        )
        rows = self._connection.execute(
            select(
                _item.c.id,
                _item.c.kind,
                _item.c.document_no,
                allocation.c.amount_minor,
                allocation.c.allocated_on,
                allocation.c.method,
                allocation.c.entered_by,
                allocation.c.entered_at_ms,
            )
            .select_from(allocation.join(_item, _item.c.id == other_id))
            .where(or_(allocation.c.debit_id == item_id, allocation.c.credit_id == item_id))
            .order_by(allocation.c.id)
        )
        return [
            AppliedLine(
                other_id=row.id,
                other_kind=ItemKind(row.kind),
                other_document_no=row.document_no,
                amount_minor=row.amount_minor,
                allocated_on=row.allocated_on,
                method=AllocationMethod(row.method),
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
            )
            for row in rows
        ]


@cache
def _select_open_lines(*, is_now: bool) -> Select[Any]:
    """Return what selects the open lines of ``customer_ids`` on ``as_of``; made once."""
    as_of, known_at_ms = bindparam("as_of", type_=Date()), param_moment(is_now=is_now)
    return _select_lines(as_of, known_at_ms).where(
        is_among_param(_item.c.customer_id, "customer_ids"),
        _item.c.happened_on <= as_of,
        func.abs(_item.c.amount_minor) > _sum_applied(as_of, known_at_ms),
    )


def _select_lines(as_of: Day, known_at_ms: Moment | None) -> Select[Any]:
    return (
        select(
            *_NAME_COLUMNS,
            _sum_applied(as_of, known_at_ms).label("applied_minor"),
            sum_disputed(as_of=as_of, known_at_ms=known_at_ms).label("disputed_minor"),
        )
        .where(counts(known_at_ms))
        .order_by(
            _item.c.currency,
            _item.c.due_on.is_(None),
            _item.c.due_on,
            _item.c.happened_on,
            _item.c.id,
        )
    )


def _sum_applied(as_of: Day, known_at_ms: Moment | None) -> ColumnElement[int]:
    """Sum what was applied of an item, which is on one side of the allocations only."""
    debit, credit = (
        sum_applied(side, as_of=as_of, known_at_ms=known_at_ms)
        for side in (allocation.c.debit_id, allocation.c.credit_id)
    )
    return case((_item.c.amount_minor > 0, debit), else_=credit)


def _open_line(row: Row[Any]) -> OpenLine:
    amount_minor = abs(row.amount_minor)
    open_minor = amount_minor - int(row.applied_minor)
    return OpenLine(
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
        amount_minor=amount_minor,
        open_minor=open_minor,
        disputed_minor=min(int(row.disputed_minor), open_minor),
        due_business_on=row.due_business_on,
    )
