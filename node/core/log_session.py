"""From ``start`` to ``stop``: what the log says about the process that writes it.

A log that has a ``start`` and no ``stop`` before the next one tells of a process that was killed,
and it may hold two ``start`` in a row where the first was applied and reported failed.
"""

from __future__ import annotations

import structlog

from node.core.clock import Clock
from node.core.decision import Batch, Decided
from node.core.errors import NodeError
from node.core.writer import Writer
from protocol.entry import StartEntry, StopEntry, format_entry

_log = structlog.get_logger()


class LogSession:
    """Logs one start and one stop of this process."""

    def __init__(self, *, writer: Writer, clock: Clock, software: str) -> None:
        """Take the ports and the name of this build."""
        self._writer = writer
        self._clock = clock
        self._software = software
        self._has_begun = False

    async def begin(self) -> bool:
        """Log the start once the writer takes entries; True where that is done.

        Raises:
            LogUnavailableError: The log cannot be appended to now.
        """
        if self._has_begun or self._writer.held is not None or self._writer.broken is not None:
            return self._has_begun
        await self._writer.submit_async(self._decide_start)
        self._has_begun = True
        return True

    def end(self) -> None:
        """Finish what is queued, log the stop as the last entry, and close the writer."""
        last = None
        if self._has_begun and self._writer.held is None and self._writer.broken is None:
            last = format_entry(StopEntry(at_ms=self._clock.now_ms()))
        try:
            self._writer.close(last=last)
        except NodeError as err:
            _log.warning("stop_not_logged", code=err.code, detail=err.detail)

    def _decide_start(self, batch: Batch) -> Decided[None]:
        entry = format_entry(StartEntry(at_ms=batch.now_ms, software=self._software))
        return Decided(entry=entry, finish=lambda _placement: None)
