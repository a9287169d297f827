"""Rows by the key that they are given, and lists that are too long for one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Dialect,
    Integer,
    Text,
    TypeDecorator,
    bindparam,
    insert,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from node.core.errors import InvariantError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Insert, Table

IN_VALUES_MAX = 500  # values of one IN list
T = TypeVar("T")


def chunk_values(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield values in parts, each short enough for an IN list."""
    for start in range(0, len(values), IN_VALUES_MAX):
        yield values[start : start + IN_VALUES_MAX]


class KeyList(TypeDecorator[list[int]]):
    """Many keys as one value: an array on a server, a text of JSON on SQLite, which has none."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401  a type of any dialect
        """Return the type of the one value."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(ARRAY(BigInteger))

    def process_bind_param(self, value: list[int] | None, dialect: Dialect) -> Any:  # noqa: ANN401  as above
        """Write the keys."""
        if value is None or dialect.name != "sqlite":
            return value
        return f"[{','.join(map(str, value))}]"


class _Keys(FunctionElement[int]):
    """The keys of a list that is one value, as rows."""

    inherit_cache = True
    type = BigInteger()


@compiles(_Keys, "sqlite")
def _compile_sqlite(element: _Keys, compiler: Any, **kw: Any) -> str:  # noqa: ANN401  of SQLAlchemy
    keys = compiler.process(element.clauses, **kw)
    return f"(SELECT value FROM json_each({keys}))"  # noqa: S608  the place of a parameter


@compiles(_Keys)
def _compile_server(element: _Keys, compiler: Any, **kw: Any) -> str:  # noqa: ANN401  of SQLAlchemy
    keys = compiler.process(element.clauses, **kw)
    return f"(SELECT unnest({keys}))"


def is_among(column: ColumnElement[T], values: Collection[T]) -> ColumnElement[bool]:
    """Say that a column has one of some values.

    As ``in_`` does, whose text has a place for each of them: keys go as one value, so that the
    statement is put together once.
    """
    if isinstance(column.type, Integer):
        return _is_one_of(column, bindparam(None, list(values), type_=KeyList()))
    return column.in_(bindparam(None, list(values), type_=column.type, expanding=True))


def is_among_param(column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Say that a column has one of the keys of a parameter: for a query that is made once."""
    return _is_one_of(column, bindparam(name, type_=KeyList()))


def _is_one_of(column: ColumnElement[Any], keys: BindParameter[list[int]]) -> ColumnElement[bool]:
    return column.bool_op("IN")(_Keys(keys))


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
