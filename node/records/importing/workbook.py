"""Workbooks (XLSX): one sheet as a table of text, read row by row.

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
    HeaderTest,
    TextTable,
    is_archive,
    list_head_rows,
    read_table,
)

ENCODING = "xlsx"  # what the report calls it
NUMBER_DIGITS = 15  # what a cell keeps of a number
PARTS_MAX = 2_000
SHEETS_NAMED_MAX = 20  # in an error
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


def read_sheet(
    raw: bytes,
    *,
    sheet: str | None = None,
    is_header: HeaderTest | None = None,
    decimal_mark: str = ".",
) -> TextTable:
    """Return a sheet of a workbook as a table: the one of this name, or the first.

    Numbers are written with the decimal mark by which the texts beside them are read.

    Raises:
        FileUnreadableError: It is damaged.
        FileTooLargeError: It unpacks to too much, or has too many rows.
        TableFormError: It has no such sheet or no header, or too many columns.
    """
    text = _convert(raw, sheet=sheet, decimal_mark=decimal_mark)
    table = read_table(text.encode("utf-8"), is_header=is_header)
    return dataclasses.replace(table, encoding=ENCODING, is_filled_up=True)


def list_sheet_head(raw: bytes, *, sheet: str | None) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return (delimiter, number, cells) of what may be the header of a sheet.

    Raises:
        ImportFileError: The workbook cannot be read, or has no such sheet.
    """
    return list_head_rows(_convert(raw, sheet=sheet, decimal_mark=".").encode("utf-8"))


def _convert(raw: bytes, *, sheet: str | None, decimal_mark: str) -> str:
    _check_size(raw)
    text = io.StringIO(newline="")
    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        try:
            _write_sheet(_choose_sheet(book.worksheets, sheet), text, decimal_mark=decimal_mark)
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


def _choose_sheet(sheets: Sequence[Any], name: str | None) -> Any:  # noqa: ANN401  openpyxl's own
    found = [one for one in sheets if name is None or one.title == name]
    if not found:
        titles = ", ".join(str(one.title) for one in sheets[:SHEETS_NAMED_MAX])
        raise TableFormError(f"the workbook has no such sheet; there are {titles or 'none'}")
    return found[0]


def _write_sheet(sheet: Any, text: io.StringIO, *, decimal_mark: str) -> None:  # noqa: ANN401
    writer = csv.writer(text, lineterminator="\n")
    width = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > ROWS_MAX + 1:
            raise FileTooLargeError(f"more than {ROWS_MAX} rows: split the file")
        cells = [_write_cell(value, decimal_mark=decimal_mark) for value in row]
        while len(cells) > width and not cells[-1]:
            cells.pop()  # a sheet is as wide as its widest row
        width = width or len(cells)  # others are filled up when they are read
        if len(cells) > COLUMNS_MAX:
            raise TableFormError(f"more than {COLUMNS_MAX} columns")
        writer.writerow(cells + [""] * (width - len(cells)))


def _write_cell(value: object, *, decimal_mark: str) -> str:
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
            number = f"{Decimal(format(value, f'.{NUMBER_DIGITS}g')):f}"
            return number.replace(".", decimal_mark)
        case _:
            return str(value)
