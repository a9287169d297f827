"""Puts entries and lines aside with the others of their message id.

What is put aside of a line is where it stands, not the line: the judge of the exchange reads it.
What was judged where it stands is passed over.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from protocol.audit.blocks import read_block
from protocol.audit.examining import find_claims
from protocol.audit.rows import choose_partition, find_glance
from protocol.audit.surveying import Survey
from protocol.audit.world import World
from protocol.bundle import (
    BUNDLE_LINES_MAX,
    MESSAGES_FILE,
    UNENDED,
    Fault,
    parse_message_line,
    read_lines,
    take_content,
)
from protocol.encoding import encode_b64u
from protocol.entry import AbortedEntry, EntryError, ErasedEntry, UnackedEntry, parse_entry
from protocol.errors import ProtocolError
from protocol.tile import TILE_WIDTH

RANGE_BYTES = 2**23
BLOCKS_PER_TASK = 64
HOMELESS = b""  # the message id of what cannot be said to belong to any exchange
_REQUEST = b'"request":"'
_PAYLOAD = re.compile(rb'"request":"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.')
_JTI = re.compile(rb'"jti":"([A-Za-z0-9_-]{22})"')
_FROM_URL = bytes.maketrans(b"-_", b"+/")


class RoutedEntry(NamedTuple):
    """An entry of an exchange, put aside with the others of its message id."""

    xid: bytes
    bundle: int
    entry: int
    raw: bytes


class RoutedLine(NamedTuple):
    """Where a record of messages stands.

    ``is_settled`` tells that the message id is that of its exchange, whatever the first look said.
    """

    xid: bytes
    bundle: int
    line: int
    offset: int
    size: int
    is_settled: bool = False


class LineRun(NamedTuple):
    """Lines in a row; ``lines`` stand before them."""

    start: int
    end: int
    lines: int
    length: int


class LineTask(NamedTuple):
    """Lines to route: those of a bundle that begin in a range of bytes."""

    bundle: int
    start: int
    end: int
    lines: int


class EntryTask(NamedTuple):
    """Entries to route: ranges of indices in some neighbouring blocks of a log."""

    bundle: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Swept:
    """What was judged where it stands, by bundle: ranges of entries, and runs of lines."""

    entries: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    lines: dict[int, list[LineRun]] = field(default_factory=dict)

    def add(self, other: Swept) -> None:
        """Add what another window holds."""
        for bundle, ranges in other.entries.items():
            self.entries.setdefault(bundle, []).extend(ranges)
        for bundle, runs in other.lines.items():
            self.lines.setdefault(bundle, []).extend(runs)


def list_entry_tasks(
    sizes: Mapping[int, int], swept: Mapping[int, Sequence[tuple[int, int]]]
) -> Iterator[EntryTask]:
    """Yield what is left to route of the logs of the bundles, of which ``sizes`` has the sizes."""
    for bundle, size in sizes.items():
        known = sorted(swept.get(bundle, ()))
        waiting: list[tuple[int, int]] = []
        for (_, first), (end, _) in pairwise([(0, 0), *known, (size, size)]):
            for start in range(first, end, BLOCKS_PER_TASK * TILE_WIDTH):
                stop = min(start + BLOCKS_PER_TASK * TILE_WIDTH, end)
                if waiting and stop - waiting[0][0] > BLOCKS_PER_TASK * TILE_WIDTH:
                    yield EntryTask(bundle, tuple(waiting))
                    waiting = []
                waiting.append((start, stop))
        if waiting:
            yield EntryTask(bundle, tuple(waiting))


def list_line_tasks(
    surveys: Sequence[Survey], swept: Mapping[int, Sequence[LineRun]]
) -> Iterator[LineTask]:
    """Yield what is left to route of the files of messages."""
    for bundle, survey in enumerate(surveys):
        size, marks = survey.size, iter(survey.marks)
        runs = sorted(swept.get(bundle, ()))
        position, lines = 0, 0
        for run in [*runs, LineRun(size, size, survey.lines, 0)]:
            while position < run.start:
                end, after = run.start, run.lines
                for mark in marks:
                    if mark.offset >= position + RANGE_BYTES:
                        if mark.offset < run.start:
                            end, after = mark.offset, mark.lines
                        break
                yield LineTask(bundle, position, end, lines)
                position, lines = end, after
            position, lines = run.end, run.lines + run.length


def route_entries(world: World, task: EntryTask) -> None:
    """Put the entries of exchanges aside."""
    log = world.primary[task.bundle]
    exported = log.exported
    parts: dict[int, list[RoutedEntry]] = {}
    for index, raw in _read_entries(world, task):
        xid = None if index in log.altered else _find_entry_xid(raw)
        if xid is not None:
            one = RoutedEntry(xid, exported.bundle, index, raw)
            parts.setdefault(choose_partition(xid, count=world.partitions), []).append(one)
    for partition, entries in parts.items():
        world.spools.routed.append(partition, entries)


def route_lines(world: World, task: LineTask) -> list[Fault]:
    """Put the lines of one range aside; return what is no line."""
    faults: list[Fault] = []
    parts: dict[int, list[RoutedLine]] = {}
    files = world.bundles[task.bundle].files
    number = task.lines
    for line in read_lines(files, MESSAGES_FILE, start=task.start, end=task.end):
        if not line.is_ended:
            faults.append(Fault(file=MESSAGES_FILE, line=None, detail=UNENDED))
            break
        number += 1
        try:
            content = take_content(line)
            xid = _glance(content) or _read_xid(content)
        except ProtocolError as err:
            faults.append(Fault(file=MESSAGES_FILE, line=number, detail=err.detail))
            continue
        one = RoutedLine(xid, task.bundle, number, line.offset, line.size)
        parts.setdefault(choose_partition(xid, count=world.partitions), []).append(one)
    for partition, lines in parts.items():
        world.spools.routed.append(partition, lines)
    return faults


def list_overlong(surveys: Iterable[Survey]) -> Iterator[tuple[int, Fault]]:
    """Yield a fault for each file of messages that has too many lines."""
    for number, survey in enumerate(surveys):
        if survey.lines > BUNDLE_LINES_MAX:
            yield number, Fault(file=MESSAGES_FILE, line=None, detail=UNENDED)


def _read_entries(world: World, task: EntryTask) -> Iterator[tuple[int, bytes]]:
    exported = world.primary[task.bundle].exported
    held = -1
    entries: Sequence[bytes | None] = ()
    for first, end in task.ranges:
        for index in range(first, end):
            block, offset = divmod(index, TILE_WIDTH)
            if block != held:
                entries = read_block(exported.files, size=exported.size, index=block).entries
                held = block
            raw = entries[offset]
            if raw is not None:
                yield index, raw


def _find_entry_xid(raw: bytes) -> bytes | None:
    """Return the message id of an entry of an exchange; what is none has been said already."""
    glance = find_glance(raw)
    if glance is not None:
        return glance.xid
    try:
        entry = parse_entry(raw)
    except EntryError:
        return None
    match entry:
        case UnackedEntry(xid=xid) | ErasedEntry(xid=xid) | AbortedEntry(xid=bytes() as xid):
            return encode_b64u(xid).encode("ascii")
        case _:
            return None


def _glance(content: bytes) -> bytes | None:
    """Return the message id of the request, or None where a full look is needed.

    A member ``request`` cannot stand anywhere else in a record that will be read, nor a ``jti`` in
    claims; whoever judges the exchange reads both in full and says if this was wrong.
    """
    at = content.find(_REQUEST)
    match = _PAYLOAD.match(content, at) if at >= 0 else None
    if match is None:
        return None
    try:
        payload = binascii.a2b_base64(match[1].translate(_FROM_URL) + b"==")
    except binascii.Error:
        return None
    found = _JTI.search(payload)
    return None if found is None else found[1]


def _read_xid(content: bytes) -> bytes:
    """Return the message id by a full look.

    Raises:
        ProtocolError: The line is no record.
    """
    record = parse_message_line(content, line=1)
    for copy in (record.request, record.answer):
        claims = None if copy is None else find_claims(copy.env)
        if claims is not None:
            return encode_b64u(claims.jti).encode("ascii")
    return HOMELESS
