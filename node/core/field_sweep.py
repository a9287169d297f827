"""Everything that is to be encrypted, brought under the newest key of the fields.

What lies in the clear or under an older key is written anew.
A table is gone through in short transactions, so that a running node goes on beside it. Who is
killed begins at the table's first row again: what is under the newest key already is passed over.
Once all of a table is, that is written down, and the next start has nothing to do. Only then do
the older keys go into the archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Row,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    literal,
    select,
    tuple_,
    type_coerce,
    update,
)

from node.core.field_keys import FieldCipher, FieldKeyError
from node.core.field_tables import field_key
from node.core.fields import (
    EncryptedBytes,
    EncryptedText,
    EncryptedType,
    Personal,
    PersonalText,
    get_cipher,
    list_encrypted,
    may_be_encrypted,
)
from node.core.keystore import KeyFileError

if TYPE_CHECKING:
    from node.core.database import Database
    from node.core.field_files import FieldKeyFiles

ROWS_AT_ONCE = 500
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """What a change of the fields' key has done."""

    key_id: str
    rows: int
    """Written anew by this call; an earlier one that was stopped has written others."""
    was_begun: bool
    """Whether the key had been made by an earlier call."""


def settle_fields(database: Database, files: FieldKeyFiles) -> int:
    """Encrypt what is not under the newest key, finishing a change of the key that was stopped.

    A node whose key is not here goes on without its encrypted fields: it says so, and whoever
    reads one is told. So does one whose older keys cannot be put away: the next start tries again.

    Returns:
        How many rows were written anew.
    """
    try:
        rows = encrypt_stored(database)
        if rows is None:
            return 0
        files.archive_older()
    except (FieldKeyError, KeyFileError) as err:
        _log.warning("fields_not_settled", detail=err.detail)
        return 0
    return rows


def load_field_key(database: Database) -> None:
    """Open the fields' key, or make the first one, before the first exchange has to wait for it."""
    try:
        get_cipher(database.engine.dialect).open()
    except FieldKeyError as err:
        _log.warning("fields_not_settled", detail=err.detail)


def change_key(database: Database, files: FieldKeyFiles) -> FieldChange:
    """Make a new key, encrypt everything under it, and put the old one into the archive.

    Where an earlier call was stopped on its way, that change is finished and no other one begun.

    Raises:
        FieldKeyError: The key in use is not to be had.
        KeyFileError: A file of a key cannot be written.
        KeyRingFullError: There have been too many keys.
        DatabaseBusyError: Another process writes for too long.
    """
    cipher = get_cipher(database.engine.dialect)
    key_id = cipher.key_id
    was_begun = files.is_changing()
    if not was_begun:
        files.add()
        key_id = cipher.key_id
        with database.write():
            pass  # Whoever wrote under the old key until now has committed.
    rows = encrypt_stored(database)
    files.archive_older()
    return FieldChange(key_id=key_id, rows=rows or 0, was_begun=was_begun)


def encrypt_stored(database: Database) -> int | None:
    """Encrypt every value that is not under the newest key; return how many rows that were.

    None where no table has any row: then no key is needed, and none is made.

    Raises:
        FieldKeyError: The newest key is not to be had, or a value's own key is not.
    """
    with database.read() as uow:
        filled = {
            table: columns
            for table, columns in list_encrypted().items()
            if uow.connection.execute(
                select(literal(1))
                .select_from(table)
                .where(may_be_encrypted(table, columns))
                .limit(1)
            ).first()
        }
        done = {row.table_name: row.key_id for row in uow.connection.execute(select(field_key))}
    if not filled:
        return None
    cipher = get_cipher(database.engine.dialect)
    rows = 0
    for table, columns in filled.items():
        if done.get(table.name) != cipher.key_id:
            rows += _Sweep(table, columns, cipher).run(database)
    if rows:
        database.overwrite_deleted()
    return rows


class _Sweep:
    """Goes once through one table."""

    def __init__(
        self,
        table: Table,
        columns: Sequence[tuple[Column[str | bytes], EncryptedType]],
        cipher: FieldCipher,
    ) -> None:
        self._table = table
        self._columns = columns
        self._cipher = cipher
        # As they lie there: a part of a key may be encrypted itself.
        self._key = [_read_raw(column) for column in table.primary_key.columns]
        # The values as they lie there: neither opened nor, in what follows, mistaken.
        stored = [
            type_coerce(column, kind.impl_instance).label(column.name) for column, kind in columns
        ]
        names = [key.label(f"key_{index}") for index, key in enumerate(self._key)]
        self._select = (
            select(*names, *stored)
            .where(may_be_encrypted(table, columns))
            .order_by(*self._key)
            .limit(ROWS_AT_ONCE)
        )

    def run(self, database: Database) -> int:
        """Encrypt what is not; return how many rows that were."""
        key_id = self._cipher.key_id
        changed, after = 0, None
        while True:
            with database.write() as uow:
                rows = self._read(uow.connection, after)
                changed += self._renew(uow.connection, rows)
                if len(rows) < ROWS_AT_ONCE:
                    self._finish(uow.connection, key_id)
                    return changed
            after = tuple(rows[-1][: len(self._key)])

    def _read(self, connection: Connection, after: tuple[Any, ...] | None) -> Sequence[Row[Any]]:
        query = self._select
        if after is not None:
            query = query.where(tuple_(*self._key) > after)
        return connection.execute(query).all()

    def _renew(self, connection: Connection, rows: Sequence[Row[Any]]) -> int:
        """Write anew what is not under the newest key; the values of some columns, all at once."""
        chosen: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows:
            values = self._open(row, connection.dialect)
            if values:
                keys = {f"key_{index}": row[index] for index in range(len(self._key))}
                new = {f"new_{name}": value for name, value in values.items()}
                chosen.setdefault(tuple(values), []).append(keys | new)
        for names, changes in chosen.items():
            place = and_(
                *(column == bindparam(f"key_{index}") for index, column in enumerate(self._key))
            )
            anew: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
            connection.execute(update(self._table).where(place).values(anew), changes)
        return sum(map(len, chosen.values()))

    def _open(self, row: Row[Any], dialect: Dialect) -> dict[str, Any]:
        """Return the plain values, by column, that are to be encrypted again."""
        stored = {column.name: getattr(row, column.name) for column, _ in self._columns}
        # A peer's bytes may look encrypted; a value of one length tells of the row what it is.
        is_plain = any(
            isinstance(kind, EncryptedBytes) and kind.is_plain(stored[column.name])
            for column, kind in self._columns
        )
        return {
            column.name: stored[column.name]
            if is_plain
            else _read_value(kind, stored[column.name], dialect)
            for column, kind in self._columns
            if is_plain or not kind.is_settled(stored[column.name], cipher=self._cipher)
        }

    def _finish(self, connection: Connection, key_id: str) -> None:
        mine = field_key.c.table_name == self._table.name
        connection.execute(delete(field_key).where(mine))
        connection.execute(insert(field_key).values(table_name=self._table.name, key_id=key_id))


def _read_raw(column: Column[Any]) -> ColumnElement[Any]:
    kind = column.type
    if isinstance(kind, EncryptedText | EncryptedBytes):
        return type_coerce(column, kind.impl_instance)
    return column


def _read_value(kind: EncryptedType, stored: Any, dialect: Dialect) -> Any:  # noqa: ANN401  text or bytes
    value = kind.process_result_value(stored, dialect)
    return Personal(value) if isinstance(kind, PersonalText) and value is not None else value
