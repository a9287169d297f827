"""The migration makes the table of answers that are given again, on either store."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import inspect, text

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.core.repeats.tables import kept_answer
from tests.support.schema import check_table
from tests.support.stores import store_url

BEFORE = "0061"


def test_kept_answers_come_and_go_and_customers_stay(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    check_table(database, kept_answer)
    with database.write() as uow:
        for table, columns, values in (
            (
                "customer",
                "scheme, value, name, country, kind, entered_at_ms",
                "'sim', 'C1', 'x', 'CN', 'company', 1",
            ),
            (
                "kept_answer",
                "route, idempotency_key, request_sha256_b64u, entered_at_ms",
                "'POST /x', 'k', 'x', 1",
            ),
        ):
            uow.connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"))  # noqa: S608  our own names

    command.downgrade(build_config(database), BEFORE)
    names = inspect(database.engine).get_table_names()
    upgrade_database(database)

    assert "kept_answer" not in names
    with database.read() as uow:
        counts = [
            uow.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  our own names
            for table in ("customer", "kept_answer")
        ]
    assert counts == [1, 0]
    database.dispose()
