"""Base64url without padding, one spelling only, and the hash of everything.

A lenient decoder lets two texts name one value, which breaks every comparison by text (a ``kid``, a
``jti``).
"""

from __future__ import annotations

import binascii
import hashlib

from protocol.errors import MalformedError

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def encode_b64u(value: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 §2)."""
    encoded = binascii.b2a_base64(value, newline=False)
    return encoded.rstrip(b"=").translate(_TO_URL).decode("ascii")


def decode_b64u(text: str, *, bytes_exact: int | None = None) -> bytes:
    """Decode base64url, accepting exactly the text that ``encode_b64u`` would write.

    Raises:
        MalformedError: Padding, foreign characters, stray bits or another length.
    """
    try:
        value = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"==")
    except ValueError as err:
        raise MalformedError("not base64url") from err
    # The decoder skips what is foreign and takes stray bits and the standard alphabet: compare.
    if encode_b64u(value) != text:
        raise MalformedError("not canonical base64url")
    if bytes_exact is not None and len(value) != bytes_exact:
        raise MalformedError(f"{len(value)} bytes where {bytes_exact} are due")
    return value


def sha256(*parts: bytes) -> bytes:
    """Hash the concatenation of the parts with SHA-256."""
    return hashlib.sha256(b"".join(parts)).digest()
