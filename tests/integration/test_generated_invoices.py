"""The generated data set: repeatable, shaped like the measured one, and good to import."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.core.clock import ManualClock
from node.core.database import Database, metadata
from node.records.service import RecordsService
from node.records.windows import last_released_month, release_date
from tests.support.stores import store_url

AS_OF = date(2026, 6, 30)
MEMBERS = 4


def generate(root: Path, out: Path, *, seed: int = 1) -> dict[str, bytes]:
    script = root / "scripts" / "generate_invoices.py"
    subprocess.run(
        [sys.executable, str(script), "--out", str(out), "--seed", str(seed)],
        check=True,
        capture_output=True,
    )
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture(scope="module")
def files(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return generate(project_root, tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="module")
def services(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[RecordsService]]:
    made, opened = [], []
    for member in range(MEMBERS):
        database = Database(url=store_url(tmp_path_factory.mktemp("member") / "node.db"))
        opened.append(database)
        metadata.create_all(database.engine)
        service = RecordsService(database=database, clock=ManualClock(0), business_date=AS_OF)
        report = service.import_file(files[f"member-{member}.csv"])
        assert report.imported
        assert report.rows_rejected == 0
        assert report.oddities == {}
        made.append(service)
    yield made
    for database in opened:
        database.dispose()


def count_invoices(services: list[RecordsService], subject: str) -> list[list[int]]:
    """Return (invoices in the window, share of the largest in per cent) of each member."""
    scheme, _, value = subject.partition(":")
    last = last_released_month(AS_OF)
    found = []
    for service in services:
        window = service.find_behaviour_window(
            scheme=scheme,
            value=value,
            first_month=last - 11,
            last_month=last,
            as_of=release_date(last),
        )
        months = () if window is None else window.months
        count = sum(month.invoice_count for month in months)
        total = sum(month.amount_minor for month in months)
        largest = max((month.largest_minor for month in months), default=0)
        found.append([count, 100 * largest // total if total else 0])
    return found


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(
    project_root: Path, files: dict[str, bytes], tmp_path: Path
) -> None:
    assert generate(project_root, tmp_path / "again") == files
    assert generate(project_root, tmp_path / "other", seed=2) != files


def test_the_shape_is_that_of_measured_records(files: dict[str, bytes]) -> None:
    measured = json.loads(files["manifest.json"])["measured"]

    assert 25 <= measured["late_nominal_percent"] <= 43
    assert 15 <= measured["late_over_0_days_percent"] <= 28
    assert 0.5 <= measured["late_over_30_days_percent"] <= 4
    assert 0.35 <= measured["late_correlation_across_suppliers"] <= 0.65
    assert measured["delay_p50_days"] == 0
    assert measured["customers_shared"] >= 20


def test_each_member_has_enough_invoices(files: dict[str, bytes]) -> None:
    for member in range(MEMBERS):
        assert 600 <= files[f"member-{member}.csv"].count(b"\n") <= 1700


def test_the_featured_customers_teach_what_they_are_made_for(
    files: dict[str, bytes], services: list[RecordsService]
) -> None:
    featured = json.loads(files["manifest.json"])["featured"]

    (own, _), (full, full_share), (mix, mix_share), (thin, _) = count_invoices(
        services, featured["cold"]
    )
    assert own == 1
    assert full >= 20
    assert full_share < 20
    assert mix >= 5
    assert mix_share > 80
    assert 1 <= thin <= 4
    assert [count > 5 for count, _ in count_invoices(services, featured["unseen"])] == [
        False, True, True, True,
    ]  # fmt: skip
    assert all(share > 80 for _, share in count_invoices(services, featured["dominated"]))
    assert all(1 <= count <= 4 for count, _ in count_invoices(services, featured["thin"]))
    assert all(count >= 20 for count, _ in count_invoices(services, featured["clean"]))


def test_the_roll_ups_of_generated_records_agree(services: list[RecordsService]) -> None:
    assert [service.compare_behaviour() for service in services] == [[]] * MEMBERS
