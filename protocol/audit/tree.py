"""The Merkle tree of an exported log, rebuilt whole: any earlier root, any tile."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.limits import HASH_BYTES
from protocol.merkle import node_hash, root_from_nodes
from protocol.tile import TILE_HEIGHT, TILE_WIDTH, TileAddress


class Tree:
    """Every node of a tree, from its leaf hashes."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Hash all levels."""
        levels = [tuple(leaves)]
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = zip(
                below[::2], below[1::2], strict=False
            )  # An odd last node has no parent yet.
            levels.append(tuple(node_hash(left, right) for left, right in pairs))
        self._levels = tuple(levels)

    @property
    def size(self) -> int:
        """Return the number of leaves."""
        return len(self._levels[0])

    @property
    def leaves(self) -> tuple[bytes, ...]:
        """Return the leaf hashes."""
        return self._levels[0]

    def root(self, size: int) -> bytes:
        """Return the root of the first ``size`` leaves; there must be so many."""
        return root_from_nodes(size, self._read_node)

    def build_tile(self, tile: TileAddress) -> bytes | None:
        """Return what a hash tile must hold, or None where the tree does not reach so far."""
        level = TILE_HEIGHT * (tile.level or 0)
        first = tile.index * TILE_WIDTH
        nodes = self._levels[level] if level < len(self._levels) else ()
        data = b"".join(nodes[first : first + tile.width])
        return data if len(data) == tile.width * HASH_BYTES else None

    def _read_node(self, level: int, index: int) -> bytes:
        return self._levels[level][index]
