"""Statements of the hottest path, compiled once and handed to the driver as text and values.

Compiling, binding and reading back by name cost more than SQLite needs for the statement itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Insert, Update


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement in the words of one driver; ``order`` None where it takes values by name."""

    text: str
    order: tuple[int, ...] | None


class DriverStatement:
    """An insert or update whose values are given in the order of ``names``."""

    def __init__(self, statement: Insert | Update, *, names: Sequence[str]) -> None:
        """Take a statement whose parameters are all named; no value of it needs converting."""
        self._statement = statement
        self._names = tuple(names)
        self._forms: dict[str, _Form] = {}

    def execute(self, connection: Connection, values: tuple[Any, ...]) -> CursorResult[Any]:
        """Execute once."""
        form = self._form(connection)
        if form.order is None:
            named = dict(zip(self._names, values, strict=True))
            return connection.exec_driver_sql(form.text, named)
        arranged = tuple(values[place] for place in form.order)
        return connection.exec_driver_sql(form.text, arranged)

    def _form(self, connection: Connection) -> _Form:
        name = connection.dialect.name
        if name not in self._forms:
            compiled: Any = self._statement.compile(
                dialect=connection.dialect, column_keys=list(self._names)
            )
            places = compiled.positiontup
            order = None if places is None else tuple(self._names.index(place) for place in places)
            self._forms[name] = _Form(text=str(compiled), order=order)
        return self._forms[name]
