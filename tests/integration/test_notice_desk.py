"""What may be said of an adverse fact, and by whom; lists of before come out again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update

from node.records.adverse import (
    FactInvalidError,
    FactNotFoundError,
    FactRefutedError,
    NewNotice,
    NoticeInvalidError,
    NoticeService,
    ObjectionNotFoundError,
)
from node.records.archiving import CustomerArchivedError
from node.records.ledger.errors import ItemInvalidError
from node.records.retention_policy import read_retention_policy
from node.records.rules_adverse import FactKey, FactSource, NoticeChannel, ObjectionResult
from node.records.rules_default import DecisionOutcome, EndOutcome, EvidenceClass
from node.records.tables import customer
from node.records.undertakings import DefaultService, SamePersonError
from tests.support.ledgers import TODAY, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


class Desk:
    """A house with a confirmed default, and those who tell its subject."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.defaults = DefaultService(
            database=house.database, clock=house.clock, business_date=TODAY
        )
        self.notices = NoticeService(
            database=house.database,
            clock=house.clock,
            policy=read_retention_policy(),
            business_date=TODAY,
        )
        self.proposed = self.propose("ab" * 32)
        self.confirmed = self.propose("cd" * 32)
        self.defaults.decide(
            self.confirmed.number, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang"
        )

    def propose(self, document: str) -> FactKey:
        number = self.defaults.propose(
            self.house.customer_id,
            evidence_class=EvidenceClass.COURT,
            on=date(2026, 2, 1),
            document_sha256_hex=document,
            by="li",
        )
        return FactKey(source=FactSource.DEFAULT, number=number)

    def notice(
        self, *, sent_on: date = date(2026, 3, 1), reference: str | None = "L-1"
    ) -> NewNotice:
        return NewNotice(sent_on=sent_on, channel=NoticeChannel.IN_PERSON, reference=reference)

    def states(self, *, as_of: date = TODAY, known_at_ms: int | None = None) -> list[str]:
        found = self.notices.list_facts(
            self.house.customer_id, as_of=as_of, known_at_ms=known_at_ms
        )
        return [one.state.value for one in found]


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


def test_what_waits_for_a_notice_is_listed_until_it_is_recorded(desk: Desk) -> None:
    (due,) = desk.notices.iterate_due(as_of=TODAY)
    assert (due.key, due.kind, due.happened_on) == (
        str(desk.confirmed),
        "legal",
        date(2026, 2, 1),
    )
    assert list(desk.notices.iterate_due(as_of=date(2026, 1, 31))) == []

    desk.notices.record_notice(desk.confirmed, desk.notice(), by="li")

    assert list(desk.notices.iterate_due(as_of=TODAY)) == []


def test_a_notice_is_due_under_the_customer_that_the_fact_turned_out_to_be(desk: Desk) -> None:
    between, other = desk.house.add_customer("C2"), desk.house.add_customer("C3")
    desk.house.customers.merge(desk.house.customer_id, into_id=between, reason="one", by="li")
    desk.house.customers.merge(between, into_id=other, reason="one", by="li")

    (due,) = desk.notices.iterate_due(as_of=TODAY)
    assert (due.customer_id, due.subject_id) == (other, "sim:C3")

    with desk.house.database.write() as uow:
        uow.connection.execute(
            update(customer).where(customer.c.id == between).values(kind="person")
        )
    assert len(list(desk.notices.iterate_due(as_of=TODAY))) == 1  # the one that stays counts
    with desk.house.database.write() as uow:
        uow.connection.execute(update(customer).where(customer.c.id == other).values(kind="person"))
    assert list(desk.notices.iterate_due(as_of=TODAY)) == []
    with pytest.raises(NoticeInvalidError):
        desk.notices.record_notice(desk.confirmed, desk.notice(), by="li")


def test_a_notice_that_makes_no_sense_is_refused(desk: Desk) -> None:
    wrong = [
        (desk.proposed, desk.notice()),  # no fact yet
        (desk.confirmed, desk.notice(reference=None)),
        (desk.confirmed, desk.notice(sent_on=date(2026, 1, 31))),  # before the fact
        (desk.confirmed, desk.notice(sent_on=date(2026, 4, 1))),  # not sent yet
        (
            desk.confirmed,
            NewNotice(sent_on=TODAY, channel=NoticeChannel.LETTER, document_sha256_hex="x"),
        ),
    ]
    for key, notice in wrong:
        with pytest.raises(NoticeInvalidError):
            desk.notices.record_notice(key, notice, by="li")
    with pytest.raises(ItemInvalidError):
        desk.notices.record_notice(desk.confirmed, desk.notice(reference=" "), by="li")
    for number in (9, 1 << 59):
        unknown = FactKey(source=FactSource.EVENT, number=number)
        with pytest.raises(FactNotFoundError):
            desk.notices.record_notice(unknown, desk.notice(), by="li")
    desk.house.lifecycle.archive(desk.house.customer_id, reason="over", by="li")
    with pytest.raises(CustomerArchivedError):
        desk.notices.record_notice(desk.confirmed, desk.notice(), by="li")


