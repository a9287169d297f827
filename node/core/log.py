"""A node's append-only log: entries, tiles and head move together (docs/protocol/log.md).

``LogStore`` holds all SQL of one log; ``node.core.log_list`` says which logs there are.
``LogState`` is the tree in memory as of a committed head; the writer builds the next one, stores
what it implies in one transaction and adopts it after the commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    func,
    insert,
    select,
    update,
)

from node.core.errors import InvariantError
from node.core.log_key import LogKey
from node.core.log_tables import log_batch, log_head, log_tile, log_witnessed
from node.core.statements import DriverStatement
from protocol.checkpoint import CheckpointSigner, open_checkpoint
from protocol.errors import ProtocolError
from protocol.log_proof import LogProof
from protocol.merkle import build_consistency, build_inclusion, leaf_hashes, root_from_nodes
from protocol.message import LogHead
from protocol.note import SignatureKind, VerifierKey
from protocol.tile import (
    EMPTY_EDGE,
    TILE_WIDTH,
    FullTile,
    RightEdge,
    TileCache,
    TileNodes,
    build_partial_tile,
    encode_bundle,
    load_edge,
    parse_bundle,
)

WITNESSED_ROWS_AT_ONCE = 500


class LogDamagedError(InvariantError):
    """The stored log contradicts its own signed head: nothing may be appended."""

    code = "log-damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Which of the node's logs, and its stretch of positions; an open one has no end yet."""

    number: int
    first: int
    end: int | None = None


