"""The folder in which one large import works: beside the store, of the owner alone, thrown away.

It holds the file's rows in the clear. A process that is killed leaves it behind; whoever imports
next removes it, since nobody holds its lock any more.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".import-"


@contextmanager
def open_work_folder(store: Path) -> Iterator[Path]:
    """Make a folder on the file system of an SQLite store; it is gone when the context is left.

    Raises:
        OSError: The store's folder cannot be written.
    """
    place = store.absolute().parent
    remove_abandoned(place)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place) as name:
        folder = Path(name)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def remove_abandoned(place: Path) -> None:
    """Remove the folders of imports that were killed."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
