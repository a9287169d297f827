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
    list_open_items,
    split_instalments,
)
from node.records.rules_behaviour import InvoiceItem, PaidPart

AS_OF = date(2026, 3, 31)


def age(items: list[OpenItem], *, unapplied: int = 0, as_of: date = AS_OF) -> Ageing:
    balance = sum(item.open_minor for item in items) - unapplied
    return build_ageing(
        items,
        currency="CNY",
        as_of=as_of,
        unapplied_minor=unapplied,
        ledger_balance_minor=balance,
    )


def filled(ageing: Ageing) -> dict[Bucket, int]:
    return {bucket: minor for bucket, minor in ageing.buckets.items() if minor}


def test_t1_buckets_unapplied_receipts_and_total() -> None:
    lines = [
        (date(2026, 3, 31), 100), (date(2026, 3, 30), 200), (date(2026, 3, 1), 300),
        (date(2026, 2, 28), 400), (date(2025, 12, 31), 500), (date(2025, 12, 30), 600),
        (date(2026, 5, 15), 700),
    ]  # fmt: skip

    ageing = age([OpenItem(aged_from=due, open_minor=minor) for due, minor in lines], unapplied=150)

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

    ageing = age(split_instalments(terms, paid_minor=450))

    assert filled(ageing) == {Bucket.D31_60: 150, Bucket.NOT_DUE: 300}


def test_instalments_cannot_be_overpaid() -> None:
    with pytest.raises(ValueError, match="more paid"):
        split_instalments([(AS_OF, 300)], paid_minor=301)


@pytest.mark.parametrize(("year", "bucket"), [(2024, Bucket.D31_60), (2023, Bucket.D1_30)])
def test_t3_a_leap_day_counts(year: int, bucket: Bucket) -> None:
    due = OpenItem(aged_from=date(year, 2, 28), open_minor=1)

    assert filled(age([due], as_of=date(year, 3, 30))) == {bucket: 1}


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


def test_replaying_an_earlier_date_ignores_later_invoices_and_payments() -> None:
    items = [
        InvoiceItem(
            issued_on=date(2026, 1, 1),
            due_on=date(2026, 1, 31),
            due_business_on=date(2026, 2, 2),
            amount_minor=500,
            disputed_minor=400,
            paid=(
                PaidPart(paid_on=date(2026, 2, 10), amount_minor=200),
                PaidPart(paid_on=date(2026, 4, 1), amount_minor=300),
            ),
        ),
        InvoiceItem(
            issued_on=AS_OF + timedelta(days=1),
            due_on=date(2026, 5, 1),
            due_business_on=date(2026, 5, 1),
            amount_minor=900,
            disputed_minor=0,
        ),
    ]

    assert list_open_items(items, as_of=AS_OF, base=AgeingBase.DUE) == [
        OpenItem(aged_from=date(2026, 1, 31), open_minor=300, disputed_minor=300)
    ]
    assert list_open_items(items, as_of=date(2026, 4, 1), base=AgeingBase.ISSUED) == [
        OpenItem(aged_from=AS_OF + timedelta(days=1), open_minor=900)
    ]


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (AgeingBase.DUE, date(2026, 1, 31)),
        (AgeingBase.BUSINESS_DUE, date(2026, 2, 2)),
        (AgeingBase.ISSUED, date(2026, 1, 1)),
    ],
)
def test_the_base_date_is_chosen(base: AgeingBase, expected: date) -> None:
    item = InvoiceItem(
        issued_on=date(2026, 1, 1),
        due_on=date(2026, 1, 31),
        due_business_on=date(2026, 2, 2),
        amount_minor=5,
        disputed_minor=0,
    )

    assert list_open_items([item], as_of=AS_OF, base=base)[0].aged_from == expected


def test_an_ageing_that_misses_the_ledger_is_refused() -> None:
    with pytest.raises(InvariantError):
        build_ageing(
            [OpenItem(aged_from=AS_OF, open_minor=10)],
            currency="CNY",
            as_of=AS_OF,
            unapplied_minor=0,
            ledger_balance_minor=9,
        )
