"""Types of columns whose values are encrypted where they lie (node/core/field_keys.py).

A thief of the database or of a backup learns how long such a value is, of one that is searched also
where it comes again in its column, and no more; one of the key file and its passphrase as well
reads it. A value is bound to its column: put into another one it does not open. Between rows of one
column it can be moved by who may write the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

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
    true,
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
from node.core.field_tables import sealed_owner

if TYPE_CHECKING:
    from node.core.database import Database

SEAL: Final = "\x1e"  # stands before what is encrypted of a person: no text that is entered has it
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


class Personal(str):
    """A text of a natural person: a column of ``PersonalText`` encrypts it, any other does not."""

    __slots__ = ()


class PersonalText(EncryptedText):
    """Text that is encrypted in the rows of some owners, and in the clear in those of others.

    Whoever writes says which by the text: ``Personal`` is encrypted. The owners of whose rows it
    is stand in ``sealed_owner``, so that nobody looks through all rows for those few.
    """

    cache_ok = True

    def __init__(
        self, column: str, *, owner: str = "customer_id", is_searched: bool = False
    ) -> None:
        """Take the name that the value is bound to; columns that are compared have one together.

        Args:
            column: The name.
            owner: The column beside it that holds the owner's key.
            is_searched: Whether it is encrypted to the same each time, so that
                ``list_personal_forms`` finds it.
        """
        super().__init__(column)
        self.owner = owner
        self.is_searched = is_searched

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt what is of a person."""
        if not isinstance(value, Personal):
            return value
        return super().process_bind_param(value, dialect)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt what is encrypted."""
        if value is None or not value.startswith(SEAL):
            return value
        return self.decrypt(value, cipher=get_cipher(dialect))

    def encrypt(self, value: str, *, cipher: FieldCipher) -> str:
        """Return what is stored."""
        if self.is_searched:
            return SEAL + cipher.encrypt_to_search(value, column=self.column)
        return SEAL + cipher.encrypt(value, column=self.column)

    def decrypt(self, stored: str, *, cipher: FieldCipher) -> str:
        """Return the text of what is stored."""
        sealed = stored[len(SEAL) :]
        if self.is_searched:
            return cipher.decrypt_searched(sealed, column=self.column)
        return cipher.decrypt(sealed, column=self.column)

    def is_settled(self, stored: str | None, *, cipher: FieldCipher) -> bool:
        """Tell whether a stored value stays as it is: in the clear, or under the newest key."""
        if stored is None or not stored.startswith(SEAL):
            return True
        return cipher.is_newest(stored[len(SEAL) :])


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
_ANY_SEALED = select(sealed_owner.c.owner_id).limit(1)


def has_text(connection: Connection, column: Column[str], text: str) -> ColumnElement[bool]:
    """Return the condition that a searchable column holds a text, under whichever key."""
    return has_any_text(connection, column, [text])


def has_any_text(
    connection: Connection, column: Column[str], texts: Iterable[str]
) -> ColumnElement[bool]:
    """Return the condition that a searchable column holds one of some texts."""
    if not isinstance(column.type, SearchableText):
        raise TypeError(f"{column} cannot be searched")
    cipher = get_cipher(connection.dialect)
    name = column.type.column
    stored = [
        one
        for text in texts
        if "\x00" not in text  # No row has it, and PostgreSQL takes it in no text.
        for one in cipher.list_stored(text, column=name)
    ]
    return type_coerce(column, Text).in_(stored) if stored else false()


def list_personal_forms(
    connection: Connection, column: Column[str], texts: Iterable[str]
) -> list[str]:
    """Return everything that a searched column of ``PersonalText`` may hold of texts.

    The key is asked for where somebody's rows are encrypted, and not otherwise.
    """
    kind = column.type
    if not isinstance(kind, PersonalText) or not kind.is_searched:
        raise TypeError(f"{column} cannot be searched")
    plain = [text for text in texts if "\x00" not in text]
    if not has_sealed(connection):
        return plain
    cipher = get_cipher(connection.dialect)
    sealed = [
        SEAL + stored
        for text in plain
        for stored in cipher.list_stored(text, column=kind.column)[1:]
    ]
    return plain + sealed


def format_personal(connection: Connection, column: Column[str], text: str) -> str:
    """Return what a column of ``PersonalText`` holds of a text, for who writes past SQLAlchemy."""
    kind = column.type
    if not isinstance(kind, PersonalText):
        raise TypeError(f"{column} holds nothing of persons")
    return kind.encrypt(text, cipher=get_cipher(connection.dialect))


def has_sealed(connection: Connection) -> bool:
    """Tell whether the rows of anybody are encrypted."""
    return connection.execute(_ANY_SEALED).first() is not None


def list_forms(connection: Connection, column: Column[str], text: str) -> list[str]:
    """Return everything that a searchable column may hold of a text, as it is stored."""
    if not isinstance(column.type, SearchableText):
        raise TypeError(f"{column} cannot be searched")
    cipher = get_cipher(connection.dialect)
    return cipher.list_stored(text, column=column.type.column)


def list_personal() -> list[tuple[Table, list[Column[str]]]]:
    """Return each table that has columns of ``PersonalText``, with those."""
    found = []
    for _, table in sorted(metadata.tables.items()):
        columns = [column for column in table.columns if isinstance(column.type, PersonalText)]
        if columns:
            found.append((table, columns))
    return found


def may_be_encrypted(
    table: Table, columns: Sequence[tuple[Column[str | bytes], EncryptedType]]
) -> ColumnElement[bool]:
    """Return the condition of a table's rows that are to be encrypted: all, or some owners'."""
    owners = {kind.owner if isinstance(kind, PersonalText) else None for _, kind in columns}
    owner = owners.pop()
    if owner is None or owners:
        return true()
    return table.c[owner].in_(select(sealed_owner.c.owner_id))


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
        return has_sealed(uow.connection) or any(
            uow.connection.execute(select(literal(1)).where(_is_marked(column)).limit(1)).first()
            for columns in list_encrypted().values()
            for column, kind in columns
            if not isinstance(kind, PersonalText)
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
