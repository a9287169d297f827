"""Files of the secrets from which the fields' keys are derived.

They are ``fields.pem``, ``fields-2.pem`` and so on. The newest encrypts. What has been replaced
stands in the folder ``archive`` beside, for backups from before: it may be taken to where those are
kept, and is put back beside such a backup.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from node.core.field_keys import FieldKey
from node.core.keyring import KeyFile, KeyRing
from node.core.keystore import KeyExistsError, KeyFileError, generate_key, save_key

FIELD_KEY = "fields"
ARCHIVE = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldKeyFile:
    """One secret's file."""

    name: str
    """Below the folder of the keys."""
    key_id: str
    """As the values name it that are encrypted under it."""
    is_newest: bool


class FieldKeyFiles:
    """Reads, adds and archives the secrets of one node's fields."""

    def __init__(
        self, *, folder: Path, load_passphrase: Callable[[], str], may_make: Callable[[], bool]
    ) -> None:
        """Open nothing yet.

        Args:
            folder: Where the node's keys are.
            load_passphrase: Returns the passphrase; it raises KeyFileError where there is none.
            may_make: Tells whether a first key may be made: not where something is encrypted
                already, whose key then is lost.
        """
        self._folder = folder
        self._load_passphrase = load_passphrase
        self._may_make = may_make
        self._newest_path = self._next_path = ""

    def load(self) -> list[bytes]:
        """Return the secrets, the newest first; where there is none yet, it is made.

        Raises:
            KeyFileError: It is missing, locked with another passphrase, or cannot be written.
        """
        kept, archived = self._read()
        if not kept and not archived:
            if self._may_make():
                self._make_first()
            kept, archived = self._read()  # Another process may have been faster: its key counts.
        if not kept:
            raise KeyFileError(f"{self._folder / FIELD_KEY}.pem does not exist")
        newest = max(file.number for file in (*kept, *archived))
        ring, _ = self._open_rings()
        self._newest_path = str(ring.path(kept[-1].number))
        self._next_path = str(ring.path(newest + 1))
        return [file.key.seed for file in (*reversed(kept), *reversed(archived))]

    def has_newer(self) -> bool:
        """Tell whether a key was made since the secrets were loaded: a look at two names.

        After two changes the next key has come and gone; then the newest of ours is gone as well.
        """
        return os.access(self._next_path, os.F_OK) or not os.access(self._newest_path, os.F_OK)

    def list_files(self) -> list[FieldKeyFile]:
        """Return what is here, the oldest first.

        Raises:
            KeyFileError: One is locked with another passphrase.
        """
        kept, archived = self._read()
        places = [(file, f"{ARCHIVE}/") for file in archived] + [(file, "") for file in kept]
        newest = kept[-1].number if kept else None
        return [
            FieldKeyFile(
                name=folder + (FIELD_KEY if file.number == 1 else f"{FIELD_KEY}-{file.number}"),
                key_id=FieldKey(file.key.seed).name,
                is_newest=not folder and file.number == newest,
            )
            for file, folder in places
        ]

    def is_changing(self) -> bool:
        """Tell whether a change of the key was begun and is not done: the old one is here still."""
        return len(self._open_rings()[0].load_present()) > 1

    def add(self) -> KeyFile:
        """Make a new key, with which everything is encrypted from now on.

        Raises:
            KeyFileError: It cannot be written.
            KeyRingFullError: There have been too many.
        """
        ring, archive = self._open_rings()
        archived = max((file.number for file in archive.load_present()), default=0)
        return ring.add(after=archived)

    def archive_older(self) -> None:
        """Put every key but the newest into the archive: nothing is encrypted under them any more.

        Raises:
            KeyFileError: One cannot be moved.
        """
        ring, archive = self._open_rings()
        for file in ring.load_present()[:-1]:
            ring.move(file.number, to=archive)

    def _make_first(self) -> None:
        path = self._open_rings()[0].path(1)
        with suppress(KeyExistsError):
            save_key(generate_key(), path=path, passphrase=self._load_passphrase())

    def _read(self) -> tuple[list[KeyFile], list[KeyFile]]:
        try:
            return self._read_once()
        except KeyFileError:  # One may just have gone into the archive.
            return self._read_once()

    def _read_once(self) -> tuple[list[KeyFile], list[KeyFile]]:
        ring, archive = self._open_rings()
        kept = ring.load_present()  # First: what moves meanwhile is read twice, not missed.
        return kept, archive.load_present()

    def _open_rings(self) -> tuple[KeyRing, KeyRing]:
        passphrase = self._load_passphrase()
        ring = KeyRing(folder=self._folder, name=FIELD_KEY, passphrase=passphrase)
        archive = KeyRing(folder=self._folder / ARCHIVE, name=FIELD_KEY, passphrase=passphrase)
        return ring, archive
