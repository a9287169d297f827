"""A workbook is imported as the table that its first sheet is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path

import pytest
from openpyxl import Workbook

from node.core.clock import ManualClock
from node.core.database import Database
from node.records.importing import workbook as workbook_module
from node.records.importing.errors import (
    FileTooLargeError,
    FileUnreadableError,
    TableFormError,
)
from node.records.importing.text import COLUMNS_MAX
from node.records.importing.workbook import is_workbook, read_sheet
from node.records.service import RecordsService
from tests.support.exchanges import HEADER
from tests.support.places import call, check
from tests.support.stores import migrated_url

COLUMNS = HEADER.split(",")


def make_book(*rows: Sequence[object], title: str = "应收") -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    book.create_sheet("notes").append(["not read"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def invoice(number: str, amount: object, *, issued: object, paid: object = None) -> list[object]:
    row: list[object] = ["sim", "S1", "宏达机械", "CN", number, 1, issued, date(2026, 3, 31), "CNY"]
    return [*row, amount, paid, None, None]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordsService]:
    database = Database(url=migrated_url(tmp_path / "node.sqlite"))
    yield RecordsService(database=database, clock=ManualClock(0), business_date=date(2026, 6, 30))
    database.dispose()


def read_cells(*rows: Sequence[object]) -> list[str]:
    with read_sheet(make_book(*rows)).open_text() as text:
        return text.read().splitlines()


def test_a_sheet_is_imported_and_again_changes_nothing(records: RecordsService) -> None:
    book = make_book(
        COLUMNS,
        invoice("R1", 1200.5, issued=datetime(2026, 3, 1), paid=date(2026, 4, 2)),  # noqa: DTZ001
        invoice("R2", "1200.50", issued="2026-03-01"),
        invoice("R3", 0.1 + 0.2, issued=date(2026, 3, 1)),
        invoice("R4", "much", issued=date(2026, 3, 1)),
    )

    report = records.import_file(book, file_name="ledger.xlsx")

    assert (report.encoding, report.invoices_added, report.payments_added) == ("xlsx", 3, 1)
    assert [(one.row, one.column) for one in report.rejects] == [(5, "amount")]
    (ageing,) = records.ageing(1, as_of=date(2026, 6, 30))
    assert ageing.balance_minor == 120_050 + 30
    assert records.import_file(book, file_name="ledger.xlsx").invoices_added == 0


def test_cells_are_written_as_what_they_are() -> None:
    lines = read_cells(
        ["a", "b", "c", "d", None, None],
        [1, 2.0, 1234.5600000000001, 1e21, None, None],
        [True, datetime(2026, 1, 2, 3, 4), date(2026, 1, 2), time(5, 6)],  # noqa: DTZ001
        ["x, y", None, "=1+1", None],
        [None, None, None, None, "beyond"],
    )

    assert lines == [
        "a,b,c,d",
        "1,2,1234.56,1000000000000000000000",
        "true,2026-01-02T03:04:00,2026-01-02,05:06:00",
        '"x, y",,,',  # what a formula comes to is kept by the program that wrote it, or is not
        ",,,,beyond",
    ]


def test_what_is_no_workbook_or_a_damaged_one_is_refused(
    records: RecordsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = make_book(COLUMNS)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    assert is_workbook(book)
    assert not is_workbook(other.getvalue())
    assert not is_workbook(book[:200])
    assert not is_workbook(b"a,b\n")

    broken = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(broken, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            archive.writestr(name, content[:80] if name.endswith("workbook.xml") else content)
    with pytest.raises(FileUnreadableError):
        records.import_file(broken.getvalue())
    with pytest.raises(TableFormError):
        records.import_file(make_book())
    with pytest.raises(TableFormError, match="columns"):
        read_sheet(make_book([f"c{number}" for number in range(COLUMNS_MAX + 1)]))
    monkeypatch.setattr(workbook_module, "ROWS_MAX", 2)
    with pytest.raises(FileTooLargeError, match="rows"):
        read_sheet(make_book(["a"], ["1"], ["2"], ["3"]))
    monkeypatch.setattr(workbook_module, "UNPACKED_BYTES_MAX", 100)
    with pytest.raises(FileTooLargeError, match="unpacks"):
        read_sheet(book)


def test_a_workbook_that_declares_entities_is_refused(records: RecordsService) -> None:
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(make_book(COLUMNS))) as source,
        zipfile.ZipFile(bomb, "w") as archive,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                start = content.index(b"<worksheet")
                declared = b'<!DOCTYPE w [<!ENTITY e "eeeeeeeeee">]>'
                content = content[:start] + declared + content[start:]
            archive.writestr(name, content)

    with pytest.raises(FileUnreadableError):
        records.import_file(bomb.getvalue())


def test_the_command_takes_a_workbook(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    check(call("init", "--home", home, "--member-id", "acme.example"))
    file = tmp_path / "ledger.xlsx"
    file.write_bytes(make_book(COLUMNS, invoice("R1", 10, issued=date(2026, 3, 1))))

    said = check(call("--home", home, "import", str(file)))

    assert "xlsx" in said
