"""Persons of an older schema: encrypted by the first start, and back in the clear with the key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from node.assessment.application.rules_application import Reference, ReferenceKind
from node.bootstrap.home import init_home, open_database, open_field_files
from node.bootstrap.local import build_local_node
from node.core.config import Settings, build_settings
from node.core.database import Database
from node.core.field_keys import FieldCipher, FieldKeyError
from node.core.fields import set_cipher
from node.core.keystore import draw_bytes
from node.core.migrations import build_config, upgrade_database
from tests.support.outside import make_application
from tests.support.stores import FILE_NAME, store_url
from tests.support.traces import list_traces

BEFORE = "0039"
NAME = "王小明五金商行"
NUMBER = "92330106MA2CFLB30M"
COMPANY = "Hongda Trading"
OBJECTOR = "王小明"
PHONE = "13800000000"
SUBJECT = "sim:S000003"
TEXTS = (NAME, NUMBER, OBJECTOR, SUBJECT)
OLD = (
    (
        "INSERT INTO customer (id, scheme, value, name, country, kind, entered_at_ms) VALUES"
        " (1, 'uscc', :number, :name, 'CN', 'company', 1),"
        " (2, 'erp', 'A2', :company, 'CN', 'company', 1),"
        " (3, 'erp', 'A3', :name, 'CN', 'person', 1),"
        " (4, 'erp', 'A4', :company, 'CN', 'company', 1)"
    ),
    (
        "INSERT INTO customer_identifier (customer_id, scheme, value, entered_by, entered_at_ms)"
        " VALUES (4, 'uscc', :number, 'li', 1)"
    ),
    (
        "INSERT INTO customer_name (customer_id, kind, name, entered_by, entered_at_ms)"
        " VALUES (1, 'trade', :name, 'li', 1), (2, 'trade', :company, 'li', 1)"
    ),
    (
        "INSERT INTO customer_merge (customer_id, into_id, reason, entered_by, entered_at_ms)"
        " VALUES (4, 1, 'one', 'li', 1)"
    ),
    (
        "INSERT INTO adverse_event (id, customer_id, kind, happened_on, evidence_sha256_hex,"
        " entered_at_ms) VALUES (1, 1, 'legal', '2026-01-01', 'ab', 1)"
    ),
    (
        "INSERT INTO adverse_objection (event_id, objected_on, objector, entered_by,"
        " entered_at_ms) VALUES (1, '2026-01-01', :objector, 'li', 1)"
    ),
    (
        "INSERT INTO release (subject, months, made_for_month, body, basis) VALUES"
        " (:subject, 3, 1, :body, 'b'), (:subject, 12, 1, '', 'b')"
    ),
    (
        "INSERT INTO release_withdrawn (subject, months, made_for_month, body, basis,"
        " withdrawn_at_ms) VALUES (:subject, 3, 1, :body, 'b', 1)"
    ),
    "INSERT INTO overdue_day (subject, as_of, oldest) VALUES (:subject, '2026-01-01', 'none')",
)
VALUES = {
    "number": NUMBER,
    "name": NAME,
    "company": COMPANY,
    "objector": OBJECTOR,
    "subject": SUBJECT,
    "body": '{"subject":"sim:S000003"}',
}
# PostgreSQL's indexes of persons' numbers are rebuilt with them; the rows are what is compared.
TABLES = (
    "customer", "customer_identifier", "customer_name", "adverse_objection", "release",
    "release_withdrawn", "overdue_day",
)  # fmt: skip
Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    made = build_settings(
        home=home, member_id="a.example", database_url=store_url(home / FILE_NAME)
    )
    init_home(made, key_names=())
    return made


@pytest.fixture
def old(settings: Settings) -> Iterator[Database]:
    database = Database(url=settings.database)
    command.upgrade(build_config(database), BEFORE)
    with database.write() as uow:
        for statement in OLD:
            names = {name: value for name, value in VALUES.items() if f":{name}" in statement}
            uow.connection.execute(text(statement), names)
    yield database
    database.dispose()


def read_rows(database: Database) -> Rows:
    with database.read() as uow:
        return {
            table: sorted(
                (tuple(row) for row in uow.connection.execute(text(f"SELECT * FROM {table}"))),  # noqa: S608  our own names
                key=repr,
            )
            for table in TABLES
        }


def read_applicants(database: Database) -> tuple[str, ...]:
    with database.read() as uow:
        (applicant,) = uow.connection.execute(
            text("SELECT applicant FROM credit_application_version")
        ).scalars()
        (speaks,) = uow.connection.execute(
            text("SELECT name, contact FROM credit_application_reference")
        )
    return (applicant, *speaks)


def start(settings: Settings) -> list[int]:
    node = build_local_node(settings)
    try:
        return [one.customer_id for one in node.records.list_customers()]
    finally:
        node.close()


def test_the_first_start_encrypts_persons_and_nobody_else(
    settings: Settings, old: Database
) -> None:
    assert len(list_traces(old, settings.home, TEXTS)) > len(TABLES)

    assert start(settings) == [1, 2, 3]

    assert list_traces(old, settings.home, TEXTS) == []
    with old.read() as uow:
        clear = uow.connection.execute(text("SELECT id FROM customer WHERE value = 'A2'"))
        assert list(clear.scalars()) == [2]
        sealed = uow.connection.execute(text("SELECT owner_id FROM sealed_owner"))
        assert sorted(sealed.scalars()) == [1, 3, 4]  # 4 was merged into 1
    node = build_local_node(settings)
    assert node.records.get_named_customer(f"uscc:{NUMBER}").name == NAME
    assert node.records.get_named_customer("erp:A3").name == NAME
    assert node.records.get_named_customer("erp:A2").name == COMPANY
    node.close()


def test_the_schema_goes_back_with_the_key_and_every_row_is_as_it_was(
    settings: Settings, old: Database
) -> None:
    before = read_rows(old)
    start(settings)
    assert read_rows(old) != before

    with_key = open_database(settings)
    command.downgrade(build_config(with_key), BEFORE)
    with_key.dispose()

    assert read_rows(old) == before
    assert start(settings) == [1, 2, 3]
    assert list_traces(old, settings.home, TEXTS) == []


def test_who_applied_is_in_the_clear_again_in_the_schema_before(settings: Settings) -> None:
    node = build_local_node(settings)
    node.records.add_customer(scheme="erp", value="A1", name=COMPANY, country="CN")
    speaks = Reference(kind=ReferenceKind.BANK, name=NAME, contact=PHONE)
    node.applications.enter(1, make_application(applicant=OBJECTOR, references=(speaks,)), by="li")
    node.close()
    database = open_database(settings)
    assert not {OBJECTOR, NAME, PHONE}.intersection(read_applicants(database))

    command.downgrade(build_config(database), "0041")
    assert read_applicants(database) == (OBJECTOR, NAME, PHONE)

    build_local_node(settings).close()
    assert not {OBJECTOR, NAME, PHONE}.intersection(read_applicants(database))
    database.dispose()


def test_without_the_key_the_schema_does_not_go_back(settings: Settings, old: Database) -> None:
    start(settings)
    sealed = read_rows(old)

    with pytest.raises(FieldKeyError):
        command.downgrade(build_config(old), BEFORE)

    assert read_rows(old) == sealed
    upgrade_database(old)


def test_a_node_without_its_key_goes_on_and_the_next_start_encrypts(
    settings: Settings, old: Database
) -> None:
    start(settings)
    files = open_field_files(settings, database=old)
    key = next((settings.home / "keys").glob("fields*.pem"))
    away = key.rename(settings.home / "fields.away")
    set_cipher(old, FieldCipher(secrets=files, random_bytes=draw_bytes))
    with old.write() as uow:
        uow.connection.execute(text("DELETE FROM field_key WHERE table_name = 'sealed_owner'"))
        uow.connection.execute(
            text(
                "INSERT INTO customer (id, scheme, value, name, country, kind, entered_at_ms)"
                " VALUES (9, 'uscc', '92330106MA2CFLB31K', 'Li', 'CN', 'company', 1)"
            )
        )

    build_local_node(settings).close()
    assert list_traces(old, settings.home, ("92330106MA2CFLB31K",)) != []

    away.rename(key)
    build_local_node(settings).close()
    assert list_traces(old, settings.home, ("92330106MA2CFLB31K",)) == []
