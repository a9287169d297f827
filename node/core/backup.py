"""Backups of the database: made beside a running node, checked whole, put back only where they fit.

A backup is two files: the copy, and beside it a manifest with the copy's hash, its schema, how many
rows each table has and the sizes of its logs. A SQLite copy is written anew (``VACUUM INTO``), so
that it holds nothing of what was erased; one of PostgreSQL is its own dump of one snapshot.

A node that is put back to an earlier state does not append to its log (docs/protocol/log.md §6).
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, MetaData, Table, create_engine, func, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from node.core.database import Database, translate_failures
from node.core.errors import ConflictError, RejectedError, UnavailableError
from node.core.files import create_file, hash_file, read_file, sync_folder
from node.core.log_list import LogList
from node.core.migrations import is_known_revision, read_revision

FORMAT = 1
MANIFEST_SUFFIX = ".manifest.json"
MANIFEST_BYTES_MAX = 1 << 20
_BLOCK_BYTES = 1 << 20


class BackupInvalidError(RejectedError):
    """The files are no backup of this software's, or not as they were made."""

    code = "backup-invalid"


class BackupMismatchError(ConflictError):
    """The backup is of another node, another kind of store, or newer software."""

    code = "backup-mismatch"


class StoreInUseError(ConflictError):
    """The place of the database is taken: the node runs, or a database is there."""

    code = "store-in-use"


class ToolMissingError(UnavailableError):
    """PostgreSQL's own tool is not installed here, or failed."""

    code = "backup-tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupManifest:
    """What a backup holds."""

    format: int
    store: str  # sqlite, postgresql
    member: str
    made_at_ms: int
    revision: str
    bytes: int
    sha256_hex: str
    rows: dict[str, int]
    """By table."""
    logs: dict[str, int]
    """Size by origin."""


