"""Reads ``messages.jsonl`` in ranges and puts each line aside with the others of its message id.

What is put aside is where the line stands, not the line: the judge of the exchange reads it.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.audit.examining import find_claims
from protocol.audit.ports import Spool
from protocol.audit.rows import choose_partition
from protocol.bundle import (
    BUNDLE_LINES_MAX,
    MESSAGES_FILE,
    UNENDED,
    Bundle,
    Fault,
    parse_message_line,
    read_lines,
    take_content,
)
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError

RANGE_BYTES = 2**23
HOMELESS = b""  # the message id of what cannot be said to belong to any exchange
_REQUEST = b'"request":"'
_PAYLOAD = re.compile(rb'"request":"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.')
_JTI = re.compile(rb'"jti":"([A-Za-z0-9_-]{22})"')
_FROM_URL = bytes.maketrans(b"-_", b"+/")


class RoutedLine(NamedTuple):
    """Where a record of messages stands; ``line`` counts within its range until it is placed.

    ``is_settled`` tells that the message id is that of its exchange, whatever the first look said.
    """

    xid: bytes
    bundle: int
    range: int
    line: int
    offset: int
    size: int
    is_settled: bool = False


@dataclass(slots=True)
class RangeRouted:
    """A range of lines: how many, and what is no line."""

    count: int = 0
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteContext:
    """What the readers of all ranges share."""

    bundles: Sequence[Bundle]
    spool: Spool
    partitions: int


def list_ranges(bundles: Sequence[Bundle]) -> list[tuple[int, int]]:
    """Return the ranges of all files of messages, as bundle and number of the range."""
    return [
        (number, part)
        for number, bundle in enumerate(bundles)
        for part in range(-(-(bundle.files.find_size(MESSAGES_FILE) or 0) // RANGE_BYTES))
    ]


def route_range(context: RouteContext, task: tuple[int, int]) -> RangeRouted:
    """Put the lines of one range aside."""
    number, part = task
    start = part * RANGE_BYTES
    routed = RangeRouted()
    parts: dict[int, list[RoutedLine]] = {}
    files = context.bundles[number].files
    for line in read_lines(files, MESSAGES_FILE, start=start, end=start + RANGE_BYTES):
        if not line.is_ended:
            routed.faults.append(Fault(file=MESSAGES_FILE, line=None, detail=UNENDED))
            break
        routed.count += 1
        try:
            content = take_content(line)
            xid = _glance(content) or _read_xid(content)
        except ProtocolError as err:
            fault = Fault(file=MESSAGES_FILE, line=routed.count, detail=err.detail)
            routed.faults.append(fault)
            continue
        one = RoutedLine(xid, number, part, routed.count, line.offset, line.size)
        parts.setdefault(choose_partition(xid, count=context.partitions), []).append(one)
    for partition, lines in parts.items():
        context.spool.append(partition, lines)
    return routed


def count_before(
    ranges: Sequence[tuple[int, int]], routed: Sequence[RangeRouted]
) -> tuple[dict[tuple[int, int], int], list[tuple[int, Fault]]]:
    """Return how many lines stand before each range, and the faults with their true lines."""
    before: dict[tuple[int, int], int] = {}
    faults: list[tuple[int, Fault]] = []
    total: dict[int, int] = {}
    for (number, part), one in zip(ranges, routed, strict=True):
        base = before[number, part] = total.get(number, 0)
        total[number] = base + one.count
        for fault in one.faults:
            line = None if fault.line is None else base + fault.line
            faults.append((number, Fault(file=fault.file, line=line, detail=fault.detail)))
    for number, count in total.items():
        if count > BUNDLE_LINES_MAX:
            faults.append((number, Fault(file=MESSAGES_FILE, line=None, detail=UNENDED)))
    return before, faults


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
