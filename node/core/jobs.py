"""Decisions on their way through the writer, and how results reach whoever waits for them."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from node.core.decision import Decision
from node.core.errors import NodeError


@dataclass(slots=True, eq=False)
class Job:
    """A decision and who waits for its result: a thread, or a task of the event loop named."""

    decide: Decision[Any]
    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> bool:
        """Mark it as begun; False where its caller has gone."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()


Outcome = tuple[Job, Any, Exception | None]
"""Who waited, and the result, or the error instead."""


def refuse(jobs: list[Job], error: NodeError) -> None:
    """Hand the same error to everybody."""
    release([(job, None, error) for job in jobs])


def release(outcomes: list[Outcome], *, here: asyncio.AbstractEventLoop | None = None) -> None:
    """Hand out results and errors: to waiting threads one by one, to an event loop all at once.

    Args:
        outcomes: Who gets what.
        here: The event loop that runs in the caller's thread, if any.
    """
    by_loop: dict[asyncio.AbstractEventLoop | None, list[Outcome]] = {}
    for outcome in outcomes:
        loop = outcome[0].loop
        if loop in by_loop:
            by_loop[loop].append(outcome)
        else:
            by_loop[loop] = [outcome]
    for loop, waiting in by_loop.items():
        if loop is None or loop is here:
            _resolve(waiting)
            continue
        with suppress(RuntimeError):  # The loop has ended, and nobody waits any more.
            loop.call_soon_threadsafe(_resolve, waiting)


def _resolve(waiting: list[Outcome]) -> None:
    for job, result, error in waiting:
        future = job.future
        if future.done():  # Its caller went away; the decision stands.
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
