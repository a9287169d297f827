"""Commits that fail, before or after they have taken effect."""

from __future__ import annotations

from typing import Any

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
