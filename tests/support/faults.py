"""Commits and statements that fail, before or after they have taken effect."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import event

from node.core.database import Database

BEFORE, AFTER = "not applied", "applied but reported failed"


class FailingCommit:
    """Makes the next commits of an engine fail, before or after they have taken effect."""

    def __init__(self, database: Database, *, mode: str, count: int = 1) -> None:
        self._commit = database.engine.dialect.do_commit
        self._error = database.engine.dialect.loaded_dbapi.OperationalError  # the driver's own
        self._mode = mode
        self._left = count
        database.engine.dialect.do_commit = self  # type: ignore[method-assign,assignment]  # the double

    def __call__(self, connection: Any) -> None:  # noqa: ANN401  a DBAPI connection has no common type
        if self._left == 0:
            self._commit(connection)
            return
        self._left -= 1
        if self._mode == AFTER:
            self._commit(connection)
        raise self._error("disk I/O error")


class FailingStatements:
    """Makes the next statement that holds a text fail, before or after it has taken effect."""

    def __init__(self, database: Database) -> None:
        self._fault: tuple[str, str] | None = None
        self._error = database.engine.dialect.loaded_dbapi.OperationalError  # the driver's own
        if database.engine.dialect.name == "sqlite":
            event.listen(database.engine, "do_connect", self._use_own)
        event.listen(database.engine, "connect", self._watch)

    def fail_next(self, text: str, *, mode: str) -> None:
        self._fault = (text, mode)

    def run(self, statement: object, execute: Callable[[], object]) -> None:
        """Execute a statement of the driver, or fail as is due."""
        text, mode = self._fault or ("", "")
        if not text or text not in str(statement):
            execute()
            return
        self._fault = None
        if mode == AFTER:
            execute()
        raise self._error("disk I/O error")

    def _use_own(self, *given: Any) -> None:  # noqa: ANN401  what the event gives
        given[-1]["factory"] = WatchedConnection

    def _watch(self, connection: Any, _record: object) -> None:  # noqa: ANN401  of either driver
        if isinstance(connection, WatchedConnection):
            connection.watcher = self
            return
        connection.cursor_factory = build_watched_cursor(self, connection.cursor_factory)


class WatchedCursor(sqlite3.Cursor):
    """Asks before each statement."""

    def execute(self, statement: str, values: Any = (), /) -> WatchedCursor:  # noqa: ANN401  the driver's own signature
        connection = self.connection
        assert isinstance(connection, WatchedConnection)
        execute = partial(super().execute, statement, values)
        if connection.watcher is None:
            execute()
        else:
            connection.watcher.run(statement, execute)
        return self


class WatchedConnection(sqlite3.Connection):
    """A connection of SQLite's driver whose statements are asked about."""

    watcher: FailingStatements | None = None

    def cursor(self, _factory: Any = None) -> Any:  # noqa: ANN401  the driver's own signature
        return super().cursor(WatchedCursor)

    def execute(self, statement: str, values: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401  the same
        return self.cursor().execute(statement, values)  # type: ignore[no-any-return]


def build_watched_cursor(watcher: FailingStatements, kind: Any) -> Any:  # noqa: ANN401  psycopg is an extra
    """Return the same for PostgreSQL's driver, whose connection takes a kind of cursor."""

    class Watched(kind):  # type: ignore[misc]  # known at run time alone
        def execute(self, query: object, *given: object, **options: object) -> Any:  # noqa: ANN401  its own
            watcher.run(query, partial(super().execute, query, *given, **options))
            return self

        def executemany(self, query: object, *given: object, **options: object) -> None:
            watcher.run(query, partial(super().executemany, query, *given, **options))

    return Watched
