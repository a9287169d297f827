"""Appending very many rows to an SQLite store, whose keys and order the caller gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from node.core.fields import PersonalText
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import is_natural_person
from node.records.store.sealing import SealingStore, mark_row
from node.records.tables import (
    allocation,
    behaviour_month,
    customer,
    dispute,
    ledger_item,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_CUSTOMER_COLUMNS = tuple(column.name for column in customer.columns)
CACHE_KIB = 262_144  # the indexes of a million items and their allocations, about


class BulkStore:
    """Reads and appends on the connection of one unit of work, in the driver's own calls.

    A row of ours through SQLAlchemy costs more than SQLite takes to store it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def widen_cache(self) -> Iterator[None]:
        """Let the pages of the indexes stay in memory; a pooled connection gets its own back."""
        before = self._connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
        self._connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KIB}")
        try:
            yield
        finally:
            self._connection.exec_driver_sql(f"PRAGMA cache_size={before}")

    def has_items(self, *, source: str) -> bool:
        """Tell whether anything of a source is here."""
        query = select(ledger_item.c.id).where(ledger_item.c.source == source).limit(1)
        return self._connection.execute(query).first() is not None

    def iterate_lines(self, *, source: str, first: str, last: str) -> Iterator[tuple[str, int]]:
        """Return (document number, line) of a source's invoices between two documents."""
        rows = self._connection.execute(
            select(ledger_item.c.document_no, ledger_item.c.line)
            .where(
                ledger_item.c.source == source,
                ledger_item.c.kind == ItemKind.INVOICE,
                ledger_item.c.document_no.between(first, last),
            )
            .distinct()
        )
        return ((document_no, line) for document_no, line in rows)

    def get_last_customer_id(self) -> int:
        """Return the largest key of a customer; 0 where there is none."""
        return self._get_last(customer)

    def get_last_item_id(self) -> int:
        """Return the largest key of an item; 0 where there is none."""
        return self._get_last(ledger_item)

    def append_customers(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append customers: their columns in order, persons encrypted."""
        persons = [row[0] for row in rows if _is_person(row)]
        if persons:
            rows = [self._seal(row) if _is_person(row) else row for row in rows]
            SealingStore(self._connection).append_further(persons)
        self._append(customer, rows)

    def _seal(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        marked = mark_row(dict(zip(_CUSTOMER_COLUMNS, row, strict=True)))
        dialect = self._connection.dialect
        return tuple(
            column.type.process_bind_param(marked[column.name], dialect)
            if isinstance(column.type, PersonalText)
            else marked[column.name]
            for column in customer.columns
        )

    def append_items(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append items."""
        self._append(ledger_item, rows)

    def append_allocations(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append applications; a key of None is the next one."""
        self._append(allocation, rows)

    def append_disputes(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append disputes; a key of None is the next one."""
        self._append(dispute, rows)

    def append_months(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rolled-up months of customers that have none."""
        self._append(behaviour_month, rows)

    def _append(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        names = ", ".join(column.name for column in table.c)
        places = ", ".join("?" * len(table.c))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608  our own names
        self._connection.exec_driver_sql(statement, list(rows))

    def _get_last(self, table: Table) -> int:
        query = select(func.coalesce(func.max(table.c.id), 0))
        return int(self._connection.execute(query).scalar_one())


def _is_person(row: tuple[Any, ...]) -> bool:
    _, scheme, value, _, _, kind, _ = row
    return is_natural_person(kind=kind, identifiers=[(scheme, value)])
