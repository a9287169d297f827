"""A key that no row can have is not found: PostgreSQL compares an INTEGER with nothing larger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from node.core.database import ID_MAX
from node.core.errors import NotFoundError
from node.records.adverse import NoticeService
from node.records.customers import FactKind
from node.records.papers import NewEvent
from node.records.retention_policy import read_retention_policy
from node.records.rules_adverse import ObjectionResult
from node.records.rules_default import DecisionOutcome
from node.records.rules_ledger import DisputeOutcome
from node.records.rules_papers import EventKind, PaperKind
from node.records.store.owners import OWNED
from node.records.undertakings import DefaultService, PromiseService
from tests.support.ledgers import HASHER, TODAY, House
from tests.support.papers import Desk

LARGE = [2**31, ID_MAX, ID_MAX + 1]
ON = date(2026, 3, 1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.database.dispose()


@pytest.mark.parametrize("key", LARGE)
def test_nothing_has_a_key_that_is_too_large(house: House, key: int) -> None:
    desk = Desk(house)
    papers, life = desk.papers, house.lifecycle
    database, clock = house.database, house.clock
    defaults = DefaultService(database=database, clock=clock, hasher=HASHER)
    notices = NoticeService(database=database, clock=clock, policy=read_retention_policy())
    promises = PromiseService(database=database, clock=clock)
    why = {"reason": "x", "by": "li"}
    returned = NewEvent(kind=EventKind.RETURNED, on=ON)
    delivery = papers.enter(PaperKind.DELIVERY, "L1", desk.content(100, on=ON), by="li")
    attempts: list[Callable[[], object]] = [
        lambda: papers.get_paper(key, {PaperKind.CONTRACT}),
        lambda: papers.withdraw(key, reason="x", by="li"),
        lambda: papers.add_event(key, returned, by="li"),
        lambda: papers.add_invoice(delivery, key, by="li"),
        lambda: papers.withdraw_event(key, reason="x", by="li"),
        lambda: papers.enter(PaperKind.DELIVERY, "L2", desk.content(1, contract=key), by="li"),
        lambda: papers.enter(PaperKind.DELIVERY, "L3", desk.content(1, customer_id=key), by="li"),
        lambda: desk.reports.list_delivered(key, as_of=TODAY),
        lambda: house.records.get_customer(key),
        lambda: house.ledger.close_dispute(key, outcome=DisputeOutcome.REJECTED, on=ON, **why),
        lambda: house.customers.end(FactKind.CONTACT, key, by="li"),
        lambda: life.release(key, **why),
        lambda: defaults.decide(key, outcome=DecisionOutcome.CONFIRMED, **why),
        lambda: promises.withdraw(key, **why),
        lambda: notices.settle(key, on=ON, by="li"),
        lambda: notices.withdraw_notice(key, **why),
        lambda: notices.close_objection(key, result=ObjectionResult.UPHELD, on=ON, **why),
    ]
    for attempt in attempts:
        with pytest.raises(NotFoundError):
            attempt()
    assert not house.customers.is_person(dict.fromkeys(OWNED, key))
    assert house.records.list_customers(after=key) == []
