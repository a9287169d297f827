"""The migration makes the tables that the room defines, on either store, and takes them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, inspect

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.decision import tables
from tests.support.schema import check_table
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
    tables.decision_application,
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    yield database
    database.dispose()


@pytest.mark.parametrize("table", ROOM, ids=lambda table: table.name)
def test_each_table_is_as_the_room_defines_it(database: Database, table: Table) -> None:
    check_table(database, table)


def test_going_back_takes_the_tables_away_and_forward_brings_them(database: Database) -> None:
    names = {table.name for table in ROOM}
    command.downgrade(build_config(database), "0034")
    assert not names & set(inspect(database.engine).get_table_names())

    command.upgrade(build_config(database), "head")

    assert names <= set(inspect(database.engine).get_table_names())
