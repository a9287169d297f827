"""From when on records of one kind are whole: a table with a row for each customer of whom any go.

What had ended by ``gone_until`` may be gone; the last of it was entered at ``known_until_ms``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, bindparam, func, insert, select, update

from node.records.store.rows import chunk_values, is_among_param

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select, Table


def find_horizon(
    connection: Connection, table: Table, customer_ids: Sequence[int]
) -> tuple[date, int] | None:
    """Return the last end of what is gone of some customers, and when the last was entered.

    The moment is in milliseconds since 1970.
    """
    gone_until, known_until_ms = connection.execute(
        _select_horizon(table), {"customer_ids": customer_ids}
    ).one()
    return None if gone_until is None else (gone_until, known_until_ms)


def list_gone(
    connection: Connection, table: Table, customer_ids: Sequence[int], *, as_of: date
) -> set[int]:
    """Return of which of some customers something is gone that bears on a day."""
    found: set[int] = set()
    for part in chunk_values(customer_ids):
        rows = connection.execute(_select_gone(table), {"customer_ids": part, "as_of": as_of})
        found.update(rows.scalars())
    return found


@cache
def _select_horizon(table: Table) -> Select[Any]:
    return select(func.max(table.c.gone_until), func.max(table.c.known_until_ms)).where(
        is_among_param(table.c.customer_id, "customer_ids")
    )


@cache
def _select_gone(table: Table) -> Select[Any]:
    return select(table.c.customer_id).where(
        is_among_param(table.c.customer_id, "customer_ids"),
        table.c.gone_until > bindparam("as_of", type_=Date()),
    )


def move_horizon(
    connection: Connection,
    table: Table,
    customer_id: int,
    *,
    gone_until: date,
    known_until_ms: int,
) -> None:
    """Keep the later end and moment of what is gone of a customer."""
    found = find_horizon(connection, table, [customer_id])
    if found is None:
        connection.execute(
            insert(table).values(
                customer_id=customer_id, gone_until=gone_until, known_until_ms=known_until_ms
            )
        )
        return
    connection.execute(
        update(table)
        .where(table.c.customer_id == customer_id)
        .values(gone_until=max(found[0], gone_until), known_until_ms=max(found[1], known_until_ms))
    )
