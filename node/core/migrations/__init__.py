"""The schema's history (Alembic): one line of revisions for every store and both roles."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from node.core.database import Database, translate_failures
from node.core.errors import InvariantError, RejectedError


class SchemaUnknownError(RejectedError):
    """The database is of a revision that this software does not know: a newer one has made it."""

    code = "schema-unknown"


def build_config(database: Database) -> Config:
    """Return Alembic's configuration for a database; it works on that store, never a second."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["database"] = database
    return config


def read_revision(connection: Connection) -> str | None:
    """Return the revision of a database's schema; None where there is none."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """Return the revision that this software makes."""
    head = _revisions().get_current_head()
    if head is None:
        raise InvariantError("there is no revision")
    return head


def is_known_revision(revision: str) -> bool:
    """Tell whether this software knows a revision."""
    return revision in {one.revision for one in _revisions().walk_revisions()}


@cache  # Each of the files is read and run, and none changes while this software runs.
def _revisions() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))


def upgrade_database(database: Database) -> None:
    """Bring the schema to the newest revision; one that is there already changes nothing.

    All revisions that are missing are one transaction under the write lock: of two that start at
    once the second waits and finds nothing to do, and who is killed leaves nothing half-done.

    Raises:
        SchemaUnknownError: The database is of a newer software.
        DatabaseBusyError: Another process writes for too long.
        DatabaseFailedError: The store cannot be read or written.
    """
    config = build_config(database)
    with database.read() as uow:  # Beside a busy node nobody has to wait for the write lock.
        revision = read_revision(uow.connection)
    if revision == newest_revision():
        return
    if revision is not None and not is_known_revision(revision):
        raise SchemaUnknownError(f"the database is of revision {revision}: a newer software's")
    with translate_failures():
        command.upgrade(config, "head")
