"""The ageing of all customers as a list: each customer's own sums, kept right as it grows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.records.ageing_list import AgeingListService
from node.records.errors import ReportInvalidError
from node.records.ledger import Correction
from node.records.portfolio import PortfolioService
from node.records.rules_ageing import Ageing, AgeingBase, Bucket
from node.records.rules_ageing_list import (
    SORTS,
    CursorInvalidError,
    CustomerAgeing,
    choose_rows,
    cut_page,
)
from node.records.rules_ledger import DisputeCause, DisputeOutcome
from node.records.store import CustomerRecord
from tests.support.ledgers import OLDEST, TODAY, House

BY = "chen"
MARCH = date(2026, 3, 2)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


QUESTIONS = [
    (base, as_of)
    for base in (AgeingBase.DUE, AgeingBase.ISSUED)
    for as_of in (date(2026, 1, 15), TODAY)
]
Figures = dict[tuple[int, str], tuple[tuple[int, ...], int, int, int]]


class Lists:
    """A list for each question, each of which was read before and grows with the ledger."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._kept = {one: AgeingListService(database=house.database) for one in QUESTIONS}
        self._portfolio = PortfolioService(database=house.database, clock=house.clock)

    def check(self, *, known_at_ms: int | None = None) -> None:
        """Hold what grew, and what is read anew, against each customer's own ageing."""
        for (base, as_of), kept in self._kept.items():
            own = self._read_own(base, as_of, known_at_ms)
            for service in (kept, AgeingListService(database=self._house.database)):
                found = service.read(as_of=as_of, base=base, known_at_ms=known_at_ms)
                assert _list_figures(found.rows) == own
                together = self._portfolio.ageing(as_of=as_of, base=base, known_at_ms=known_at_ms)
                assert {total.currency: total.balance_minor for total in found.totals} == {
                    one.currency: one.balance_minor for one in together if _is_open(one)
                }

    def _read_own(self, base: AgeingBase, as_of: date, known_at_ms: int | None) -> Figures:
        return {
            (one.customer_id, ageing.currency): (
                tuple(ageing.buckets[bucket] for bucket in Bucket),
                ageing.disputed_minor,
                ageing.unapplied_minor,
                ageing.balance_minor,
            )
            for one in self._list_customers()
            for ageing in self._house.records.ageing(
                one.customer_id, as_of=as_of, base=base, known_at_ms=known_at_ms
            )
            if _is_open(ageing)
        }

    def _list_customers(self) -> list[CustomerRecord]:
        return self._house.records.list_customers(limit=100)


def _is_open(ageing: Ageing) -> bool:
    return any(ageing.buckets.values()) or bool(ageing.unapplied_minor)


def _list_figures(rows: Iterable[CustomerAgeing]) -> Figures:
    return {
        (row.customer_id, row.currency): (
            row.buckets,
            row.disputed_minor,
            row.unapplied_minor,
            row.balance_minor,
        )
        for row in rows
    }


def test_the_list_is_each_customers_own_ageing_after_whatever_is_entered(house: House) -> None:
    lists = Lists(house)
    lists.check()
    first, second = house.invoice(
        "R1", (date(2025, 12, 31), 1_000), (TODAY, 500), on=date(2025, 12, 1)
    )
    lists.check()
    other = house.add_customer("C2")
    house.invoice("R2", (date(2026, 2, 1), 700), on=date(2026, 1, 2), customer_id=other)
    lists.check()
    house.credit("P1", 300, on=date(2026, 1, 20), allocate=OLDEST)
    lists.check()
    house.credit("P2", 2_000, on=date(2026, 3, 1))
    house.clock.advance_s(60)
    known_at_ms = house.clock.now_ms()
    house.clock.advance_s(60)
    lists.check()
    dispute = house.ledger.open_dispute(
        second, amount_minor=200, cause=DisputeCause.PRICE, on=MARCH, by=BY
    )
    lists.check()
    house.ledger.close_dispute(
        dispute, outcome=DisputeOutcome.UPHELD, reason="yes", on=MARCH, by=BY
    )
    lists.check()
    house.ledger.correct_item(first, Correction(reason="x", customer_id=other), by=BY)
    lists.check()
    house.ledger.cancel_item(second, reason="x", by=BY)
    lists.check()
    lists.check(known_at_ms=known_at_ms)
    house.customers.merge(other, into_id=house.customer_id, reason="one", by=BY)
    lists.check()


