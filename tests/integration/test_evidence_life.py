"""Outside evidence and applications go when their time is over; a hold keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from node.assessment.application.checklist import read_preset_checklist
from node.assessment.application.rules_application import ApplicationState, Document
from node.assessment.application.service import ApplicationService
from node.assessment.application.tables import APPLICATION_TABLES
from node.assessment.evidence_life import EvidenceLife
from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.service import OutsideService
from node.assessment.outside.tables import OUTSIDE_TABLES
from node.assessment.policy_outside import PublicList
from node.assessment.rules_evidence_life import KnownLook, end_look
from node.records.lifecycle import LifecycleService
from node.records.retention_policy import read_retention_policy
from tests.support.ledgers import HASHER, TODAY, House
from tests.support.outside import make_application, make_check, make_entry, make_report

GONE_ON = date(2031, 9, 1)  # sixty months after the report has expired


class Archive:
    """A customer with a report, an application and two looks, and who deletes."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        database, clock = self.house.database, self.house.clock
        outside = OutsideService(database=database, clock=clock, business_date=TODAY)
        outside.enter_reports([("sim:C1", make_report())], by="li")
        outside.enter_checks([("sim:C1", make_check()), ("sim:C1", make_entry())], by="li")
        applications = ApplicationService(
            database=database,
            clock=clock,
            checklist=read_preset_checklist(),
            business_date=TODAY,
        )
        key = applications.enter(self.house.customer_id, make_application(), by="li")
        paper = Document(kind="business-licence", dated_on=TODAY, received_on=TODAY)
        document = applications.enter_document(self.house.customer_id, key, paper, by="li")
        applications.withdraw_document(self.house.customer_id, document, reason="old", by="li")
        applications.move(
            self.house.customer_id, key, ApplicationState.WITHDRAWN, by="li", reason="asked"
        )

    def on(self, day: date) -> LifecycleService:
        policy = read_retention_policy()
        return LifecycleService(
            database=self.house.database,
            clock=self.house.clock,
            policy=policy,
            hasher=HASHER,
            business_date=day,
            evidence=self.evidence_on(day),
        )

    def evidence_on(self, day: date) -> EvidenceLife:
        return EvidenceLife(
            database=self.house.database,
            clock=self.house.clock,
            policy=read_retention_policy(),
            hasher=HASHER,
            business_date=day,
        )

    def count(self) -> dict[str, int]:
        with self.house.database.read() as uow:
            return {
                table.name: uow.connection.execute(
                    select(func.count()).select_from(table)
                ).scalar_one()
                for table in (*OUTSIDE_TABLES, *APPLICATION_TABLES)
            }


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    built = Archive(tmp_path)
    yield built
    built.house.database.dispose()


def test_it_goes_at_the_end_of_its_term_and_an_entry_that_stands_stays(archive: Archive) -> None:
    before = archive.on(date(2031, 3, 19))
    assert list(before.iterate_due(as_of=before.today())) == []
    last = archive.on(GONE_ON)

    named = {one.documents[0]: one.expires_on for one in last.iterate_due(as_of=GONE_ON)}
    done = last.expire(by="li")

    assert named == {
        "Bureau R-1": GONE_ON,
        "tax-arrears": date(2031, 3, 20),
        "application 1": date(2031, TODAY.month, TODAY.day),
    }
    assert (done.evidence, done.held) == (3, 0)
    left = {name: count for name, count in archive.count().items() if count}
    assert left == {"list_check": 1}  # who is in the list still is so
    assert last.expire(by="li").evidence == 0


def test_a_hold_on_the_customer_keeps_it(archive: Archive) -> None:
    life = archive.on(GONE_ON)
    hold = life.hold(archive.house.customer_id, basis="court", by="li")
    full = archive.count()

    done = life.expire(by="li")

    assert (done.evidence, done.held, archive.count()) == (0, 3, full)
    assert {one.held_by for one in life.iterate_due(as_of=GONE_ON)} == {hold}
    life.release(hold, reason="over", by="li")
    assert life.expire(by="li").evidence == 3


def look(check: ListCheck, *, is_withdrawn: bool = False) -> KnownLook:
    return KnownLook(check=check, is_withdrawn=is_withdrawn)


LATER = date(2026, 5, 1)
HIT = look(make_entry())


@pytest.mark.parametrize(
    ("other", "ended_on"),
    [
        (look(make_check(checked_on=LATER)), LATER),
        (look(make_check(checked_on=LATER), is_withdrawn=True), None),
        (look(make_check(checked_on=LATER, list=PublicList.SANCTIONS)), None),
        (look(make_check(checked_on=date(2026, 3, 1))), None),
        (look(make_entry(checked_on=LATER)), None),
        (look(make_entry(checked_on=LATER, removed_on=date(2026, 4, 9))), date(2026, 4, 9)),
    ],
    ids=["not found", "withdrawn", "another list", "before", "found again", "removed"],
)
def test_an_entry_in_a_list_has_ended_once_it_is_not_found_or_removed(
    other: KnownLook, ended_on: date | None
) -> None:
    assert end_look(HIT, [HIT, other]).ended_on == ended_on
