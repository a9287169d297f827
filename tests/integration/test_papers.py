"""Contracts, deliveries, guarantees and insurances: what they say then, now and as it was known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from node.core.database import Database
from node.core.migrations import build_config, upgrade_database
from node.records.archiving import CustomerArchivedError
from node.records.customers import CustomerService
from node.records.errors import CustomerNotFoundError, ReportInvalidError
from node.records.horizon import RecordsGoneError
from node.records.ledger import Correction, ItemNotFoundError
from node.records.ledger.errors import RecordGoneError
from node.records.papers import (
    COVERS,
    PaperEventNotFoundError,
    PaperExistsError,
    PaperInvalidError,
    PaperNotFoundError,
)
from node.records.rules_ledger import ItemKind
from node.records.rules_papers import DeviationKind, EventKind, PaperKind
from node.records.store.paper_tables import paper_version
from tests.support.ledgers import OLDEST, TODAY, House
from tests.support.papers import FROM, Desk
from tests.support.stores import store_url

MARCH = date(2026, 3, 1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


@pytest.fixture
def customers(house: House) -> CustomerService:
    return CustomerService(database=house.database, clock=house.clock, business_date=TODAY)


def test_what_is_invoiced_moves_a_stage_and_is_in_one_only(house: House, desk: Desk) -> None:
    """Domain §2.12 T1: 80,000 delivered, 420,000 invoiced, a bill of 150,000."""
    house.invoice("A0", (date(2026, 4, 30), 570_000))
    house.bill("W1", 150_000, on=MARCH, matures_on=date(2026, 6, 30))
    delivery = desk.deliver("L1", 80_000)
    before = desk.reports.compute_cover(house.customer_id, as_of=TODAY)
    (item,) = house.invoice("A1", (date(2026, 4, 30), 50_000), on=MARCH)
    desk.papers.add_invoice(delivery, item, by="li")
    after = desk.reports.compute_cover(house.customer_id, as_of=TODAY)

    assert desk.left() == {"L1": (0, 50_000, 30_000)}
    assert desk.left(as_of=MARCH - timedelta(days=1)) == {"L1": (0, 0, 80_000)}
    assert desk.left(as_of=FROM - timedelta(days=1)) == {}
    assert after.exposure_minor == before.exposure_minor == 650_000
    assert (before.delivered_minor, after.delivered_minor) == (80_000, 30_000)
    assert after.bill_minor == 150_000


def test_invoiced_before_it_was_delivered_it_is_invoiced_from_its_delivery_on(
    house: House, desk: Desk
) -> None:
    (item,) = house.invoice("A1", (date(2026, 4, 30), 500), on=FROM)
    delivery = desk.deliver("L1", 500, on=MARCH)
    desk.papers.add_invoice(delivery, item, by="li")

    assert desk.left(as_of=MARCH - timedelta(days=1)) == {}
    assert desk.left(as_of=MARCH) == {"L1": (0, 500, 0)}


def test_an_invoice_that_is_cancelled_or_corrected_later_changes_no_report_of_before(
    house: House, desk: Desk
) -> None:
    items = house.invoice("A1", (MARCH, 300), (TODAY, 300), on=date(2026, 2, 1))
    delivery = desk.deliver("L1", 1_000)
    desk.papers.add_invoice(delivery, items[1], by="li")
    house.clock.advance_s(60)
    known = house.clock.now_ms()
    house.clock.advance_s(60)
    assert desk.left() == {"L1": (0, 600, 400)}

    house.ledger.correct_item(items[0], Correction(reason="x", happened_on=MARCH), by="li")
    assert desk.left(as_of=date(2026, 2, 15)) == {"L1": (0, 600, 400)}  # a line is of before
    house.ledger.cancel_item(items[1], reason="x", by="li")
    assert desk.left(as_of=date(2026, 2, 15)) == {"L1": (0, 0, 1_000)}
    assert desk.left() == {"L1": (0, 600, 400)}  # a line of the document still counts
    for line in house.ledger.list_open(house.customer_id, as_of=TODAY):
        house.ledger.cancel_item(line.item_id, reason="x", by="li")
    assert desk.left() == {"L1": (0, 0, 1_000)}
    assert desk.left(known_at_ms=known) == {"L1": (0, 600, 400)}
    (again,) = house.invoice("A2", (TODAY, 1_000), on=MARCH)
    desk.papers.add_invoice(delivery, again, by="li")
    assert desk.left() == {"L1": (0, 1_000, 0)}


def test_more_than_was_delivered_or_than_the_invoice_is_for_is_refused(
    house: House, desk: Desk
) -> None:
    delivery, other = desk.deliver("L1", 1_000), desk.deliver("L2", 1_000)
    (item,) = house.invoice("A1", (TODAY, 600), on=MARCH)
    with pytest.raises(PaperInvalidError):
        desk.papers.add_invoice(delivery, item, amount_minor=601, by="li")
    link = desk.papers.add_invoice(delivery, item, amount_minor=500, by="li")
    with pytest.raises(PaperInvalidError):  # already
        desk.papers.add_invoice(delivery, item, amount_minor=100, by="li")
    with pytest.raises(PaperInvalidError):
        desk.papers.add_invoice(other, item, amount_minor=101, by="li")
    assert desk.papers.add_invoice(other, item, by="li")
    with pytest.raises(PaperInvalidError):
        desk.happen(delivery, EventKind.RETURNED, minor=501)
    desk.happen(delivery, EventKind.RETURNED)
    assert desk.left() == {"L1": (500, 500, 0), "L2": (0, 100, 900)}
    (still,) = desk.reports.list_delivered(
        house.customer_id, as_of=TODAY, open_only=True
    ).deliveries
    assert still.delivery.number == "L2"
    with pytest.raises(PaperInvalidError):
        desk.papers.correct(
            delivery, PaperKind.DELIVERY, desk.content(999), reason="weighed again", by="li"
        )
    house.clock.advance_s(1)
    known = house.clock.now_ms()
    house.clock.advance_s(1)
    desk.papers.withdraw_event(link, reason="wrong invoice", by="li")
    assert desk.left()["L1"] == (500, 0, 500)
    assert desk.left(known_at_ms=known)["L1"] == (500, 500, 0)
    with pytest.raises(PaperEventNotFoundError):
        desk.papers.withdraw_event(link, reason="x", by="li")


def test_a_correction_is_a_new_version_and_a_withdrawn_number_may_come_again(
    house: House, desk: Desk
) -> None:
    delivery = desk.deliver("L1", 1_000)
    known = house.clock.now_ms()
    house.clock.advance_s(1)
    desk.papers.correct(
        delivery, PaperKind.DELIVERY, desk.content(900, on=MARCH), reason="weighed", by="wang"
    )
    assert desk.left() == {"L1": (0, 0, 900)}
    assert desk.left(as_of=FROM) == {}
    assert desk.left(as_of=FROM, known_at_ms=known) == {"L1": (0, 0, 1_000)}
    with pytest.raises(PaperExistsError):
        desk.deliver("L1", 5)
    desk.papers.withdraw(delivery, reason="never came", by="wang")
    assert desk.left() == {}
    house.clock.advance_s(1)
    assert desk.deliver("L1", 5) == delivery
    with house.database.read() as uow:
        rows = uow.connection.execute(paper_version.select()).all()
    assert [(row.version, row.amount_minor, row.end_reason) for row in rows] == [
        (1, 1_000, "weighed"),
        (2, 900, "never came"),
        (3, 5, None),
    ]


def test_what_was_withdrawn_takes_what_happened_to_it_along(house: House, desk: Desk) -> None:
    delivery = desk.deliver("L1", 1_000)
    (item,) = house.invoice("A1", (TODAY, 600), on=MARCH)
    desk.papers.add_invoice(delivery, item, by="li")
    house.clock.advance_s(1)
    known = house.clock.now_ms()
    house.clock.advance_s(1)
    desk.papers.withdraw(delivery, reason="another customer's", by="wang")

    other = house.add_customer("C2")
    content = desk.content(5, customer_id=other)
    assert desk.papers.enter(PaperKind.DELIVERY, "L1", content, by="li") == delivery

    assert desk.left(customer_id=other) == {"L1": (0, 0, 5)}
    assert desk.left(known_at_ms=known) == {"L1": (0, 600, 400)}


def test_a_bill_that_is_passed_on_is_at_risk_until_it_matures(house: House, desk: Desk) -> None:
    """Domain §2.12 T3: endorsing releases nothing, a dishonour moves it back to the invoices."""
    house.invoice("A1", (MARCH, 1_000))
    kept = house.bill("W1", 300, on=MARCH, matures_on=date(2026, 5, 31))
    endorsed = house.bill("W2", 200, on=MARCH, matures_on=date(2026, 3, 20))
    dishonoured = house.bill("W3", 100, on=MARCH, matures_on=date(2026, 5, 31))

    def ask(day: date, known_at_ms: int | None = None) -> tuple[int, int]:
        one = desk.reports.compute_cover(house.customer_id, as_of=day, known_at_ms=known_at_ms)
        return one.invoiced_minor, one.bill_minor

    known = house.clock.now_ms()
    house.clock.advance_s(1)
    assert ask(TODAY) == (400, 600)
    for bill in (kept, endorsed, dishonoured):
        house.ledger.pass_on_bill(bill, kind=ItemKind.BILL_ENDORSED, on=date(2026, 3, 10), by="li")
    assert ask(date(2026, 3, 20)) == (400, 600)
    assert ask(date(2026, 3, 21)) == (400, 400)  # W2 matured, and nobody came back for it
    house.ledger.dishonour_bill(dishonoured, on=date(2026, 3, 25), by="li")
    assert ask(date(2026, 3, 24)) == (400, 400)
    assert ask(TODAY) == (500, 300)
    assert ask(TODAY, known) == (400, 600)


def test_which_contract_is_in_force_on_a_day(house: House, desk: Desk) -> None:
    frame = desk.contract("K1", on=FROM, ends_on=date(2026, 12, 31))
    known = house.clock.now_ms()
    house.clock.advance_s(1)
    desk.happen(frame, EventKind.ENDED, on=MARCH, reason="notice given")

    def ask(day: date, known_at_ms: int | None = None) -> list[bool]:
        found = desk.reports.list_papers(
            house.customer_id, as_of=day, kinds={PaperKind.CONTRACT}, known_at_ms=known_at_ms
        )
        return [one.in_force for one in found]

    assert ask(FROM - timedelta(days=1)) == [False]
    assert ask(FROM) == ask(MARCH - timedelta(days=1)) == [True]
    assert ask(MARCH) == [False]
    assert ask(MARCH, known) == [True]


def test_invoices_that_differ_from_their_contract_are_told(house: House, desk: Desk) -> None:
    contract = desk.contract("K1", days_net=30, ends_on=MARCH)
    delivery = desk.deliver("L1", 300, contract=contract)
    good, late = (
        house.invoice(number, (due, 300), on=on)[0]
        for number, on, due in (
            ("A1", date(2026, 2, 1), date(2026, 3, 3)),
            ("A2", date(2026, 3, 2), date(2026, 5, 1)),
        )
    )
    desk.papers.add_invoice(delivery, good, by="li")
    desk.papers.add_invoice(contract, late, by="li")
    house.ledger.correct_item(good, Correction(reason="price", amount_minor=200), by="li")

    found = desk.reports.compare_terms(house.customer_id, as_of=TODAY)
    assert [(one.document_no, one.kind, one.agreed, one.found) for one in found] == [
        ("A1", DeviationKind.OVER, "300", "200"),
        ("A2", DeviationKind.DAYS, "30 (2026-04-01)", "60 (2026-05-01)"),
        ("A2", DeviationKind.NOT_IN_FORCE, "2026-01-01/2026-03-01", "2026-03-02"),
    ]
    assert len(desk.reports.compare_terms(house.customer_id, as_of=MARCH)) == 1


def test_covers_of_both_kinds_as_of_a_day_and_as_known(house: House, desk: Desk) -> None:
    house.invoice("A1", (date(2026, 4, 30), 1_000_000), on=date(2026, 2, 1))
    desk.insure("P1", 800_000)
    guarantee = desk.guarantee("G1", 300_000)
    known = house.clock.now_ms()
    house.clock.advance_s(1)
    desk.happen(guarantee, EventKind.CALLED, on=MARCH, minor=100_000)

    def ask(day: date, known_at_ms: int | None = None) -> tuple[int, int, int]:
        one = desk.reports.compute_cover(house.customer_id, as_of=day, known_at_ms=known_at_ms)
        return one.insured_minor, one.guaranteed_minor, one.uncovered_minor

    assert ask(TODAY) == (720_000, 200_000, 80_000)
    assert ask(date(2026, 2, 15)) == ask(TODAY, known) == (630_000, 300_000, 70_000)
    assert ask(date(2026, 1, 15)) == (0, 0, 0)
    with pytest.raises(PaperInvalidError):
        desk.happen(guarantee, EventKind.RELEASED, minor=200_001)
    with pytest.raises(PaperInvalidError):
        desk.reports.compute_cover(house.customer_id, as_of=TODAY, currency="cny")


def test_a_merge_brings_papers_along_and_its_end_takes_them_back(
    house: House, desk: Desk, customers: CustomerService
) -> None:
    other = house.add_customer("C2")
    (item,) = house.invoice("A1", (TODAY, 600), on=MARCH)
    delivery = desk.deliver("L1", 1_000)
    desk.papers.add_invoice(delivery, item, by="li")
    house.clock.advance_s(1)
    known = house.clock.now_ms()
    house.clock.advance_s(1)
    customers.merge(house.customer_id, into_id=other, reason="one", by="li")
    assert desk.left(customer_id=other) == {"L1": (0, 600, 400)}
    assert desk.left(customer_id=other, known_at_ms=known) == {}
    (late,) = house.invoice("B1", (TODAY, 400), on=MARCH)  # entered for whom it turned out to be
    desk.papers.add_invoice(delivery, late, by="li")
    house.clock.advance_s(1)

    customers.unmerge(house.customer_id, reason="two", by="li")

    assert desk.left(customer_id=other) == {}
    assert desk.left() == {"L1": (0, 600, 400)}  # B1 stayed with the other one
    assert desk.left(known_at_ms=known) == {"L1": (0, 600, 400)}
    with pytest.raises(PaperInvalidError):  # It may come back: its part is not invoiced again.
        desk.papers.add_invoice(delivery, house.invoice("A9", (TODAY, 1))[0], by="li")


def test_what_makes_no_sense_is_refused(house: House, desk: Desk) -> None:
    contract, delivery = desk.contract("K1"), desk.deliver("L1", 100)
    credit = house.credit("P1", 10, on=MARCH)
    (item,) = house.invoice("A1", (TODAY, 100), on=MARCH)
    good, enter = desk.content(100), desk.papers.enter
    terms = desk.reports.list_papers(house.customer_id, as_of=TODAY, kinds={PaperKind.CONTRACT})[
        0
    ].paper.content.terms
    for kind, content in (
        (PaperKind.DELIVERY, replace(good, amount_minor=None)),
        (PaperKind.DELIVERY, replace(good, amount_minor=0)),
        (PaperKind.DELIVERY, replace(good, currency="yuan")),
        (PaperKind.DELIVERY, replace(good, begins_on=TODAY + timedelta(days=1))),
        (PaperKind.DELIVERY, replace(good, ends_on=TODAY)),
        (PaperKind.DELIVERY, replace(good, document_sha256_hex="AB")),
        (PaperKind.DELIVERY, replace(good, terms=terms)),
        (PaperKind.CONTRACT, good),
        (PaperKind.CONTRACT, replace(good, terms=terms, document_sha256_hex=None)),
        (PaperKind.CONTRACT, replace(good, terms=terms, ends_on=date(2025, 1, 1))),
        (PaperKind.CONTRACT, replace(good, terms=terms, contract_id=contract)),
    ):
        with pytest.raises(PaperInvalidError):
            enter(kind, "X", content, by="li")
    with pytest.raises(PaperNotFoundError):
        enter(PaperKind.DELIVERY, "X", replace(good, contract_id=delivery), by="li")
    with pytest.raises(PaperInvalidError):
        desk.papers.add_invoice(delivery, credit, by="li")
    with pytest.raises(ItemNotFoundError):
        desk.papers.add_invoice(delivery, 99, by="li")
    with pytest.raises(PaperNotFoundError):
        desk.papers.add_invoice(contract, item, kinds={PaperKind.DELIVERY}, by="li")
    with pytest.raises(PaperInvalidError):
        desk.papers.add_invoice(contract, item, amount_minor=5, by="li")
    for paper, event, on in (
        (contract, EventKind.RETURNED, TODAY),
        (contract, EventKind.ENDED, TODAY),  # without a reason
        (delivery, EventKind.ENDED, TODAY),
        (delivery, EventKind.INVOICED, TODAY),
        (delivery, EventKind.RETURNED, FROM - timedelta(days=1)),
        (delivery, EventKind.RETURNED, TODAY + timedelta(days=1)),
    ):
        with pytest.raises(PaperInvalidError):
            desk.happen(paper, event, on=on)
    for unknown in (0, 99, 1 << 70):
        with pytest.raises(PaperNotFoundError):
            desk.papers.withdraw(unknown, reason="x", by="li")
        with pytest.raises(PaperEventNotFoundError):
            desk.papers.withdraw_event(unknown, reason="x", by="li")
    with pytest.raises(CustomerNotFoundError):
        desk.reports.list_delivered(99, as_of=TODAY)
    with pytest.raises(ReportInvalidError):
        desk.reports.compute_cover(house.customer_id, as_of=date(9999, 1, 1))


def test_a_contract_with_deliveries_is_not_withdrawn_and_a_closed_relation_takes_nothing(
    house: House, desk: Desk
) -> None:
    contract = desk.contract("K1")
    delivery = desk.deliver("L1", 100, contract=contract)
    with pytest.raises(PaperInvalidError):
        desk.papers.withdraw(contract, reason="x", by="li")
    house.lifecycle.archive(house.customer_id, reason="over", by="li")
    for act in (
        lambda: desk.deliver("L2", 5),
        lambda: desk.happen(delivery, EventKind.RETURNED),
        lambda: desk.papers.withdraw(delivery, reason="x", by="li"),
    ):
        with pytest.raises(CustomerArchivedError):
            act()


OLD, ENDED = date(2020, 12, 1), date(2021, 3, 15)


def test_what_was_delivered_goes_with_its_invoice_and_does_not_come_back(
    house: House, desk: Desk
) -> None:
    (item,) = house.invoice("A1", (date(2021, 2, 1), 300), on=date(2021, 1, 1))
    house.credit("P1", 300, on=ENDED, allocate=OLDEST)
    contract = desk.contract("K1", on=OLD, ends_on=ENDED)
    delivery = desk.deliver("L1", 400, on=OLD, contract=contract)
    desk.papers.add_invoice(delivery, item, by="li")
    desk.papers.add_invoice(contract, item, by="li")
    assert house.lifecycle.expire(by="li").items == 0  # 100 are not invoiced
    desk.happen(delivery, EventKind.RETURNED, on=ENDED)

    expired = house.lifecycle.expire(by="li")

    assert (expired.items, expired.papers) == (2, 1)
    with pytest.raises(RecordGoneError):
        desk.deliver("l1", 400, on=OLD)
    with pytest.raises(RecordsGoneError):
        desk.reports.list_delivered(house.customer_id, as_of=date(2021, 1, 1))
    assert desk.left() == {}
    assert house.lifecycle.expire(by="li").papers == 1  # nothing stands under the contract now
    with pytest.raises(RecordGoneError):
        desk.contract("K1")


def test_papers_by_themselves_go_so_long_after_they_held_unless_held(
    house: House, desk: Desk
) -> None:
    desk.guarantee("G1", 500, on=OLD, ends_on=ENDED)
    desk.guarantee("G2", 500, on=OLD)
    desk.deliver("L1", 500, on=OLD)
    wrong = desk.deliver("L2", 500, on=OLD)
    desk.papers.withdraw(wrong, reason="x", by="li")
    hold = house.lifecycle.hold(house.customer_id, basis="case 1", by="li")
    (due,) = house.lifecycle.iterate_due(as_of=TODAY)
    assert (due.documents, due.reason, due.expires_on) == (("G1",), "lapsed", date(2026, 3, 15))
    assert due.held_by == hold
    assert (house.lifecycle.expire(by="li").papers, hold) == (0, hold)
    house.lifecycle.release(hold, reason="over", by="li")

    assert house.lifecycle.expire(by="li").papers == 1

    left = desk.reports.list_papers(house.customer_id, as_of=TODAY, kinds=COVERS)
    assert [one.paper.number for one in left] == ["G2"]


def test_the_tables_come_and_go_with_what_is_in_them(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(database)
    with database.write() as uow:
        for statement in (
            "INSERT INTO customer VALUES (1, 'sim', 'C1', '示例', 'CN', 'company', 7)",
            "INSERT INTO paper VALUES (1, 'guarantee', 'manual', 'G1')",
            (
                "INSERT INTO paper_version (paper_id, version, customer_id, currency, amount_minor,"
                " begins_on, entered_by, entered_at_ms)"
                " VALUES (1, 1, 1, 'CNY', 5, '2026-01-01', 'li', 7)"
            ),
            "INSERT INTO guarantee_terms VALUES (1, 1, 'pledge', 'G', 1)",
        ):
            uow.connection.exec_driver_sql(statement)
    command.downgrade(build_config(database), "0029")
    assert not inspect(database.engine).has_table("paper")
    upgrade_database(database)
    assert inspect(database.engine).has_table("paper_horizon")
    database.dispose()
