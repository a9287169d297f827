"""The migrations make the tables that the room defines, on either store, and take them away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Table, inspect, text

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.risk.checks import tables as checks
from node.risk.limits import tables as limits
from node.risk.orders import tables as orders
from tests.support.schema import check_table
from tests.support.stores import store_url

ROOM = [
    limits.limit_entry,
    limits.limit_approval,
    limits.customer_stop,
    limits.limit_ending,
    orders.sales_order,
    orders.sales_order_version,
    orders.sales_order_taking,
    checks.order_check,
    checks.release_request,
    checks.order_release,
    checks.release_approval,
]
BEFORE = "0051"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path_factory.mktemp("moved") / "node.sqlite"))
    upgrade_database(database)
    yield database
    database.dispose()


@pytest.mark.parametrize("table", ROOM, ids=lambda table: table.name)
def test_each_table_is_as_the_room_defines_it(database: Database, table: Table) -> None:
    check_table(database, table)


def test_going_back_takes_orders_away_and_leaves_customers(database: Database) -> None:
    with database.write() as uow:
        uow.connection.execute(
            text(
                "INSERT INTO customer (scheme, value, name, country, kind, entered_at_ms)"
                " VALUES ('sim', 'C1', 'x', 'CN', 'company', 1)"
            )
        )
        uow.connection.execute(
            text("INSERT INTO sales_order (source, number) VALUES ('erp', 'S1')")
        )
        uow.connection.execute(
            text(
                "INSERT INTO sales_order_version (order_id, version, event, state, customer_id,"
                " currency, amount_minor, prepaid_minor, happened_on, entered_by, entered_at_ms)"
                " VALUES (1, 1, 'created', 'open', 1, 'CNY', 5, 0, '2026-03-01', 'li', 1)"
            )
        )

    command.downgrade(build_config(database), BEFORE)

    names = set(inspect(database.engine).get_table_names())
    assert names.isdisjoint(one.name for one in ROOM)
    with database.read() as uow:
        assert uow.connection.execute(text("SELECT count(*) FROM customer")).scalar_one() == 1
    upgrade_database(database)
    assert {one.name for one in ROOM} <= set(inspect(database.engine).get_table_names())
