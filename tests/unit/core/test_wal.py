"""The write-ahead log is copied beside the writer: it stays bounded, and keeps nothing erased."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from structlog.testing import capture_logs

from node.core.database import Database
from node.core.wal import WalCheckpointer

SECRET = b"what was to be erased"
PAGE_BYTES = 4_096


class CountingDatabase(Database):
    """Says how often it was checkpointed; the first time fails where it is told to."""

    def __init__(self, *, url: str, fails: bool = False) -> None:
        super().__init__(url=url)
        self.done = threading.Semaphore(0)
        self._fails = fails

    def checkpoint(self, *, restart_pages: int) -> None:
        try:
            if self._fails:
                self._fails = False
                raise sqlite3.OperationalError("disk I/O error")
            super().checkpoint(restart_pages=restart_pages)
        finally:
            self.done.release()


class ObservedConnection(sqlite3.Connection):
    """Does something once the write-ahead log was copied beside the writer."""

    after_copying: Callable[[], None]

    def execute(self, statement: str, values: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401  the driver's own signature
        cursor = super().execute(statement, values)
        if "PASSIVE" in statement:
            type(self).after_copying()
        return cursor


def use_observed(*given: Any) -> None:  # noqa: ANN401  what the event gives
    given[-1]["factory"] = ObservedConnection


def open_database(path: Path) -> Database:
    opened = Database(url=f"sqlite:///{path}")
    with opened.write() as uow:
        uow.connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)"))
    return opened


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "node.sqlite")
    yield opened
    opened.dispose()


@pytest.fixture
def writing(database: Database) -> Iterator[Connection]:
    with database.engine.connect() as connection:
        yield connection


def path_of(database: Database) -> Path:
    return Path(database.url.removeprefix("sqlite:///"))


def wal_bytes(database: Database) -> int:
    return path_of(database).with_suffix(".sqlite-wal").stat().st_size


def commit(database: Database, connection: Connection, *, pages: int = 20) -> None:
    with database.hold_write_lock(), database.try_begin(connection):
        connection.execute(
            text("INSERT INTO item (body) VALUES (:body)"), {"body": bytes(pages * PAGE_BYTES)}
        )


def test_the_writers_own_commits_checkpoint_nothing(
    database: Database, writing: Connection
) -> None:
    before = path_of(database).stat().st_size

    commit(database, writing, pages=2_000)

    assert path_of(database).stat().st_size == before


def test_the_log_begins_anew_though_the_writer_commits_while_it_is_copied(
    tmp_path: Path,
) -> None:
    database = open_database(tmp_path / "node.sqlite")
    event.listen(database.engine, "do_connect", use_observed)
    database.dispose()
    sizes = []
    with database.engine.connect() as writing:
        ObservedConnection.after_copying = lambda: commit(database, writing)
        for _ in range(4):
            commit(database, writing)
            database.checkpoint(restart_pages=1)
            sizes.append(wal_bytes(database))
    database.dispose()

    assert sizes == [sizes[0]] * 4


def test_a_reader_holds_the_new_beginning_back_until_it_ends(
    database: Database, writing: Connection
) -> None:
    commit(database, writing)
    with database.read() as uow:
        uow.connection.execute(text("SELECT count(*) FROM item")).scalar_one()
        commit(database, writing)
        database.checkpoint(restart_pages=1)
        commit(database, writing)
        grown = wal_bytes(database)
    database.checkpoint(restart_pages=1)
    commit(database, writing)

    assert wal_bytes(database) == grown
    with database.read() as uow:
        assert uow.connection.execute(text("SELECT count(*) FROM item")).scalar_one() == 4


def test_another_process_that_writes_holds_it_back_and_nobody_waits_for_it(
    database: Database, writing: Connection
) -> None:
    commit(database, writing)
    with closing(sqlite3.connect(path_of(database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database.checkpoint(restart_pages=1)
        other.execute("INSERT INTO item (body) VALUES (x'00')")
        other.execute("COMMIT")
    commit(database, writing)

    with database.read() as uow:
        assert uow.connection.execute(text("SELECT count(*) FROM item")).scalar_one() == 3


def test_nothing_erased_is_left_though_the_log_is_being_copied(
    database: Database, writing: Connection
) -> None:
    stop = threading.Event()

    def copy() -> None:
        while not stop.is_set():
            database.checkpoint(restart_pages=1)

    copying = threading.Thread(target=copy)
    copying.start()
    try:
        left = []
        for number in range(100, 200):
            with database.hold_write_lock(), database.try_begin(writing):
                writing.execute(
                    text("INSERT INTO item VALUES (:id, :body)"), {"id": number, "body": SECRET}
                )
            with database.hold_write_lock(), database.try_begin(writing):
                writing.execute(text("DELETE FROM item WHERE id = :id"), {"id": number})
            database.overwrite_deleted()
            left.append(SECRET in path_of(database).with_suffix(".sqlite-wal").read_bytes())
    finally:
        stop.set()
        copying.join()

    assert not any(left)
    assert SECRET not in path_of(database).read_bytes()


@pytest.mark.parametrize("fails", [False, True])
def test_it_checkpoints_after_so_many_commits_again_and_again(tmp_path: Path, fails: bool) -> None:  # noqa: FBT001  a table of cases
    database = CountingDatabase(url=f"sqlite:///{tmp_path / 'node.sqlite'}", fails=fails)
    checkpointer = WalCheckpointer(database, commits=3, pages=1)
    try:
        with capture_logs() as logs:
            for _ in range(3):
                for _ in range(3):
                    checkpointer.count_commit()
                assert database.done.acquire(timeout=10)
            checkpointer.count_commit()

            assert not database.done.acquire(blocking=False)
    finally:
        checkpointer.close()
        database.dispose()

    assert len(logs) == int(fails)
