"""The one writer: many decisions, one commit, and nothing is released before it (group commit).

Callers verify off the lock and submit a decision, a function of the open transaction that may be
run more than once. The writer takes whatever is queued, runs each, appends their entries to the
log, lets each finish with the proof of its entry, commits once, and only then releases the results.
A decision that raises is rolled back alone. A commit that fails releases nothing; the state is read
back from the database, since the commit may have been applied and reported failed.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy import Connection, Insert
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError, NodeError, UnavailableError
from node.core.log import LogState, LogStore, extend_log, load_log, prove_inclusion
from protocol.entry import GenesisEntry, format_entry
from protocol.errors import ProtocolError
from protocol.keys import SigningKey
from protocol.message import LogHead
from protocol.tile import TileCache

BATCH_DECISIONS_MAX = 512
LOCK_RETRY_S = 0.001
LINGER_S = 0.001  # measured: docs/decisions/0010
QUEUE_DECISIONS_MAX = 4_096

T = TypeVar("T")
_log = structlog.get_logger()


class LogUnavailableError(UnavailableError):
    """The log cannot be appended to: nothing is answered."""

    code = "log-unavailable"


class WriterBusyError(UnavailableError):
    """The queue is full: ask again later."""

    code = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an entry came to stand: its index and the proof under the batch's checkpoint."""

    index: int
    inclusion: str


@dataclass(slots=True, kw_only=True)
class Batch:
    """What the decisions of one transaction share, and what is written once at its end."""

    uow: UnitOfWork
    head: LogHead
    now_ms: int
    taken: set[object] = field(default_factory=set)
    """Keys decided in this batch: the rows behind them are not readable yet."""
    rows: dict[Insert, list[dict[str, Any]]] = field(default_factory=dict)
    scratch: dict[str, object] = field(default_factory=dict)
    """What the decisions of a room share, by the room's own key."""
    at_end: list[Callable[[], None]] = field(default_factory=list)
    """Run once after the decisions, before the commit."""

    @property
    def connection(self) -> Connection:
        """Return the open transaction's connection."""
        return self.uow.connection

    def insert_later(self, statement: Insert, row: dict[str, Any]) -> None:
        """Queue a row; all rows of one statement go in together before the commit."""
        self.rows.setdefault(statement, []).append(row)


class NextBatchError(Exception):
    """A decision needs to read what this batch has yet to write: run it in the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Generic[T]):
    """A decision taken: its log entry if any, and how to finish with the entry's proof, if any."""

    entry: bytes | None
    finish: Callable[[Placement | None], T]


Decision = Callable[[Batch], Decided[T]]


