"""Private keys on disk: encrypted PKCS#8, one file a use, readable by the owner alone.

A thief of the files needs the passphrase; a thief of both can sign as this node until the hub
revokes the keys. Randomness is drawn here and nowhere else.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from node.core.errors import ConflictError, RejectedError
from node.core.files import create_file, read_file
from protocol.keys import SEED_BYTES, SigningKey

KEY_FILE_BYTES_MAX = 16_384
SECRET_BYTES = 32


class KeyFileError(RejectedError):
    """A key file is missing, damaged, locked with another passphrase, or cannot be written."""

    code = "key-file-invalid"


class KeyExistsError(ConflictError):
    """A key file is never overwritten: the old key would be lost."""

    code = "key-exists"


def draw_bytes(count: int) -> bytes:
    """Return randomness of the operating system: salts, message ids, numbers of consents."""
    return secrets.token_bytes(count)


def generate_key() -> SigningKey:
    """Make a key from the operating system's randomness."""
    return SigningKey(draw_bytes(SEED_BYTES))


def save_key(key: SigningKey, *, path: Path, passphrase: str) -> None:
    """Write an encrypted key file with mode 0600.

    Raises:
        KeyExistsError: The file exists.
        KeyFileError: The passphrase is empty.
    """
    if not passphrase:
        raise KeyFileError(f"{path} is not written without a passphrase")
    pem = Ed25519PrivateKey.from_private_bytes(key.seed).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode("utf-8"))
    )
    write_secret_file(pem, path=path)


def load_key(*, path: Path, passphrase: str) -> SigningKey:
    """Read a key file.

    Raises:
        KeyFileError: It is missing, damaged, of another kind or locked with another passphrase.
    """
    try:
        with path.open("rb") as file:
            pem = file.read(KEY_FILE_BYTES_MAX)
        private = load_pem_private_key(pem, password=passphrase.encode("utf-8"))
    except FileNotFoundError as err:
        raise KeyFileError(f"{path} does not exist") from err
    except (OSError, ValueError, TypeError) as err:
        raise KeyFileError(f"{path} cannot be opened with this passphrase") from err
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path} holds no Ed25519 key")
    return SigningKey(private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def write_secret_file(content: bytes, *, path: Path) -> None:
    """Create a file that its owner alone can read, whole and durably, or not at all.

    Raises:
        KeyExistsError: It exists.
        KeyFileError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        create_file(content, path=path)
    except FileExistsError as err:
        raise KeyExistsError(f"{path} exists and is not overwritten") from err
    except OSError as err:
        raise KeyFileError(f"{path} cannot be written: {err.strerror}") from err


def make_secret_file(path: Path) -> str:
    """Create a file with a random token and return the token.

    Raises:
        KeyExistsError: It exists.
    """
    token = secrets.token_urlsafe(SECRET_BYTES)
    write_secret_file(token.encode("ascii"), path=path)
    return token


def read_secret(configured: str, *, path: Path) -> str:
    """Return a secret from the configuration, else from its file.

    Raises:
        KeyFileError: Neither is there, or the file is empty.
    """
    if configured:
        return configured
    try:
        secret = read_file(path, bytes_max=KEY_FILE_BYTES_MAX).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as err:
        raise KeyFileError(f"{path} cannot be read and no secret is configured") from err
    if not secret:
        raise KeyFileError(f"{path} is empty and no secret is configured")
    return secret
