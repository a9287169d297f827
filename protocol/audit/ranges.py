"""Reads a range of an exported log's blocks: what a worker does with one part of a long log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from protocol.audit.blocks import Block, read_block
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.rows import find_counted, is_arrived
from protocol.bundle import BundleFiles
from protocol.entry import (
    Entry,
    EntryError,
    ErasedEntry,
    UnackedEntry,
    UnknownEntry,
    get_entry_type,
    parse_entry,
)
from protocol.tile import TILE_WIDTH, tile_path, tile_root

BLOCKS_PER_RANGE = 64
_RESPONSE = "response"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedLog:
    """Where the entries of one export are; ``size`` is how many are read."""

    bundle: int
    name: str
    files: BundleFiles
    size: int

    def place(self, index: int) -> Place:
        """Return where an entry's bytes are."""
        first = index - index % TILE_WIDTH
        width = min(TILE_WIDTH, self.size - first)
        path = _entries_path(index // TILE_WIDTH, width)
        return Place(bundle=self.name, file=path, entry=index)


@lru_cache(maxsize=4096)  # Its entries are named one after the other.
def _entries_path(index: int, width: int) -> str:
    return tile_path(None, index, width)


@dataclass(slots=True)
class SortedEntries:
    """What a range's entries are; those of exchanges are counted, the others kept here.

    ``runs`` are own numbers by peer, as first number and count, in the order of the log.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    runs: dict[bytes, list[list[int]]] = field(default_factory=dict)
    others: list[tuple[int, Entry]] = field(default_factory=list)
    first_unknown: int | None = None
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class RangeRead:
    """A range of blocks; roots are None where a hash is missing, ``differing`` has (index, bytes).

    ``short_*`` is the first index whose hash is missing in that copy, where one is.
    """

    roots_by_tile: list[bytes | None] = field(default_factory=list)
    roots_by_entry: list[bytes | None] = field(default_factory=list)
    short: int | None = None
    findings: list[Finding] = field(default_factory=list)
    present: int = 0
    odd_blocks: list[int] = field(default_factory=list)
    differing: list[tuple[int, bytes | None]] = field(default_factory=list)
    sorted: SortedEntries = field(default_factory=SortedEntries)


def read_range(logs: Sequence[ExportedLog], task: tuple[int, int]) -> RangeRead:
    """Read up to 64 blocks of a log; the task is the log's number and the first block."""
    number, first_block = task
    log = logs[number]
    read = RangeRead()
    last_block = min(first_block + BLOCKS_PER_RANGE, -(-log.size // TILE_WIDTH))
    sorter = EntrySorter(log, read.sorted)
    for index in range(first_block, last_block):
        block = read_block(log.files, size=log.size, index=index)
        _take_block(read, block, log=log, sorter=sorter)
    return read


class EntrySorter:
    """Sorts entries by what they are."""

    def __init__(self, log: ExportedLog, found: SortedEntries) -> None:
        """Collect into ``found``."""
        self._log = log
        self._found = found
        self._last: dict[bytes, list[int]] = {}  # run by peer: mostly the next number adds to it

    def take(self, index: int, raw: bytes) -> None:
        """Sort one entry."""
        counted = find_counted(raw)
        if counted is not None:
            kind, peer, n = counted
            self._found.kinds[kind] += 1
            run = self._last.get(peer)
            if run is not None and run[0] + run[1] == n:
                run[1] += 1
            else:
                run = self._last[peer] = [n, 1]
                self._found.runs.setdefault(peer, []).append(run)
        elif is_arrived(raw):
            self._found.kinds[_RESPONSE] += 1
        else:
            self._take_other(index, raw)

    def _take_other(self, index: int, raw: bytes) -> None:
        found = self._found
        try:
            entry = parse_entry(raw)
        except EntryError as err:
            found.findings.append(describe_invalid(self._log.place(index), err.detail))
            return
        if isinstance(entry, UnknownEntry):
            found.kinds["not-understood"] += 1
            found.first_unknown = index if found.first_unknown is None else found.first_unknown
            return
        found.kinds[get_entry_type(entry)] += 1
        if not isinstance(entry, (UnackedEntry, ErasedEntry)):
            found.others.append((index, entry))


def describe_invalid(place: Place, detail: str) -> Finding:
    """Return the finding on signed bytes that are no entry."""
    return Finding(
        outcome=Outcome.FAILS,
        code="entry-invalid",
        text=f"the log holds an entry that breaks the specification: {detail}",
        place=place,
    )


def _take_block(read: RangeRead, block: Block, *, log: ExportedLog, sorter: EntrySorter) -> None:
    if block.is_whole:
        read.present += len(block.entries)
        root = _find_root(block.given)
        read.roots_by_tile.append(root)
        read.roots_by_entry.append(root)
        for index, entry in enumerate(block.entries, start=block.first):
            sorter.take(index, entry or b"")
        return
    read.odd_blocks.append(block.first // TILE_WIDTH)
    _describe_block(read, block, log=log)
    by_tile = [one or other for one, other in zip(block.given, block.hashed, strict=True)]
    by_entry = [other or one for one, other in zip(block.given, block.hashed, strict=True)]
    read.roots_by_tile.append(_find_root(by_tile))
    read.roots_by_entry.append(_find_root(by_entry))
    for offset, entry in enumerate(block.entries):
        index = block.first + offset
        if by_tile[offset] is None and read.short is None:
            read.short = index
        read.present += entry is not None
        if entry is None or block.given[offset] not in {None, block.hashed[offset]}:
            read.differing.append((index, entry))
        else:
            sorter.take(index, entry)


def _find_root(leaves: Sequence[bytes | None]) -> bytes | None:
    known = [leaf for leaf in leaves if leaf is not None]
    if len(known) < TILE_WIDTH:
        return None
    return tile_root(b"".join(known))


def _describe_block(read: RangeRead, block: Block, *, log: ExportedLog) -> None:
    last = block.first + len(block.entries) - 1
    path = log.place(block.first).file
    file = Place(bundle=log.name, file=path)
    if not block.is_present:
        text = f"entries {block.first} to {last} are missing"
        read.findings.append(_fail("entries-missing", text, file))
        return
    for offset in block.mislengthed:
        index = block.first + offset
        text = f"the length before entry {index} is not the entry's length"
        read.findings.append(_fail("length-altered", text, log.place(index)))
    if block.rest:
        text = f"{block.rest} bytes stand in it that belong to no entry"
        read.findings.append(_fail("entries-overlong", text, file))


def _fail(code: str, text: str, place: Place) -> Finding:
    return Finding(outcome=Outcome.FAILS, code=code, text=text, place=place)