def test_a_day_that_records_cannot_be_of_has_no_list(house: House) -> None:
    with pytest.raises(ReportInvalidError):
        AgeingListService(database=house.database).read(as_of=date(1, 1, 1))


def build_row(number: int, amount: int, name: str, currency: str = "EUR") -> CustomerAgeing:
    return CustomerAgeing(
        customer_id=number,
        name=name,
        subject_id=f"sim:{number}",
        currency=currency,
        buckets=(amount % 7, amount, 0, amount % 3, 0, 0, 1),
        disputed_minor=0,
        unapplied_minor=amount % 5,
        balance_minor=amount % 7 + amount + amount % 3 + 1 - amount % 5,
    )


ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["Ä", "b", "B", "c"])), max_size=30
).map(lambda found: [build_row(key, *one) for key, one in enumerate(found, start=1)])


@given(ROWS, st.sampled_from(sorted(SORTS)), st.integers(1, 7))
def test_pages_forwards_and_backwards_hold_every_row_once(
    rows: list[CustomerAgeing], sort: str, size: int
) -> None:
    ordered = choose_rows(rows, currency="EUR", bucket=None, sort=sort)
    forwards: list[CustomerAgeing] = []
    page = cut_page(ordered, sort=sort, size=size)
    while page.rows:
        assert page.first == len(forwards) + 1
        forwards += page.rows
        if not page.after:
            break
        last, page = page, cut_page(ordered, sort=sort, after=page.after, size=size)
        assert cut_page(ordered, sort=sort, before=page.before, size=size).rows == last.rows

    assert forwards == ordered
    assert sorted(row.customer_id for row in ordered) == [row.customer_id for row in rows]


@given(ROWS, st.sampled_from(list(Bucket)))
def test_a_bucket_filters_who_has_nothing_in_it(rows: list[CustomerAgeing], bucket: Bucket) -> None:
    place = list(Bucket).index(bucket)

    found = choose_rows(rows, currency="EUR", bucket=bucket, sort="name")

    assert {row.customer_id for row in found} == {
        row.customer_id for row in rows if row.buckets[place]
    }
    assert choose_rows(rows, currency="USD", bucket=None, sort="name") == []


def test_a_cursor_keeps_its_place_while_rows_come_and_go() -> None:
    rows = [build_row(key, 10 - key, "x") for key in range(1, 8)]
    ordered = choose_rows(rows, currency="EUR", bucket=None, sort="1-30")
    page = cut_page(ordered, sort="1-30", size=3)
    left = [row for row in ordered if row.customer_id not in {2, 3}]

    follows = cut_page(left, sort="1-30", after=page.after, size=2)
    assert [row.customer_id for row in follows.rows] == [4, 5]


@pytest.mark.parametrize("cursor", ["x", "1", "a.1", "1.x", "1.--2", "1." + "9" * 60, "٣.1"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    rows = [build_row(key, key, "x") for key in range(1, 4)]

    with pytest.raises(CursorInvalidError):
        cut_page(rows, sort="overdue", after=cursor, size=2)


def test_edges_of_the_buckets_are_those_of_one_customer(house: House) -> None:
    edges = (0, 1, 30, 31, 60, 61, 90, 91, 120, 121, 180, 181)
    for number, days in enumerate(edges):
        day = TODAY - timedelta(days=days)
        house.invoice(f"R{number}", (day, 10 + number), on=day)

    Lists(house).check()
