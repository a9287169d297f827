"""Statements of the hottest path, compiled once and handed to the driver as text and values.

Compiling, binding and reading back by name cost more than SQLite needs for the statement itself,
and so does the way there through a connection of SQLAlchemy: SQLite's driver is called directly.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Update

from node.core.database import translate


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement in the words of one driver; ``arrange`` None where it takes values by name."""

    text: str
    arrange: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None


class DriverStatement:
    """An insert or update whose values are given in the order of ``names``, two or more."""

    def __init__(self, statement: Insert | Update, *, names: Sequence[str]) -> None:
        """Take a statement whose parameters are all named; no value of it needs converting."""
        self._statement = statement
        self._names = tuple(names)
        self._forms: dict[str, _Form] = {}

    def execute(self, connection: Connection, values: tuple[Any, ...]) -> int:
        """Execute once in the open transaction; return how many rows were written.

        Raises:
            DBAPIError: The driver's error, as SQLAlchemy would raise it.
        """
        dialect = connection.dialect
        form = self._forms.get(dialect.name) or self._compile(connection)
        if form.arrange is None:
            named = dict(zip(self._names, values, strict=True))
            return connection.exec_driver_sql(form.text, named).rowcount
        arranged = form.arrange(values)
        if dialect.name != "sqlite":
            return connection.exec_driver_sql(form.text, arranged).rowcount
        driver: Any = connection.connection.dbapi_connection
        try:
            rowcount: int = driver.execute(form.text, arranged).rowcount
        except sqlite3.Error as err:
            raise translate(err, form.text) from err
        return rowcount

    def execute_many(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute once for each row, of which there is one at least, in the open transaction.

        Raises:
            DBAPIError: The driver's error, as SQLAlchemy would raise it.
        """
        form = self._forms.get(connection.dialect.name) or self._compile(connection)
        if form.arrange is None:
            named = [dict(zip(self._names, row, strict=True)) for row in rows]
            connection.exec_driver_sql(form.text, named)
            return
        connection.exec_driver_sql(form.text, list(map(form.arrange, rows)))

    def _compile(self, connection: Connection) -> _Form:
        compiled: Any = self._statement.compile(
            dialect=connection.dialect, column_keys=list(self._names)
        )
        places = compiled.positiontup
        arrange = None if places is None else itemgetter(*map(self._names.index, places))
        form = _Form(text=str(compiled), arrange=arrange)
        self._forms[connection.dialect.name] = form
        return form