def test_an_objection_is_closed_once_and_not_by_who_proposed_the_default(desk: Desk) -> None:
    with pytest.raises(FactInvalidError):
        desk.notices.enter_objection(desk.proposed, objector="Hongda", on=TODAY, by="li")
    for on in (date(2026, 1, 31), date(2026, 4, 1)):
        with pytest.raises(FactInvalidError):
            desk.notices.enter_objection(desk.confirmed, objector="Hongda", on=on, by="li")
    objection = desk.notices.enter_objection(
        desk.confirmed, objector="Hongda", on=date(2026, 3, 10), by="li"
    )

    def close(by: str, on: date = TODAY) -> None:
        desk.notices.close_objection(
            objection, result=ObjectionResult.REJECTED, reason="court file", on=on, by=by
        )

    with pytest.raises(SamePersonError):
        close("LI")
    with pytest.raises(FactInvalidError):
        close("wang", date(2026, 3, 9))
    close("wang")
    with pytest.raises(ObjectionNotFoundError):
        close("wang")


def test_what_was_refuted_counts_for_nothing_and_is_not_entered_again(desk: Desk) -> None:
    objection = desk.notices.enter_objection(desk.confirmed, objector="Hongda", on=TODAY, by="li")
    desk.notices.close_objection(
        objection, result=ObjectionResult.UPHELD, reason="paid in time", on=TODAY, by="li"
    )
    desk.house.invoice("A1", (date(2026, 2, 1), 500))

    window = desk.house.records.find_behaviour_window(
        scheme="sim", value="C1", first_month=2026 * 12, last_month=2026 * 12 + 2, as_of=TODAY
    )

    assert window is not None
    assert window.adverse == ()
    with pytest.raises(FactRefutedError):
        desk.propose("cd" * 32)
    with pytest.raises(FactRefutedError):
        desk.house.records.record_adverse_event(
            desk.house.customer_id,
            kind="legal",
            happened_on=TODAY,
            settled_on=None,
            evidence_sha256_hex="cd" * 32,
        )
    desk.propose("ef" * 32)


def test_a_list_of_before_comes_out_again(desk: Desk) -> None:
    first_ms = desk.house.clock.now_ms()
    desk.house.clock.advance_s(1)
    desk.notices.record_notice(desk.confirmed, desk.notice(), by="li")
    second_ms = desk.house.clock.now_ms()
    desk.house.clock.advance_s(1)
    desk.notices.enter_objection(desk.confirmed, objector="Hongda", on=TODAY, by="li")

    assert desk.states() == ["unconfirmed", "objected"]
    assert desk.states(known_at_ms=second_ms) == ["unconfirmed", "shareable"]
    assert desk.states(known_at_ms=first_ms) == ["unconfirmed", "unnoticed"]
    assert desk.states(as_of=date(2026, 3, 30)) == ["unconfirmed", "unnoticed"]
    assert desk.states(as_of=date(2026, 1, 31)) == []


def test_a_default_confirmed_and_ended_later_was_neither_before(desk: Desk) -> None:
    before_ms = desk.house.clock.now_ms()
    desk.house.clock.advance_s(1)
    desk.defaults.decide(
        desk.proposed.number, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang"
    )
    desk.defaults.end(desk.confirmed.number, outcome=EndOutcome.CURED, on=date(2026, 3, 1), by="li")

    assert desk.states() == ["unnoticed", "unnoticed"]
    assert desk.states(known_at_ms=before_ms) == ["unconfirmed", "unnoticed"]
    (_, then) = desk.notices.list_facts(desk.house.customer_id, as_of=TODAY, known_at_ms=before_ms)
    assert then.fact.ended_on is None


def test_an_event_of_before_is_settled_once(desk: Desk) -> None:
    desk.house.records.record_adverse_event(
        desk.house.customer_id,
        kind="collection",
        happened_on=date(2026, 1, 1),
        settled_on=None,
        evidence_sha256_hex="12" * 32,
    )
    for on in (date(2025, 12, 31), date(2026, 4, 1)):
        with pytest.raises(FactInvalidError):
            desk.notices.settle(1, on=on, by="li")
    desk.notices.settle(1, on=TODAY, by="li")
    with pytest.raises(FactInvalidError):
        desk.notices.settle(1, on=TODAY, by="li")
    with pytest.raises(FactNotFoundError):
        desk.notices.settle(2, on=TODAY, by="li")
