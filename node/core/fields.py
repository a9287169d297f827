"""Types of columns whose values are encrypted where they lie (node/core/field_keys.py).

A thief of the database or of a backup learns how long such a value is, of one that is searched also
where it comes again in its column, and no more; one of the key file and its passphrase as well
reads it. A value is bound to its column: put into another one it does not open. Between rows of one
column it can be moved by who may write the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    Text,
    TypeDecorator,
    false,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from node.core.database import Bytes, metadata
from node.core.field_keys import (
    BYTES_MARK,
    MARK,
    OLD_MARK,
    FieldCipher,
    FieldKeyError,
    is_encrypted,
)

if TYPE_CHECKING:
    from node.core.database import Database

_ATTRIBUTE = "chengxin_fields"


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted where it lies. What was stored before it was, is read as it is."""

    impl = Text
    cache_ok = True

    def __init__(self, column: str) -> None:
        """Take the column's own name, ``table.column``."""
        super().__init__()
        self.column = column

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt."""
        return None if value is None else self.encrypt(value, cipher=get_cipher(dialect))

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt."""
        if value is None or not is_encrypted(value):
            return value
        return self.decrypt(value, cipher=get_cipher(dialect))

    def encrypt(self, value: str, *, cipher: FieldCipher) -> str:
        """Return what is stored."""
        return cipher.encrypt(value, column=self.column)

    def decrypt(self, stored: str, *, cipher: FieldCipher) -> str:
        """Return the text of what is stored."""
        return cipher.decrypt(stored, column=self.column)

    def is_settled(self, stored: str | None, *, cipher: FieldCipher) -> bool:
        """Tell whether a stored value stays as it is: it is under the newest key."""
        return stored is None or cipher.is_newest(stored)


class SearchableText(EncryptedText):
    """Text that is encrypted to the same each time, so that ``has_text`` finds it."""

    cache_ok = True

    def encrypt(self, value: str, *, cipher: FieldCipher) -> str:
        """Return what is stored."""
        return cipher.encrypt_to_search(value, column=self.column)

    def decrypt(self, stored: str, *, cipher: FieldCipher) -> str:
        """Return the text of what is stored."""
        return cipher.decrypt_searched(stored, column=self.column)

    def is_settled(self, stored: str | None, *, cipher: FieldCipher) -> bool:
        """Tell whether a stored value stays as it is: it is empty or under the newest key."""
        return stored == "" or super().is_settled(stored, cipher=cipher)


class EncryptedBytes(TypeDecorator[bytes]):
    """Bytes that are encrypted where they lie; of what was stored before, as ``EncryptedText``."""

    impl = Bytes
    cache_ok = True

    def __init__(self, column: str, *, plain_bytes: int | None = None) -> None:
        """Take the column's own name, ``table.column``.

        Args:
            column: The name.
            plain_bytes: How long every plain value is, where all are of one length: by that a row
                that was stored before is told for certain.
        """
        super().__init__()
        self.column = column
        self.plain_bytes = plain_bytes

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Encrypt."""
        return None if value is None else self.encrypt(value, cipher=get_cipher(dialect))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Decrypt."""
        if value is None or self.is_plain(value) or not is_encrypted(value):
            return value
        return self.decrypt(value, cipher=get_cipher(dialect))

    def encrypt(self, value: bytes, *, cipher: FieldCipher) -> bytes:
        """Return what is stored."""
        return cipher.encrypt_bytes(value, column=self.column)

    def decrypt(self, stored: bytes, *, cipher: FieldCipher) -> bytes:
        """Return the bytes of what is stored."""
        return cipher.decrypt_bytes(stored, column=self.column)

    def is_plain(self, stored: bytes | None) -> bool:
        """Tell whether a value was stored before by its length alone, whatever its bytes are."""
        return stored is not None and len(stored) == self.plain_bytes

    def is_settled(self, stored: bytes | None, *, cipher: FieldCipher) -> bool:
        """Tell whether a stored value stays as it is: it is under the newest key."""
        return stored is None or cipher.is_newest(stored)


EncryptedType = EncryptedText | EncryptedBytes


def has_text(connection: Connection, column: Column[str], text: str) -> ColumnElement[bool]:
    """Return the condition that a searchable column holds a text, under whichever key."""
    if not isinstance(column.type, SearchableText):
        raise TypeError(f"{column} cannot be searched")
    if "\x00" in text:  # No row has it, and PostgreSQL takes it in no text.
        return false()
    cipher = get_cipher(connection.dialect)
    stored = cipher.list_stored(text, column=column.type.column)
    return type_coerce(column, Text).in_(stored)


def list_encrypted() -> dict[Table, list[tuple[Column[str | bytes], EncryptedType]]]:
    """Return each table that has encrypted columns, with those."""
    found: dict[Table, list[tuple[Column[str | bytes], EncryptedType]]] = {}
    for _, table in sorted(metadata.tables.items()):
        for column in table.columns:
            if isinstance(column.type, EncryptedText | EncryptedBytes):
                found.setdefault(table, []).append((column, column.type))
    return found


def has_encrypted(database: Database) -> bool:
    """Tell whether any value of a database is encrypted already."""
    with database.read() as uow:
        return any(
            uow.connection.execute(select(literal(1)).where(_is_marked(column)).limit(1)).first()
            for columns in list_encrypted().values()
            for column, _ in columns
        )


def _is_marked(column: Column[str | bytes]) -> ColumnElement[bool]:
    if isinstance(column.type, EncryptedBytes):
        start = func.substr(type_coerce(column, Bytes), 1, len(BYTES_MARK), type_=Bytes)
        return start == literal(BYTES_MARK, Bytes)
    stored = type_coerce(column, Text)
    return or_(*(stored.startswith(mark, autoescape=True) for mark in (MARK, OLD_MARK)))


def set_cipher(database: Database, cipher: FieldCipher) -> None:
    """Let a database's fields be encrypted and read with this cipher."""
    setattr(database.engine.dialect, _ATTRIBUTE, cipher)


def get_cipher(dialect: Dialect) -> FieldCipher:
    """Return the cipher of a database's fields.

    Raises:
        FieldKeyError: It was opened without.
    """
    found = getattr(dialect, _ATTRIBUTE, None)
    if not isinstance(found, FieldCipher):
        raise FieldKeyError("this database was opened without the key of its fields")
    return found
