"""From a file to rows of text: size limits, gzip, encoding, delimiter.

An export says nowhere how it is encoded. UTF-8 is certain where it decodes; between GB18030 and
Windows-1252 the bytes decide: Chinese text is made of pairs of high bytes, western text of single
ones.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from node.records.importing.errors import (
    EncodingUnknownError,
    FileTooLargeError,
    FileUnreadableError,
    TableFormError,
)

FILE_BYTES_MAX = 128 * 2**20  # unpacked
ROWS_MAX = 500_000
LINE_CHARS_MAX = 65_536
COLUMNS_MAX = 256
DELIMITERS = (",", ";", "\t")
_GZIP_MAGIC = b"\x1f\x8b"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """The decoded text of a table and how it was read."""

    text: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]


def load_bytes(file: Path | bytes) -> bytes:
    """Read a file, unpacked where it is gzip.

    Raises:
        FileUnreadableError: It is missing or damaged.
        FileTooLargeError: It holds more than ``FILE_BYTES_MAX`` bytes, packed or unpacked.
    """
    raw = file if isinstance(file, bytes) else _read_path(file)
    if not raw.startswith(_GZIP_MAGIC):
        return _verify_size(raw)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as unpacked:
            return _verify_size(unpacked.read(FILE_BYTES_MAX + 1))
    except (OSError, EOFError, zlib.error) as err:
        raise FileUnreadableError("the compression of the file is damaged") from err


def read_table(raw: bytes) -> TextTable:
    """Decode a table and find its delimiter and header.

    Raises:
        EncodingUnknownError: The bytes are no text that we read.
        TableFormError: There is no header.
    """
    text, encoding = _decode(raw)
    header_line = text.partition("\n")[0].rstrip("\r")
    if len(header_line) > LINE_CHARS_MAX:
        raise TableFormError(f"the header is longer than {LINE_CHARS_MAX} characters")
    delimiter = max(DELIMITERS, key=header_line.count)
    header = tuple(cell.strip() for cell in _read_header(header_line, delimiter=delimiter))
    if not any(header):
        raise TableFormError("the file has no header")
    if len(header) > COLUMNS_MAX:
        raise TableFormError(f"more than {COLUMNS_MAX} columns")
    if len(set(header)) != len(header):
        raise TableFormError("a column name stands twice in the header")
    return TextTable(text=text, encoding=encoding, delimiter=delimiter, header=header)


def iterate_rows(table: TextTable) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number, cells) under the header, which is row 1; empty rows are passed over.

    Raises:
        TableFormError: A line is too long or a quote is wrong; what follows cannot be trusted.
        FileTooLargeError: There are more than ``ROWS_MAX`` rows.
    """
    reader = csv.reader(_bounded_lines(table.text), delimiter=table.delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > ROWS_MAX + 1:
                raise FileTooLargeError(f"more than {ROWS_MAX} rows: split the file")
            if number > 1 and any(cells):
                yield number, cells
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


def _decode(raw: bytes) -> tuple[str, str]:
    if raw.startswith(_UTF16_MARKS):
        raise EncodingUnknownError("UTF-16 text: save it as UTF-8")
    if b"\x00" in raw:
        raise EncodingUnknownError("binary data, not a table of text")
    for encoding in ("utf-8-sig", *_rank_legacy_encodings(raw)):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise EncodingUnknownError("neither UTF-8 nor GB18030 nor Windows-1252")


def _rank_legacy_encodings(raw: bytes) -> tuple[str, str]:
    runs = pairs = 0
    for match in _HIGH_RUN.finditer(raw):
        runs += 1
        pairs += (match.end() - match.start()) > 1
    return ("gb18030", "cp1252") if 2 * pairs >= runs else ("cp1252", "gb18030")


def _read_header(line: str, *, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as err:
        raise TableFormError(f"header: {err}") from err


def _bounded_lines(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > LINE_CHARS_MAX:
            raise TableFormError(f"line {number} is longer than {LINE_CHARS_MAX} characters")
        yield line
