"""Any history of two customers that were merged and parted: each has what is its own."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.records.customers import CustomerService
from node.records.ledger import Correction, ItemInvalidError
from node.records.rules_ledger import AllocationError, ItemKind
from tests.support.ledgers import OLDEST, TODAY, House

pytestmark = pytest.mark.timeout(600)
DAYS = st.integers(0, 80).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("invoice", "payment", "note", "bill", "correct", "cancel", "part")),
        st.integers(1, 900),
        DAYS,
        st.integers(0, 99),
    ),
    max_size=7,
)


class Book:
    """Two customers, and whose each document is by the plain rule: of whoever had it last alone."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.customers = CustomerService(
            database=self.house.database, clock=self.house.clock, business_date=TODAY
        )
        self.kept = self.house.customer_id
        self.other = self.house.add_customer("C2")
        self.sums: dict[str, tuple[int, int]] = {}  # by document: whose, and what it adds
        self.number = 0

    def enter(self, steps: list[tuple[str, int, date, int]], *, owner: int) -> None:
        for kind, minor, day, pick in steps:
            self.house.clock.advance_s(1)
            self.house.customer_id = owner
            self.number += 1
            name = f"D{self.number}"
            with suppress(AllocationError, ItemInvalidError):
                self.enter_one(kind, name, minor, day, pick, owner=owner)

    def enter_one(
        self, kind: str, name: str, minor: int, day: date, pick: int, *, owner: int
    ) -> None:
        house = self.house
        match kind:
            case "invoice":
                house.invoice(name, (day, minor), on=day)
                self.sums[name] = (owner, minor)
            case "payment" | "note":
                item = ItemKind.PAYMENT if kind == "payment" else ItemKind.CREDIT_NOTE
                house.credit(name, minor, on=day, kind=item, allocate=OLDEST)
                self.sums[name] = (owner, -minor)
            case "bill":
                house.bill(name, minor, on=day, matures_on=day + timedelta(days=60))
                self.sums[name] = (owner, 0)
            case _:
                lines = house.ledger.list_open(owner, as_of=date(2026, 12, 31))
                lines = [one for one in lines if self.sums[one.document_no][1]]
                if not lines:
                    return
                line = lines[pick % len(lines)]
                whose, old = self.sums[line.document_no]
                sign = 1 if old > 0 else -1
                if kind == "correct":
                    change = Correction(reason="x", amount_minor=minor)
                    house.ledger.correct_item(line.item_id, change, by="li")
                    self.sums[line.document_no] = (whose, sign * minor)
                elif kind == "cancel":
                    house.ledger.cancel_item(line.item_id, reason="x", by="li")
                    self.sums[line.document_no] = (whose, 0)
                elif sign > 0:
                    house.ledger.write_off([line.item_id], reference=name, on=TODAY, by="li")
                    self.sums[name] = (whose, -line.open_minor)

    def report(self, known_at_ms: int | None = None) -> list[tuple[object, ...]]:
        return [
            (
                one.currency,
                one.balance_minor,
                one.unapplied_minor,
                one.disputed_minor,
                tuple(one.buckets.values()),
            )
            for customer_id in (self.kept, self.other)
            for as_of in (date(2026, 2, 15), TODAY)
            for one in self.house.records.ageing(customer_id, as_of=as_of, known_at_ms=known_at_ms)
        ]

    def note(self) -> tuple[int, list[tuple[object, ...]]]:
        at_ms = self.house.clock.now_ms()
        found = self.report()
        self.house.clock.advance_s(1)
        return at_ms, found

    def check(self, customer_id: int) -> None:
        expected = sum(minor for whose, minor in self.sums.values() if whose == customer_id)
        for one in self.house.records.ageing(customer_id, as_of=date(2026, 12, 31)):
            assert one.balance_minor == expected
            assert sum(one.buckets.values()) - one.unapplied_minor == expected
            assert min(one.buckets.values()) >= 0
            assert one.unapplied_minor >= 0


@given(first=STEPS, second=STEPS, since=STEPS, after=STEPS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_parted_customers_have_what_is_their_own_and_no_report_changes(
    first: list[tuple[str, int, date, int]],
    second: list[tuple[str, int, date, int]],
    since: list[tuple[str, int, date, int]],
    after: list[tuple[str, int, date, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        book = Book(Path(folder))
        book.enter(first, owner=book.kept)
        book.enter(second, owner=book.other)
        noted = [book.note()]
        book.customers.merge(book.other, into_id=book.kept, reason="one", by="li")
        noted.append(book.note())
        book.enter(since, owner=book.kept)
        noted.append(book.note())

        book.customers.unmerge(book.other, reason="two", by="li")
        noted.append(book.note())
        book.check(book.kept)
        book.check(book.other)
        book.enter(after, owner=book.other)
        book.check(book.other)

        for at_ms, found in noted:
            assert book.report(at_ms) == found
        assert book.house.records.compare_behaviour() == []
        book.house.database.dispose()
