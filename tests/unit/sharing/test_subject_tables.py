"""The migration makes the tables of requests to subjects, on either store, and takes them away."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import inspect, text

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.sharing.subjects.tables import (
    consent_request,
    consent_request_answer,
    subject_challenge,
    subject_session,
)
from tests.support.schema import check_table
from tests.support.stores import store_url

BEFORE = "0069"
TABLES = (consent_request, consent_request_answer, subject_session, subject_challenge)
ROWS = (
    (
        "customer",
        "scheme, value, name, country, kind, entered_at_ms",
        "'sim', 'C1', 'x', 'CN', 'company', 1",
    ),
    (
        "consent_request",
        "id, subject, terms, state, expires_at_ms, entered_by, entered_at_ms",
        "1, 'sim:C1', '{}', 'open', 2, 'li', 1",
    ),
    ("consent_request_answer", "request_id, consent", "1, 'h'"),
    ("subject_session", "hash, subject, request_id, expires_at_ms", "'h', 'sim:C1', 1, 2"),
    ("subject_challenge", "hash, expires_at_ms", "'h', 2"),
)


def test_requests_come_and_go_and_customers_stay(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    for table in TABLES:
        check_table(database, table)
    with database.write() as uow:
        for name, columns, values in ROWS:
            uow.connection.execute(text(f"INSERT INTO {name} ({columns}) VALUES ({values})"))  # noqa: S608  our own names

    command.downgrade(build_config(database), BEFORE)
    names = set(inspect(database.engine).get_table_names())
    upgrade_database(database)

    assert not names & {table.name for table in TABLES}
    with database.read() as uow:
        counts = [
            uow.connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608  our own names
            for name, _, _ in ROWS
        ]
    assert counts == [1, 0, 0, 0, 0]
    database.dispose()
