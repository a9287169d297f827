"""Adverse facts go when their time is over: from their end on, whole, and leave a hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from node.core.clock import ManualClock
from node.records.adverse import NewNotice, NoticeService
from node.records.customers import CustomerService
from node.records.due import DueStory
from node.records.horizon import RecordsGoneError
from node.records.ledger.errors import RecordGoneError
from node.records.lifecycle import LifecycleService
from node.records.retention_policy import read_retention_policy
from node.records.rules_adverse import FactKey, FactSource, NoticeChannel, ObjectionResult
from node.records.rules_default import DecisionOutcome, EndOutcome, EvidenceClass
from node.records.rules_retention import EndReason
from node.records.store.adverse_tables import (
    adverse_objection,
    adverse_settlement,
    objection_closure,
    subject_notice,
)
from node.records.store.life_tables import tombstone
from node.records.tables import (
    adverse_event,
    customer,
    default_decision,
    default_end,
    default_event,
)
from node.records.undertakings import DefaultService
from tests.support.ledgers import HASHER, TODAY, House

SETTLED = date(2021, 3, 15)
GONE = date(2026, 3, 15)
EVENT_DOCUMENT, DEFAULT_DOCUMENT = "ab" * 32, "cd" * 32
TABLES = (
    adverse_event,
    adverse_settlement,
    default_event,
    default_decision,
    default_end,
    subject_notice,
    adverse_objection,
    objection_closure,
)


class Facts:
    """A house whose customer's adverse facts ended on one day of 2021."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.defaults = DefaultService(
            database=house.database, clock=house.clock, business_date=TODAY, hasher=HASHER
        )
        self.notices = NoticeService(
            database=house.database,
            clock=house.clock,
            policy=read_retention_policy(),
            business_date=TODAY,
        )

    def record_event(self, *, settled_on: date | None = None) -> FactKey:
        self.house.records.record_adverse_event(
            self.house.customer_id,
            kind="collection",
            happened_on=date(2020, 1, 1),
            settled_on=settled_on,
            evidence_sha256_hex=EVENT_DOCUMENT,
        )
        return FactKey(source=FactSource.EVENT, number=1)

    def propose(self) -> int:
        return self.defaults.propose(
            self.house.customer_id,
            evidence_class=EvidenceClass.COURT,
            on=date(2020, 1, 1),
            document_sha256_hex=DEFAULT_DOCUMENT,
            by="li",
        )

    def default(self, *, settled_on: date | None = None) -> FactKey:
        key = self.propose()
        self.defaults.decide(key, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")
        if settled_on is not None:
            self.defaults.end(key, outcome=EndOutcome.SETTLED, on=settled_on, by="li")
        return FactKey(source=FactSource.DEFAULT, number=key)

    def due(self, as_of: date = TODAY) -> list[DueStory]:
        return list(self.house.lifecycle.iterate_due(as_of=as_of))

    def count_rows(self) -> int:
        with self.house.database.read() as uow:
            return sum(
                uow.connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in TABLES
            )


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    house = House(tmp_path)
    yield Facts(house)
    house.database.dispose()


def test_settled_on_15_march_2021_a_fact_is_gone_on_15_march_2026_and_not_a_day_before(
    facts: Facts,
) -> None:
    facts.record_event(settled_on=SETTLED)
    facts.default(settled_on=SETTLED)

    assert facts.due(date(2026, 3, 14)) == []
    event, default = facts.due(GONE)
    assert (event.ended_on, event.expires_on) == (SETTLED, GONE)
    assert (event.reason, event.is_adverse) == (EndReason.SETTLED, True)
    assert {event.documents, default.documents} == {("event-1",), ("default-1",)}


def test_what_is_due_goes_with_all_that_was_said_of_it(facts: Facts) -> None:
    event = facts.record_event()
    facts.notices.settle(1, on=SETTLED, by="li")
    default = facts.default(settled_on=SETTLED)
    for key in (event, default):
        notice = NewNotice(sent_on=date(2020, 2, 1), channel=NoticeChannel.LETTER, reference="L-1")
        objection = facts.notices.enter_objection(key, objector="X", on=date(2020, 2, 1), by="li")
        facts.notices.close_objection(
            objection, result=ObjectionResult.WITHDRAWN, reason="paid", on=TODAY, by="li"
        )
        facts.notices.record_notice(key, notice, by="li")

    expired = facts.house.lifecycle.expire(by="zhang")

    assert (expired.customers, expired.facts, expired.items, expired.held) == (1, 2, 0, 0)
    assert facts.count_rows() == 0
    with facts.house.database.read() as uow:
        rows = uow.connection.execute(tombstone.select()).all()
    assert len(rows) == 2
    assert DEFAULT_DOCUMENT not in str(rows)
    assert facts.house.lifecycle.expire(by="zhang").facts == 0


def test_what_is_gone_does_not_come_back(facts: Facts) -> None:
    facts.record_event(settled_on=SETTLED)
    facts.default(settled_on=SETTLED)
    facts.house.lifecycle.expire(by="zhang")

    with pytest.raises(RecordGoneError):
        facts.propose()
    with pytest.raises(RecordGoneError):
        facts.record_event()
    other = facts.house.add_customer("C2")
    facts.house.records.record_adverse_event(  # the same list of a court names others too
        other,
        kind="legal",
        happened_on=TODAY,
        settled_on=None,
        evidence_sha256_hex=DEFAULT_DOCUMENT,
    )


def test_a_list_of_before_says_that_facts_are_gone(facts: Facts) -> None:
    facts.default(settled_on=SETTLED)
    known_ms = facts.house.clock.now_ms()
    facts.house.lifecycle.expire(by="zhang")
    key = facts.house.customer_id

    assert facts.notices.list_facts(key, as_of=SETTLED) == []
    with pytest.raises(RecordsGoneError):
        facts.notices.list_facts(key, as_of=date(2021, 3, 14))
    with pytest.raises(RecordsGoneError):
        facts.notices.list_facts(key, as_of=TODAY, known_at_ms=known_ms - 1)


def test_what_has_not_ended_has_not_started_its_clock(facts: Facts) -> None:
    facts.record_event()
    facts.default()
    facts.defaults.propose(
        facts.house.customer_id,
        evidence_class=EvidenceClass.INSOLVENCY,
        on=date(2015, 1, 1),
        document_sha256_hex="ef" * 32,
        by="li",
    )

    assert facts.house.lifecycle.expire(by="zhang").facts == 0
    assert len(facts.due(date(2090, 1, 1))) == 0


def test_a_hold_on_the_customer_and_an_open_objection_beat_expiry(facts: Facts) -> None:
    key = facts.default(settled_on=SETTLED)
    hold = facts.house.lifecycle.hold(facts.house.customer_id, basis="court case", by="li")
    (due,) = facts.due()
    assert due.held_by == hold
    assert facts.house.lifecycle.expire(by="zhang").held == 1
    facts.house.lifecycle.release(hold, reason="over", by="li")

    objection = facts.notices.enter_objection(key, objector="X", on=TODAY, by="li")
    assert facts.due() == []
    facts.notices.close_objection(
        objection, result=ObjectionResult.WITHDRAWN, reason="x", on=TODAY, by="li"
    )

    (due,) = facts.due()
    assert due.ended_on == SETTLED  # an objection does not put it off


def test_a_rejected_default_goes_from_the_day_it_was_rejected(facts: Facts) -> None:
    facts.house.clock.at_ms = 1_615_766_400_000  # 15 March 2021
    key = facts.propose()
    facts.defaults.decide(key, outcome=DecisionOutcome.REJECTED, reason="paid", by="wang")

    (due,) = facts.due(GONE)

    assert (due.reason, due.ended_on) == (EndReason.CANCELLED, SETTLED)
    assert facts.due(date(2026, 3, 14)) == []


def test_facts_of_a_merged_customer_go_under_the_one_that_stays(facts: Facts) -> None:
    facts.default(settled_on=SETTLED)
    customers = CustomerService(
        database=facts.house.database, clock=facts.house.clock, business_date=TODAY
    )
    between, other = facts.house.add_customer("C2"), facts.house.add_customer("C3")
    customers.merge(facts.house.customer_id, into_id=between, reason="one", by="li")
    customers.merge(between, into_id=other, reason="one", by="li")
    (due,) = facts.due()
    assert due.customer_id == other

    assert facts.house.lifecycle.expire(by="zhang").facts == 1

    with pytest.raises(RecordGoneError):
        facts.propose()


def test_a_persons_fact_goes_after_five_years_whatever_holds_for_companies(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    facts = Facts(house)
    facts.default(settled_on=SETTLED)
    lifecycle = LifecycleService(
        database=house.database,
        clock=ManualClock(house.clock.now_ms()),
        policy=replace(read_retention_policy(), enterprise_adverse_months=120),
        hasher=HASHER,
        business_date=TODAY,
    )
    assert list(lifecycle.iterate_due(as_of=TODAY)) == []
    with house.database.write() as uow:
        uow.connection.execute(customer.update().values(kind="person"))

    assert list(lifecycle.iterate_due(as_of=date(2026, 3, 14))) == []
    (due,) = lifecycle.iterate_due(as_of=GONE)
    assert due.expires_on == GONE
    house.database.dispose()
