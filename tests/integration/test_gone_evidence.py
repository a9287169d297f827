"""Reports and looks that were deleted, by their time or by hand, do not come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from node.assessment.evidence_life import EvidenceHeldError, EvidenceLife
from node.assessment.outside.errors import ListingNotFoundError, ReportNotFoundError
from node.assessment.outside.importing import read_check_file, read_report_file
from node.assessment.outside.rules_report import OutsideReport
from node.assessment.outside.service import OutsideService
from node.records.barring import TombstoneSecretError
from node.records.customers import CustomerService
from node.records.ledger.errors import ItemInvalidError, RecordGoneError
from node.records.lifecycle import LifecycleService
from node.records.retention_policy import read_retention_policy
from node.records.store.life_tables import tombstone
from node.records.tombstones import NameHasher
from tests.support.ledgers import HASHER, TODAY, House
from tests.support.outside import make_check, make_entry, make_report

GONE_ON = date(2031, 9, 1)  # sixty months after the report has expired
REPORTS = (
    b"customer,agency,number,kind,scale,printed,issued_on,source\n"
    b"sim:C1,Bureau,R-1,score,points-100,80,2026-03-01,subscription\n"
    b"sim:C1,Bureau,R-2,score,points-100,70,2026-03-01,subscription\n"
)
CHECKS = (
    b"customer,list,found,reference,listed_on,checked_on,source\n"
    b"sim:C1,tax-arrears,yes,2026-77,2026-02-01,2026-03-20,another page\n"
    b"sim:C1,tax-arrears,yes,2026-77,2026-02-01,2026-03-21,another page\n"
)


class Desk:
    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.customer = self.house.customer_id

    def outside(self, hasher: NameHasher | None = HASHER) -> OutsideService:
        house = self.house
        return OutsideService(
            database=house.database, clock=house.clock, hasher=hasher, business_date=TODAY
        )

    def life(self, day: date = TODAY, hasher: NameHasher | None = HASHER) -> EvidenceLife:
        return EvidenceLife(
            database=self.house.database,
            clock=self.house.clock,
            policy=read_retention_policy(),
            hasher=hasher,
            business_date=day,
        )

    def enter(self) -> tuple[int, int]:
        report = self.outside().enter_reports([("sim:C1", make_report())], by="li").keys[0]
        look = self.outside().enter_checks([("sim:C1", make_entry())], by="li").keys[0]
        return report, look


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    built = Desk(tmp_path)
    yield built
    built.house.database.dispose()


def test_what_a_person_erased_is_left_out_of_the_next_import_and_the_rest_enters(
    desk: Desk,
) -> None:
    report, look = desk.enter()
    outside = desk.outside()
    better = make_report(printed="90")
    outside.correct_report(desk.customer, report, better, reason="misread", by="li")
    desk.life().erase(desk.customer, report_id=report, reason="never ours", by="wang")
    desk.life().erase(desk.customer, check_id=look, reason="another firm", by="wang")
    assert outside.list_reports(desk.customer) == []  # all versions

    tried = outside.enter_reports(read_report_file(REPORTS), by="li", is_trial=True)
    reports = outside.enter_reports(read_report_file(REPORTS), by="li")
    checks = outside.enter_checks(read_check_file(CHECKS), by="li")

    why = f"erased on {TODAY}"
    assert (tried.gone, reports.gone, checks.gone) == ({1: why}, {1: why}, {1: why})
    assert [one.report.number for one in outside.list_reports(desk.customer)] == ["R-2"]
    assert [one.check.checked_on for one in outside.list_checks(desk.customer)] == [
        date(2026, 3, 21)  # another look, on another day
    ]
    with pytest.raises(RecordGoneError, match="1: erased on"):
        outside.enter_checks([("sim:C1", make_entry())], by="li").check_whole()
    with desk.house.database.read() as uow:
        kept = uow.connection.execute(select(tombstone.c.why, tombstone.c.entered_by)).all()
    assert set(kept) == {("never ours", "wang"), ("another firm", "wang")}


def test_what_went_by_its_term_does_not_come_back_in_other_letters(desk: Desk) -> None:
    desk.enter()
    life = desk.life(GONE_ON)
    records = LifecycleService(
        database=desk.house.database,
        clock=desk.house.clock,
        policy=read_retention_policy(),
        hasher=HASHER,
        business_date=GONE_ON,
        evidence=life,
    )
    assert records.expire(by="li").evidence == 1  # who is listed still is so

    entered = desk.outside().enter_reports(
        [("sim:C1", make_report(agency="BUREAU", number="r-1"))], by="li"
    )

    assert entered.gone == {1: f"expired on {GONE_ON}"}
    assert desk.outside().list_reports(desk.customer) == []


def test_another_name_of_the_same_company_is_no_way_back(desk: Desk) -> None:
    report, _ = desk.enter()
    desk.life().erase(desk.customer, report_id=report, reason="x", by="wang")
    house = desk.house
    other = house.add_customer("C2")
    customers = CustomerService(database=house.database, clock=house.clock, business_date=TODAY)
    free = desk.outside().enter_reports([("sim:C2", make_report())], by="li", is_trial=True)
    assert free.gone == {}  # another company's report of that number is another one

    customers.merge(desk.customer, into_id=other, reason="renamed", by="wang")

    for named in ("sim:C1", "sim:C2"):
        assert desk.outside().enter_reports([(named, make_report())], by="li").gone


def test_a_hold_keeps_it_and_what_is_not_there_is_not_erased(desk: Desk) -> None:
    report, look = desk.enter()
    records = LifecycleService(
        database=desk.house.database,
        clock=desk.house.clock,
        policy=read_retention_policy(),
        hasher=HASHER,
        business_date=TODAY,
    )
    hold = records.hold(desk.customer, basis="court", by="li")

    with pytest.raises(EvidenceHeldError):
        desk.life().erase(desk.customer, report_id=report, reason="x", by="wang")
    records.release(hold, reason="over", by="li")
    with pytest.raises(ReportNotFoundError):
        desk.life().erase(desk.customer, report_id=report + 1, reason="x", by="wang")
    with pytest.raises(ListingNotFoundError):
        desk.life().erase(desk.customer, check_id=look + 1, reason="x", by="wang")
    with pytest.raises(ItemInvalidError):
        desk.life().erase(desk.customer, check_id=look, reason="", by="wang")

    assert len(desk.outside().list_reports(desk.customer)) == 1
    assert len(desk.outside().list_checks(desk.customer)) == 1


def test_without_the_secret_nothing_enters_where_something_is_gone(desk: Desk) -> None:
    report, look = desk.enter()
    with pytest.raises(TombstoneSecretError):
        desk.life(hasher=None).erase(desk.customer, check_id=look, reason="x", by="wang")
    assert len(desk.outside().list_checks(desk.customer)) == 1
    desk.life().erase(desk.customer, report_id=report, reason="x", by="wang")

    given: OutsideReport = make_report(number="R-9")
    with pytest.raises(TombstoneSecretError):
        desk.outside(hasher=None).enter_reports([("sim:C1", given)], by="li")
    with pytest.raises(TombstoneSecretError):
        desk.outside(hasher=None).enter_checks([("sim:C1", make_check())], by="li")
