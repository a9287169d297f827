"""Workbooks (XLSX): their first sheet as a table of text, read row by row.

What is shown is not read: a date is its day, a number its fifteen significant digits, a formula the
value that was kept with it. Nothing in the file is run or fetched.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from node.records.importing.errors import FileTooLargeError, FileUnreadableError, TableFormError
from node.records.importing.text import (
    COLUMNS_MAX,
    FILE_BYTES_MAX,
    ROWS_MAX,
    TextTable,
    is_archive,
    read_table,
)

ENCODING = "xlsx"  # what the report calls it
NUMBER_DIGITS = 15  # what a cell keeps of a number
PARTS_MAX = 2_000
UNPACKED_BYTES_MAX = 8 * FILE_BYTES_MAX  # a sheet is XML: some ten times its text
_SHEETS = "xl/workbook.xml"


def is_workbook(raw: bytes) -> bool:
    """Tell whether a file is a workbook, by its content."""
    if not is_archive(raw):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return _SHEETS in archive.namelist()
    except zipfile.BadZipFile:
        return False


def read_sheet(raw: bytes) -> TextTable:
    """Return the first sheet of a workbook as a table.

    Raises:
        FileUnreadableError: It is damaged.
        FileTooLargeError: It unpacks to too much, or has too many rows.
        TableFormError: It has no sheet or no header, or too many columns.
    """
    table = read_table(_convert(raw).encode("utf-8"))
    return dataclasses.replace(table, encoding=ENCODING)


def _convert(raw: bytes) -> str:
    _check_size(raw)
    text = io.StringIO(newline="")
    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        try:
            _write_sheet(book.worksheets, text)
        finally:
            book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as err:
        raise FileUnreadableError("the workbook is damaged") from err
    return text.getvalue()


def _check_size(raw: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = archive.infolist()
    if len(parts) > PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
        raise FileTooLargeError("the workbook unpacks to too much: save its sheet as CSV")


def _write_sheet(sheets: Sequence[Any], text: io.StringIO) -> None:
    if not sheets:
        raise TableFormError("the workbook has no sheet")
    writer = csv.writer(text, lineterminator="\n")
    width = 0
    for number, row in enumerate(sheets[0].iter_rows(values_only=True), start=1):
        if number > ROWS_MAX + 1:
            raise FileTooLargeError(f"more than {ROWS_MAX} rows: split the file")
        cells = [_write_cell(value) for value in row]
        while len(cells) > width and not cells[-1]:
            cells.pop()  # a sheet is as wide as its widest row
        width = width or len(cells)
        if len(cells) > COLUMNS_MAX:
            raise TableFormError(f"more than {COLUMNS_MAX} columns")
        writer.writerow(cells + [""] * (width - len(cells)))


def _write_cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case float():
            return f"{Decimal(format(value, f'.{NUMBER_DIGITS}g')):f}"
        case _:
            return str(value)
