"""The node's one database: who may read, who may write, and when it is committed.

SQLite (WAL, ``synchronous=FULL``, ``secure_delete`` on) is the embedded store, PostgreSQL the one
of a server. On both there is one writer at a time, whatever process it is in. A use case opens one
unit of work, and leaving it commits; an exception leaves nothing behind. A lock keeps the process's
own writers in line, so that the store's lock is never waited for between them.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, TypeVar, assert_never

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    LargeBinary,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.exc import DatabaseError, DBAPIError

from node.core import postgresql
from node.core.errors import UnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Engine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Bytes(LargeBinary):
    """Binary that goes to the driver as it is: both databases' drivers take ``bytes``."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Convert nothing: a view of each value would cost as much as the statement."""


ID_MAX = 2**63 - 1  # the largest key that a database holds
INTEGER_MAX = 2**31 - 1  # of an INTEGER, which PostgreSQL compares with nothing larger
BUSY_RETRY_S = 0.01
BUSY_TIMEOUT_MS = 30_000
RESTART_TIMEOUT_MS = 5

T = TypeVar("T")
_ID_DIGITS_MAX = len(str(ID_MAX))
_BEGIN = "chengxin_begin"
_BUSY = "SQLITE_BUSY"
_FAILURES = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk cannot be read or written",
    "SQLITE_READONLY": "the database may only be read",
    "SQLITE_CANTOPEN": "the database cannot be opened",
}
_DAMAGES = {
    "SQLITE_CORRUPT": "the database is damaged",
    "SQLITE_NOTADB": "the file is no database",
}


class _Begin(StrEnum):
    """What a transaction is for."""

    READ = "read"
    WRITE = "write"
    WRITE_IF_FREE = "write-if-free"
    WRITE_NOW = "write-now"


class DatabaseBusyError(UnavailableError):
    """Another process is writing into this database: a command beside the server."""


class DatabaseFailedError(UnavailableError):
    """The store cannot be read or written: full, read-only, damaged, or no database at all."""

    code = "database-failed"


class DatabaseDamagedError(DatabaseFailedError):
    """The file holds what SQLite did not write, or is none of its files."""

    code = "database-damaged"


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One transaction. Stores are built on its connection; nobody but the database commits it."""

    connection: Connection


@dataclass(frozen=True, slots=True)
class WriteTransaction:
    """The writer's open transaction; left as a context it commits, or an exception rolls back.

    On SQLite the driver has begun it. SQLAlchemy joins it with the first statement that goes
    through the connection, and ends it then; without one, it costs nothing.
    """

    connection: Connection

    def commit(self) -> None:
        """Commit.

        Raises:
            DBAPIError: It may have been applied all the same.
        """
        if self.connection.get_transaction() is not None:
            self.connection.commit()
        else:
            self._end(self.connection.dialect.do_commit, "COMMIT")

    def rollback(self) -> None:
        """Undo all of it.

        Raises:
            DBAPIError: The connection is of no more use.
        """
        if self.connection.get_transaction() is not None:
            self.connection.rollback()
        else:
            self._end(self.connection.dialect.do_rollback, "ROLLBACK")

    def _end(self, end: Callable[[Any], None], text: str) -> None:
        try:
            end(self.connection.connection.dbapi_connection)
        except sqlite3.Error as err:
            raise translate(err, text) from err

    def __enter__(self) -> Self:
        """Enter what has begun."""
        return self

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        """Commit, or roll back where an exception leaves it or the commit fails."""
        if kind is not None:
            self.rollback()
            return
        try:
            self.commit()
        except DBAPIError:
            with suppress(DBAPIError):
                self.rollback()
            raise


def translate(error: sqlite3.Error, text: str) -> Exception:
    """Return an error of SQLite's driver as SQLAlchemy would raise it, without the values."""
    return DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True)