@dataclass(frozen=True, slots=True)
class _LoopFuture:
    """A result awaited in an event loop, which another thread must not touch."""

    loop: asyncio.AbstractEventLoop
    waiter: asyncio.Future[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    decide: Decision[Any]
    future: Future[Any] | _LoopFuture

    def begin(self) -> bool:
        """Tell whether the caller is still there."""
        if isinstance(self.future, _LoopFuture):
            return not self.future.waiter.cancelled()
        return self.future.set_running_or_notify_cancel()


class _DecisionFailedError(Exception):
    """Roll back and decide the rest anew."""


@dataclass(slots=True)
class _Outcome:
    """What a batch releases after its commit, and what it leaves to the next one."""

    released: list[tuple[_Job, Any]] = field(default_factory=list)
    carried: list[_Job] = field(default_factory=list)


class Writer:
    """Owns the log and the writing connection; one thread."""

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
        self._queue: queue.Queue[_Job | None] = queue.Queue(maxsize=QUEUE_DECISIONS_MAX)
        self._inline: deque[_Job] = deque()
        self._flushing_in: asyncio.AbstractEventLoop | None = None
        self._batch_size = 0
        self._broken: NodeError | None = None
        self._stopping = False
        self._door = threading.Lock()
        self._is_closed = False
        self._connection = database.engine.connect().execution_options(chengxin_write=True)
        try:
            with database.hold_write_lock():
                self._load()
            if self.state.edge.size == 0:
                self._append_genesis(member_id)
        except BaseException:
            self._connection.close()
            raise
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
        self._put(_Job(decide, future))
        return future

    async def submit_async(self, decide: Decision[T]) -> T:
        """Submit from an event loop and wait; the batch is what its turn of the loop has submitted.

        A thread of its own would have to win the interpreter's lock back after each of a batch's
        statements, from a loop that is busy (docs/decisions/0010); the price is that the loop
        stands still while the disk confirms a commit.

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
            self._inline.append(_Job(decide, _LoopFuture(loop, waiter)))
        if self._flushing_in is not loop:
            self._flushing_in = loop
            self._schedule(loop)
        return await waiter

    def run(self, decide: Decision[T]) -> T:
        """Submit and wait; what the decision raised is raised here."""
        return self.submit(decide).result()

    def _put(self, job: _Job) -> None:
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
        while self._inline:
            with self._database.hold_write_lock():
                self._run_inline()
        self._connection.close()

    def _load(self) -> None:
        with self._connection.begin():
            store = LogStore(self._connection)
            self._state = load_log(store, origin=self._origin, key=self._key)
        self._is_known = True
        self._cache = TileCache(LogStore(self._connection).read_tile)

    def _append_genesis(self, member_id: str) -> None:
        entry = format_entry(
            GenesisEntry(at_ms=self._clock.now_ms(), member=member_id, origin=self._origin)
        )
        with self._database.hold_write_lock(), self._connection.begin():
            store = LogStore(self._connection)
            self._state = extend_log(
                self._state, [entry], store=store, origin=self._origin, key=self._key
            )

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        # A lone decision goes at once. Under load a short wait lets more of them share one commit.
        if self._batch_size > 1:
            loop.call_later(LINGER_S, self._flush, loop)
        else:
            loop.call_soon(self._flush, loop)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        """Decide what the loop has submitted; while a thread writes, look again soon instead."""
        if not self._database.try_write_lock():
            loop.call_later(LOCK_RETRY_S, self._flush, loop)
            return
        try:
            self._flushing_in = None
            self._run_inline()
            if self._inline:
                self._flushing_in = loop
                self._schedule(loop)
        finally:
            self._database.release_write_lock()

    def _run_inline(self) -> None:
        count = min(len(self._inline), BATCH_DECISIONS_MAX)
        jobs = [job for job in (self._inline.popleft() for _ in range(count)) if job.begin()]
        self._batch_size = len(jobs)
        if jobs:
            self._inline.extendleft(reversed(self._run_batch(jobs)))

    def _run(self) -> None:
        carried: list[_Job] = []
        while carried or not self._stopping:
            jobs = self._take(carried)
            if jobs:
                with self._database.hold_write_lock():
                    carried = self._run_batch(jobs)

    def _take(self, carried: list[_Job]) -> list[_Job]:
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

    def _run_batch(self, jobs: list[_Job]) -> list[_Job]:
        """Decide, append, commit and release under the caller's lock; return jobs for the next.

        A decision that raises has perhaps written something: the transaction is rolled back and the
        others are decided anew without it. That is rare, and dearer than a savepoint a decision
        only where it happens.
        """
        refusal = self._read_back()
        if refusal is not None:
            _refuse(jobs, refusal)
            return []
        failed: dict[int, Exception] = {}
        while True:
            outcome = _Outcome()
            try:
                with self._connection.begin():
                    newer = self._decide_all(jobs, failed, outcome)
                break
            except _DecisionFailedError:
                continue
            except Exception as err:  # noqa: BLE001  everybody waits for this writer: it must not die of a bug
                self._recover(err)
                self._read_back()
                _refuse(jobs, LogUnavailableError("the batch could not be committed"))
                return []
        self._state = newer
        _release(outcome.released, {jobs[index]: error for index, error in failed.items()})
        return outcome.carried

    def _decide_all(
        self, jobs: list[_Job], failed: dict[int, Exception], outcome: _Outcome
    ) -> LogState:
        batch = Batch(
            uow=UnitOfWork(self._connection), head=self._state.head, now_ms=self._clock.now_ms()
        )
        decided: list[tuple[_Job, Decided[Any]]] = []
        failed_before = len(failed)
        for index, job in enumerate(jobs):
            if index in failed:
                continue
            try:
                decided.append((job, job.decide(batch)))
            except NextBatchError:
                outcome.carried.append(job)
            except OperationalError:  # The database, and with it every decision of the batch.
                raise
            except Exception as err:  # noqa: BLE001  whatever a decision raises is its caller's, not the batch's
                failed[index] = err
        if len(failed) != failed_before:
            raise _DecisionFailedError
        return self._append_and_finish(batch, decided, outcome.released)

    def _append_and_finish(
        self,
        batch: Batch,
        decided: list[tuple[_Job, Decided[Any]]],
        released: list[tuple[_Job, Any]],
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
        """Read the state after a failure; return why the batch has to be refused, if it has to."""
        if self._broken is None and not self._is_known:
            try:
                self._load()
            except SQLAlchemyError as err:
                self._connection.invalidate()
                return LogUnavailableError(f"the log cannot be read back: {err}")
            except NodeError as err:
                self._broken = err
        return self._broken


def _refuse(jobs: list[_Job], error: NodeError) -> None:
    _release([], dict.fromkeys(jobs, error))


def _release(results: list[tuple[_Job, Any]], errors: Mapping[_Job, Exception]) -> None:
    """Hand out results and errors: to waiting threads one by one, to an event loop all at once."""
    by_loop: dict[
        asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, Exception | None]]
    ] = {}
    outcomes: list[tuple[_Job, Any, Exception | None]] = [
        (job, result, None) for job, result in results
    ]
    outcomes += [(job, None, error) for job, error in errors.items()]
    for job, result, error in outcomes:
        if isinstance(job.future, _LoopFuture):
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
