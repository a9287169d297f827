"""That the tests' stores share compiled statements hides nothing: each keeps its own cipher."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Text, literal, select, type_coerce

from node.core.database import Database
from node.core.field_keys import FieldCipher, FieldKeyError
from node.core.fields import EncryptedText, set_cipher
from tests.support.compiled import SharedStatements
from tests.support.field_secrets import FixedSecrets
from tests.support.stores import migrated_url

KIND = EncryptedText("table.column")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[Database]]:
    opened = [Database(url=migrated_url(tmp_path / f"{number}.sqlite")) for number in range(3)]
    yield opened
    for database in opened:
        database.dispose()


def test_each_store_encrypts_and_reads_under_its_own_key(stores: list[Database]) -> None:
    first, second, without = stores
    for number, database in enumerate((first, second)):
        secrets = FixedSecrets(bytes([number]) * 32)
        set_cipher(database, FieldCipher(secrets=secrets, random_bytes=bytes))

    def encrypt(database: Database) -> str:
        with database.read() as uow:
            entered = select(literal("word", KIND)).scalar_subquery()
            stored = select(type_coerce(entered, Text))
            return str(uow.connection.execute(stored).scalar_one())

    def read(database: Database, stored: str) -> str:
        with database.read() as uow:
            held = select(literal(stored, Text)).scalar_subquery()
            plain = select(type_coerce(held, KIND))
            return str(uow.connection.execute(plain).scalar_one())

    one, other = encrypt(first), encrypt(second)

    assert one != other
    assert (read(first, one), read(second, other)) == ("word", "word")
    with pytest.raises(FieldKeyError):
        read(second, one)
    with pytest.raises(FieldKeyError):
        read(without, one)


def test_what_one_store_has_compiled_another_uses(stores: list[Database]) -> None:
    caches = [one.engine.get_execution_options()["compiled_cache"] for one in stores]
    shared = caches[0]._shared
    statement = select(literal("a word of this test alone").label("of_this_test_alone"))
    counts = []
    for database in stores:
        with database.read() as uow:
            uow.connection.execute(statement)
        counts.append(len(shared))

    assert all(isinstance(one, SharedStatements) and one._shared is shared for one in caches)
    assert counts[0] == counts[1] == counts[2]
