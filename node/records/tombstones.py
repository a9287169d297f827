"""Names of records that are gone, as hashes under a secret of the node's own.

A name says whose document it was; without the secret, which stands in a file beside the keys, a
hash neither tells it nor can be tried against lists of document numbers.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from pathlib import Path
from unicodedata import normalize

from node.core.keystore import KeyExistsError, make_secret_file, read_secret
from node.records.rules_ledger import ItemKind
from node.records.rules_papers import PaperKind

SECRET_FILE_NAME = "tombstone_secret"  # noqa: S105  the name of the file
_SEPARATOR = "\x1f"  # no source or document number holds it: they are printable


class NameHasher:
    """Hashes names of records; it never shows its secret."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Take the secret."""
        self._secret = secret

    def hash_item(self, *, source: str, kind: ItemKind, document_no: str, line: int) -> str:
        """Return the hash of an item's name in hex, the same for all its versions.

        What is owed is one kind here, and spellings are folded: a document does not come back as an
        opening balance, or in other letters.
        """
        side = "owed" if kind.is_debit else kind.value
        return self._hash("item", _fold(source), side, _fold(document_no), str(line))

    def hash_fact(self, *, subject_id: str, document_sha256_hex: str) -> str:
        """Return the hash of an adverse fact's name in hex: of whom it is, on which document."""
        return self._hash("adverse", _fold(subject_id), document_sha256_hex.lower())

    def hash_paper(self, *, kind: PaperKind, source: str, number: str) -> str:
        """Return the hash of the name of a contract, delivery, guarantee or insurance in hex."""
        return self._hash("paper", kind.value, _fold(source), _fold(number))

    def hash_report(self, *, subject_id: str, agency: str, number: str) -> str:
        """Return the hash of the name of an agency's report in hex, the same for its versions."""
        return self._hash("report", _fold(subject_id), _fold(agency), _fold(number))

    def hash_look(
        self, *, subject_id: str, public_list: str, reference: str, is_found: bool, on: date
    ) -> str:
        """Return the hash of the name of a look into a public list in hex.

        Another day is another look: lists are looked into again.
        """
        found = "found" if is_found else "none"
        parts = (public_list, _fold(reference), found, on.isoformat())
        return self._hash("look", _fold(subject_id), *parts)

    def _hash(self, *parts: str) -> str:
        text = _SEPARATOR.join(parts).encode("utf-8")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()


def _fold(text: str) -> str:
    return normalize("NFKC", normalize("NFKC", text).casefold())


def open_name_hasher(home: Path, *, may_make: bool) -> NameHasher | None:
    """Open the secret of a home folder; it is made where there is none, and none is expected.

    Returns:
        None where it is missing and may not be made: what was hashed under it is not told any more.

    Raises:
        KeyFileError: It cannot be read or written.
    """
    path = home / SECRET_FILE_NAME
    if path.exists():
        return NameHasher(read_secret("", path=path).encode())
    if not may_make:
        return None
    try:
        return NameHasher(make_secret_file(path).encode())
    except KeyExistsError:  # Another process of this home was faster.
        return NameHasher(read_secret("", path=path).encode())
