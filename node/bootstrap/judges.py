"""Judge the customers of a daily run in processes of their own (``node.bootstrap.workers``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from node.bootstrap.local import LocalNode
from node.bootstrap.workers import Workers, count_workers, open_workers
from node.core.config import Settings
from node.risk.daily.service import STRETCH_CUSTOMERS
from node.risk.daily.verdicts import JudgedStretch, Judges, StretchJudge, StretchOrder

SMALL_CUSTOMERS = 8 * STRETCH_CUSTOMERS  # done here sooner than a process has started


class ProcessJudges(Workers[StretchOrder, JudgedStretch]):
    """Judges in processes, and keeps the order."""

    def judge(self, orders: Iterable[StretchOrder]) -> Iterator[JudgedStretch]:
        """Yield what comes of each order.

        Raises:
            ScorerFailedError: A process has failed or is gone.
        """
        return self.work(orders)


def open_judges(
    settings: Settings, judge: StretchJudge, customers: int
) -> AbstractContextManager[Judges]:
    """Return who judges so many customers: this process for few, else processes of their own."""
    count = count_workers()
    if customers <= SMALL_CUSTOMERS or count == 1:
        return nullcontext(judge)
    return _open_processes(settings, count)


@contextmanager
def _open_processes(settings: Settings, count: int) -> Iterator[ProcessJudges]:
    with open_workers(settings, count, prepare_judge) as workers:
        yield ProcessJudges(workers)


def prepare_judge(local: LocalNode) -> Callable[[StretchOrder], JudgedStretch]:
    """Return what a process does with an order."""
    return local.monitoring.runs.build_judge().judge_one
