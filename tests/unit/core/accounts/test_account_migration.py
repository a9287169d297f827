"""The migrations make persons of tokens and the tables of accounts, and take them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, inspect

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.core.people.accounts.tables import ACCOUNT_TABLES
from node.core.people.tables import ended_session
from tests.support.schema import check_table
from tests.support.stores import store_url

BEFORE = "0057"
NAMES = ("Li Wei", "Wang", "LI-WEI", "--")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    yield database
    database.dispose()


@pytest.mark.parametrize("table", ACCOUNT_TABLES, ids=lambda table: table.name)
def test_each_table_is_as_the_room_defines_it(database: Database, table: Table) -> None:
    check_table(database, table)


def test_tokens_of_before_are_bound_to_their_persons_and_stay_when_one_goes_back(
    database: Database,
) -> None:
    config = build_config(database)
    command.downgrade(config, BEFORE)
    with database.write() as uow:
        for number, name in enumerate(NAMES, start=1):
            uow.connection.exec_driver_sql(
                "INSERT INTO access_token (hash, role, name, scopes, peer, created_at_ms,"
                f" expires_at_ms) SELECT CAST('{number}' AS {_bytes(database)}), 'sales',"
                f" '{name}', '', '', {number}, 9"
            )

    command.upgrade(config, "head")

    with database.read() as uow:
        bound = uow.connection.exec_driver_sql(
            "SELECT t.name, p.name FROM access_token t"
            " LEFT JOIN person p ON p.id = t.person_id ORDER BY t.id"
        ).all()
    assert [tuple(row) for row in bound] == [
        ("Li Wei", "Li Wei"),
        ("Wang", "Wang"),
        ("LI-WEI", "Li Wei"),
        ("--", None),
    ]
    command.downgrade(config, BEFORE)
    names = set(inspect(database.engine).get_table_names())
    assert not names & {table.name for table in ACCOUNT_TABLES}
    with database.read() as uow:
        left = uow.connection.exec_driver_sql("SELECT name FROM access_token ORDER BY id")
        assert tuple(left.scalars()) == NAMES


def test_ended_sessions_come_and_go_and_tokens_stay(database: Database) -> None:
    check_table(database, ended_session)
    with database.write() as uow:
        uow.connection.exec_driver_sql(
            f"INSERT INTO ended_session SELECT CAST('x' AS {_bytes(database)}), 9"
        )
        uow.connection.exec_driver_sql(
            "INSERT INTO access_token (hash, role, name, scopes, peer, created_at_ms,"
            f" expires_at_ms) SELECT CAST('1' AS {_bytes(database)}), 'sales', 'Li', '', '', 1, 9"
        )

    command.downgrade(build_config(database), "0064")
    names = inspect(database.engine).get_table_names()
    upgrade_database(database)

    assert ended_session.name not in names
    with database.read() as uow:
        counts = [
            uow.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608
            for table in ("access_token", "ended_session")
        ]
    assert counts == [1, 0]


def _bytes(database: Database) -> str:
    return "BLOB" if database.is_sqlite else "BYTEA"
