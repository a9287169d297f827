"""Encrypted fields: nothing of a value lies in the database, and what was changed does not open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from node.bootstrap.home import init_home, key_path, open_database, open_field_files
from node.bootstrap.local import build_local_node
from node.core.config import Settings, build_settings
from node.core.database import Database, DatabaseBusyError
from node.core.field_files import FIELD_KEY
from node.core.field_keys import BYTES_MARK, FieldCipher, FieldKey, FieldKeyError, is_encrypted
from node.core.fields import set_cipher
from node.core.keystore import draw_bytes
from node.records.customers import ContactRole
from node.records.store.customers import CustomerStore
from node.sharing.tables import payload
from protocol.encoding import encode_b64u
from tests.support.field_secrets import FixedSecrets
from tests.support.stores import sqlite_only

SEED = bytes(range(32))
COLUMN = "customer_contact.phone"
BODY = "payload.body"
SUBJECT = "consent.subject"
PHONE = "+86 21 5555 0199"


def make(seed: bytes = SEED) -> FieldCipher:
    return FieldCipher(secrets=FixedSecrets(seed), random_bytes=draw_bytes)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = build_settings(home=tmp_path / "home", member_id="beta.example")
    init_home(made, key_names=())
    return made


def enter_contact(settings: Settings) -> None:
    node = build_local_node(settings)
    node.records.add_customer(scheme="sim", value="A1", name="Hongda")
    node.customers.add_contact(1, role=ContactRole.CREDIT, name="吴敏", phone=PHONE, by="x")
    node.close()


def read_contact(settings: Settings) -> dict[str, object]:
    node = build_local_node(settings)
    try:
        (contact,) = node.customers.get_card(1).contacts
        return dict(contact.values)
    finally:
        node.close()


def read_raw(settings: Settings) -> list[tuple[str, str, str]]:
    database = Database(url=settings.database)
    with database.read() as uow:
        rows = uow.connection.exec_driver_sql("SELECT name, phone, email FROM customer_contact")
        found = [(row[0], row[1], row[2]) for row in rows]
    database.dispose()
    return found


@given(st.text())
def test_a_value_comes_back_and_is_stored_as_something_else_each_time(text: str) -> None:
    cipher = make()
    first, second = (cipher.encrypt(text, column=COLUMN) for _ in range(2))

    assert cipher.decrypt(first, column=COLUMN) == text
    assert first != second
    assert is_encrypted(first)


@given(st.binary())
def test_bytes_come_back_and_are_stored_as_something_else_each_time(plain: bytes) -> None:
    cipher = make()
    first, second = (cipher.encrypt_bytes(plain, column=BODY) for _ in range(2))

    assert cipher.decrypt_bytes(first, column=BODY) == plain
    assert first != second
    assert is_encrypted(first)


@given(st.text(min_size=1))
def test_what_is_searched_is_stored_the_same_under_each_key_and_otherwise_elsewhere(
    text: str,
) -> None:
    old, new = make(), make(bytes(32))
    both = FieldCipher(secrets=FixedSecrets(bytes(32), SEED), random_bytes=draw_bytes)
    stored = [one.encrypt_to_search(text, column=SUBJECT) for one in (new, old)]

    assert both.list_stored(text, column=SUBJECT) == [text, *stored]
    assert [both.decrypt_searched(one, column=SUBJECT) for one in stored] == [text, text]
    assert new.encrypt_to_search(text, column="exchange_out.subject") not in stored
    with pytest.raises(FieldKeyError):
        both.decrypt_searched(stored[0], column="exchange_out.subject")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_does_not_open(place: int, change: int) -> None:
    stored = bytearray(make().encrypt_bytes(b'{"tier":"full"}', column=BODY))
    mark = len(BYTES_MARK)  # Without it, a value is none of ours.
    stored[mark + place % (len(stored) - mark)] ^= change

    with pytest.raises(FieldKeyError):
        make().decrypt_bytes(bytes(stored), column=BODY)


def test_a_value_that_does_not_name_its_key_opens_under_an_older_one() -> None:
    gcm, nonce = FieldKey(SEED).gcm, bytes(12)
    stored = "f1." + encode_b64u(nonce + gcm.encrypt(nonce, PHONE.encode(), COLUMN.encode()))
    cipher = FieldCipher(secrets=FixedSecrets(bytes(32), SEED), random_bytes=draw_bytes)

    assert cipher.decrypt(stored, column=COLUMN) == PHONE


@pytest.mark.parametrize(
    "stored",
    ["f1.", "f1.AAAA", "f1.!!", "f1." + "A" * 80, "f2.", "f2.AAAAAAAA.", "f2.!!!!!!!!.AAAA"],
)
def test_what_is_no_value_of_ours_does_not_open(stored: str) -> None:
    with pytest.raises(FieldKeyError):
        make().decrypt(stored, column=COLUMN)


def test_a_changed_value_another_column_or_another_key_does_not_open() -> None:
    stored = make().encrypt(PHONE, column=COLUMN)
    changed = stored[:-1] + ("A" if stored[-1] != "A" else "Q")

    for cipher, value, column in (
        (make(), changed, COLUMN),
        (make(), stored, "customer_contact.email"),
        (make(bytes(32)), stored, COLUMN),
    ):
        with pytest.raises(FieldKeyError):
            cipher.decrypt(value, column=column)


def test_nothing_of_a_contact_lies_in_the_database_and_it_is_read_again(settings: Settings) -> None:
    enter_contact(settings)

    (raw,) = read_raw(settings)
    assert all(is_encrypted(value) for value in raw)
    path = Path(settings.database.removeprefix("sqlite:///"))
    stored = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    assert PHONE.encode() not in stored
    assert "吴敏".encode() not in stored
    assert read_contact(settings)["phone"] == PHONE


@sqlite_only
def test_what_was_stored_before_is_encrypted_at_the_next_start(settings: Settings) -> None:
    enter_contact(settings)
    database = Database(url=settings.database)
    with database.write() as uow:
        uow.connection.exec_driver_sql(
            "UPDATE customer_contact SET name = 'Wu', phone = '1', email = ''"
        )
    database.dispose()

    build_local_node(settings).close()

    (raw,) = read_raw(settings)
    assert all(is_encrypted(value) for value in raw)
    assert read_contact(settings) == {"role": "credit", "name": "Wu", "phone": "1", "email": ""}


def test_without_its_key_a_contact_is_a_typed_error_and_nothing_else_is_lost(
    settings: Settings,
) -> None:
    enter_contact(settings)
    key_path(settings.home, FIELD_KEY).unlink()

    node = build_local_node(settings)
    with pytest.raises(FieldKeyError, match="does not exist"):
        node.customers.get_card(1)
    with pytest.raises(FieldKeyError):  # Another key would part the contacts in two.
        node.customers.add_contact(1, role=ContactRole.CREDIT, name="Li", phone="1", by="x")
    assert node.records.get_customer(1).name == "Hongda"
    node.close()


class BusySecrets(FixedSecrets):
    """Asks the database whether a first key may be made, while another process writes."""

    def load(self) -> Sequence[bytes]:
        raise DatabaseBusyError("another process is writing into the database")


def test_a_key_that_cannot_be_loaded_now_is_no_fault_of_the_statement(settings: Settings) -> None:
    database = open_database(settings)
    set_cipher(database, FieldCipher(secrets=BusySecrets(), random_bytes=draw_bytes))
    message = {"msg": bytes(32), "body": b"x", "salt": bytes(32)}

    with pytest.raises(FieldKeyError, match="another process"), database.write() as uow:
        uow.connection.execute(insert(payload).values(message))
    database.dispose()


def test_the_key_is_made_once(settings: Settings) -> None:
    database = open_database(settings)
    first, second = (open_field_files(settings, database=database).load() for _ in range(2))
    database.dispose()

    assert first == second
    assert len(first) == 1


def test_a_database_opened_without_the_key_takes_no_such_value(settings: Settings) -> None:
    open_database(settings).dispose()
    plain = Database(url=settings.database)
    contact: dict[str, object] = {"role": "credit", "name": "Wu", "phone": "1", "email": ""}
    with plain.write() as uow, pytest.raises(FieldKeyError, match="without the key"):
        CustomerStore(uow.connection).append_fact("contact", 1, contact, by="x", at_ms=1)
    plain.dispose()
