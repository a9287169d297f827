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
from protocol.tile import EMPTY_EDGE, TILE_HEIGHT, TILE_WIDTH, RightEdge, TileAddress

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
    ) -> None:
        """Hash the levels above the full tiles, whose roots are given."""
        self.size = size
        self._files = files
        self._exported = exported
        self._preference = preference
        levels = [list(block_roots[: size // TILE_WIDTH])]
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)  # An odd last one has no parent yet.
            levels.append([node_hash(left, right) for left, right in pairs])
        self._upper = levels
        self._held: dict[int, tuple[list[bytes], RightEdge]] = {}

    def root(self, size: int) -> bytes:
        """Return the root of the first ``size`` leaves; there must be so many."""
        return root_from_nodes(size, self._read_node)

    def leaf(self, index: int) -> bytes:
        """Return a leaf hash; there must be such a leaf."""
        block, offset = divmod(index, TILE_WIDTH)
        return self._hold(block)[0][offset]

    def build_tile(self, tile: TileAddress) -> bytes | None:
        """Return what a hash tile must hold, or None where the tree does not reach so far."""
        level, first = tile.level or 0, tile.index * TILE_WIDTH
        if level == 0:
            leaves = self._hold(tile.index)[0][: tile.width]
            is_whole = first + tile.width <= self.size
        else:
            height = TILE_HEIGHT * (level - 1)
            row = self._upper[height] if height < len(self._upper) else []
            leaves = row[first : first + tile.width]
            is_whole = len(leaves) == tile.width
        return b"".join(leaves) if is_whole else None

    def _read_node(self, level: int, index: int) -> bytes:
        if level >= TILE_HEIGHT:
            return self._upper[level - TILE_HEIGHT][index]
        block, offset = divmod(index, TILE_WIDTH >> level)
        row = self._hold(block)[1].levels[0][level]
        return row[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]

    def _hold(self, block: int) -> tuple[list[bytes], RightEdge]:
        """Return a block's leaves, and the nodes between them and its root."""
        held = self._held.get(block)
        if held is None:
            if len(self._held) >= BLOCKS_HELD_MAX:
                self._held.pop(next(iter(self._held)))
            leaves = self._read_leaves(block)
            # 255 at most: a full tile has no edge, and what it alone completes is held above.
            edge, _ = EMPTY_EDGE.extend(leaves[: TILE_WIDTH - 1])
            held = self._held[block] = leaves, edge
        return held

    def _read_leaves(self, block: int) -> list[bytes]:
        found = read_block(self._files, size=self._exported, index=block)
        leaves = [one or b"" for one in found.choose(self._preference)]
        return leaves[: max(self.size - block * TILE_WIDTH, 0)]
