"""Processes that work for a run, as many as there are processors: stretches out, results back.

Each process opens the node for itself and reads; the run's own process writes alone. Orders go out
in turn and come back in their order; a process is never more than a few ahead, so that memory stays
flat whatever the portfolio is. A process whose parent is gone finds its pipe closed and ends.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from node.bootstrap.local import LocalNode, build_local_node
from node.core.config import Settings
from node.core.errors import NodeError, UnavailableError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

WORKERS_MAX = 8
AHEAD = 2  # orders of each process
END_TIMEOUT_S = 5

AskedT = TypeVar("AskedT")
ResultT = TypeVar("ResultT")
Prepare = Callable[[LocalNode], Callable[[AskedT], ResultT]]
"""What a process does with its node: a function of a module, since it is named to the process."""


class ScorerFailedError(UnavailableError):
    """A process that works for a run has failed: the run can be gone on with."""

    code = "scorer-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A process and our end of its pipe."""

    process: BaseProcess
    pipe: Connection[Any, Any]  # orders or the end; results or why there is none


class Workers(Generic[AskedT, ResultT]):
    """Works in processes, and keeps the order."""

    def __init__(self, workers: list[Worker]) -> None:
        """Take processes that are under way."""
        self._workers = workers

    def work(self, orders: Iterable[AskedT]) -> Iterator[ResultT]:
        """Yield what comes of each order.

        Raises:
            ScorerFailedError: A process has failed or is gone.
        """
        coming = iter(orders)
        turns = cycle(self._workers)
        waiting: deque[Worker] = deque()
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


def count_workers() -> int:
    """Return how many processes work for a run."""
    return min(len(os.sched_getaffinity(0)), WORKERS_MAX)


@contextmanager
def open_workers(
    settings: Settings, count: int, prepare: Prepare[AskedT, ResultT]
) -> Iterator[list[Worker]]:
    """Begin processes, and end them when they are left."""
    # A forked process has all modules at once, which is seconds sooner; of a process with other
    # threads, a server, it would have their locks and nobody who gives them back. Threads of
    # numerical libraries are not counted here: they see to a fork themselves.
    is_forked = threading.active_count() == 1
    context = get_context("fork") if is_forked else get_context("spawn")
    workers: list[Worker] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            # Who is forked has our ends too: held open there, our end would never be noticed.
            held = (*(one.pipe for one in workers), ours) if is_forked else ()
            process = context.Process(
                target=_serve, args=(settings, theirs, prepare, held), daemon=True
            )
            process.start()
            theirs.close()
            workers.append(Worker(process=process, pipe=ours))
        yield workers
    finally:
        for worker in workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in workers:
            worker.process.join(END_TIMEOUT_S)


def _send(worker: Worker, order: object) -> None:
    try:
        worker.pipe.send(order)
    except OSError as err:
        raise ScorerFailedError("a process that works for the run is gone") from err


def _receive(worker: Worker) -> Any:  # noqa: ANN401  what the process was asked for
    try:
        found = worker.pipe.recv()
    except (EOFError, OSError) as err:
        raise ScorerFailedError("a process that works for the run is gone") from err
    if isinstance(found, str):
        raise ScorerFailedError(found)
    return found


def _serve(
    settings: Settings,
    pipe: Connection[Any, Any],
    prepare: Prepare[Any, Any],
    held: Sequence[Connection[Any, Any]],
) -> None:
    for one in held:
        one.close()
    # A key pressed at the terminal is for the run, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    local = build_local_node(settings)
    with suppress(EOFError, BrokenPipeError):
        _answer(prepare(local), pipe)
    local.close()


def _answer(work: Callable[[Any], Any], pipe: Connection[Any, Any]) -> None:
    # Evidence is a tree that is gone once its stretch is sent. Looking for circles in it again and
    # again while it grows takes a fifth of the time and finds none: they are looked for in between.
    gc.freeze()
    gc.disable()
    while (order := pipe.recv()) is not None:
        try:
            pipe.send(work(order))
        except NodeError as err:
            pipe.send(f"{err.code}: {err.detail}")
        gc.collect()
