"""Appending customers and what happened to them; nothing here changes or deletes an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, exists, insert, select, update

from node.core.errors import InvariantError
from node.records.rules_ledger import AllocationMethod, DisputeCause, DisputeOutcome, ItemKind
from node.records.store.customers import select_ids
from node.records.store.rows import insert_row
from node.records.store.sealing import SealingStore
from node.records.store.visibility import counts, stands, sum_applied
from node.records.tables import (
    adverse_event,
    allocation,
    customer,
    customer_merge,
    dispute,
    dispute_closure,
    item_correction,
    ledger_item,
    source_import,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

CHUNK_ROWS = 500  # rows of one IN list


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """An item about to be appended; positive is owed, negative is to the customer's credit."""

    customer_id: int
    kind: ItemKind
    source: str
    document_no: str
    line: int
    happened_on: date
    currency: str
    amount_minor: int
    entered_at_ms: int
    version: int = 1
    due_on: date | None = None
    due_business_on: date | None = None
    due_month: int | None = None
    import_id: int | None = None
    entered_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRow:
    """An application about to be appended; a negative amount takes one back."""

    debit_id: int
    credit_id: int
    amount_minor: int
    allocated_on: date
    method: AllocationMethod
    entered_at_ms: int
    import_id: int | None = None
    entered_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRow:
    """A dispute about to be appended."""

    item_id: int
    amount_minor: int
    opened_on: date
    cause: DisputeCause
    entered_at_ms: int
    import_id: int | None = None
    entered_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingItem:
    """What must be known of an item that is already here, in its newest version."""

    item_id: int
    customer_id: int
    happened_on: date
    due_on: date | None
    currency: str
    amount_minor: int
    is_disputed: bool
    applied_minor: int  # of what is owed


ItemKey = tuple[str, int]
"""Document number and line, within one source and kind."""


