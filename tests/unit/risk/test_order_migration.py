"""The migrations make the tables that the room defines, on either store, and take them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
    orders.sales_order_delivery,
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


def test_what_checks_have_let_through_is_taken_along(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    config = build_config(database)
    command.upgrade(config, "0062")
    true = "1" if database.engine.dialect.name == "sqlite" else "true"
    false = "0" if database.engine.dialect.name == "sqlite" else "false"
    check = (
        "INSERT INTO order_check (source, number, idempotency_key, request_sha256_b64u, order_id,"
        " customer_id, point, delivery, delivered_minor, as_of, status, may_proceed, answer_json,"
        " entered_by, entered_at_ms) VALUES ('erp', 'S7', '{key}', 'h', {order}, {customer},"
        " 'delivery', {delivery}, {minor}, '2026-03-31', 'ok', {proceeds}, '', 'x', 1)"
    )
    with database.write() as uow:
        connection = uow.connection
        customer = connection.exec_driver_sql(
            "INSERT INTO customer (scheme, value, name, country, kind, entered_at_ms)"
            " VALUES ('sim', 'C7', 'x', 'CN', 'company', 1) RETURNING id"
        ).scalar_one()
        order = connection.exec_driver_sql(
            "INSERT INTO sales_order (source, number) VALUES ('erp', 'S7') RETURNING id"
        ).scalar_one()
        for key, delivery, minor, proceeds in (
            ("a", "'D1'", 5, true),
            ("b", "'D2'", 7, false),
            ("c", "'D1'", 0, false),
            ("d", "NULL", "NULL", true),
        ):
            connection.exec_driver_sql(
                check.format(
                    key=key,
                    order=order,
                    customer=customer,
                    delivery=delivery,
                    minor=minor,
                    proceeds=proceeds,
                )
            )

    upgrade_database(database)

    with database.read() as uow:
        rows = uow.connection.exec_driver_sql(
            "SELECT delivery, amount_minor FROM sales_order_delivery ORDER BY id"
        ).all()
    assert [tuple(one) for one in rows] == [("D1", 5), ("D1", 0)]
    command.downgrade(config, "0062")
    assert not inspect(database.engine).has_table("sales_order_delivery")
    with database.read() as uow:
        kept = uow.connection.exec_driver_sql("SELECT count(*) FROM order_check").scalar_one()
    assert kept == 4
    database.dispose()
