"""A log and its writer without the rest of a node, and an independent check of what is stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from node.core.clock import ManualClock
from node.core.database import BUSY_TIMEOUT_MS, Database
from node.core.decision import Batch, Decided, Decision, Placement
from node.core.log import LogStore, load_log
from node.core.log_tables import log_tile, log_witnessed
from node.core.writer import Writer
from protocol.checkpoint import open_checkpoint
from protocol.keys import SigningKey
from protocol.merkle import leaf_hash, node_hash
from protocol.note import SignatureKind, VerifierKey
from tests.support.second_opinion import check_stored_log
from tests.support.stores import migrated_url

ORIGIN = "alpha.example/chengxin/log/1"
KEY = SigningKey(b"\x21" * 32)
NOW_MS = 1_790_000_000_000


@dataclass(kw_only=True)
class LogHouse:
    """One database file and the writers opened on it."""

    path: Path
    url: str = ""
    """Of the store; without one, of that which stands for the path."""
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW_MS))
    writers: list[Writer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.url = self.url or migrated_url(self.path)
        self.database = self.open_database()

    def open_database(self, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Database:
        return Database(url=self.url, busy_timeout_ms=busy_timeout_ms)

    def open(
        self,
        database: Database | None = None,
        *,
        timer_s: Callable[[], float] = time.monotonic,
    ) -> Writer:
        writer = Writer(
            database=database or self.database,
            clock=self.clock,
            origin=ORIGIN,
            member_id="alpha.example",
            key=KEY,
            timer_s=timer_s,
        )
        self.writers.append(writer)
        return writer

    def open_quick(self) -> Writer:
        """Open one whose decisions and commits take no time: it commits in the loop's own turn."""
        writer = self.open(timer_s=lambda: 0.0)

        async def commit_once() -> None:
            await writer.submit_async(do_nothing)

        asyncio.run(commit_once())
        return writer

    def open_slow(self) -> Writer:
        """Open one whose decisions and commits take long: a thread commits what a loop submits."""
        return self.open(timer_s=count().__next__)

    def close(self) -> None:
        for writer in self.writers:
            writer.close()
        self.database.dispose()

    def list_entries(self) -> list[bytes]:
        with self.database.read() as uow:
            store = LogStore(uow.connection)
            return store.list_entries(first=0, count=store.count_entries())

    def execute(self, statement: Any) -> None:  # noqa: ANN401  any statement of the library's many kinds
        with self.database.write() as uow:
            uow.connection.execute(statement)

    def check(self) -> int:
        """Recompute the root from the bytes of the entries and compare it with the signed head."""
        with self.database.read() as uow:
            head = LogStore(uow.connection).find_head()
            tiles = uow.connection.execute(select(log_tile)).all()
            load_log(LogStore(uow.connection), origin=ORIGIN, key=KEY)
        entries = self.list_entries()
        assert head is not None
        stored = [leaf_hash(entry) for entry in entries]
        assert (head.size, head.root) == (len(entries), hash_tree(stored))
        vkey = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=KEY.public)
        checkpoint = open_checkpoint(head.checkpoint, vkey=vkey)
        assert (checkpoint.size, checkpoint.root) == (head.size, head.root)
        for tile in tiles:
            if tile.level == 0:
                first = tile.position * 256
                assert bytes(tile.data) == b"".join(stored[first : first + 256])
        check_stored_log(self.database, vkey=vkey)
        return head.size


def hash_tree(leaves: list[bytes]) -> bytes:
    """Return the RFC 6962 root, straight from its definition."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(hash_tree(leaves[:split]), hash_tree(leaves[split:]))


def append(entry: bytes) -> Decision[Placement]:
    """Return a decision that appends an entry and gives back where it came to stand."""

    def finish(placement: Placement | None) -> Placement:
        assert placement is not None
        assert placement.inclusion  # Proven now, since afterwards is too late.

        return placement

    return lambda _batch: Decided(entry=entry, finish=finish)


class OwnError(Exception):
    """What a decision of the tests raises."""


def before_commits(database: Database, note: Callable[[], object]) -> None:
    """Have something done whenever a commit is about to reach the driver."""
    dialect = database.engine.dialect
    commit = dialect.do_commit

    def note_and_commit(connection: Any) -> None:  # noqa: ANN401  a DBAPI connection has no common type
        note()
        commit(connection)

    dialect.do_commit = note_and_commit  # type: ignore[method-assign,assignment]  # the double


def count_commits(house: LogHouse) -> list[int]:
    commits: list[int] = []
    before_commits(house.database, lambda: commits.append(1))
    return commits


def write_row(size: int) -> Decision[int]:
    def decide(batch: Batch) -> Decided[int]:
        row = {"log": 1, "size": size, "checkpoint": "x", "witnessed_at_s": 1}
        batch.connection.execute(insert(log_witnessed).values(**row))
        return Decided(entry=None, finish=lambda _placement: size)

    return decide


def list_rows(house: LogHouse) -> list[int]:
    with house.database.read() as uow:
        return sorted(uow.connection.execute(select(log_witnessed.c.size)).scalars())


def fail(effect: Decision[Any]) -> Decision[Any]:
    def decide(batch: Batch) -> Decided[Any]:
        effect(batch)
        raise OwnError

    return decide


def do_nothing(_batch: Batch) -> Decided[None]:
    return Decided(entry=None, finish=lambda _placement: None)
