"""The migration makes the tables of dunning with data in others, and takes them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, inspect, select
from sqlalchemy.exc import IntegrityError

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.risk.dunning.tables import DUNNING_TABLES
from tests.support.schema import check_table
from tests.support.stores import store_url

ADD_CUSTOMER = (
    "INSERT INTO customer (scheme, value, name, country, kind, entered_at_ms) "
    "VALUES ('sim', 'C1', 'One', 'CN', 'company', 1)"
)
ADD_RUN = (
    "INSERT INTO dunning_run (as_of, policy_label, policy_sha256_b64u, state, done_until, "
    "customers, proposed, withdrawn, held, entered_by, entered_at_ms) "
    "VALUES ('2026-03-31', 'dunning-1', 'h', 'running', 0, 0, 0, 0, 0, 'li', 1)"
)
ADD_LETTER = (
    "INSERT INTO dunning_letter (run_id, customer_id, as_of, policy_sha256_b64u, template, "
    "template_sha256_b64u, segment, level, state, last_seq) "
    "VALUES (1, 1, '2026-03-31', 'h', 'letter-1', 'h', 'standard', 1, 'proposed', 0)"
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


@pytest.mark.parametrize("table", DUNNING_TABLES, ids=lambda table: table.name)
def test_each_table_is_as_the_room_defines_it(database: Database, table: Table) -> None:
    check_table(database, table)


def test_a_customer_has_one_letter_that_waits(database: Database) -> None:
    fill(database, ADD_CUSTOMER, ADD_RUN, ADD_LETTER)

    with pytest.raises(IntegrityError):
        fill(database, ADD_LETTER)


def test_going_back_takes_the_tables_away_and_forward_brings_them_empty(
    database: Database,
) -> None:
    fill(database, ADD_CUSTOMER, ADD_RUN, ADD_LETTER)
    names = {table.name for table in DUNNING_TABLES}

    command.downgrade(build_config(database), "0059")

    assert not names & set(inspect(database.engine).get_table_names())
    command.upgrade(build_config(database), "head")
    with database.read() as uow:
        assert uow.connection.execute(select(DUNNING_TABLES[1])).all() == []
        customers = uow.connection.exec_driver_sql("SELECT name FROM customer").scalars().all()
    assert customers == ["One"]
