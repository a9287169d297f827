"""A large file says the same as a small one: the same report, the same records, whatever is odd."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import random  # noqa: TID251  generated files, from seeds
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from node.core.clock import ManualClock
from node.core.database import Database
from node.records import bulk
from node.records.bulk import import_large_file
from node.records.bulk.engine import Engine, WorkFailedError, translate_failures
from node.records.bulk.folder import PREFIX
from node.records.bulk.read_statements import PRINTABLE_RANGES
from node.records.bulk.reading import read_large_file
from node.records.customers import CustomerService
from node.records.importing import Deal, ImportFileError, ImportReport
from node.records.importing.cells import RowCells
from node.records.importing.draft import DraftRow, Exclusion
from node.records.importing.profiles import TEMPLATE_COLUMNS, TemplateProfile
from node.records.importing.report import REJECTS_KEPT_MAX
from node.records.importing.suggestions import suggest
from node.records.service import RecordsService
from tests.support.stores import FAILURE, build_migrated_file, fail_inserts, sqlite_only

pytestmark = sqlite_only

BUSINESS_DATE = date(2026, 6, 30)
NOW_MS = 1_782_800_000_000
HEADER = TEMPLATE_COLUMNS
ODD_CELLS = {
    "customer_scheme": ["SIM", "", " sim ", "x" * 40],
    "customer_value": ["", "C 1", "C1 ", "ü"],
    "customer_name": [
        "", " 示例 ", 'He said "no"', "a\nb", "a\x1fb", "n" * 201,
        "Ⅷ ✓ 😀", "a\u00a0b",
    ],
    "country": ["de", "", "XX", " DE"],
    "document_no": ["", "D/1", 'D"1', "d" * 65, " D1", "D\t1"],
    "line": ["", "2", "01", "1.0", "-1", "1000001", "0", "x"],
    "issued_on": ["", "2026-02-30", "20260202", "2026-2-2", "2026-02-02 00:00:00", "1989-12-31"],
    "due_on": ["2100-01-01", "2025-01-01", "02.02.2026", " 2026-03-01 ", "2099-12-31"],
    "currency": ["JPY", "KWD", "usd", "", "QQQ"],
    "amount": [
        "1,234.56", "12.345", "-5.00", "5.00-", "0", "0.00", "0.004", "1e5", "99999999999999",
        "100000000000.00", "100000000000.01", "7", "7.", ".5", " 8.50 ", "1.005", "\uff11\uff12",
    ],
    "paid_on": ["", "2020-01-01", "someday", "2026-05-01"],
    "paid_amount": ["", "0", "0.00", "1.00", "99999999", "1.005", "-1"],
    "disputed": ["yes", "YES", "是", "no", "0", "maybe", " y "],
}  # fmt: skip


class Twin:
    """Two stores: one imports as small files are, one as large ones are."""

    def __init__(self, folder: Path) -> None:
        self.databases = []
        for name in ("a", "b"):
            path = folder / f"{name}.db"
            path.write_bytes(build_migrated_file())
            self.databases.append(Database(url=f"sqlite:///{path}"))
        self.clock = ManualClock(NOW_MS)
        self.services = [
            RecordsService(database=database, clock=self.clock, business_date=BUSINESS_DATE)
            for database in self.databases
        ]

    def import_file(
        self,
        file: Path | bytes,
        *,
        source: str | None = None,
        profile: str | None = None,
        deal: Deal | None = None,
        strict: bool = False,
    ) -> ImportReport:
        """Import both ways, tried first; the reports and the records are the same."""
        before = read_records(self.databases[1])
        options: dict[str, Any] = {
            "source": source,
            "profile": profile,
            "deal": deal,
            "strict": strict,
        }
        tried = [
            self.services[0].import_file(file, dry_run=True, **options),
            self.import_large(file, dry_run=True, **options),
        ]
        assert [read_records(database) for database in self.databases] == [before, before]
        small = self.services[0].import_file(
            file, source=source, profile=profile, deal=deal, strict=strict
        )
        large = self.import_large(file, source=source, profile=profile, deal=deal, strict=strict)

        assert dataclasses.asdict(large) == dataclasses.asdict(small)
        assert tried == [small, small]
        assert read_records(self.databases[1]) == read_records(self.databases[0])
        assert self.services[1].compare_behaviour() == []
        return large

    def import_large(
        self,
        file: Path | bytes,
        *,
        source: str | None = None,
        profile: str | None = None,
        deal: Deal | None = None,
        strict: bool = False,
        dry_run: bool = False,
    ) -> ImportReport:
        """Import the way of large files alone."""
        return import_large_file(
            self.databases[1],
            file,
            file_name=None,
            profile=profile,
            source=source,
            deal=deal,
            strict=strict,
            dry_run=dry_run,
            at_ms=self.clock.now_ms,
            business_date=BUSINESS_DATE,
            hasher=None,
            on_progress=None,
        )


@pytest.fixture
def twin(tmp_path: Path) -> Twin:
    return Twin(tmp_path)


def read_records(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Return all records by names instead of keys, which may be in another order."""
    named = "i.source, i.kind, i.document_no, i.line, i.version"
    queries = {
        "customer": "SELECT * FROM customer",
        "source_import": "SELECT * FROM source_import",
        "ledger_item": "SELECT NAMED, i.customer_id, i.happened_on, i.due_on, i.due_business_on,"
        " i.due_month, i.currency, i.amount_minor, i.import_id, i.entered_by, i.entered_at_ms"
        " FROM ledger_item i",
        "allocation": "SELECT NAMED, c.document_no, a.amount_minor, a.allocated_on, a.method,"
        " a.import_id, a.entered_by, a.entered_at_ms FROM allocation a"
        " JOIN ledger_item i ON i.id = a.debit_id JOIN ledger_item c ON c.id = a.credit_id",
        "dispute": "SELECT NAMED, d.amount_minor, d.opened_on, d.cause, d.import_id,"
        " d.entered_by, d.entered_at_ms FROM dispute d JOIN ledger_item i ON i.id = d.item_id",
        "behaviour_month": "SELECT * FROM behaviour_month",
    }
    with database.read() as uow:
        read = uow.connection.execute
        return {
            table: sorted(map(tuple, read(text(query.replace("NAMED", named)))), key=repr)
            for table, query in queries.items()
        }


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  generated files, no secrets


