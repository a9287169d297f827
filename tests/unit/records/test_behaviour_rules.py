"""Worked cases of the behaviour formulas: amounts in minor units, index in tenths of a point."""

import dataclasses
from dataclasses import replace
from datetime import date, timedelta

import pytest

from node.records.rules_behaviour import (
    AppliedPart,
    DelayPart,
    DisputedPart,
    InvoiceItem,
    build_month,
    build_months,
    classify_delay,
    days_to_pay_milli,
    divide_half_up,
    find_settled_date,
    highest_balance,
    index_deci,
    late_days_milli,
    mean_index_deci,
    mean_late_days_deci,
    rate_item,
    signed_delay_milli,
)
from node.records.windows import month_of
from schemas.summary import DELAY_CLASSES, DelayClass

DUE = date(2026, 3, 16)
AS_OF = date(2027, 1, 5)


def make_item(amount: int, delay: int | None, *, disputed: int = 0, terms: int = 30) -> InvoiceItem:
    paid: tuple[AppliedPart, ...] = ()
    if delay is not None:
        paid = (AppliedPart(paid_on=DUE + timedelta(days=delay), amount_minor=amount),)
    return InvoiceItem(
        issued_on=DUE - timedelta(days=terms),
        due_on=DUE,
        due_business_on=DUE,
        amount_minor=amount,
        paid=paid,
        disputes=(DisputedPart(amount_minor=disputed, opened_on=DUE),) if disputed else (),
    )


def index_of(*pairs: tuple[int, int], by_amount: bool = True) -> int | None:
    items = [make_item(amount, delay) for amount, delay in pairs]
    return mean_index_deci(build_months(items, as_of=AS_OF), by_amount=by_amount)


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        (-45, 1000), (-30, 1000), (-20, 900), (0, 800), (15, 700), (22, 600), (30, 500), (45, 450),
        (60, 400), (90, 300), (120, 200), (180, 10), (200, 10),
    ],
)  # fmt: skip
def test_index_goes_through_its_points_and_is_held_at_the_ends(delay: int, expected: int) -> None:
    assert index_deci(delay) == expected


@pytest.mark.parametrize(
    ("delay", "published"),
    [(-21, 91), (-18, 89), (-16, 88), (-10, 85), (-8, 84), (23, 59), (25, 57), (27, 54), (28, 53),
     (33, 49), (36, 48), (48, 44)],
)  # fmt: skip
def test_index_is_within_a_point_of_the_published_scale(delay: int, published: int) -> None:
    assert abs(index_deci(delay) - 10 * published) <= 10


def test_t1_amounts_weigh_the_index() -> None:
    months = build_months(
        [make_item(10_000, 0), make_item(5_000, 15), make_item(1_000, 60)], as_of=AS_OF
    )

    assert sum(month.index_deci_by_amount for month in months) == 16_000 * 743 + 12_000  # 743.75
    assert mean_index_deci(months, by_amount=True) == 744


def test_t2_early_payment_of_a_small_part_does_not_hide_lateness() -> None:
    parts = [
        DelayPart(amount_minor=80_000, delay_days=30),
        DelayPart(amount_minor=20_000, delay_days=-20),
    ]

    assert index_of((80_000, 30), (20_000, -20)) == 580
    assert signed_delay_milli(parts) == 20_000
    assert late_days_milli(parts) == 24_000


def test_t3_a_small_late_invoice_weighs_by_amount_or_by_count() -> None:
    assert index_of((50, 120), (100_000, 0)) == 800  # 79.97
    assert index_of((50, 120), (100_000, 0), by_amount=False) == 500


def test_t4_equal_amounts_give_the_plain_mean() -> None:
    assert index_of((1, 0), (1, 0), (1, 30)) == 700
    assert index_of((1, 0), (1, 0), (1, 0), (1, 30)) == 725


def test_t5_no_rated_invoice_has_no_index() -> None:
    assert index_of() is None
    assert mean_late_days_deci((), by_amount=True) is None
    assert signed_delay_milli([]) is None
    assert late_days_milli([]) is None
    assert days_to_pay_milli([]) is None


