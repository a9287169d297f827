"""Change the key of encrypted fields: a command of its own, beside no running node."""

from __future__ import annotations

from node.bootstrap.home import open_database, open_field_files
from node.core.config import Settings
from node.core.field_sweep import FieldChange, change_key


def change_field_key(settings: Settings) -> FieldChange:
    """Encrypt all fields under a new key, or finish that where it was begun.

    Raises:
        FieldKeyError: The key in use is not to be had.
        KeyFileError: A file of a key cannot be written.
        KeyRingFullError: There have been too many keys.
        DatabaseBusyError: Another process writes for too long.
    """
    database = open_database(settings)
    try:
        return change_key(database, open_field_files(settings, database=database))
    finally:
        database.dispose()
