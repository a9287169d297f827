"""Score a run's customers in processes of their own, as many as there are processors.

Each process opens the node for itself and reads; the run's own process writes alone. Orders go out
in turn and come back in their order; a process is never more than a few ahead, so that memory stays
flat whatever the portfolio is. A process whose parent is gone finds its pipe closed and ends.
"""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import get_context
from typing import TYPE_CHECKING

from node.bootstrap.local import LocalNode, build_local_node
from node.core.config import Settings
from node.core.errors import NodeError, UnavailableError
from node.rating.runs.scoring import Order, ScoredStretch, Scorers, StretchScorer
from node.rating.runs.service import STRETCH_CUSTOMERS

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

WORKERS_MAX = 8
AHEAD = 2  # orders of each process
SMALL_CUSTOMERS = 4 * STRETCH_CUSTOMERS  # done here sooner than a process has started
END_TIMEOUT_S = 5


class ScorerFailedError(UnavailableError):
    """A process that scores for a run has failed: the run can be gone on with."""

    code = "scorer-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worker:
    """A process and our end of its pipe."""

    process: SpawnProcess
    pipe: Connection[Order | None, ScoredStretch | str]


class ProcessScorers:
    """Scores in processes, and keeps the order."""

    def __init__(self, workers: list[_Worker]) -> None:
        """Take processes that are under way."""
        self._workers = workers

    def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
        """Yield what comes of each order.

        Raises:
            ScorerFailedError: A process has failed or is gone.
        """
        coming = iter(orders)
        turns = cycle(self._workers)
        waiting: deque[_Worker] = deque()
        is_over = False
        while True:
            while not is_over and len(waiting) < AHEAD * len(self._workers):
                order = next(coming, None)
                if order is None:
                    is_over = True
                    break
                worker = next(turns)
                _send(worker, order)
                waiting.append(worker)
            if not waiting:
                return
            yield _receive(waiting.popleft())


def open_scorers(
    settings: Settings, scorer: StretchScorer, customers: int
) -> AbstractContextManager[Scorers]:
    """Return who scores so many customers: this process for few, else processes of their own."""
    count = min(len(os.sched_getaffinity(0)), WORKERS_MAX)
    if customers <= SMALL_CUSTOMERS or count == 1:
        return nullcontext(scorer)
    return _open_processes(settings, count)


@contextmanager
def _open_processes(settings: Settings, count: int) -> Iterator[ProcessScorers]:
    # A new process knows nothing of this one's threads, locks and open files.
    context = get_context("spawn")
    workers = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(settings, theirs), daemon=True)
            process.start()
            theirs.close()
            workers.append(_Worker(process=process, pipe=ours))
        yield ProcessScorers(workers)
    finally:
        for worker in workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in workers:
            worker.process.join(END_TIMEOUT_S)


def _send(worker: _Worker, order: Order) -> None:
    try:
        worker.pipe.send(order)
    except OSError as err:
        raise ScorerFailedError("a process that scores is gone") from err


def _receive(worker: _Worker) -> ScoredStretch:
    try:
        found = worker.pipe.recv()
    except (EOFError, OSError) as err:
        raise ScorerFailedError("a process that scores is gone") from err
    if isinstance(found, str):
        raise ScorerFailedError(found)
    return found


def _serve(settings: Settings, pipe: Connection[ScoredStretch | str, Order | None]) -> None:
    # A key pressed at the terminal is for the run, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    local = build_local_node(settings)
    with suppress(EOFError, BrokenPipeError):
        _answer(local, pipe)
    local.close()


def _answer(local: LocalNode, pipe: Connection[ScoredStretch | str, Order | None]) -> None:
    scorer = StretchScorer(
        database=local.database,
        clock=local.clock,
        assessment=local.assessment,
        rating=local.rating,
    )
    # Evidence is a tree that is gone once its stretch is sent. Looking for circles in it again and
    # again while it grows takes a fifth of the time and finds none: they are looked for in between.
    gc.freeze()
    gc.disable()
    while (order := pipe.recv()) is not None:
        try:
            pipe.send(scorer.score_one(order))
        except NodeError as err:
            pipe.send(f"{err.code}: {err.detail}")
        gc.collect()
