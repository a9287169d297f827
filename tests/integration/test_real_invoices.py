"""The published HighRadius invoices, dealt to five pseudo-members: the membership is simulated."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.core.clock import ManualClock
from node.core.database import Database, metadata
from node.records.importing import Deal, ImportReport
from node.records.service import RecordsService
from schemas.summary import DELAY_CLASSES, DelayClass
from tests.support.stores import store_url

MEMBERS = 5
BUSINESS_DATE = date(2020, 1, 10)

# Five imports of tens of thousands of rows come before the first of them.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def members(
    shared_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[tuple[RecordsService, ImportReport]]]:
    path = shared_dir / "data" / "highradius_closed_invoices.csv.gz"
    if not path.is_file():
        pytest.skip("the HighRadius invoices are not here")
    imported, databases = [], []
    for index in range(MEMBERS):
        database = Database(url=store_url(tmp_path_factory.mktemp("member") / "node.db"))
        databases.append(database)
        metadata.create_all(database.engine)
        service = RecordsService(
            database=database, clock=ManualClock(1_578_614_400_000), business_date=BUSINESS_DATE
        )
        report = service.import_file(path, deal=Deal(index=index, members=MEMBERS))
        imported.append((service, report))
    yield imported
    for database in databases:
        database.dispose()


def test_every_row_is_accounted_for_and_none_is_rejected(
    members: list[tuple[RecordsService, ImportReport]],
) -> None:
    reports = [report for _, report in members]

    assert {report.rows_read for report in reports} == {34_989}
    assert {report.profile for report in reports} == {"highradius-closed"}
    assert sum(report.rows_rejected for report in reports) == 0
    assert sum(report.excluded["collective-account"] for report in reports) == 474
    assert sum(report.invoices_added for report in reports) == 33_759
    assert sum(report.rows_duplicate for report in reports) == 34_989 - 474 - 33_759
    assert sum(report.oddities["terms-negative"] for report in reports) > 1_000


def test_every_member_has_its_share(members: list[tuple[RecordsService, ImportReport]]) -> None:
    for _, report in members:
        assert 6_400 < report.invoices_added < 7_100
        assert report.last_due_on is not None
        assert report.last_due_on > BUSINESS_DATE


def test_the_collective_account_is_no_customer(
    members: list[tuple[RecordsService, ImportReport]],
) -> None:
    for service, _ in members:
        assert service.find_customer(scheme="sim", value="CCU013") is None


def test_roll_ups_agree_with_the_invoices(
    members: list[tuple[RecordsService, ImportReport]],
) -> None:
    service, report = members[0]

    assert report.imported
    assert service.compare_behaviour() == []


def test_business_days_take_the_calendar_out_of_lateness(
    members: list[tuple[RecordsService, ImportReport]], shared_dir: Path
) -> None:
    path = shared_dir / "data" / "highradius_closed_invoices.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        delays = [int(row["days_late"]) for row in csv.DictReader(file)]
    service, _ = members[0]
    counts = [0] * len(DELAY_CLASSES)
    for customer in service.list_customers(limit=500):
        trend = service.monthly_trend(customer.customer_id, as_of=BUSINESS_DATE)
        for month in trend.months if trend is not None else ():
            counts = [sum(pair) for pair in zip(counts, month.delay_counts, strict=True)]

    late = sum(counts[DELAY_CLASSES.index(DelayClass.D1_15) :])

    nominal_share = sum(delay > 0 for delay in delays) / len(delays)
    assert nominal_share > 0.42
    assert late / sum(counts) < 0.8 * nominal_share


def test_enough_customers_for_each_tier_are_known_to_several_members(
    members: list[tuple[RecordsService, ImportReport]],
) -> None:
    sizes: Counter[str] = Counter()
    for service, _ in members:
        rows = service.list_portfolio(as_of=BUSINESS_DATE, limit=500)
        sizes.update(
            "thin" if row.invoice_count < 5 else "thick" for row in rows if row.invoice_count
        )

    assert sizes["thin"] > 100
    assert sizes["thick"] > 100


def test_a_second_import_of_the_share_changes_nothing(
    members: list[tuple[RecordsService, ImportReport]], shared_dir: Path
) -> None:
    service, first = members[1]

    again = service.import_file(
        shared_dir / "data" / "highradius_closed_invoices.csv.gz",
        deal=Deal(index=1, members=MEMBERS),
    )

    assert not again.imported
    assert again.rows_known == first.invoices_added


def test_the_open_invoices_are_read(shared_dir: Path, tmp_path: Path) -> None:
    path = shared_dir / "data" / "highradius_open_invoices.csv.gz"
    if not path.is_file():
        pytest.skip("the HighRadius open invoices are not here")
    database = Database(url=store_url(tmp_path / "node.db"))
    metadata.create_all(database.engine)
    service = RecordsService(
        database=database, clock=ManualClock(0), business_date=date(2020, 6, 10)
    )

    report = service.import_file(path)

    assert report.profile == "highradius-open"
    assert report.rows_read == 9_681
    assert report.invoices_added > 9_000
    assert report.payments_added == 0
    assert service.compare_behaviour() == []
