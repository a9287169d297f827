"""Messages and consents of an older schema: encrypted by the first start, and as they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from node.bootstrap.home import init_home, open_database
from node.bootstrap.local import build_local_node
from node.core.config import Settings, build_settings
from node.core.database import Database
from node.core.migrations import build_config
from node.sharing.store import SharingStore
from node.sharing.store.received import ReceivedStore
from tests.support.stores import FILE_NAME, store_url

BEFORE = "0030"
SUBJECT = "sim:S000003"
BODY = b'{"tier":"full"}'
SALT = b"s" * 32
NAMES = {"one": b"1" * 32, "two": b"2" * 32, "jti": b"j" * 16, "body": BODY, "salt": SALT}
OLD = (
    (
        "INSERT INTO consent (hash, token, subject, salt, consumer, provider, bundle, state, seq,"
        " uses, window_start_s, window_uses, exp, held_at_ms, delivered) VALUES (:one, 'a.b.c',"
        " 'sim:S000003', :salt, 'a.example', 'b.example', 'b', 'active', 0, 0, 0, 0, 9, 1, true)"
    ),
    (
        "INSERT INTO exchange_out (jti, peer, op, msg, consent, subject, request_env,"
        " request_inclusion, seq, at_ms, ans, code, answer_env, answer_inclusion, answered_at_ms)"
        " VALUES (:jti, 'b.example', 'query', :one, :one, 'sim:S000003', 'e', 'i', 1, 1, :two,"
        " '200', 'f', 'j', 2)"
    ),
    (
        "INSERT INTO received_summary (msg, item, provider, subject, consent, received_on)"
        " VALUES (:two, 0, 'b.example', 'sim:S000003', :one, '2026-03-01')"
    ),
    "INSERT INTO payload (msg, body, salt) VALUES (:two, :body, :salt)",
)
SUBJECTS = ("consent", "exchange_out", "received_summary")


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
            names = {name: value for name, value in NAMES.items() if f":{name}" in statement}
            uow.connection.execute(text(statement), names)
    yield database
    database.dispose()


def test_the_first_start_encrypts_them_and_they_are_read_and_found(
    settings: Settings, old: Database
) -> None:
    build_local_node(settings).close()

    with old.read() as uow:
        raw = [
            uow.connection.execute(text(f"SELECT subject FROM {table}")).scalar_one()  # noqa: S608  our own names
            for table in SUBJECTS
        ]
        kept = uow.connection.execute(text("SELECT body, salt FROM payload")).one()
    assert [SUBJECT in stored for stored in raw] == [False] * 3
    assert len(set(raw)) == 3  # Nothing shows that they are of one subject.
    assert (BODY in bytes(kept[0]), SALT in bytes(kept[1])) == (False, False)
    database = open_database(settings)
    with database.read() as uow:
        store = SharingStore(uow.connection)
        (held,) = store.list_consents(subject=SUBJECT)
        assert (held.subject, held.salt) == (SUBJECT, SALT)
        assert [row.subject for row in store.list_outgoing(subject=SUBJECT)] == [SUBJECT]
        inbox = ReceivedStore(uow.connection)
        (received,) = inbox.list_received([SUBJECT])
        assert received.token == "a.b.c"
        assert list(inbox.list_bodies([bytes(received.msg)]).values()) == [BODY]
        reply = store.find_reply(NAMES["jti"])
        assert reply is not None
        assert (reply.body, reply.salt) == (BODY, SALT)
    database.dispose()


def test_the_schema_goes_back_and_forth_and_the_rows_stay(
    settings: Settings, old: Database
) -> None:
    open_database(settings).dispose()
    command.downgrade(build_config(old), BEFORE)

    with old.read() as uow:
        rows = [uow.connection.execute(text(f"SELECT * FROM {table}")).one() for table in SUBJECTS]  # noqa: S608  our own names
    assert [SUBJECT in row for row in rows] == [True] * 3
    command.upgrade(build_config(old), "head")
