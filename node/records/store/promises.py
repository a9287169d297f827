"""Reading and appending promises to pay, and what was applied to their items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, select, update

from node.core.database import is_key_of
from node.records.rules_ledger import PAYING_KINDS
from node.records.rules_promise import PaidPart, Promise
from node.records.store.rows import insert_row, is_among
from node.records.store.visibility import is_known, stands
from node.records.tables import allocation, ledger_item, payment_promise, promise_item

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection, Row


class PromiseStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        """Read what is known now, or what was known at a moment."""
        self._connection = connection
        self._known_at_ms = known_at_ms

    def list_promises(self, customer_ids: Sequence[int], *, made_by: date) -> list[Promise]:
        """Return what some customers had promised by a day, withdrawn ones too, by due day."""
        rows = self._connection.execute(
            select(payment_promise)
            .where(
                is_among(payment_promise.c.customer_id, customer_ids),
                payment_promise.c.promised_on <= made_by,
                is_known(self._known_at_ms, payment_promise),
            )
            .order_by(payment_promise.c.due_on, payment_promise.c.id)
        ).all()
        return self._build(rows)

    def list_standing(self, *, first: date, last: date, limit: int) -> list[Promise]:
        """Return promises that stand and fall due in a time, what falls due first at the front."""
        rows = self._connection.execute(
            select(payment_promise)
            .where(
                payment_promise.c.due_business_on >= first,
                payment_promise.c.due_business_on <= last,
                payment_promise.c.ended_at_ms.is_(None),
            )
            .order_by(payment_promise.c.due_business_on, payment_promise.c.id)
            .limit(limit)
        ).all()
        return self._build(rows)

    def _build(self, rows: Sequence[Row[Any]]) -> list[Promise]:
        items = self._read_items([row.id for row in rows])
        promises = []
        for row in rows:
            has_ended = row.ended_at_ms is not None and (
                self._known_at_ms is None or row.ended_at_ms <= self._known_at_ms
            )
            promises.append(
                Promise(
                    promise_id=row.id,
                    customer_id=row.customer_id,
                    currency=row.currency,
                    amount_minor=row.amount_minor,
                    promised_on=row.promised_on,
                    due_on=row.due_on,
                    due_business_on=row.due_business_on,
                    item_ids=items[row.id],
                    entered_by=row.entered_by,
                    entered_at_ms=row.entered_at_ms,
                    ended_by=row.ended_by if has_ended else None,
                    ended_at_ms=row.ended_at_ms if has_ended else None,
                    end_reason=row.end_reason if has_ended else None,
                )
            )
        return promises

    def _read_items(self, promise_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
        rows = self._connection.execute(
            select(promise_item)
            .where(promise_item.c.promise_id.in_(promise_ids))
            .order_by(promise_item.c.promise_id, promise_item.c.item_id)
        )
        found: dict[int, tuple[int, ...]] = {}
        for promise_id, item_id in rows:
            found[promise_id] = (*found.get(promise_id, ()), item_id)
        return found

    def name_items(self, promise_ids: Sequence[int]) -> dict[int, str]:
        """Return the numbers of the documents for which promises were made, by their items."""
        rows = self._connection.execute(
            select(ledger_item.c.id, ledger_item.c.document_no)
            .join(promise_item, promise_item.c.item_id == ledger_item.c.id)
            .where(promise_item.c.promise_id.in_(promise_ids))
        )
        return {int(item_id): str(document_no) for item_id, document_no in rows}

    def read_paid(self, promise_ids: Sequence[int]) -> dict[int, list[PaidPart]]:
        """Return what payments were applied to the items of promises, in every version of them.

        What a correction or a merge has moved was undone in the old version on its day, so that
        all versions together have it once.
        """
        named, version, credit = (ledger_item.alias(name) for name in ("named", "item", "credit"))
        same_name = and_(
            version.c.source == named.c.source,
            version.c.kind == named.c.kind,
            version.c.document_no == named.c.document_no,
            version.c.line == named.c.line,
        )
        rows = self._connection.execute(
            select(
                promise_item.c.promise_id,
                credit.c.happened_on,
                allocation.c.allocated_on,
                allocation.c.amount_minor,
            )
            .select_from(promise_item)
            .join(named, named.c.id == promise_item.c.item_id)
            .join(version, same_name)
            .join(allocation, allocation.c.debit_id == version.c.id)
            .join(credit, credit.c.id == allocation.c.credit_id)
            .where(
                promise_item.c.promise_id.in_(promise_ids),
                credit.c.kind.in_(sorted(PAYING_KINDS)),
                is_known(self._known_at_ms, allocation),
            )
            .order_by(allocation.c.id)
        )
        paid: dict[int, list[PaidPart]] = {}
        for promise_id, received_on, applied_on, amount_minor in rows:
            part = PaidPart(
                received_on=received_on, applied_on=applied_on, amount_minor=amount_minor
            )
            paid.setdefault(promise_id, []).append(part)
        return paid

    def append_promise(
        self, values: dict[str, object], item_ids: Sequence[int], *, by: str, at_ms: int
    ) -> int:
        """Append a promise with the items that it is for and return its key."""
        promise_id = insert_row(
            self._connection, payment_promise, entered_by=by, entered_at_ms=at_ms, **values
        )
        self._connection.execute(
            insert(promise_item),
            [{"promise_id": promise_id, "item_id": item_id} for item_id in item_ids],
        )
        return promise_id

    def end_promise(self, promise_id: int, *, reason: str, by: str, at_ms: int) -> bool:
        """End a promise that stands; tell whether there was one."""
        if not is_key_of(payment_promise.c.id, promise_id):
            return False
        ended = self._connection.execute(
            update(payment_promise)
            .where(payment_promise.c.id == promise_id, stands(None, payment_promise))
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )
        return ended.rowcount == 1
