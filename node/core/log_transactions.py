"""One batch at a time: decisions run in one transaction, entries appended under one signed head.

What happens here is in the caller's turn: the writer holds the process's write lock around it and
says which thread decides and which commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from node.core.clock import Clock
from node.core.database import Database, DatabaseBusyError, UnitOfWork, WriteTransaction
from node.core.decision import Batch, NextBatchError, Placement
from node.core.errors import InvariantError, NodeError, UnavailableError
from node.core.jobs import Job, refuse, release
from node.core.log import (
    FIRST_LOG,
    LogDamagedError,
    LogPlace,
    LogState,
    LogStore,
    build_empty_log,
    extend_log,
    load_log,
    log_vkey,
    prove_inclusion,
)
from node.core.log_key import LogKey, LogKeyLostError, LostKey
from node.core.log_list import LogList
from node.core.wal import WalCheckpointer
from protocol.checkpoint import CheckpointSigner
from protocol.entry import GenesisEntry, PreviousLog, format_entry
from protocol.errors import ProtocolError
from protocol.keys import SigningKey
from protocol.tile import TileCache

_log = structlog.get_logger()


class LogUnavailableError(UnavailableError):
    """The log cannot be appended to: nothing is answered."""

    code = "log-unavailable"


class _DecisionFailedError(Exception):
    """Roll back and decide the rest anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """How the open log ends and which one goes on.

    ``last`` goes into the old log, which is closed as it stands where there is none; ``first``
    follows the genesis entry of the new one. ``write`` adds rows to the same transaction.
    """

    origin: str
    key: SigningKey
    reason: str
    last: tuple[bytes, ...]
    first: tuple[bytes, ...]
    write: Callable[[UnitOfWork], None]


@dataclass(slots=True, kw_only=True)
class _Prover:
    """Proves entries of one batch; the tiles are read on the writer's connection, in its turn."""

    state: LogState
    cache: TileCache
    first: int
    is_over: bool = False

    def prove(self, index: int, entry: bytes) -> str:
        if self.is_over:
            raise InvariantError("a proof is asked for while its decision finishes")
        return prove_inclusion(self.state, self.cache, index=index, entry=entry)


@dataclass(slots=True, kw_only=True)
class DecidedBatch:
    """A batch that is decided and not yet committed."""

    transaction: WriteTransaction
    jobs: list[Job]
    failed: dict[Job, Exception]
    state: LogState
    decided: list[Job] = field(default_factory=list)
    carried: list[Job] = field(default_factory=list)


