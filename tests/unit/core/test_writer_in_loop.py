"""The writer under an event loop, beside another process, and what a batch leaves to the next."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from node.core.database import Database, DatabaseBusyError
from node.core.decision import Batch, Decided, Decision, NextBatchError, Placement
from node.core.errors import OverloadedError
from node.core.log_tables import log_witnessed
from node.core.log_transactions import LogUnavailableError
from node.core.writer import EARLY_DECISIONS, QUEUE_DECISIONS_MAX, QUICK_S, Writer
from tests.support.logs import (
    LogHouse,
    OwnError,
    append,
    before_commits,
    count_commits,
    do_nothing,
    fail,
    list_rows,
    write_row,
)
from tests.support.stores import sqlite_only


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LogHouse]:
    opened = LogHouse(path=tmp_path / "log.sqlite")
    yield opened
    opened.close()


def run_in_loop(*decisions: Decision[Any], writer: Writer) -> list[Any]:
    async def run() -> list[Any]:
        waiting = (writer.submit_async(decide) for decide in decisions)
        return await asyncio.gather(*waiting, return_exceptions=True)

    return asyncio.run(run())


def test_a_loops_decisions_are_one_commit(house: LogHouse) -> None:
    writer = house.open()
    commits = count_commits(house)

    placements = run_in_loop(*[append(b"entry")] * (EARLY_DECISIONS - 1), writer=writer)

    assert [placement.index for placement in placements] == list(range(1, EARLY_DECISIONS))
    assert len(commits) == 1
    assert house.check() == EARLY_DECISIONS


def test_a_busy_loop_has_a_first_batch_committed_while_it_goes_on(house: LogHouse) -> None:
    writer = house.open_slow()
    order: list[str] = []
    committed = threading.Event()

    def note() -> None:
        order.append("commit")
        committed.set()

    before_commits(house.database, note)

    async def submit(last: int) -> None:
        waiting = [
            asyncio.ensure_future(writer.submit_async(append(b"entry"))) for _ in range(last)
        ]
        await asyncio.sleep(0)
        assert committed.wait(timeout=10)  # a loop with more to do than the disk
        order.append("turn")
        await asyncio.gather(*waiting)

    asyncio.run(submit(EARLY_DECISIONS + 1))

    assert order == ["commit", "turn", "commit"]
    assert house.check() == EARLY_DECISIONS + 2


def test_decisions_that_come_quickly_are_one_batch(house: LogHouse) -> None:
    writer = house.open_quick()
    commits = count_commits(house)

    placements = run_in_loop(*[append(b"entry")] * (EARLY_DECISIONS * 2), writer=writer)

    assert [placement.index for placement in placements] == list(range(1, EARLY_DECISIONS * 2 + 1))
    assert len(commits) == 1
    assert house.check() == EARLY_DECISIONS * 2 + 1


@pytest.mark.parametrize(
    ("deciding_s", "committing_s", "where"),
    [
        (0.0, 0.0, "MainThread"),
        (QUICK_S, 0.0, "committer"),
        (0.0, QUICK_S, "committer"),
    ],
)
def test_what_is_quick_is_committed_in_the_loops_own_turn(
    house: LogHouse, deciding_s: float, committing_s: float, where: str
) -> None:
    now_s = 0.0

    def take(duration_s: float) -> None:
        nonlocal now_s
        now_s += duration_s

    def decide(batch: Batch) -> Decided[Placement]:
        take(deciding_s)
        return append(b"entry")(batch)

    writer = house.open(timer_s=lambda: now_s)
    threads: list[str] = []
    before_commits(house.database, lambda: take(committing_s))
    before_commits(house.database, lambda: threads.append(threading.current_thread().name))
    for _ in range(3):
        run_in_loop(decide, writer=writer)

    assert threads == ["committer", where, where]  # how long a commit takes is not known at first
    assert house.check() == 4


def test_a_loop_that_submits_too_much_at_once_is_told_so(house: LogHouse) -> None:
    writer = house.open()

    async def run() -> list[Any]:
        with house.database.hold_write_lock():
            waiting = [
                asyncio.ensure_future(writer.submit_async(do_nothing))
                for _ in range(QUEUE_DECISIONS_MAX + 1)
            ]
            await asyncio.sleep(0)
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = asyncio.run(run())

    assert results[:-1] == [None] * QUEUE_DECISIONS_MAX
    assert isinstance(results[-1], OverloadedError)


def test_closing_finishes_what_a_loop_has_submitted(house: LogHouse) -> None:
    writer = house.open()

    async def leave() -> None:
        waiting = asyncio.ensure_future(writer.submit_async(append(b"entry")))
        await asyncio.sleep(0)
        writer.close()
        house.writers.clear()
        assert (await waiting).index == 1

    asyncio.run(leave())

    assert house.check() == 2


def test_a_closed_writer_takes_nothing_more_from_a_loop(house: LogHouse) -> None:
    writer = house.open()
    writer.close()
    house.writers.clear()

    [refusal] = run_in_loop(do_nothing, writer=writer)

    assert isinstance(refusal, LogUnavailableError)


def test_a_loops_decision_that_raises_is_undone_alone(house: LogHouse) -> None:
    writer = house.open()

    results = run_in_loop(write_row(1), fail(write_row(2)), append(b"entry"), writer=writer)

    assert (results[0], type(results[1]), results[2].index) == (1, OwnError, 1)
    assert list_rows(house) == [1]


def test_a_loop_and_threads_write_one_log(house: LogHouse) -> None:
    writer = house.open()
    results: list[int] = []

    def write_from_thread() -> None:
        results.extend(writer.run(append(b"thread")).index for _ in range(50))

    async def write_from_loop() -> None:
        for _ in range(50):
            results.append((await writer.submit_async(append(b"loop"))).index)  # noqa: PERF401  one after the other

    threads = [threading.Thread(target=write_from_thread) for _ in range(2)]
    for thread in threads:
        thread.start()
    asyncio.run(write_from_loop())
    for thread in threads:
        thread.join()

    assert sorted(results) == list(range(1, 151))
    assert house.check() == 151


def test_a_task_that_is_cancelled_does_not_stop_the_writer(house: LogHouse) -> None:
    writer = house.open()

    async def run() -> Placement:
        gone = asyncio.ensure_future(writer.submit_async(append(b"gone")))
        await asyncio.sleep(0)
        gone.cancel()
        return await writer.submit_async(append(b"here"))

    placement = asyncio.run(run())

    assert house.list_entries()[placement.index] == b"here"
    assert writer.run(append(b"next")).index == placement.index + 1
    assert house.check() == placement.index + 2


def test_a_loop_that_ended_before_its_decision_stops_nobody(house: LogHouse) -> None:
    writer = house.open_slow()

    async def leave() -> None:
        asyncio.ensure_future(writer.submit_async(append(b"left"))).add_done_callback(ignore)
        await asyncio.sleep(0)

    asyncio.run(leave())

    assert run_in_loop(append(b"here"), writer=writer)[0].index in {1, 2}
    house.check()


def test_a_loop_that_ended_during_its_commit_stops_nobody(house: LogHouse) -> None:
    writer = house.open_slow()
    begun, over = threading.Event(), threading.Event()

    def hold_commit() -> None:
        begun.set()
        assert over.wait(timeout=10)

    before_commits(house.database, hold_commit)

    async def leave() -> None:
        asyncio.ensure_future(writer.submit_async(append(b"left"))).add_done_callback(ignore)
        assert await asyncio.to_thread(begun.wait, 10)

    async def go_on() -> Placement:
        waiting = asyncio.ensure_future(writer.submit_async(append(b"here")))
        await asyncio.sleep(0.01)
        over.set()
        return await asyncio.wait_for(waiting, timeout=10)

    asyncio.run(leave())

    assert asyncio.run(go_on()).index == 2
    assert house.check() == 3


def test_closing_finishes_what_the_batch_in_flight_leaves_over(house: LogHouse) -> None:
    writer = house.open_slow()
    begun, over = threading.Event(), threading.Event()

    def hold_commit() -> None:
        begun.set()
        assert over.wait(timeout=10)

    before_commits(house.database, hold_commit)

    def decide(batch: Batch) -> Decided[Placement]:
        if "one" in batch.taken:
            raise NextBatchError
        batch.taken.add("one")
        return append(b"entry")(batch)

    async def leave() -> list[int]:
        waiting = [asyncio.ensure_future(writer.submit_async(decide)) for _ in range(2)]
        assert await asyncio.to_thread(begun.wait, 10)
        closing = threading.Thread(target=writer.close)
        closing.start()
        over.set()
        await asyncio.to_thread(closing.join, 10)
        house.writers.clear()
        return [placement.index for placement in await asyncio.gather(*waiting)]

    assert sorted(asyncio.run(leave())) == [1, 2]


def test_many_that_wait_look_again_together(house: LogHouse) -> None:
    writer = house.open()

    async def run() -> int:
        loop = asyncio.get_running_loop()
        looked = 0
        call_later = loop.call_later

        def count(*args: Any) -> asyncio.TimerHandle:  # noqa: ANN401  what the loop's method takes
            nonlocal looked
            looked += 1
            return call_later(*args)

        with house.database.hold_write_lock():
            loop.call_later = count  # type: ignore[method-assign,assignment]
            waiting = [asyncio.ensure_future(writer.submit_async(do_nothing)) for _ in range(100)]
            for _ in range(10):
                await asyncio.sleep(0)
            del loop.call_later
        await asyncio.gather(*waiting)
        return looked

    assert asyncio.run(run()) == 1


class Interruption(BaseException):
    """What is no error of a decision's."""


