"""Lets a few callers through at a time, in the order in which they came.

An event loop runs what is ready breadth first: of forty messages read in one turn all forty would
be verified before the first one's answer leaves, and the peer would wait idle meanwhile.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from node.core.errors import OverloadedError

AT_ONCE = 20  # measured: docs/decisions/0011
WAITING_MAX = 4_096


class Turnstile:
    """An asynchronous context that few callers are in at a time; of one event loop."""

    def __init__(self, *, waiting_max: int = WAITING_MAX) -> None:
        """Let nobody wait yet."""
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting_max = waiting_max
        self._waiting = 0

    async def __aenter__(self) -> None:
        """Wait for a place.

        Raises:
            OverloadedError: Too many wait.
        """
        if self._waiting >= self._waiting_max:
            raise OverloadedError(f"{self._waiting_max} messages are waiting")
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