class AppendingStore:
    """Appends to the room's tables on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_customers(
        self, keys: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[int, str]]:
        """Return (key of ours, country) of the customers that are here, by scheme and value."""
        by_scheme: dict[str, list[str]] = {}
        for scheme, value in keys:
            by_scheme.setdefault(scheme, []).append(value)
        found: dict[tuple[str, str], int] = {}
        for scheme, values in by_scheme.items():
            for part in _chunks(values):
                rows = self._connection.execute(select_ids(self._connection, scheme, part))
                found.update({(scheme, row.value): row.id for row in rows})
        merged = self._read_merges()
        targets = {key: merged.get(key, key) for key in found.values()}
        countries = self._read_countries(sorted(set(targets.values())))
        return {
            name: (target, countries[target])
            for name, key in found.items()
            for target in (targets[key],)
        }

    def _read_merges(self) -> dict[int, int]:
        """Return which customer each merged one turned out to be in the end."""
        rows = self._connection.execute(select(customer_merge).where(stands(None, customer_merge)))
        steps = {row.customer_id: row.into_id for row in rows}
        ends = {}
        for customer_id in steps:
            end = customer_id
            while end in steps:
                end = steps[end]
            ends[customer_id] = end
        return ends

    def _read_countries(self, customer_ids: Sequence[int]) -> dict[int, str]:
        countries: dict[int, str] = {}
        for start in range(0, len(customer_ids), CHUNK_ROWS):
            rows = self._connection.execute(
                select(customer.c.id, customer.c.country).where(
                    customer.c.id.in_(customer_ids[start : start + CHUNK_ROWS])
                )
            )
            countries.update({row.id: row.country for row in rows})
        return countries

    def append_customers(self, rows: Sequence[dict[str, object]]) -> None:
        """Append customers."""
        if rows:
            SealingStore(self._connection).append_customers(rows)

    def append_import(
        self,
        *,
        source: str,
        file_name: str,
        file_sha256_hex: str,
        profile: str,
        rows_read: int,
        rows_rejected: int,
        invoices_added: int,
        payments_added: int,
        at_ms: int,
    ) -> int:
        """Append the record of an import and return its key."""
        result = self._connection.execute(
            insert(source_import).values(
                source=source,
                file_name=file_name,
                file_sha256_hex=file_sha256_hex,
                profile=profile,
                rows_read=rows_read,
                rows_rejected=rows_rejected,
                invoices_added=invoices_added,
                payments_added=payments_added,
                entered_at_ms=at_ms,
            )
        )
        key = result.inserted_primary_key
        if key is None:
            raise InvariantError("an import was written without a key")
        return int(key[0])

    def complete_import(
        self, import_id: int, *, rows_rejected: int, invoices_added: int, payments_added: int
    ) -> None:
        """Fill in what an import of this very transaction came to, before anybody sees it."""
        self._connection.execute(
            update(source_import)
            .where(source_import.c.id == import_id)
            .values(
                rows_rejected=rows_rejected,
                invoices_added=invoices_added,
                payments_added=payments_added,
            )
        )

    def read_items(
        self, *, source: str, kind: ItemKind, document_nos: Iterable[str]
    ) -> dict[ItemKey, ExistingItem]:
        """Return the items of these documents that are already here and count."""
        found = {}
        applied = sum_applied(allocation.c.debit_id, as_of=date.max, known_at_ms=None)
        disputed = exists().where(
            dispute.c.item_id == ledger_item.c.id,
            ~exists().where(dispute_closure.c.dispute_id == dispute.c.id),
        )
        for part in _chunks(sorted(set(document_nos))):
            rows = self._connection.execute(
                select(
                    ledger_item, applied.label("applied_minor"), disputed.label("is_disputed")
                ).where(_names(source, kind, part), counts(None))
            )
            for row in rows:
                found[row.document_no, row.line] = ExistingItem(
                    item_id=row.id,
                    customer_id=row.customer_id,
                    happened_on=row.happened_on,
                    due_on=row.due_on,
                    currency=row.currency,
                    amount_minor=row.amount_minor,
                    is_disputed=bool(row.is_disputed),
                    applied_minor=int(row.applied_minor),
                )
        return found

    def read_item_ids(
        self, *, source: str, kind: ItemKind, document_nos: Iterable[str]
    ) -> dict[ItemKey, int]:
        """Return the keys of the items of these documents that count."""
        found = {}
        for part in _chunks(sorted(set(document_nos))):
            rows = self._connection.execute(
                select(ledger_item.c.document_no, ledger_item.c.line, ledger_item.c.id).where(
                    _names(source, kind, part), counts(None)
                )
            )
            found.update({(document_no, line): key for document_no, line, key in rows})
        return found

    def read_cancelled(
        self, *, source: str, kind: ItemKind, document_nos: Iterable[str]
    ) -> set[ItemKey]:
        """Return which of these documents' items were entered and should not be here."""
        cancelled = exists().where(
            item_correction.c.item_id == ledger_item.c.id, item_correction.c.replaced_by.is_(None)
        )
        found: set[ItemKey] = set()
        for part in _chunks(sorted(set(document_nos))):
            rows = self._connection.execute(
                select(ledger_item.c.document_no, ledger_item.c.line).where(
                    _names(source, kind, part), cancelled
                )
            )
            found.update((document_no, line) for document_no, line in rows)
        return found

    def append_items(self, rows: Sequence[ItemRow]) -> None:
        """Append items."""
        self._append(ledger_item, rows)

    def append_item(self, row: ItemRow) -> int | None:
        """Append an item and return its key, or None where one of this name is here."""
        named = _names(row.source, row.kind, [row.document_no])
        taken = self._connection.execute(
            select(ledger_item.c.id).where(
                named, ledger_item.c.line == row.line, ledger_item.c.version == row.version
            )
        ).first()
        return None if taken is not None else self._append_one(ledger_item, row)

    def append_dispute(self, row: DisputeRow) -> int:
        """Append a dispute and return its key."""
        return self._append_one(dispute, row)

    def append_closure(
        self,
        dispute_id: int,
        *,
        closed_on: date,
        outcome: DisputeOutcome,
        reason: str,
        entered_by: str,
        at_ms: int,
    ) -> None:
        """Append the end of a dispute."""
        self._connection.execute(
            insert(dispute_closure).values(
                dispute_id=dispute_id,
                closed_on=closed_on,
                outcome=outcome,
                reason=reason,
                entered_by=entered_by,
                entered_at_ms=at_ms,
            )
        )

    def append_correction(
        self, item_id: int, *, replaced_by: int | None, reason: str, entered_by: str, at_ms: int
    ) -> None:
        """Append that an item counts no longer, and which one does instead."""
        self._connection.execute(
            insert(item_correction).values(
                item_id=item_id,
                replaced_by=replaced_by,
                reason=reason,
                entered_by=entered_by,
                entered_at_ms=at_ms,
            )
        )

    def append_corrections(
        self, new_ids: Mapping[int, int], *, reason: str, entered_by: str, at_ms: int
    ) -> None:
        """Append that items count no longer, and which one does instead of each."""
        values = [
            {
                "item_id": item_id,
                "replaced_by": new_id,
                "reason": reason,
                "entered_by": entered_by,
                "entered_at_ms": at_ms,
            }
            for item_id, new_id in new_ids.items()
        ]
        if values:
            self._connection.execute(insert(item_correction), values)

    def append_allocations(self, rows: Sequence[AllocationRow]) -> None:
        """Append applications."""
        self._append(allocation, rows)

    def append_disputes(self, rows: Sequence[DisputeRow]) -> None:
        """Append disputes."""
        self._append(dispute, rows)

    def _append_one(self, table: Table, row: ItemRow | DisputeRow) -> int:
        values = {field.name: getattr(row, field.name) for field in fields(row)}
        return insert_row(self._connection, table, **values)

    def _append(self, table: Table, rows: Sequence[ItemRow | AllocationRow | DisputeRow]) -> None:
        if rows:
            names = [field.name for field in fields(rows[0])]
            values = [{name: getattr(row, name) for name in names} for row in rows]
            self._connection.execute(insert(table), values)

    def append_adverse_event(
        self,
        *,
        customer_id: int,
        kind: str,
        happened_on: date,
        settled_on: date | None,
        evidence_sha256_hex: str,
        at_ms: int,
    ) -> None:
        """Append an adverse event with the hash of the document held."""
        self._connection.execute(
            insert(adverse_event).values(
                customer_id=customer_id,
                kind=kind,
                happened_on=happened_on,
                settled_on=settled_on,
                evidence_sha256_hex=evidence_sha256_hex,
                entered_at_ms=at_ms,
            )
        )


def _names(source: str, kind: ItemKind, document_nos: Sequence[str]) -> ColumnElement[bool]:
    return and_(
        ledger_item.c.source == source,
        ledger_item.c.kind == kind,
        ledger_item.c.document_no.in_(document_nos),
    )


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK_ROWS):
        yield values[start : start + CHUNK_ROWS]
