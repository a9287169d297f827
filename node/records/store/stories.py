"""Reading what of a customer's ledger belongs together, and deleting it as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update

from node.records.rules_ledger import ItemKind
from node.records.store.adverse_rows import select_fact_customers
from node.records.store.life_tables import (
    record_hold,
    records_horizon,
    tombstone,
    write_off_closure,
)
from node.records.store.paper_tables import paper_version
from node.records.store.rows import chunk_values
from node.records.store.visibility import stands
from node.records.tables import (
    allocation,
    customer,
    customer_merge,
    dispute,
    dispute_closure,
    item_correction,
    ledger_item,
    payment_promise,
    promise_item,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

_debit = ledger_item.alias("debit")
_credit = ledger_item.alias("credit")


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeItem:
    """One version of an item, as far as its life goes."""

    item_id: int
    customer_id: int
    kind: ItemKind
    source: str
    document_no: str
    line: int
    happened_on: date
    currency: str
    amount_minor: int
    entered_at_ms: int
    corrected_at_ms: int | None
    replaced_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeEvent:
    """Something that happened to an item, or between two."""

    item_id: int
    other_id: int | None = None
    amount_minor: int = 0  # applied
    happened_on: date
    entered_at_ms: int
    is_open_dispute: bool = False
    is_given_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What is left of a record."""

    name_hash_hex: str
    reason: str
    gone_on: date
    why: str | None = None
    """In a person's words, of what was erased by hand; it is written and never told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """From when on the records of a customer in a currency are whole."""

    customer_id: int
    currency: str
    gone_until: date
    known_until_ms: int
    first_sale_on: date | None


class StoryStore:
    """Reads and deletes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_customers_before(
        self, day: date, *, adverse_day: date, after: int, limit: int
    ) -> list[int]:
        """Return the keys of customers with an item by a day, or an adverse fact by its own."""
        rows = self._connection.execute(
            select(customer.c.id)
            .where(customer.c.id > after, _has_records_before(day, adverse_day=adverse_day))
            .order_by(customer.c.id)
            .limit(limit)
        )
        return list(rows.scalars())

    def count_customers_before(self, day: date, *, adverse_day: date) -> int:
        """Return how many customers there are of whom something happened by a day."""
        return self._connection.execute(
            select(func.count())
            .select_from(customer)
            .where(_has_records_before(day, adverse_day=adverse_day))
        ).scalar_one()

    def list_tied_customers(self, customer_ids: Sequence[int]) -> list[int]:
        """Return customers and all whose items were ever tied to theirs, by a correction say."""
        found = set(customer_ids)
        fresh = sorted(found)
        while fresh:
            tied = set(self._connection.execute(_select_tied(fresh)).scalars())
            fresh = sorted(tied - found)
            found |= tied
        return sorted(found)

    def iterate_items(self, customer_ids: Sequence[int]) -> Iterator[LifeItem]:
        """Yield every version of every item of some customers."""
        rows = self._connection.execute(
            select(
                ledger_item,
                item_correction.c.entered_at_ms.label("corrected_at_ms"),
                item_correction.c.replaced_by,
            )
            .select_from(
                ledger_item.outerjoin(
                    item_correction, item_correction.c.item_id == ledger_item.c.id
                )
            )
            .where(ledger_item.c.customer_id.in_(customer_ids))
            .order_by(ledger_item.c.id)
        )
        for row in rows:
            yield LifeItem(
                item_id=row.id,
                customer_id=row.customer_id,
                kind=ItemKind(row.kind),
                source=row.source,
                document_no=row.document_no,
                line=row.line,
                happened_on=row.happened_on,
                currency=row.currency,
                amount_minor=row.amount_minor,
                entered_at_ms=row.entered_at_ms,
                corrected_at_ms=row.corrected_at_ms,
                replaced_by=row.replaced_by,
            )

    def iterate_promised(self, customer_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield (promise, item) of the items of some customers that were promised to be paid."""
        of_these = select(ledger_item.c.id).where(ledger_item.c.customer_id.in_(customer_ids))
        rows = self._connection.execute(
            select(promise_item.c.promise_id, promise_item.c.item_id).where(
                promise_item.c.item_id.in_(of_these)
            )
        )
        yield from ((promise_id, item_id) for promise_id, item_id in rows)

    def iterate_events(self, customer_ids: Sequence[int]) -> Iterator[LifeEvent]:
        """Yield what happened to the items of some customers, in no order."""
        of_these = select(ledger_item.c.id).where(ledger_item.c.customer_id.in_(customer_ids))
        for row in self._connection.execute(
            select(allocation).where(allocation.c.debit_id.in_(of_these))
        ):
            yield LifeEvent(
                item_id=row.debit_id,
                other_id=row.credit_id,
                amount_minor=row.amount_minor,
                happened_on=row.allocated_on,
                entered_at_ms=row.entered_at_ms,
            )
        for row in self._connection.execute(
            select(
                dispute,
                dispute_closure.c.closed_on,
                dispute_closure.c.entered_at_ms.label("ended_at_ms"),
            )
            .select_from(
                dispute.outerjoin(dispute_closure, dispute_closure.c.dispute_id == dispute.c.id)
            )
            .where(dispute.c.item_id.in_(of_these))
        ):
            yield LifeEvent(
                item_id=row.item_id,
                happened_on=row.closed_on or row.opened_on,
                entered_at_ms=row.ended_at_ms or row.entered_at_ms,
                is_open_dispute=row.closed_on is None,
            )
        for row in self._connection.execute(
            select(write_off_closure).where(write_off_closure.c.item_id.in_(of_these))
        ):
            yield LifeEvent(
                item_id=row.item_id,
                happened_on=row.closed_on,
                entered_at_ms=row.entered_at_ms,
                is_given_up=True,
            )

    def delete_items(self, item_ids: Sequence[int]) -> None:
        """Delete items with all that happened to them, and the promises to pay them."""
        for part in chunk_values(item_ids):
            self._delete_promises(part)
            of_these = select(dispute.c.id).where(dispute.c.item_id.in_(part))
            conditions: tuple[tuple[Any, ColumnElement[bool]], ...] = (
                (dispute_closure, dispute_closure.c.dispute_id.in_(of_these)),
                (dispute, dispute.c.item_id.in_(part)),
                (allocation, allocation.c.debit_id.in_(part)),
                (allocation, allocation.c.credit_id.in_(part)),
                (item_correction, item_correction.c.item_id.in_(part)),
                (item_correction, item_correction.c.replaced_by.in_(part)),
                (write_off_closure, write_off_closure.c.item_id.in_(part)),
                (record_hold, record_hold.c.item_id.in_(part)),
            )
            for table, condition in conditions:
                self._connection.execute(delete(table).where(condition))
        for part in chunk_values(item_ids):
            self._connection.execute(delete(ledger_item).where(ledger_item.c.id.in_(part)))

    def _delete_promises(self, item_ids: Sequence[int]) -> None:
        named = select(promise_item.c.promise_id).where(promise_item.c.item_id.in_(item_ids))
        promises = list(self._connection.execute(named.distinct()).scalars())
        for part in chunk_values(promises):
            of_these = promise_item.c.promise_id.in_(part)
            self._connection.execute(delete(promise_item).where(of_these))
            self._connection.execute(delete(payment_promise).where(payment_promise.c.id.in_(part)))

    def add_tombstones(
        self, rows: Iterable[Tombstone], *, policy: str, by: str, at_ms: int
    ) -> None:
        """Append what is left; a name that has one keeps it."""
        by_hash = {row.name_hash_hex: row for row in rows}
        known = {one.name_hash_hex for one in self.find_tombstones(by_hash)}
        values = [
            {
                "name_hash_hex": row.name_hash_hex,
                "reason": row.reason,
                "gone_on": row.gone_on,
                "policy": policy,
                "why": row.why,
                "entered_by": by,
                "entered_at_ms": at_ms,
            }
            for row in by_hash.values()
            if row.name_hash_hex not in known
        ]
        if values:
            self._connection.execute(insert(tombstone), values)

    def find_tombstones(self, hashes: Iterable[str]) -> list[Tombstone]:
        """Return those of some hashes that there are."""
        found = []
        for part in chunk_values(sorted(hashes)):
            rows = self._connection.execute(
                select(tombstone.c.name_hash_hex, tombstone.c.reason, tombstone.c.gone_on).where(
                    tombstone.c.name_hash_hex.in_(part)
                )
            )
            found += [
                Tombstone(name_hash_hex=row.name_hash_hex, reason=row.reason, gone_on=row.gone_on)
                for row in rows
            ]
        return found

    def has_tombstones(self) -> bool:
        """Tell whether anything was ever deleted."""
        query = select(tombstone.c.name_hash_hex).limit(1)
        return self._connection.execute(query).first() is not None

    def copy_horizons(self, customer_id: int, *, to_id: int) -> None:
        """Let what is gone of a customer be gone of the one that it turned out to be."""
        rows = self._connection.execute(
            select(records_horizon).where(records_horizon.c.customer_id == customer_id)
        ).all()
        for row in rows:
            self.move_horizon(
                Horizon(
                    customer_id=to_id,
                    currency=row.currency,
                    gone_until=row.gone_until,
                    known_until_ms=row.known_until_ms,
                    first_sale_on=row.first_sale_on,
                )
            )

    def move_horizon(self, new: Horizon) -> None:
        """Keep the later days of what is gone, and the first sale."""
        same = and_(
            records_horizon.c.customer_id == new.customer_id,
            records_horizon.c.currency == new.currency,
        )
        row = self._connection.execute(select(records_horizon).where(same)).first()
        if row is None:
            self._connection.execute(
                insert(records_horizon).values(
                    customer_id=new.customer_id,
                    currency=new.currency,
                    gone_until=new.gone_until,
                    known_until_ms=new.known_until_ms,
                    first_sale_on=new.first_sale_on,
                )
            )
            return
        sales = [day for day in (row.first_sale_on, new.first_sale_on) if day is not None]
        self._connection.execute(
            update(records_horizon)
            .where(same)
            .values(
                gone_until=max(row.gone_until, new.gone_until),
                known_until_ms=max(row.known_until_ms, new.known_until_ms),
                first_sale_on=min(sales, default=None),
            )
        )


def _has_records_before(day: date, *, adverse_day: date) -> ColumnElement[bool]:
    into_it = select(customer_merge.c.customer_id).where(
        customer_merge.c.into_id == customer.c.id, stands(None, customer_merge)
    )

    def is_its(column: ColumnElement[int]) -> ColumnElement[bool]:
        return or_(column == customer.c.id, column.in_(into_it))

    old = or_(
        exists().where(is_its(ledger_item.c.customer_id), ledger_item.c.happened_on <= day),
        exists().where(is_its(paper_version.c.customer_id), paper_version.c.begins_on <= day),
        customer.c.id.in_(select_fact_customers(by=adverse_day)),
    )
    is_merged = and_(customer_merge.c.customer_id == customer.c.id, stands(None, customer_merge))
    return and_(old, ~exists().where(is_merged))


def _select_tied(customer_ids: Sequence[int]) -> Any:  # noqa: ANN401  a union has no common type
    applied = (
        select(_credit.c.customer_id)
        .select_from(
            allocation.join(_debit, _debit.c.id == allocation.c.debit_id).join(
                _credit, _credit.c.id == allocation.c.credit_id
            )
        )
        .where(_debit.c.customer_id.in_(customer_ids))
    )
    back = (
        select(_debit.c.customer_id)
        .select_from(
            allocation.join(_credit, _credit.c.id == allocation.c.credit_id).join(
                _debit, _debit.c.id == allocation.c.debit_id
            )
        )
        .where(_credit.c.customer_id.in_(customer_ids))
    )
    old, new = _debit, _credit
    versions = item_correction.join(old, old.c.id == item_correction.c.item_id).join(
        new, new.c.id == item_correction.c.replaced_by
    )
    onward = (
        select(new.c.customer_id).select_from(versions).where(old.c.customer_id.in_(customer_ids))
    )
    backward = (
        select(old.c.customer_id).select_from(versions).where(new.c.customer_id.in_(customer_ids))
    )
    return applied.union(back, onward, backward)
