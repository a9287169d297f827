"""How large a database is, and of which revision its schema."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from node.core.database import Database
from node.core.migrations import newest_revision, read_revision

_SQLITE = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
_POSTGRESQL = text("SELECT pg_database_size(current_database())")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """Bytes without what SQLite keeps beside its file; the revision, and the one of this software.

    ``store`` is ``sqlite`` or ``postgresql``.
    """

    store: str
    size_bytes: int
    revision: str
    revision_newest: str


def measure_database(database: Database) -> DatabaseFacts:
    """Return what an administrator wants to know of a database."""
    store = database.engine.dialect.name
    with database.read() as uow:
        size_bytes = uow.connection.execute(
            _SQLITE if store == "sqlite" else _POSTGRESQL
        ).scalar_one()
        revision = read_revision(uow.connection)
    return DatabaseFacts(
        store=store,
        size_bytes=int(size_bytes),
        revision=revision or "",
        revision_newest=newest_revision(),
    )
