"""Lets a few callers through at a time, in the order in which they came.

An event loop runs what is ready breadth first: of forty messages read in one turn all forty would
be verified before the first one's answer leaves, and the peer would wait idle meanwhile.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from node.core.errors import UnavailableError
from node.core.writer import QUEUE_DECISIONS_MAX

# One early batch is verified while the one before it is committed (docs/decisions/0011).
AT_ONCE = 20


class OverloadedError(UnavailableError):
    """Too many callers wait: ask again later."""


class Turnstile:
    """An asynchronous context that at most ``AT_ONCE`` callers are in; of one event loop."""

    def __init__(self) -> None:
        """Let nobody wait yet."""
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __aenter__(self) -> None:
        """Wait for a place.

        Raises:
            OverloadedError: As many wait as the writer would take.
        """
        if self._waiting >= QUEUE_DECISIONS_MAX:
            raise OverloadedError(f"{QUEUE_DECISIONS_MAX} messages are waiting")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the place to the next one."""
        self._places.release()
