"""The bench of the federation's value: its releases are the node's, byte for byte."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.core.clock import ManualClock
from node.core.database import Database, metadata
from node.core.field_keys import FieldCipher
from node.core.fields import set_cipher
from node.core.keystore import draw_bytes
from node.records.service import RecordsService
from node.records.windows import month_of, release_date
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.releases import Question, disclose
from protocol.identifiers import parse_subject_id
from schemas.summary import Section, Tier
from scripts.benches import rating
from scripts.benches.rating_data import FILE, FOLDER, Invoice, make_invoices
from scripts.benches.rating_releases import Grid, build_chains, build_ledgers
from tests.support.field_secrets import FixedSecrets
from tests.support.stores import store_url

INVOICES = make_invoices(customers=9, members=2, seed=6)
LAST = date(2020, 2, 10)


def write_list(invoices: Sequence[Invoice]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(
        ("cust_number", "name_customer", "due_date", "days_late", "amount", "doc_id",
         "business_code_inferred", "invoice_date_inferred", "terms")
    )  # fmt: skip
    for one in invoices:
        amount = f"{one.amount_minor // 100}.{one.amount_minor % 100:02d}"
        table.writerow(
            (one.customer, "A", one.due_on, (one.paid_on - one.due_on).days, amount,
             one.document_no, one.group, one.issued_on, (one.due_on - one.issued_on).days)
        )  # fmt: skip
    return text.getvalue().encode()


@pytest.mark.slow
def test_every_release_is_the_one_that_the_node_makes(tmp_path: Path) -> None:
    held = [one for one in INVOICES if one.member == 0]
    database = Database(url=store_url(tmp_path / "node.db"))
    metadata.create_all(database.engine)
    set_cipher(database, FieldCipher(secrets=FixedSecrets(), random_bytes=draw_bytes))
    service = RecordsService(database=database, clock=ManualClock(0), business_date=LAST)
    report = service.import_file(write_list(held), file_name="closed.csv")
    months = Grid().list_months(first=min(one.issued_on for one in held), last=LAST)
    ledgers = build_ledgers(held)
    chains = build_chains(ledgers, grid=Grid(), months=months)
    tiers = set()

    assert report.invoices_added == len(held)
    for (_, customer), chain in chains.items():
        subject = f"sim:{customer}"
        for asked_months in (12, 3):
            mine = chain.list_out(
                subject=subject, asked_months=asked_months, policy=DisclosurePolicy()
            )
            for month, out in zip(months, mine, strict=True):
                question = Question(
                    subject=parse_subject_id(subject),
                    last_months=asked_months,
                    metrics=frozenset(Section) - {Section.OVERDUE_NOW},
                    business_date=release_date(month),
                    policy=DisclosurePolicy(),
                )
                with database.write() as uow:
                    told = disclose(uow, question)
                if out is None:
                    assert told is None
                    continue
                tiers.add(out.summary.tier)
                assert told is not None
                assert told.to_bytes() == out.summary.to_bytes()
    database.dispose()
    assert tiers == set(Tier)


@pytest.mark.slow
def test_the_present_class_is_the_one_that_the_node_works_out(tmp_path: Path) -> None:
    held = [one for one in INVOICES if one.member == 1]
    database = Database(url=store_url(tmp_path / "node.db"))
    metadata.create_all(database.engine)
    set_cipher(database, FieldCipher(secrets=FixedSecrets(), random_bytes=draw_bytes))
    service = RecordsService(database=database, clock=ManualClock(0), business_date=LAST)
    service.import_file(write_list(held), file_name="closed.csv")
    ledgers = build_ledgers(held)
    day, told_of = date(2019, 3, 10), set()

    while day < LAST:
        for (_, customer), ledger in ledgers.items():
            window = service.find_behaviour_window(
                scheme="sim",
                value=customer,
                first_month=month_of(day) - 12,
                last_month=month_of(day) - 1,
                as_of=day,
            )
            expected = None if window is None else window.oldest_overdue_days
            told_of.add(expected is None)
            assert ledger.overdue.find(day) == expected
        day += timedelta(days=23)
    database.dispose()
    assert told_of == {True, False}


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sample_of_the_real_invoices_shows_what_is_told_of_the_cold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of a sample alone; the whole is in docs/results.md."""
    if not (FOLDER / FILE).is_file():
        pytest.skip("the HighRadius invoices are not here")
    pytest.importorskip("optbinning")

    rating.main(["--quick", "--json"])

    figures = json.loads(capsys.readouterr().out)
    found = figures["members"]["20"]
    cold = found["auc"]["boosting"]["cold"]
    assert found["strata"]["cold"]["invoices"] > 20
    assert cold["pooled"][0] > cold["own"][0]
    assert cold["told"][0] > cold["own"][0]
    assert figures["auc_loss_to_pooled"] == found["loss"]["ours"]["all"][0]


def test_without_the_data_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rating.main(["--json"], folder=tmp_path)

    assert "skipped" in json.loads(capsys.readouterr().out)