class LogTransactions:
    """Owns the log and the writing connection."""

    def __init__(
        self, *, database: Database, clock: Clock, origin: str, member_id: str, key: LogKey
    ) -> None:
        """Load and check the log; write the genesis entry into an empty one.

        Raises:
            LogDamagedError: The stored log contradicts its head.
            LogKeyLostError: There is no log yet, and no key to begin it with.
            DatabaseBusyError: Another process writes for too long.
        """
        self._database = database
        self._clock = clock
        self._member_id = member_id
        self._origin = origin
        # Of the log that is written, and of the one that takes its place: which of them the
        # database says where a commit was reported failed.
        self._keys: dict[str, LogKey] = {origin: key}
        self._lost: LogKeyLostError | None = None
        self._memory: dict[str, object] = {}
        self._memory_version: int | None = None
        self._broken: NodeError | None = None
        self._held: NodeError | None = None
        self._connection = database.engine.connect()
        try:
            database.wait_for_others(self._start)
        except BaseException:
            self._close_connection()
            raise
        self._checkpointer = WalCheckpointer(database) if database.is_sqlite else None

    def close(self) -> None:
        """Close the connection, which nobody else could use."""
        if self._checkpointer is not None:
            self._checkpointer.close()
        self._close_connection()

    def _close_connection(self) -> None:
        self._connection.invalidate()
        self._connection.close()

    @property
    def state(self) -> LogState:
        """Return the committed tree; safe to read from any thread."""
        return self._state

    @property
    def broken(self) -> NodeError | None:
        """Return why the writer refuses to write, if it does."""
        return self._broken

    @property
    def held(self) -> NodeError | None:
        """Return why no entry is taken now; decisions that log nothing are still taken."""
        return self._lost or self._held

    @held.setter
    def held(self, reason: NodeError | None) -> None:
        # A key that is lost is not found again by whoever lets entries in.
        self._held = reason

    def condemn(self, error: NodeError) -> None:
        """Refuse everything with this error; from any thread, and it holds from the next batch."""
        if self._broken is None:
            self._broken = error

    def decide(self, jobs: list[Job]) -> DecidedBatch | None:
        """Decide, append and write, up to the commit; None where nothing is left to commit.

        A decision that raises has perhaps written something: the transaction is rolled back and the
        others are decided anew without it. That is rare, and dearer than a savepoint a decision
        only where it happens.

        Raises:
            DatabaseBusyError: Another process is writing; nothing has happened.
        """
        if not jobs:
            return None
        failed: dict[Job, Exception] = {}
        while True:
            transaction = None
            try:
                refusal = self._read_back()
                if refusal is not None:
                    refuse(jobs, refusal)
                    return None
                transaction = self._database.try_begin(self._connection)
                return self._decide_all(jobs, failed, transaction)
            except DatabaseBusyError:
                raise
            except _DecisionFailedError:
                self._roll_back(transaction)
            except Exception as err:  # noqa: BLE001  everybody waits for this writer: it must not die of a bug
                self._give_up(transaction, jobs, err)
                return None
            except BaseException:  # Interrupted: nothing may stay open.
                self._roll_back(transaction)
                raise

    def commit(
        self, work: DecidedBatch, *, here: asyncio.AbstractEventLoop | None = None
    ) -> list[Job]:
        """Commit and release; return the jobs left for the next batch.

        In any thread, which is that of the loop ``here`` if one is given; the caller holds the
        write lock since ``decide``.
        """
        try:
            work.transaction.commit()
        except Exception as err:  # noqa: BLE001  as in decide
            self._give_up(work.transaction, work.jobs, err)
            return []
        self._state = work.state
        if self._checkpointer is not None:
            self._checkpointer.count_commit()
        for job, error in work.failed.items():
            job.error = error
            work.decided.append(job)
        release(work.decided, here=here)
        return work.carried

    def change_log(self, succession: Succession) -> None:
        """End the open log and begin the next one, in one transaction; the caller holds the lock.

        It also ends a log that is held, since that one does not grow.

        Raises:
            LogUnavailableError: It could not be committed; which log is open is read back.
            NodeError: The writer has stopped for another reason.
        """
        refusal = self._read_back()
        if refusal is not None:
            _raise_anew(refusal)
        transaction = self._database.try_begin(self._connection)
        self._keys = {
            self._origin: self._keys[self._origin],
            succession.origin: succession.key,
        }
        try:
            state = self._begin_next(succession)
            succession.write(UnitOfWork(self._connection))
            transaction.commit()
        except Exception as err:
            self._give_up(transaction, [], err)
            raise LogUnavailableError("the log could not be changed") from err
        except BaseException:
            self._roll_back(transaction)
            raise
        self._memory_version = None
        self._adopt(state)

    def _begin_next(self, succession: Succession) -> LogState:
        at_ms = self._clock.now_ms()
        old = self._state
        if succession.last:
            store = LogStore(self._connection, old.place)
            old = extend_log(old, succession.last, store=store, signer=self._get_signer())
        LogList(self._connection).end(old.place.number, reason=succession.reason)
        place = LogPlace(number=old.place.number + 1, first=old.place.first + old.edge.size)
        previous = PreviousLog(origin=old.vkey.name, head=old.head, reason=succession.reason)
        genesis = GenesisEntry(
            at_ms=at_ms, member=self._member_id, origin=succession.origin, previous=previous
        )
        return extend_log(
            build_empty_log(place, vkey=log_vkey(succession.origin, succession.key)),
            [format_entry(genesis), *succession.first],
            store=LogStore(self._connection, place),
            signer=CheckpointSigner(origin=succession.origin, key=succession.key),
        )

    def _start(self) -> None:
        with self._database.hold_write_lock():
            self._load()
            if self.state.edge.size == 0:
                self._append_genesis()

    def _load(self) -> None:
        with self._database.try_begin(self._connection):
            newest = LogList(self._connection).find_newest()
            origin = self._origin if newest is None else newest.origin
            if origin not in self._keys:
                raise LogDamagedError(f"the log that is written is {origin}, not {self._origin}")
            place = FIRST_LOG if newest is None else newest.place
            state = load_log(
                LogStore(self._connection, place), origin=origin, key=self._keys[origin]
            )
        self._is_known = True
        self._adopt(state)

    def _adopt(self, state: LogState) -> None:
        self._state = state
        self._origin = state.vkey.name
        key = self._keys[self._origin]
        self._lost = LogKeyLostError(key.kid) if isinstance(key, LostKey) else None
        self._signer = (
            None if isinstance(key, LostKey) else CheckpointSigner(origin=self._origin, key=key)
        )
        self._cache = TileCache(LogStore(self._connection, state.place).read_tile)

    def _get_signer(self) -> CheckpointSigner:
        if self._signer is None:
            raise LogKeyLostError(self._keys[self._origin].kid)
        return self._signer

    def _append_genesis(self) -> None:
        entry = format_entry(
            GenesisEntry(at_ms=self._clock.now_ms(), member=self._member_id, origin=self._origin)
        )
        with self._database.try_begin(self._connection):
            store = LogStore(self._connection, self._state.place)
            self._state = extend_log(self._state, [entry], store=store, signer=self._get_signer())

    def _decide_all(
        self, jobs: list[Job], failed: dict[Job, Exception], transaction: WriteTransaction
    ) -> DecidedBatch:
        batch = Batch(
            uow=UnitOfWork(self._connection),
            head=self._state.head,
            now_ms=self._clock.now_ms(),
            recall=self._recall,
        )
        work = DecidedBatch(transaction=transaction, jobs=jobs, failed=failed, state=self._state)
        entries: list[bytes] = []
        for job in [job for job in jobs if job not in failed] if failed else jobs:
            try:
                job.decided = decided = job.decide(batch)
                if decided.entry is not None:
                    held = self.held  # Another thread may let entries in meanwhile.
                    if held is not None:
                        _raise_anew(held)
                    entries.append(decided.entry)
            except NextBatchError:
                work.carried.append(job)
            except OperationalError:  # The database, and with it every decision of the batch.
                raise
            except Exception as err:
                # Those after it may have been decided on what it wrote: they are decided anew.
                failed[job] = err
                self._memory_version = None
                raise _DecisionFailedError from err
            else:
                work.decided.append(job)
        self._append_and_finish(entries, batch, work)
        return work

    def _append_and_finish(self, entries: list[bytes], batch: Batch, work: DecidedBatch) -> None:
        if entries:
            store = LogStore(self._connection, self._state.place)
            work.state = extend_log(self._state, entries, store=store, signer=self._get_signer())
        prover = _Prover(state=work.state, cache=self._cache, first=self._state.place.first)
        index = self._state.edge.size
        for job in work.decided:
            decided: Any = job.decided
            entry = decided.entry
            placement = None
            if entry is not None:
                placement = Placement(index, entry, prover)
                index += 1
            job.result = decided.finish(placement)
        prover.is_over = True
        for write in batch.at_end:
            write()
        for statement, rows in batch.rows.items():
            self._connection.execute(statement, rows)

    def _recall(self) -> dict[str, object]:
        """Return what the batch before remembered if the database is as that one left it."""
        version = self._database.read_version(self._connection)
        if version is None or version != self._memory_version:
            self._memory = {}
        self._memory_version = version
        return self._memory

    def _give_up(
        self, transaction: WriteTransaction | None, jobs: list[Job], error: Exception
    ) -> None:
        """Refuse the whole batch, and find out what of it was applied."""
        self._memory_version = None
        try:
            self._roll_back(transaction)
            self._recover(error)
            with suppress(DatabaseBusyError):  # The next batch tries again.
                self._read_back()
        except Exception as bug:  # noqa: BLE001  as in decide
            self._break(bug)
        finally:
            refuse(jobs, LogUnavailableError("the batch could not be committed"))
        with suppress(OSError):  # The log of the process may stand on the same full disk.
            code = getattr(error, "code", "storage")
            _log.error("log_append_failed", error=str(error), code=code)

    def _roll_back(self, transaction: WriteTransaction | None) -> None:
        try:
            if transaction is not None:
                transaction.rollback()
        except SQLAlchemyError:
            self._reopen()

    def _recover(self, error: Exception) -> None:
        # Whether the commit was applied is unknown; the cache may hold tiles that were rolled back.
        if isinstance(error, InvariantError):
            self._broken = error
        elif isinstance(error, SQLAlchemyError | NodeError | ProtocolError):
            self._reopen()
        else:
            self._break(error)

    def _break(self, bug: Exception) -> None:
        self._broken = LogUnavailableError(f"stopped by a bug: {type(bug).__name__}")

    def _reopen(self) -> None:
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


def _raise_anew(error: NodeError) -> NoReturn:
    """Raise an error's equal, so that each caller gets a trace of its own."""
    raise type(error)(error.detail)
