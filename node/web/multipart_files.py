"""A form with large files (RFC 7578), written to a folder as it arrives: bounded, never whole.

The reader for one small file, which is held in memory, is ``node.web.multipart``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from node.web.multipart import (
    FIELD_BYTES_MAX,
    UploadFormError,
    read_boundary,
    read_part_names,
)
from protocol.errors import TooLargeError

HEAD_BYTES_MAX = 8_192
PARTS_MAX = 32
_HEAD_END = b"\r\n\r\n"


@dataclass(slots=True, kw_only=True)
class SavedForm:
    """The fields of a form, and its files: the name that each had, and where it is now."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, Path]] = field(default_factory=list)


async def save_upload(
    stream: AsyncIterator[bytes],
    *,
    content_type: str,
    folder: Path,
    bytes_max: int,
    files_max: int,
) -> SavedForm:
    """Write the files of a form into a folder, under names of ours.

    Raises:
        UploadFormError: It is no such form, is cut off, or has too many parts or files.
        TooLargeError: It has more bytes than it may.
    """
    reader = _Reader(stream, boundary=read_boundary(content_type), bytes_max=bytes_max)
    form = SavedForm()
    await reader.begin()
    for _ in range(PARTS_MAX):
        head = await reader.next_head()
        if head is None:
            return form
        name, file_name = read_part_names(head)
        if file_name is None:
            form.fields[name] = (await reader.read_field()).decode("utf-8", errors="replace")
            continue
        if len(form.files) == files_max:
            raise UploadFormError(f"at most {files_max} files")
        path = folder / f"{len(form.files)}.part"
        if await reader.write_file(path) or file_name:
            form.files.append((file_name, path))
    raise UploadFormError("the form has too many parts")


class _Reader:
    """Goes along the bytes of a form; ``_buffer`` begins behind what was read."""

    def __init__(self, stream: AsyncIterator[bytes], *, boundary: bytes, bytes_max: int) -> None:
        self._stream = stream
        self._end = b"\r\n--" + boundary
        self._left = bytes_max
        self._buffer = b"\r\n"

    async def begin(self) -> None:
        """Read up to the first part."""
        while len(self._buffer) < len(self._end):
            await self._fetch()
        if not self._buffer.startswith(self._end):
            raise UploadFormError("the form does not begin with a part")
        self._buffer = self._buffer[len(self._end) :]

    async def next_head(self) -> str | None:
        """Return the head of the next part, None behind the last."""
        while len(self._buffer) < len(_HEAD_END) // 2:
            await self._fetch()
        if self._buffer.startswith(b"--"):
            return None
        while _HEAD_END not in self._buffer:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise UploadFormError("a part's head is too long")
            await self._fetch()
        head, _, self._buffer = self._buffer.partition(_HEAD_END)
        return head.decode("utf-8", errors="replace")

    async def read_field(self) -> bytes:
        """Return what a small field holds."""
        content = b""
        async for piece in self._read_content():
            content += piece
            if len(content) > FIELD_BYTES_MAX:
                raise UploadFormError("a field of the form is too long")
        return content

    async def write_file(self, path: Path) -> int:
        """Write what a file holds; return how many bytes."""
        count = 0
        with path.open("xb") as file:
            async for piece in self._read_content():
                count += await asyncio.to_thread(file.write, piece)
        return count

    async def _read_content(self) -> AsyncIterator[bytes]:
        kept = len(self._end) - 1  # what may be the beginning of the part's end
        while True:
            at = self._buffer.find(self._end)
            if at >= 0:
                yield self._buffer[:at]
                self._buffer = self._buffer[at + len(self._end) :]
                return
            if len(self._buffer) > kept:
                yield self._buffer[:-kept]
                self._buffer = self._buffer[-kept:]
            await self._fetch()

    async def _fetch(self) -> None:
        piece = b""
        while not piece:  # a server may hand over an empty one
            piece = await self._fetch_piece()
        self._left -= len(piece)
        if self._left < 0:
            raise TooLargeError("the files are larger than the node takes")
        self._buffer += piece

    async def _fetch_piece(self) -> bytes:
        try:
            return await anext(self._stream)
        except StopAsyncIteration as err:
            raise UploadFormError("the form is cut off") from err
