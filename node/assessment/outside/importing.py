"""Reports and looks into public lists from a file: a table (CSV) or JSON with the same names.

Each row names its customer by an identifier (``scheme:value`` or our number). A name may stand
beside it for whoever reads the file; nothing is ever matched by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from node.assessment.outside.errors import IdentifierMissingError, OutsideFileError
from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.rules_report import OutsideReport
from node.assessment.outside_evidence import ReportKind
from node.assessment.policy_outside import PublicList
from node.core.money import CURRENCY_FORM, AmountError, parse_amount
from node.records.importing.errors import ImportFileError
from node.records.importing.text import iterate_rows, read_table
from protocol.errors import ProtocolError
from protocol.strict_json import parse_json

FILE_BYTES_MAX = 1_048_576
ROWS_MAX = 2_000
CUSTOMER, NAME = "customer", "name"
REPORT_COLUMNS = (
    CUSTOMER, NAME, "agency", "number", "kind", "scale", "printed", "limit", "currency",
    "issued_on", "expires_on", "document_sha256_hex", "source",
)  # fmt: skip
CHECK_COLUMNS = (
    CUSTOMER, NAME, "list", "found", "reference", "listed_on", "removed_on", "checked_on",
    "document_sha256_hex", "source",
)  # fmt: skip
_FOUND = {"yes": True, "no": False, "是": True, "否": False}
Kind = TypeVar("Kind", bound=StrEnum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row by their column; an error names row and column."""

    line: int
    values: Mapping[str, str]

    def text(self, column: str) -> str:
        """Return a text, empty where there is none."""
        return self.values.get(column, "").strip()

    def find_text(self, column: str) -> str | None:
        """Return a text, or None where there is none."""
        return self.text(column) or None

    def day(self, column: str) -> date:
        """Return a day.

        Raises:
            OutsideFileError: It is none.
        """
        return self.find_day(column) or self._fail(column, "a day is missing")

    def find_day(self, column: str) -> date | None:
        """Return a day, or None where the cell is empty.

        Raises:
            OutsideFileError: It is none.
        """
        text = self.text(column)
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return self._fail(column, "a day is written 2026-06-30")
        return day if day.isoformat() == text else self._fail(column, "a day is written 2026-06-30")

    def choice(self, column: str, kind: type[Kind]) -> Kind:
        """Return one of a few words.

        Raises:
            OutsideFileError: It is another one.
        """
        try:
            return kind(self.text(column))
        except ValueError:
            return self._fail(column, f"one of {', '.join(kind)}")

    def find_money(self, column: str, *, currency: str | None) -> int | None:
        """Return minor units of a plain decimal.

        Raises:
            OutsideFileError: It is none, or there is no currency.
        """
        text = self.text(column)
        if not text:
            return None
        if currency is None or not CURRENCY_FORM.fullmatch(currency):
            return self._fail("currency", "an amount has a currency (CNY)")
        try:
            return parse_amount(text, currency=currency)
        except AmountError as err:
            return self._fail(column, str(err))

    def _fail(self, column: str, why: str) -> Value:  # type: ignore[type-var]
        raise OutsideFileError(f"row {self.line}, {column}: {why}")


def read_report_file(raw: bytes) -> list[tuple[str, OutsideReport]]:
    """Return the reports of a file, each with its customer's identifier.

    Raises:
        OutsideFileError: It cannot be read; the text names row and column.
        IdentifierMissingError: A row has no identifier.
    """
    return [_name(cells, _read_report) for cells in _read_rows(raw, REPORT_COLUMNS)]


def read_check_file(raw: bytes) -> list[tuple[str, ListCheck]]:
    """Return the looks into public lists of a file, each with its customer's identifier.

    Raises:
        OutsideFileError: It cannot be read; the text names row and column.
        IdentifierMissingError: A row has no identifier.
    """
    return [_name(cells, _read_check) for cells in _read_rows(raw, CHECK_COLUMNS)]


def _name(cells: Cells, read: Callable[[Cells], Value]) -> tuple[str, Value]:
    customer = cells.text(CUSTOMER)
    if not customer:
        raise IdentifierMissingError(f"row {cells.line}: no identifier; a name matches nobody")
    return customer, read(cells)


def _read_report(cells: Cells) -> OutsideReport:
    currency = cells.find_text("currency")
    return OutsideReport(
        agency=cells.text("agency"),
        number=cells.text("number"),
        kind=cells.choice("kind", ReportKind),
        scale=cells.text("scale"),
        printed=cells.text("printed"),
        limit_minor=cells.find_money("limit", currency=currency),
        currency=currency,
        issued_on=cells.day("issued_on"),
        expires_on=cells.find_day("expires_on"),
        document_sha256_hex=cells.find_text("document_sha256_hex"),
        source=cells.text("source"),
    )


def _read_check(cells: Cells) -> ListCheck:
    found = _FOUND.get(cells.text("found").casefold())
    if found is None:
        raise OutsideFileError(f"row {cells.line}, found: yes or no")
    return ListCheck(
        list=cells.choice("list", PublicList),
        is_found=found,
        reference=cells.text("reference"),
        listed_on=cells.find_day("listed_on"),
        removed_on=cells.find_day("removed_on"),
        source=cells.text("source"),
        checked_on=cells.day("checked_on"),
        document_sha256_hex=cells.find_text("document_sha256_hex"),
    )


def _read_rows(raw: bytes, columns: Sequence[str]) -> list[Cells]:
    if len(raw) > FILE_BYTES_MAX:
        raise OutsideFileError(f"more than {FILE_BYTES_MAX} bytes")
    is_json = raw[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"[", b"{"))
    rows = _read_json(raw) if is_json else _read_table(raw)
    if not rows:
        raise OutsideFileError("no row")
    if len(rows) > ROWS_MAX:
        raise OutsideFileError(f"more than {ROWS_MAX} rows")
    for cells in rows:
        for name in cells.values.keys() - set(columns):
            raise OutsideFileError(f"row {cells.line}: unknown column {name[:64]!r}")
    return rows


def _read_table(raw: bytes) -> list[Cells]:
    try:
        table = read_table(raw)
        rows = list(iterate_rows(table))
    except ImportFileError as err:
        raise OutsideFileError(err.detail) from err
    names = [name.strip().casefold() for name in table.header]
    for line, cells in rows:
        if len(cells) != len(names):
            raise OutsideFileError(f"row {line}: {len(cells)} cells under {len(names)} columns")
    return [Cells(line, dict(zip(names, cells, strict=True))) for line, cells in rows]


def _read_json(raw: bytes) -> list[Cells]:
    try:
        given = parse_json(raw.removeprefix(b"\xef\xbb\xbf"))
    except ProtocolError as err:
        raise OutsideFileError(err.detail) from err
    rows = given if isinstance(given, list) else [given]
    read = []
    for line, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not all(isinstance(one, str) for one in row.values()):
            raise OutsideFileError(f"row {line}: an object of texts")
        read.append(Cells(line, {name: str(value) for name, value in row.items()}))
    return read
