"""The node's one database: who may read, who may write, and when it is committed.

SQLite (WAL, ``synchronous=FULL``, ``secure_delete`` on) is the embedded store: one process, one
writer at a time. A use case opens one unit of work, and leaving it commits; an exception leaves
nothing behind. A lock keeps the process's writers in line, so that SQLite's busy handler is never
needed between them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Dialect, LargeBinary, MetaData, create_engine, event
from sqlalchemy.exc import OperationalError

from node.core.errors import UnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Engine, RootTransaction

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


BUSY_RETRY_S = 0.01
BUSY_TIMEOUT_MS = 30_000

T = TypeVar("T")
_BUSY = "SQLITE_BUSY"


class DatabaseBusyError(UnavailableError):
    """Another process is writing into this database: a command beside the server."""


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One transaction. Stores are built on its connection; nobody but the database commits it."""

    connection: Connection


class Database:
    """Opens units of work on one engine."""

    def __init__(self, *, url: str) -> None:
        """Create the engine; no connection is opened yet."""
        self.url = url
        # The text of an error is logged: it must not hold a row's values.
        self.engine: Engine = create_engine(url, hide_parameters=True)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._write_lock = threading.Lock()
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Open a read-only unit of work: one consistent snapshot, rolled back at the end."""
        with self.engine.connect() as connection:
            yield UnitOfWork(connection)
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """Open a writing unit of work; leaving it commits, an exception rolls back."""
        with self._write_lock, self.engine.connect() as connection:
            writing = connection.execution_options(chengxin_write=True)
            with writing.begin():
                yield UnitOfWork(writing)

    def try_begin(self, connection: Connection) -> RootTransaction:
        """Begin to write on a connection of the caller's, or fail at once; for an event loop.

        Raises:
            DatabaseBusyError: Another process is writing.
        """
        try:
            return connection.execution_options(chengxin_write="now").begin()
        except OperationalError as err:
            if getattr(err.orig, "sqlite_errorname", "").startswith(_BUSY):
                raise DatabaseBusyError("another process is writing into the database") from err
            raise

    def read_version(self, connection: Connection) -> int | None:
        """Return a number that differs once another connection has committed; None where unknown.

        Source: SQLite, ``PRAGMA data_version``.
        """
        if not self.is_sqlite:
            return None
        raw: Any = connection.connection.dbapi_connection
        version: int = raw.execute("PRAGMA data_version").fetchone()[0]
        return version

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

    def dispose(self) -> None:
        """Close pooled connections."""
        self.engine.dispose()


def wait_for_others(begin: Callable[[], T]) -> T:
    """Begin once no other process writes; for a thread that may wait.

    Raises:
        DatabaseBusyError: One writes for too long.
    """
    end_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            return begin()
        except DatabaseBusyError:
            if time.monotonic() > end_s:
                raise
            time.sleep(BUSY_RETRY_S)


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  a DBAPI connection has no common type
    # pysqlite's own transaction control is off; _begin_sqlite says how each begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    # NORMAL may lose a released tail, which would fork the log.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")  # An erased payload must not survive in free pages.
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that upgrades can fail with SQLITE_BUSY half-way: lock at once.
    match connection.get_execution_options().get("chengxin_write", False):
        case False:
            connection.exec_driver_sql("BEGIN")
        case "now":
            raw: Any = connection.connection.dbapi_connection
            raw.execute("PRAGMA busy_timeout=0")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            finally:
                raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        case _:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
