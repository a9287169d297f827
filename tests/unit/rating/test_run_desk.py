"""A run in the background: begun once, how far it is, cut off and gone on with."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.rating.rules_run import RunState
from node.rating.runs.desk import RunDayError, RunDesk
from node.rating.runs.scoring import Order, ScoredStretch, StretchScorer
from node.rating.runs.service import RunService, RunStoppedError, RunUnderWayError
from tests.support.nodes import CountingBytes
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import Room, build_room

CUSTOMERS = 5


class Gate:
    """A scorer that hands out a stretch only while it is let."""

    def __init__(self) -> None:
        self.passes = threading.Semaphore(0)
        self._scorer: StretchScorer | None = None

    def open(self, scorer: StretchScorer, _customers: int) -> nullcontext[Gate]:
        self._scorer = scorer
        return nullcontext(self)

    def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
        assert self._scorer is not None
        for scored in self._scorer.score(orders):
            assert self.passes.acquire(timeout=30)
            yield scored


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr("node.rating.runs.service.STRETCH_CUSTOMERS", 2)
    built = build_room(tmp_path)
    for number in range(CUSTOMERS):
        built.add_customer(f"c{number}")
    yield built
    built.database.dispose()


def build_desk(room: Room, gate: Gate, *, seed: int = 7) -> RunDesk:
    runs = RunService(
        database=room.database,
        clock=room.clock,
        assessment=room.assessment,
        rating=room.rating,
        random_bytes=CountingBytes(seed),
        open_scorers=gate.open,
    )
    return RunDesk(runs, today=lambda: AS_OF)


def test_a_run_is_begun_once_and_tells_how_far_it_is(room: Room) -> None:
    async def work() -> None:
        gate = Gate()
        desk = build_desk(room, gate)
        job = await desk.start(as_of=AS_OF, by="li")
        assert await desk.start(as_of=AS_OF, by="wang") is job
        with pytest.raises(RunUnderWayError):
            await desk.start(as_of=AS_OF - timedelta(days=1), by="li")
        gate.passes.release(3)
        assert job.task is not None
        report = await job.task

        assert (job.done, job.total) == (CUSTOMERS, CUSTOMERS)
        assert (report.state, report.run.rated, report.run.started_by) == (
            RunState.FINISHED,
            CUSTOMERS,
            "li",
        )
        assert len(room.runs.list_runs()) == 1

    asyncio.run(work())


def test_what_was_stopped_is_gone_on_with_and_rates_nobody_twice(room: Room) -> None:
    async def work() -> None:
        gate = Gate()
        desk = build_desk(room, gate)
        job = await desk.start(as_of=AS_OF, by="li")
        gate.passes.release(3)
        await desk.stop()
        assert isinstance(job.failure, RunStoppedError)
        assert job.done < CUSTOMERS
        (cut,) = room.runs.list_runs()
        assert cut.state is RunState.INTERRUPTED
        with pytest.raises(RunUnderWayError):
            await desk.start(as_of=AS_OF, by="li")

        gate.passes.release(3)
        again = await build_desk(room, gate, seed=8).start(as_of=AS_OF, by="wang")
        assert again.run_id == job.run_id
        assert again.task is not None
        report = await again.task

        assert (report.run.rated, report.run.resumed) == (CUSTOMERS, 1)

    asyncio.run(work())


@pytest.mark.parametrize("day", [AS_OF + timedelta(days=1), date(1, 1, 1)])
def test_a_day_to_come_or_before_all_records_is_refused(room: Room, day: date) -> None:
    with pytest.raises(RunDayError):
        asyncio.run(build_desk(room, Gate()).start(as_of=day, by="li"))

    assert room.runs.list_runs() == []
