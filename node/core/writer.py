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
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from sqlalchemy import RootTransaction
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from node.core.clock import Clock
from node.core.database import (
    BUSY_RETRY_S,
    BUSY_TIMEOUT_MS,
    Database,
    DatabaseBusyError,
    UnitOfWork,
    wait_for_others,
)
from node.core.decision import Batch, Decided, Decision, NextBatchError, Placement
from node.core.errors import InvariantError, NodeError, UnavailableError
from node.core.jobs import Job, LoopFuture, refuse, release
from node.core.log import LogState, LogStore, extend_log, load_log, prove_inclusion
from protocol.entry import GenesisEntry, format_entry
from protocol.errors import ProtocolError
from protocol.keys import SigningKey
from protocol.tile import TileCache

BATCH_DECISIONS_MAX = 512
LOCK_RETRY_S = 0.001
EARLY_DECISIONS = 12
QUEUE_DECISIONS_MAX = 4_096

T = TypeVar("T")
_log = structlog.get_logger()


class LogUnavailableError(UnavailableError):
    """The log cannot be appended to: nothing is answered."""

    code = "log-unavailable"


class WriterBusyError(UnavailableError):
    """The queue is full: ask again later."""

    code = "unavailable"


class _DecisionFailedError(Exception):
    """Roll back and decide the rest anew."""


@dataclass(slots=True, kw_only=True)
class _Work:
    """A batch that is decided and not yet committed."""

    transaction: RootTransaction
    jobs: list[Job]
    failed: dict[Job, Exception]
    state: LogState
    released: list[tuple[Job, Any]] = field(default_factory=list)
    carried: list[Job] = field(default_factory=list)


