"""The one writer: many decisions, one commit, and nothing is released before it (group commit).

Callers verify off the lock and submit a decision, a function of the open transaction that may be
run more than once. The writer takes whatever is queued, runs each, appends their entries to the
log, lets each finish with the proof of its entry, commits once, and only then releases the results.
A decision that raises is rolled back alone. A commit that fails releases nothing; the state is read
back from the database, since the commit may have been applied and reported failed.

What an event loop submits is decided in its own turn and committed beside it by a thread, so that
the loop verifies the next messages while the disk confirms (docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from math import inf
from typing import TypeVar

import structlog

from node.core.clock import Clock
from node.core.database import BUSY_RETRY_S, Database, DatabaseBusyError
from node.core.decision import Decided, Decision
from node.core.errors import NodeError, OverloadedError
from node.core.jobs import Job, refuse
from node.core.log import LogState
from node.core.log_key import LogKey
from node.core.log_transactions import (
    DecidedBatch,
    LogTransactions,
    LogUnavailableError,
    Succession,
)

BATCH_DECISIONS_MAX = 512
LOCK_RETRY_S = 0.001
EARLY_DECISIONS = 12  # measured: docs/decisions/0011
EARLY_AFTER_S = 0.001  # measured: docs/decisions/0012
QUICK_S = 0.001  # the same
QUEUE_DECISIONS_MAX = 4_096

T = TypeVar("T")
_log = structlog.get_logger()


class Writer:
    """Takes decisions from threads and event loops, and releases their results.

    The database's write lock owns the log's transactions from ``decide`` until the batch is
    released, in whichever thread that is. Only its holder takes from ``_inline``.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        origin: str,
        member_id: str,
        key: LogKey,
        timer_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load and check the log; write the genesis entry into an empty one.

        Args:
            database: Holds the log.
            clock: Dates the entries.
            origin: The log's name.
            member_id: Whose log it is.
            key: Signs the heads; of a lost one the log is held.
            timer_s: Says how long deciding and committing take.

        Raises:
            LogDamagedError: The stored log contradicts its head.
            DatabaseBusyError: Another process writes for too long.
        """
        self._database = database
        self._timer_s = timer_s
        self._log = LogTransactions(
            database=database, clock=clock, origin=origin, member_id=member_id, key=key
        )
        self._queue: queue.Queue[Job | None] = queue.Queue(maxsize=QUEUE_DECISIONS_MAX)
        self._inline: deque[Job] = deque()
        self._flushing_in: asyncio.AbstractEventLoop | None = None
        self._committing_in: asyncio.AbstractEventLoop | None = None
        self._retrying_in: asyncio.AbstractEventLoop | None = None
        self._turn_began_s = 0.0
        self._commit_s = inf  # how long the newest one took
        self._busy_since_s: float | None = None
        self._stopping = False
        self._door = threading.Lock()
        self._is_closed = False
        # A plain queue costs a fifth of an executor's submission.
        self._decided: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, DecidedBatch] | None] = (
            queue.SimpleQueue()
        )
        self._committer = threading.Thread(target=self._run_commits, name="committer", daemon=True)
        self._committer.start()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def state(self) -> LogState:
        """Return the committed tree; safe to read from any thread."""
        return self._log.state

    @property
    def broken(self) -> NodeError | None:
        """Return why nothing is written any more, if so."""
        return self._log.broken

    @property
    def held(self) -> NodeError | None:
        """Return why no entry is taken now, if none is."""
        return self._log.held

    def hold(self, reason: NodeError) -> None:
        """Refuse every entry with this reason; decisions that log nothing are still taken."""
        self._log.held = reason

    def admit(self) -> None:
        """Take entries again."""
        self._log.held = None

    def change_log(self, succession: Succession) -> None:
        """End this log and begin the next one; what is queued is decided under the new one.

        It waits for the batch in flight: not for an event loop's own turn.

        Raises:
            LogUnavailableError: It could not be committed.
            DatabaseBusyError: Another process writes for too long.
        """
        self._database.wait_for_others(lambda: self._try_change(succession))

    def _try_change(self, succession: Succession) -> None:
        with self._database.hold_write_lock():
            self._log.change_log(succession)

    def condemn(self, error: NodeError) -> None:
        """Stop for good: refuse everything with this error until the next start."""
        self._log.condemn(error)

    def submit(self, decide: Decision[T]) -> Future[T]:
        """Queue a decision; its future is done after the commit.

        Raises:
            OverloadedError: The queue is full.
            LogUnavailableError: The writer is closed.
        """
        future: Future[T] = Future()
        self._put(Job(decide, future))
        return future

    def submit_async(self, decide: Decision[T]) -> asyncio.Future[T]:
        """Submit from an event loop; the future is done after the commit.

        Decided at the end of the loop's turn, with every twelfth that waits, or after the commit
        under way, whichever it is. A thread that decided would have to win the interpreter's lock
        back after each of a batch's statements, from a loop that is busy (docs/decisions/0010);
        one that commits, once a batch.

        The future fails with OverloadedError where the queue is full, and with LogUnavailableError
        where the writer is closed.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        inline = self._inline
        waiting = len(inline)
        if waiting >= QUEUE_DECISIONS_MAX:
            waiter.set_exception(_full())
            return waiter
        job = Job(decide, waiter, loop)
        inline.append(job)
        if self._is_closed and self._withdraw(job):
            waiter.set_exception(_closed())
        elif self._flushing_in is not loop:
            self._flushing_in = loop
            self._turn_began_s = self._timer_s()
            loop.call_soon(self._flush, loop)
        elif (waiting + 1) % EARLY_DECISIONS == 0 and self._is_time(loop):
            self._flush(loop)
        return waiter

    def _withdraw(self, job: Job) -> bool:
        """Take a job back that came while the writer closes; False where it is decided after all.

        Instead of a lock: closing first closes, then decides what waits, and a caller first adds
        what waits, then looks whether it is closed. One of them sees the other.
        """
        with suppress(ValueError):
            self._inline.remove(job)
            return True
        return False

    def _is_time(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Tell whether to close a batch in the middle of the turn: while the rest still verifies.

        Decisions that come quicker than that are better off in one batch.
        """
        if self._committing_in is not None or self._retrying_in is loop:
            return False
        return self._timer_s() - self._turn_began_s >= EARLY_AFTER_S

    def run(self, decide: Decision[T]) -> T:
        """Submit and wait; what the decision raised is raised here."""
        return self.submit(decide).result()

    def _put(self, job: Job) -> None:
        with self._door:
            if self._is_closed:
                raise _closed()
            try:
                self._queue.put_nowait(job)
            except queue.Full as err:
                raise _full() from err

    def close(self, *, last: bytes | None = None) -> None:
        """Finish what is queued, append a last entry if one is given, and stop.

        Raises:
            LogUnavailableError: The last entry could not be appended; the writer has stopped.
        """
        with self._door:
            if self._is_closed:
                return
            self._is_closed = True
        self._queue.put(None)
        self._thread.join()
        while (jobs := self._take_rest()) is not None:
            self._inline.extendleft(reversed(self._run_batch(jobs)))
        try:
            if last is not None:
                self._append_last(last)
        finally:
            self._decided.put(None)
            self._committer.join()
            self._log.close()

    def _append_last(self, entry: bytes) -> None:
        done: Future[None] = Future()
        job = Job(lambda _batch: Decided(entry=entry, finish=lambda _placement: None), done)
        job.begin()
        self._run_batch([job])
        done.result()

    def _take_rest(self) -> list[Job] | None:
        with self._database.hold_write_lock():  # No batch is in flight, and none begins.
            return self._take_inline() if self._inline else None

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        """Decide what the loop has submitted; while another writes, look again soon instead."""
        if self._committing_in is loop:  # What follows the commit looks again.
            return
        if not self._database.try_write_lock():
            self._look_again(loop, LOCK_RETRY_S)
            return
        work = None
        jobs = self._take_inline()
        begun_s = self._timer_s()
        try:
            work = self._log.decide(jobs)
            self._busy_since_s = None
        except DatabaseBusyError as err:
            self._put_off(loop, jobs, err)
            return
        except BaseException:
            refuse(jobs, LogUnavailableError("the decisions were interrupted"))
            self._go_on(loop)
            raise
        finally:
            if work is None:
                self._database.release_write_lock()
        if work is None:
            self._go_on(loop)
        elif self._commit_s < QUICK_S and self._timer_s() - begun_s < QUICK_S:
            self._commit_here(loop, work)
        else:
            self._committing_in = loop
            self._decided.put((loop, work))

    def _commit_here(self, loop: asyncio.AbstractEventLoop, work: DecidedBatch) -> None:
        """Commit in the loop's own turn: handing over to a thread and back would take as long."""
        try:
            self._inline.extendleft(reversed(self._commit(work, here=loop)))
        finally:
            self._database.release_write_lock()
            self._go_on(loop)

    def _commit(
        self, work: DecidedBatch, *, here: asyncio.AbstractEventLoop | None = None
    ) -> list[Job]:
        begun_s = self._timer_s()
        try:
            return self._log.commit(work, here=here)
        finally:
            self._commit_s = self._timer_s() - begun_s

    def _run_commits(self) -> None:
        while (decided := self._decided.get()) is not None:
            try:
                self._commit_beside(*decided)
            except Exception as err:  # noqa: BLE001  the thread's edge: the next batch needs it
                _log.error("release_failed", error=type(err).__name__)

    def _commit_beside(self, loop: asyncio.AbstractEventLoop, work: DecidedBatch) -> None:
        """Commit in a thread what the loop has decided under the write lock, and give that back."""
        try:
            self._inline.extendleft(reversed(self._commit(work)))
        finally:
            self._committing_in = None
            self._database.release_write_lock()
            with suppress(RuntimeError):  # The loop has ended; another will find what is left.
                loop.call_soon_threadsafe(self._go_on, loop)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._flushing_in = None
        if self._inline:
            self._flushing_in = loop
            loop.call_soon(self._flush, loop)

    def _look_again(self, loop: asyncio.AbstractEventLoop, delay_s: float) -> None:
        if self._retrying_in is not loop:
            self._retrying_in = loop
            loop.call_later(delay_s, self._retry, loop)

    def _retry(self, loop: asyncio.AbstractEventLoop) -> None:
        self._retrying_in = None
        self._flush(loop)

    def _put_off(
        self, loop: asyncio.AbstractEventLoop, jobs: list[Job], error: DatabaseBusyError
    ) -> None:
        """Try again soon; where another process writes for too long, refuse all that waits."""
        now_s = time.monotonic()
        if self._busy_since_s is None:
            self._busy_since_s = now_s
        if now_s - self._busy_since_s < self._database.busy_timeout_s:
            self._inline.extendleft(reversed(jobs))
            self._look_again(loop, BUSY_RETRY_S)
            return
        self._busy_since_s = None
        refuse(jobs, error)
        self._go_on(loop)

    def _take_inline(self) -> list[Job]:
        inline = self._inline
        # Each is taken by itself: others may add meanwhile.
        taken = [inline.popleft() for _ in range(min(len(inline), BATCH_DECISIONS_MAX))]
        return [job for job in taken if not job.future.cancelled()]

    def _run(self) -> None:
        carried: list[Job] = []
        while carried or not self._stopping:
            jobs = self._take(carried)
            if jobs:
                carried = self._run_batch(jobs)

    def _take(self, carried: list[Job]) -> list[Job]:
        jobs = list(carried)
        while len(jobs) < BATCH_DECISIONS_MAX:
            try:
                job = self._queue.get(block=not jobs)
            except queue.Empty:
                break
            if job is None:
                self._stopping = True
                break
            if job.begin():
                jobs.append(job)
        return jobs

    def _run_batch(self, jobs: list[Job]) -> list[Job]:
        """Decide, commit and release in this thread; return jobs for the next batch."""
        try:
            return self._database.wait_for_others(lambda: self._try_batch(jobs))
        except DatabaseBusyError as err:
            refuse(jobs, err)
            return []

    def _try_batch(self, jobs: list[Job]) -> list[Job]:
        with self._database.hold_write_lock():  # A try at a time: the loop has its turn between.
            work = self._log.decide(jobs)
            return [] if work is None else self._log.commit(work)


def _closed() -> LogUnavailableError:
    """Return the refusal of what nobody would ever decide."""
    return LogUnavailableError("the node is stopping")


def _full() -> OverloadedError:
    return OverloadedError(f"{QUEUE_DECISIONS_MAX} decisions are waiting")
