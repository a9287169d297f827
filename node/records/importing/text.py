"""From a file to rows of text: size limits, gzip, encoding, delimiter.

An export says nowhere how it is encoded. UTF-8 is certain where it decodes; between GB18030 and
Windows-1252 the bytes decide: Chinese text is made of pairs of high bytes, western text of single
ones.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeAlias

from node.records.importing.errors import (
    EncodingUnknownError,
    FileTooLargeError,
    FileUnreadableError,
    TableFormError,
)

FILE_BYTES_MAX = 128 * 2**20  # unpacked
ROWS_MAX = 500_000
LARGE_FILE_BYTES_MAX = 8 * 2**30  # unpacked; of a file that is not held in memory
LARGE_ROWS_MAX = 50_000_000
LINE_CHARS_MAX = 65_536
COLUMNS_MAX = 256
HEADER_ROWS_MAX = 30  # the header stands in one of so many first rows, under titles
LEGACY_ENCODINGS = ("gb18030", "cp1252")
DELIMITERS = (",", ";", "\t")
_PIECE_BYTES = 2**20
_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")

HeaderTest: TypeAlias = Callable[[tuple[str, ...]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table of text that can be opened from its begin, and how it is read."""

    open_text: Callable[[], TextIO]
    rows_about: int
    rows_max: int
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_row: int = 1  # those above it are titles
    is_filled_up: bool = False  # rows may end before the header does


def is_gzip(head: bytes) -> bool:
    """Tell by its beginning whether a file is packed with gzip."""
    return head.startswith(_GZIP_MAGIC)


def is_archive(head: bytes) -> bool:
    """Tell by its beginning whether a file is a zip archive, as a workbook and an OFD are."""
    return head.startswith(_ZIP_MAGIC)


def load_bytes(file: Path | bytes) -> bytes:
    """Read a file, unpacked where it is gzip.

    Raises:
        FileUnreadableError: It is missing or damaged.
        FileTooLargeError: It holds more than ``FILE_BYTES_MAX`` bytes, packed or unpacked.
    """
    raw = file if isinstance(file, bytes) else _read_path(file)
    if not is_gzip(raw):
        return _verify_size(raw)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as unpacked:
            return _verify_size(unpacked.read(FILE_BYTES_MAX + 1))
    except (OSError, EOFError, zlib.error) as err:
        raise FileUnreadableError("the compression of the file is damaged") from err


def read_table(
    raw: bytes, *, is_header: HeaderTest | None = None, encoding: str | None = None
) -> TextTable:
    """Decode a table and find its delimiter and header.

    The header is the first row that passes the test, and the first row where none does. The
    encoding is tried before others where the bytes are not UTF-8.

    Raises:
        EncodingUnknownError: The bytes are no text that we read.
        TableFormError: There is no header.
    """
    encoding = _find_encoding(lambda: [raw], first=encoding)
    text = raw.decode(encoding)
    return _build_table(
        lambda: io.StringIO(text, newline=""),
        rows_about=text.count("\n"),
        rows_max=ROWS_MAX,
        encoding=encoding,
        is_header=is_header,
    )


def read_large_table(
    path: Path, *, is_header: HeaderTest | None = None, encoding: str | None = None
) -> TextTable:
    """Find out how a file that is not held in memory is read; it is not packed.

    Raises:
        EncodingUnknownError: The bytes are no text that we read.
        TableFormError: There is no header.
    """
    encoding = _find_encoding(lambda: _iterate_pieces(path), first=encoding)
    return _build_table(
        lambda: path.open(encoding=encoding, newline=""),
        rows_about=sum(piece.count(b"\n") for piece in _iterate_pieces(path)),
        rows_max=LARGE_ROWS_MAX,
        encoding=encoding,
        is_header=is_header,
    )


def is_longer(file: Path | bytes, *, bytes_max: int) -> bool:
    """Tell whether a file holds more than so many bytes, unpacked.

    Raises:
        FileUnreadableError: It is missing or damaged.
    """
    length = 0
    for piece in unpack(file):
        length += len(piece)
        if length > bytes_max:
            return True
    return False


def unpack(file: Path | bytes) -> Iterator[bytes]:
    """Yield the bytes of a file piece by piece, unpacked where it is gzip.

    Raises:
        FileUnreadableError: It is missing or damaged.
        FileTooLargeError: It holds more than ``LARGE_FILE_BYTES_MAX`` bytes.
    """
    length = 0
    try:
        with io.BytesIO(file) if isinstance(file, bytes) else file.open("rb") as raw:
            is_packed = is_gzip(raw.read(len(_GZIP_MAGIC)))
            raw.seek(0)
            unpacked: io.BufferedIOBase = gzip.GzipFile(fileobj=raw) if is_packed else raw
            while piece := unpacked.read(_PIECE_BYTES):
                length += len(piece)
                if length > LARGE_FILE_BYTES_MAX:
                    limit = LARGE_FILE_BYTES_MAX // 2**30
                    raise FileTooLargeError(f"more than {limit} GiB: split the file")
                yield piece
    except (gzip.BadGzipFile, EOFError, zlib.error) as err:
        raise FileUnreadableError("the compression of the file is damaged") from err
    except OSError as err:
        raise FileUnreadableError(f"the file cannot be read: {err.strerror}") from err


