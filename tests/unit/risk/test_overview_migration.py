"""The migration makes the tables of the overview, on either store, and going back takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, inspect, text

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.risk.overview.tables import overview_ageing, overview_line, overview_state
from tests.support.schema import check_table
from tests.support.stores import store_url

BEFORE = "0065"
TABLES = (overview_line, overview_ageing, overview_state)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_migration_makes_the_table_as_the_code_has_it(tmp_path: Path, table: Table) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)

    check_table(database, table)
    database.dispose()


def test_lines_go_with_the_migration_and_customers_stay(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    with database.write() as uow:
        for statement in (
            (
                "INSERT INTO customer (id, scheme, value, name, country, kind, entered_at_ms)"
                " VALUES (1, 'sim', 'C1', 'x', 'CN', 'company', 1)"
            ),
            (
                "INSERT INTO overview_line (customer_id, sort_name, search_text, currency)"
                " VALUES (1, '78', 'x', '')"
            ),
            (
                "INSERT INTO overview_state (id, as_of, revision, mark_json, months_json,"
                " brought_up_at_ms) VALUES (1, '2026-01-01', 1, '{}', '[]', 1)"
            ),
        ):
            uow.connection.execute(text(statement))

    command.downgrade(build_config(database), BEFORE)
    left = set(inspect(database.engine).get_table_names())
    upgrade_database(database)

    assert left.isdisjoint({table.name for table in TABLES})
    with database.read() as uow:
        counts = [
            uow.connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608  our own names
            for name in ("customer", "overview_line", "overview_state")
        ]
    assert counts == [1, 0, 0]
    database.dispose()
