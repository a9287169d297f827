"""The migrations make the tables that the room defines, with rows in them, and take them away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Table, insert, inspect, select

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.records.tables import customer
from node.risk.alerts.tables import risk_alert, risk_alert_event
from node.risk.daily.tables import risk_change, risk_run, risk_status
from node.risk.plans.tables import risk_action, risk_action_event, risk_action_promise
from node.risk.signals.tables import risk_signal
from node.risk.watch.tables import risk_watch, risk_watch_event
from tests.support.schema import check_table
from tests.support.stores import store_url

FIRST = [risk_signal, risk_alert, risk_alert_event, risk_run, risk_status, risk_change]
SECOND = [risk_watch, risk_watch_event, risk_action, risk_action_event, risk_action_promise]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path_factory.mktemp("room") / "node.sqlite"))
    upgrade_database(database)
    yield database
    database.dispose()


@pytest.mark.parametrize("table", [*FIRST, *SECOND], ids=lambda table: table.name)
def test_each_table_is_as_the_room_defines_it(database: Database, table: Table) -> None:
    check_table(database, table)


def test_going_back_and_forward_keeps_what_is_below(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    with database.write() as uow:
        uow.connection.execute(
            insert(risk_run).values(
                as_of=date(2026, 6, 30), policy="risk-1", policy_sha256_b64u="x" * 43,
                started_by="li", started_at_ms=1, state="finished", done_until=0, judged=0,
                skipped=0, changes=0, resumed=0,
            )
        )  # fmt: skip
    command.downgrade(build_config(database), "0048")
    names = set(inspect(database.engine).get_table_names())
    assert not {one.name for one in SECOND} & names
    assert {one.name for one in FIRST} <= names
    with database.read() as uow:
        assert uow.connection.execute(select(risk_run.c.policy)).scalars().all() == ["risk-1"]
    command.downgrade(build_config(database), "0047")
    names = set(inspect(database.engine).get_table_names())
    assert not {one.name for one in (*FIRST, *SECOND)} & names
    assert customer.name in names

    command.upgrade(build_config(database), "head")

    assert {one.name for one in (*FIRST, *SECOND)} <= set(
        inspect(database.engine).get_table_names()
    )
    database.dispose()
