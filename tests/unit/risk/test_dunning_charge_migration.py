"""The migration makes charges beside letters that were sent, and takes them away again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from tests.support.stores import store_url

BEFORE = "0074"
LETTER = (
    (
        "INSERT INTO customer (id, scheme, value, name, country, kind, entered_at_ms) "
        "VALUES (1, 'sim', 'C1', 'One', 'CN', 'company', 1)"
    ),
    (
        "INSERT INTO dunning_run (id, as_of, policy_label, policy_sha256_b64u, state, done_until, "
        "customers, proposed, withdrawn, held, entered_by, entered_at_ms) "
        "VALUES (1, '2026-03-31', 'dunning-1', 'h', 'running', 0, 0, 0, 0, 0, 'li', 1)"
    ),
    (
        "INSERT INTO dunning_letter (id, run_id, customer_id, as_of, policy_sha256_b64u, template, "
        "template_sha256_b64u, segment, level, state, last_seq, sent_on, pay_by_on) VALUES "
        "(1, 1, 1, '2026-03-31', 'h', 'letter-1', 'h', 'standard', 1, 'sent', 1, '2026-03-31', "
        "'2026-04-10')"
    ),
    (
        "INSERT INTO dunning_line (letter_id, place, item_id, document_no, line, due_on, "
        "days_overdue, currency, open_minor, disputed_minor, asked_minor, interest_minor, level, "
        "reason) VALUES (1, 0, 7, 'A1', 1, '2026-03-02', 29, 'CNY', 100, 0, 100, 3, 1, 'rose')"
    ),
    (
        "INSERT INTO dunning_sum (letter_id, currency, asked_minor, interest_minor, fee_minor, "
        "unapplied_minor) VALUES (1, 'CNY', 100, 3, 0, 0)"
    ),
)
CHARGE = (
    "INSERT INTO dunning_charge (letter_id, place, customer_id, item_id, document_no, line, kind, "
    "currency, amount_minor, from_on, until_on, charged_on, entered_by, entered_at_ms) VALUES "
    "(1, {place}, 1, {item}, 'A1', 1, '{kind}', 'CNY', {minor}, NULL, {until}, '2026-03-31', "
    "'li', 1)"
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


def read(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.read() as uow:
        return [tuple(row) for row in uow.connection.execute(text(query))]


def test_letters_that_were_sent_stay_and_have_charged_nothing(database: Database) -> None:
    command.downgrade(build_config(database), BEFORE)
    fill(database, *LETTER)

    command.upgrade(build_config(database), "head")

    assert read(database, "SELECT charged_minor, interest_from_on FROM dunning_line") == [(0, None)]
    assert read(database, "SELECT charges_minor FROM dunning_sum") == [(0,)]
    assert read(database, "SELECT * FROM dunning_charge") == []
    fill(
        database,
        CHARGE.format(place=0, item=7, kind="interest", minor=3, until="'2026-03-31'"),
        "INSERT INTO dunning_settlement (charge_id, kind, amount_minor, settled_on, reason, "
        "entered_by, entered_at_ms) VALUES (1, 'waived', 3, '2026-04-01', 'x', 'li', 1)",
        "INSERT INTO dunning_letter_charge (letter_id, place, charge_id, open_minor) "
        "VALUES (1, 0, 1, 3)",
    )

    command.downgrade(build_config(database), BEFORE)

    assert "dunning_charge" not in inspect(database.engine).get_table_names()
    assert read(database, "SELECT interest_minor FROM dunning_line") == [(3,)]
    assert read(database, "SELECT interest_minor FROM dunning_sum") == [(3,)]


@pytest.mark.parametrize(
    "values",
    [
        {"place": 0, "item": "NULL", "kind": "fee", "minor": 0, "until": "NULL"},
        {"place": 0, "item": "NULL", "kind": "interest", "minor": 3, "until": "NULL"},
        {"place": 0, "item": 7, "kind": "interest", "minor": 3, "until": "NULL"},
        {"place": 1, "item": "NULL", "kind": "fee", "minor": 3, "until": "NULL"},
    ],
    ids=["nothing", "no-item", "no-days", "place-twice"],
)
def test_a_charge_that_makes_no_sense_is_not_kept(
    database: Database, values: dict[str, object]
) -> None:
    fill(database, *LETTER[:3])
    fill(database, CHARGE.format(place=1, item="NULL", kind="fee", minor=3, until="NULL"))

    with pytest.raises(IntegrityError):
        fill(database, CHARGE.format(**values))