def make_row(draw: random.Random) -> list[str]:
    customer = draw.randrange(6)
    country, currency = [("CN", "CNY"), ("DE", "EUR"), ("US", "USD")][customer % 3]
    issued = date(2025, 1, 1) + timedelta(days=draw.randrange(600))
    amount = draw.randrange(1, 10**6)
    paid = ["", ""]
    if draw.random() < 0.7:
        paid_on = issued + timedelta(days=draw.randrange(-5, 200))
        paid = [
            paid_on.isoformat(),
            draw.choice(["", f"{amount / 200:.2f}", f"{amount / 100:.2f}"]),
        ]
    return [
        "sim", f"C{customer}", f"示例 {customer}", country, f"D{draw.randrange(150)}",
        str(draw.choice([1, 1, 1, 2])), issued.isoformat(),
        (issued + timedelta(days=draw.choice([-2, 0, 30, 60]))).isoformat(), currency,
        f"{amount / 100:.2f}", *paid, draw.choice(["", "", "", "", "yes"]),
    ]  # fmt: skip


def spoil(draw: random.Random, row: list[str]) -> list[str]:
    """Return a row with an odd cell, a cell too many or too few, or none at all."""
    spoilt = [*row, *[""] * (len(HEADER) - len(row))]
    match draw.randrange(20):
        case 0:
            return [*spoilt, "more"]
        case 1:
            return spoilt[:-1]
        case 2:
            return []
        case _:
            column = draw.choice(HEADER)
            spoilt[HEADER.index(column)] = draw.choice(ODD_CELLS[column])
            return spoilt


def make_rows(draw: random.Random, *, rows: int) -> list[list[str]]:
    made: list[list[str]] = []
    for _ in range(rows):
        chance = draw.random()
        if made and chance < 0.3:  # the same line again: the same, another payment, other values
            row = list(draw.choice(made))
            if row and len(row) == len(HEADER) and chance < 0.25:
                row[10] = (date(2026, 1, 1) + timedelta(days=draw.randrange(90))).isoformat()
                row[11] = draw.choice(["", "1.00", "0.50", "10.00"])
            made.append(row)
        elif chance < 0.5:
            made.append(spoil(draw, make_row(draw)))
        else:
            made.append(make_row(draw))
    return made


def format_file(rows: list[list[str]], *, delimiter: str = ",") -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(HEADER)
    writer.writerows(rows)
    return file.getvalue().encode()


