"""The run that is at work in this process, begun by a person, and how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from node.core.errors import NodeError, RejectedError
from node.rating.runs.service import HeldRun, RunReport, RunService, RunUnderWayError
from node.records.windows import is_of_records


class RunDayError(RejectedError):
    """No portfolio is rated as of this day: it is to come, or of before all records."""

    code = "rating-run-day"


@dataclass(slots=True, kw_only=True)
class RunJob:
    """A run at work, and how far it is: customers done, of about so many."""

    run_id: int
    as_of: date
    done: int = 0
    total: int = 0
    task: asyncio.Task[RunReport] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.task is not None and not self.task.done()

    @property
    def failure(self) -> NodeError | None:
        """What it ended with, where it was not finished."""
        if self.task is None or not self.task.done() or self.task.cancelled():
            return None
        error = self.task.exception()
        if error is not None and not isinstance(error, NodeError):
            raise error
        return error


class RunDesk:
    """Begins runs and holds the newest; used by the event loop alone. Runs are in the store."""

    def __init__(self, runs: RunService, *, today: Callable[[], date]) -> None:
        """Hold nothing yet."""
        self._runs = runs
        self._today = today
        self._job: RunJob | None = None
        self._beginning = asyncio.Lock()
        self._is_stopped = False

    async def start(self, *, as_of: date, by: str) -> RunJob:
        """Begin a run, or go on with one; one of the same day that is at work here is that one.

        Raises:
            RunDayError: No portfolio is rated as of the day.
            RunUnderWayError: Somebody works on a run.
        """
        if not is_of_records(as_of) or as_of > self._today():
            raise RunDayError("the business date, or a day before it")
        async with self._beginning:
            job = self.find()
            if job is not None and job.is_running and job.as_of == as_of:
                return job
            if self._is_stopped:
                raise RunUnderWayError("the node ends")
            held = await asyncio.to_thread(lambda: self._runs.begin(as_of=as_of, by=by))
            job = self._job = RunJob(run_id=held.run_id, as_of=as_of, done=held.done)
            job.task = asyncio.create_task(asyncio.to_thread(self._go_on, held, job))
            return job

    def find(self) -> RunJob | None:
        """Return the newest job, at work or ended."""
        return self._job

    async def stop(self) -> None:
        """Let a run at work end at its next stretch, and wait for it; it can be gone on with."""
        self._is_stopped = True
        async with self._beginning:
            job = self._job
        if job is not None and job.task is not None:
            with suppress(NodeError):
                await job.task

    def _go_on(self, held: HeldRun, job: RunJob) -> RunReport:
        def tell(done: int, total: int) -> None:
            job.done, job.total = done, total

        return self._runs.go_on(held, on_progress=tell, should_stop=lambda: self._is_stopped)
