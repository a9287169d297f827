"""Fields that are encrypted at rest: AES-256-GCM, a key of the node's own, a nonce a value.

A thief of the database or of a backup learns how long such a value is, and no more; one of the key
file and its passphrase as well reads it. A value is bound to its column: put into another one it
does not open. Between rows of one column it can be moved by who may write the database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ColumnElement, Dialect, Text, TypeDecorator, literal, select, type_coerce
from sqlalchemy.exc import DontWrapMixin

from node.core.database import metadata
from node.core.errors import UnavailableError
from node.core.keystore import KeyFileError
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import MalformedError

if TYPE_CHECKING:
    from node.core.database import Database

NONCE_BYTES = 12
_MARK: Final = "f1."  # of a value that is encrypted; what lacks it was stored before
_INFO = b"chengxin/fields/v1\n"
_ATTRIBUTE = "chengxin_fields"


class FieldKeyError(UnavailableError, DontWrapMixin):
    """A stored field does not open: its key is another one, or it was changed."""

    code = "field-key"


class FieldCipher:
    """Encrypts and decrypts the fields of one database."""

    def __init__(
        self, *, load_seed: Callable[[], bytes], random_bytes: Callable[[int], bytes]
    ) -> None:
        """Load nothing yet: most commands touch no such field.

        Args:
            load_seed: Returns 32 secret bytes, from which the key is derived (RFC 5869).
            random_bytes: Draws nonces. With 96 random bits a value, a key is good for 2^32 values
                (NIST SP 800-38D, 8.3).
        """
        self._load_seed = load_seed
        self._random_bytes = random_bytes
        self._cipher: AESGCM | None = None

    def encrypt(self, text: str, *, column: str) -> str:
        """Return what is stored."""
        nonce = self._random_bytes(NONCE_BYTES)
        sealed = self._open().encrypt(nonce, text.encode("utf-8"), column.encode("utf-8"))
        return _MARK + encode_b64u(nonce + sealed)

    def decrypt(self, stored: str, *, column: str) -> str:
        """Return the text of what is stored.

        Raises:
            FieldKeyError: It was encrypted under another key or for another column, or changed.
        """
        try:
            raw = decode_b64u(stored.removeprefix(_MARK))
            text = self._open().decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], column.encode("utf-8")
            )
        except (InvalidTag, MalformedError, ValueError) as err:
            raise FieldKeyError(f"a value of {column} does not open with this node's key") from err
        return text.decode("utf-8")

    def _open(self) -> AESGCM:
        if self._cipher is None:
            try:
                seed = self._load_seed()
            except KeyFileError as err:
                raise FieldKeyError(err.detail) from err
            derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO)
            self._cipher = AESGCM(derivation.derive(seed))
        return self._cipher


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
        return None if value is None else _get_cipher(dialect).encrypt(value, column=self.column)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt."""
        if value is None or not is_encrypted(value):
            return value
        return _get_cipher(dialect).decrypt(value, column=self.column)


def has_encrypted(database: Database) -> bool:
    """Tell whether any value of a database is encrypted already."""
    columns = [
        column
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, EncryptedText)
    ]
    with database.read() as uow:
        return any(
            uow.connection.execute(select(literal(1)).where(~is_plain(column)).limit(1)).first()
            for column in columns
        )


def is_plain(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a value was stored before its column was encrypted."""
    return ~type_coerce(column, Text).startswith(_MARK, autoescape=True)


def is_encrypted(stored: str) -> bool:
    """Tell whether a stored value is an encrypted one."""
    return stored.startswith(_MARK)


def set_cipher(database: Database, cipher: FieldCipher) -> None:
    """Let a database's fields be encrypted and read with this cipher."""
    setattr(database.engine.dialect, _ATTRIBUTE, cipher)


def _get_cipher(dialect: Dialect) -> FieldCipher:
    found = getattr(dialect, _ATTRIBUTE, None)
    if not isinstance(found, FieldCipher):
        raise FieldKeyError("this database was opened without the key of its fields")
    return found
