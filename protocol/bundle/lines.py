"""Reads a file line by line in blocks, so that its length does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from protocol.bundle.files import BUNDLE_LINE_BYTES_MAX, BundleFiles

BLOCK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its newline; ``content`` is None where it is over the limit."""

    offset: int
    size: int
    content: bytes | None
    is_ended: bool


def read_lines(
    files: BundleFiles, path: str, *, start: int = 0, end: int | None = None
) -> Iterator[Line]:
    """Yield the lines whose first byte is at ``start`` or after it and before ``end``.

    A line that is cut off by ``start`` belongs to the range before.
    """
    size = files.find_size(path) or 0
    position = _find_line_start(files, path, start=start, size=size)
    end = size if end is None else min(end, size)
    rest = b""  # the beginning of the line that starts at ``position``
    read_to = position
    while position < end:
        block = files.read(path, offset=read_to, count=BLOCK_BYTES)
        read_to += len(block)
        *whole, rest = (rest + block).split(b"\n")
        for content in whole:
            if position >= end:
                return
            yield _build_line(position, content, is_ended=True)
            position += len(content) + 1
        if not block:
            if rest:
                yield _build_line(position, rest, is_ended=False)
            return
        if len(rest) > BLOCK_BYTES and position < end:
            # One long line: it is found by its end, so that joining blocks stays linear.
            line, read_to = _read_long_line(files, path, position=position, size=size)
            yield line
            position, rest = read_to, b""


def _build_line(position: int, content: bytes, *, is_ended: bool) -> Line:
    kept = content if len(content) <= BUNDLE_LINE_BYTES_MAX else None
    return Line(position, len(content), kept, is_ended)


def _find_line_start(files: BundleFiles, path: str, *, start: int, size: int) -> int:
    """Return where the first line begins at ``start`` or after it."""
    position = start - 1
    while 0 <= position < size:
        block = files.read(path, offset=position, count=BLOCK_BYTES)
        found = block.find(b"\n")
        if found >= 0:
            return position + found + 1
        position += len(block) or size
    return max(position, 0)


def _read_long_line(files: BundleFiles, path: str, *, position: int, size: int) -> tuple[Line, int]:
    """Return a line of many blocks and where the next one begins."""
    end = position
    while end < size:
        block = files.read(path, offset=end, count=BLOCK_BYTES)
        found = block.find(b"\n")
        end += found if found >= 0 else len(block) or size
        if found >= 0:
            break
    end = min(end, size)
    count = end - position
    kept = None if count > BUNDLE_LINE_BYTES_MAX else files.read(path, offset=position, count=count)
    return Line(position, count, kept, end < size), end + 1
