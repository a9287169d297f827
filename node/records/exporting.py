"""Export of everything that the room holds, as CSV or Parquet, of one moment.

A folder with a file a table and ``manifest.json`` with the rows and SHA-256 of each. It has its
name once it is whole. Texts stand as they were entered: who opens a CSV in a spreadsheet imports
its columns as text, since a name may begin like a formula.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from node.core.clock import Clock
from node.core.database import Database
from node.core.errors import ConflictError
from node.core.files import create_file, hash_file, sync_folder
from node.records.store import ColumnKind, ExportStore, ExportTable
from node.records.store.export import ExportSource

MANIFEST_NAME = "manifest.json"
FORMAT = 1
MEMORY_LIMIT = "256MB"
_PARQUET_TYPES = {
    ColumnKind.INTEGER: "BIGINT",
    ColumnKind.TEXT: "VARCHAR",
    ColumnKind.DATE: "DATE",
    ColumnKind.BOOLEAN: "BOOLEAN",
}


_READ_CSV = """
    SELECT * FROM read_csv(?, columns = ?, header = true, delim = ',', quote = '"', escape = '"',
        nullstr = '', allow_quoted_nulls = false, auto_detect = false)
"""


class ExportFormat(StrEnum):
    """In what form a table is written."""

    CSV = "csv"
    PARQUET = "parquet"


class ExportExistsError(ConflictError):
    """The folder, or what an interrupted export has left of it, is there."""

    code = "export-exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """One table of an export."""

    table: str
    file: str
    rows: int
    sha256_hex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportManifest:
    """What an export holds."""

    format: int
    made_at_ms: int
    files: tuple[ExportedFile, ...]


def export_records(
    database: Database,
    folder: Path,
    *,
    form: ExportFormat,
    clock: Clock,
    more: Sequence[ExportSource] = (),
) -> ExportManifest:
    """Write every table of the room and ``more``, as one moment has it; return what was written.

    Raises:
        ExportExistsError: The folder is there, or an interrupted export's ``.partial`` is.
        OSError: It cannot be written.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    for path in (folder, partial):
        if path.exists():
            raise ExportExistsError(f"{path} exists: remove it, or name another folder")
    partial.mkdir(parents=True, mode=0o700)
    with database.read() as uow:
        store = ExportStore(uow.connection, more=more)
        files = tuple(_write_table(store, table, partial, form=form) for table in store.tables)
    manifest = ExportManifest(format=FORMAT, made_at_ms=clock.now_ms(), files=files)
    content = json.dumps(asdict(manifest), indent=1).encode()
    create_file(content, path=partial / MANIFEST_NAME)
    partial.rename(folder)
    sync_folder(folder.parent)
    return manifest


def _write_table(
    store: ExportStore, table: ExportTable, folder: Path, *, form: ExportFormat
) -> ExportedFile:
    path = folder / f"{table.name}.csv"
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(column.name for column in table.columns) + "\n")
        for row in store.iterate_rows(table):
            file.write(",".join(map(_format_cell, row)) + "\n")
            rows += 1
    if form is ExportFormat.PARQUET:
        path = _convert(path, table)
    return ExportedFile(table=table.name, file=path.name, rows=rows, sha256_hex=hash_file(path))


def _format_cell(value: object) -> str:
    """Write a cell: texts in quotes, so that an empty one is told from none at all."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace('"', '""') + '"'
        case _:
            return str(value)


def _convert(path: Path, table: ExportTable) -> Path:
    """Make a Parquet file of a CSV and put it in its place."""
    target = path.with_suffix(".parquet")
    columns = {column.name: _PARQUET_TYPES[column.kind] for column in table.columns}
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as engine:
        engine.sql(_READ_CSV, params=[str(path), columns]).write_parquet(
            str(target), compression="zstd"
        )
    path.unlink()
    return target
