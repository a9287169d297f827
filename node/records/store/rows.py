"""Rows by the key that they are given, and lists that are too long for one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import ColumnElement, bindparam, insert

from node.core.errors import InvariantError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Insert, Table

IN_VALUES_MAX = 500  # values of one IN list
T = TypeVar("T")


def chunk_values(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield values in parts, each short enough for an IN list."""
    for start in range(0, len(values), IN_VALUES_MAX):
        yield values[start : start + IN_VALUES_MAX]


def is_among(column: ColumnElement[T], values: Collection[T]) -> ColumnElement[bool]:
    """Say that a column has one of some values.

    As ``in_`` does, which looks at each value by itself to see that it is none of SQL's own.
    """
    return column.in_(bindparam(None, list(values), type_=column.type, expanding=True))


@cache  # A table is made once, and so is this: each insert would cost as much as the row.
def insert_into(table: Table) -> Insert:
    """Return the statement that inserts the row whose values are its parameters."""
    return insert(table)


def insert_row(connection: Connection, table: Table, **values: object) -> int:
    """Insert one row and return the key that the database gave it.

    Raises:
        InvariantError: It gave none.
    """
    key = connection.execute(insert_into(table), values).inserted_primary_key
    if key is None:
        raise InvariantError("a row was written without a key")
    return int(key[0])
