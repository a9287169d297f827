"""Keys of the fields that are encrypted at rest, and what is done with them.

A key is derived from the secret of a file (HKDF-SHA-256, RFC 5869): one part encrypts under a
nonce of its own each time (AES-256-GCM, NIST SP 800-38D), one encrypts what has to be searched to
the same bytes each time (AES-256-SIV, RFC 5297), and one is the key's id, which every value
carries. So values under an old and a new key can lie in one table while the key is changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.exc import DontWrapMixin

from node.core.errors import UnavailableError
from node.core.keystore import KeyFileError
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import MalformedError

NONCE_BYTES = 12
KEY_ID_BYTES = 6
MARK: Final = "f2."  # then the key's id and a full stop; what lacks it was stored before
OLD_MARK: Final = "f1."  # of values that do not name their key
BYTES_MARK: Final = b"\x00f2."  # then the key's id
_INFO = b"chengxin/fields/v1\n"
_INFO_SIV = b"chengxin/fields/siv/v1\n"
_INFO_ID = b"chengxin/fields/id/v1\n"
_HEAD_CHARS = len(MARK) + KEY_ID_BYTES * 4 // 3 + 1
_HEAD_BYTES = len(BYTES_MARK) + KEY_ID_BYTES
_BROKEN = (InvalidTag, MalformedError, ValueError)


class FieldKeyError(UnavailableError, DontWrapMixin):
    """A stored field does not open: its key is another one or not here, or it was changed."""

    code = "field-key"


class FieldSecrets(Protocol):
    """Where the secrets are."""

    def load(self) -> Sequence[bytes]:
        """Return the secrets, the one to encrypt with first, then every older one that is here.

        Raises:
            KeyFileError: There is none, or one does not open.
            UnavailableError: It cannot be told now whether a first one may be made.
        """

    def has_newer(self) -> bool:
        """Tell whether a key has been made since the secrets were loaded; it is asked often."""


class FieldKey:
    """What is derived from one secret."""

    def __init__(self, seed: bytes) -> None:
        """Derive."""
        self.gcm = AESGCM(_derive(seed, _INFO, count=32))
        self.siv = AESSIV(_derive(seed, _INFO_SIV, count=64))
        self.id = _derive(seed, _INFO_ID, count=KEY_ID_BYTES)
        self.name = encode_b64u(self.id)
        self.text_head = f"{MARK}{self.name}."
        self.bytes_head = BYTES_MARK + self.id


class FieldCipher:
    """Encrypts and decrypts the fields of one database."""

    def __init__(self, *, secrets: FieldSecrets, random_bytes: Callable[[int], bytes]) -> None:
        """Load nothing yet: most commands touch no such field.

        Args:
            secrets: Gives the secrets from which the keys are derived.
            random_bytes: Draws nonces. With 96 random bits a value, a key is good for 2^32 values
                (NIST SP 800-38D, 8.3).
        """
        self._secrets = secrets
        self._random_bytes = random_bytes
        self._keys: tuple[FieldKey, ...] = ()
        self._loading = threading.Lock()

    @property
    def key_id(self) -> str:
        """Return the id of the key that values are encrypted with now.

        Raises:
            FieldKeyError: It is not to be had.
        """
        return self._newest().name

    def open(self) -> None:
        """Load the keys now.

        Raises:
            FieldKeyError: They are not to be had.
        """
        self._newest()

    def encrypt(self, text: str, *, column: str) -> str:
        """Return what is stored of a text."""
        key = self._newest()
        return key.text_head + encode_b64u(self._seal(key, text.encode("utf-8"), column))

    def encrypt_bytes(self, plain: bytes, *, column: str) -> bytes:
        """Return what is stored of bytes."""
        key = self._newest()
        return key.bytes_head + self._seal(key, plain, column)

    def encrypt_to_search(self, text: str, *, column: str) -> str:
        """Return what is stored of a text, the same each time; an empty one stays empty."""
        return _seal_to_search(self._newest(), text, column)

    def list_stored(self, text: str, *, column: str) -> list[str]:
        """Return everything that ``encrypt_to_search`` may have stored of a text, or others before.

        It may lie under each key that is here, and in the clear until the next start.
        """
        self._newest()
        return [text, *(_seal_to_search(key, text, column) for key in self._keys)]

    def decrypt(self, stored: str, *, column: str) -> str:
        """Return the text of what ``encrypt`` has stored.

        Raises:
            FieldKeyError: It was encrypted under another key or for another column, or changed.
        """
        try:
            sealed = decode_b64u(stored[_find_body(stored) :])
            for key in self._find_keys(stored, column):
                try:
                    return _open(key, sealed, column).decode("utf-8")
                except InvalidTag:
                    continue
        except _BROKEN as err:
            raise _broken(column) from err
        raise _broken(column)

    def decrypt_bytes(self, stored: bytes, *, column: str) -> bytes:
        """Return the bytes of what ``encrypt_bytes`` has stored.

        Raises:
            FieldKeyError: It was encrypted under another key or for another column, or changed.
        """
        key = self._find(stored[len(BYTES_MARK) : _HEAD_BYTES], column)
        try:
            return _open(key, stored[_HEAD_BYTES:], column)
        except _BROKEN as err:
            raise _broken(column) from err

    def decrypt_searched(self, stored: str, *, column: str) -> str:
        """Return the text of what ``encrypt_to_search`` has stored.

        Raises:
            FieldKeyError: It was encrypted under another key or for another column, or changed.
        """
        try:
            key = self._find(_read_id(stored), column)
            sealed = decode_b64u(stored[_HEAD_CHARS:])
            return key.siv.decrypt(sealed, [column.encode("utf-8")]).decode("utf-8")
        except _BROKEN as err:
            raise _broken(column) from err

    def is_newest(self, stored: str | bytes) -> bool:
        """Tell whether a stored value is under the key that values are encrypted with now."""
        key = self._newest()
        if isinstance(stored, bytes):
            return stored.startswith(key.bytes_head)
        return stored.startswith(key.text_head)

    def _seal(self, key: FieldKey, plain: bytes, column: str) -> bytes:
        nonce = self._random_bytes(NONCE_BYTES)
        return nonce + key.gcm.encrypt(nonce, plain, column.encode("utf-8"))

    def _newest(self) -> FieldKey:
        # Asked each time: whoever changes the key waits for those who write, so that nothing is
        # written under the old one afterwards (docs/decisions/0047).
        if not self._keys or self._secrets.has_newer():
            self._load()
        return self._keys[0]

    def _find_keys(self, stored: str, column: str) -> Sequence[FieldKey]:
        if stored.startswith(MARK):
            return [self._find(_read_id(stored), column)]
        self._newest()
        return self._keys

    def _find(self, key_id: bytes, column: str) -> FieldKey:
        for is_loaded in (bool(self._keys), False):
            if not is_loaded:
                self._load()
            for key in self._keys:
                if key.id == key_id:
                    return key
        name = encode_b64u(key_id)
        raise FieldKeyError(f"a value of {column} is under the key {name}, which is not here")

    def _load(self) -> None:
        with self._loading:
            try:
                self._keys = tuple(FieldKey(seed) for seed in self._secrets.load())
            except (KeyFileError, UnavailableError) as err:
                # Another error would be taken for one of the statement that wants the key.
                raise FieldKeyError(err.detail) from err


def is_encrypted(stored: str | bytes) -> bool:
    """Tell whether a stored value is an encrypted one."""
    if isinstance(stored, bytes):
        return stored.startswith(BYTES_MARK)
    return stored.startswith((MARK, OLD_MARK))


def _seal_to_search(key: FieldKey, text: str, column: str) -> str:
    if not text:
        return text
    sealed = key.siv.encrypt(text.encode("utf-8"), [column.encode("utf-8")])
    return key.text_head + encode_b64u(sealed)


def _open(key: FieldKey, sealed: bytes, column: str) -> bytes:
    return key.gcm.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], column.encode("utf-8"))


def _find_body(stored: str) -> int:
    return _HEAD_CHARS if stored.startswith(MARK) else len(OLD_MARK)


def _read_id(stored: str) -> bytes:
    return decode_b64u(stored[len(MARK) : _HEAD_CHARS - 1])


def _broken(column: str) -> FieldKeyError:
    return FieldKeyError(f"a value of {column} does not open with this node's key")


def _derive(seed: bytes, info: bytes, *, count: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=count, salt=None, info=info).derive(seed)
