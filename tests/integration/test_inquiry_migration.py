"""Inquiries, findings and mails: their tables come and go with what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text

from node.core.database import Database
from node.core.field_keys import FieldCipher
from node.core.fields import set_cipher
from node.core.keystore import draw_bytes
from node.core.migrations import build_config, upgrade_database
from node.hub.store.overview import OverviewStore
from node.sharing.store.inquiries import InquiryStore, NewInquiryAsk
from tests.support.field_secrets import FixedSecrets
from tests.support.stores import store_url

BEFORE = "0071"
NEW = {"inquiry", "inquiry_ask", "hub_finding", "mail"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    set_cipher(database, FieldCipher(secrets=FixedSecrets(), random_bytes=draw_bytes))
    command.upgrade(build_config(database), BEFORE)
    with database.write() as uow:
        uow.connection.execute(
            text("INSERT INTO customer VALUES (1, 'sim', 'C1', '示例', 'CN', 'company', 7)")
        )
    yield database
    database.dispose()


def fill(database: Database) -> str:
    """Put a row into each table; return the subject as it lies in the database."""
    with database.write() as uow:
        InquiryStore(uow.connection).add(
            [NewInquiryAsk(consent=bytes(32), provider="beta.example", jti=bytes(16))],
            subject="sim:C1",
            purpose="P1",
            by="li",
            at_ms=1,
            deadline_at_ms=2,
        )
        OverviewStore(uow.connection).add_finding(
            origin="a/log", kind="forked", known_size=2, claimed_size=2, note="n", at_s=1
        )
        return str(uow.connection.execute(text("SELECT subject FROM inquiry")).scalar_one())


def test_tables_come_and_go_and_what_was_there_stays(database: Database) -> None:
    upgrade_database(database)
    stored = fill(database)
    before = NEW & set(inspect(database.engine).get_table_names())
    command.downgrade(build_config(database), BEFORE)
    gone = NEW & set(inspect(database.engine).get_table_names())

    upgrade_database(database)

    with database.read() as uow:
        customers = uow.connection.execute(text("SELECT count(*) FROM customer")).scalar_one()
        inquiries = InquiryStore(uow.connection).list_of("sim:C1", limit=9)
    assert (before, gone) == (NEW, set())
    assert (customers, inquiries) == (1, [])
    assert "sim:C1" not in stored
