"""The stored log: entries, tiles and head fit together; a start on one that does not is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Delete, Update, delete, insert, select, update

from node.core.log import (
    LogDamagedError,
    LogStore,
    extend_log,
    load_log,
    prove_consistency,
    prove_inclusion,
)
from node.core.log_tables import log_batch, log_head, log_tile
from node.core.writer import Writer
from protocol.checkpoint import Checkpoint, CheckpointSigner, open_checkpoint, sign_checkpoint
from protocol.errors import ProtocolError
from protocol.keys import SigningKey
from protocol.log_proof import verify_log_proof
from protocol.merkle import leaf_hash, verify_consistency
from protocol.note import SignatureKind, VerifierKey
from protocol.tile import TILE_WIDTH, TileCache, encode_bundle, parse_bundle
from tests.support.logs import KEY, ORIGIN, LogHouse, append

ENTRIES = 300  # one full tile and a partial one
VKEY = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=KEY.public)
SIGNER = CheckpointSigner(origin=ORIGIN, key=KEY)
OTHER_KEY = SigningKey(b"\x22" * 32)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LogHouse]:
    opened = LogHouse(path=tmp_path / "log.sqlite")
    yield opened
    opened.close()


def fill(house: LogHouse, *, count: int = ENTRIES) -> Writer:
    """Grow the log to a number of entries, the genesis entry among them."""
    writer = house.open()
    futures = [writer.submit(append(b"entry %d" % index)) for index in range(1, count)]
    for future in futures:
        future.result(timeout=10)
    return writer


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 300, 513])
def test_entries_tiles_and_head_fit_at_every_size(house: LogHouse, count: int) -> None:
    writer = fill(house, count=count)

    assert house.check() == count
    assert writer.state.edge.size == count


def test_a_start_finds_the_log_as_it_was(house: LogHouse) -> None:
    writer = fill(house)
    state = writer.state
    writer.close()
    house.writers.clear()

    again = house.open()

    assert (again.state.checkpoint, again.state.head) == (state.checkpoint, state.head)
    assert again.run(append(b"next")).index == ENTRIES
    assert house.check() == ENTRIES + 1


def test_every_entry_is_proven_under_the_head(house: LogHouse) -> None:
    writer = fill(house)
    entries = house.list_entries()
    with house.database.read() as uow:
        cache = TileCache(LogStore(uow.connection).read_tile)
        for index in (0, 1, 255, 256, ENTRIES - 1):
            proof = prove_inclusion(writer.state, cache, index=index, entry=entries[index])
            found, checkpoint = verify_log_proof(proof, entry=entries[index], trust=VKEY)
            assert (found, checkpoint.size) == (index, ENTRIES)
            with pytest.raises(ProtocolError):
                verify_log_proof(proof, entry=b"another", trust=VKEY)


@pytest.mark.parametrize("old_size", [1, 2, 255, 256, 257, 299, 300])
def test_a_head_is_proven_to_append_to_every_earlier_one(house: LogHouse, old_size: int) -> None:
    writer = house.open()
    roots = {1: writer.state.root}
    for index in range(1, ENTRIES):
        writer.run(append(b"entry %d" % index))
        roots[index + 1] = writer.state.root
    with house.database.read() as uow:
        proof = prove_consistency(writer.state, LogStore(uow.connection), old_size=old_size)

    verify_consistency(
        proof=proof,
        old_size=old_size,
        old_root=roots[old_size],
        new_size=ENTRIES,
        new_root=writer.state.root,
    )


def test_from_nothing_nothing_has_to_be_proven(house: LogHouse) -> None:
    writer = fill(house, count=3)
    with house.database.read() as uow:
        assert prove_consistency(writer.state, LogStore(uow.connection), old_size=0) == []


def sign(*, size: int, root: bytes, key: SigningKey = KEY, origin: str = ORIGIN) -> str:
    return sign_checkpoint(Checkpoint(origin=origin, size=size, root=root), key=key)


def change_head(**values: object) -> Update:
    return update(log_head).values(**values)


def change_batch(first: int, /, **values: object) -> Update:
    return update(log_batch).where(log_batch.c.first == first).values(**values)


DAMAGE: dict[str, Update | Delete] = {
    "newest entry": change_batch(ENTRIES - 1, entries=encode_bundle([b"another"])),
    "first entry of the partial tile": change_batch(256, entries=encode_bundle([b"another"])),
    "newest entry cut short": change_batch(ENTRIES - 1, entries=b"\x00\x07anoth"),
    "newest entry counted twice": change_batch(ENTRIES - 1, size=2),
    "newest entry gone": delete(log_batch).where(log_batch.c.first == ENTRIES - 1),
    "old entry gone": delete(log_batch).where(log_batch.c.first == 3),
    "entry of the partial tile moved": change_batch(290, first=1_000),
    "every entry gone": delete(log_batch),
    "full tile": update(log_tile).values(data=b"\x00" * 8192),
    "short tile": update(log_tile).values(data=b"\x00" * 32),
    "full tile gone": delete(log_tile),
    "head gone": delete(log_head),
    "size": change_head(size=ENTRIES - 1),
    "root": change_head(root=b"\x00" * 32),
    "no checkpoint": change_head(checkpoint="x"),
    "checkpoint of a shorter log": change_head(checkpoint=sign(size=1, root=leaf_hash(b"x"))),
    "checkpoint of another root": change_head(checkpoint=sign(size=ENTRIES, root=b"\x00" * 32)),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_start_on_a_damaged_log_is_refused(house: LogHouse, what: str) -> None:
    writer = house.open()
    for index in range(1, ENTRIES):  # one a batch, so that each is a row of its own
        writer.run(append(b"entry %d" % index))
    writer.close()
    house.writers.clear()
    house.execute(DAMAGE[what])

    with pytest.raises(LogDamagedError):
        house.open()


@pytest.mark.parametrize(
    ("key", "origin"), [(OTHER_KEY, ORIGIN), (KEY, "beta.example/chengxin/log/1")]
)
def test_a_head_signed_by_another_key_or_of_another_log_is_refused(
    house: LogHouse, key: SigningKey, origin: str
) -> None:
    writer = fill(house, count=3)
    root = writer.state.root
    writer.close()
    house.writers.clear()
    house.execute(change_head(checkpoint=sign(size=3, root=root, key=key, origin=origin)))

    with pytest.raises(LogDamagedError):
        house.open()


def test_an_entry_beyond_the_head_is_refused(house: LogHouse) -> None:
    fill(house).close()
    house.writers.clear()
    bundle = encode_bundle([b"x"])
    house.execute(insert(log_batch).values(first=ENTRIES, size=1, entries=bundle))

    with pytest.raises(LogDamagedError, match="beyond"):
        house.open()


def test_a_shorter_head_of_the_right_root_does_not_hide_what_follows(house: LogHouse) -> None:
    writer = fill(house, count=2)
    head = writer.state
    writer.run(append(b"entry 2"))
    writer.close()
    house.writers.clear()
    house.execute(change_head(size=2, root=head.root, checkpoint=head.checkpoint))

    with pytest.raises(LogDamagedError, match="beyond"):
        house.open()


def test_a_start_on_a_log_of_full_tiles_looks_at_the_newest_entries(house: LogHouse) -> None:
    fill(house, count=2 * TILE_WIDTH).close()
    house.writers.clear()
    with house.database.read() as uow:
        row = uow.connection.execute(select(log_batch).order_by(log_batch.c.first.desc())).first()
    assert row is not None
    entries = [b"another", *parse_bundle(row.entries, width=row.size)[1:]]
    house.execute(change_batch(row.first, entries=encode_bundle(entries)))

    with pytest.raises(LogDamagedError, match="256"):
        house.open()


@pytest.mark.parametrize("first", [0, 1, 2, 41, 42, 300, 599])
@pytest.mark.parametrize("count", [0, 1, 2, 40, 256, 300])
def test_entries_are_read_across_the_batches_that_they_came_in(
    house: LogHouse, first: int, count: int
) -> None:
    entries = [b"entry %d" % index for index in range(1_000)]
    with house.database.write() as uow:
        store = LogStore(uow.connection)
        state = load_log(store, origin=ORIGIN, key=KEY)
        for start, end in ((0, 1), (1, 41), (41, 42), (42, 642), (642, 1_000)):
            state = extend_log(state, entries[start:end], store=store, signer=SIGNER)

        assert store.list_entries(first=first, count=count) == entries[first : first + count]
        assert store.count_entries() == 1_000
    assert house.check() == 1_000


@pytest.mark.parametrize("first", [0, 5, 11])
def test_entries_that_are_not_all_there_are_not_returned(house: LogHouse, first: int) -> None:
    fill(house, count=12).close()
    house.execute(delete(log_batch).where(log_batch.c.first + log_batch.c.size > 10))

    with house.database.read() as uow, pytest.raises(LogDamagedError, match="not all there"):
        LogStore(uow.connection).list_entries(first=first, count=12 - first)


def test_an_empty_log_has_no_head_and_no_size(house: LogHouse) -> None:
    with house.database.read() as uow:
        store = LogStore(uow.connection)

        assert store.find_head() is None
        assert load_log(store, origin=ORIGIN, key=KEY).head.size == 0


def test_a_checkpoint_names_its_log(house: LogHouse) -> None:
    writer = fill(house, count=2)

    checkpoint = open_checkpoint(writer.state.checkpoint, vkey=VKEY)

    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 2)


def test_the_newest_cosigned_checkpoint_is_kept(house: LogHouse) -> None:
    with house.database.write() as uow:
        store = LogStore(uow.connection)
        assert store.find_witnessed() is None
        store.store_witnessed(size=5, checkpoint="five", at_s=10)
        store.store_witnessed(size=4, checkpoint="four", at_s=20)
        store.store_witnessed(size=5, checkpoint="five again", at_s=30)

        assert store.find_witnessed() == (5, "five again", 30)
