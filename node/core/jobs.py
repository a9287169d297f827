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


_Outcome = tuple[Job, Any, Exception | None]


def refuse(jobs: list[Job], error: NodeError) -> None:
    """Hand the same error to everybody."""
    release([], dict.fromkeys(jobs, error))


def release(
    results: list[tuple[Job, Any]],
    errors: Mapping[Job, Exception],
    *,
    here: asyncio.AbstractEventLoop | None = None,
) -> None:
    """Hand out results and errors: to waiting threads one by one, to an event loop all at once.

    Args:
        results: Who waited for what.
        errors: Who gets an error instead.
        here: The event loop that runs in the caller's thread, if any.
    """
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    outcomes: list[_Outcome] = [(job, result, None) for job, result in results]
    outcomes += [(job, None, error) for job, error in errors.items()]
    for outcome in outcomes:
        loop = outcome[0].loop
        if loop is None:
            _resolve(outcome)
        else:
            by_loop.setdefault(loop, []).append(outcome)
    for loop, waiting in by_loop.items():
        if loop is here:
            _resolve_all(waiting)
            continue
        with suppress(RuntimeError):  # The loop has ended, and nobody waits any more.
            loop.call_soon_threadsafe(_resolve_all, waiting)


def _resolve_all(waiting: list[_Outcome]) -> None:
    for outcome in waiting:
        if not outcome[0].future.done():  # Else its caller went away; the decision stands.
            _resolve(outcome)


def _resolve(outcome: _Outcome) -> None:
    job, result, error = outcome
    if error is None:
        job.future.set_result(result)
    else:
        job.future.set_exception(error)
