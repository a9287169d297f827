"""Alembic's entry: runs the revisions on the caller's engine, each in a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from node.core.database import metadata

if TYPE_CHECKING:
    from sqlalchemy import Engine

engine: Engine = context.config.attributes["engine"]
with engine.connect() as connection:
    writing = connection.execution_options(chengxin_write=True)
    context.configure(
        connection=writing,
        target_metadata=metadata,
        render_as_batch=True,  # SQLite alters a table by copying it.
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
