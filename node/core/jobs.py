"""Decisions on their way through the writer, and how results reach whoever waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from node.core.decision import Decision
from node.core.errors import NodeError


@dataclass(frozen=True, slots=True)
class LoopFuture:
    """A result awaited in an event loop, which another thread must not touch."""

    loop: asyncio.AbstractEventLoop
    waiter: asyncio.Future[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A decision and who waits for its result."""

    decide: Decision[Any]
    future: Future[Any] | LoopFuture

    def begin(self) -> bool:
        """Mark it as begun; False where its caller has gone."""
        if isinstance(self.future, LoopFuture):
            return not self.future.waiter.cancelled()
        return self.future.set_running_or_notify_cancel()


def refuse(jobs: list[Job], error: NodeError) -> None:
    """Hand the same error to everybody."""
    release([], dict.fromkeys(jobs, error))


def release(results: list[tuple[Job, Any]], errors: Mapping[Job, Exception]) -> None:
    """Hand out results and errors: to waiting threads one by one, to an event loop all at once."""
    by_loop: dict[
        asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, Exception | None]]
    ] = {}
    outcomes: list[tuple[Job, Any, Exception | None]] = [
        (job, result, None) for job, result in results
    ]
    outcomes += [(job, None, error) for job, error in errors.items()]
    for job, result, error in outcomes:
        if isinstance(job.future, LoopFuture):
            by_loop.setdefault(job.future.loop, []).append((job.future.waiter, result, error))
        elif error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(result)
    for loop, waiting in by_loop.items():
        with suppress(RuntimeError):  # The loop has ended, and nobody waits any more.
            loop.call_soon_threadsafe(_resolve, waiting)


def _resolve(waiting: list[tuple[asyncio.Future[Any], Any, Exception | None]]) -> None:
    for waiter, result, error in waiting:
        if waiter.done():  # Its caller went away meanwhile; the decision stands.
            continue
        if error is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(result)
