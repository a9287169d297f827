"""Score a rating run's customers in processes of their own (``node.bootstrap.workers``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from node.bootstrap.local import LocalNode
from node.bootstrap.workers import Workers, count_workers, open_workers
from node.core.config import Settings
from node.rating.runs.scoring import Order, ScoredStretch, Scorers, StretchScorer
from node.rating.runs.service import STRETCH_CUSTOMERS

SMALL_CUSTOMERS = 4 * STRETCH_CUSTOMERS  # done here sooner than a process has started


class ProcessScorers(Workers[Order, ScoredStretch]):
    """Scores in processes, and keeps the order."""

    def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
        """Yield what comes of each order.

        Raises:
            ScorerFailedError: A process has failed or is gone.
        """
        return self.work(orders)


def open_scorers(
    settings: Settings, scorer: StretchScorer, customers: int
) -> AbstractContextManager[Scorers]:
    """Return who scores so many customers: this process for few, else processes of their own."""
    count = count_workers()
    if customers <= SMALL_CUSTOMERS or count == 1:
        return nullcontext(scorer)
    return _open_processes(settings, count)


@contextmanager
def _open_processes(settings: Settings, count: int) -> Iterator[ProcessScorers]:
    with open_workers(settings, count, prepare_scorer) as workers:
        yield ProcessScorers(workers)


def prepare_scorer(local: LocalNode) -> Callable[[Order], ScoredStretch]:
    """Return what a process does with an order."""
    scorer = StretchScorer(
        database=local.database,
        clock=local.clock,
        assessment=local.assessment,
        rating=local.rating,
    )
    return scorer.score_one
