"""The whole log checked again behind a node's back: every entry, every tile, up to the head.

A start looks at what a crash would hit. What lies deeper, in tiles that are full, may have been
damaged or changed since; that is found here, a few tiles at a time, so that a running node does not
feel it, and it stops the log.
"""

from __future__ import annotations

import asyncio
from enum import Enum

import structlog

from node.core.database import Database, DatabaseDamagedError
from node.core.log import LogDamagedError, LogStore
from node.core.writer import Writer
from protocol.merkle import leaf_hashes
from protocol.tile import EMPTY_EDGE, TILE_WIDTH

TILES_A_STEP = 4
PAUSE_S = 0.02  # after a step of about 2 ms: a tenth of one core
_log = structlog.get_logger()


class CheckState(Enum):
    """How far the check of the whole log is."""

    RUNNING = "running"
    VERIFIED = "verified"
    """Every entry and tile below the head of the start is what was signed."""
    DAMAGED = "damaged"
    """The log has been stopped."""


class LogCheck:
    """Rebuilds the tree from its entries and compares it with what is stored and signed.

    What was appended since the start has been hashed by this process.
    """

    def __init__(self, *, database: Database, writer: Writer, pause_s: float = PAUSE_S) -> None:
        """Take the head of this start as what is to be reached."""
        self._database = database
        self._writer = writer
        self._pause_s = pause_s
        self._head = writer.state.head
        self._edge = EMPTY_EDGE
        self._state = CheckState.RUNNING

    @property
    def state(self) -> CheckState:
        """Return what is known of the log."""
        return self._state

    @property
    def checked_size(self) -> int:
        """Return how many entries have been checked."""
        return self._edge.size

    async def run(self) -> CheckState:
        """Check to the end, from where an earlier call was interrupted; stop a damaged log.

        Raises:
            DatabaseFailedError: The database cannot be read now.
        """
        while self._state is CheckState.RUNNING:
            try:
                await asyncio.to_thread(self._take_step)
            except LogDamagedError as err:
                self._state = CheckState.DAMAGED
                self._writer.condemn(err)
                _log.error("log_damaged", detail=err.detail, checked=self.checked_size)
            await asyncio.sleep(self._pause_s)
        return self._state

    def _take_step(self) -> None:
        try:
            with self._database.read() as uow:
                store = LogStore(uow.connection)
                for _ in range(TILES_A_STEP):
                    if self._edge.size < self._head.size:
                        self._check_tile(store)
        except DatabaseDamagedError as err:
            raise LogDamagedError(err.detail) from err
        if self._edge.size == self._head.size:
            if self._edge.root != self._head.root:
                raise LogDamagedError("the entries do not hash to the signed head")
            self._state = CheckState.VERIFIED
            _log.info("log_verified", size=self._head.size)

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