FIRST_LOG = LogPlace(number=1, first=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """A log's row of ``log_head``."""

    origin: str
    size: int
    root: bytes
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """A tree and its signed head."""

    place: LogPlace
    vkey: VerifierKey
    edge: RightEdge
    root: bytes
    checkpoint: str

    @property
    def head(self) -> LogHead:
        """Return size and root, as envelopes state them."""
        return LogHead(size=self.edge.size, root=self.root)


class LogStore:
    """All SQL of one log, on one connection; an entry has the index that it has in that log."""

    def __init__(self, connection: Connection, place: LogPlace = FIRST_LOG) -> None:
        """Use the caller's transaction."""
        self._connection = connection
        self._place = place

    @property
    def place(self) -> LogPlace:
        """Return which log this is."""
        return self._place

    def find_head(self) -> StoredHead | None:
        """Return the head, None before the genesis entry."""
        row = self._connection.execute(_SELECT_HEAD, {"number": self._place.number}).one_or_none()
        if row is None:
            return None
        return StoredHead(
            origin=row.origin, size=row.size, root=row.root, checkpoint=row.checkpoint
        )

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """Return a tile, from the stored full ones or built from what lies below it.

        Raises:
            LogDamagedError: An entry or a full tile is missing.
        """
        if width == TILE_WIDTH:
            data = self._connection.execute(
                _SELECT_TILE, {"log": self._place.number, "level": level, "position": index}
            ).scalar_one_or_none()
            if data is None:
                raise LogDamagedError(f"tile {level}/{index} is missing")
            return bytes(data)
        if level > 0:
            return build_partial_tile(level, index, width, self.read_tile)
        return b"".join(leaf_hashes(self.list_entries(first=index * TILE_WIDTH, count=width)))

    def list_entries(self, *, first: int, count: int) -> list[bytes]:
        """Return the bytes of consecutive entries.

        Raises:
            LogDamagedError: They are not all there.
        """
        position = self._place.first + first
        end = position + count
        span = {"first": position, "end": end}
        entries: list[bytes] = []
        for row in self._connection.execute(_SELECT_BATCHES, span):
            if not row.first <= position < row.first + row.size:
                break
            bundle = _parse_batch(row)
            entries += bundle[position - row.first : end - row.first]
            position = row.first + row.size
        if len(entries) != count:
            raise LogDamagedError(f"entries {first} to {first + count} are not all there")
        return entries

    def append(self, entries: Sequence[bytes], *, first: int) -> None:
        """Insert entries in order, all of them in as few rows as can be."""
        for start in range(0, len(entries), TILE_WIDTH):
            part = entries[start : start + TILE_WIDTH]
            row = (self._place.first + first + start, len(part), encode_bundle(part))
            _INSERT_BATCH.execute(self._connection, row)

    def store_tiles(self, tiles: Sequence[FullTile]) -> None:
        """Insert tiles that became full."""
        for tile in tiles:
            _INSERT_TILE.execute(
                self._connection, (self._place.number, tile.level, tile.index, tile.data)
            )

    def create_head(self, *, origin: str, state: LogState) -> None:
        """Insert the first head."""
        self._connection.execute(
            insert(log_head).values(
                number=self._place.number,
                origin=origin,
                first=self._place.first,
                size=state.edge.size,
                root=state.root,
                checkpoint=state.checkpoint,
            )
        )

    def move_head(self, *, old_size: int, state: LogState) -> None:
        """Replace the head if it is still the one that the writer built on.

        Raises:
            LogDamagedError: Another writer moved or ended it: going on would fork the log.
        """
        moved = _UPDATE_HEAD.execute(
            self._connection,
            (state.edge.size, state.root, state.checkpoint, old_size, self._place.number),
        )
        if moved != 1:
            raise LogDamagedError(f"the head is not at {old_size}: a second writer is at work")

    def store_witnessed(self, *, size: int, checkpoint: str, at_s: int) -> None:
        """Keep a cosigned checkpoint, the newest of its size."""
        number = self._place.number
        self._connection.execute(
            log_witnessed.delete().where(
                log_witnessed.c.log == number, log_witnessed.c.size == size
            )
        )
        self._connection.execute(
            insert(log_witnessed).values(
                log=number, size=size, checkpoint=checkpoint, witnessed_at_s=at_s
            )
        )

    def find_witnessed(self) -> tuple[int, str, int] | None:
        """Return size, note and time of the newest cosigned checkpoint."""
        row = self._connection.execute(
            select(log_witnessed)
            .where(log_witnessed.c.log == self._place.number)
            .order_by(log_witnessed.c.size.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else (row.size, row.checkpoint, row.witnessed_at_s)

    def list_witnessed(self, *, size: int) -> Iterator[tuple[int, str, int]]:
        """Yield size, note and time of every cosigned checkpoint up to a size, the first first."""
        query = (
            select(log_witnessed)
            .where(log_witnessed.c.log == self._place.number, log_witnessed.c.size <= size)
            .order_by(log_witnessed.c.size)
            .execution_options(yield_per=WITNESSED_ROWS_AT_ONCE)
        )
        for row in self._connection.execute(query):
            yield row.size, row.checkpoint, row.witnessed_at_s

    def count_entries(self) -> int:
        """Return the number of stored entries."""
        query = _COUNT_ENTRIES.where(log_batch.c.first >= self._place.first)
        if self._place.end is not None:
            query = query.where(log_batch.c.first < self._place.end)
        count: int = self._connection.execute(query).scalar_one()
        return count


def extend_log(
    state: LogState, entries: Sequence[bytes], *, store: LogStore, signer: CheckpointSigner
) -> LogState:
    """Append entries in the caller's transaction and return the state to adopt after its commit.

    Raises:
        LogDamagedError: The stored head is not the one that ``state`` was built on.
    """
    leaves = leaf_hashes(entries)
    edge, tiles = state.edge.extend(leaves)
    root = edge.root
    checkpoint = signer.sign(size=edge.size, root=root)
    newer = LogState(
        place=state.place, vkey=state.vkey, edge=edge, root=root, checkpoint=checkpoint
    )
    # The head first: where a second writer was faster, that is what has to be told.
    if state.edge.size == 0:
        store.create_head(origin=signer.origin, state=newer)
    else:
        store.move_head(old_size=state.edge.size, state=newer)
    store.append(entries, first=state.edge.size)
    if tiles:
        store.store_tiles(tiles)
    return newer


def load_log(store: LogStore, *, origin: str, key: LogKey) -> LogState:
    """Rebuild the committed state and check it against its own signed head.

    Raises:
        LogDamagedError: Signature, origin, number of entries or root do not fit.
    """
    return read_log(store, vkey=log_vkey(origin, key))


def read_log(store: LogStore, *, vkey: VerifierKey) -> LogState:
    """Rebuild the committed state as ``load_log`` does, of a log that need not be ours to sign.

    Raises:
        LogDamagedError: As there.
    """
    stored = store.find_head()
    if stored is None:
        if store.count_entries():
            raise LogDamagedError("entries without a head")
        return build_empty_log(store.place, vkey=vkey)
    try:
        checkpoint = open_checkpoint(stored.checkpoint, vkey=vkey)
        edge = load_edge(stored.size, store.read_tile)
    except ProtocolError as err:
        raise LogDamagedError(err.detail) from err
    if (checkpoint.size, checkpoint.root) != (stored.size, stored.root) or edge.root != stored.root:
        raise LogDamagedError("the entries do not hash to the signed head")
    if store.count_entries() != stored.size:
        raise LogDamagedError("entries beyond the signed head, or missing below it")
    _check_newest(store, size=stored.size)
    return LogState(
        place=store.place, vkey=vkey, edge=edge, root=stored.root, checkpoint=stored.checkpoint
    )


def build_empty_log(place: LogPlace, *, vkey: VerifierKey) -> LogState:
    """Return the state of a log before its genesis entry."""
    return LogState(place=place, vkey=vkey, edge=EMPTY_EDGE, root=EMPTY_EDGE.root, checkpoint="")


def _check_newest(store: LogStore, *, size: int) -> None:
    # What a crash or a bad copy would hit first; of a partial tile the edge was made.
    if size % TILE_WIDTH == 0:
        index = size // TILE_WIDTH - 1
        check_tile(store, index=index)


def check_tile(store: LogStore, *, index: int) -> None:
    """Compare the entries under a full tile of level 0 with the hashes that were logged.

    Raises:
        LogDamagedError: One is not the one that was logged.
    """
    first = index * TILE_WIDTH
    leaves = leaf_hashes(store.list_entries(first=first, count=TILE_WIDTH))
    if b"".join(leaves) != store.read_tile(0, index, TILE_WIDTH):
        raise LogDamagedError(f"an entry from {first} on is not the one that was logged")


def _parse_batch(row: Row[Any]) -> list[bytes]:
    try:
        return parse_bundle(row.entries, width=row.size)
    except ProtocolError as err:
        raise LogDamagedError(f"entries from {row.first} on: {err.detail}") from err


def log_vkey(origin: str, key: LogKey) -> VerifierKey:
    """Return the verifier key of a log."""
    return VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key.public)


def prove_inclusion(state: LogState, cache: TileCache, *, index: int, entry: bytes) -> str:
    """Return the tlog-proof that travels beside a message; the entry is its ``extra`` line."""
    nodes = TileNodes(edge=state.edge, cache=cache)
    hashes = build_inclusion(index, state.edge.size, nodes.read_node)
    # Built from parts that are checked: format_log_proof would parse it all again on the hot path.
    return LogProof(index=index, hashes=tuple(hashes), note=state.checkpoint, extra=entry).text


def compute_root(state: LogState, store: LogStore, *, size: int) -> bytes:
    """Return the root that the log had at an earlier size, at most today's."""
    nodes = TileNodes(edge=state.edge, cache=TileCache(store.read_tile))
    return root_from_nodes(size, nodes.read_node)


def prove_consistency(state: LogState, store: LogStore, *, old_size: int) -> list[bytes]:
    """Return the proof that today's log appends to the one of ``old_size``; empty from size 0."""
    if old_size == 0:
        return []
    nodes = TileNodes(edge=state.edge, cache=TileCache(store.read_tile))
    return build_consistency(old_size, state.edge.size, nodes.read_node)


_SELECT_HEAD = select(log_head).where(log_head.c.number == bindparam("number"))
_SELECT_TILE = select(log_tile.c.data).where(
    log_tile.c.log == bindparam("log"),
    log_tile.c.level == bindparam("level"),
    log_tile.c.position == bindparam("position"),
)
_begins = log_batch.alias()
_SELECT_BATCHES = (
    select(log_batch)
    .where(
        # The batch that holds the first entry may begin before it.
        log_batch.c.first
        >= select(func.max(_begins.c.first))
        .where(_begins.c.first <= bindparam("first"))
        .scalar_subquery(),
        log_batch.c.first < bindparam("end"),
    )
    .order_by(log_batch.c.first)
)
_COUNT_ENTRIES = select(func.coalesce(func.sum(log_batch.c.size), 0))
_INSERT_BATCH = DriverStatement(insert(log_batch), names=("first", "size", "entries"))
_INSERT_TILE = DriverStatement(insert(log_tile), names=("log", "level", "position", "data"))
_UPDATE_HEAD = DriverStatement(
    update(log_head)
    .where(
        log_head.c.number == bindparam("old_number"),
        log_head.c.size == bindparam("old_size"),
        log_head.c.end_reason.is_(None),
    )
    .values(
        size=bindparam("new_size"),
        root=bindparam("new_root"),
        checkpoint=bindparam("new_checkpoint"),
    ),
    names=("new_size", "new_root", "new_checkpoint", "old_size", "old_number"),
)