def back_up(database: Database, target: Path, *, member: str, at_ms: int) -> BackupManifest:
    """Copy the database as one moment has it, while others go on; return what was copied.

    Raises:
        FileExistsError: The target or its manifest is there; it is never overwritten.
        OSError: It cannot be written.
        ToolMissingError: ``pg_dump`` is not here or failed.
        DatabaseFailedError: The database cannot be read.
    """
    for path in (target, _manifest_path(target)):
        if path.exists():
            raise FileExistsError(0, "exists, and is not overwritten", str(path))
    draft = target.with_name(f".{target.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        # SQLite and pg_dump fill an empty file; theirs would be readable by all for a while.
        draft.touch(mode=0o600, exist_ok=False)
        rows, logs, revision = _copy(database, draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        manifest = BackupManifest(
            format=FORMAT,
            store="sqlite" if database.is_sqlite else "postgresql",
            member=member,
            made_at_ms=at_ms,
            revision=revision,
            bytes=draft.stat().st_size,
            sha256_hex=hash_file(draft),
            rows=rows,
            logs=logs,
        )
        # The copy comes last: what has its name is whole and has a manifest.
        create_file(json.dumps(asdict(manifest), indent=1).encode(), path=_manifest_path(target))
        try:
            target.hardlink_to(draft)  # Unlike a renaming, this fails where the file exists.
        except OSError:
            _manifest_path(target).unlink()
            raise
        sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def check_backup(path: Path) -> BackupManifest:
    """Check a backup against its manifest; a SQLite copy is opened, and its rows are counted.

    Raises:
        BackupInvalidError: It is not what the manifest says.
        OSError: A file cannot be read.
    """
    manifest = _read_manifest(path)
    if (path.stat().st_size, hash_file(path)) != (manifest.bytes, manifest.sha256_hex):
        raise BackupInvalidError(f"{path.name} is not the file that its manifest names")
    if not is_known_revision(manifest.revision):
        raise BackupMismatchError(f"the backup is of revision {manifest.revision}: newer software")
    if manifest.store == "sqlite":
        with _open_copy(path) as copy:
            _check_content(copy, manifest)
    return manifest


def restore(path: Path, *, url: str, member: str) -> BackupManifest:
    """Put a backup in the place of a node's database, whole or not at all.

    Raises:
        BackupInvalidError: It is not what its manifest says.
        BackupMismatchError: It is of another member, store or newer software.
        StoreInUseError: There is a database already; it is moved away by hand first.
        ToolMissingError: ``pg_restore`` is not here or failed.
        OSError: It cannot be written.
    """
    manifest = check_backup(path)
    if manifest.member != member:
        raise BackupMismatchError(f"the backup is of {manifest.member}, and this is {member}")
    place = make_url(url)
    if place.get_backend_name() != manifest.store:
        raise BackupMismatchError(f"a copy of {manifest.store} goes into no other store")
    if manifest.store == "sqlite":
        _restore_file(path, Path(str(place.database)))
    else:
        _restore_dump(path, place, url=url)
    database = Database(url=url)
    try:
        with database.read() as uow:
            _check_content(uow.connection, manifest)
    finally:
        database.dispose()
    return manifest


def _copy(database: Database, draft: Path) -> tuple[dict[str, int], dict[str, int], str]:
    if not database.is_sqlite:
        with database.read() as uow:
            snapshot = uow.connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            content = _read_content(uow.connection)
            place = make_url(database.url)
            _run_tool(
                ["pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={draft}"], place
            )
        return content
    with translate_failures(), database.engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.execute("VACUUM INTO ?", (str(draft),))
    with _open_copy(draft) as copy:
        return _read_content(copy)


@contextmanager
def _open_copy(path: Path) -> Iterator[Connection]:
    """Open a copy for reading alone: nothing of it is touched, and no file appears beside it."""
    address = f"file:{quote(str(path.resolve()))}?immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True))
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as err:
        raise BackupInvalidError(f"{path.name} cannot be read as a database") from err
    finally:
        engine.dispose()


def _read_content(connection: Connection) -> tuple[dict[str, int], dict[str, int], str]:
    revision = read_revision(connection)
    if revision is None:
        raise BackupInvalidError("there is no schema in the database")
    schema = MetaData()
    schema.reflect(connection)
    rows = {table.name: _count(connection, table) for table in schema.sorted_tables}
    logs = {log.origin: log.size for log in LogList(connection).list_all()}
    return rows, logs, revision


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _check_content(connection: Connection, manifest: BackupManifest) -> None:
    if connection.dialect.name == "sqlite":
        said = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        if said != ["ok"]:
            raise BackupInvalidError(f"the copy is damaged: {said[0]}")
    if _read_content(connection) != (manifest.rows, manifest.logs, manifest.revision):
        raise BackupInvalidError("the copy holds other rows than its manifest says")


def _restore_file(path: Path, target: Path) -> None:
    if target.exists():
        raise StoreInUseError(f"{target} is there: stop the node and move it away first")
    draft = target.with_name(f".{target.name}.draft")
    try:
        with path.open("rb") as source, draft.open("wb") as copy:
            draft.chmod(0o600)
            while block := source.read(_BLOCK_BYTES):
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        # A write-ahead log that was left behind would be read into the new file.
        for beside in ("-wal", "-shm"):
            Path(f"{target}{beside}").unlink(missing_ok=True)
        target.hardlink_to(draft)  # Unlike a renaming, this fails where the file exists.
        sync_folder(target.parent)
    except FileExistsError as err:
        raise StoreInUseError(f"{target} is there: stop the node and move it away first") from err
    finally:
        draft.unlink(missing_ok=True)


def _restore_dump(path: Path, place: URL, *, url: str) -> None:
    database = Database(url=url)
    try:
        with database.read() as uow:
            schema = MetaData()
            schema.reflect(uow.connection)
            if schema.tables:
                raise StoreInUseError(f"the database {place.database} is not empty")
    finally:
        database.dispose()
    _run_tool(
        ["pg_restore", "--single-transaction", "--no-owner", "--exit-on-error",
         f"--dbname={place.database}", str(path)],
        place,
    )  # fmt: skip


def _run_tool(command: list[str], place: URL) -> None:
    """Run a tool of PostgreSQL's on a database; the password goes by the environment alone."""
    environment = {
        "PGHOST": place.host,
        "PGPORT": None if place.port is None else str(place.port),
        "PGUSER": place.username,
        "PGPASSWORD": None if place.password is None else str(place.password),
        "PGDATABASE": place.database,
    }
    given = {name: value for name, value in environment.items() if value is not None}
    try:
        done = subprocess.run(  # noqa: S603  a fixed command
            command, env={"PATH": os.defpath, **given}, capture_output=True, text=True, check=False
        )
    except OSError as err:
        raise ToolMissingError(f"{command[0]} is not installed here") from err
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no word"]
        raise ToolMissingError(f"{command[0]} failed: {said[-1]}")


def _read_manifest(path: Path) -> BackupManifest:
    try:
        raw = json.loads(read_file(_manifest_path(path), bytes_max=MANIFEST_BYTES_MAX))
        manifest = BackupManifest(**raw)
    except (ValueError, TypeError) as err:
        raise BackupInvalidError(f"{_manifest_path(path).name} is no manifest") from err
    if manifest.format != FORMAT:
        raise BackupMismatchError(f"the backup is of format {manifest.format}: newer software")
    return manifest


def _manifest_path(path: Path) -> Path:
    return path.with_name(path.name + MANIFEST_SUFFIX)
