"""Persons who were entered before their names and numbers were encrypted: once, at a start."""

from __future__ import annotations

import structlog

from node.core.database import Database
from node.core.field_keys import FieldKeyError
from node.records.store.persons import list_person_ids
from node.records.store.rows import chunk_values
from node.records.store.sealing import SealingStore

_log = structlog.get_logger()


def seal_persons(database: Database) -> int:
    """Encrypt what is in the clear of persons of an older schema; return of how many that was.

    In short transactions, so that a running node goes on beside it. Who is killed begins again and
    passes over what is done. A node without its key goes on, and says so: the next start tries
    again.
    """
    with database.read() as uow:
        if SealingStore(uow.connection).has_looked():
            return 0
        found = sorted(list_person_ids(uow.connection))
    sealed = 0
    try:
        for part in chunk_values(found):
            with database.write() as uow:
                store = SealingStore(uow.connection)
                sealed += sum(store.settle(customer_id) for customer_id in part)
    except FieldKeyError as err:
        _log.warning("persons_not_encrypted", detail=err.detail)
        return sealed
    with database.write() as uow:
        SealingStore(uow.connection).note_looked()
    if sealed:
        database.overwrite_deleted()
    return sealed
