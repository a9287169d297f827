"""The tree as tiles (C2SP tlog-tiles): paths, entry bundles, the right edge, nodes read from tiles.

A full tile never changes. What still grows is the right edge: for each tile level the incomplete
tile with its inner nodes, held in memory. An append costs one hash a leaf, and a proof near the
head reads and hashes next to nothing. All values are immutable but the cache: a writer builds a new
edge, stores its full tiles, and adopts the edge after its commit.

Tiles are not trusted here: whoever loads an edge compares its root with a verified checkpoint, and
a proof from a wrong tile does not verify.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

from protocol.errors import MalformedError
from protocol.limits import HASH_BYTES, LOG_ENTRY_FORMAT_BYTES_MAX, TILE_CACHE_TILES, TREE_SIZE_MAX
from protocol.merkle import Frontier, TreeShapeError, join_subtrees

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES
TILE_LEVEL_MAX = 63
LENGTH_PREFIX_BYTES = 2

ReadTile = Callable[[int, int, int], bytes]
"""``read_tile(level, index, width)``: the concatenated hashes of one tile."""

_pack_length = Struct(">H").pack
_split_pairs = Struct(f"{2 * HASH_BYTES}s").iter_unpack

_Rows = tuple[bytes, ...]  # Nodes of height 0 to 7; the top of a full tile is the next level's.
_EMPTY_ROWS: _Rows = (b"",) * TILE_HEIGHT

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


class TilePathError(MalformedError):
    """Not the path of a tile or entry bundle."""

    code = "tile-path-malformed"


class TileError(MalformedError):
    """A tile or entry bundle has not the content that its path promises."""

    code = "tile-malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TileAddress:
    """Which tile; ``level`` None is the bundle of entries under the level 0 tile of that index."""

    level: int | None
    index: int
    width: int

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            TilePathError: No tree that we handle has such a tile.
        """
        if self.level is not None and not 0 <= self.level <= TILE_LEVEL_MAX:
            raise TilePathError(f"no tile level {self.level}")
        if not 0 <= self.index <= TREE_SIZE_MAX // TILE_WIDTH or not 0 < self.width <= TILE_WIDTH:
            raise TilePathError(f"no tile {self.index} of width {self.width}")

    @property
    def path(self) -> str:
        """Return the path below the log's prefix, as ``tile/0/x001/x234/067.p/5``."""
        level = "entries" if self.level is None else str(self.level)
        name = f"{self.index % 1000:03d}"
        rest = self.index // 1000
        while rest:
            name = f"x{rest % 1000:03d}/{name}"
            rest //= 1000
        suffix = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{name}{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTile:
    """A tile that will never change again: 8,192 bytes to store."""

    level: int
    index: int
    data: bytes


def tile_path(level: int | None, index: int, width: int) -> str:
    """Return the path of a tile, or with level None of an entry bundle.

    Raises:
        TilePathError: No tree has such a tile.
    """
    return TileAddress(level=level, index=index, width=width).path


def parse_tile_path(path: str) -> TileAddress:
    """Read a path, accepting exactly what ``tile_path`` would write.

    Raises:
        TilePathError: Another form, or no such tile.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise TilePathError("not a tile path")
    level = None if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("/", "").replace("x", ""))
    address = TileAddress(level=level, index=index, width=int(match["width"] or TILE_WIDTH))
    if address.path != path:  # A leading x000 or a .p/256 is a second name of one tile.
        raise TilePathError("not the one path of this tile")
    return address


def list_tiles(size: int) -> Iterator[TileAddress]:
    """Yield every hash tile of a tree: at each level the full ones, then the partial one if any.

    Raises:
        TreeShapeError: The size is outside the range.
    """
    if not 0 <= size <= TREE_SIZE_MAX:
        raise TreeShapeError(f"no tree has {size} leaves")
    level, count = 0, size
    while count:
        full, rest = divmod(count, TILE_WIDTH)
        for index in range(full):
            yield TileAddress(level=level, index=index, width=TILE_WIDTH)
        if rest:
            yield TileAddress(level=level, index=full, width=rest)
        level, count = level + 1, full


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Join up to 256 entries, each behind its length.

    Raises:
        TileError: No entry, too many, or one that is too long.
    """
    if not 0 < len(entries) <= TILE_WIDTH:
        raise TileError(f"{len(entries)} entries in one bundle")
    if max(map(len, entries)) > LOG_ENTRY_FORMAT_BYTES_MAX:
        raise TileError(f"an entry has at most {LOG_ENTRY_FORMAT_BYTES_MAX} bytes")
    return b"".join([_pack_length(len(entry)) + entry for entry in entries])


def parse_bundle(data: bytes, *, width: int) -> list[bytes]:
    """Split an entry bundle into exactly ``width`` entries.

    Raises:
        TileError: It is cut short, or something is left over.
    """
    entries: list[bytes] = []
    position = 0
    try:
        for _ in range(width):
            start = position + LENGTH_PREFIX_BYTES
            position = start + (data[position] << 8 | data[position + 1])
            entries.append(data[start:position])
    except IndexError as err:
        raise TileError("the entry bundle is cut short") from err
    if position != len(data):
        is_short = position > len(data)
        raise TileError(
            "the entry bundle is cut short"
            if is_short
            else "the entry bundle holds more than its entries"
        )
    return entries


def tile_root(data: bytes) -> bytes:
    """Return the hash that stands for a full tile one tile level up.

    Raises:
        TileError: Not a full tile.
    """
    return _top(_grow(_EMPTY_ROWS, _checked(data, width=TILE_WIDTH)))


def build_rows(hashes: bytes) -> tuple[bytes, ...]:
    """Return the nodes of height 0 to 7 that the hashes of a tile complete, row by row."""
    return _grow(_EMPTY_ROWS, hashes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RightEdge:
    """The incomplete tile of every tile level, with its inner nodes: all that can still change."""

    size: int
    levels: tuple[_Rows, ...]

    @property
    def frontier(self) -> Frontier:
        """Return the roots of the complete subtrees that the edge ends in."""
        return Frontier(size=self.size, roots=tuple(self._subtrees()))

    @property
    def root(self) -> bytes:
        """Return the root hash of the tree."""
        return join_subtrees(self._subtrees())

    def extend(self, leaf_hashes: Sequence[bytes]) -> tuple[RightEdge, list[FullTile]]:
        """Return the edge after these leaves, and the tiles that became full, lowest level first.

        Raises:
            TreeShapeError: A leaf hash has not 32 bytes.
        """
        if not set(map(len, leaf_hashes)) <= {HASH_BYTES}:
            raise TreeShapeError(f"a leaf hash has {HASH_BYTES} bytes")
        levels = list(self.levels)
        full: list[FullTile] = []
        level, added = 0, b"".join(leaf_hashes)
        while added:
            if level == len(levels):
                levels.append(_EMPTY_ROWS)
            first_index = self.size >> (TILE_HEIGHT * (level + 1))
            levels[level], tiles = _fill(levels[level], added)
            full += [
                FullTile(level=level, index=first_index + number, data=rows[0])
                for number, rows in enumerate(tiles)
            ]
            level, added = level + 1, b"".join(_top(rows) for rows in tiles)
        return RightEdge(size=self.size + len(leaf_hashes), levels=tuple(levels)), full

    def find_node(self, level: int, index: int) -> bytes | None:
        """Return the hash of a complete subtree of the edge; None where a full tile holds it.

        Raises:
            TreeShapeError: The tree has no such complete subtree.
        """
        tile_level, height = divmod(level, TILE_HEIGHT)
        edge_index = self.size >> (TILE_HEIGHT * (tile_level + 1))
        tile_index, offset = divmod(index, TILE_WIDTH >> height)
        if 0 <= tile_index < edge_index:
            return None
        if tile_index != edge_index or not 0 <= tile_level < len(self.levels):
            raise TreeShapeError(f"no subtree {index} of height {level} in a tree of {self.size}")
        node = self.levels[tile_level][height][offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
        if not node:
            raise TreeShapeError(f"no subtree {index} of height {level} in a tree of {self.size}")
        return node

    def partial_tile(self, level: int) -> bytes:
        """Return the hashes of a level's incomplete tile; empty where all its tiles are full."""
        return self.levels[level][0] if level < len(self.levels) else b""

    def _subtrees(self) -> list[bytes]:
        """Return the roots of the complete subtrees at the end of the tree, the largest first."""
        # A complete subtree is alone at its height where the row has an odd number of nodes.
        smallest_first = [
            row[-HASH_BYTES:] for rows in self.levels for row in rows if len(row) & HASH_BYTES
        ]
        return smallest_first[::-1]


EMPTY_EDGE = RightEdge(size=0, levels=())


def load_edge(size: int, read_tile: ReadTile) -> RightEdge:
    """Rebuild the edge of a tree from its partial tiles, one a level.

    The caller compares the root with a verified checkpoint before it trusts a node.

    Raises:
        TreeShapeError: The size is outside the range.
        TileError: A tile has another length than its width asks for.
    """
    if not 0 <= size <= TREE_SIZE_MAX:
        raise TreeShapeError(f"no tree has {size} leaves")
    levels: list[_Rows] = []
    count = size
    while count:
        index, width = divmod(count, TILE_WIDTH)
        data = _checked(read_tile(len(levels), index, width), width=width) if width else b""
        levels.append(_grow(_EMPTY_ROWS, data))
        count = index
    return RightEdge(size=size, levels=tuple(levels))


def build_partial_tile(level: int, index: int, width: int, read_tile: ReadTile) -> bytes:
    """Build a tile above level 0 from the tiles below it, for a store that keeps full tiles only.

    Raises:
        TileError: A tile below is not full.
    """
    first = index * TILE_WIDTH
    return b"".join(
        tile_root(read_tile(level - 1, first + number, TILE_WIDTH)) for number in range(width)
    )


class TileCache:
    """Full tiles with their inner nodes; drops the least recently used. Threads may share one."""

    def __init__(self, read_tile: ReadTile, *, tiles_max: int = TILE_CACHE_TILES) -> None:
        """Read through ``read_tile``, which is asked for full tiles only."""

        @lru_cache(maxsize=tiles_max)
        def read_rows(level: int, index: int) -> _Rows:
            data = _checked(read_tile(level, index, TILE_WIDTH), width=TILE_WIDTH)
            return _grow(_EMPTY_ROWS, data)

        self._read_rows = read_rows

    def read_node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree that lies in a full tile.

        Raises:
            TileError: The tile read has not 8,192 bytes.
        """
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile_index, offset = divmod(index, TILE_WIDTH >> height)
        row = self._read_rows(tile_level, tile_index)[height]
        return row[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]

    def read_tile(self, level: int, index: int) -> bytes:
        """Return the 8,192 bytes of a full tile.

        Raises:
            TileError: The tile read has another length.
        """
        return self._read_rows(level, index)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileNodes:
    """The nodes of one tree: its edge from memory, the rest from full tiles.

    What it reads serves every smaller size too.
    """

    edge: RightEdge
    cache: TileCache

    def read_node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree; the ``ReadNode`` of ``protocol.merkle``.

        Raises:
            TreeShapeError: The tree has no such complete subtree.
            TileError: The store holds a broken tile.
        """
        node = self.edge.find_node(level, index)
        return self.cache.read_node(level, index) if node is None else node

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """Return a tile of this tree or of a smaller size, cut to its width.

        Raises:
            TreeShapeError: The tree does not reach so far.
            TileError: The store holds a broken tile.
        """
        edge_index = self.edge.size >> (TILE_HEIGHT * (level + 1))
        if index < edge_index:
            data = self.cache.read_tile(level, index)
        else:
            data = self.edge.partial_tile(level) if index == edge_index else b""
        if not 0 < width * HASH_BYTES <= len(data):
            raise TreeShapeError(f"no tile {index} of width {width} at level {level}")
        return data[: width * HASH_BYTES]


def _checked(data: bytes, *, width: int) -> bytes:
    if len(data) != width * HASH_BYTES:
        raise TileError(f"a tile of width {width} has {width * HASH_BYTES} bytes, not {len(data)}")
    return data


def _fill(rows: _Rows, added: bytes) -> tuple[_Rows, list[_Rows]]:
    """Append hashes to an incomplete tile; return the one incomplete then, and those now full."""
    full: list[_Rows] = []
    position = 0
    while len(rows[0]) + len(added) - position >= TILE_BYTES:
        room = TILE_BYTES - len(rows[0])
        full.append(_grow(rows, added[position : position + room]))
        position += room
        rows = _EMPTY_ROWS
    return _grow(rows, added[position:]), full


def _grow(rows: _Rows, added: bytes) -> _Rows:
    """Append hashes to a tile that has room for them, and every inner node that they complete."""
    grown = [rows[0] + added, *rows[1:]]
    sha256 = hashlib.sha256  # A local name: this loop is most of what an append costs.
    for height in range(TILE_HEIGHT - 1):
        row, parents = grown[height], grown[height + 1]
        unpaired = len(row) & HASH_BYTES
        pairs = row[2 * len(parents) : len(row) - unpaired]
        if not pairs:
            break  # No new node here, so none above.
        added_parents = [sha256(b"\x01" + pair).digest() for (pair,) in _split_pairs(pairs)]
        grown[height + 1] = parents + b"".join(added_parents)
    return tuple(grown)


def _top(rows: _Rows) -> bytes:
    """Return the root of a full tile."""
    return hashlib.sha256(b"\x01" + rows[-1]).digest()
