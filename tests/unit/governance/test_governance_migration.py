"""The migrations make the tables that the room defines, on either store, and take them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, inspect

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.governance.cases.tables import governance_case, governance_case_event
from node.governance.reviews.tables import governance_action, governance_review
from node.governance.training.tables import procedure_confirmation, procedure_version
from tests.support.schema import check_table
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
    check_table(database, table)


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
