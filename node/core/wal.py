"""SQLite's write-ahead log is copied into the database beside the writer, not in its commits.

A thread checkpoints while commits go on, which copies what was there when it began. Under load
something is always left, so that SQLite would never begin its log anew and the file would grow: the
small rest is copied under the process's write lock. Durability is SQLite's own doing: it confirms
the log before it copies, and the database before the log is written over.
"""

from __future__ import annotations

import sqlite3
import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from node.core.database import Database

WAL_PAGES = 1_000  # as SQLite itself: a longer file takes long to reach a size that it keeps
COMMITS_BETWEEN = 250

_log = structlog.get_logger()


class WalCheckpointer:
    """Counts the writer's commits, and after so many checkpoints in a thread of its own."""

    def __init__(
        self, database: Database, *, commits: int = COMMITS_BETWEEN, pages: int = WAL_PAGES
    ) -> None:
        """Begin the thread.

        Args:
            database: Whose write-ahead log it is.
            commits: How many go between two checkpoints, at least.
            pages: From how many on the log is begun anew.
        """
        self._database = database
        self._commits_max = commits
        self._pages = pages
        self._commits = 0
        self._is_closed = False
        self._due = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="wal", daemon=True)
        self._thread.start()

    def count_commit(self) -> None:
        """Note that the writer has committed once more; its caller holds the write lock."""
        self._commits += 1
        if self._commits >= self._commits_max:
            self._commits = 0
            self._due.release()

    def close(self) -> None:
        """Finish the checkpoint under way and stop; the last connection copies what is left."""
        self._is_closed = True
        self._due.release()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._due.acquire()
            if self._is_closed:
                return
            try:
                self._database.checkpoint(restart_pages=self._pages)
            except (SQLAlchemyError, sqlite3.Error) as err:  # The next one tries again.
                _log.warning("wal_not_checkpointed", error=str(err))
