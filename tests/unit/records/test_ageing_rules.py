"""Worked cases of the ageing."""

from datetime import date, timedelta

import pytest

from node.core.errors import InvariantError
from node.records.rules_ageing import (
    Ageing,
    AgeingBase,
    Bucket,
    OpenItem,
    build_ageing,
    choose_bucket,
)
from node.records.rules_ledger import ItemKind, OpenDebit, apply_oldest_first

AS_OF = date(2026, 3, 31)


def age(items: list[OpenItem], *, unapplied: int = 0, as_of: date = AS_OF) -> Ageing:
    balance = sum(item.open_minor for item in items) - unapplied
    return build_ageing(
        items,
        currency="CNY",
        as_of=as_of,
        base=AgeingBase.DUE,
        unapplied_minor=unapplied,
        ledger_balance_minor=balance,
    )


def owed(due_on: date, open_minor: int) -> OpenItem:
    return OpenItem(
        happened_on=due_on - timedelta(days=30),
        due_on=due_on,
        due_business_on=due_on,
        open_minor=open_minor,
    )


def filled(ageing: Ageing) -> dict[Bucket, int]:
    return {bucket: minor for bucket, minor in ageing.buckets.items() if minor}


def test_t1_buckets_unapplied_receipts_and_total() -> None:
    lines = [
        (date(2026, 3, 31), 100), (date(2026, 3, 30), 200), (date(2026, 3, 1), 300),
        (date(2026, 2, 28), 400), (date(2025, 12, 31), 500), (date(2025, 12, 30), 600),
        (date(2026, 5, 15), 700),
    ]  # fmt: skip

    ageing = age([owed(due, minor) for due, minor in lines], unapplied=150)

    assert filled(ageing) == {
        Bucket.NOT_DUE: 800,
        Bucket.D1_30: 500,
        Bucket.D31_60: 400,
        Bucket.D61_90: 500,
        Bucket.D91_120: 600,
    }
    assert ageing.balance_minor == 2650


def test_t2_a_receipt_goes_to_the_earliest_instalment_first() -> None:
    terms = [(date(2026, 1, 31), 300), (date(2026, 3, 31), 300), (date(2026, 2, 28), 300)]
    debits = [
        OpenDebit(
            item_id=item_id,
            kind=ItemKind.INVOICE,
            document_no="R-1",
            happened_on=due,
            due_on=due,
            open_minor=minor,
        )
        for item_id, (due, minor) in enumerate(terms)
    ]

    applied = {one.debit_id: one.amount_minor for one in apply_oldest_first(450, debits)}
    ageing = age(
        [owed(due, minor - applied.get(item_id, 0)) for item_id, (due, minor) in enumerate(terms)]
    )

    assert filled(ageing) == {Bucket.D31_60: 150, Bucket.NOT_DUE: 300}


@pytest.mark.parametrize(("year", "bucket"), [(2024, Bucket.D31_60), (2023, Bucket.D1_30)])
def test_t3_a_leap_day_counts(year: int, bucket: Bucket) -> None:
    assert filled(age([owed(date(year, 2, 28), 1)], as_of=date(year, 3, 30))) == {bucket: 1}


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-45, Bucket.NOT_DUE), (0, Bucket.NOT_DUE), (1, Bucket.D1_30), (30, Bucket.D1_30),
        (31, Bucket.D31_60), (60, Bucket.D31_60), (61, Bucket.D61_90), (90, Bucket.D61_90),
        (91, Bucket.D91_120), (120, Bucket.D91_120), (121, Bucket.D121_180),
        (180, Bucket.D121_180), (181, Bucket.OVER_180),
    ],
)  # fmt: skip
def test_buckets_are_inclusive_on_the_right(days: int, bucket: Bucket) -> None:
    assert choose_bucket(days) is bucket


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (AgeingBase.DUE, date(2026, 1, 31)),
        (AgeingBase.BUSINESS_DUE, date(2026, 2, 2)),
        (AgeingBase.ISSUED, date(2026, 1, 1)),
    ],
)
def test_the_base_date_is_chosen(base: AgeingBase, expected: date) -> None:
    item = OpenItem(
        happened_on=date(2026, 1, 1),
        due_on=date(2026, 1, 31),
        due_business_on=date(2026, 2, 2),
        open_minor=5,
    )

    assert item.aged_from(base) == expected


def test_an_ageing_that_misses_the_ledger_is_refused() -> None:
    with pytest.raises(InvariantError):
        build_ageing(
            [owed(AS_OF, 10)],
            currency="CNY",
            as_of=AS_OF,
            base=AgeingBase.DUE,
            unapplied_minor=0,
            ledger_balance_minor=9,
        )
