"""A correction of a paper makes no sense of what has happened to it already."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.records.papers import NewEvent, PaperInvalidError
from node.records.rules_papers import (
    ContractForm,
    ContractTerms,
    EventKind,
    GuaranteeForm,
    GuaranteeTerms,
    PaperKind,
)
from tests.support.ledgers import House
from tests.support.papers import FROM, Desk

GUARANTEE = GuaranteeTerms(form=GuaranteeForm.DEPOSIT, guarantor="B")
FRAME = ContractTerms(form=ContractForm.FRAME, signed_on=FROM, days_net=30)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    house = House(tmp_path)
    yield Desk(house)
    house.database.dispose()


def test_what_is_invoiced_of_a_delivery_keeps_its_currency(desk: Desk) -> None:
    (item_id,) = desk.house.invoice("R1", (date(2026, 2, 1), 10_000))
    paper_id = desk.deliver("L1", 20_000)
    event_id = desk.papers.add_invoice(paper_id, item_id, by="li")
    euros = desk.content(20_000, currency="EUR")

    with pytest.raises(PaperInvalidError, match="in CNY"):
        desk.papers.correct(paper_id, PaperKind.DELIVERY, euros, reason="x", by="li")
    desk.papers.withdraw_event(event_id, reason="x", by="li")
    desk.papers.correct(paper_id, PaperKind.DELIVERY, euros, reason="x", by="li")


def test_what_is_released_of_a_guarantee_keeps_its_currency(desk: Desk) -> None:
    kind = PaperKind.GUARANTEE
    paper_id = desk.papers.enter(kind, "G", desk.content(100, terms=GUARANTEE), by="li")
    released = NewEvent(kind=EventKind.RELEASED, on=date(2026, 2, 1), amount_minor=40)
    desk.papers.add_event(paper_id, released, by="li")

    with pytest.raises(PaperInvalidError, match="in CNY"):
        desk.papers.correct(
            paper_id, kind, desk.content(100, currency="EUR", terms=GUARANTEE), reason="x", by="li"
        )


def test_a_contract_with_deliveries_does_not_become_anothers(desk: Desk) -> None:
    kind = PaperKind.CONTRACT
    contract_id = desk.papers.enter(kind, "K", desk.content(terms=FRAME), by="li")
    delivery_id = desk.deliver("L1", 100, contract=contract_id)
    other = desk.house.add_customer("Z")
    moved = desk.content(terms=FRAME, customer_id=other)

    with pytest.raises(PaperInvalidError, match="delivery L1 is under"):
        desk.papers.correct(contract_id, kind, moved, reason="x", by="li")
    desk.papers.withdraw(delivery_id, reason="x", by="li")
    desk.papers.correct(contract_id, kind, moved, reason="x", by="li")


def test_a_contract_goes_with_its_customer_that_was_merged(desk: Desk) -> None:
    kind = PaperKind.CONTRACT
    contract_id = desk.papers.enter(kind, "K", desk.content(terms=FRAME), by="li")
    desk.deliver("L1", 100, contract=contract_id)
    into = desk.house.add_customer("Z")
    desk.house.customers.merge(desk.house.customer_id, into_id=into, reason="one", by="li")

    desk.papers.correct(
        contract_id, kind, desk.content(terms=FRAME, customer_id=into), reason="x", by="li"
    )
