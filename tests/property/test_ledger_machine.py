"""Any history of the ledger, on a real database: it adds up, and what was reported stays so.

A model keeps the plain sums. After each step the ageing is held against it on random dates; every
report that was ever made comes out again when asked for as it was known then; and what is rolled up
is what the events say.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from node.core.clock import ManualClock
from node.core.database import Database
from node.core.errors import NodeError
from node.records.customers import CustomerService
from node.records.horizon import RecordsGoneError
from node.records.ledger import (
    Correction,
    LedgerService,
    NewBill,
    NewCredit,
    NewDebit,
    Remittance,
    Term,
)
from node.records.rules_ageing import Ageing, AgeingBase
from node.records.rules_ledger import (
    AllocationMethod,
    DisputeCause,
    DisputeOutcome,
    ItemKind,
)
from node.records.service import RecordsService
from tests.support.stores import migrated_url

BEGIN = date(2025, 1, 1)
DAYS = st.integers(0, 400).map(lambda number: BEGIN + timedelta(days=number))
AMOUNTS = st.integers(1, 1_000)
CURRENCIES = st.sampled_from(("CNY", "EUR"))
METHODS = st.sampled_from((AllocationMethod.OLDEST_FIRST, AllocationMethod.EXACT))
PICKS = st.integers(0, 10_000)
pytestmark = pytest.mark.timeout(600)  # many histories, and a busy machine is no defect
REFUSALS = {
    "allocation-invalid",
    "dispute-not-found",
    "item-exists",
    "item-invalid",
    "item-not-found",
}
Report = tuple[tuple[str, int, int, int, tuple[int, ...]], ...]


def summarise(ageings: list[Ageing]) -> Report:
    """Return all that an ageing says, by currency."""
    return tuple(
        (
            one.currency,
            one.balance_minor,
            one.unapplied_minor,
            one.disputed_minor,
            tuple(one.buckets.values()),
        )
        for one in sorted(ageings, key=lambda one: one.currency)
    )


class LedgerMachine(RuleBasedStateMachine):
    """Random use of the ledger of one customer, which turns out to be others too."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(url=migrated_url(Path(self.folder.name) / "node.sqlite"))
        self.clock = ManualClock(1_700_000_000_000)
        today = date(2026, 6, 30)
        self.records = RecordsService(database=self.database, clock=self.clock, business_date=today)
        self.ledger = LedgerService(database=self.database, clock=self.clock, business_date=today)
        self.customers = CustomerService(
            database=self.database, clock=self.clock, business_date=today
        )
        self.customer_id = self.add_customer("C1", country="CN")
        self.sums: dict[str, list[tuple[date, int]]] = {"CNY": [], "EUR": []}
        self.debits: list[tuple[int, str, date, int]] = []
        self.credits: list[tuple[int, str, date, int]] = []
        self.bills: list[tuple[int, str, date, int]] = []
        self.write_offs: list[int] = []
        self.disputes: list[int] = []
        self.reports: dict[tuple[int, date, int], Report] = {}
        self.refusals: set[str] = set()
        self.number = 0

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.dispose()
            self.folder.cleanup()

    def add_customer(self, value: str, *, country: str) -> int:
        return self.records.add_customer(
            scheme="sim", value=value, name="示例", country=country
        ).customer_id

    def renew(self, key: int) -> int:
        """Return the newest version of an item."""
        return self.ledger.tell_item(key).versions[-1].item_id

    def count_open(self, customer_id: int) -> Counter[str]:
        """Return what is open, unapplied and disputed at the end, by currency."""
        figures: Counter[str] = Counter()
        for one in self.records.ageing(customer_id, as_of=BEGIN + timedelta(days=500)):
            figures[f"open {one.currency}"] += sum(one.buckets.values())
            figures[f"unapplied {one.currency}"] += one.unapplied_minor
            figures[f"disputed {one.currency}"] += one.disputed_minor
        return figures

    def name(self) -> str:
        self.number += 1
        return f"D{self.number}"

    def attempt(self, step: Callable[[], None]) -> None:
        """Do it, or be refused and leave everything as it was."""
        before = self.report(BEGIN + timedelta(days=500))
        self.clock.advance_s(1)
        try:
            step()
        except NodeError as err:
            self.refusals.add(err.code)
            if self.report(BEGIN + timedelta(days=500)) != before:
                raise AssertionError("a refusal changed something") from err

    def report(self, as_of: date) -> Report:
        return summarise(self.records.ageing(self.customer_id, as_of=as_of))

    @rule(day=DAYS, amounts=st.lists(AMOUNTS, min_size=1, max_size=3), currency=CURRENCIES)
    def invoice(self, day: date, amounts: list[int], currency: str) -> None:
        terms = tuple(
            Term(due_on=day + timedelta(days=30 * number), amount_minor=amount)
            for number, amount in enumerate(amounts)
        )

        def step() -> None:
            keys = self.ledger.enter_debit(
                NewDebit(
                    customer_id=self.customer_id,
                    kind=ItemKind.INVOICE,
                    document_no=self.name(),
                    happened_on=day,
                    currency=currency,
                    terms=terms,
                ),
                by="zhang",
            )
            self.debits += [
                (key, currency, day, amount) for key, amount in zip(keys, amounts, strict=True)
            ]
            self.sums[currency].append((day, sum(amounts)))

        self.attempt(step)

    @rule(
        day=DAYS,
        amount=AMOUNTS,
        currency=CURRENCIES,
        kind=st.sampled_from((ItemKind.PAYMENT, ItemKind.CREDIT_NOTE)),
        allocate=METHODS | st.none() | st.just(Remittance(documents=(("D1", None),))),
    )
    def credit(
        self,
        day: date,
        amount: int,
        currency: str,
        kind: ItemKind,
        allocate: AllocationMethod | Remittance | None,
    ) -> None:
        def step() -> None:
            key = self.ledger.enter_credit(
                NewCredit(
                    customer_id=self.customer_id,
                    kind=kind,
                    document_no=self.name(),
                    happened_on=day,
                    currency=currency,
                    amount_minor=amount,
                ),
                by="zhang",
                allocate=allocate,
            )
            self.credits.append((key, currency, day, amount))
            self.sums[currency].append((day, -amount))

        self.attempt(step)

    @rule(pick=PICKS, day=DAYS, allocate=METHODS)
    def apply(self, pick: int, day: date, allocate: AllocationMethod) -> None:
        if self.credits:
            key = self.credits[pick % len(self.credits)][0]
            self.attempt(
                lambda: (
                    self.ledger.apply_credit(key, allocate=allocate, on=day, by="li"),
                    None,
                )[1]
            )

    @rule(debit=PICKS, credit=PICKS, amount=AMOUNTS, day=DAYS)
    def apply_by_hand(self, debit: int, credit: int, amount: int, day: date) -> None:
        if self.debits and self.credits:
            debit_id = self.debits[debit % len(self.debits)][0]
            credit_id = self.credits[credit % len(self.credits)][0]
            self.attempt(
                lambda: self.ledger.apply_by_hand(
                    debit_id=debit_id, credit_id=credit_id, amount_minor=amount, on=day, by="li"
                )
            )

    @rule(debit=PICKS, credit=PICKS, day=DAYS)
    def take_back(self, debit: int, credit: int, day: date) -> None:
        if self.debits and self.credits:
            debit_id = self.debits[debit % len(self.debits)][0]
            credit_id = self.credits[credit % len(self.credits)][0]
            self.attempt(
                lambda: (
                    self.ledger.take_back(debit_id=debit_id, credit_id=credit_id, on=day, by="li"),
                    None,
                )[1]
            )

    @rule(day=DAYS, amount=AMOUNTS, currency=CURRENCIES, days=st.integers(-1, 180))
    def receive_bill(self, day: date, amount: int, currency: str, days: int) -> None:
        def step() -> None:
            key = self.ledger.receive_bill(
                NewBill(
                    customer_id=self.customer_id,
                    number=self.name(),
                    received_on=day,
                    matures_on=day + timedelta(days=days),
                    currency=currency,
                    amount_minor=amount,
                ),
                by="wang",
            )
            self.bills.append((key, currency, day, amount))

        self.attempt(step)

    @rule(
        pick=PICKS,
        day=DAYS,
        kind=st.sampled_from((ItemKind.BILL_ENDORSED, ItemKind.BILL_DISCOUNTED)),
    )
    def pass_on_bill(self, pick: int, day: date, kind: ItemKind) -> None:
        if self.bills:
            key, currency, _, amount = self.bills[pick % len(self.bills)]

            def step() -> None:
                self.ledger.pass_on_bill(key, kind=kind, on=day, by="wang")
                self.sums[currency].append((day, -amount))

            self.attempt(step)

    @rule(pick=PICKS, day=DAYS)
    def dishonour_bill(self, pick: int, day: date) -> None:
        if self.bills:
            key, currency, _, amount = self.bills[pick % len(self.bills)]
            before = self.balance(currency)

            def step() -> None:
                self.ledger.dishonour_bill(key, on=day, by="wang")
                if self.balance(currency) != before:  # It had been passed on: recourse.
                    self.sums[currency].append((day, amount))

            self.attempt(step)

    @rule(picks=st.lists(PICKS, min_size=1, max_size=2), day=DAYS)
    def write_off(self, picks: list[int], day: date) -> None:
        if self.debits:
            chosen = [self.debits[pick % len(self.debits)] for pick in picks]
            currency = chosen[0][1]
            before = self.balance(currency)

            def step() -> None:
                self.write_offs.append(
                    self.ledger.write_off(
                        [one[0] for one in chosen], reference=self.name(), on=day, by="chen"
                    )
                )
                self.sums[currency].append((day, self.balance(currency) - before))

            self.attempt(step)

    @rule(pick=PICKS, amount=AMOUNTS, day=DAYS)
    def reverse_write_off(self, pick: int, amount: int, day: date) -> None:
        if self.write_offs:
            key = self.write_offs[pick % len(self.write_offs)]
            before = {currency: self.balance(currency) for currency in self.sums}

            def step() -> None:
                self.ledger.reverse_write_off(
                    key, amount_minor=amount, reference=self.name(), on=day, by="chen"
                )
                (currency,) = [one for one in self.sums if self.balance(one) != before[one]]
                self.sums[currency].append((day, amount))

            self.attempt(step)

    @rule(pick=PICKS, amount=AMOUNTS | st.none(), day=DAYS | st.none(), of_credit=st.booleans())
    def correct(self, pick: int, amount: int | None, day: date | None, of_credit: bool) -> None:  # noqa: FBT001  drawn
        items = self.credits if of_credit else self.debits
        if items:
            position = pick % len(items)
            key, currency, old_day, old_amount = items[position]
            sign = -1 if of_credit else 1

            def step() -> None:
                new = self.ledger.correct_item(
                    key,
                    Correction(reason="typing error", amount_minor=amount, happened_on=day),
                    by="zhao",
                )
                items[position] = (new, currency, day or old_day, amount or old_amount)
                self.sums[currency].append((old_day, -sign * old_amount))
                self.sums[currency].append((day or old_day, sign * (amount or old_amount)))

            self.attempt(step)

    @rule(pick=PICKS, of_credit=st.booleans())
    def cancel(self, pick: int, of_credit: bool) -> None:  # noqa: FBT001  drawn
        items = self.credits if of_credit else self.debits
        if items:
            position = pick % len(items)
            key, currency, day, amount = items[position]

            def step() -> None:
                self.ledger.cancel_item(key, reason="entered twice", by="zhao")
                items.pop(position)
                self.sums[currency].append((day, amount if of_credit else -amount))

            self.attempt(step)

    @rule(pick=PICKS, amount=AMOUNTS, day=DAYS)
    def open_dispute(self, pick: int, amount: int, day: date) -> None:
        if self.debits:
            key = self.debits[pick % len(self.debits)][0]

            def step() -> None:
                self.disputes.append(
                    self.ledger.open_dispute(
                        key, amount_minor=amount, cause=DisputeCause.QUALITY, on=day, by="sun"
                    )
                )

            self.attempt(step)

    @rule(pick=PICKS, day=DAYS)
    def close_dispute(self, pick: int, day: date) -> None:
        if self.disputes:
            key = self.disputes[pick % len(self.disputes)]
            self.attempt(
                lambda: self.ledger.close_dispute(
                    key, outcome=DisputeOutcome.REJECTED, reason="delivered", on=day, by="sun"
                )
            )

    @rule(
        day=DAYS,
        amount=AMOUNTS,
        currency=CURRENCIES,
        country=st.sampled_from(("CN", "DE", "ZZ")),
        stays=st.booleans(),
    )
    def merge(self, day: date, amount: int, currency: str, country: str, stays: bool) -> None:  # noqa: FBT001  drawn
        """Merge with a customer that owes one invoice, into this one or into that one."""
        self.clock.advance_s(1)
        other = self.add_customer(self.name(), country=country)
        (key,) = self.ledger.enter_debit(
            NewDebit(
                customer_id=other,
                kind=ItemKind.INVOICE,
                document_no=self.name(),
                happened_on=day,
                currency=currency,
                terms=(Term(due_on=day, amount_minor=amount),),
            ),
            by="zhang",
        )
        both = [self.count_open(one) for one in (self.customer_id, other)]
        old, new = (other, self.customer_id) if stays else (self.customer_id, other)
        self.clock.advance_s(1)
        self.customers.merge(old, into_id=new, reason="one company", by="zhao")
        self.customer_id = new
        self.debits.append((key, currency, day, amount))
        self.sums[currency].append((day, amount))
        for items in (self.debits, self.credits, self.bills):
            items[:] = [(self.renew(item), coin, on, minor) for item, coin, on, minor in items]
        self.write_offs = [self.renew(item) for item in self.write_offs]
        self.disputes = [
            dispute.dispute_id
            for item, *_ in self.debits
            for dispute in self.ledger.tell_item(item).disputes
        ]
        assert self.count_open(new) == both[0] + both[1]

    @rule(as_of=DAYS)
    def make_report(self, as_of: date) -> None:
        with suppress(RecordsGoneError):
            self.reports[self.customer_id, as_of, self.clock.now_ms()] = self.report(as_of)

    def balance(self, currency: str, *, as_of: date = BEGIN + timedelta(days=500)) -> int:
        return sum(balance for name, balance, *_ in self.report(as_of) if name == currency)

    @invariant()
    def it_adds_up_on_any_date(self) -> None:
        if not hasattr(self, "database"):
            return
        assert self.refusals <= REFUSALS
        base = list(AgeingBase)[self.number % len(AgeingBase)]
        for as_of in (BEGIN + timedelta(days=200), BEGIN + timedelta(days=500)):
            try:
                ageings = self.records.ageing(self.customer_id, as_of=as_of, base=base)
            except RecordsGoneError:
                continue
            for one in ageings:
                expected = sum(minor for day, minor in self.sums[one.currency] if day <= as_of)
                assert one.balance_minor == expected
                assert one.unapplied_minor >= 0
                assert min(one.buckets.values()) >= 0
                assert sum(one.buckets.values()) - one.unapplied_minor == expected

    @invariant()
    def what_was_reported_comes_out_again(self) -> None:
        newest = list(getattr(self, "reports", {}).items())[-3:]
        for (customer_id, as_of, known_at_ms), report in newest:
            try:
                ageings = self.records.ageing(customer_id, as_of=as_of, known_at_ms=known_at_ms)
            except RecordsGoneError:
                continue  # No report at all, rather than another one.
            assert summarise(ageings) == report

    @invariant()
    def what_is_rolled_up_is_what_the_events_say(self) -> None:
        if hasattr(self, "database"):
            assert self.records.compare_behaviour() == []


LedgerMachine.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)
test_any_history_of_the_ledger = LedgerMachine.TestCase
