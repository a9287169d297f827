"""What a start does not look at is checked behind the node's back, and damage stops the log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Delete, Update, delete, event, update
from sqlalchemy.exc import OperationalError

from node.core.errors import NodeError
from node.core.log import LogDamagedError, LogStore, extend_log, load_log
from node.core.log_check import CheckState, LogCheck
from node.core.log_tables import log_batch, log_tile
from protocol.checkpoint import CheckpointSigner
from protocol.tile import TILE_WIDTH, encode_bundle
from tests.support.logs import KEY, ORIGIN, LogHouse, append
from tests.support.stores import sqlite_only

SIGNER = CheckpointSigner(origin=ORIGIN, key=KEY)
SECOND_LEVEL = TILE_WIDTH * TILE_WIDTH


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LogHouse]:
    opened = LogHouse(path=tmp_path / "log.sqlite")
    yield opened
    opened.close()


def fill(house: LogHouse, *, count: int, part: int = TILE_WIDTH) -> None:
    """Write a log of so many entries, so many a batch."""
    with house.database.write() as uow:
        store = LogStore(uow.connection)
        state = load_log(store, origin=ORIGIN, key=KEY)
        for first in range(0, count, part):
            entries = [b"entry %d" % index for index in range(first, min(first + part, count))]
            state = extend_log(state, entries, store=store, signer=SIGNER)


def open_check(house: LogHouse) -> LogCheck:
    return LogCheck(database=house.database, writer=house.open(), clock=house.clock, pause_s=0)


@pytest.mark.parametrize("count", [1, 255, 256, 257, 1_024, 1_025, 3_000])
def test_a_sound_log_is_verified_to_its_head(house: LogHouse, count: int) -> None:
    fill(house, count=count)
    check = open_check(house)

    state = asyncio.run(check.run())

    assert (state, check.state, check.checked_size) == (state, CheckState.VERIFIED, count)
    assert house.writers[0].broken is None


def test_what_is_appended_meanwhile_is_not_waited_for(house: LogHouse) -> None:
    fill(house, count=300)
    check = open_check(house)
    house.writers[0].run(append(b"next"))

    asyncio.run(check.run())

    assert (check.state, check.checked_size) == (CheckState.VERIFIED, 300)


def change_old_entry(first: int) -> Update:
    bundle = encode_bundle([b"another %d" % index for index in range(TILE_WIDTH)])
    return update(log_batch).where(log_batch.c.first == first).values(entries=bundle)


def change_tile(level: int, position: int) -> Update:
    data = bytes(32) * TILE_WIDTH
    return (
        update(log_tile)
        .where(log_tile.c.level == level, log_tile.c.position == position)
        .values(data=data)
    )


DAMAGE: dict[str, Update | Delete] = {
    "entries of the first tile": change_old_entry(0),
    "entries of an old tile": change_old_entry(512),
    "an old entry does not parse": update(log_batch)
    .where(log_batch.c.first == 512)
    .values(entries=b"\x00"),
    "a full tile": change_tile(0, 1),
    "a full tile gone": delete(log_tile).where(log_tile.c.level == 0, log_tile.c.position == 1),
    "a tile of the second level": change_tile(1, 0),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_anywhere_stops_the_log(house: LogHouse, what: str) -> None:
    fill(house, count=SECOND_LEVEL + 600, part=SECOND_LEVEL + 600)
    check = open_check(house)
    house.execute(DAMAGE[what])

    state = asyncio.run(check.run())

    writer = house.writers[0]
    assert (state, check.state) == (CheckState.DAMAGED, CheckState.DAMAGED)
    assert isinstance(writer.broken, LogDamagedError)
    with pytest.raises(LogDamagedError):
        writer.run(append(b"entry"))
    assert writer.state.edge.size == SECOND_LEVEL + 600


@sqlite_only
def test_a_file_that_is_damaged_stops_the_log(house: LogHouse) -> None:
    fill(house, count=3_000)
    check = open_check(house)
    with house.database.read() as uow:
        uow.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(house.path.read_bytes())
    page = raw.index(b"entry 1500")
    raw[page - page % 4_096 : page - page % 4_096 + 100] = bytes(100)
    house.path.write_bytes(raw)
    house.database.dispose()

    state = asyncio.run(check.run())

    assert state is CheckState.DAMAGED


def test_a_database_that_cannot_be_read_now_is_read_again_later(house: LogHouse) -> None:
    fill(house, count=3_000)
    check = open_check(house)

    def fail(*_args: object) -> None:
        raise OperationalError("SELECT", None, Exception("disk I/O error"))

    event.listen(house.database.engine, "before_cursor_execute", fail)
    with pytest.raises(OperationalError):
        asyncio.run(check.run())
    assert check.state is CheckState.RUNNING
    event.remove(house.database.engine, "before_cursor_execute", fail)

    state = asyncio.run(check.run())

    assert state is CheckState.VERIFIED
    assert house.writers[0].broken is None


def test_a_start_does_not_see_what_the_check_finds(house: LogHouse) -> None:
    fill(house, count=1_000)
    house.execute(change_old_entry(256))
    check = open_check(house)

    state = asyncio.run(check.run())

    assert state is CheckState.DAMAGED


def test_the_first_reason_to_stop_stays(house: LogHouse) -> None:
    writer = house.open()
    first: NodeError = LogDamagedError("first")

    writer.condemn(first)
    writer.condemn(LogDamagedError("second"))

    assert writer.broken is first
