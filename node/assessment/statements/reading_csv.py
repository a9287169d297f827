"""Statements from a table: wide (a column a year) or long (a row an amount).

Wide: ``code``, perhaps ``item``, then a column for each year end. Long: ``year_end``, ``code``,
``amount``. In both, rows ``currency``, ``unit``, ``months``, ``basis``, ``assurance`` and ``gaap``
say what a year is, and ``opening.CODE`` is a balance at its begin. Amounts are in the unit.
"""

# ruff: noqa: RUF001  Chinese punctuation and dashes are meant

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from node.assessment.statements.chart import CHART
from node.assessment.statements.errors import StatementFileError
from node.assessment.statements.reading import Draft, Given, build_draft
from node.assessment.statements.rules_findings import Finding
from node.assessment.statements.rules_statement import (
    MONTHS_OF_YEAR,
    YEARS_SHOWN_MAX,
    Assurance,
    Basis,
    Gaap,
    Statement,
    Unit,
)
from node.assessment.statements.written import parse_written
from node.core.money import CURRENCY_FORM
from node.records.importing.cells import AmountForm
from node.records.importing.errors import ImportFileError
from node.records.importing.text import TextTable, iterate_rows, read_table

TABLE_BYTES_MAX = 1_048_576
TABLE_ROWS_MAX = 2_000
OPENING = "opening."
CODE_COLUMN, ITEM_COLUMN, YEAR_COLUMN, AMOUNT_COLUMN = "code", "item", "year_end", "amount"
_HEAD: Mapping[str, type[StrEnum] | None] = {
    "currency": None,
    "unit": Unit,
    "months": None,
    "basis": Basis,
    "assurance": Assurance,
    "gaap": Gaap,
}
_UNIT_WORDS = {"元": "ones", "千元": "thousands", "万元": "ten-thousands", "百万元": "millions"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAMES = {
    name.casefold(): code
    for code, item in CHART.items()
    for name in (code, item.words.zh, item.words.en)
}


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell with its place."""

    code: str
    text: str
    line: int
    column: str


@dataclass(slots=True)
class _Year:
    """The cells of one year: what it is, its lines and its opening balances."""

    head: dict[str, _Cell] = field(default_factory=dict)
    lines: dict[str, _Cell] = field(default_factory=dict)
    opening: dict[str, _Cell] = field(default_factory=dict)


def read_statement_table(raw: bytes, *, form: AmountForm, given: Given) -> Draft:
    """Read the statements of a table; numbers are all written in one form.

    Raises:
        StatementFileError: It is too large, or no table with one of the two headers.
    """
    if len(raw) > TABLE_BYTES_MAX:
        raise StatementFileError(f"more than {TABLE_BYTES_MAX} bytes")
    try:
        table = read_table(raw, is_header=_is_header)
        rows = list(iterate_rows(table))
    except ImportFileError as err:
        raise StatementFileError(err.detail) from err
    if not _is_header(table.header):
        raise StatementFileError(
            "no header: code and a column for each year, or year_end,code,amount"
        )
    if len(rows) > TABLE_ROWS_MAX:
        raise StatementFileError(f"more than {TABLE_ROWS_MAX} rows")
    findings: list[Finding] = []
    years = _sort_cells(table, rows, findings)
    wanted = [year for year in years if given.year_end in {None, year}]
    if len(wanted) > YEARS_SHOWN_MAX:
        findings.append(Finding(code="too-many-years"))
    statements = []
    for year_end in wanted:
        statement = _read_year(year_end, years[year_end], form, given, findings)
        if statement is not None:
            statements.append(statement)
    return build_draft(raw, statements, findings)


def build_template(*, is_long: bool = False, year_end: date) -> str:
    """Return an empty table of the form that is read, with every item in both languages."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    year = year_end.isoformat()
    head = {"currency": "CNY", "unit": "ones", "months": "12", "basis": "single"}
    head |= {"assurance": "audited", "gaap": "cas"}
    if is_long:
        writer.writerow((YEAR_COLUMN, CODE_COLUMN, ITEM_COLUMN, AMOUNT_COLUMN))
    else:
        writer.writerow((CODE_COLUMN, ITEM_COLUMN, year))
    for code, value in head.items():
        kind = _HEAD[code]
        hint = "" if kind is None else " | ".join(kind)
        writer.writerow((year, code, hint, value) if is_long else (code, hint, value))
    for code, item in CHART.items():
        name = f"{item.words.zh} {item.words.en}"
        writer.writerow((year, code, name, "") if is_long else (code, name, ""))
    return text.getvalue()


def _is_header(cells: tuple[str, ...]) -> bool:
    names = [cell.casefold() for cell in cells]
    is_long = {YEAR_COLUMN, CODE_COLUMN, AMOUNT_COLUMN} <= set(names)
    return is_long or (CODE_COLUMN in names and any(_parse_day(cell) for cell in cells))


def _sort_cells(
    table: TextTable, rows: list[tuple[int, list[str]]], findings: list[Finding]
) -> dict[date, _Year]:
    years: dict[date, _Year] = {}
    for day, cell in _iterate_cells(table, rows, findings):
        year = years.setdefault(day, _Year())
        place, code = _find_place(year, cell.code)
        if place is None:
            findings.append(
                Finding(code="item-unknown", detail=cell.code[:64], line=cell.line, column="code")
            )
        elif code in place:
            findings.append(
                Finding(code="cell-twice", detail=code, line=cell.line, column=cell.column)
            )
        else:
            place[code] = cell
    return {day: year for day, year in years.items() if year.lines}


def _find_place(year: _Year, code: str) -> tuple[dict[str, _Cell] | None, str]:
    plain = code.casefold()
    if plain in _HEAD:
        return year.head, plain
    if plain.startswith(OPENING):
        found = _NAMES.get(plain.removeprefix(OPENING))
        return (None, code) if found is None else (year.opening, found)
    found = _NAMES.get(plain)
    return (None, code) if found is None else (year.lines, found)


def _iterate_cells(
    table: TextTable, rows: list[tuple[int, list[str]]], findings: list[Finding]
) -> Iterator[tuple[date, _Cell]]:
    """Yield the cells that hold something, with their year; of both forms."""
    names = [name.casefold() for name in table.header]
    code_at = names.index(CODE_COLUMN)
    is_long = YEAR_COLUMN in names
    days = [_parse_day(name) for name in table.header]
    for line, cells in rows:
        if len(cells) != len(names):
            findings.append(Finding(code="row-form", line=line))
            continue
        code = cells[code_at].strip()
        if is_long:
            yield from _read_long_row(cells, names, line=line, code=code, findings=findings)
            continue
        for day, name, text in zip(days, table.header, cells, strict=True):
            if day is not None and not _is_empty(text):
                yield day, _Cell(code=code, text=text.strip(), line=line, column=name)


def _read_long_row(
    cells: list[str], names: list[str], *, line: int, code: str, findings: list[Finding]
) -> Iterator[tuple[date, _Cell]]:
    text = cells[names.index(AMOUNT_COLUMN)]
    if _is_empty(text):
        return
    day = _parse_day(cells[names.index(YEAR_COLUMN)])
    if day is None:
        findings.append(Finding(code="cell-date", line=line, column=YEAR_COLUMN))
        return
    yield day, _Cell(code=code, text=text.strip(), line=line, column=AMOUNT_COLUMN)


def _is_empty(text: str) -> bool:
    return text.strip() in {"", "-", "–", "—"}


def _parse_day(text: str) -> date | None:
    if not _DAY.fullmatch(text.strip()):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _read_year(
    year_end: date, year: _Year, form: AmountForm, given: Given, findings: list[Finding]
) -> Statement | None:
    before = len(findings)
    head = {name: _read_head(name, year_end, year, given, findings) for name in _HEAD}
    if len(findings) > before:
        return None
    currency, unit = head["currency"], Unit(head["unit"])
    lines, opening = (
        {
            code: amount
            for code, cell in cells.items()
            if (amount := _read_amount(cell, form, currency, unit, findings)) is not None
        }
        for cells in (year.lines, year.opening)
    )
    if len(findings) > before:
        return None
    return Statement(
        year_end=year_end,
        months=int(head["months"]),
        currency=currency,
        unit=unit,
        basis=Basis(head["basis"]),
        assurance=Assurance(head["assurance"]),
        gaap=Gaap(head["gaap"]),
        lines={code: lines[code] for code in CHART if code in lines},
        opening={code: opening[code] for code in CHART if code in opening},
    )


def _read_head(
    name: str, year_end: date, year: _Year, given: Given, findings: list[Finding]
) -> str:
    """Return what a year says of itself, or what was given for it; a finding where it is none."""
    cell = year.head.get(name)
    if cell is None:
        value = getattr(given, name)
        if value is None and name == "months":
            value = MONTHS_OF_YEAR
        if value is None:
            findings.append(
                Finding(code="head-missing", year_end=year_end.isoformat(), detail=name)
            )
        return str(value)
    text = _UNIT_WORDS.get(cell.text, cell.text.lower() if name != "currency" else cell.text)
    kind = _HEAD[name]
    allowed = "" if kind is None else " | ".join(kind)
    if name == "months":
        is_right, allowed = re.fullmatch("[0-9]{1,2}", text) is not None, "1–23"
    elif kind is None:
        is_right, allowed = CURRENCY_FORM.fullmatch(text) is not None, "CNY, EUR, …"
    else:
        is_right = text in list(kind)
    if not is_right:
        findings.append(
            Finding(code="cell-value", detail=allowed, line=cell.line, column=cell.column)
        )
    return text


def _read_amount(
    cell: _Cell, form: AmountForm, currency: str, unit: Unit, findings: list[Finding]
) -> int | None:
    """Return an amount in minor units, or a finding where it is none."""
    amount_minor = parse_written(cell.text, form=form, currency=currency, unit=unit)
    if amount_minor is None:
        findings.append(
            Finding(code="cell-number", detail=form.value, line=cell.line, column=cell.column)
        )
    return amount_minor
