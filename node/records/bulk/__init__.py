"""Import of large files: DuckDB reads and checks set by set, Python what is not plain.

The reports and the records are those of a small import (``node.records.importing``), whose rules
are used for whatever needs a judgement; only the keys that the store gives are in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from node.core.database import Database
from node.records.bulk.engine import Engine, translate_failures
from node.records.bulk.folder import open_work_folder
from node.records.bulk.reading import read_large_file
from node.records.bulk.writing import write_large_import
from node.records.importing import Deal, ImportReport, Profile
from node.records.importing.text import is_archive, is_longer, unpack
from node.records.tombstones import NameHasher

LARGE_BYTES_MIN = 4 * 2**20  # unpacked; below it, starting the engine is not worth it

__all__ = ["LARGE_BYTES_MIN", "import_large_file", "is_large"]


def is_large(database: Database, file: Path | bytes) -> bool:
    """Tell whether a file is imported here: a large one, into an SQLite store.

    Raises:
        FileUnreadableError: It is missing or damaged.
    """
    # A workbook has its own bound of rows.
    return (
        database.is_sqlite
        and not is_archive(next(unpack(file), b""))
        and is_longer(file, bytes_max=LARGE_BYTES_MIN)
    )


def import_large_file(
    database: Database,
    file: Path | bytes,
    *,
    file_name: str | None,
    profile: Profile | str | None,
    source: str | None,
    deal: Deal | None,
    strict: bool,
    dry_run: bool,
    at_ms: Callable[[], int],
    business_date: date,
    hasher: NameHasher | None,
    on_progress: Callable[[int, int], None] | None,
) -> ImportReport:
    """Import a large file as ``RecordsService.import_file`` does, in memory that has a bound.

    Raises:
        ImportFileError: The file cannot be read at all (``node.records.importing.errors``).
        WorkFailedError: There is no room to work in.
    """
    store = Path(database.engine.url.database or "")
    with translate_failures(), open_work_folder(store) as folder, Engine(folder) as engine:
        content = read_large_file(
            engine,
            folder,
            file,
            file_name=file_name,
            profile=profile,
            source=source,
            deal=deal,
            on_progress=on_progress,
        )
        if strict and content.rejects:
            return content.build_report()
        with database.write() as uow:
            outcome = write_large_import(
                uow,
                engine,
                content,
                at_ms=at_ms(),
                business_date=business_date,
                hasher=hasher,
                strict=strict,
                dry_run=dry_run,
            )
        return content.build_report(outcome)
