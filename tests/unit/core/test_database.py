"""Units of work: what is committed, what is not, and what readers see meanwhile."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from node.core.database import (
    BUSY_TIMEOUT_MS,
    Database,
    DatabaseBusyError,
    DatabaseFailedError,
    UnitOfWork,
)
from tests.support.stores import ON_SQLITE, sqlite_only, store_url


class CrashError(Exception):
    pass


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(url=store_url(tmp_path / "node.sqlite"))
    with opened.write() as uow:
        uow.connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))
    yield opened
    opened.dispose()


def add(uow: UnitOfWork, item: int) -> None:
    uow.connection.execute(text("INSERT INTO item VALUES (:id)"), {"id": item})


def list_items(uow: UnitOfWork) -> list[int]:
    return list(uow.connection.execute(text("SELECT id FROM item ORDER BY id")).scalars())


def read_items(database: Database) -> list[int]:
    with database.read() as uow:
        return list_items(uow)


def test_leaving_a_writing_unit_commits(database: Database) -> None:
    with database.write() as uow:
        add(uow, 1)

    assert read_items(database) == [1]


def test_an_error_leaves_nothing_behind_and_passes_through(database: Database) -> None:
    def crash() -> None:
        with database.write() as uow:
            add(uow, 1)
            raise CrashError

    with pytest.raises(CrashError):
        crash()

    assert read_items(database) == []
    with database.write() as uow:
        add(uow, 2)
    assert read_items(database) == [2]


def test_a_reading_unit_keeps_nothing(database: Database) -> None:
    with database.read() as uow:
        add(uow, 1)

    assert read_items(database) == []


def test_a_reader_sees_one_snapshot_while_others_commit(database: Database) -> None:
    with database.read() as uow:
        before = list_items(uow)
        with database.write() as writing:
            add(writing, 1)
        during = list_items(uow)

    assert (before, during, read_items(database)) == ([], [], [1])


def test_a_reader_is_not_kept_waiting_by_a_writer_and_sees_nothing_uncommitted(
    database: Database,
) -> None:
    with database.write() as uow:
        add(uow, 1)
        seen = read_items(database)

    assert seen == []


def test_a_writing_unit_takes_the_lock_at_its_beginning(database: Database) -> None:
    other = Database(url=database.url, busy_timeout_ms=0)

    with database.write(), pytest.raises(DatabaseBusyError), other.write():
        pass

    other.dispose()


def test_one_that_must_not_wait_is_told_who_writes(database: Database) -> None:
    other = Database(url=database.url)
    connection = other.engine.connect()

    with database.write(), pytest.raises(DatabaseBusyError):
        other.try_begin(connection)
    with other.try_begin(connection):
        add(UnitOfWork(connection), 1)

    assert read_items(database) == [1]
    connection.close()
    other.dispose()


@sqlite_only
def test_what_the_driver_alone_has_written_is_committed_or_undone(database: Database) -> None:
    def write_by_driver(connection: Connection, item: int) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute("INSERT INTO item VALUES (?)", (item,))

    def crash(connection: Connection) -> None:
        with database.try_begin(connection):
            write_by_driver(connection, 2)
            raise CrashError

    with database.engine.connect() as connection:
        with database.try_begin(connection):
            write_by_driver(connection, 1)
        with pytest.raises(CrashError):
            crash(connection)
        with database.try_begin(connection):
            write_by_driver(connection, 3)
            add(UnitOfWork(connection), 4)

    assert read_items(database) == [1, 3, 4]


@sqlite_only
def test_a_connection_that_did_not_wait_waits_in_other_hands(database: Database) -> None:
    def read_timeout(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one())

    with database.engine.connect() as connection, database.try_begin(connection):
        impatient, raw = read_timeout(connection), connection.connection.dbapi_connection
    with database.write() as uow:
        patient, again = read_timeout(uow.connection), uow.connection.connection.dbapi_connection

    assert again is raw  # the pool gives it out again
    assert (impatient, patient) == (0, BUSY_TIMEOUT_MS)


@sqlite_only
def test_the_version_changes_when_another_has_committed(database: Database) -> None:
    with database.engine.connect() as connection:

        def read() -> int | None:
            with database.try_begin(connection):
                return database.read_version(connection)

        first = read()
        with database.try_begin(connection):
            add(UnitOfWork(connection), 1)
        own = read()
        with database.write() as uow:
            add(uow, 2)

        assert first == own
        assert read() != own


def test_the_write_lock_keeps_the_other_writers_of_the_process_out(database: Database) -> None:
    with database.hold_write_lock():
        assert not database.try_write_lock()

    assert database.try_write_lock()
    database.release_write_lock()


@sqlite_only
@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1)],
)
def test_every_connection_is_durable_and_erases_for_good(
    database: Database, pragma: str, value: str | int
) -> None:
    for unit in (database.read, database.write):
        with unit() as uow:
            assert uow.connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value


def test_an_error_of_the_store_does_not_hold_the_rows_values(database: Database) -> None:
    with database.write() as uow:
        add(uow, 424242)

    with database.write() as uow, pytest.raises(IntegrityError) as caught:
        add(uow, 424242)

    assert "424242" not in str(caught.value)


@sqlite_only
def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "node.sqlite").write_bytes(b"no database at all" * 100)
    opened = Database(url=store_url(tmp_path / "node.sqlite"))

    with pytest.raises(DatabaseFailedError, match="no database"), opened.read():
        pass


@sqlite_only
def test_a_folder_in_the_place_of_the_database_cannot_be_opened(tmp_path: Path) -> None:
    opened = Database(url=store_url(tmp_path))

    with pytest.raises(DatabaseFailedError, match="cannot be opened"), opened.write():
        pass


@sqlite_only
def test_a_full_disk_is_said_and_leaves_nothing_behind(database: Database) -> None:
    with database.read() as uow:
        pages = uow.connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def fill() -> None:
        with database.write() as uow:
            uow.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            for item in range(10_000):
                add(uow, item)

    with pytest.raises(DatabaseFailedError, match="full"):
        fill()

    assert read_items(database) == []


@sqlite_only
def test_a_database_that_may_only_be_read_is_said_to_be_so(database: Database) -> None:
    def write() -> None:
        with database.write() as uow:
            uow.connection.exec_driver_sql("PRAGMA query_only=ON")
            add(uow, 1)

    with pytest.raises(DatabaseFailedError, match="only be read"):
        write()


def test_a_wrong_statement_stays_a_bug(database: Database) -> None:
    said = "no such table" if ON_SQLITE else "does not exist"
    with pytest.raises(DBAPIError, match=said), database.read() as uow:
        uow.connection.exec_driver_sql("SELECT * FROM absent")