@dataclass(slots=True)
class _Joined:
    """What the next writing unit of work of a database does more; threads share it."""

    database: Database
    act: Callable[[UnitOfWork], None]
    is_done: bool = False


_JOINED: ContextVar[_Joined | None] = ContextVar("joined", default=None)


class Database:
    """Opens units of work on one engine."""

    def __init__(self, *, url: str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        """Create the engine; no connection is opened yet.

        Args:
            url: SQLAlchemy's address of the store.
            busy_timeout_ms: How long a writer waits for another process, at most.
        """
        self.url = url
        self.busy_timeout_s = busy_timeout_ms / 1000
        # The text of an error is logged: it must not hold a row's values.
        self.engine: Engine = create_engine(url, hide_parameters=True)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._write_lock = threading.Lock()
        self._checkpoint_lock = threading.Lock()  # SQLite refuses a second one at once.
        self._busy_timeout_ms = busy_timeout_ms
        if self.is_sqlite:
            sqlite = _Sqlite(busy_timeout_ms)
            event.listen(self.engine, "connect", sqlite.configure)
            event.listen(self.engine, "begin", sqlite.begin)
        else:
            event.listen(self.engine, "begin", _Postgresql(busy_timeout_ms).begin)
            event.listen(self.engine, "handle_error", postgresql.hide_values, retval=True)

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Open a read-only unit of work: one consistent snapshot, rolled back at the end.

        Raises:
            DatabaseFailedError: The store cannot be read.
        """
        with translate_failures(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield UnitOfWork(connection)
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """Open a writing unit of work; leaving it commits, an exception rolls back.

        Raises:
            DatabaseBusyError: Another process writes for too long.
            DatabaseFailedError: The store cannot be written.
        """
        with translate_failures(), self._write_lock, self.engine.connect() as connection:
            writing = connection.execution_options(**{_BEGIN: _Begin.WRITE})
            joined = _JOINED.get()
            acts = joined is not None and joined.database is self and not joined.is_done
            with writing.begin():
                if joined is not None and acts:
                    joined.act(UnitOfWork(writing))
                yield UnitOfWork(writing)
            if joined is not None and acts:
                joined.is_done = True

    @contextmanager
    def write_if_free(self) -> Iterator[UnitOfWork]:
        """Open a writing unit of work that waits for nobody, for what may as well be left out.

        Raises:
            DatabaseBusyError: Somebody else writes, here or in another process.
            DatabaseFailedError: The store cannot be written.
        """
        if not self.try_write_lock():
            raise DatabaseBusyError("this process is writing into the database")
        try:
            with translate_failures(), self.engine.connect() as connection:
                writing = connection.execution_options(**{_BEGIN: _Begin.WRITE_IF_FREE})
                with writing.begin():
                    yield UnitOfWork(writing)
        finally:
            self.release_write_lock()

    @contextmanager
    def join(self, act: Callable[[UnitOfWork], None]) -> Iterator[None]:
        """Have the next writing unit of work do something more first, both or neither.

        That is of the one that is opened while this is, here or in a thread begun from here.
        """
        token = _JOINED.set(_Joined(database=self, act=act))
        try:
            yield
        finally:
            _JOINED.reset(token)

    def try_begin(self, connection: Connection) -> WriteTransaction:
        """Begin to write on a connection of the caller's, who cannot wait, or fail at once.

        The connection is the writer's for good: its commits checkpoint nothing any more.

        Raises:
            DatabaseBusyError: Another process is writing.
        """
        if not self.is_sqlite:
            return self._try_begin_on_server(connection)
        if connection.get_execution_options().get(_BEGIN) is not _Begin.WRITE_NOW:
            connection.execution_options(**{_BEGIN: _Begin.WRITE_NOW})
        driver: Any = connection.connection.dbapi_connection
        try:
            if _wait_at_most(connection, 0):
                driver.execute("PRAGMA wal_autocheckpoint=0")  # ``node.core.wal`` does it.
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as err:
            # The driver's own refusals, of a closed connection say, have no name.
            if getattr(err, "sqlite_errorname", "").startswith(_BUSY):
                raise DatabaseBusyError("another process is writing into the database") from err
            raise translate(err, "BEGIN IMMEDIATE") from err
        return WriteTransaction(connection)

    def _try_begin_on_server(self, connection: Connection) -> WriteTransaction:
        if connection.get_execution_options().get(_BEGIN) is not _Begin.WRITE_NOW:
            connection.execution_options(**{_BEGIN: _Begin.WRITE_NOW})
        transaction = connection.begin()
        try:
            is_ours = postgresql.try_lock(connection)
        except BaseException:
            transaction.rollback()  # Or the connection would be in it for good.
            raise
        if not is_ours:
            transaction.rollback()
            raise DatabaseBusyError("another process is writing into the database")
        return WriteTransaction(connection)

    def read_version(self, connection: Connection) -> int | None:
        """Return a number that differs once another connection has committed; None where unknown.

        Read inside a transaction, so that nobody commits meanwhile. Source: SQLite, ``PRAGMA
        data_version``.
        """
        if not self.is_sqlite:
            return None
        # The driver's own call: once a batch, a statement through the engine costs a tenth of it.
        driver: Any = connection.connection.dbapi_connection
        version: int = driver.execute("PRAGMA data_version").fetchone()[0]
        return version

    def wait_for_others(self, begin: Callable[[], T]) -> T:
        """Begin once no other process writes; for a thread that may wait.

        Raises:
            DatabaseBusyError: One writes for too long.
        """
        end_s = time.monotonic() + self.busy_timeout_s
        while True:
            try:
                return begin()
            except DatabaseBusyError:
                if time.monotonic() > end_s:
                    raise
                time.sleep(BUSY_RETRY_S)

    @contextmanager
    def hold_write_lock(self) -> Iterator[None]:
        """Keep other writers of this process out while ``node.core.writer`` commits."""
        with self._write_lock:
            yield

    def try_write_lock(self) -> bool:
        """Take the lock if nobody holds it; an event loop must not wait for it."""
        return self._write_lock.acquire(blocking=False)

    def release_write_lock(self) -> None:
        """Give back a lock taken by ``try_write_lock``."""
        self._write_lock.release()

    def overwrite_deleted(self) -> None:
        """Empty the write-ahead log, which still holds what deleted rows said.

        The file itself is overwritten on deletion (``secure_delete``). A reader that is at work may
        hold this back: the next call finds it done.
        """
        if self.is_sqlite:
            with self._checkpoint_lock, self.engine.connect() as connection:
                _wait_at_most(connection, self._busy_timeout_ms)
                _checkpoint(connection, "TRUNCATE")

    def checkpoint(self, *, restart_pages: int) -> None:
        """Copy the write-ahead log into the database, beside whoever writes.

        Where it holds so many pages, the rest is copied under the write lock, so that the next
        commit writes over it from its begin. A reader or another process that is at work may hold
        that back: the next call tries again.

        Raises:
            SQLAlchemyError: There is no connection to be had.
            sqlite3.Error: The disk cannot be read or written.
        """
        with self._checkpoint_lock, self.engine.connect() as connection:
            if _checkpoint(connection, "PASSIVE") < restart_pages:
                return
            _wait_at_most(connection, RESTART_TIMEOUT_MS)
            try:
                with self._write_lock:
                    _checkpoint(connection, "RESTART")
            finally:
                _wait_at_most(connection, self._busy_timeout_ms)

    def connect_to_write(self) -> Connection:
        """Return a connection of its own whose transactions hold the write lock from their begin.

        For who moves the schema; who uses it closes it.
        """
        return self.engine.connect().execution_options(**{_BEGIN: _Begin.WRITE})

    def dispose(self) -> None:
        """Close pooled connections."""
        self.engine.dispose()


def parse_key(text: str) -> int | None:
    """Return the key that a text writes in plain digits; None where no row can have it."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS_MAX
    return int(text) if is_number and int(text) <= ID_MAX else None


def is_key_of(column: Column[int], number: int) -> bool:
    """Tell whether a row of a table can have this key; no store is asked for another one."""
    return 0 < number <= (ID_MAX if isinstance(column.type, BigInteger) else INTEGER_MAX)


@contextmanager
def translate_failures() -> Iterator[None]:
    """Raise what the store could not do as an error of ours; a wrong statement stays what it is.

    Raises:
        DatabaseBusyError: Another process writes for too long.
        DatabaseFailedError: The store cannot be read or written.
    """
    try:
        yield
    except (DatabaseError, sqlite3.Error) as err:
        failure = _find_failure(err)
        if failure is None:
            raise
        raise failure from err


def _find_failure(err: DatabaseError | sqlite3.Error) -> UnavailableError | None:
    cause = err.orig if isinstance(err, DatabaseError) else err
    if (failed := postgresql.find_failure(cause)) is not None:
        if failed.is_busy:
            return DatabaseBusyError(failed.words)
        kind = DatabaseDamagedError if failed.is_damage else DatabaseFailedError
        return kind(failed.words)
    name: str = getattr(cause, "sqlite_errorname", "")
    if name.startswith(_BUSY):
        return DatabaseBusyError("another process is writing into the database")
    for failure, reasons in ((DatabaseFailedError, _FAILURES), (DatabaseDamagedError, _DAMAGES)):
        for start, words in reasons.items():
            if name.startswith(start):
                return failure(f"{words} ({name})")
    return None


@dataclass(frozen=True, slots=True)
class _Sqlite:
    """How connections are set up and transactions begin; the driver's own control is off."""

    busy_timeout_ms: int

    def configure(self, connection: Any, _record: object) -> None:  # noqa: ANN401  a DBAPI connection has no common type
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={self.busy_timeout_ms}")
        cursor.execute("PRAGMA journal_mode=WAL")
        # NORMAL may lose a released tail, which would fork the log.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA secure_delete=ON")  # An erased payload must not stay in free pages.
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    def begin(self, connection: Connection) -> None:
        # A deferred transaction that upgrades can fail with SQLITE_BUSY half-way: lock at once.
        how: _Begin = connection.get_execution_options().get(_BEGIN, _Begin.READ)
        match how:
            case _Begin.READ:
                _wait_at_most(connection, self.busy_timeout_ms)
                connection.exec_driver_sql("BEGIN")
            case _Begin.WRITE | _Begin.WRITE_IF_FREE:
                _wait_at_most(connection, self.busy_timeout_ms if how is _Begin.WRITE else 0)
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            case _Begin.WRITE_NOW:
                pass  # ``try_begin`` has.
            case _:
                assert_never(how)


@dataclass(frozen=True, slots=True)
class _Postgresql:
    """How transactions begin on a server."""

    busy_timeout_ms: int

    def begin(self, connection: Connection) -> None:
        how: _Begin = connection.get_execution_options().get(_BEGIN, _Begin.READ)
        if how in {_Begin.WRITE, _Begin.WRITE_IF_FREE}:
            timeout_ms = self.busy_timeout_ms if how is _Begin.WRITE else 0
            postgresql.wait_for_lock(connection, timeout_ms=timeout_ms)


def _checkpoint(connection: Connection, mode: str) -> int:
    """Return how many pages the write-ahead log holds, copied or not."""
    driver: Any = connection.connection.dbapi_connection
    pages: int = driver.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()[1]
    return pages


def _wait_at_most(connection: Connection, timeout_ms: int) -> bool:
    """Tell the driver how long to wait; return False where it was told before."""
    if connection.info.get(_BUSY) == timeout_ms:  # The writer has a connection of its own.
        return False
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA busy_timeout={timeout_ms}")
    connection.info[_BUSY] = timeout_ms
    return True
