"""The migration makes the tables of provisions with data in others, and takes them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, inspect, select

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.risk.provisions.tables import PROVISION_TABLES
from tests.support.schema import check_table
from tests.support.stores import store_url

ADD_CUSTOMER = (
    "INSERT INTO customer (scheme, value, name, country, kind, entered_at_ms) "
    "VALUES ('sim', 'C1', 'One', 'CN', 'company', 1)"
)
ADD_APART = (
    "INSERT INTO provision_specific (customer_id, rate_ppm, from_on, reason, entered_by, "
    "entered_at_ms) VALUES (1, 500000, '2026-03-31', 'closed', 'zhang', 1)"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    yield database
    database.dispose()


@pytest.mark.parametrize("table", PROVISION_TABLES, ids=lambda table: table.name)
def test_each_table_is_as_the_room_defines_it(database: Database, table: Table) -> None:
    check_table(database, table)


def test_going_back_takes_the_tables_away_and_forward_brings_them_empty(
    database: Database,
) -> None:
    with database.write() as uow:
        uow.connection.exec_driver_sql(ADD_CUSTOMER)
        uow.connection.exec_driver_sql(ADD_APART)
    names = {table.name for table in PROVISION_TABLES}

    command.downgrade(build_config(database), "0053")

    assert not names & set(inspect(database.engine).get_table_names())
    command.upgrade(build_config(database), "head")
    with database.read() as uow:
        assert uow.connection.execute(select(PROVISION_TABLES[2])).all() == []
        customers = uow.connection.exec_driver_sql("SELECT name FROM customer").scalars().all()
    assert customers == ["One"]