@pytest.mark.parametrize("seed", range(6))
def test_both_ways_give_one_report_and_the_same_records(twin: Twin, seed: int) -> None:
    draw = seeded(seed)
    rows = make_rows(draw, rows=400)
    later = [row if draw.random() < 0.7 else spoil(draw, row) for row in rows if row]
    later += make_rows(draw, rows=100)

    first = twin.import_file(format_file(rows))
    twin.import_file(format_file(rows))
    twin.import_file(format_file(later), strict=seed % 3 == 0)
    twin.import_file(format_file(later, delimiter=";"), deal=Deal(index=1, members=3))
    twin.import_file(format_file(later), source="other-erp")

    assert first.imported
    assert first.rows_rejected > 50
    assert all(suggest(reject.reason) for reject in first.rejects)
    assert first.rows_duplicate > 0


def test_every_odd_cell_alone_is_read_both_ways_alike(twin: Twin) -> None:
    draw = seeded(1)
    rows = []
    for column, cells in ODD_CELLS.items():
        for number, cell in enumerate(cells):
            row = make_row(draw)
            row[HEADER.index("document_no")] = f"{column}-{number}"
            row[HEADER.index("paid_on")] = "2026-04-01"
            row[HEADER.index(column)] = cell
            rows.append(row)

    report = twin.import_file(format_file(rows))

    assert report.rows_rejected > 40
    assert all(suggest(reject.reason) for reject in report.rejects)
    assert report.rows_used > 30


def test_plain_rows_are_read_by_the_engine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [make_row(seeded(seed)) for seed in range(50)]
    refused = make_row(seeded(1))
    refused[HEADER.index("issued_on")] = "someday"
    asked: list[int] = []
    read_row = TemplateProfile.read_row

    def count(self: TemplateProfile, row: RowCells) -> DraftRow | Exclusion:
        asked.append(1)
        return read_row(self, row)

    monkeypatch.setattr(TemplateProfile, "read_row", count)
    with Engine(tmp_path) as engine:
        content = read_large_file(
            engine,
            tmp_path,
            format_file([*rows, refused]),
            file_name=None,
            profile=None,
            source=None,
            deal=None,
            on_progress=None,
        )

    assert (len(asked), content.rows_read) == (1, 51)


