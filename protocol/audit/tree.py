"""The Merkle tree of an exported log: any earlier root, without holding its leaves.

In memory are the roots of the full tiles and what lies above them; leaves are read again from the
bundle where a root inside a tile is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.audit.blocks import Preference, read_block
from protocol.bundle import BundleFiles
from protocol.limits import HASH_BYTES
from protocol.merkle import node_hash, root_from_nodes
from protocol.tile import (
    TILE_HEIGHT,
    TILE_WIDTH,
    TileAddress,
    build_rows,
    tile_path,
)

BLOCKS_HELD_MAX = 8


class LogTree:
    """The tree of the first ``size`` leaves of an export of ``exported`` entries."""

    def __init__(
        self,
        files: BundleFiles,
        *,
        exported: int,
        size: int,
        block_roots: Sequence[bytes],
        preference: Preference,
        odd: frozenset[int],
    ) -> None:
        """Hash the levels above the full tiles, whose roots are given.

        In all blocks but the ``odd`` ones the tile has the hashes of the entries.
        """
        self.size = size
        self._files = files
        self._exported = exported
        self._preference = preference
        self.odd = odd
        levels = [list(block_roots[: size // TILE_WIDTH])]
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)  # An odd last one has no parent yet.
            levels.append([node_hash(left, right) for left, right in pairs])
        self._upper = levels
        self._held: dict[int, tuple[bytes, ...]] = {}

    def root(self, size: int) -> bytes:
        """Return the root of the first ``size`` leaves; there must be so many."""
        return root_from_nodes(size, self.read_node)

    def leaf(self, index: int) -> bytes:
        """Return a leaf hash; there must be such a leaf."""
        return self.read_node(0, index)

    def build_tile(self, tile: TileAddress) -> bytes | None:
        """Return what a hash tile must hold, or None where the tree does not reach so far."""
        level, first = tile.level or 0, tile.index * TILE_WIDTH
        if level == 0:
            leaves = self._hold(tile.index)[0][: tile.width * HASH_BYTES]
            return leaves if first + tile.width <= self.size else None
        height = TILE_HEIGHT * (level - 1)
        row = self._upper[height] if height < len(self._upper) else []
        nodes = row[first : first + tile.width]
        return b"".join(nodes) if len(nodes) == tile.width else None

    def read_node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree; there must be one."""
        if level >= TILE_HEIGHT:
            return self._upper[level - TILE_HEIGHT][index]
        block, offset = divmod(index, TILE_WIDTH >> level)
        row = (self._held.get(block) or self._hold(block))[level]
        return row[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]

    def _hold(self, block: int) -> tuple[bytes, ...]:
        """Return a block's leaves, and the nodes between them and its root."""
        held = self._held.get(block)
        if held is None:
            if len(self._held) >= BLOCKS_HELD_MAX:
                self._held.pop(next(iter(self._held)))
            held = self._held[block] = build_rows(self._read_leaves(block))
        return held

    def _read_leaves(self, block: int) -> bytes:
        first = block * TILE_WIDTH
        if block not in self.odd:
            width = min(TILE_WIDTH, self._exported - first)
            leaves = self._files.read(tile_path(0, block, width))
        else:
            found = read_block(self._files, size=self._exported, index=block)
            leaves = b"".join(one or b"" for one in found.choose(self._preference))
        return leaves[: max(self.size - first, 0) * HASH_BYTES]
