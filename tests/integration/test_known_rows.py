"""Rows of training as they were known: what is entered late, or corrected later, changes none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from node.rating.models.ledger_rows import (
    build_ledger_rows,
    end_of_day_ms,
    find_opening,
    list_looks,
)
from node.rating.models.table import TrainingTable
from node.rating.models.training_policy import read_preset_training_policy
from node.records.rules_ledger import AllocationMethod
from tests.support.ledgers import TODAY, House

BODY = read_preset_training_policy().body
LOOK = list_looks(TODAY, policy=BODY)[-1]
BEGIN = LOOK - timedelta(days=500)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.database.dispose()


def at(house: House, day: date) -> None:
    """Set the clock to noon of a day."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    house.clock.at_ms = int(noon.timestamp()) * 1000


def sell(house: House, number: str, *, on: date, paid_after: int | None = 30) -> list[int]:
    """Sell for thirty days and enter it on the day, the payment on its own."""
    at(house, on)
    items = house.invoice(number, (on + timedelta(days=30), 10_000), on=on)
    if paid_after is not None:
        paid_on = on + timedelta(days=paid_after)
        at(house, paid_on)
        house.credit(f"P{number}", 10_000, on=paid_on, allocate=AllocationMethod.OLDEST_FIRST)
    return items


def live(house: House) -> None:
    """Sell and be paid in terms, each month until the last look."""
    for number in range(16):
        sell(house, f"D{number}", on=BEGIN + timedelta(days=31 * number))


def build(house: House, *, opening: date | None = None) -> TrainingTable:
    with house.database.read() as uow:
        return build_ledger_rows(uow, policy=BODY, today=TODAY, opening=opening)


def test_what_is_entered_after_the_look_with_an_earlier_date_changes_no_row(house: House) -> None:
    live(house)
    before = build(house)

    at(house, LOOK + timedelta(days=40))
    back = LOOK - timedelta(days=120)
    house.invoice("BACK", (back, 990_000), on=back - timedelta(days=30))
    house.credit(
        "PBACK", 990_000, on=back + timedelta(days=80), allocate=AllocationMethod.OLDEST_FIRST
    )
    after = build(house)

    assert before.days is not None
    assert LOOK in before.days
    assert after == before
    # The figures of the ledger as it is known now did change: the test can fail.
    assert build(house, opening=TODAY) != before


def test_a_correction_made_after_the_look_changes_no_row(house: House) -> None:
    live(house)
    (wrong,) = sell(house, "WRONG", on=LOOK - timedelta(days=90), paid_after=None)
    before = build(house)

    at(house, LOOK + timedelta(days=20))
    house.ledger.cancel_item(wrong, reason="never delivered", by="zhang")

    index = [column.id for column in before.columns].index("overdue")
    rows = dict(zip(before.days or (), before.rows, strict=True))
    assert rows[LOOK][index] == 60 - _count_shift(LOOK)
    after = build(house)
    assert after.rows == before.rows
    # What became of the customer is as it is known now: it owes nothing, so it did not turn bad.
    assert (before.outcomes[-1], after.outcomes[-1]) == (True, False)


def _count_shift(look: date) -> int:
    # Thirty days after a Sunday sale may fall on a weekend: the business due date is later.
    due = look - timedelta(days=60)
    return {5: 2, 6: 1}.get(due.weekday(), 0)


def test_the_import_with_which_a_ledger_begins_counts_as_known_on_its_own_date(
    house: House,
) -> None:
    at(house, TODAY)
    for number in range(16):
        on = BEGIN + timedelta(days=31 * number)
        house.invoice(f"D{number}", (on + timedelta(days=30), 10_000), on=on)
        house.credit(
            f"P{number}",
            10_000,
            on=on + timedelta(days=30),
            allocate=AllocationMethod.OLDEST_FIRST,
        )

    with house.database.read() as uow:
        assert find_opening(uow) == TODAY
        assert find_opening(uow, stated=BEGIN) == BEGIN
    assert len(build(house).rows) > 1
    assert build(house, opening=BEGIN).rows == ()


def test_a_ledger_without_entries_has_no_opening(house: House) -> None:
    with house.database.read() as uow:
        assert find_opening(uow) == date.min
    assert build(house).rows == ()


def test_the_end_of_a_day_is_its_last_millisecond() -> None:
    midnight = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1000

    assert end_of_day_ms(date(2026, 3, 1)) == midnight - 1


def test_rows_say_the_same_however_they_are_read_where_nothing_came_late(house: House) -> None:
    live(house)

    assert build(house, opening=TODAY) == build(house)
