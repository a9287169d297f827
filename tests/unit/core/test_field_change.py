"""The fields' key is changed: killed anywhere, nothing is lost, and the next start finishes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from structlog.testing import capture_logs

from node.bootstrap.field_change import change_field_key
from node.bootstrap.home import init_home, open_database, open_field_files
from node.bootstrap.local import build_local_node
from node.core.backup import back_up, restore
from node.core.config import Settings, build_settings
from node.core.database import Database
from node.core.field_files import FIELD_KEY, FieldKeyFiles
from node.core.field_keys import BYTES_MARK, FieldCipher, FieldKeyError
from node.core.field_sweep import ROWS_AT_ONCE, change_key
from node.core.fields import get_cipher, set_cipher
from node.core.keyring import KeyFile, KeyRing
from node.core.keystore import KeyFileError, draw_bytes
from node.records.customers import ContactRole
from node.sharing.store import HeldConsent, SharingStore
from node.sharing.tables import payload
from protocol.consent import ConsentState
from tests.support.stores import FILE_NAME, ON_SQLITE, migrated_url, store_url

MESSAGES = 2 * ROWS_AT_ONCE + 50
MEMBER = "beta.example"
SUBJECT = "sim:S000003"
CONSENT = HeldConsent(
    hash=bytes(32), token="a.b.c", subject=SUBJECT, salt=b"\x07" * 32, consumer="alpha.example",
    provider=MEMBER, bundle="b", state=ConsentState.ACTIVE, seq=0, uses=0, window_start_s=0,
    window_uses=0, exp=1, delivered=True,
)  # fmt: skip


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    made = build_settings(home=home, member_id=MEMBER, database_url=migrated_url(home / FILE_NAME))
    init_home(made, key_names=())
    node = build_local_node(made)
    node.records.add_customer(scheme="sim", value="S000003", name="Hongda")
    node.customers.add_contact(1, role=ContactRole.CREDIT, name="吴敏", phone="1", by="x")
    with node.database.write() as uow:
        uow.connection.execute(insert(payload), [message(number) for number in range(MESSAGES)])
        SharingStore(uow.connection).add_consent(CONSENT, at_ms=1)
    node.close()
    return made


def message(number: int) -> dict[str, bytes]:
    name = number.to_bytes(32)
    return {"msg": name, "body": b'{"number":%d}' % number, "salt": name[::-1]}


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = open_database(settings)
    yield opened
    opened.dispose()


def check_readable(database: Database) -> None:
    """Everything is as it was entered, and is found."""
    with database.read() as uow:
        rows = uow.connection.execute(select(payload).order_by(payload.c.msg)).mappings()
        assert [dict(row) for row in rows] == [message(number) for number in range(MESSAGES)]
        store = SharingStore(uow.connection)
        assert store.list_consents(subject=SUBJECT) == [CONSENT]
        assert store.list_consents(subject="sim:S000004") == []
        assert store.list_consents(subject=f"{SUBJECT}\x00") == []  # PostgreSQL takes no such text


def list_heads(database: Database) -> set[bytes]:
    """Return the keys that values are stored under, as they name them."""
    with database.read() as uow:
        bodies = uow.connection.execute(text("SELECT body FROM payload")).scalars()
        found = {bytes(body)[: len(BYTES_MARK) + 6] for body in bodies}
        salt = uow.connection.execute(text("SELECT salt FROM consent")).scalar_one()
        return found | {bytes(salt)[: len(BYTES_MARK) + 6]}


def list_names(settings: Settings) -> list[str]:
    keys = settings.home / "keys"
    return sorted(str(path.relative_to(keys)) for path in keys.rglob(f"{FIELD_KEY}*"))


def test_everything_is_under_the_new_key_and_the_old_one_is_in_the_archive(
    settings: Settings, database: Database
) -> None:
    before = list_heads(database)

    changed = change_field_key(settings)

    after = list_heads(database)
    assert (len(before), len(after), before & after) == (1, 1, set())
    assert (changed.was_begun, changed.rows) == (False, MESSAGES + 2)  # a contact, a consent
    assert list_names(settings) == ["archive/fields.pem", "fields-2.pem"]
    assert change_field_key(settings).was_begun is False
    assert list_names(settings) == ["archive/fields-2.pem", "archive/fields.pem", "fields-3.pem"]
    (settings.home / "keys" / "archive" / "fields.pem").unlink()
    (settings.home / "keys" / "archive" / "fields-2.pem").unlink()
    again = open_database(settings)
    check_readable(again)  # Nothing asks for an old key.
    again.dispose()


class DyingFiles(FieldKeyFiles):
    """Ends before the old key is put away."""

    def archive_older(self) -> None:
        raise KilledError


def dying_draw(draws: int) -> Callable[[int], bytes]:
    left = iter(range(draws))

    def draw(count: int) -> bytes:
        if next(left, None) is None:
            raise KilledError
        return draw_bytes(count)

    return draw


@pytest.mark.parametrize(
    "draws",
    [
        pytest.param(0, id="before the first value"),
        pytest.param(3, id="within the first table"),
        pytest.param(5, id="within the first rows"),
        pytest.param(4 + 2 * ROWS_AT_ONCE, id="after some rows"),
        pytest.param(4 + 4 * ROWS_AT_ONCE + 20, id="within the last rows"),
        pytest.param(1_000_000, id="before the old key is put away"),
    ],
)
def test_killed_on_its_way_everything_is_read_and_the_next_start_finishes_it(
    settings: Settings, database: Database, draws: int
) -> None:
    files = DyingFiles(
        folder=settings.home / "keys",
        load_passphrase=(settings.home / "passphrase").read_text,
        may_make=lambda: False,
    )
    set_cipher(database, FieldCipher(secrets=files, random_bytes=dying_draw(draws)))
    with pytest.raises(KilledError):
        change_key(database, files)

    half = open_database(settings)
    check_readable(half)  # under whichever key
    assert list_names(settings) == ["fields-2.pem", "fields.pem"]
    build_local_node(settings).close()
    check_readable(half)
    assert list_heads(half) == {BYTES_MARK + get_key_id(half)}
    assert list_names(settings) == ["archive/fields.pem", "fields-2.pem"]
    half.dispose()


def get_key_id(database: Database) -> bytes:
    cipher = get_cipher(database.engine.dialect)
    return cipher.encrypt_bytes(b"", column="x")[len(BYTES_MARK) :][:6]


def test_called_again_it_finishes_the_change_that_was_begun(settings: Settings) -> None:
    database = open_database(settings)
    open_field_files(settings, database=database).add()
    database.dispose()

    changed = change_field_key(settings)

    assert (changed.was_begun, changed.rows) == (True, MESSAGES + 2)
    assert list_names(settings) == ["archive/fields.pem", "fields-2.pem"]


def test_what_a_running_node_writes_meanwhile_is_under_the_new_key(
    settings: Settings, database: Database
) -> None:
    check_readable(database)  # It has the old key in memory.
    change_field_key(settings)

    with database.write() as uow:
        uow.connection.execute(insert(payload), [message(MESSAGES)])
    with database.read() as uow:
        assert SharingStore(uow.connection).list_consents(subject=SUBJECT) == [CONSENT]

    assert len(list_heads(database)) == 1


def test_a_running_node_that_slept_through_two_changes_writes_under_the_newest_key(
    settings: Settings, database: Database
) -> None:
    check_readable(database)  # It has the first key in memory, and sees no file of the second.
    change_field_key(settings)
    change_field_key(settings)

    with database.write() as uow:
        uow.connection.execute(insert(payload), [message(MESSAGES)])

    assert len(list_heads(database)) == 1


def test_a_backup_from_before_is_read_with_the_archived_key(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    back_up(database, tmp_path / "copy", member=MEMBER, at_ms=1)
    database.dispose()
    change_field_key(settings)
    other = tmp_path / "other" / FILE_NAME
    other.parent.mkdir()
    url = f"sqlite:///{other}" if ON_SQLITE else store_url(other)
    restore(tmp_path / "copy", url=url, member=MEMBER)
    restored = build_settings(home=settings.home, member_id=MEMBER, database_url=url)
    away = settings.home / "fields.pem"
    archived = settings.home / "keys" / "archive" / "fields.pem"
    archived.replace(away)

    with capture_logs() as logs:
        build_local_node(restored).close()
    opened = open_database(restored)
    with pytest.raises(FieldKeyError, match="which is not here"):
        check_readable(opened)
    assert [log["event"] for log in logs] == ["fields_not_settled"]

    away.replace(archived)
    build_local_node(restored).close()
    check_readable(opened)
    assert len(list_heads(opened)) == 1
    opened.dispose()


def test_what_was_stored_before_is_encrypted_byte_for_byte_whatever_it_looks_like(
    settings: Settings, database: Database
) -> None:
    head = next(iter(list_heads(database)))
    crafted = head + b"a peer may have sent these bytes"
    with database.write() as uow:
        plain = {"body": crafted, "salt": b"\x00f2." + b"s" * 28, "msg": message(1)["msg"]}
        uow.connection.execute(
            text("UPDATE payload SET body = :body, salt = :salt WHERE msg = :msg"), plain
        )
        uow.connection.execute(
            text("UPDATE consent SET subject = :subject, salt = :salt"),
            {"subject": SUBJECT, "salt": CONSENT.salt},
        )
        assert SharingStore(uow.connection).list_consents(subject=SUBJECT) == [CONSENT]
        uow.connection.execute(text("DELETE FROM field_key"))

    build_local_node(settings).close()

    with database.read() as uow:
        row = (
            uow.connection.execute(select(payload).where(payload.c.msg == plain["msg"]))
            .mappings()
            .one()
        )
        assert dict(row) == plain
        assert SharingStore(uow.connection).list_consents(subject=SUBJECT) == [CONSENT]
        stored = uow.connection.execute(text("SELECT subject FROM consent")).scalar_one()
    assert SUBJECT not in stored
    assert list_heads(database) == {head}


def test_another_key_of_the_same_name_in_the_archive_is_not_overwritten(
    settings: Settings,
) -> None:
    change_field_key(settings)
    keys = settings.home / "keys"
    lost = (keys / "fields-2.pem").read_bytes()
    (keys / "fields-2.pem").rename(keys / "fields.pem")  # By hand, under a name that is taken.
    database = open_database(settings)
    open_field_files(settings, database=database).add()

    with pytest.raises(KeyFileError, match="another key"):
        open_field_files(settings, database=database).archive_older()
    assert (keys / "fields.pem").read_bytes() == lost
    database.dispose()
    with capture_logs() as logs:
        build_local_node(settings).close()  # The node starts all the same, and says so.
    assert [log["event"] for log in logs] == ["fields_not_settled"]


class SlowRing(KeyRing):
    """Another process archives the keys after they were listed here."""

    def load_present(self) -> list[KeyFile]:
        found = super().load_present()
        for file in found[:-1]:
            self.path(file.number).replace(self._folder / "archive" / self.path(file.number).name)
        return found


def test_two_that_archive_at_once_do_not_trip_each_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(settings)
    files = open_field_files(settings, database=database)
    files.add()
    (settings.home / "keys" / "archive").mkdir()
    monkeypatch.setattr("node.core.field_files.KeyRing", SlowRing)

    files.archive_older()

    assert list_names(settings) == ["archive/fields.pem", "fields-2.pem"]
    database.dispose()
