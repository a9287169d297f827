"""Adverse facts of before stay as they were; their subjects have to be told, and ends go back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from node.core.clock import ManualClock
from node.core.database import Database
from node.core.field_keys import FieldCipher
from node.core.fields import set_cipher
from node.core.keystore import draw_bytes
from node.core.migrations import build_config, upgrade_database
from node.records.adverse import NewNotice, NoticeService
from node.records.retention_policy import read_retention_policy
from node.records.rules_adverse import FactKey, FactSource, NoticeChannel
from tests.support.field_secrets import FixedSecrets
from tests.support.stores import store_url

BEFORE = "0028"
TODAY = date(2026, 3, 31)
OLD = (
    "INSERT INTO customer VALUES (1, 'sim', 'C1', '示例', 'CN', 'company', 7)",
    (
        "INSERT INTO adverse_event VALUES (1, 1, 'legal', '2026-01-01', NULL, 'ab', 8),"
        " (2, 1, 'collection', '2020-01-01', '2021-03-15', 'cd', 9)"
    ),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    set_cipher(database, FieldCipher(secrets=FixedSecrets(), random_bytes=draw_bytes))
    command.upgrade(build_config(database), BEFORE)
    with database.write() as uow:
        for statement in OLD:
            uow.connection.execute(text(statement))
    yield database
    database.dispose()


def read_ends(database: Database) -> list[object]:
    with database.read() as uow:
        rows = uow.connection.execute(text("SELECT settled_on FROM adverse_event ORDER BY id"))
        return [None if one is None else str(one) for one in rows.scalars()]


def test_of_what_was_shared_before_the_subject_has_to_be_told(database: Database) -> None:
    upgrade_database(database)
    notices = NoticeService(
        database=database,
        clock=ManualClock(10),
        policy=read_retention_policy(),
        business_date=TODAY,
    )

    assert [one.key for one in notices.iterate_due(as_of=TODAY)] == ["event-1"]
    told = notices.list_facts(1, as_of=TODAY)
    assert [(str(one.fact.key), one.state.value) for one in told] == [
        ("event-2", "past"),
        ("event-1", "unnoticed"),
    ]


def test_it_goes_back_with_every_end_and_without_what_was_said(database: Database) -> None:
    upgrade_database(database)
    notices = NoticeService(
        database=database,
        clock=ManualClock(10),
        policy=read_retention_policy(),
        business_date=TODAY,
    )
    notices.settle(1, on=date(2026, 3, 1), by="li")
    key = FactKey(source=FactSource.EVENT, number=1)
    notices.enter_objection(key, objector="X", on=TODAY, by="li")
    notices.record_notice(
        key, NewNotice(sent_on=TODAY, channel=NoticeChannel.LETTER, reference="L-1"), by="li"
    )

    command.downgrade(build_config(database), BEFORE)

    assert read_ends(database) == ["2026-03-01", "2021-03-15"]
