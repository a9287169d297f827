"""Base64url without padding, one spelling only, and the hash of everything.

A lenient decoder lets two texts name one value, which breaks every comparison by text (a ``kid``, a
``jti``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from protocol.errors import MalformedError


def encode_b64u(value: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def decode_b64u(text: str, *, bytes_exact: int | None = None) -> bytes:
    """Decode base64url, accepting exactly the text that ``encode_b64u`` would write.

    Raises:
        MalformedError: Padding, foreign characters, stray bits or another length.
    """
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as err:
        raise MalformedError("not base64url") from err
    if encode_b64u(value) != text:  # Stray bits and the standard alphabet decode too: compare.
        raise MalformedError("not canonical base64url")
    if bytes_exact is not None and len(value) != bytes_exact:
        raise MalformedError(f"{len(value)} bytes where {bytes_exact} are due")
    return value


def sha256(*parts: bytes) -> bytes:
    """Hash the concatenation of the parts with SHA-256."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()