def test_days_beyond_terms_t1() -> None:
    issued = date(2026, 1, 5)
    lines = [(10_000, 30, 28), (20_000, 30, 45), (5_000, 60, 90)]
    parts = [
        DelayPart(amount_minor=amount, delay_days=paid - terms) for amount, terms, paid in lines
    ]
    items = [
        InvoiceItem(
            issued_on=issued,
            due_on=issued + timedelta(days=terms),
            due_business_on=issued + timedelta(days=terms),
            amount_minor=amount,
            paid=(AppliedPart(paid_on=issued + timedelta(days=paid), amount_minor=amount),),
        )
        for amount, terms, paid in lines
    ]

    assert late_days_milli(parts) == 12_857
    assert signed_delay_milli(parts) == 12_286
    assert days_to_pay_milli(items) == 46_571
    # Paid on the due date each, the days to pay are the weighted terms; the rest is the delay.
    prompt = [
        replace(item, paid=(AppliedPart(paid_on=item.due_on, amount_minor=item.amount_minor),))
        for item in items
    ]
    assert days_to_pay_milli(prompt) == 34_286
    assert (
        days_to_pay_milli(
            [
                replace(
                    item,
                    amount_minor=1,
                    paid=tuple(replace(part, amount_minor=1) for part in item.paid),
                )
                for item in items
            ]
        )
        == 54_333
    )


def test_days_beyond_terms_t2_counts_the_open_part_with_its_days_so_far() -> None:
    item = InvoiceItem(
        issued_on=DUE - timedelta(days=30),
        due_on=DUE,
        due_business_on=DUE,
        amount_minor=1_000,
        paid=(AppliedPart(paid_on=DUE + timedelta(days=10), amount_minor=600),),
    )

    months = build_months([item], as_of=DUE + timedelta(days=40))

    assert mean_late_days_deci(months, by_amount=True) == 220
    assert months[0].delay_counts[DELAY_CLASSES.index(DelayClass.UNPAID)] == 1
    assert months[0].paid_minor == 600


def test_days_beyond_terms_t3_is_zero_where_all_was_paid_early() -> None:
    months = build_months([make_item(100, -5)], as_of=AS_OF)

    assert mean_late_days_deci(months, by_amount=True) == 0
    assert signed_delay_milli([DelayPart(amount_minor=100, delay_days=-5)]) == -5_000


def test_days_beyond_terms_t4_is_none_while_nothing_is_paid_or_overdue() -> None:
    months = build_months([make_item(100, None)], as_of=DUE)

    assert mean_late_days_deci(months, by_amount=False) is None


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        (-1, DelayClass.EARLY), (0, DelayClass.IN_TERMS), (1, DelayClass.D1_15),
        (15, DelayClass.D1_15), (16, DelayClass.D16_30), (30, DelayClass.D16_30),
        (31, DelayClass.D31_60), (60, DelayClass.D31_60), (61, DelayClass.D61_90),
        (90, DelayClass.D61_90), (91, DelayClass.D91_120), (120, DelayClass.D91_120),
        (121, DelayClass.OVER_120),
    ],
)  # fmt: skip
def test_delay_classes_are_inclusive_on_the_right(delay: int, expected: DelayClass) -> None:
    assert classify_delay(delay, is_open=False) is expected


def test_an_open_overdue_invoice_is_unpaid_however_short() -> None:
    assert classify_delay(1, is_open=True) is DelayClass.UNPAID


def test_an_invoice_not_yet_issued_or_not_yet_due_says_nothing() -> None:
    item = make_item(100, None)

    assert rate_item(item, as_of=item.issued_on - timedelta(days=1)) is None
    assert rate_item(item, as_of=DUE) is None
    assert rate_item(item, as_of=DUE + timedelta(days=1)) is not None


def test_a_later_payment_has_not_happened_on_an_earlier_date() -> None:
    item = make_item(100, 40)

    seen = rate_item(item, as_of=DUE + timedelta(days=20))

    assert seen is not None
    assert (seen.delay_class, seen.delay_days, seen.paid_minor) == (DelayClass.UNPAID, 20, 0)


def test_disputed_invoices_are_counted_apart_and_in_nothing_else() -> None:
    month = build_month(
        month_of(DUE), [make_item(100, 10), make_item(900, 90, disputed=900)], as_of=AS_OF
    )

    assert month is not None
    assert (month.invoice_count, month.amount_minor, month.largest_minor) == (1, 100, 100)
    assert (month.disputed_count, month.disputed_minor) == (1, 900)
    assert sum(month.delay_counts) == 1


