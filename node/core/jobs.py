"""Decisions on their way through the writer, and how results reach whoever waits for them."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from node.core.decision import Decided, Decision
from node.core.errors import NodeError


@dataclass(slots=True, eq=False)
class Job:
    """A decision, who waits for its result, and what it has come to on its way.

    A thread waits, or a task of the event loop named.
    """

    decide: Decision[Any]
    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None
    decided: Decided[Any] | None = field(default=None, init=False)
    result: Any = field(default=None, init=False)
    error: Exception | None = field(default=None, init=False)

    def begin(self) -> bool:
        """Mark it as begun; False where its caller has gone."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()


def refuse(jobs: list[Job], error: NodeError) -> None:
    """Hand the same error to everybody."""
    for job in jobs:
        job.error = error
    release(jobs)


def release(jobs: list[Job], *, here: asyncio.AbstractEventLoop | None = None) -> None:
    """Hand out results and errors: to waiting threads one by one, to an event loop all at once.

    Args:
        jobs: Who waits, and for what.
        here: The event loop that runs in the caller's thread, if any.
    """
    loops = {job.loop for job in jobs}
    for loop in loops:
        waiting = jobs if len(loops) == 1 else [job for job in jobs if job.loop is loop]
        if loop is None or loop is here:
            _resolve(waiting)
            continue
        with suppress(RuntimeError):  # The loop has ended, and nobody waits any more.
            loop.call_soon_threadsafe(_resolve, waiting)


def _resolve(waiting: list[Job]) -> None:
    for job in waiting:
        future = job.future
        if future.done():  # Its caller went away; the decision stands.
            continue
        if job.error is None:
            future.set_result(job.result)
        else:
            future.set_exception(job.error)
