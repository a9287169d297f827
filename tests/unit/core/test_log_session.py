"""A process says in its log when it begins to append and when it ends in good order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.log_session import LogSession
from node.core.log_transactions import LogUnavailableError
from node.core.writer import Writer
from protocol.entry import StartEntry, StopEntry, parse_entry
from tests.support.logs import NOW_MS, LogHouse, append

SOFTWARE = "chengxin 1"
START = StartEntry(at_ms=NOW_MS, software=SOFTWARE)
STOP = StopEntry(at_ms=NOW_MS)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LogHouse]:
    opened = LogHouse(path=tmp_path / "log.sqlite")
    yield opened
    opened.close()


def open_session(house: LogHouse) -> tuple[LogSession, Writer]:
    writer = house.open()
    return LogSession(writer=writer, clock=house.clock, software=SOFTWARE), writer


def list_after_genesis(house: LogHouse) -> list[object]:
    return [parse_entry(entry) for entry in house.list_entries()[1:]]


def test_a_process_logs_one_start_and_one_stop(house: LogHouse) -> None:
    session, _writer = open_session(house)

    begun = [asyncio.run(session.begin()) for _ in range(2)]
    session.end()
    session.end()

    assert begun == [True, True]
    assert list_after_genesis(house) == [START, STOP]
    assert house.check() == 3


def test_nothing_is_logged_while_the_log_may_not_grow(house: LogHouse) -> None:
    session, writer = open_session(house)
    writer.hold(LogUnavailableError("not confirmed"))

    begun = asyncio.run(session.begin())
    session.end()

    assert not begun
    assert house.check() == 1


def test_a_start_waits_for_the_log_and_is_the_first_entry(house: LogHouse) -> None:
    session, writer = open_session(house)
    writer.hold(LogUnavailableError("not confirmed"))
    asyncio.run(session.begin())
    writer.admit()

    begun = asyncio.run(session.begin())

    assert begun
    assert list_after_genesis(house) == [START]


def test_a_log_that_was_stopped_gets_no_stop(house: LogHouse) -> None:
    session, writer = open_session(house)
    asyncio.run(session.begin())
    writer.condemn(LogUnavailableError("damaged"))

    session.end()

    assert list_after_genesis(house) == [START]


def test_the_stop_comes_after_all_that_was_queued(house: LogHouse) -> None:
    session, writer = open_session(house)
    asyncio.run(session.begin())
    futures = [writer.submit(append(b"entry")) for _ in range(600)]

    session.end()

    assert [future.result(timeout=0).index for future in futures] == list(range(2, 602))
    assert parse_entry(house.list_entries()[-1]) == STOP
    with pytest.raises(LogUnavailableError):
        writer.submit(append(b"late"))
