"""The writer when all goes well: one commit for many decisions, and each caller gets its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from node.core.decision import Batch, Decided, NextBatchError, Placement
from node.core.errors import InvariantError, OverloadedError
from node.core.log_tables import log_witnessed
from node.core.log_transactions import LogUnavailableError
from node.core.writer import BATCH_DECISIONS_MAX, QUEUE_DECISIONS_MAX, Writer
from protocol.entry import GenesisEntry, parse_entry
from protocol.log_proof import verify_log_proof
from protocol.note import SignatureKind, VerifierKey
from tests.support.logs import (
    KEY,
    NOW_MS,
    ORIGIN,
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

VKEY = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=KEY.public)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LogHouse]:
    opened = LogHouse(path=tmp_path / "log.sqlite")
    yield opened
    opened.close()


class Gate:
    """A decision that keeps its batch open, so that what is submitted meanwhile is the next one."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def decide(self, _batch: Batch) -> Decided[str]:
        self.entered.set()
        assert self.opened.wait(timeout=10)
        return Decided(entry=None, finish=lambda _placement: "through")


def hold(writer: Writer) -> Gate:
    """Keep the writer busy until the gate is opened."""
    gate = Gate()
    writer.submit(gate.decide)
    assert gate.entered.wait(timeout=10)
    return gate


def test_an_empty_log_begins_with_whose_it_is(house: LogHouse) -> None:
    house.open()

    assert [parse_entry(entry) for entry in house.list_entries()] == [
        GenesisEntry(at_ms=NOW_MS, member="alpha.example", origin=ORIGIN)
    ]


def test_a_result_comes_with_its_entry_stored_and_proven(house: LogHouse) -> None:
    writer = house.open()

    placement = writer.run(append(b"entry"))

    assert placement.index == 1
    assert house.list_entries()[1] == b"entry"
    found, checkpoint = verify_log_proof(placement.inclusion, entry=b"entry", trust=VKEY)
    assert (found, checkpoint.size) == (1, 2)
    assert house.check() == 2


def test_a_proof_is_built_while_its_decision_finishes_and_not_later(house: LogHouse) -> None:
    writer = house.open()

    placement = writer.run(
        lambda _batch: Decided(entry=b"entry", finish=lambda placement: placement)
    )

    assert placement is not None
    assert placement.index == 1
    with pytest.raises(InvariantError):
        placement.inclusion  # noqa: B018  asking is what raises


def test_a_decision_without_an_entry_writes_and_leaves_the_log_alone(house: LogHouse) -> None:
    writer = house.open()

    result = writer.run(write_row(7))

    assert (result, list_rows(house), writer.state.edge.size) == (7, [7], 1)


def test_many_decisions_are_one_commit_in_the_order_submitted(house: LogHouse) -> None:
    writer = house.open()
    commits = count_commits(house)
    gate = hold(writer)
    futures = [writer.submit(append(b"entry %d" % index)) for index in range(50)]

    gate.opened.set()
    placements = [future.result(timeout=10) for future in futures]

    assert [placement.index for placement in placements] == list(range(1, 51))
    assert len({placement.inclusion.partition("\n\n")[2] for placement in placements}) == 1
    assert len(commits) == 2  # the gate's and theirs
    assert house.check() == 51


def test_a_batch_has_a_limit(house: LogHouse) -> None:
    writer = house.open()
    commits = count_commits(house)
    gate = hold(writer)
    futures = [writer.submit(append(b"x")) for _ in range(BATCH_DECISIONS_MAX + 1)]

    gate.opened.set()
    for future in futures:
        future.result(timeout=10)

    assert len(commits) == 3


def test_nothing_is_released_before_the_commit(house: LogHouse) -> None:
    writer = house.open()
    futures: list[Future[Placement]] = []
    seen: list[bool] = []
    before_commits(house.database, lambda: seen.append(futures[0].done()))

    gate = hold(writer)
    futures.append(writer.submit(append(b"entry")))
    gate.opened.set()
    futures[0].result(timeout=10)

    assert seen == [False, False]


def test_decisions_of_one_batch_see_each_other_and_share_time_and_head(house: LogHouse) -> None:
    writer = house.open()
    seen: list[tuple[int, int, int]] = []

    def look(batch: Batch) -> Decided[None]:
        rows = len(batch.connection.execute(select(log_witnessed)).all())
        seen.append((rows, batch.now_ms, batch.head.size))
        return Decided(entry=b"looked", finish=lambda _placement: None)

    gate = hold(writer)
    futures: list[Future[Any]] = [
        writer.submit(look),
        writer.submit(write_row(1)),
        writer.submit(look),
    ]
    gate.opened.set()
    for future in futures:
        future.result(timeout=10)

    assert seen == [(0, NOW_MS, 1), (1, NOW_MS, 1)]