def _build_table(
    open_text: Callable[[], TextIO],
    *,
    rows_about: int,
    rows_max: int,
    encoding: str,
    is_header: HeaderTest | None,
) -> TextTable:
    with open_text() as text:
        head = text.read(2 * LINE_CHARS_MAX)
    header_line = head.partition("\n")[0].rstrip("\r")
    if len(header_line) > LINE_CHARS_MAX:
        raise TableFormError(f"the header is longer than {LINE_CHARS_MAX} characters")
    found = None if is_header is None else _find_header(head, is_header)
    if found is None:
        delimiter = max(DELIMITERS, key=header_line.count)
        header_row, header = 1, _strip(_read_header(header_line, delimiter=delimiter))
    else:
        delimiter, header_row, header = found
    if not any(header):
        raise TableFormError("the file has no header")
    if len(header) > COLUMNS_MAX:
        raise TableFormError(f"more than {COLUMNS_MAX} columns")
    named = [name for name in header if name]
    if len(set(named)) != len(named):
        raise TableFormError("a column name stands twice in the header")
    return TextTable(
        open_text=open_text,
        rows_about=rows_about,
        rows_max=rows_max,
        encoding=encoding,
        delimiter=delimiter,
        header=header,
        header_row=header_row,
    )


def list_head_rows(raw: bytes) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return (delimiter, number, cells) of what may be the header of a table.

    Raises:
        EncodingUnknownError: The bytes are no text that we read.
    """
    text = raw.decode(_find_encoding(lambda: [raw], first=None))
    return list(_iterate_head(text[: 2 * LINE_CHARS_MAX]))


def _find_header(head: str, is_header: HeaderTest) -> tuple[str, int, tuple[str, ...]] | None:
    rows = (one for one in _iterate_head(head) if is_header(one[2]))
    return min(rows, key=lambda one: one[1], default=None)


def _iterate_head(head: str) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, strict=True)
        with suppress(csv.Error):  # cut in the middle of a row, or no table by this delimiter
            for number, cells in zip(range(1, HEADER_ROWS_MAX + 1), reader, strict=False):
                yield delimiter, number, _strip(cells)


def _strip(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in cells)


def iterate_rows(table: TextTable) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number, cells) under the header; empty rows are passed over.

    Raises:
        TableFormError: A line is too long or a quote is wrong; what follows cannot be trusted.
        FileTooLargeError: There are more rows than the table may have.
    """
    number = 0
    with table.open_text() as text:
        reader = csv.reader(_bounded_lines(text), delimiter=table.delimiter, strict=True)
        try:
            for number, cells in enumerate(reader, start=1):
                if number > table.rows_max + table.header_row:
                    raise FileTooLargeError(f"more than {table.rows_max} rows: split the file")
                if number > table.header_row and any(cells):
                    lacking = len(table.header) - len(cells) if table.is_filled_up else 0
                    yield number, cells + [""] * lacking
        except csv.Error as err:
            raise TableFormError(f"row {number + 1}: {err}") from err


def _read_path(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _verify_size(file.read(FILE_BYTES_MAX + 1))
    except OSError as err:
        raise FileUnreadableError(f"the file cannot be read: {err.strerror}") from err


def _verify_size(raw: bytes) -> bytes:
    if len(raw) > FILE_BYTES_MAX:
        raise FileTooLargeError(f"more than {FILE_BYTES_MAX // 2**20} MiB: split the file")
    return raw


def _find_encoding(open_pieces: Callable[[], Iterable[bytes]], *, first: str | None) -> str:
    start = b""
    for piece in open_pieces():
        start = start or piece[:2]
        if start.startswith(_UTF16_MARKS):
            raise EncodingUnknownError("UTF-16 text: save it as UTF-8")
        if b"\x00" in piece:
            raise EncodingUnknownError("binary data, not a table of text")
    if _decodes(open_pieces(), "utf-8-sig"):
        return "utf-8-sig"
    ranked = _rank_legacy_encodings(open_pieces())
    for encoding in ranked if first is None else (first, *ranked):
        if _decodes(open_pieces(), encoding):
            return encoding
    raise EncodingUnknownError("neither UTF-8 nor GB18030 nor Windows-1252")


def _decodes(pieces: Iterable[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _rank_legacy_encodings(pieces: Iterable[bytes]) -> tuple[str, str]:
    runs = pairs = last_run = 0  # the last run of a piece goes on where the next one begins high
    for piece in pieces:
        for match in _HIGH_RUN.finditer(piece):
            length = match.end() - match.start()
            if match.start() == 0 and last_run:
                pairs += last_run == 1
                last_run += length
                continue
            runs += 1
            pairs += length > 1
            last_run = length
        if piece[-1:] < b"\x80":
            last_run = 0
    return ("gb18030", "cp1252") if 2 * pairs >= runs else ("cp1252", "gb18030")


def _iterate_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _read_header(line: str, *, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as err:
        raise TableFormError(f"header: {err}") from err


def _bounded_lines(text: TextIO) -> Iterator[str]:
    # A line that is too long is not read to its end: it may be as long as the file.
    lines = iter(lambda: text.readline(LINE_CHARS_MAX + 1), "")
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_CHARS_MAX:
            raise TableFormError(f"line {number} is longer than {LINE_CHARS_MAX} characters")
        yield line
