"""A log written before entries shared rows goes on as the same log, and comes back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    column,
    insert,
    select,
    table,
    text,
)

from node.core.database import Database
from node.core.log import FIRST_LOG, LogStore, load_log
from node.core.log_list import LogList
from node.core.log_transactions import Succession
from node.core.migrations import build_config, upgrade_database
from protocol.merkle import leaf_hash
from tests.support.logs import KEY, ORIGIN, LogHouse, append
from tests.support.stores import store_url

ENTRIES = 600
log_head = table("log_head", *map(column, ("id", "origin", "size", "root", "checkpoint")))
log_tile = table("log_tile", *map(column, ("level", "position", "data")))
log_entry = Table(
    "log_entry",
    MetaData(),
    Column("seq", Integer, primary_key=True),
    Column("leaf", LargeBinary(32)),
    Column("body", LargeBinary),
)


def copy_log(house: LogHouse, database: Database) -> list[tuple[int, bytes, bytes]]:
    """Write a log into a database as it was written before; return the rows of its entries."""
    rows = [(seq, leaf_hash(entry), entry) for seq, entry in enumerate(house.list_entries())]
    with house.database.read() as old, database.write() as uow:
        for query, target in (
            ("SELECT number AS id, origin, size, root, checkpoint FROM log_head", log_head),
            ("SELECT level, position, data FROM log_tile", log_tile),
        ):
            for row in old.connection.execute(text(query)).mappings():
                uow.connection.execute(insert(target).values(**row))
        for seq, leaf, body in rows:
            uow.connection.execute(insert(log_entry).values(seq=seq, leaf=leaf, body=body))
    return rows


def test_a_log_of_one_row_an_entry_goes_on_and_comes_back(tmp_path: Path) -> None:
    house = LogHouse(path=tmp_path / "log.sqlite")
    writer = house.open()
    for future in [writer.submit(append(b"entry %d" % index)) for index in range(1, ENTRIES)]:
        future.result(timeout=10)
    state = writer.state
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    config = build_config(database)
    before = ScriptDirectory.from_config(config).get_revision("0006").down_revision
    assert isinstance(before, str)
    command.upgrade(config, before)
    rows = copy_log(house, database)
    house.close()

    upgrade_database(database)

    with database.read() as uow:
        store = LogStore(uow.connection)
        assert load_log(store, origin=ORIGIN, key=KEY) == state
        assert store.list_entries(first=0, count=ENTRIES) == [row[2] for row in rows]
    command.downgrade(config, before)
    with database.read() as uow:
        stored = uow.connection.execute(select(log_entry).order_by(log_entry.c.seq))
        assert [tuple(row) for row in stored] == rows
    database.dispose()


def test_one_log_goes_back_to_the_schema_before_and_two_do_not(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "log.sqlite"))
    upgrade_database(database)
    config = build_config(database)
    house = LogHouse(path=tmp_path / "log.sqlite")
    writer = house.open()
    for _ in range(ENTRIES):
        writer.submit(append(b"entry"))
    writer.run(append(b"newest"))
    state = writer.state
    with database.write() as uow:
        LogStore(uow.connection).store_witnessed(size=3, checkpoint="note", at_s=4)

    command.downgrade(config, "0010")
    command.upgrade(config, "head")

    with database.read() as uow:
        store = LogStore(uow.connection)
        assert load_log(store, origin=ORIGIN, key=KEY) == state
        assert store.find_witnessed() == (3, "note", 4)
        (log,) = LogList(uow.connection).list_all()
        assert (log.place, log.end_reason, log.is_verified) == (FIRST_LOG, None, False)
    writer.change_log(
        Succession(
            origin=f"{ORIGIN}0", key=KEY, reason="year", last=(), first=(), write=lambda _: None
        )
    )
    with pytest.raises(RuntimeError, match="has 2 logs"):
        command.downgrade(config, "0010")
    house.close()
    database.dispose()
