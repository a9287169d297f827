"""Inquiries carried out in the background of the process that owns the node.

A task an inquiry. A stop leaves inquiries open in the store, and the next start takes them up.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from node.core.errors import NodeError
from node.core.threads import finish_in_thread
from node.sharing.inquiring import InquiryService
from protocol.errors import ProtocolError

_log = structlog.get_logger()


class InquiryDesk:
    """Carries inquiries out; all of it on the node's event loop."""

    def __init__(self, service: InquiryService) -> None:
        """Take the service."""
        self._service = service
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def start(self, inquiry_id: int) -> None:
        """Carry an inquiry out in the background; one that is under way goes on."""
        if inquiry_id not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._carry_out(inquiry_id))
            self._tasks[inquiry_id] = task
            task.add_done_callback(lambda _task: self._tasks.pop(inquiry_id, None))

    async def resume(self) -> int:
        """Take up what a stop has cut short; return how many."""
        open_ones = await finish_in_thread(self._service.list_open)
        for inquiry_id in open_ones:
            self.start(inquiry_id)
        return len(open_ones)

    def is_under_way(self, inquiry_id: int) -> bool:
        """Tell whether an inquiry is being carried out here."""
        return inquiry_id in self._tasks

    async def stop(self) -> None:
        """Cut short what is under way; the store says how far it came."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _carry_out(self, inquiry_id: int) -> None:
        try:
            await self._service.carry_out(inquiry_id)
        except (NodeError, ProtocolError) as err:
            _log.warning("inquiry_failed", inquiry=inquiry_id, code=err.code)
        except Exception as err:  # noqa: BLE001  the jobs' edge: its text may hold rows
            _log.error("inquiry_broken", inquiry=inquiry_id, error=type(err).__name__)