def test_a_decision_that_is_interrupted_leaves_nothing_open_and_nobody_waiting(
    house: LogHouse,
) -> None:
    writer = house.open()

    def interrupt(batch: Batch) -> Decided[None]:
        write_row(1)(batch)
        raise Interruption

    async def run() -> Any:  # noqa: ANN401  a result or an error
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        waiting = writer.submit_async(interrupt)
        return (await asyncio.gather(waiting, return_exceptions=True))[0]

    assert isinstance(asyncio.run(run()), LogUnavailableError)
    assert run_in_loop(append(b"entry"), writer=writer)[0].index == 1
    assert (list_rows(house), house.check()) == ([], 2)


@pytest.fixture
def other(house: LogHouse) -> Iterator[Database]:
    opened = house.open_database()
    yield opened
    opened.dispose()


def test_a_loop_goes_on_while_another_process_writes(house: LogHouse, other: Database) -> None:
    writer = house.open()

    async def run() -> Placement:
        with other.write():
            waiting = asyncio.ensure_future(writer.submit_async(append(b"entry")))
            for _ in range(20):
                await asyncio.sleep(0.001)
            assert not waiting.done()
        return await asyncio.wait_for(waiting, timeout=10)

    placement = asyncio.run(run())

    assert (placement.index, house.check()) == (1, 2)


