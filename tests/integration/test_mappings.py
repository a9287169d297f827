"""A mapping tells in which columns a system's own table holds what; every rule stays ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.core.clock import ManualClock
from node.core.database import Database
from node.records.importing import ImportReport, read_mapping
from node.records.importing.errors import MappingInvalidError, ProfileUnknownError
from node.records.service import RecordsService
from tests.support.places import call, check
from tests.support.stores import migrated_url

MAPPING = """
name = "erp-de"
date_form = "german"
amount_form = "comma"

[columns]
customer_value = "Debitor"
customer_name = "Name 1"
document_no = "Belegnr"
issued_on = "Belegdatum"
due_on = "Fällig am"
currency = "Währg"
amount = "Betrag"
paid_on = "Ausgleich"

[constants]
customer_scheme = "erp"
country = "DE"
"""
TABLE = """Belegnr;Debitor;Name 1;Belegdatum;Fällig am;Währg;Betrag;Ausgleich;Text
R1;4711;Müller GmbH;01.03.2026;31.03.2026;EUR;1.234,56;02.04.2026;x
R2;4711;Müller GmbH;01.03.2026;31.03.2026;EUR;10,00-;;y
R3;4711;Müller GmbH;01.03.2026;31.02.2026;EUR;10,00;;z
R4;4712;Österle KG;01.03.2026;31.03.2026;EUR;99,90;;
"""


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordsService]:
    database = Database(url=migrated_url(tmp_path / "node.sqlite"))
    yield RecordsService(database=database, clock=ManualClock(0), business_date=date(2026, 6, 30))
    database.dispose()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def check_report(report: ImportReport) -> None:
    assert (report.profile, report.source) == ("erp-de", "erp-de")
    assert (report.invoices_added, report.payments_added, report.customers_added) == (2, 1, 2)
    assert [(one.row, one.column) for one in report.rejects] == [(3, "Betrag"), (4, "Fällig am")]


def test_a_systems_own_table_is_imported_by_its_mapping(
    records: RecordsService, tmp_path: Path
) -> None:
    mapping = read_mapping(write(tmp_path / "erp.toml", MAPPING))

    report = records.import_file(TABLE.encode("cp1252"), profile=mapping)

    check_report(report)
    customer = records.find_customer(scheme="erp", value="4711")
    assert customer is not None
    assert (customer.name, customer.country) == ("Müller GmbH", "DE")
    assert records.import_file(TABLE.encode("cp1252"), profile=mapping).invoices_added == 0
    with pytest.raises(ProfileUnknownError, match="Betrag"):
        records.import_file(TABLE.replace("Betrag", "Summe").encode(), profile=mapping)


def test_a_large_table_is_read_by_the_same_mapping(
    records: RecordsService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.records.bulk.LARGE_BYTES_MIN", 1)
    mapping = read_mapping(write(tmp_path / "erp.toml", MAPPING))

    check_report(records.import_file(TABLE.encode("cp1252"), profile=mapping))


def test_the_command_takes_a_mapping(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    check(call("init", "--home", home, "--member-id", "acme.example"))
    file = write(tmp_path / "list.csv", TABLE)
    mapping = str(write(tmp_path / "erp.toml", MAPPING))

    done = call("--home", home, "import", str(file), "--mapping", mapping)

    assert done.exit_code == 3
    assert "row 3, column Betrag: negative" in done.output
    missing = call("--home", home, "import", str(file), "--mapping", str(tmp_path / "none.toml"))
    assert (missing.exit_code, "import-mapping-invalid" in missing.output) == (4, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("name =", "nom ="), "nothing is called nom"),
        (('amount = "Betrag"\n', ""), "no column for amount"),
        (('document_no = "Belegnr"\n', ""), "no column for document_no"),
        (('country = "DE"', 'country = "DE"\nnumber = "1"'), "the template has no number"),
        (('country = "DE"', 'country = "DE"\namount = "1"'), "a column and a constant for amount"),
        (('country = "DE"', "country = 49"), "names and texts"),
        (('"german"', '"roman"'), "date_form is one of iso"),
        (('"comma"', "1"), "amount_form is one of point"),
        (('"erp-de"', '" "'), "name has 1 to 32"),
        (('"erp-de"', f'"{"x" * 33}"'), "name has 1 to 32"),
        (("[constants]", "[constants"), "toml"),
        (("[constants]", "#" * 70_000), "larger than"),
    ],
)
def test_a_mapping_that_says_nothing_clear_is_refused(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = write(tmp_path / "erp.toml", MAPPING.replace(*change))

    with pytest.raises(MappingInvalidError, match=said):
        read_mapping(path)


def test_a_mapping_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "erp.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(MappingInvalidError):
        read_mapping(path)
