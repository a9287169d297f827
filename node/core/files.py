"""Small files that are whole or not there: what is killed half-way leaves only a draft behind."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

OWNER_ALONE = 0o600
SHA256_FORM = re.compile("[0-9a-f]{64}")  # as hash_file writes it


def create_file(content: bytes, *, path: Path) -> None:
    """Create a file with its content, durably, or leave the one that is there.

    Raises:
        FileExistsError: It exists.
        OSError: It cannot be written.
    """
    draft = _write_draft(content, path=path, mode=OWNER_ALONE)
    try:
        path.hardlink_to(draft)  # Unlike a renaming, this fails where the file exists.
    finally:
        draft.unlink()
    sync_folder(path.parent)


def replace_file(content: bytes, *, path: Path, mode: int = OWNER_ALONE) -> None:
    """Put a content in the place of a file's, durably.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    draft = _write_draft(content, path=path, mode=mode)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    sync_folder(path.parent)


def read_file(path: Path, *, bytes_max: int) -> bytes:
    """Return the content of a file that is small.

    Raises:
        OSError: It cannot be read, or is longer.
    """
    with path.open("rb") as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise OSError(f"{path} is longer than {bytes_max} bytes")
    return content


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file of any size, in hex.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_draft(content: bytes, *, path: Path, mode: int) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".draft", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        draft.unlink()
        raise
    return draft


def sync_folder(folder: Path) -> None:
    """Have the names in a folder confirmed by the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