def test_a_thread_waits_for_another_process(house: LogHouse, other: Database) -> None:
    writer = house.open()

    with other.write():
        future = writer.submit(append(b"entry"))
        time.sleep(0.05)
        assert not future.done()

    assert future.result(timeout=10).index == 1


@pytest.mark.parametrize("where", ["loop", "thread"])
def test_one_that_writes_for_too_long_is_reported_and_nothing_lost(
    house: LogHouse, other: Database, where: str
) -> None:
    impatient = house.open_database(busy_timeout_ms=50)
    writer = house.open(impatient)

    with other.write():
        if where == "loop":
            [refusal] = run_in_loop(append(b"entry"), writer=writer)
        else:
            refusal = writer.submit(append(b"entry")).exception(timeout=10)

    assert isinstance(refusal, DatabaseBusyError)
    assert writer.broken is None
    assert run_in_loop(append(b"entry"), writer=writer)[0].index == 1
    assert house.check() == 2


def remember(batch: Batch) -> Decided[int]:
    known = batch.memory.get("turns", 0)
    assert isinstance(known, int)

    batch.memory["turns"] = known + 1
    return Decided(entry=b"entry", finish=lambda _placement: known)


@sqlite_only
def test_a_batch_remembers_what_the_one_before_left(house: LogHouse) -> None:
    writer = house.open()

    assert [writer.run(remember) for _ in range(3)] == [0, 1, 2]


@sqlite_only
def test_nothing_is_remembered_once_somebody_else_has_written(house: LogHouse) -> None:
    writer = house.open()
    writer.run(remember)

    house.execute(insert(log_witnessed).values(log=1, size=1, checkpoint="x", witnessed_at_s=1))

    assert [writer.run(remember) for _ in range(2)] == [0, 1]


def test_nothing_is_remembered_of_a_batch_that_was_rolled_back(house: LogHouse) -> None:
    writer = house.open()
    writer.run(remember)

    with pytest.raises(OwnError):
        writer.run(fail(remember))

    assert writer.run(remember) == 0


def ignore(_future: object) -> None:
    """Let a result go."""
