"""Whole logs checked again behind a node's back: every entry, every tile, up to the head.

A start looks at what a crash would hit. What lies deeper, in tiles that are full, may have been
damaged or changed since; that is found here, a few tiles at a time, so that a running node does not
feel it. Where the log that is written differs, it stops. An ended log is checked once; damage there
stops nothing, and is told.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Protocol

import structlog

from node.core.clock import Clock
from node.core.database import Database, DatabaseDamagedError
from node.core.log import LogDamagedError, LogPlace, LogState, LogStore
from node.core.log_list import LogList, StoredLog
from node.core.threads import finish_in_thread
from protocol.merkle import leaf_hashes
from protocol.message import LogHead
from protocol.tile import EMPTY_EDGE, TILE_WIDTH

TILES_A_STEP = 4
PAUSE_S = 0.02  # after a step of about 2 ms: a tenth of one core
_log = structlog.get_logger()


class CheckState(Enum):
    """How far the check of a whole log is."""

    RUNNING = "running"
    VERIFIED = "verified"
    """Every entry and tile below the head of the start is what was signed."""
    DAMAGED = "damaged"
    """One is not; the log, if it is the one that is written, has been stopped."""


class _Rebuild:
    """One log's tree, rebuilt from its entries and compared with what is stored and signed."""

    def __init__(self, place: LogPlace, head: LogHead) -> None:
        """Start at the first entry."""
        self._place = place
        self._head = head
        self._edge = EMPTY_EDGE

    @property
    def size(self) -> int:
        """Return how many entries have been checked."""
        return self._edge.size

    def take_step(self, database: Database) -> bool:
        """Check some tiles; True where the whole log is what was signed.

        Raises:
            LogDamagedError: It is not.
            DatabaseFailedError: The database cannot be read now.
        """
        try:
            with database.read() as uow:
                store = LogStore(uow.connection, self._place)
                for _ in range(TILES_A_STEP):
                    if self._edge.size < self._head.size:
                        self._check_tile(store)
        except DatabaseDamagedError as err:
            raise LogDamagedError(err.detail) from err
        if self._edge.size < self._head.size:
            return False
        if self._edge.root != self._head.root:
            raise LogDamagedError("the entries do not hash to the signed head")
        return True

    def _check_tile(self, store: LogStore) -> None:
        first = self._edge.size
        width = min(TILE_WIDTH, self._head.size - first)
        edge, tiles = self._edge.extend(leaf_hashes(store.list_entries(first=first, count=width)))
        for tile in tiles:
            if store.read_tile(tile.level, tile.index, TILE_WIDTH) != tile.data:
                raise LogDamagedError(
                    f"tile {tile.level}/{tile.index} is not the one of the entries from {first} on"
                )
        self._edge = edge


class WrittenLog(Protocol):
    """The log that is written: a node's writer, or the hub's keeper."""

    @property
    def state(self) -> LogState:
        """Return the log as it is committed."""
        ...

    def condemn(self, error: LogDamagedError) -> None:
        """Let nothing be appended any more."""
        ...


class LogCheck:
    """Checks the log that is written, then every ended one that has not been checked.

    What was appended since the start has been hashed by this process.
    """

    def __init__(
        self, *, database: Database, writer: WrittenLog, clock: Clock, pause_s: float = PAUSE_S
    ) -> None:
        """Take the head of this start as what is to be reached."""
        self._database = database
        self._writer = writer
        self._clock = clock
        self._pause_s = pause_s
        self._rebuild = _Rebuild(writer.state.place, writer.state.head)
        self._state = CheckState.RUNNING
        self._damaged: dict[str, str] = {}

    @property
    def state(self) -> CheckState:
        """Return what is known of the log that was written at the start."""
        return self._state

    @property
    def checked_size(self) -> int:
        """Return how many of its entries have been checked."""
        return self._rebuild.size

    def list_warnings(self) -> list[str]:
        """Say which ended logs are not what was signed."""
        return [f"{origin} is damaged: {detail}" for origin, detail in self._damaged.items()]

    async def run(self) -> CheckState:
        """Check to the end, from where an earlier call was interrupted; stop a damaged log.

        Raises:
            DatabaseFailedError: The database cannot be read now.
        """
        if self._state is CheckState.RUNNING:
            try:
                await self._reach_end(self._rebuild)
                self._state = CheckState.VERIFIED
                _log.info("log_verified", size=self.checked_size)
            except LogDamagedError as err:
                self._state = CheckState.DAMAGED
                self._writer.condemn(err)
                _log.error("log_damaged", detail=err.detail, checked=self.checked_size)
        return self._state

    async def check_ended(self) -> None:
        """Check the ended logs that have not been; a damaged one is told at each start.

        Raises:
            DatabaseFailedError: The database cannot be read now.
        """
        for log in await finish_in_thread(self._list_unchecked):
            try:
                await self._reach_end(_Rebuild(log.place, log.head))
            except LogDamagedError as err:
                self._damaged[log.origin] = err.detail
                _log.error("ended_log_damaged", origin=log.origin, detail=err.detail)
            else:
                await finish_in_thread(self._mark, log)
                _log.info("ended_log_verified", origin=log.origin, size=log.size)

    async def _reach_end(self, rebuild: _Rebuild) -> None:
        is_done = False
        while not is_done:
            is_done = await finish_in_thread(rebuild.take_step, self._database)
            await asyncio.sleep(self._pause_s)

    def _list_unchecked(self) -> list[StoredLog]:
        with self._database.read() as uow:
            return [
                log
                for log in LogList(uow.connection).list_all()
                if log.end_reason is not None
                and not log.is_verified
                and log.origin not in self._damaged
            ]

    def _mark(self, log: StoredLog) -> None:
        with self._database.write() as uow:
            LogList(uow.connection).mark_verified(log.place.number, at_ms=self._clock.now_ms())
