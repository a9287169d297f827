"""Invoices and payments become open items and come back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from node.core.clock import ManualClock
from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.records.service import RecordsService
from tests.support.stores import store_url

BEFORE = "0015"
OLD = (
    "INSERT INTO customer VALUES (1, 'sim', 'C1', '示例', 'CN', 'company', 7)",
    "INSERT INTO source_import VALUES (1, 'erp', 'may.csv', 'ab', 'chengxin', 3, 0, 2, 3, 7)",
    (
        "INSERT INTO invoice VALUES (4, 1, 'erp', 'D1', 1, '2026-02-02', '2026-03-04',"
        " '2026-03-04', 24314, 'CNY', 100000, 0, 1, 7)"
    ),
    (
        "INSERT INTO invoice VALUES (9, 1, 'erp', 'D2', 1, '2026-03-02', '2026-04-01',"
        " '2026-04-01', 24315, 'CNY', 50000, 20000, 1, 8)"
    ),
    "INSERT INTO payment VALUES (1, 1, 4, 'CNY', '2026-03-10', 60000, 'erp', 'D1/a', 1, 7)",
    "INSERT INTO payment VALUES (2, 1, 9, 'CNY', '2026-03-01', 50000, 'erp', 'D2/a', 1, 8)",
    "INSERT INTO payment VALUES (3, 1, NULL, 'CNY', '2026-03-12', 700, 'erp', 'X', 1, 8)",
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    command.upgrade(build_config(database), BEFORE)
    with database.write() as uow:
        for statement in OLD:
            uow.connection.execute(text(statement))
    yield database
    database.dispose()


def read(database: Database, table: str) -> list[tuple[object, ...]]:
    with database.read() as uow:
        rows = uow.connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))  # noqa: S608  our own names
        return [tuple(row) for row in rows]


def test_what_was_imported_ages_as_before(database: Database) -> None:
    upgrade_database(database)
    service = RecordsService(
        database=database, clock=ManualClock(0), business_date=date(2026, 6, 30)
    )

    (early,) = service.ageing(1, as_of=date(2026, 3, 1))
    (late,) = service.ageing(1, as_of=date(2026, 6, 30))

    assert (early.balance_minor, early.unapplied_minor) == (50_000, 50_000)
    assert (late.balance_minor, late.unapplied_minor) == (39_300, 700)
    assert service.rebuild_behaviour() == 2
    disputed = service.monthly_trend(1, as_of=date(2026, 6, 30))
    assert disputed is not None
    assert [month.disputed_minor for month in disputed.months] == [0, 20_000]


def test_it_comes_back_as_it_was(database: Database) -> None:
    before = {table: read(database, table) for table in ("invoice", "payment")}

    upgrade_database(database)
    command.downgrade(build_config(database), BEFORE)

    assert {table: read(database, table) for table in ("invoice", "payment")} == before


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        pytest.param(
            "INSERT INTO ledger_item (customer_id, kind, source, document_no, line, version,"
            " happened_on, currency, amount_minor, entered_by, entered_at_ms) VALUES"
            " (1, 'credit-note', 'erp', 'G1', 1, 1, '2026-03-03', 'CNY', -5, 'zhang', 9)",
            "1 items of other kinds",
            id="kinds",
        ),
        pytest.param(
            "INSERT INTO item_correction VALUES (4, NULL, 'entered twice', 'zhang', 9)",
            "1 corrections",
            id="corrections",
        ),
        pytest.param(
            "INSERT INTO dispute_closure VALUES (1, '2026-05-05', 'upheld', 'late', 'zhang', 9)",
            "1 ends of disputes",
            id="disputes",
        ),
    ],
)
def test_it_does_not_go_back_where_something_would_be_lost(
    database: Database, statement: str, what: str
) -> None:
    upgrade_database(database)
    with database.write() as uow:
        uow.connection.execute(text(statement))

    with pytest.raises(RuntimeError, match=what):
        command.downgrade(build_config(database), BEFORE)

    assert len(read(database, "ledger_item")) >= 5
