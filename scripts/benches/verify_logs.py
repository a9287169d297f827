"""A member's log as its writer keeps it, for the bundles of the bench."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.entry import KnownKind, format_entry
from protocol.keys import SigningKey
from protocol.log_proof import format_log_proof
from protocol.merkle import build_inclusion, leaf_hash
from protocol.message import LogHead
from protocol.note import SignatureKind, VerifierKey
from protocol.tile import (
    EMPTY_EDGE,
    TILE_WIDTH,
    RightEdge,
    TileCache,
    TileNodes,
    encode_bundle,
    list_tiles,
    tile_path,
)


@dataclass(slots=True)
class Log:
    """A member's log, as its writer keeps it: the edge in memory, tiles and entries in files."""

    member: str
    folder: Path
    key: SigningKey
    edge: RightEdge = EMPTY_EDGE
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    waiting: list[bytes] = field(default_factory=list)
    note: str = ""
    cache: TileCache = field(init=False)

    def __post_init__(self) -> None:
        self.cache = TileCache(lambda level, index, _: self.tiles[level, index])

    @property
    def origin(self) -> str:
        """Return the log's name."""
        return f"{self.member}/chengxin/log/1"

    @property
    def vkey(self) -> VerifierKey:
        """Return the log's key."""
        return VerifierKey(name=self.origin, kind=SignatureKind.ED25519, public=self.key.public)

    @property
    def head(self) -> LogHead:
        """Return size and root."""
        return LogHead(size=self.edge.size, root=self.edge.root)

    def append(self, entries: list[KnownKind]) -> list[tuple[int, bytes]]:
        """Commit a batch under one checkpoint; return index and bytes of each entry."""
        raws = [format_entry(entry) for entry in entries]
        first = self.edge.size
        self.edge, full = self.edge.extend([leaf_hash(raw) for raw in raws])
        for tile in full:
            self.tiles[tile.level, tile.index] = tile.data
        self.note = sign_checkpoint(self.checkpoint(), key=self.key)
        self.waiting += raws
        while len(self.waiting) >= TILE_WIDTH:
            index = (self.edge.size - len(self.waiting)) // TILE_WIDTH
            self._write_entries(index, self.waiting[:TILE_WIDTH])
            del self.waiting[:TILE_WIDTH]
        return list(enumerate(raws, start=first))

    def prove(self, index: int, raw: bytes) -> str:
        """Return the proof of an entry under the newest checkpoint."""
        nodes = TileNodes(edge=self.edge, cache=self.cache)
        hashes = build_inclusion(index, self.edge.size, nodes.read_node)
        return format_log_proof(index=index, hashes=hashes, note=self.note, extra=raw)

    def checkpoint(self) -> Checkpoint:
        """Return the newest checkpoint."""
        return Checkpoint(origin=self.origin, size=self.edge.size, root=self.edge.root)

    def finish(self) -> None:
        """Write what is left: partial tiles, and all hash tiles."""
        if self.waiting:
            self._write_entries(self.edge.size // TILE_WIDTH, self.waiting)
        nodes = TileNodes(edge=self.edge, cache=self.cache)
        for tile in list_tiles(self.edge.size):
            data = nodes.read_tile(tile.level or 0, tile.index, tile.width)
            write_file(self.folder / tile.path, data)

    def _write_entries(self, index: int, raws: list[bytes]) -> None:
        path = tile_path(None, index, len(raws))
        write_file(self.folder / path, encode_bundle(raws))


def write_file(path: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
