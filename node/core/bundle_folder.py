"""The folder that an auditor gets: written whole or not at all, and never over another."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from node.core.errors import ConflictError
from node.core.log import LogStore
from protocol.bundle import build_log_files
from protocol.tile import TILE_WIDTH

FOLDER_MODE = 0o700
ENTRIES_FOLDER = "tile/entries/"
Watch = Callable[[str, int, int], None]
"""``watch(what, done, total)``; a total of 0 is not known."""


def watch_nothing(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


class ExportTargetError(ConflictError):
    """The folder exists: a bundle is written whole or not at all, and never over another."""

    code = "export-target"


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Make a folder to write into; it gets its name when everything is there.

    Raises:
        ExportTargetError: The folder exists, or cannot be made.
    """
    partial = out.with_name(f"{out.name}.partial")
    if out.exists():
        raise ExportTargetError(f"{out} exists")
    try:
        partial.mkdir(parents=True, mode=FOLDER_MODE)
    except FileExistsError as err:
        raise ExportTargetError(f"{partial} exists: remove what an earlier export left") from err
    except OSError as err:
        raise ExportTargetError(f"{partial} cannot be made: {err.strerror}") from err
    try:
        yield partial
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial)
        raise


def write_log(log: LogStore, *, size: int, folder: Path, watch: Watch = watch_nothing) -> None:
    """Write every tile and entry bundle of a log of this size."""
    written = 0
    files = build_log_files(
        size,
        read_tile=log.read_tile,
        list_entries=lambda first, count: log.list_entries(first=first, count=count),
    )
    for path, content in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        (folder / path).write_bytes(content)
        if path.startswith(ENTRIES_FOLDER):
            written = min(written + TILE_WIDTH, size)
            watch("entries", written, size)


def write_lines(path: Path, lines: Iterable[bytes]) -> int:
    """Write lines and return how many there are."""
    count = 0
    with path.open("wb") as file:
        for line in lines:
            file.write(line)
            count += 1
    return count
