"""The key files of one use: ``NAME.pem``, ``NAME-2.pem``, …, the newest last.

No file is ever overwritten or removed: an old key is asked for as long as what it signed. (What
only encrypts in this house may move to another folder.) The
statement by which a key takes the place of the one before stands beside it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.core.errors import RejectedError
from node.core.files import sync_folder
from node.core.keystore import KeyFileError, generate_key, load_key, save_key
from protocol.keys import SigningKey

KEY_FILES_MAX = 64


class KeyRingFullError(RejectedError):
    """A member has as many keys as a registry snapshot can hold."""

    code = "key-ring-full"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A key and the number of its file."""

    number: int
    key: SigningKey


class KeyRing:
    """Reads and adds key files of one use."""

    def __init__(self, *, folder: Path, name: str, passphrase: str) -> None:
        """Open nothing yet."""
        self._folder = folder
        self._name = name
        self._passphrase = passphrase

    def load(self) -> list[KeyFile]:
        """Read every file, the oldest first.

        Raises:
            KeyFileError: There is none, or one is locked with another passphrase.
        """
        files = [self._load(1)]
        for number in range(2, KEY_FILES_MAX + 1):
            if not self.path(number).exists():
                break
            files.append(self._load(number))
        return files

    def load_present(self) -> list[KeyFile]:
        """Read the files that are here, the oldest first, whichever are gone.

        Raises:
            KeyFileError: One is locked with another passphrase.
        """
        numbers = range(1, KEY_FILES_MAX + 1)
        return [self._load(number) for number in numbers if self.path(number).exists()]

    def add(self, *, after: int = 0) -> KeyFile:
        """Make a key in the next file.

        Args:
            after: How many keys there have been at least: the name of a file that is gone is not
                given to another key, since its backup may be put back.

        Raises:
            KeyRingFullError: There are too many.
        """
        number = max([after, *(file.number for file in self.load_present())]) + 1
        if number > KEY_FILES_MAX:
            raise KeyRingFullError(f"{self._name}: {KEY_FILES_MAX} keys are all there can be")
        save_key(generate_key(), path=self.path(number), passphrase=self._passphrase)
        return self._load(number)

    def path(self, number: int) -> Path:
        """Return where the key of a number is, or would be."""
        return self._folder / (f"{self._name}.pem" if number == 1 else f"{self._name}-{number}.pem")

    def move(self, number: int, *, to: KeyRing) -> None:
        """Move a key's file to another ring of the same use, where it keeps its name.

        What another process has moved there meanwhile is moved.

        Raises:
            KeyFileError: It cannot be moved, or another key has its name there.
        """
        source, target = self.path(number), to.path(number)
        if target.exists() and not source.exists():
            return
        if target.exists() and self._load(number).key.seed != to._load(number).key.seed:
            raise KeyFileError(f"{target} is another key")
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            source.replace(target)
            sync_folder(target.parent)
            sync_folder(source.parent)
        except OSError as err:
            if target.exists() and not source.exists():
                return
            raise KeyFileError(f"{source} cannot be moved: {err.strerror}") from err

    def find_statement(self, number: int) -> tuple[str, ...] | None:
        """Return the signatures by which a key took the place of another, if it did.

        Raises:
            KeyFileError: The file is damaged.
        """
        path = self._statement_path(number)
        try:
            tokens = json.loads(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as err:
            raise KeyFileError(f"{path} cannot be read") from err
        if not isinstance(tokens, list) or not all(isinstance(one, str) for one in tokens):
            raise KeyFileError(f"{path} holds no statement")
        return tuple(tokens)

    def keep_statement(self, number: int, tokens: Sequence[str]) -> None:
        """Write the statement of a key durably, in the place of one that was never sent."""
        path = self._statement_path(number)
        draft = path.with_suffix(".draft")
        with draft.open("w", encoding="ascii") as file:
            json.dump(list(tokens), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def _load(self, number: int) -> KeyFile:
        return KeyFile(
            number=number, key=load_key(path=self.path(number), passphrase=self._passphrase)
        )

    def _statement_path(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number}.statement.json"