def test_the_two_largest_invoices_are_kept() -> None:
    month = build_month(
        month_of(DUE), [make_item(amount, 0) for amount in (5, 70, 20)], as_of=AS_OF
    )

    assert month is not None
    assert (month.largest_minor, month.second_minor) == (70, 20)


def test_a_month_is_settled_from_its_last_payment_on_unless_one_is_open_or_in_dispute() -> None:
    paid = [make_item(100, 3), make_item(100, 8)]

    assert find_settled_date(paid) == DUE + timedelta(days=8)
    assert find_settled_date([*paid, make_item(1, None)]) is None
    assert find_settled_date([*paid, make_item(1, 0, disputed=1)]) is None


def test_highest_balance_is_taken_at_the_end_of_days() -> None:
    changes = [
        (date(2026, 1, 2), 500), (date(2026, 1, 2), -400), (date(2026, 1, 3), 250),
        (date(2026, 1, 9), -300),
    ]  # fmt: skip

    assert highest_balance(100, changes) == 450
    assert highest_balance(900, changes) == 1250
    assert highest_balance(-50, []) == 0


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"), [(5, 2, 3), (-5, 2, -2), (4, 3, 1), (-7, 2, -3)]
)
def test_half_is_rounded_up(numerator: int, denominator: int, expected: int) -> None:
    assert divide_half_up(numerator, denominator) == expected


def test_a_dispute_counts_from_the_day_it_was_opened_until_it_is_closed() -> None:
    dispute = DisputedPart(amount_minor=400, opened_on=DUE, closed_on=DUE + timedelta(days=20))
    item = dataclasses.replace(make_item(1_000, 30), disputes=(dispute,))

    assert item.disputed_minor(DUE - timedelta(days=1)) == 0
    assert item.disputed_minor(DUE + timedelta(days=19)) == 400
    assert item.disputed_minor(DUE + timedelta(days=20)) == 0
    assert find_settled_date([item]) == DUE + timedelta(days=30)
    late = dataclasses.replace(dispute, closed_on=DUE + timedelta(days=50))
    assert find_settled_date([dataclasses.replace(item, disputes=(late,))]) == late.closed_on


def test_a_credit_note_makes_the_invoice_smaller_and_is_no_payment() -> None:
    credit = AppliedPart(paid_on=DUE, amount_minor=400)
    item = dataclasses.replace(make_item(1_000, None), credited=(credit,))
    paid = dataclasses.replace(
        item, paid=(AppliedPart(paid_on=DUE + timedelta(days=10), amount_minor=600),)
    )

    seen = rate_item(paid, as_of=AS_OF)

    assert seen is not None
    assert (seen.amount_minor, seen.paid_minor, seen.delay_days) == (600, 600, 10)
    assert late_days_milli(seen.parts) == 10_000
    whole = dataclasses.replace(credit, amount_minor=1_000)
    assert rate_item(dataclasses.replace(item, credited=(whole,)), as_of=AS_OF) is None


def test_a_payment_is_not_seen_before_it_was_applied_and_then_dates_from_when_it_came() -> None:
    part = AppliedPart(
        paid_on=DUE + timedelta(days=5), amount_minor=100, applied_on=DUE + timedelta(days=40)
    )
    item = dataclasses.replace(make_item(100, None), paid=(part,))

    before = rate_item(item, as_of=DUE + timedelta(days=39))
    after = rate_item(item, as_of=DUE + timedelta(days=40))

    assert before is not None
    assert before.delay_class is DelayClass.UNPAID
    assert after is not None
    assert (after.delay_class, after.delay_days) == (DelayClass.D1_15, 5)
    assert find_settled_date([item]) == part.applied_on


def test_what_is_taken_back_is_owed_again() -> None:
    bill = AppliedPart(paid_on=DUE, amount_minor=100)
    back = AppliedPart(paid_on=DUE, amount_minor=-100, applied_on=DUE + timedelta(days=90))
    item = dataclasses.replace(make_item(100, None), paid=(bill, back))

    while_it_held = rate_item(item, as_of=DUE + timedelta(days=89))
    dishonoured = rate_item(item, as_of=DUE + timedelta(days=90))

    assert while_it_held is not None
    assert while_it_held.delay_class is DelayClass.IN_TERMS
    assert dishonoured is not None
    assert (dishonoured.delay_class, dishonoured.delay_days) == (DelayClass.UNPAID, 90)
    assert find_settled_date([item]) is None
