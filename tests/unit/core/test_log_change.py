"""The writer ends a log and begins the next: who has missed it, and what is decided meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.core.database import UnitOfWork
from node.core.keyring import KeyFile
from node.core.log import LogDamagedError, LogStore, load_log
from node.core.log_list import LogList, get_log_key, read_begin_ms
from node.core.log_transactions import LogUnavailableError, Succession
from protocol.entry import (
    GenesisEntry,
    PreviousLog,
    StopEntry,
    format_entry,
    parse_entry,
)
from protocol.keys import SigningKey
from tests.support.logs import KEY, NOW_MS, ORIGIN, LogHouse, append

ORIGIN_2 = "alpha.example/chengxin/log/2"
KEY_2 = SigningKey(b"\x22" * 32)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LogHouse]:
    made = LogHouse(path=tmp_path / "log.sqlite")
    yield made
    made.close()


def keep_nothing(_uow: UnitOfWork) -> None:
    pass


SUCCESSION = Succession(
    origin=ORIGIN_2, key=KEY_2, reason="year", last=(b"last",), first=(b"first",),
    write=keep_nothing,
)  # fmt: skip


def list_entries(house: LogHouse, number: int) -> list[bytes]:
    with house.database.read() as uow:
        log = LogList(uow.connection).find(number)
        assert log is not None
        return LogStore(uow.connection, log.place).list_entries(first=0, count=log.size)


def test_a_log_ends_with_its_last_entries_and_the_next_begins_at_its_head(house: LogHouse) -> None:
    writer = house.open()
    writer.run(append(b"one"))

    writer.change_log(SUCCESSION)
    placement = writer.run(append(b"two"))

    assert list_entries(house, 1)[1:] == [b"one", b"last"]
    assert list_entries(house, 2)[1:] == [b"first", b"two"]
    assert (placement.index, placement.position) == (2, 5)
    with house.database.read() as uow:
        old, new = LogList(uow.connection).list_all()
        assert read_begin_ms(uow.connection, new.place) == NOW_MS
        for log, key in ((old, KEY), (new, KEY_2)):
            state = load_log(LogStore(uow.connection, log.place), origin=log.origin, key=key)
            assert state.head == log.head
    assert (old.end_reason, new.end_reason, old.place.end) == ("year", None, new.place.first)
    genesis = parse_entry(list_entries(house, 2)[0])
    assert isinstance(genesis, GenesisEntry)
    assert genesis.previous == PreviousLog(origin=ORIGIN, head=old.head, reason="year")


def test_a_log_that_ends_as_it_stands_keeps_its_head(house: LogHouse) -> None:
    writer = house.open()
    head = writer.state.head
    writer.hold(LogUnavailableError("held"))

    writer.change_log(replace(SUCCESSION, reason="rolled-back", last=()))

    assert [type(parse_entry(list_entries(house, 1)[0])), len(list_entries(house, 1))] == [
        GenesisEntry,
        1,
    ]
    with house.database.read() as uow:
        assert LogList(uow.connection).list_all()[0].head == head
    with pytest.raises(LogUnavailableError):  # Whoever held it has still to admit it.
        writer.run(append(b"entry"))


def test_a_writer_that_missed_the_change_cannot_append_to_the_ended_log(house: LogHouse) -> None:
    late, writer = house.open(), house.open(house.open_database())
    writer.change_log(replace(SUCCESSION, last=()))

    with pytest.raises(LogUnavailableError):
        late.run(append(b"entry"))

    assert isinstance(late.broken, LogDamagedError)
    assert len(list_entries(house, 1)) == 1
    with pytest.raises(LogDamagedError, match="the head is not at"):
        late.change_log(SUCCESSION)


def test_a_writer_without_the_newest_logs_key_does_not_start(house: LogHouse) -> None:
    house.open().change_log(SUCCESSION)

    with pytest.raises(LogDamagedError, match=f"is {ORIGIN_2}, not {ORIGIN}"):
        house.open()


def test_nothing_is_changed_where_a_row_of_the_change_cannot_be_written(house: LogHouse) -> None:
    writer = house.open()
    head = writer.state.head

    def fail(_uow: UnitOfWork) -> None:
        raise LogUnavailableError("no")

    with pytest.raises(LogUnavailableError):
        writer.change_log(replace(SUCCESSION, write=fail))

    assert (writer.state.head, writer.state.vkey.name) == (head, ORIGIN)
    writer.run(append(b"goes on"))
    assert house.check() == 2


@pytest.mark.parametrize("is_slow", [False, True], ids=["in-the-loop", "beside-it"])
def test_what_is_decided_meanwhile_stands_proven_in_one_log_or_the_other(
    house: LogHouse, *, is_slow: bool
) -> None:
    writer = house.open_slow() if is_slow else house.open_quick()

    async def work() -> list[tuple[bytes, str]]:
        bodies = [b"entry %d" % number for number in range(300)]
        change = asyncio.create_task(asyncio.to_thread(writer.change_log, SUCCESSION))
        placements = []
        for first in range(0, len(bodies), 10):
            jobs = [writer.submit_async(append(body)) for body in bodies[first : first + 10]]
            placements += await asyncio.gather(*jobs)
        await change
        return [(body, one.inclusion) for body, one in zip(bodies, placements, strict=True)]

    proven = asyncio.run(work())

    logged = {1: list_entries(house, 1), 2: list_entries(house, 2)}
    assert sorted(logged[1][1:] + logged[2][2:]) == sorted([b"last", *(body for body, _ in proven)])
    with house.database.read() as uow:
        keys = {log.origin: log.place.number for log in LogList(uow.connection).list_all()}
    for body, inclusion in proven:
        found = [origin for origin in keys if f"\n{origin}\n" in inclusion]
        assert body in logged[keys[found[0]]]


def open_key_files() -> list[KeyFile]:
    return [KeyFile(number=number, key=key) for number, key in enumerate((KEY, KEY_2), start=1)]


def test_the_key_of_a_log_is_the_one_that_signed_its_head(house: LogHouse) -> None:
    house.open().change_log(SUCCESSION)
    with house.database.read() as uow:
        logs = LogList(uow.connection).list_all()

    files = open_key_files()

    assert [get_log_key(log, files).number for log in logs] == [1, 2]
    with pytest.raises(LogDamagedError, match="no key that is here"):
        get_log_key(logs[1], files[:1])


@pytest.mark.parametrize(
    "last", [b"no entry", format_entry(StopEntry(at_ms=1))], ids=["no-entry", "another"]
)
def test_a_log_without_its_genesis_entry_has_no_beginning(house: LogHouse, last: bytes) -> None:
    writer = house.open()
    writer.change_log(replace(SUCCESSION, last=(last,)))
    place = writer.state.place

    with house.database.read() as uow, pytest.raises(LogDamagedError, match="begin"):
        read_begin_ms(uow.connection, replace(place, first=place.first - 1))
