"""Previews at work in this process: one at a time, and how far it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date

from node.core.errors import NodeError, OverloadedError
from node.core.policies.rules_states import Actor
from node.governance.policies.previewing import Previews


class PreviewStoppedError(NodeError):
    """The node ends: the preview is to be begun again."""

    code = "policy-preview-stopped"


@dataclass(slots=True, kw_only=True)
class PreviewJob:
    """A preview at work, and how far it is: customers done, of about so many."""

    version_id: int
    done: int = 0
    total: int = 0
    task: asyncio.Task[object] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.task is not None and not self.task.done()

    @property
    def failure(self) -> NodeError | None:
        """What it ended with, where that is no summary."""
        if self.task is None or not self.task.done() or self.task.cancelled():
            return None
        error = self.task.exception()
        if error is not None and not isinstance(error, NodeError):
            raise error
        return error


class PreviewDesk:
    """Holds the newest job; used by the event loop alone. Summaries are in the store."""

    def __init__(self, previews: Previews) -> None:
        """Hold nothing yet."""
        self._previews = previews
        self._job: PreviewJob | None = None
        self._is_stopped = False

    def start(self, version_id: int, *, as_of: date, actor: Actor) -> PreviewJob:
        """Begin a preview; one of the same version that is at work is that one.

        Raises:
            OverloadedError: One of another version is at work.
            PreviewDayError: No portfolio is looked at as of the day.
        """
        self._previews.check_day(as_of)
        job = self._job
        if job is not None and job.is_running:
            if job.version_id != version_id:
                raise OverloadedError("another preview is at work: begin this one later")
            return job
        job = self._job = PreviewJob(version_id=version_id)

        def tell(done: int, total: int) -> None:
            if self._is_stopped:
                raise PreviewStoppedError("the node ends")
            job.done, job.total = done, total

        work = asyncio.to_thread(
            self._previews.preview, version_id, as_of=as_of, actor=actor, on_progress=tell
        )
        job.task = asyncio.create_task(work)
        return job

    def find(self, version_id: int) -> PreviewJob | None:
        """Return the job of a version, at work or ended."""
        is_its = self._job is not None and self._job.version_id == version_id
        return self._job if is_its else None

    def stop(self) -> None:
        """Let a job at work end at its next batch."""
        self._is_stopped = True
