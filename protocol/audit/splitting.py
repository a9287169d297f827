"""Splits a damaged bundle of entries, so that one wrong byte costs one entry, not all after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.merkle import leaf_hash
from protocol.tile import LENGTH_PREFIX_BYTES

RESYNC_TRIES_MAX = 1_024
_ENTRY_START = b'{"'  # every entry is canonical JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitEntries:
    """The entries, None where no bytes can be told to be one.

    ``mislengthed`` are those whose length prefix is not theirs; ``rest`` counts bytes left over.
    """

    entries: tuple[bytes | None, ...]
    mislengthed: tuple[int, ...]
    rest: int


def split_entries(data: bytes, *, leaves: Sequence[bytes | None]) -> SplitEntries:
    """Split a bundle into as many entries as there are leaves.

    The leaf hashes are a hint: where an entry does not hash to its own, the next one is searched by
    its hash, since the wrong byte may be in a length.
    """
    entries: list[bytes | None] = []
    mislengthed: list[int] = []
    position = 0
    for number in range(len(leaves)):
        entry, after = _read_entry(data, position)
        if entry is None or not _is_expected(entry, leaves[number]):
            following = leaves[number + 1] if number + 1 < len(leaves) else None
            entry, after = _resynchronise(data, position, entry, after, following)
        prefix = data[position : position + LENGTH_PREFIX_BYTES]
        if entry is not None and int.from_bytes(prefix, "big") != len(entry):
            mislengthed.append(number)
        entries.append(entry)
        position = after
    return SplitEntries(
        entries=tuple(entries), mislengthed=tuple(mislengthed), rest=len(data) - position
    )


def _read_entry(data: bytes, position: int) -> tuple[bytes | None, int]:
    """Return the entry at a position and where the next begins; None and the end if none."""
    start = position + LENGTH_PREFIX_BYTES
    end = start + int.from_bytes(data[position:start], "big")
    if start > len(data) or end > len(data):
        return None, len(data)
    return data[start:end], end


def _is_expected(entry: bytes, leaf: bytes | None) -> bool:
    return leaf is None or leaf_hash(entry) == leaf


def _resynchronise(
    data: bytes, position: int, entry: bytes | None, after: int, following: bytes | None
) -> tuple[bytes | None, int]:
    """Return an entry that is not the expected one, cut where the next one verifiably begins."""
    if following is None:  # The last one, or no hint: what stands there is all there is to say.
        rest = data[position + LENGTH_PREFIX_BYTES :]
        return (rest or None, len(data)) if entry is None else (entry, after)
    next_entry, _ = _read_entry(data, after)
    if next_entry is not None and entry is not None and leaf_hash(next_entry) == following:
        return entry, after
    search = position + LENGTH_PREFIX_BYTES
    for _ in range(RESYNC_TRIES_MAX):
        search = data.find(_ENTRY_START, search + 1)
        if search < 0:
            break
        start = search - LENGTH_PREFIX_BYTES
        candidate, _ = _read_entry(data, start)
        if candidate is not None and leaf_hash(candidate) == following:
            return data[position + LENGTH_PREFIX_BYTES : start], start
    return entry, after
