"""The migration makes the register and the industries with data in others, and takes them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, inspect, select
from sqlalchemy.exc import IntegrityError

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.risk.portfolio.tables import risk_industry
from node.risk.register.tables import REGISTER_TABLES
from tests.support.schema import check_table
from tests.support.stores import store_url

TABLES = (risk_industry, *REGISTER_TABLES)
ADD_CUSTOMER = (
    "INSERT INTO customer (scheme, value, name, country, kind, entered_at_ms) "
    "VALUES ('sim', 'C1', 'One', 'CN', 'company', 1)"
)
ADD_INDUSTRY = (
    "INSERT INTO risk_industry (customer_id, code, entered_by, entered_at_ms) "
    "VALUES (1, 'C26', 'zhang', 1)"
)
ADD_ENTRY = (
    "INSERT INTO risk_entry (cause, risk_type, customer_id, state, review_on, last_seq) "
    "VALUES ('concentration:customer:1', 'concentration', 1, 'open', '2026-06-30', 0)"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    yield database
    database.dispose()


def fill(database: Database, *statements: str) -> None:
    with database.write() as uow:
        for one in statements:
            uow.connection.exec_driver_sql(one)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_table_is_as_the_room_defines_it(database: Database, table: Table) -> None:
    check_table(database, table)


@pytest.mark.parametrize("twice", [ADD_INDUSTRY, ADD_ENTRY], ids=["industry", "cause"])
def test_a_customer_has_one_industry_and_a_cause_one_entry(database: Database, twice: str) -> None:
    fill(database, ADD_CUSTOMER, twice)

    with pytest.raises(IntegrityError):
        fill(database, twice)


def test_going_back_takes_the_tables_away_and_forward_brings_them_empty(
    database: Database,
) -> None:
    fill(database, ADD_CUSTOMER, ADD_INDUSTRY, ADD_ENTRY)
    names = {table.name for table in TABLES}

    command.downgrade(build_config(database), "0060")

    assert not names & set(inspect(database.engine).get_table_names())
    command.upgrade(build_config(database), "head")
    with database.read() as uow:
        assert uow.connection.execute(select(risk_industry)).all() == []
        customers = uow.connection.exec_driver_sql("SELECT name FROM customer").scalars().all()
    assert customers == ["One"]
