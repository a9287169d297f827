"""From ``start`` to ``stop``: what the log says about the process that writes it.

A log that has a ``start`` and no ``stop`` before the next one tells of a process that was killed,
and it may hold two ``start`` in a row where the first was applied and reported failed. A log that
gives way to the next one in order has a ``stop`` too, and the next one its own ``start``.
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
        self._begun_in = ""

    async def begin(self) -> bool:
        """Log the start once the writer takes entries, once in each log; True where that is done.

        Raises:
            LogUnavailableError: The log cannot be appended to now.
        """
        if self._has_begun or self._writer.held is not None or self._writer.broken is not None:
            return self._has_begun
        origin = self._writer.state.vkey.name
        await self._writer.submit_async(self._decide_start)
        self._begun_in = origin
        return True

    @property
    def _has_begun(self) -> bool:
        return self._begun_in == self._writer.state.vkey.name

    def build_stop(self) -> bytes:
        """Return the last entry of a log that ends in order."""
        return format_entry(StopEntry(at_ms=self._clock.now_ms()))

    def end(self) -> None:
        """Finish what is queued, log the stop as the last entry, and close the writer."""
        last = None
        if self._has_begun and self._writer.held is None and self._writer.broken is None:
            last = self.build_stop()
        try:
            self._writer.close(last=last)
        except NodeError as err:
            _log.warning("stop_not_logged", code=err.code, detail=err.detail)

    def _decide_start(self, batch: Batch) -> Decided[None]:
        entry = format_entry(StartEntry(at_ms=batch.now_ms, software=self._software))
        return Decided(entry=entry, finish=lambda _placement: None)
