"""Reads 256 entries of an exported log with their hash tile: two copies of every leaf hash.

Where they differ, the one whose tree has the signed root is right, and the other is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from protocol.audit.splitting import SplitEntries, split_entries
from protocol.bundle import BundleFiles, find_content
from protocol.errors import ProtocolError
from protocol.limits import HASH_BYTES
from protocol.merkle import leaf_hash, leaf_hashes
from protocol.tile import TILE_WIDTH, parse_bundle, tile_path


class Preference(Enum):
    """Which copy of a leaf hash counts where both are there."""

    TILE = "tile"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The entries under one level 0 tile.

    ``given`` are the tile's hashes, None where the tile is missing or cut; ``hashed`` are those of
    the entries, None where an entry's bytes are missing.
    """

    first: int
    tile: bytes | None
    given: Sequence[bytes | None]
    hashed: Sequence[bytes | None]
    entries: Sequence[bytes | None]
    is_present: bool
    mislengthed: tuple[int, ...]
    rest: int

    @property
    def is_whole(self) -> bool:
        """Tell whether tile and entries are complete and agree."""
        return self.given is self.hashed

    def choose(self, preference: Preference) -> Sequence[bytes | None]:
        """Return the leaf hashes, each from the copy preferred, else from the other."""
        first, second = (
            (self.given, self.hashed)
            if preference is Preference.TILE
            else (self.hashed, self.given)
        )
        return [other if one is None else one for one, other in zip(first, second, strict=True)]


def read_block(files: BundleFiles, *, size: int, index: int) -> Block:
    """Read the block of this index in a log of ``size`` entries."""
    first = index * TILE_WIDTH
    width = min(TILE_WIDTH, size - first)
    tile = find_content(files, tile_path(0, index, width))
    data = find_content(files, tile_path(None, index, width))
    whole = None if tile is None or data is None else _read_whole(first, tile, data, width=width)
    if whole is not None:
        return whole
    given: list[bytes | None] = [None] * width
    if tile is not None and len(tile) == width * HASH_BYTES:
        given = [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
    split = SplitEntries(entries=(None,) * width, mislengthed=(), rest=0)
    if data is not None:
        split = split_entries(data, leaves=given)
    return Block(
        first=first,
        tile=tile,
        given=given,
        hashed=[None if entry is None else leaf_hash(entry) for entry in split.entries],
        entries=split.entries,
        is_present=data is not None,
        mislengthed=split.mislengthed,
        rest=split.rest,
    )


def _read_whole(first: int, tile: bytes, data: bytes, *, width: int) -> Block | None:
    """Read a block in which everything agrees, or return None."""
    try:
        entries = parse_bundle(data, width=width)
    except ProtocolError:
        return None
    hashed = leaf_hashes(entries)
    if b"".join(hashed) != tile:
        return None
    return Block(
        first=first,
        tile=tile,
        given=hashed,
        hashed=hashed,
        entries=entries,
        is_present=True,
        mislengthed=(),
        rest=0,
    )
