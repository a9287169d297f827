"""The migration makes the tables that the room defines, on either store, and takes them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, UniqueConstraint, inspect

from node.core.database import Database, metadata
from node.core.migrations import build_config, upgrade_database
from node.decision import tables
from tests.support.stores import store_url

ROOM = [
    tables.decision_policy,
    tables.credit_decision,
    tables.decision_version,
    tables.decision_event,
    tables.decision_hand,
    tables.decision_deputy,
    tables.decision_approval,
    tables.decision_source,
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    yield database
    database.dispose()


@pytest.mark.parametrize("table", ROOM, ids=lambda table: table.name)
def test_each_table_is_as_the_room_defines_it(database: Database, table: Table) -> None:
    found = inspect(database.engine)
    columns = {one["name"]: one for one in found.get_columns(table.name)}

    assert metadata.tables[table.name] is table
    assert {name: one["nullable"] for name, one in columns.items()} == {
        one.name: bool(one.nullable) for one in table.columns
    }
    assert {name: getattr(one["type"], "length", None) for name, one in columns.items()} == {
        one.name: getattr(one.type, "length", None) for one in table.columns
    }
    uniques = {one["name"] for one in found.get_unique_constraints(table.name)}
    assert {one.name for one in table.constraints if isinstance(one, UniqueConstraint)} == uniques
    indexes = {one["name"] for one in found.get_indexes(table.name)} - uniques
    assert indexes == {one.name for one in table.indexes}
    checks = {one["name"] for one in found.get_check_constraints(table.name)}
    assert checks == {
        str(one.name) for one in table.constraints if type(one).__name__ == "CheckConstraint"
    }
    keys = {tuple(one["constrained_columns"]) for one in found.get_foreign_keys(table.name)}
    assert keys == {tuple(one.column_keys) for one in table.foreign_key_constraints}


def test_going_back_takes_the_tables_away_and_forward_brings_them(database: Database) -> None:
    names = {table.name for table in ROOM}
    command.downgrade(build_config(database), "0034")
    assert not names & set(inspect(database.engine).get_table_names())

    command.upgrade(build_config(database), "head")

    assert names <= set(inspect(database.engine).get_table_names())