def test_the_engine_reads_its_own_folder_alone_and_says_what_fails(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.write_text("secret", encoding="utf-8")
    folder.mkdir()
    with Engine(folder) as engine:
        with pytest.raises(duckdb.PermissionException):
            engine.run("select * from read_text($path)", {"path": str(outside)})
        with pytest.raises(duckdb.PermissionException):
            engine.run("install httpfs")
        with pytest.raises(WorkFailedError), translate_failures():
            engine.run("select * from read_csv($path)", {"path": f"{folder}/absent"})


def test_a_folder_that_cannot_be_written_is_said(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", fail)

    with pytest.raises(WorkFailedError, match="No space"):
        twin.import_large(format_file([make_row(seeded(1))]))


def test_what_the_engine_takes_as_printable_is_so_in_python() -> None:
    for first, last in PRINTABLE_RANGES:
        characters = "".join(map(chr, range(first, last + 1)))

        assert characters.isprintable()
        assert "".join(characters.split()) == characters


def test_only_the_first_rejects_are_kept_and_all_are_counted(twin: Twin) -> None:
    rows = [[*make_row(seeded(1)), "more"]] * (2 * REJECTS_KEPT_MAX + 2)

    report = twin.import_file(format_file([*rows, make_row(seeded(2))]))

    assert len(report.rejects) == REJECTS_KEPT_MAX
    assert report.rows_rejected == len(rows)


def test_a_process_that_is_killed_has_imported_nothing(twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(format_file([make_row(seeded(seed)) for seed in range(200)]))
    database = twin.databases[1]
    script = (
        "import os, sys\n"
        "from datetime import date\n"
        "from pathlib import Path\n"
        "from node.core.database import Database\n"
        "from node.records import bulk\n"
        "from node.records.bulk import writing\n"
        "writing.list_delay_rules = lambda: os.kill(os.getpid(), 9)\n"
        "bulk.import_large_file(Database(url=sys.argv[1]), Path(sys.argv[2]), file_name=None,"
        " profile=None, source=None, deal=None, strict=False, dry_run=False, at_ms=lambda: 1,"
        " business_date=date(2026, 6, 30), hasher=None, on_progress=None)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, database.url, str(file)], check=False, capture_output=True
    )

    assert killed.returncode == -9
    assert not any(read_records(database).values())
    assert twin.import_file(file).imported
    assert list(tmp_path.glob(f"{PREFIX}*")) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "cp1252"])
def test_any_encoding_packed_or_not(twin: Twin, encoding: str) -> None:
    name = "Müller & Söhne" if encoding == "cp1252" else "示例机电"
    row = make_row(seeded(2))
    row[2] = name
    file = format_file([row]).decode().encode(encoding)

    plain = twin.import_file(file)
    packed = twin.import_file(gzip.compress(file))

    assert plain.imported
    assert packed.rows_known == 1
    assert packed.file_sha256_hex == plain.file_sha256_hex


@pytest.mark.parametrize(
    "name", ["highradius_closed_invoices.csv.gz", "highradius_open_invoices.csv.gz"]
)
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_published_invoices_are_imported_alike(twin: Twin, shared_dir: Path, name: str) -> None:
    path = shared_dir / "data" / name
    if not path.is_file():
        pytest.skip("the HighRadius invoices are not here")

    assert twin.import_file(path).imported


def test_customers_that_are_here_already_are_rolled_up_too(twin: Twin) -> None:
    draw = seeded(5)
    for number in range(3):
        rows = [make_row(draw) for _ in range(60)]
        for row in rows:
            row[4] = f"F{number}-{row[4]}"
        assert twin.import_file(format_file(rows)).imported


def test_a_customer_is_found_by_what_else_is_known_of_it(twin: Twin) -> None:
    draw = seeded(6)
    first = [make_row(draw) for _ in range(80)]
    later = [make_row(draw) for _ in range(80)]
    for row in later:
        row[1], row[4] = draw.choice([row[1], "OTHER"]), f"L-{row[4]}"
    twin.import_file(format_file(first))
    for database in twin.databases:
        customers = CustomerService(
            database=database, clock=twin.clock, business_date=BUSINESS_DATE
        )
        one, other, *_ = twin.services[twin.databases.index(database)].list_customers()
        customers.merge(other.customer_id, into_id=one.customer_id, reason="one firm", by="zhang")
        customers.add_identifier(one.customer_id, scheme="sim", value="OTHER", by="zhang")

    assert twin.import_file(format_file(first)).rows_used == 0
    assert twin.import_file(format_file([*first, *later])).imported


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"a,b\n1,2\n",
        b"a,b\n\x00,1\n",
        format_file([["1"] * 13]) + b'1,"2\n',
        format_file([]) + b"x" * 70_000,
        gzip.compress(b"a,b\n" * 100)[:-9],
    ],
    ids=["empty", "no profile", "binary", "open quote", "long line", "cut"],
)
def test_a_file_that_cannot_be_read_is_refused_alike(twin: Twin, file: bytes) -> None:
    with pytest.raises(ImportFileError) as small:
        twin.services[0].import_file(file)
    with pytest.raises(ImportFileError) as large:
        twin.import_large(file)

    assert (large.value.code, large.value.detail) == (small.value.code, small.value.detail)


@pytest.mark.parametrize(
    "table",
    ["customer", "source_import", "ledger_item", "allocation", "dispute", "behaviour_month"],
)
def test_a_failure_at_any_table_leaves_nothing(twin: Twin, tmp_path: Path, table: str) -> None:
    database = twin.databases[1]
    rows = [make_row(seeded(seed)) for seed in range(40)]
    with database.write() as uow:
        fail_inserts(uow.connection, table)

    with pytest.raises(IntegrityError, match=FAILURE):
        twin.import_large(format_file(rows))

    assert not any(read_records(database).values())
    assert list(tmp_path.glob(f"{PREFIX}*")) == []


def test_what_a_killed_import_left_is_removed_by_the_next(twin: Twin, tmp_path: Path) -> None:
    abandoned = tmp_path / f"{PREFIX}killed"
    abandoned.mkdir()
    (abandoned / "lock").touch()
    (abandoned / "file").write_text("rows", encoding="utf-8")

    twin.import_large(format_file([make_row(seeded(1))]))

    assert not abandoned.exists()


def test_large_is_what_is_long_once_unpacked(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    file = gzip.compress(format_file([make_row(seeded(1))]) + b"\n" * 2_000)
    monkeypatch.setattr(bulk, "LARGE_BYTES_MIN", 2_000)

    assert bulk.is_large(twin.databases[0], file)
    assert not bulk.is_large(twin.databases[0], format_file([]))
