"""The exposures and limits of many customers, read at once, are those of each one alone."""

from __future__ import annotations

import random  # noqa: TID251  a ledger from a seed, no secret
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.core.errors import NodeError
from node.records.ledger import NewBill, NewDebit, Term
from node.records.rules_ledger import AllocationMethod, DisputeCause, ItemKind
from node.records.rules_papers import PaperKind
from node.records.store import RecordsStore
from node.risk.bounds.reading import read_limit_facts
from node.risk.checks.rules_check import CheckPoint
from node.risk.exposure.reading import read_exposed, read_exposed_of
from node.risk.limits.reading import read_limits, read_limits_of
from node.risk.limits.rules_limits import LimitKind
from node.risk.limits.service import NewLimit
from node.risk.limits.store import LimitStore
from node.risk.orders.service import Taking
from node.risk.policies.policy import read_preset_risk_policy
from tests.support.ledgers import TODAY
from tests.support.risk import Watch, add_rate, build_watch

CUSTOMERS = 9
STEPS = 220
BODY = read_preset_risk_policy().body


class World:
    """Customers with everything that an exposure is made of, from a seed."""

    def __init__(self, watch: Watch, seed: int) -> None:
        self.watch = watch
        self.draw = random.Random(seed)  # noqa: S311  a ledger, no secret
        house = watch.house
        self.keys = [house.customer_id, *(house.add_customer(f"K{n}") for n in range(CUSTOMERS))]
        for key in self.keys[1:4]:
            house.customers.set_parent(key, parent_id=self.keys[0], by="li")
        for key in self.keys[::2]:
            watch.give_limit(self.draw.choice([0, 900_00, 10**9]), customer_id=key)
        self.items: list[int] = []
        self.bills: list[int] = []
        self.orders: list[tuple[int, int, str]] = []
        steps = (
            self.invoice, self.invoice, self.invoice, self.pay, self.bill, self.pass_on,
            self.dispute, self.order, self.order, self.deliver, self.take, self.cover, self.bound,
        )  # fmt: skip
        for number in range(STEPS):
            with suppress(NodeError, IndexError):  # what does not fit, or is not there yet
                self.draw.choice(steps)(number)
        rich = house.add_customer("rich")
        watch.give_limit(10**9, customer_id=rich)
        house.credit("P", 100_00, on=TODAY, customer_id=rich)
        watch.ask("S", 90_00, customer_id=rich, prepaid_minor=60_00)
        house.customers.merge(self.keys[5], into_id=self.keys[6], reason="the same", by="li")

    def pick(self) -> tuple[int, str, int, date]:
        draw = self.draw
        on = TODAY - timedelta(days=draw.randrange(120))
        currency = draw.choice(["CNY", "CNY", "EUR", "USD"])
        return draw.choice(self.keys), currency, draw.randrange(1, 500_00), on

    def invoice(self, number: int) -> None:
        key, currency, minor, on = self.pick()
        debit = NewDebit(
            customer_id=key,
            kind=ItemKind.INVOICE,
            document_no=f"R{number}",
            happened_on=on,
            currency=currency,
            terms=(Term(due_on=on + timedelta(days=30), amount_minor=minor),),
        )
        self.items += self.watch.house.ledger.enter_debit(debit, by="li")

    def pay(self, number: int) -> None:
        key, currency, minor, on = self.pick()
        how = self.draw.choice([None, AllocationMethod.OLDEST_FIRST])
        self.watch.house.credit(
            f"P{number}", minor, on=on, allocate=how, currency=currency, customer_id=key
        )

    def bill(self, number: int) -> None:
        key, currency, minor, on = self.pick()
        bill = NewBill(
            customer_id=key,
            number=f"B{number}",
            received_on=on,
            matures_on=on + timedelta(days=90),
            currency=currency,
            amount_minor=minor,
        )
        self.bills.append(self.watch.house.ledger.receive_bill(bill, by="li"))

    def pass_on(self, _number: int) -> None:
        kind = self.draw.choice([ItemKind.BILL_ENDORSED, ItemKind.BILL_DISCOUNTED])
        bill = self.draw.choice(self.bills)
        if self.draw.random() < 0.3:
            self.watch.house.ledger.dishonour_bill(bill, on=TODAY, by="li")
        else:
            self.watch.house.ledger.pass_on_bill(bill, kind=kind, on=TODAY, by="li")

    def dispute(self, _number: int) -> None:
        self.watch.house.ledger.open_dispute(
            self.draw.choice(self.items),
            amount_minor=self.draw.randrange(1, 100_00),
            cause=DisputeCause.QUALITY,
            on=TODAY - timedelta(days=self.draw.randrange(20)),
            by="li",
        )

    def order(self, number: int) -> None:
        key, currency, minor, _ = self.pick()
        answer = self.watch.ask(
            f"S{number}",
            minor,
            customer_id=key,
            currency=currency,
            prepaid_minor=self.draw.choice([0, 0, minor // 3]),
            point=CheckPoint.ORDER,
        )
        self.orders.append((answer["order"], key, currency))

    def deliver(self, number: int) -> None:
        order_id, key, currency = self.draw.choice(self.orders)
        minor = self.draw.randrange(1, 100_00)
        desk = self.watch.desk
        content = desk.content(minor, on=TODAY, currency=currency, customer_id=key)
        paper_id = desk.papers.enter(PaperKind.DELIVERY, f"D{number}", content, by="li")
        taking = Taking(amount_minor=minor, paper_id=paper_id)
        self.watch.risk.orders.take(order_id, taking, by="erp")
        desk.papers.add_invoice(paper_id, self.draw.choice(self.items), by="li")

    def take(self, _number: int) -> None:
        taking = Taking(amount_minor=self.draw.randrange(1, 9_00), item_id=self.items[-1])
        self.watch.risk.orders.take(self.draw.choice(self.orders)[0], taking, by="erp")

    def cover(self, number: int) -> None:
        self.watch.desk.guarantee(f"G{number}", self.draw.randrange(1, 90_00))

    def bound(self, _number: int) -> None:
        new = NewLimit(
            kind=LimitKind.TEMPORARY,
            customer_id=self.draw.choice(self.keys),
            currency="EUR",
            amount_minor=self.draw.randrange(1, 900_00),
            first_on=TODAY,
            last_on=TODAY + timedelta(days=9),
            reason="season",
        )
        entry = self.watch.risk.limits.request(new, by="Zhang")
        with self.watch.house.database.write() as uow:
            LimitStore(uow.connection).settle(entry.entry_id, by="Li", on=TODAY, at_ms=1)


@pytest.fixture(scope="module", params=[3, 11])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    watch = build_watch(tmp_path_factory.mktemp("stretch"))
    add_rate(watch, 8 * 10**9)
    yield World(watch, request.param)
    watch.house.database.dispose()


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(days=st.integers(min_value=-40, max_value=100), taken=st.integers(min_value=1))
def test_a_stretch_reads_of_each_what_is_read_of_it_alone(
    world: World, days: int, taken: int
) -> None:
    as_of = TODAY - timedelta(days=days)
    watch = world.watch
    with watch.house.database.read() as uow:
        keys = [one.customer_id for one in RecordsStore(uow.connection).list_customers(limit=99)]
        some = [key for number, key in enumerate(keys) if taken >> number & 1]
        owners = RecordsStore(uow.connection).list_ids_of(some)
        together = read_exposed_of(uow, owners, as_of=as_of)
        alone = {key: read_exposed(uow, key, as_of=as_of) for key in some}
        views = read_limits_of(uow, owners, as_of=as_of)
        bounds = {
            key: replace(read_limits(uow, key, ids=owners[key], as_of=as_of), caps=())
            for key in some
        }
        facts = read_limit_facts(uow, owners, as_of, BODY)

    assert together == alone
    assert {key: one.holding for key, one in views.items()} == {
        key: one.holding for key, one in bounds.items()
    }
    for key in some:
        told = watch.risk.exposures.read(key, as_of=as_of, currency=facts[key].currency)
        assert facts[key].exposure_minor == told.total_minor
        assert facts[key].without_rate == tuple(one.currency for one in told.not_computable)


def test_the_world_has_something_of_everything(world: World) -> None:
    with world.watch.house.database.read() as uow:
        keys = [one.customer_id for one in RecordsStore(uow.connection).list_customers(limit=99)]
        owners = RecordsStore(uow.connection).list_ids_of(keys)
        bases = [one.basis for one in read_exposed_of(uow, owners, as_of=TODAY).values()]

    items = [item for one in bases for item in one.items]
    assert {item.stage for item in items} >= {"delivered", "invoiced", "bill"}
    assert any(item.disputed_minor for item in items)
    assert all(any(getattr(one, name) for one in bases) for name in ("passed", "orders", "covers"))
    assert any(order.prepaid_minor for one in bases for order in one.orders)
    assert any(order.taken_minor for one in bases for order in one.orders)
    assert any(len(ids) > 1 for ids in owners.values())
