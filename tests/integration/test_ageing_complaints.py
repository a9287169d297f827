"""What users of other systems complain of in their ageing, each as a test of ours.

The numbers are those of the public issue trackers of ERPNext and Odoo.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.records.portfolio import PortfolioService
from tests.support.ledgers import OLDEST, TODAY, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path)
    yield opened
    opened.database.dispose()


def test_what_falls_due_in_the_future_is_in_a_column_and_in_the_total(house: House) -> None:
    """ERPNext 51596: invoices due later were in no bucket, and totals not what was outstanding."""
    house.invoice("R1", (date(2026, 6, 30), 700), on=date(2026, 3, 1))
    house.invoice("R2", (date(2026, 3, 1), 300))

    (ageing,) = house.records.ageing(house.customer_id, as_of=TODAY)

    assert house.age() == {"not_due": 700, "1-30": 300}
    assert sum(ageing.buckets.values()) - ageing.unapplied_minor == ageing.balance_minor == 1_000


def test_an_advance_is_a_column_of_its_own_and_hides_no_overdue_invoice(house: House) -> None:
    """ERPNext 28748: advances were mixed into the buckets."""
    house.invoice("R1", (date(2025, 12, 1), 500), on=date(2025, 11, 1))
    house.credit("Z1", 500, on=date(2026, 3, 1))

    assert house.age() == {"91-120": 500, "unapplied": 500}
    (ageing,) = house.records.ageing(house.customer_id, as_of=TODAY)
    assert ageing.balance_minor == 0


def test_a_payment_before_its_invoice_is_applied_from_the_invoices_day_on(house: House) -> None:
    """ERPNext 43161: an advance that was applied later stood in the report twice or not at all."""
    advance = house.credit("Z1", 200, on=date(2026, 1, 10))
    house.invoice("R1", (date(2026, 2, 28), 500), on=date(2026, 2, 1))
    house.ledger.apply_credit(advance, allocate=OLDEST, on=date(2026, 2, 1), by="li")

    assert house.age(date(2026, 1, 31)) == {"unapplied": 200}
    assert house.age(date(2026, 2, 1)) == {"not_due": 300}
    assert house.age(TODAY) == {"31-60": 300}


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (date(2026, 1, 31), {"not_due": 900}),
        (date(2026, 2, 28), {"1-30": 900}),
        (date(2026, 3, 31), {"31-60": 500}),
    ],
)
def test_items_age_to_the_reports_day_and_not_to_today(
    house: House, as_of: date, expected: dict[str, int]
) -> None:
    """ERPNext 47580, 48036: a report of last month was aged from today, with later payments."""
    house.invoice("R1", (date(2026, 1, 31), 900))
    house.credit("Z1", 400, on=date(2026, 3, 15), allocate=OLDEST)

    assert house.age(as_of) == expected


def test_each_customer_and_currency_is_summed_by_itself(house: House) -> None:
    """Odoo 162770, 130014: amounts of another currency or contact were in one sum."""
    other = house.add_customer("C2")
    house.invoice("R1", (date(2026, 2, 28), 100))
    house.invoice("R2", (date(2026, 2, 28), 1_000), customer_id=other)
    house.credit("Z1", 30, on=TODAY, currency="EUR")

    of_one = house.records.ageing(house.customer_id, as_of=TODAY)
    of_all = PortfolioService(database=house.database, clock=house.clock).ageing(as_of=TODAY)

    assert {one.currency: one.balance_minor for one in of_one} == {"CNY": 100, "EUR": -30}
    assert {one.currency: one.balance_minor for one in of_all} == {"CNY": 1_100, "EUR": -30}
