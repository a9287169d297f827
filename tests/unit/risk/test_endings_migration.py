"""What is let through and what waits to end goes forward and back, with data in the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from tests.support.stores import store_url

BEFORE, AFTER = "0054", "0055"
ROWS = (
    (
        "INSERT INTO customer (scheme, value, name, country, kind, entered_at_ms)"
        " VALUES ('sim', 'C1', 'One', 'CN', 'company', 1)"
    ),
    "INSERT INTO sales_order (source, number) VALUES ('erp', 'S1')",
    (
        "INSERT INTO order_check (source, number, idempotency_key, request_sha256_b64u, order_id,"
        " customer_id, point, as_of, status, may_proceed, answer_json, entered_by, entered_at_ms)"
        " VALUES ('erp', 'S1', 'k', 'h', 1, 1, 'delivery', '2026-03-31', 'ok', {true}, '', 'x', 1)"
    ),
    (
        "INSERT INTO customer_stop (customer_id, reason, first_on, entered_by, entered_at_ms)"
        " VALUES (1, 'x', '2026-03-31', 'x', 1)"
    ),
)
ENDING = (
    "INSERT INTO limit_ending (stop_id, entry_id, person, holder_person, role, name, reason,"
    " approved_at_ms) VALUES ({stop}, {entry}, '{person}', 'qian', 'cfo', 'Q', 'x', 1)"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    yield database
    database.dispose()


def test_it_goes_back_and_forward_and_keeps_the_checks(database: Database) -> None:
    config = build_config(database)
    command.downgrade(config, BEFORE)
    true = "1" if database.engine.dialect.name == "sqlite" else "true"
    with database.write() as uow:
        for row in ROWS:
            uow.connection.exec_driver_sql(row.format(true=true))

    command.upgrade(config, AFTER)
    with database.write() as uow:
        uow.connection.exec_driver_sql("UPDATE order_check SET delivery = 'k', delivered_minor = 5")
        one = ENDING.format(stop=1, entry="NULL", person="qian")
        uow.connection.exec_driver_sql(one)
    for row in (
        ENDING.format(stop=1, entry="NULL", person="wu"),  # the same authority
        ENDING.format(stop="NULL", entry="NULL", person="wu"),
    ):
        with pytest.raises(IntegrityError), database.write() as uow:
            uow.connection.exec_driver_sql(row)
    command.downgrade(config, BEFORE)
    columns = {one["name"] for one in inspect(database.engine).get_columns("order_check")}
    assert columns.isdisjoint({"delivery", "delivered_minor"})
    assert not inspect(database.engine).has_table("limit_ending")
    command.upgrade(config, "head")

    with database.read() as uow:
        kept = uow.connection.exec_driver_sql("SELECT delivered_minor FROM order_check").all()
    assert [one[0] for one in kept] == [None]


def test_rounds_are_added_and_going_back_keeps_the_newest(database: Database) -> None:
    config = build_config(database)
    command.downgrade(config, "0063")
    with database.write() as uow:
        for row in (ROWS[0], ROWS[3]):
            uow.connection.exec_driver_sql(row)
        uow.connection.exec_driver_sql(ENDING.format(stop=1, entry="NULL", person="qian"))

    command.upgrade(config, "head")
    again = ENDING.replace("reason,", "reason, round,").replace("'x', 1)", "'x', {round}, 2)")
    with database.write() as uow:
        one = again.format(stop=1, entry="NULL", person="qian", round=2)
        uow.connection.exec_driver_sql(one)
    with pytest.raises(IntegrityError), database.write() as uow:
        uow.connection.exec_driver_sql(one)
    command.downgrade(config, "0063")

    with database.read() as uow:
        kept = uow.connection.exec_driver_sql("SELECT approved_at_ms FROM limit_ending").all()
    assert [one[0] for one in kept] == [2]
    with pytest.raises(IntegrityError), database.write() as uow:
        uow.connection.exec_driver_sql(ENDING.format(stop=1, entry="NULL", person="qian"))
