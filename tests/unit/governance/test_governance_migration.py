"""The migrations make the tables that the room defines, on either store, and take them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, UniqueConstraint, inspect

from node.core.database import Database, metadata
from node.core.migrations import build_config, upgrade_database
from node.governance.cases.tables import governance_case, governance_case_event
from node.governance.reviews.tables import governance_action, governance_review
from node.governance.training.tables import procedure_confirmation, procedure_version
from tests.support.stores import store_url

ROOM = [
    governance_case,
    governance_case_event,
    procedure_version,
    procedure_confirmation,
    governance_review,
    governance_action,
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path_factory.mktemp("governance") / "node.sqlite"))
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
    lengths = {name: getattr(one["type"], "length", None) for name, one in columns.items()}
    assert lengths == {one.name: getattr(one.type, "length", None) for one in table.columns}
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


def test_the_tables_go_and_come(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    config = build_config(database)
    names = {one.name for one in ROOM}

    command.downgrade(config, "0049")
    gone = names & set(inspect(database.engine).get_table_names())
    command.upgrade(config, "0051")
    back = names & set(inspect(database.engine).get_table_names())
    database.dispose()

    assert gone == set()
    assert back == names
