"""DuckDB as the import uses it: bounded memory, one folder, no extension and no network.

Rows go in by files whose cells are parted by a character that no cell holds, so that there is
nothing to quote; they come out a few thousand at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Self

import duckdb

from node.core.errors import UnavailableError

MEMORY = "256MiB"
THREADS_MAX = 2
FETCH_ROWS = 5_000
SEPARATOR = "\x1f"


class WorkFailedError(UnavailableError):
    """The folder in which a large import works has no room, or cannot be read or written."""

    code = "import-work-failed"


@contextmanager
def translate_failures() -> Iterator[None]:
    """Raise what disk and memory did not give as an error of ours.

    The engine's own text may hold a row's values and is left out.

    Raises:
        WorkFailedError: A file could not be read or written, or the memory did not suffice.
    """
    try:
        yield
    except OSError as err:
        raise WorkFailedError(f"the working folder of the import: {err.strerror}") from err
    except duckdb.OutOfMemoryException as err:
        raise WorkFailedError(f"the import has no room: {MEMORY} and a full disk") from err
    except duckdb.IOException as err:
        raise WorkFailedError("the working folder of the import fails") from err


class Spool:
    """Writes a file that the engine loads; no value may hold a separator or the end of a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w", encoding="utf-8", newline="")

    def write(self, *values: object) -> None:
        """Write one row; None and an empty text are the same."""
        self._file.write(SEPARATOR.join(map(_format, values)) + "\n")

    def write_line(self, text: str) -> None:
        """Write one row whose values are joined already."""
        self._file.write(text + "\n")

    def close(self) -> None:
        """Write out what is left."""
        self._file.close()


class Engine:
    """A database of its own in one folder, for one import."""

    def __init__(self, folder: Path) -> None:
        """Open it; it reads and writes files in this folder and nowhere else."""
        self._folder = folder
        self._connection = duckdb.connect(
            str(folder / "work.duckdb"),
            config={
                "memory_limit": MEMORY,
                "temp_directory": str(folder / "spill"),
                "threads": min(THREADS_MAX, os.cpu_count() or 1),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
            },
        )
        self._connection.execute(f"set allowed_directories = ['{_quote(str(folder))}/']")
        self._connection.execute("set enable_external_access = false")
        self._connection.execute("set lock_configuration = true")

    def __enter__(self) -> Self:
        """Enter what is open."""
        return self

    def __exit__(self, *_ignored: object) -> None:
        """Close it; its folder is thrown away by whoever made it."""
        self._connection.close()

    def run(self, statement: str, values: Mapping[str, object] | None = None) -> None:
        """Run a statement; ``$name`` stands for a value."""
        self._connection.execute(statement, values or None)

    def get_row(self, query: str) -> tuple[Any, ...]:
        """Return the one row of a query that has one."""
        row = self._connection.execute(query).fetchone()
        return () if row is None else row

    def get_count(self, query: str) -> int:
        """Return the one number of a query that counts."""
        return int(self.get_row(query)[0])

    def iterate_parts(
        self, query: str, values: Mapping[str, object] | None = None
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a query, some thousands at a time; nothing else may run meanwhile."""
        result = self._connection.execute(query, values or None)
        while rows := result.fetchmany(FETCH_ROWS):
            yield rows

    def iterate(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query; nothing else may run meanwhile."""
        for rows in self.iterate_parts(query):
            yield from rows

    @contextmanager
    def fill(self, table: str, columns: Sequence[str]) -> Iterator[Spool]:
        """Fill a table with what is written inside the context; columns are ``name type``."""
        names = [column.partition(" ")[0] for column in columns]
        kinds = ", ".join(
            f"'{name}': '{column.partition(' ')[2]}'"
            for name, column in zip(names, columns, strict=True)
        )
        spool = Spool(self._folder / f"{table}.rows")
        try:
            yield spool
        finally:
            spool.close()
        self.run(f"create table if not exists {table} ({', '.join(columns)})")
        if spool.path.stat().st_size:
            self.run(
                f"insert into {table} select * from read_csv('{_quote(str(spool.path))}', "  # noqa: S608  our own names and folder
                f"columns = {{{kinds}}}, auto_detect = false, header = false, "
                f"delim = '{SEPARATOR}', quote = '', escape = '', new_line = '\\n')"
            )
        spool.path.unlink()


def _format(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _quote(text: str) -> str:
    return text.replace("'", "''")
