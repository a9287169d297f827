"""A file that holds what is gone, or is of an archived customer: small and large alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.records import bulk
from node.records.importing import ImportReport
from tests.support.ledgers import House
from tests.support.stores import ON_SQLITE

FILE = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed\n"
    "sim,C1,示例,CN,D1,1,2021-01-01,2021-02-01,CNY,1000.00,2021-03-10,600.00,\n"
    "sim,C1,示例,CN,D1,1,2021-01-01,2021-02-01,CNY,1000.00,2021-03-15,400.00,\n"
    "sim,C1,示例,CN,D2,1,2026-03-02,2026-04-01,CNY,500.00,,,\n"
)
NEW = "sim,C1,示例,CN,D3,1,2026-03-02,2026-04-01,CNY,700.00,,,\n"


@pytest.fixture(params=["row by row", "large"])
def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    if request.param == "large":
        if not ON_SQLITE:
            pytest.skip("large files go in by SQLite alone")
        monkeypatch.setattr(bulk, "LARGE_BYTES_MIN", 0)
    house = House(tmp_path)
    yield house
    house.database.dispose()


def read(house: House, text: str, *, dry_run: bool = False, strict: bool = False) -> ImportReport:
    return house.records.import_file(text.encode(), dry_run=dry_run, strict=strict)


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "for real"])
def test_what_has_expired_is_refused_row_by_row_and_the_rest_goes_in(
    house: House,
    dry_run: bool,  # noqa: FBT001  of the table
) -> None:
    read(house, FILE)
    assert house.lifecycle.expire(by="zhang").items == 3
    assert house.records.compare_behaviour() == []

    report = read(house, FILE + NEW, dry_run=dry_run)

    reason = "gone from the records: expired on 2026-03-31"
    assert sorted((one.row, one.reason) for one in report.rejects) == [(2, reason), (3, reason)]
    assert (report.rows_known, report.invoices_added, report.payments_added) == (1, 1, 0)
    assert house.age() == {"not_due": 50_000 if dry_run else 120_000}


def test_a_strict_import_stays_out_as_a_whole(house: House) -> None:
    read(house, FILE)
    house.lifecycle.expire(by="zhang")

    report = read(house, FILE + NEW, strict=True)

    assert (report.imported, report.rows_rejected) == (False, 2)
    assert house.age() == {"not_due": 50_000}


def test_another_source_may_have_a_document_of_this_name(house: House) -> None:
    read(house, FILE)
    house.lifecycle.expire(by="zhang")

    report = house.records.import_file(FILE.encode(), source="other")

    assert (report.rows_rejected, report.invoices_added) == (0, 2)


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "for real"])
def test_new_rows_of_an_archived_customer_are_refused(
    house: House,
    dry_run: bool,  # noqa: FBT001  of the table
) -> None:
    read(house, FILE)
    house.lifecycle.archive(house.customer_id, reason="relation ended", by="wang")
    late = "sim,C1,示例,CN,D2,1,2026-03-02,2026-04-01,CNY,500.00,2026-03-30,500.00,\n"
    other = "sim,C2,示例乙,CN,E1,1,2026-03-02,2026-04-01,CNY,900.00,,,\n"

    paid = FILE.removesuffix(FILE.splitlines()[-1] + "\n") + late

    report = read(house, paid + NEW + other, dry_run=dry_run)

    refused = {one.row for one in report.rejects}
    assert refused == {4, 5}
    assert {one.reason for one in report.rejects} == {
        "the relation with the customer is closed: it is reopened first"
    }
    assert (report.rows_known, report.invoices_added, report.payments_added) == (2, 1, 0)
