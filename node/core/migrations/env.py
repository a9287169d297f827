"""Alembic's entry: runs the revisions on the caller's store, all in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from node.core.database import metadata

if TYPE_CHECKING:
    from node.core.database import Database

database: Database = context.config.attributes["database"]
# The write lock comes before the revision is read: another process may be upgrading.
with database.connect_to_write() as connection, connection.begin():
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,  # SQLite alters a table by copying it.
    )
    context.run_migrations()
