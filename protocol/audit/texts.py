"""Takes a line of ``messages.jsonl`` apart by its quotation marks, in the spelling of the writer.

A short cut as ``protocol.entry.quick``: a line that is taken here is a record for the parser too,
as far as each of its texts is the base64url, or the proof, that it should be. That is the caller's
to check.
"""

from __future__ import annotations

import binascii
from typing import NamedTuple

LINE_BYTES_MAX = 65_536  # of what is taken: far below every limit of a record but two
OUT_END, IN_END = b'","side":"out"}', b'","side":"in"}'
SALT_CHARACTERS = HASH_CHARACTERS = 43
_NAMES = (
    b"answer answer_body answer_inclusion answer_salt "
    b"request request_body request_inclusion request_salt side"
).split()
# What stands before, between and behind names and texts.
_MARKS = [b"{", *[b":", b","] * (len(_NAMES) - 1), b":", b"}"]
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING = (b"", b"=", b"==", b"=")  # by how many characters stand over; none is right for one
# What the last character may be of one, two or three that stand over: its other bits say nothing
# (RFC 4648 §3.5).
_NONE = frozenset[int]()
_LAST = (_NONE, _NONE, frozenset(b"AQgw"), frozenset(b"AEIMQUYcgkosw048"))


class RecordTexts(NamedTuple):
    """The texts of one record that shows both messages with their bodies, as they are written."""

    answer: bytes
    answer_body: bytes
    answer_inclusion: bytes
    answer_salt: bytes
    request: bytes
    request_body: bytes
    request_inclusion: bytes
    request_salt: bytes


def split_record(content: bytes) -> RecordTexts | None:
    """Return the texts of a line in its usual spelling, or None where the parser must decide."""
    parts = content.split(b'"')
    if parts[::2] != _MARKS or parts[1::4] != _NAMES or len(content) > LINE_BYTES_MAX:
        return None
    return RecordTexts._make(parts[3:-4:4])


def write_hash(digest: bytes) -> bytes:
    """Return a hash in base64url."""
    return binascii.b2a_base64(digest, newline=False).translate(_TO_URL)[:HASH_CHARACTERS]


def find_octets(text: bytes) -> bytes | None:
    """Return what a text is the one base64url spelling of, or None."""
    over = len(text) & 3
    if over and text[-1] not in _LAST[over]:
        return None
    try:
        return binascii.a2b_base64(text.translate(_FROM_URL) + _PADDING[over], strict_mode=True)
    except binascii.Error:
        return None