class Writer:
    """Owns the log and the writing connection."""

    def __init__(
        self, *, database: Database, clock: Clock, origin: str, member_id: str, key: SigningKey
    ) -> None:
        """Load and check the log; write the genesis entry into an empty one.

        Raises:
            LogDamagedError: The stored log contradicts its head.
        """
        self._database = database
        self._clock = clock
        self._origin = origin
        self._key = key
        self._queue: queue.Queue[Job | None] = queue.Queue(maxsize=QUEUE_DECISIONS_MAX)
        self._inline: deque[Job] = deque()
        self._flushing_in: asyncio.AbstractEventLoop | None = None
        self._committing_in: asyncio.AbstractEventLoop | None = None
        self._memory: dict[str, object] = {}
        self._memory_version: int | None = None
        self._busy_since_s: float | None = None
        self._broken: NodeError | None = None
        self._stopping = False
        self._door = threading.Lock()
        self._is_closed = False
        self._connection = database.engine.connect()
        try:
            wait_for_others(lambda: self._start(member_id))
        except BaseException:
            self._connection.close()
            raise
        # A plain queue costs a fifth of an executor's submission.
        self._decided: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, _Work] | None] = (
            queue.SimpleQueue()
        )
        self._committer = threading.Thread(target=self._run_commits, name="committer", daemon=True)
        self._committer.start()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def state(self) -> LogState:
        """Return the committed tree; safe to read from any thread."""
        return self._state

    @property
    def broken(self) -> NodeError | None:
        """Return why the writer refuses to write, if it does."""
        return self._broken

    def submit(self, decide: Decision[T]) -> Future[T]:
        """Queue a decision; its future is done after the commit.

        Raises:
            WriterBusyError: The queue is full.
            LogUnavailableError: The writer is closed.
        """
        future: Future[T] = Future()
        self._put(Job(decide, future))
        return future

    async def submit_async(self, decide: Decision[T]) -> T:
        """Submit from an event loop and wait; the batch is what its turn of the loop has submitted.

        A thread that decided would have to win the interpreter's lock back after each of a batch's
        statements, from a loop that is busy (docs/decisions/0010); one that commits, once a batch.

        Raises:
            WriterBusyError: The queue is full.
            LogUnavailableError: The writer is closed.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        with self._door:
            self._check_open()
            if len(self._inline) >= QUEUE_DECISIONS_MAX:
                raise WriterBusyError(f"{QUEUE_DECISIONS_MAX} decisions are waiting")
            self._inline.append(Job(decide, LoopFuture(loop, waiter)))
        if self._flushing_in is not loop:
            self._flushing_in = loop
            loop.call_soon(self._flush, loop)
        elif len(self._inline) >= EARLY_DECISIONS and self._committing_in is None:
            self._flush(loop)
        return await waiter

    def run(self, decide: Decision[T]) -> T:
        """Submit and wait; what the decision raised is raised here."""
        return self.submit(decide).result()

    def _put(self, job: Job) -> None:
        with self._door:
            self._check_open()
            try:
                self._queue.put_nowait(job)
            except queue.Full as err:
                raise WriterBusyError(f"{QUEUE_DECISIONS_MAX} decisions are waiting") from err

    def _check_open(self) -> None:
        if self._is_closed:  # Nobody would ever decide it.
            raise LogUnavailableError("the node is stopping")

    def close(self) -> None:
        """Finish what is queued and stop."""
        with self._door:
            self._is_closed = True
        self._queue.put(None)
        self._thread.join()
        # A batch in flight holds the write lock until it is released.
        while self._inline:
            with self._database.hold_write_lock():
                self._inline.extendleft(reversed(self._run_batch(self._take_inline())))
        self._decided.put(None)
        self._committer.join()
        self._connection.close()

    def _start(self, member_id: str) -> None:
        with self._database.hold_write_lock():
            self._load()
            if self.state.edge.size == 0:
                self._append_genesis(member_id)

    def _load(self) -> None:
        with self._database.try_begin(self._connection):
            store = LogStore(self._connection)
            self._state = load_log(store, origin=self._origin, key=self._key)
        self._is_known = True
        self._cache = TileCache(LogStore(self._connection).read_tile)

    def _append_genesis(self, member_id: str) -> None:
        entry = format_entry(
            GenesisEntry(at_ms=self._clock.now_ms(), member=member_id, origin=self._origin)
        )
        with self._database.try_begin(self._connection):
            store = LogStore(self._connection)
            self._state = extend_log(
                self._state, [entry], store=store, origin=self._origin, key=self._key
            )

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        """Decide what the loop has submitted; while another writes, look again soon instead."""
        if self._committing_in is loop:  # What follows the commit looks again.
            return
        if not self._database.try_write_lock():
            loop.call_later(LOCK_RETRY_S, self._flush, loop)
            return
        jobs = self._take_inline()
        try:
            work = self._decide(jobs)
        except DatabaseBusyError as err:
            self._database.release_write_lock()
            self._put_off(loop, jobs, err)
            return
        self._busy_since_s = None
        if work is None:
            self._database.release_write_lock()
            self._go_on(loop)
        else:
            self._committing_in = loop
            self._decided.put((loop, work))

    def _run_commits(self) -> None:
        while (decided := self._decided.get()) is not None:
            self._commit_beside(*decided)

    def _commit_beside(self, loop: asyncio.AbstractEventLoop, work: _Work) -> None:
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

    def _put_off(
        self, loop: asyncio.AbstractEventLoop, jobs: list[Job], error: DatabaseBusyError
    ) -> None:
        """Try again soon, and refuse what waits where another process writes for too long."""
        now_s = time.monotonic()
        self._busy_since_s = self._busy_since_s or now_s
        if now_s - self._busy_since_s < BUSY_TIMEOUT_MS / 1000:
            self._inline.extendleft(reversed(jobs))
            loop.call_later(BUSY_RETRY_S, self._flush, loop)
            return
        self._busy_since_s = None
        refuse(jobs, error)
        self._go_on(loop)

    def _take_inline(self) -> list[Job]:
        count = min(len(self._inline), BATCH_DECISIONS_MAX)
        return [job for job in (self._inline.popleft() for _ in range(count)) if job.begin()]

    def _run(self) -> None:
        carried: list[Job] = []
        while carried or not self._stopping:
            jobs = self._take(carried)
            if jobs:
                with self._database.hold_write_lock():
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
        """Decide, commit and release under the caller's lock; return jobs for the next batch."""
        try:
            work = wait_for_others(lambda: self._decide(jobs))
        except DatabaseBusyError as err:
            refuse(jobs, err)
            return []
        return [] if work is None else self._commit(work)

    def _decide(self, jobs: list[Job]) -> _Work | None:
        """Decide, append and write, up to the commit; None where nothing is left to commit.

        A decision that raises has perhaps written something: the transaction is rolled back and the
        others are decided anew without it. That is rare, and dearer than a savepoint a decision
        only where it happens.

        Raises:
            DatabaseBusyError: Another process is writing; nothing has happened.
        """
        if not jobs:
            return None
        refusal = self._read_back()
        if refusal is not None:
            refuse(jobs, refusal)
            return None
        failed: dict[Job, Exception] = {}
        while True:
            transaction = None
            try:
                transaction = self._database.try_begin(self._connection)
                return self._decide_all(jobs, failed, transaction)
            except DatabaseBusyError:
                raise
            except _DecisionFailedError:
                self._roll_back(transaction)
            except Exception as err:  # noqa: BLE001  everybody waits for this writer: it must not die of a bug
                self._give_up(transaction, jobs, err)
                return None

    def _decide_all(
        self, jobs: list[Job], failed: dict[Job, Exception], transaction: RootTransaction
    ) -> _Work:
        batch = Batch(
            uow=UnitOfWork(self._connection),
            head=self._state.head,
            now_ms=self._clock.now_ms(),
            memory=self._recall(),
        )
        work = _Work(transaction=transaction, jobs=jobs, failed=failed, state=self._state)
        decided: list[tuple[Job, Decided[Any]]] = []
        failed_before = len(failed)
        for job in jobs:
            if job in failed:
                continue
            try:
                decided.append((job, job.decide(batch)))
            except NextBatchError:
                work.carried.append(job)
            except OperationalError:  # The database, and with it every decision of the batch.
                raise
            except Exception as err:  # noqa: BLE001  whatever a decision raises is its caller's, not the batch's
                failed[job] = err
        if len(failed) != failed_before:
            self._memory_version = None
            raise _DecisionFailedError
        work.state = self._append_and_finish(batch, decided, work.released)
        return work

    def _recall(self) -> dict[str, object]:
        """Return what the batch before remembered if the database is as that one left it."""
        version = self._database.read_version(self._connection)
        if version is None or version != self._memory_version:
            self._memory = {}
        self._memory_version = version
        return self._memory

    def _commit(self, work: _Work) -> list[Job]:
        """Commit and release; return the jobs left for the next batch. Any thread."""
        try:
            work.transaction.commit()
        except Exception as err:  # noqa: BLE001  as in _decide
            self._give_up(work.transaction, work.jobs, err)
            return []
        self._state = work.state
        release(work.released, work.failed)
        return work.carried

    def _give_up(
        self, transaction: RootTransaction | None, jobs: list[Job], error: Exception
    ) -> None:
        """Refuse the whole batch, and find out what of it was applied."""
        self._memory_version = None
        self._roll_back(transaction)
        self._recover(error)
        with suppress(DatabaseBusyError):  # The next batch tries again.
            self._read_back()
        refuse(jobs, LogUnavailableError("the batch could not be committed"))

    def _roll_back(self, transaction: RootTransaction | None) -> None:
        if transaction is not None:
            with suppress(SQLAlchemyError):  # The connection is dropped, and its changes with it.
                transaction.rollback()

    def _append_and_finish(
        self,
        batch: Batch,
        decided: list[tuple[Job, Decided[Any]]],
        released: list[tuple[Job, Any]],
    ) -> LogState:
        entries = [decision.entry for _, decision in decided if decision.entry is not None]
        state = self._state
        if entries:
            store = LogStore(self._connection)
            state = extend_log(state, entries, store=store, origin=self._origin, key=self._key)
        index = self._state.edge.size
        for job, decision in decided:
            placement = None
            if decision.entry is not None:
                inclusion = prove_inclusion(state, self._cache, index=index, entry=decision.entry)
                placement = Placement(index=index, inclusion=inclusion)
                index += 1
            released.append((job, decision.finish(placement)))
        for write in batch.at_end:
            write()
        for statement, rows in batch.rows.items():
            self._connection.execute(statement, rows)
        return state

    def _recover(self, error: Exception) -> None:
        # Whether the commit was applied is unknown; the cache may hold tiles that were rolled back.
        _log.error("log_append_failed", error=str(error), code=getattr(error, "code", "storage"))
        if isinstance(error, InvariantError):
            self._broken = error
            return
        if not isinstance(error, SQLAlchemyError | NodeError | ProtocolError):
            self._broken = LogUnavailableError(f"stopped by a bug: {type(error).__name__}")
            return
        # What a failed commit has left open ends with its connection; the next use opens another.
        self._connection.invalidate()
        self._is_known = False

    def _read_back(self) -> NodeError | None:
        """Read the state after a failure; return why the batch has to be refused, if it has to.

        Raises:
            DatabaseBusyError: Another process is writing; the state is still unknown.
        """
        if self._broken is None and not self._is_known:
            try:
                self._load()
            except DatabaseBusyError:
                raise
            except SQLAlchemyError as err:
                self._connection.invalidate()
                return LogUnavailableError(f"the log cannot be read back: {err}")
            except NodeError as err:
                self._broken = err
        return self._broken