def test_rows_kept_for_the_end_go_in_before_the_commit(house: LogHouse) -> None:
    writer = house.open()

    def decide(batch: Batch) -> Decided[Placement]:
        def finish(placement: Placement | None) -> Placement:
            assert placement is not None

            row = {"log": 1, "size": placement.index, "checkpoint": "x", "witnessed_at_s": 1}
            batch.insert_later(insert(log_witnessed), row)
            return placement

        return Decided(entry=b"entry", finish=finish)

    assert writer.run(decide).index == 1
    assert list_rows(house) == [1]


def test_a_decision_that_raises_is_undone_alone(house: LogHouse) -> None:
    writer = house.open()
    gate = hold(writer)
    futures = [
        writer.submit(write_row(1)),
        writer.submit(fail(write_row(2))),
        writer.submit(append(b"entry")),
        writer.submit(fail(write_row(3))),
        writer.submit(write_row(4)),
    ]

    gate.opened.set()

    assert (futures[0].result(10), futures[4].result(10)) == (1, 4)
    for failed in (futures[1], futures[3]):
        with pytest.raises(OwnError):
            failed.result(timeout=10)
    assert futures[2].result(timeout=10).index == 1
    assert list_rows(house) == [1, 4]
    assert house.check() == 2


def test_what_a_failed_decision_has_queued_for_the_end_is_not_written(house: LogHouse) -> None:
    writer = house.open()

    def queue_and_fail(batch: Batch) -> Decided[None]:
        row = {"log": 1, "size": 9, "checkpoint": "x", "witnessed_at_s": 1}
        batch.insert_later(insert(log_witnessed), row)
        raise OwnError

    gate = hold(writer)
    futures: list[Future[Any]] = [writer.submit(queue_and_fail), writer.submit(write_row(1))]
    gate.opened.set()

    with pytest.raises(OwnError):
        futures[0].result(timeout=10)
    assert futures[1].result(timeout=10) == 1
    assert list_rows(house) == [1]


def test_what_a_failed_decision_has_written_makes_no_other_fail(house: LogHouse) -> None:
    writer = house.open()
    gate = hold(writer)
    futures: list[Future[Any]] = [
        writer.submit(fail(write_row(7))),
        writer.submit(write_row(7)),
    ]

    gate.opened.set()

    with pytest.raises(OwnError):
        futures[0].result(timeout=10)
    assert futures[1].result(timeout=10) == 7
    assert list_rows(house) == [7]


def test_a_decision_may_ask_for_the_next_batch(house: LogHouse) -> None:
    writer = house.open()
    commits = count_commits(house)
    key = "a message"

    def decide(batch: Batch) -> Decided[Placement]:
        if key in batch.taken:
            raise NextBatchError
        batch.taken.add(key)
        return append(b"entry")(batch)

    gate = hold(writer)
    futures = [writer.submit(decide) for _ in range(3)]
    gate.opened.set()

    assert [future.result(timeout=10).index for future in futures] == [1, 2, 3]
    assert len(commits) == 4


def test_a_caller_that_went_away_is_left_out(house: LogHouse) -> None:
    writer = house.open()
    gate = hold(writer)
    gone, here = writer.submit(append(b"gone")), writer.submit(append(b"here"))

    cancelled = gone.cancel()
    gate.opened.set()

    assert (cancelled, here.result(timeout=10).index) == (True, 1)
    assert house.list_entries()[1:] == [b"here"]


def test_a_full_queue_says_so(house: LogHouse) -> None:
    writer = house.open()
    gate = hold(writer)
    futures = [writer.submit(do_nothing) for _ in range(QUEUE_DECISIONS_MAX)]

    with pytest.raises(OverloadedError):
        writer.submit(do_nothing)

    gate.opened.set()
    assert futures[-1].result(timeout=10) is None


def test_closing_finishes_what_is_queued(house: LogHouse) -> None:
    writer = house.open()
    gate = hold(writer)
    future = writer.submit(append(b"entry"))
    gate.opened.set()

    writer.close()
    house.writers.clear()

    assert future.result(timeout=0).index == 1


def test_a_closed_writer_takes_nothing_more(house: LogHouse) -> None:
    writer = house.open()
    writer.close()
    house.writers.clear()

    with pytest.raises(LogUnavailableError):
        writer.submit(append(b"entry"))
